//! The command line: what is asked, where answers go, and how it ends.
//!
//! Answers go to standard output and nothing else does; progress, notes and
//! faults go to standard error. Exit codes are part of the interface and stand
//! in `--help`.
//!
//! A sub-command reads its arguments and calls one flow; it decides nothing.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

mod admin;
mod backfill;
mod checkout;
mod completions;
mod doctor;
mod graph;
mod mode;
mod plan;
mod replay;
mod rewrite;
mod serve;
mod store;
mod tasks;
mod terminal;
mod why;

pub(crate) use terminal::Terminal;

const AFTER: &str = "\
Exit codes:
  0  the answer is on standard output
  1  Trimtab failed; please report it
  2  the command line is wrong
  3  the repository, a revision, a file or a setting cannot be used; the message says what to do
  4  what was looked for is there: `rewrite --check` found a stale rewrite, `doctor` a fault
  5  `plan` has nothing to compare: the message says which commits to name

Examples:
  trimtab plan                          what CI needs for the branch that is checked out
  trimtab plan --base v1.2 --head fix   the same for two revisions
  trimtab why e2e-web                   the whole chain behind one verdict
  trimtab graph --format dot | dot -Tsvg > graph.svg";

/// Skips the CI jobs that your pull request cannot affect, and shows the evidence
/// for every skip.
#[derive(Debug, Parser)]
#[command(name = "trimtab", version, after_help = AFTER, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the plan for a checkout: the comment that the bot would post
    Plan(plan::Args),
    /// Explain one job, test or file: the chain of reasons and what would change it
    Why(why::Args),
    /// Print the graph of who needs whom
    Graph(graph::Args),
    /// Rewrite the workflows of a checkout, so that a plan can skip their jobs
    Rewrite(rewrite::Args),
    /// Say what keeps Trimtab from working, and what would mend it
    Doctor(doctor::Args),
    /// Run the bot until it is told to stop
    Serve(serve::Args),
    /// List the bot's tasks, retry one or bury one
    Tasks(tasks::Args),
    /// Decide what only the operator of a server may
    Admin(admin::Args),
    /// Read what the runs of the past tell, for estimates and savings
    Backfill(backfill::Args),
    /// Send a saved webhook to a server on this machine, signed
    Replay(replay::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user's world: the message says what to do. Exit code 3.
    Expected(String),
    /// What was looked for, in a command that only looks. Exit code 4.
    Found(String),
    /// There is nothing to look at: head is the base. Exit code 5.
    Nothing(String),
    /// Ours. Exit code 1.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        use crate::repo::RepoError;
        match error.downcast_ref::<RepoError>() {
            Some(RepoError::Unreadable { .. }) | None => Self::Internal(error),
            Some(RepoError::Failed { .. } | RepoError::File { .. }) => {
                Self::Expected(format!("{error:#}"))
            }
            // A sentence of its own, which needs nothing in front of it.
            Some(fault) => Self::Expected(fault.to_string()),
        }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no failure; clap knows.
            // A reader that went away wanted no more.
            drop(error.print());
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let mut terminal = Terminal::new();
    let result = match cli.command {
        Command::Plan(args) => plan::run(&args, &mut terminal),
        Command::Why(args) => why::run(&args, &mut terminal),
        Command::Graph(args) => graph::run(&args, &mut terminal),
        Command::Rewrite(args) => rewrite::run(&args, &mut terminal),
        Command::Doctor(args) => doctor::run(&args, &mut terminal),
        Command::Serve(args) => serve::run(&args),
        Command::Tasks(args) => tasks::run(&args, &mut terminal),
        Command::Admin(args) => admin::run(&args, &mut terminal),
        Command::Backfill(args) => backfill::run(&args, &mut terminal),
        Command::Replay(args) => replay::run(&args, &mut terminal),
        Command::Completions(args) => {
            completions::run(&args, &mut Cli::command(), &mut terminal);
            Ok(())
        }
    };
    if let Some(error) = terminal.unwritten() {
        let message =
            format!("the answer could not be written: {error}; make room, or write it elsewhere");
        terminal.fault(&message);
        return ExitCode::from(3);
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Expected(message)) => {
            terminal.fault(&message);
            ExitCode::from(3)
        }
        Err(Failure::Found(message)) => {
            terminal.fault(&message);
            ExitCode::from(4)
        }
        Err(Failure::Nothing(message)) => {
            terminal.fault(&message);
            ExitCode::from(5)
        }
        Err(Failure::Internal(error)) => {
            terminal.fault(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}
