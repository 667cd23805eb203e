//! From a plan to what people read: the comment and the checks.
//!
//! Templates hold the words, the view below holds the numbers. Strict mode turns
//! a name that a template asks for and nobody gives into an error, and the
//! default escape is [`escape::words`]: a template cannot print foreign text raw
//! by forgetting something.
//!
//! Nothing here decides; the same plan always gives the same bytes.

use std::sync::LazyLock;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
};

use crate::engine::plan::{Mode, Plan, Verdict};

pub mod doctor;
pub mod escape;
mod explain;
mod replies;
mod rewrite;
mod rows;
mod view;

pub use explain::{Explained, explain, name_in, plain};
pub use replies::{help, no_plan, not_understood, refused, reply_marker, savings, status, why};
pub use rewrite::{
    NoPull, REWRITE_TITLE, Rewriting, rewrite_kept, rewrite_of_nothing, rewrite_patch,
    rewrite_pull, rewrite_stands, rewrite_unreadable,
};
pub use view::{About, headline};

/// The mark by which the bot finds its comment again, with itself as author.
pub const MARKER: &str = "<!-- trimtab:v1 -->";

/// The most characters of a comment.
const COMMENT_BUDGET: usize = 60_000;

/// The most characters of a check's summary.
const CHECK_BUDGET: usize = 60_000;

/// Whether there is nothing to comment on: nothing is skipped and nothing warns,
/// the mode is `observe`, or the pull is a draft or a bot's.
pub fn is_silent(plan: &Plan, about: &About) -> bool {
    let skips = plan.jobs.iter().any(|job| job.verdict != Verdict::Run);
    plan.mode == Mode::Observe
        || about.draft
        || about.bot_author
        || !skips && plan.diagnostics.is_empty()
}

/// The comment, ending in one newline.
///
/// # Errors
/// Only when a template is broken; a test renders every one of them.
pub fn comment(plan: &Plan, about: &About) -> Result<String, RenderError> {
    let template = if about.quiet { "quiet" } else { "comment" };
    within(COMMENT_BUDGET, plan.jobs.len(), |rows| {
        TEMPLATES.render(template, &view::of(plan, about, rows))
    })
}

/// What a comment says when there is nothing left to say.
///
/// # Errors
/// Only when a template is broken; a test renders every one of them.
pub fn resolved(plan: &Plan) -> Result<String, RenderError> {
    TEMPLATES.render("resolved", &view::of(plan, &About::default(), 0))
}

/// The summary of the check that people read.
///
/// # Errors
/// Only when a template is broken; a test renders every one of them.
pub fn check_summary(plan: &Plan, about: &About) -> Result<String, RenderError> {
    within(CHECK_BUDGET, plan.jobs.len(), |rows| {
        TEMPLATES.render("check", &view::of(plan, about, rows))
    })
}

/// Renders with as many rows as the budget of characters allows.
fn within(
    budget: usize,
    rows: usize,
    render: impl Fn(usize) -> Result<String, RenderError>,
) -> Result<String, RenderError> {
    let mut rows = rows;
    loop {
        let text = render(rows)?;
        let length = text.chars().count();
        if length <= budget || rows == 0 {
            return Ok(text);
        }
        rows = (rows * budget / length).min(rows - 1);
    }
}

static TEMPLATES: LazyLock<Handlebars<'static>> = LazyLock::new(templates);

fn templates() -> Handlebars<'static> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(escape::words);
    let shapes = [
        ("code", escape::code as Shape),
        ("cell", escape::cell),
        ("sentence", escape::sentence),
    ];
    for (name, shape) in shapes {
        templates.register_helper(name, helper(shape));
    }
    let sources = [
        ("comment", include_str!("../templates/comment.hbs")),
        ("row", include_str!("../templates/comment/row.hbs")),
        (
            "workflows",
            include_str!("../templates/comment/workflows.hbs"),
        ),
        ("quiet", include_str!("../templates/comment/quiet.hbs")),
        (
            "resolved",
            include_str!("../templates/comment/resolved.hbs"),
        ),
        ("check", include_str!("../templates/check.hbs")),
        (
            "rewrite_pull",
            include_str!("../templates/rewrite_pull.hbs"),
        ),
    ];
    for (name, source) in sources {
        // A template that does not compile is missing, and rendering it says so.
        if let Err(error) = templates.register_template_string(name, source) {
            tracing::error!(error = %error, "template {name} does not compile");
        }
    }
    templates
}

/// A form in which foreign text may stand.
type Shape = fn(&str) -> String;

/// The helper of a template that gives its first parameter this form.
fn helper(shape: Shape) -> Box<dyn HelperDef + Send + Sync> {
    let write = move |helper: &Helper<'_>,
                      _: &Handlebars<'_>,
                      _: &Context,
                      _: &mut RenderContext<'_, '_>,
                      out: &mut dyn Output|
          -> HelperResult {
        let text = helper.param(0).and_then(|param| param.value().as_str());
        out.write(&shape(text.unwrap_or_default()))?;
        Ok(())
    };
    Box::new(write)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::{ObjectId, PullNumber};
    use crate::engine::plan::{
        Basis, Diagnostic, Estimate, EstimateKind, JobPlan, Reason, ReasonId, RunEverything, SCHEMA,
    };

    fn id(content: u8) -> ObjectId {
        ObjectId::from_bytes(&[content; 20]).unwrap()
    }

    fn job(name: &str, verdict: Verdict, reason: Reason) -> JobPlan {
        JobPlan {
            workflow: ".github/workflows/ci.yml".to_owned(),
            workflow_key: None,
            job: name.to_owned(),
            leg: None,
            verdict,
            basis: (verdict == Verdict::Skip).then_some(Basis::Unaffected),
            reasons: vec![reason],
            counterfactual: "would run if an input in apps/web changed".to_owned(),
            estimate: Some(Estimate {
                seconds: 1100,
                kind: EstimateKind::Measured,
                n: 34,
            }),
            backstop: Some("push to main".to_owned()),
            narrow: None,
            held_out: None,
        }
    }

    fn reason(id: ReasonId, subject: &str, path: &[&str]) -> Reason {
        Reason {
            id,
            subject: subject.to_owned(),
            path: path.iter().map(|part| (*part).to_owned()).collect(),
        }
    }

    fn sample() -> Plan {
        Plan {
            schema: SCHEMA.to_owned(),
            repository: "shop/shop".to_owned(),
            pull: Some(PullNumber(7)),
            base: id(0x9f),
            head: id(0xa1),
            merge: id(0x11),
            mode: Mode::Advise,
            policy_hash: String::new(),
            model: None,
            jobs: vec![
                job(
                    "e2e-web",
                    Verdict::Skip,
                    reason(
                        ReasonId::InputsEqual,
                        "none of its 412 inferred inputs changed",
                        &[],
                    ),
                ),
                job(
                    "api",
                    Verdict::Run,
                    reason(
                        ReasonId::InputChanged,
                        "src/auth/token.py",
                        &["src/auth/token.py", "api/login.py", "tests/api"],
                    ),
                ),
                job(
                    "lint",
                    Verdict::Run,
                    reason(ReasonId::Opaque, "ci.yml:40 unknown program `frob`", &[]),
                ),
            ],
            run_everything: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    fn about() -> About {
        About {
            link_base: Some("https://bot.example/".to_owned()),
            ..About::default()
        }
    }

    #[test]
    fn a_comment_shows_skips_first_and_folds_the_rest() {
        insta::assert_snapshot!(comment(&sample(), &about()).unwrap(), @"
        <!-- trimtab:v1 -->
        ### CI plan: 2 of 3 jobs needed · would save about 18 min net
        head a1a1a1a · base 9f9f9f9 · mode: advise · [details](https://bot.example/plans/a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1)

        | | Job | Why |
        |---|---|---|
        | skip | `e2e-web` | none of its 412 inferred inputs changed · runs again: push to main |
        | run | `api` | `src/auth/token.py` → `api/login.py` → `tests/api` |

        <details><summary>All 3 jobs and rules</summary>

        `.github/workflows/ci.yml`

        | | Job | Why |
        |---|---|---|
        | skip | `e2e-web` | none of its 412 inferred inputs changed · runs again: push to main · would run if an input in apps/web changed |
        | run | `api` | `src/auth/token.py` → `api/login.py` → `tests/api` |
        | run | `lint` | not understood: `` ci.yml:40 unknown program `frob` `` |

        </details>
        <details><summary>Evidence and history (102 runs)</summary>

        - e2e-web: 18 min, measured over 34 runs
        - api: 18 min, measured over 34 runs
        - lint: 18 min, measured over 34 runs

        </details>

        Run everything: `/trimtab run all` · the whole chain for a job: `/trimtab why JOB`
        ");
    }

    #[test]
    fn jobs_with_one_verdict_for_one_reason_share_a_row() {
        let mut plan = sample();
        for index in 0..5 {
            let way = reason(ReasonId::InputChanged, "src/tax.rs", &[]);
            let mut reached = job(&format!("unit-{index}"), Verdict::Run, way);
            if index == 4 {
                reached.workflow = ".github/workflows/more.yml".to_owned();
            }
            plan.jobs.push(reached);
        }
        let text = comment(&plan, &about()).unwrap();
        let rows = text.lines().filter(|line| line.contains("`unit-"));
        insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @"
        | run | `unit-0`, `unit-1`, `unit-2`, `unit-3` and 1 more | `src/tax.rs` |
        | run | `unit-0`, `unit-1`, `unit-2`, `unit-3` | `src/tax.rs` |
        | run | `unit-4` | `src/tax.rs` |
        ");
        assert!(text.contains("\n`.github/workflows/more.yml`\n"), "{text}");
    }

    #[test]
    fn a_plan_that_runs_everything_says_so_in_one_line() {
        let mut plan = sample();
        plan.run_everything = vec![
            RunEverything {
                id: ReasonId::ToolchainFile,
                subject: "rust-toolchain.toml".to_owned(),
            },
            RunEverything {
                id: ReasonId::Holdout,
                subject: "5 %".to_owned(),
            },
        ];
        let text = comment(&plan, &about()).unwrap();
        assert!(text.contains("\nEverything runs: this file concerns every job: `rust-toolchain.toml` and 1 more\n"), "{text}");
    }

    #[test]
    fn the_check_of_a_held_out_pull_says_what_would_have_been_skipped() {
        let mut plan = sample();
        plan.run_everything = vec![RunEverything {
            id: ReasonId::Holdout,
            subject: "5 % of pulls".to_owned(),
        }];
        plan.jobs[0].held_out = Some(Basis::Unaffected);
        let text = check_summary(&plan, &about()).unwrap();
        let words = "Everything runs: the holdout chose this pull: `5 % of pulls`; 1 job would have been skipped\n";
        assert!(text.contains(words), "{text}");
    }

    #[test]
    fn a_plan_whose_pipelines_cannot_be_read_counts_no_jobs() {
        let mut plan = sample();
        plan.jobs.clear();
        assert_eq!(headline(&plan), "CI plan: 0 of 0 jobs needed");
        plan.run_everything = vec![RunEverything {
            id: ReasonId::PipelineUnreadable,
            subject: ".github/workflows/ci.yml".to_owned(),
        }];
        assert_eq!(headline(&plan), "CI plan: the jobs cannot be listed");
    }

    #[test]
    fn a_saving_is_told_as_far_as_the_skipped_jobs_are_known() {
        let mut plan = sample();
        let mut other = plan.jobs[0].clone();
        other.job = "e2e-api".to_owned();
        other.estimate = None;
        plan.jobs.push(other);
        assert_eq!(
            headline(&plan),
            "CI plan: 2 of 4 jobs needed · would save about 18 min net (1 of 2 skipped jobs known)"
        );
        // What runs is not saved, however well it is known.
        plan.jobs[0].estimate = None;
        assert_eq!(headline(&plan), "CI plan: 2 of 4 jobs needed");
    }

    #[test]
    fn quiet_is_one_line() {
        let quiet = About {
            quiet: true,
            ..about()
        };
        insta::assert_snapshot!(comment(&sample(), &quiet).unwrap(), @"
        <!-- trimtab:v1 -->
        CI plan: 2 of 3 jobs needed · would save about 18 min net · head a1a1a1a · folded by the author; `/trimtab plan` unfolds it
        ");
    }

    #[test]
    fn the_bot_is_silent_when_there_is_nothing_to_say() {
        let about = about();
        assert!(!is_silent(&sample(), &about));
        assert!(is_silent(
            &sample(),
            &About {
                draft: true,
                ..about.clone()
            }
        ));
        assert!(is_silent(
            &sample(),
            &About {
                bot_author: true,
                ..about.clone()
            }
        ));
        assert!(is_silent(
            &Plan {
                mode: Mode::Observe,
                ..sample()
            },
            &about
        ));
        let mut nothing = sample();
        nothing.jobs.remove(0);
        assert!(is_silent(&nothing, &about));
        let message = "unknown key `mod`, did you mean `mode`?".to_owned();
        nothing.diagnostics.push(Diagnostic {
            path: ".trimtab.yml".to_owned(),
            line: 1,
            column: 1,
            message,
        });
        assert!(!is_silent(&nothing, &about));
    }

    #[test]
    fn hostile_names_cannot_leave_their_cell() {
        let mut plan = sample();
        plan.jobs[0].job =
            "x` | @team <!-- trimtab:v1 --> ![](http://evil.example)\n/merge".to_owned();
        plan.jobs[1].reasons[0].path = vec!["a|b".to_owned(), "c".to_owned()];
        let text = comment(&plan, &about()).unwrap();
        let row = text
            .lines()
            .find(|line| line.starts_with("| skip"))
            .unwrap();
        assert!(
            row.starts_with(
                "| skip | ``x` \\| @team <!-- trimtab:v1 --> ![](http://evil.example) /merge`` |"
            ),
            "{row}"
        );
        assert!(!text.lines().any(|line| line.starts_with('/')), "{text}");
        assert!(text.contains("`a\\|b` → `c`"), "{text}");
    }

    #[test]
    fn a_comment_keeps_to_its_budget_and_says_what_is_cut() {
        let mut plan = sample();
        plan.jobs = (0..2000)
            .map(|index| {
                let name = format!("job-{index}-{}", "x".repeat(100));
                job(
                    &name,
                    Verdict::Skip,
                    reason(
                        ReasonId::InputsEqual,
                        "none of its 412 inferred inputs changed",
                        &[],
                    ),
                )
            })
            .collect();
        let text = comment(&plan, &about()).unwrap();
        assert!(text.chars().count() <= COMMENT_BUDGET);
        assert!(
            text.contains("more jobs are left out here"),
            "{}",
            &text[..500]
        );
    }

    #[test]
    fn the_visible_part_has_at_most_twelve_lines() {
        let mut plan = sample();
        for index in 0..20 {
            plan.jobs.push(job(
                &format!("skip-{index}"),
                Verdict::Skip,
                reason(ReasonId::InputsEqual, "none", &[]),
            ));
        }
        let text = comment(&plan, &about()).unwrap();
        let folded = text.split("<details>").next().unwrap();
        let visible = folded
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("<!--"))
            .count();
        assert!(visible < 12, "{visible} and the last line: {folded}");
    }
}
