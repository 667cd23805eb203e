//! Who may say which command.
//!
//! Whoever reads may ask; what changes the plan of a pull is for its author and for those who
//! look after the repository; what concerns more than one pull is for maintainers. Commands
//! that make CI run on the code of a fork need the right to write, whoever opened the pull.
//!
//! Nothing here asks the forge.

use crate::engine::command::{Command, Scope};
use crate::forge::Permission;

/// Who may say a command.
pub(super) struct Rule {
    /// The pull's author may, whatever their permission.
    pub(super) author: bool,
    /// Anybody with at least this permission may.
    pub(super) least: Permission,
    /// Said to everybody else.
    pub(super) refusal: &'static str,
}

/// The rule for a command; `None` when anybody may. Commands that make CI run
/// on a fork's code need the permission to write, also from the author.
pub(super) fn rule(command: &Command, from_fork: bool) -> Option<Rule> {
    let rule = |author, least, refusal| {
        Some(Rule {
            author,
            least,
            refusal,
        })
    };
    match command {
        Command::Help | Command::Status | Command::Why(_) => None,
        Command::RunAll(_) | Command::Run(_) if from_fork => rule(
            false,
            Permission::Write,
            "on a pull of a fork, only people who may write can ask for jobs",
        ),
        Command::Plan | Command::RunAll(_) | Command::Run(_) => rule(
            true,
            Permission::Triage,
            "only the author, or people who may triage, can ask for that",
        ),
        Command::Skip { .. } => rule(
            false,
            Permission::Maintain,
            "only maintainers can have a job skipped",
        ),
        Command::Rewrite => rule(
            false,
            Permission::Maintain,
            "only maintainers can have the workflows rewritten",
        ),
        Command::Quiet => rule(
            true,
            Permission::Admin,
            "only the author can fold the comment",
        ),
        Command::Pause(Scope::Pull) | Command::Resume(Scope::Pull) => rule(
            false,
            Permission::Write,
            "only people who may write can pause or resume a pull",
        ),
        Command::Pause(Scope::Repository) | Command::Resume(Scope::Repository) => rule(
            false,
            Permission::Maintain,
            "only maintainers can pause or resume the repository",
        ),
    }
}
