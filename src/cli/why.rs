//! `trimtab why`: everything behind one verdict.

use super::checkout::{Checkout, Revisions};
use super::{Failure, Terminal};
use crate::render::{Explained, explain, plain};

/// Arguments of `trimtab why`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A job's id (`test`, or `ci.yml:test` where several workflows have one), the path of a
    /// file or a directory, or a test's name
    #[arg(value_name = "JOB|TEST|FILE")]
    subject: String,
    #[command(flatten)]
    revisions: Revisions,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.revisions.quiet {
        terminal.hush();
    }
    let checkout = Checkout::open(&args.revisions)?;
    let answer = checkout.analyse(None, terminal)?;
    for note in &checkout.notes {
        terminal.note(note);
    }
    let asked = plain(&args.subject);
    match explain(&answer.plan, &answer.merge, &args.subject) {
        Explained::Told(text) => {
            terminal.answer(&text);
            Ok(())
        }
        Explained::Several(names) => {
            let commands = names
                .iter()
                .map(|name| format!("`trimtab why {}`", quoted(name)));
            let commands = commands.collect::<Vec<_>>().join(", ");
            Err(Failure::Expected(format!(
                "several workflows have a job `{asked}`; ask for one of them: {commands}"
            )))
        }
        Explained::Nothing(names) => {
            let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
            let known = if names.is_empty() {
                "no job starts for a pull here".to_owned()
            } else {
                format!("the jobs are: {}", names.join(", "))
            };
            let message =
                format!("no job, file, directory or test here is called `{asked}`; {known}");
            Err(Failure::Expected(message))
        }
    }
}

/// A name as a shell takes it for one word.
fn quoted(name: &str) -> String {
    let name = plain(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if name.chars().all(is_plain) {
        name
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}
