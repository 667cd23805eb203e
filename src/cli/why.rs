//! `trimtab why`: everything behind one verdict.

use super::checkout::{Checkout, Revisions};
use super::{Failure, Terminal};
use crate::render::{explain, plain};

/// Arguments of `trimtab why`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A job's id, a path, or a test's name
    #[arg(value_name = "JOB|TEST|FILE")]
    subject: String,
    #[command(flatten)]
    revisions: Revisions,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    terminal.quiet(args.revisions.quiet);
    let checkout = Checkout::open(&args.revisions)?;
    let answer = checkout.analyse(None, terminal)?;
    let Some(text) = explain(&answer.plan, &answer.merge, &args.subject) else {
        let known: Vec<String> = answer.plan.jobs.iter().map(|job| plain(&job.job)).collect();
        let known = if known.is_empty() {
            "no job starts for a pull here".to_owned()
        } else {
            format!("the jobs are: {}", known.join(", "))
        };
        let message = format!(
            "no job, file or test here is called `{}`; {known}",
            plain(&args.subject),
        );
        return Err(Failure::Expected(message));
    };
    terminal.answer(&text);
    Ok(())
}
