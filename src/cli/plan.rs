//! `trimtab plan`: the plan for a checkout, without a server, an account or a network.
//!
//! `--format markdown` prints, byte for byte, the comment that the bot would post
//! given the same history, mode and link base.

use anyhow::Context as _;
use clap::ValueEnum;
use url::Url;

use super::checkout::{Checkout, Revisions};
use super::mode::ModeName;
use super::terminal::Text;
use super::{Failure, Terminal};
use crate::config;
use crate::engine::plan::{JobPlan, Mode, Plan, ReasonId, RunEverything, Verdict};
use crate::render::{self, About};

/// Arguments of `trimtab plan`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    #[command(flatten)]
    revisions: Revisions,
    /// The mode to plan for, whatever the configuration says: it changes the words of the
    /// comment, and no verdict but by `enforce.ramp`
    #[arg(long, value_name = "MODE", default_value = "advise")]
    mode: ModeName,
    /// Where links in the comment lead: the `PUBLIC_URL` of the bot's server
    #[arg(long, value_name = "URL", value_parser = config::web_address)]
    link_base: Option<Url>,
    /// What is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

const AFTER: &str = "\
Commits are compared; what is not committed is not seen. The bot compares a pull with
the tip of its base: `--base main` says what it would say.

Examples:
  trimtab plan                          the branch that is checked out, against where it began
  trimtab plan --base main              the same against the tip of main, as the bot does
  trimtab plan --head fix --format json another branch, for other programs";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// The plan, `trimtab.plan/1`
    Json,
    /// The comment that the bot would post
    Markdown,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.revisions.quiet {
        terminal.hush();
    }
    let mode = Mode::from(args.mode);
    let checkout = Checkout::open(&args.revisions)?;
    if let Some(why) = checkout.nothing_differs() {
        return Err(Failure::Nothing(why));
    }
    let answer = checkout.analyse(Some(mode), terminal)?;
    for note in &checkout.notes {
        terminal.note(note);
    }
    let plan = &answer.plan;
    if args.revisions.has_history() && knows_no_skipped(plan) {
        terminal.note("the history has no duration of a skipped job, so that no saving is told");
    }
    match args.format {
        Format::Text => terminal.answer(&text(plan, &checkout.base_words)),
        Format::Json => {
            let json = serde_json::to_string_pretty(plan).context("write the plan as JSON")?;
            terminal.answer(&(json + "\n"));
        }
        Format::Markdown => {
            let about = About {
                link_base: args.link_base.as_ref().map(Url::to_string),
                ..About::default()
            };
            if render::is_silent(plan, &about) {
                terminal.note("the bot would not comment: nothing is skipped and nothing warns");
            } else {
                terminal.answer(&render::comment(plan, &about).context("render the comment")?);
            }
        }
    }
    Ok(())
}

/// Whether jobs are skipped and none of them was measured.
fn knows_no_skipped(plan: &Plan) -> bool {
    let mut skipped = (plan.jobs.iter())
        .filter(|job| job.verdict == Verdict::Skip)
        .peekable();
    skipped.peek().is_some() && skipped.all(|job| job.estimate.is_none())
}

/// The widest column of job names.
const WIDEST: usize = 40;

fn text(plan: &Plan, basis: &str) -> String {
    let mut out = Text::begin(format!(
        "{}\nhead {} · base {} ({basis})\n",
        render::headline(plan),
        plan.head.short(),
        plan.base.short()
    ));
    for forced in &plan.run_everything {
        out.add(format!(
            "everything runs: {} {}\n",
            forced.id.as_str(),
            clean(&forced.subject)
        ));
    }
    for diagnostic in &plan.diagnostics {
        let (path, message) = (clean(&diagnostic.path), clean(&diagnostic.message));
        let place = match (diagnostic.line, diagnostic.column) {
            (0, _) => path,
            (line, 0) => format!("{path}:{line}"),
            (line, column) => format!("{path}:{line}:{column}"),
        };
        out.add(format!("warning: {place}: {message}\n"));
    }
    if plan.jobs.is_empty() {
        let is_unread = |it: &RunEverything| it.id == ReasonId::PipelineUnreadable;
        let sentence = if plan.run_everything.iter().any(is_unread) {
            "the jobs cannot be listed: no workflow for pull requests here can be read\n"
        } else {
            "no job would start: there is no workflow for pull requests here\n"
        };
        out.add(sentence.to_owned());
        return out.end();
    }
    let name = |job: &JobPlan| clean(&render::name_in(plan, job));
    let width = plan
        .jobs
        .iter()
        .map(|job| name(job).chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST);
    for job in &plan.jobs {
        let verdict = match job.verdict {
            Verdict::Run => "run ",
            Verdict::Skip => "skip",
            Verdict::Narrow => "part",
        };
        let why = job.reasons.first().map_or_else(String::new, |reason| {
            if reason.path.len() > 1 {
                clean(&reason.path.join(" → "))
            } else {
                clean(&reason.subject)
            }
        });
        let id = job.reasons.first().map_or("", |reason| reason.id.as_str());
        out.add(format!("  {verdict}  {:width$}  {id}: {why}\n", name(job)));
    }
    out.add("\nThe whole chain for one job: trimtab why JOB\n".to_owned());
    out.end()
}

/// Foreign text on a terminal: nothing that moves the cursor or turns the writing.
pub(super) fn clean(text: &str) -> String {
    render::plain(text)
}
