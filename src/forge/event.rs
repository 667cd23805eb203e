//! What a forge announces, in words that both forges share.
//!
//! An event is a pointer: it names the repository, the pull and the commit that
//! something happened to, and what kind of thing it was. Deliveries come late, twice
//! and out of order, so whoever acts on an event reads the state from the forge.
//!
//! Events that Trimtab does not act on never become a [`ForgeEvent`].

use crate::engine::history::run::JobRun;
use crate::engine::ids::{InstallationId, ObjectId, PullNumber, RepoId, RepoKey};

use super::{Author, CommentRef};

/// One delivery that asks for something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForgeEvent {
    /// Something happened in one repository.
    Repo(RepoEvent),
    /// What can be reached has changed.
    Installation(InstallationEvent),
}

impl ForgeEvent {
    /// The forge's identifier of the delivery; the same when it is sent again.
    pub fn delivery(&self) -> &str {
        match self {
            Self::Repo(event) => &event.delivery,
            Self::Installation(event) => &event.delivery,
        }
    }

    /// The installation that it came through.
    pub fn installation(&self) -> InstallationId {
        match self {
            Self::Repo(event) => event.repo.installation,
            Self::Installation(event) => event.installation,
        }
    }
}

/// Something happened in one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoEvent {
    /// The forge's identifier of the delivery.
    pub delivery: String,
    /// The repository.
    pub repo: RepoKey,
    /// `owner/name` at that moment; for logs.
    pub path: String,
    /// The branch that pulls target by default, at that moment.
    pub default_branch: String,
    /// Who caused it.
    pub sender: Author,
    /// What happened.
    pub kind: RepoEventKind,
}

/// What happened in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepoEventKind {
    /// A pull changed.
    Pull {
        /// Which one.
        number: PullNumber,
        /// Its head at that moment.
        head: ObjectId,
        /// How it changed.
        change: PullChange,
    },
    /// A person wrote something new to a pull; it may hold a command. Edits, and what
    /// programs write, never get here.
    Comment {
        /// Where.
        at: CommentRef,
        /// Who wrote it.
        author: Author,
        /// The text at that moment: good enough to see that there is no command.
        body: String,
        /// The head that a review is about; a plain comment does not say.
        head: Option<ObjectId>,
    },
    /// Somebody asked for one of our checks again, or for all of them on a commit.
    CheckRerequested {
        /// The commit.
        head: ObjectId,
        /// The check's name; `None` asks for all.
        name: Option<String>,
    },
    /// Somebody pressed a button of one of our checks.
    CheckAction {
        /// The commit.
        head: ObjectId,
        /// The check's name.
        name: String,
        /// The button's identifier, as we gave it.
        action: String,
    },
    /// A branch moved.
    Push {
        /// The branch, without `refs/heads/`.
        branch: String,
        /// Where it was; `None` when it is new.
        before: Option<ObjectId>,
        /// Where it is; `None` when it was deleted.
        after: Option<ObjectId>,
    },
    /// An attempt of a run of a pipeline has ended.
    RunEnded {
        /// The forge's number of the run.
        run: u64,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// A job of a run has ended; this is all that there is to say of it.
    JobEnded(Box<JobRun>),
    /// The repository itself changed.
    Repository(RepositoryChange),
}

/// How a pull changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullChange {
    /// It is new.
    Opened,
    /// It was closed and is open again.
    Reopened,
    /// Its head moved.
    Pushed,
    /// It is no longer a draft.
    Readied,
    /// It has become a draft.
    Drafted,
    /// Its target branch is another one.
    Retargeted,
    /// Its title or description is another one.
    Edited,
    /// A label was put on.
    Labelled(String),
    /// A label was taken off.
    Unlabelled(String),
    /// It was closed without merging.
    Closed,
    /// It was merged.
    Merged,
}

/// How a repository changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryChange {
    /// It has another name.
    Renamed,
    /// It has another owner: suspend it until somebody confirms.
    Transferred,
    /// It is gone.
    Deleted,
    /// It takes no more writes.
    Archived,
    /// It takes writes again.
    Unarchived,
    /// Its description, default branch or visibility is another one.
    Edited,
}

/// What can be reached has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationEvent {
    /// The forge's identifier of the delivery.
    pub delivery: String,
    /// The installation.
    pub installation: InstallationId,
    /// What happened to it.
    pub change: InstallationChange,
}

/// What happened to an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationChange {
    /// It is new and reaches these repositories.
    Created(Vec<RepoId>),
    /// It is gone.
    Deleted,
    /// It gives no access until further notice.
    Suspended,
    /// It gives access again.
    Unsuspended,
    /// Somebody accepted the permissions that we asked for.
    PermissionsAccepted,
    /// More repositories are reached.
    Added(Vec<RepoId>),
    /// Fewer repositories are reached.
    Removed(Vec<RepoId>),
}
