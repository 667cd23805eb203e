//! What happens with each job: from what is known of it to a verdict.
//!
//! The rules are asked in a fixed order and the first that holds decides; the
//! last one is the skip, so that a job is skipped only when nothing at all speaks
//! for running it. Then the plan is closed under `needs`: what runs has
//! everything it needs, except a need whose skip the job is proven to accept.
//!
//! Nothing here looks at a file: `impact` has compared them.

use std::collections::BTreeMap;

use super::history::times::Failures;
use super::plan::{Basis, Estimate, JobPlan, Reason, ReasonId, RunEverything, Verdict};

/// A changed input of a job, with the way from it to the job's entry point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedInput {
    /// The changed path.
    pub path: String,
    /// From the changed path to the entry point, both included.
    pub chain: Vec<String>,
}

/// How a job's inputs on the merge compare with those on the base.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// How many files are inputs on the merge.
    pub inputs: usize,
    /// Why the whole repository is its input; empty for an understood job.
    pub opaque: Vec<String>,
    /// Inputs that differ, the most telling first.
    pub changed: Vec<ChangedInput>,
    /// External packages that differ: `lodash 4.17.20 → 4.17.21`.
    pub changed_externals: Vec<String>,
    /// Where inputs lie, for the counterfactual: `in api/`, `at the root`.
    pub places: Vec<String>,
}

/// Everything that is known of one job of the merge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFacts {
    /// The pipeline's path.
    pub workflow: String,
    /// The job's id.
    pub job: String,
    /// The leg, when legs are told apart.
    pub leg: Option<String>,
    /// Ids of the jobs that it needs, directly.
    pub needs: Vec<String>,
    /// Those of them that may be skipped while it runs: it sums up results, and judges
    /// a skipped need as a successful one.
    pub accepts: Vec<String>,
    /// Whether the base does not have the job.
    pub is_new: bool,
    /// Whether its expanded definition differs from the base's.
    pub redefined: bool,
    /// Why it is never skipped, in words.
    pub never: Vec<String>,
    /// Why what it leaves behind for others may differ though nothing that it is known to
    /// read does, in words: it reads the history or the pull, delivers, or scans.
    pub unforeseen: Option<String>,
    /// Who or what asked for it to run.
    pub asked: Option<String>,
    /// What a maintainer said, with their name, when they said to skip it.
    pub told: Option<String>,
    /// The configuration does not let a skip rest on `unaffected`.
    pub withheld: bool,
    /// Why the ramp does not let it be skipped yet, in words.
    pub held_back: Option<String>,
    /// Its inputs.
    pub comparison: Comparison,
    /// Where it runs anyway; empty without a backstop.
    pub backstops: Vec<String>,
    /// How long it takes.
    pub estimate: Option<Estimate>,
    /// How often it failed of late.
    pub failures: Failures,
}

/// The plan of every job, in the order given.
///
/// `everything` is why all of them run; empty when nothing forces that.
pub fn decide(jobs: &[JobFacts], everything: &[RunEverything]) -> Vec<JobPlan> {
    let needs = transitive_needs(jobs);
    let mut plans: Vec<JobPlan> = jobs
        .iter()
        .zip(&needs)
        .map(|(job, needs)| plan_of(job, everything, needs))
        .collect();
    close_under_needs(&mut plans, jobs, &needs);
    plans
}

/// For each job its needs, direct and indirect, without itself.
fn transitive_needs(jobs: &[JobFacts]) -> Vec<Vec<&JobFacts>> {
    let mut by_id: BTreeMap<(&str, &str), Vec<&JobFacts>> = BTreeMap::new();
    for job in jobs {
        by_id
            .entry((&job.workflow, &job.job))
            .or_default()
            .push(job);
    }
    let reach = |job: &JobFacts| {
        let mut found: BTreeMap<&str, &Vec<&JobFacts>> = BTreeMap::new();
        let mut open: Vec<&str> = job.needs.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            let Some((key, legs)) = by_id.get_key_value(&(job.workflow.as_str(), id)) else {
                continue;
            };
            if id != job.job && found.insert(key.1, legs).is_none() {
                open.extend(
                    legs.iter()
                        .flat_map(|leg| leg.needs.iter().map(String::as_str)),
                );
            }
        }
        found.into_values().flatten().copied().collect()
    };
    jobs.iter().map(reach).collect()
}

fn plan_of(job: &JobFacts, everything: &[RunEverything], needs: &[&JobFacts]) -> JobPlan {
    let reasons = run_reasons(job, everything, needs);
    let told = job.told.as_ref().filter(|_| may_be_told(job, everything));
    let (basis, reasons) = match told {
        _ if reasons.is_empty() => (Some(Basis::Unaffected), vec![skip_reason(job)]),
        Some(told) => (Some(Basis::Told), plain(ReasonId::Told, told)),
        None => (None, reasons),
    };
    let skipped = basis.is_some();
    JobPlan {
        workflow: job.workflow.clone(),
        workflow_key: None,
        job: job.job.clone(),
        leg: job.leg.clone(),
        verdict: if skipped { Verdict::Skip } else { Verdict::Run },
        basis,
        counterfactual: counterfactual(job, reasons.first()),
        reasons,
        estimate: job.estimate,
        backstop: (!job.backstops.is_empty()).then(|| job.backstops.join(", ")),
        narrow: None,
        held_out: None,
    }
}

/// Whether a maintainer's word can skip a job: what forces everything, a person who asked
/// for it, and what never is skipped are stronger.
fn may_be_told(job: &JobFacts, everything: &[RunEverything]) -> bool {
    everything.is_empty()
        && job.asked.is_none()
        && job.never.is_empty()
        && !job.backstops.is_empty()
}

fn plain(id: ReasonId, subject: &str) -> Vec<Reason> {
    vec![Reason {
        id,
        subject: subject.to_owned(),
        path: Vec::new(),
    }]
}

/// Why a job runs; empty means that nothing speaks for it.
fn run_reasons(job: &JobFacts, everything: &[RunEverything], needs: &[&JobFacts]) -> Vec<Reason> {
    if let Some(first) = everything.first() {
        return plain(
            ReasonId::EverythingRuns,
            &format!("{}: {}", first.id.as_str(), first.subject),
        );
    }
    if let Some(who) = &job.asked {
        return plain(ReasonId::Asked, who);
    }
    if !job.never.is_empty() {
        return job
            .never
            .iter()
            .flat_map(|why| plain(ReasonId::NeverSkipped, why))
            .collect();
    }
    if let Some((id, subject)) = definition_reason(job) {
        return plain(id, subject);
    }
    let own = input_reasons(job);
    if !own.is_empty() {
        return own;
    }
    let may_differ = |need: &&&JobFacts| {
        need.unforeseen.is_some()
            || definition_reason(need).is_some()
            || !input_reasons(need).is_empty()
    };
    if let Some(need) = needs.iter().find(may_differ) {
        let path = input_reasons(need)
            .into_iter()
            .next()
            .map_or_else(Vec::new, |reason| reason.path);
        return vec![Reason {
            id: ReasonId::NeedsChanged,
            subject: need.job.clone(),
            path,
        }];
    }
    if job.backstops.is_empty() {
        return plain(
            ReasonId::NoBackstop,
            "no push, queue or schedule runs all of it after such a change, so a skip would never be made good",
        );
    }
    if job.withheld {
        return plain(ReasonId::BasisNotAllowed, "unaffected");
    }
    if let Some(why) = &job.held_back {
        return plain(ReasonId::OutsideRamp, why);
    }
    Vec::new()
}

fn definition_reason(job: &JobFacts) -> Option<(ReasonId, &str)> {
    if job.is_new {
        return Some((ReasonId::JobIsNew, "the base does not have this job"));
    }
    job.redefined
        .then_some((ReasonId::DefinitionChanged, job.workflow.as_str()))
}

/// The most reasons of one kind that a plan lists; the others say nothing new.
const MOST_REASONS: usize = 3;

fn input_reasons(job: &JobFacts) -> Vec<Reason> {
    let comparison = &job.comparison;
    let changed = comparison.changed.iter().take(MOST_REASONS);
    if !comparison.opaque.is_empty() && !comparison.changed.is_empty() {
        let cause = |why: &String| Reason {
            id: ReasonId::Opaque,
            subject: why.clone(),
            path: Vec::new(),
        };
        return comparison
            .opaque
            .iter()
            .take(MOST_REASONS)
            .map(cause)
            .collect();
    }
    let mut reasons: Vec<Reason> = changed
        .map(|input| Reason {
            id: ReasonId::InputChanged,
            subject: input.path.clone(),
            path: input.chain.clone(),
        })
        .collect();
    let externals = comparison.changed_externals.iter().take(MOST_REASONS);
    reasons.extend(externals.map(|what| Reason {
        id: ReasonId::LockChanged,
        subject: what.clone(),
        path: Vec::new(),
    }));
    reasons
}

fn skip_reason(job: &JobFacts) -> Reason {
    let subject = match job.comparison.inputs {
        0 => "it reads nothing of the repository".to_owned(),
        1 => "its one inferred input did not change".to_owned(),
        count => format!("none of its {count} inferred inputs changed"),
    };
    Reason {
        id: ReasonId::InputsEqual,
        subject,
        path: Vec::new(),
    }
}

fn counterfactual(job: &JobFacts, reason: Option<&Reason>) -> String {
    let Some(reason) = reason else {
        return String::new();
    };
    let places = match job.comparison.places.as_slice() {
        [] => "one of its inputs".to_owned(),
        [place] => format!("an input {place}"),
        [places @ .., last] => format!("an input {} or {last}", places.join(", ")),
    };
    match reason.id {
        ReasonId::InputsEqual => format!("would run if {places} changed"),
        ReasonId::Opaque => "could be skipped if its inputs were known".to_owned(),
        ReasonId::NeverSkipped => "always runs".to_owned(),
        ReasonId::NoBackstop => {
            "could be skipped if it also ran on the default branch, in the queue or on a schedule"
                .to_owned()
        }
        ReasonId::EverythingRuns => "would be judged by its own inputs without that".to_owned(),
        ReasonId::Told => "would run if nobody had said to skip it".to_owned(),
        ReasonId::BasisNotAllowed => "would be skipped if `enforce.bases` named it".to_owned(),
        ReasonId::OutsideRamp => "would be skipped if `enforce.ramp` were higher".to_owned(),
        ReasonId::Asked => "would be judged by its own inputs if nobody had asked".to_owned(),
        _ => "would be skipped if that had not changed".to_owned(),
    }
}

/// A job that runs needs every job that it needs to run too, at any distance: GitHub
/// skips a job for a skipped ancestor. One that sums up results runs in any case, and
/// needs those that it does not accept as skipped.
fn close_under_needs(plans: &mut [JobPlan], jobs: &[JobFacts], needs: &[Vec<&JobFacts>]) {
    loop {
        let needed = needed_by_what_runs(plans, jobs, needs);
        let mut is_closed = true;
        for plan in plans.iter_mut().filter(|it| it.verdict == Verdict::Skip) {
            if let Some(by) = needed.get(&(plan.workflow.clone(), plan.job.clone())) {
                run_for(plan, by);
                is_closed = false;
            }
        }
        if is_closed {
            return;
        }
    }
}

/// Every job, by workflow and id, that one which runs needs; and that one's id.
fn needed_by_what_runs(
    plans: &[JobPlan],
    jobs: &[JobFacts],
    needs: &[Vec<&JobFacts>],
) -> BTreeMap<(String, String), String> {
    let mut needed = BTreeMap::new();
    let running = plans.iter().zip(jobs).zip(needs);
    for ((plan, job), needs) in running.filter(|((plan, _), _)| plan.verdict != Verdict::Skip) {
        let is_needed = |need: &&&JobFacts| {
            let is_direct = job.needs.contains(&need.job);
            job.accepts.is_empty() || is_direct && !job.accepts.contains(&need.job)
        };
        for need in needs.iter().filter(is_needed) {
            needed
                .entry((need.workflow.clone(), need.job.clone()))
                .or_insert_with(|| plan.job.clone());
        }
    }
    needed
}

fn run_for(plan: &mut JobPlan, by: &str) {
    plan.verdict = Verdict::Run;
    plan.basis = None;
    plan.reasons.insert(
        0,
        Reason {
            id: ReasonId::NeededBy,
            subject: by.to_owned(),
            path: Vec::new(),
        },
    );
    plan.counterfactual = format!("would be skipped if {by} were");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(id: &str, needs: &[&str]) -> JobFacts {
        JobFacts {
            workflow: "ci.yml".to_owned(),
            job: id.to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            backstops: vec!["push to main".to_owned()],
            comparison: Comparison {
                inputs: 3,
                ..Comparison::default()
            },
            ..JobFacts::default()
        }
    }

    fn changed(path: &str, mut job: JobFacts) -> JobFacts {
        job.comparison.changed.push(ChangedInput {
            path: path.to_owned(),
            chain: vec![path.to_owned()],
        });
        job
    }

    fn check(jobs: &[JobFacts], everything: &[RunEverything], expected: &str) {
        let line = |plan: &JobPlan| {
            let reason = &plan.reasons[0];
            format!(
                "{} {:?} {} {}",
                plan.job,
                plan.verdict,
                reason.id.as_str(),
                reason.subject
            )
        };
        let lines: Vec<String> = decide(jobs, everything).iter().map(line).collect();
        assert_eq!(lines.join("\n"), expected);
    }

    #[test]
    fn a_job_without_changed_inputs_is_skipped() {
        check(
            &[job("a", &[])],
            &[],
            "a Skip inputs-equal none of its 3 inferred inputs changed",
        );
    }

    #[test]
    fn a_changed_input_runs_the_job_and_its_dependants() {
        let jobs = [
            changed("x.py", job("build", &[])),
            job("test", &["build"]),
            job("lint", &[]),
        ];
        check(
            &jobs,
            &[],
            "build Run input-changed x.py\ntest Run needs-changed build\n\
             lint Skip inputs-equal none of its 3 inferred inputs changed",
        );
    }

    #[test]
    fn a_job_runs_when_what_it_needs_leaves_behind_cannot_be_foreseen() {
        let deploy = JobFacts {
            never: vec!["it deploys".to_owned()],
            unforeseen: Some("it deploys".to_owned()),
            ..job("deploy", &[])
        };
        let listed = JobFacts {
            never: vec!["the configuration says so".to_owned()],
            ..job("listed", &[])
        };
        check(
            &[
                deploy,
                job("smoke", &["deploy"]),
                listed,
                job("test", &["listed"]),
            ],
            &[],
            "deploy Run never-skipped it deploys\nsmoke Run needs-changed deploy\n\
             listed Run never-skipped the configuration says so\n\
             test Skip inputs-equal none of its 3 inferred inputs changed",
        );
    }

    #[test]
    fn a_job_that_runs_keeps_everything_it_needs() {
        let jobs = [
            job("setup", &[]),
            job("build", &["setup"]),
            changed("x.py", job("test", &["build"])),
        ];
        check(
            &jobs,
            &[],
            "setup Run needed-by test\nbuild Run needed-by test\ntest Run input-changed x.py",
        );
    }

    #[test]
    fn a_job_that_sums_up_keeps_what_it_does_not_accept_as_skipped() {
        let sums_up = |accepts: &[&str]| JobFacts {
            accepts: accepts.iter().map(|need| (*need).to_owned()).collect(),
            ..job("ok", &["lint", "test"])
        };
        let jobs = |ok: JobFacts| {
            [
                job("build", &[]),
                job("lint", &["build"]),
                changed("x.py", job("test", &[])),
                ok,
            ]
        };
        check(
            &jobs(sums_up(&["lint", "test"])),
            &[],
            "build Skip inputs-equal none of its 3 inferred inputs changed\n\
             lint Skip inputs-equal none of its 3 inferred inputs changed\n\
             test Run input-changed x.py\nok Run needs-changed test",
        );
        check(
            &jobs(sums_up(&["test"])),
            &[],
            "build Run needed-by lint\nlint Run needed-by ok\n\
             test Run input-changed x.py\nok Run needs-changed test",
        );
    }

    #[test]
    fn what_stands_behind_a_job_that_sums_up_keeps_all_its_ancestors() {
        let ok = JobFacts {
            accepts: vec!["lint".to_owned()],
            ..job("ok", &["lint"])
        };
        let jobs = [job("lint", &[]), ok, changed("x", job("deploy", &["ok"]))];
        check(
            &jobs,
            &[],
            "lint Run needed-by deploy\nok Run needed-by deploy\ndeploy Run input-changed x",
        );
    }

    #[test]
    fn a_forced_plan_runs_everything() {
        let everything = [RunEverything {
            id: ReasonId::Holdout,
            subject: "5 %".to_owned(),
        }];
        check(
            &[job("a", &[])],
            &everything,
            "a Run everything-runs holdout: 5 %",
        );
    }

    #[test]
    fn an_opaque_job_is_skipped_only_when_nothing_changed() {
        let mut opaque = job("a", &[]);
        opaque
            .comparison
            .opaque
            .push("ci.yml:9 unknown program `frob`".to_owned());
        check(
            std::slice::from_ref(&opaque),
            &[],
            "a Skip inputs-equal none of its 3 inferred inputs changed",
        );
        check(
            &[changed("x", opaque)],
            &[],
            "a Run opaque ci.yml:9 unknown program `frob`",
        );
    }

    #[test]
    fn doubt_about_a_job_runs_it() {
        let never = JobFacts {
            never: vec!["it deploys".to_owned()],
            ..job("never", &[])
        };
        let new = JobFacts {
            is_new: true,
            ..job("new", &[])
        };
        let redefined = JobFacts {
            redefined: true,
            ..job("redefined", &[])
        };
        let alone = JobFacts {
            backstops: Vec::new(),
            ..job("alone", &[])
        };
        check(
            &[never, new, redefined, alone],
            &[],
            "never Run never-skipped it deploys\nnew Run job-is-new the base does not have this job\n\
             redefined Run definition-changed ci.yml\n\
             alone Run no-backstop no push, queue or schedule runs all of it after such a change, so a skip would never be made good",
        );
    }

    #[test]
    fn a_maintainers_word_skips_what_may_be_skipped_at_all() {
        let told = |job: JobFacts| JobFacts {
            told: Some("ann: only words".to_owned()),
            ..job
        };
        let never = JobFacts {
            never: vec!["it deploys".to_owned()],
            ..job("never", &[])
        };
        let asked = JobFacts {
            asked: Some("a command".to_owned()),
            ..job("asked", &[])
        };
        let alone = JobFacts {
            backstops: Vec::new(),
            ..changed("x", job("alone", &[]))
        };
        check(
            &[
                told(changed("x", job("unit", &[]))),
                told(never),
                told(asked),
                told(alone),
                told(changed("x", job("build", &[]))),
                changed("x", job("e2e", &["build"])),
                told(job("equal", &[])),
            ],
            &[],
            "unit Skip told ann: only words\nnever Run never-skipped it deploys\n\
             asked Run asked a command\nalone Run input-changed x\nbuild Run needed-by e2e\n\
             e2e Run input-changed x\nequal Skip inputs-equal none of its 3 inferred inputs changed",
        );
    }

    #[test]
    fn what_the_configuration_does_not_allow_is_no_basis() {
        let withheld = |job: JobFacts| JobFacts {
            withheld: true,
            ..job
        };
        check(
            &[withheld(job("unit", &["build"])), job("build", &[])],
            &[],
            "unit Run basis-not-allowed unaffected\nbuild Run needed-by unit",
        );
    }

    #[test]
    fn needs_in_a_circle_end() {
        check(
            &[job("a", &["b"]), changed("x", job("b", &["a"]))],
            &[],
            "a Run needs-changed b\nb Run input-changed x",
        );
    }

    #[test]
    fn jobs_of_two_workflows_with_one_id_are_told_apart() {
        let other = JobFacts {
            workflow: "other.yml".to_owned(),
            ..job("build", &[])
        };
        let plans = decide(
            &[
                changed("x", job("test", &["build"])),
                job("build", &[]),
                other,
            ],
            &[],
        );
        let verdicts: Vec<Verdict> = plans.iter().map(|plan| plan.verdict).collect();
        assert_eq!(verdicts, [Verdict::Run, Verdict::Run, Verdict::Skip]);
    }

    proptest! {
        #[test]
        fn what_runs_has_everything_it_needs(edges in proptest::collection::vec((0_usize..6, 0_usize..6), 0..12), hit in 0_usize..6) {
            let mut jobs: Vec<JobFacts> = (0..6).map(|index| job(&index.to_string(), &[])).collect();
            for (from, to) in edges {
                jobs[from].needs.push(to.to_string());
            }
            jobs[hit] = changed("x", jobs[hit].clone());
            let plans = decide(&jobs, &[]);
            for (plan, job) in plans.iter().zip(&jobs) {
                prop_assert_eq!(plan.verdict == Verdict::Skip, plan.basis.is_some());
                prop_assert!(!plan.reasons.is_empty());
                for need in job.needs.iter().filter(|_| plan.verdict == Verdict::Run) {
                    let index: usize = need.parse().unwrap();
                    prop_assert_eq!(plans[index].verdict, Verdict::Run);
                }
            }
        }
    }
}
