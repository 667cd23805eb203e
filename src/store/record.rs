//! What is stored, in shapes that outlive the binary that wrote them.
//!
//! A store carries one [`Format`]. Fields are added with a default and raise the
//! minor number; anything else raises the major number and needs a migration. A
//! store that a newer Trimtab wrote is refused, because writing a row back would
//! drop what the newer one knows, such as "run everything on this pull".
//!
//! Every record says which forge, installation and repository it belongs to.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::ids::{
    ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey, Timestamp,
};
use crate::engine::plan::{Mode, Plan};

mod run;
mod task;

pub use run::{
    AttemptRecord, AuditFinding, Backfill, FINDINGS, JobRecord, RunAudit, TimesRecord,
    may_be_issued,
};
pub use task::{AskedIn, Cause, CommentRef, Lane, NewTask, Task, TaskId, TaskKind, TaskState};

/// The version of everything below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Raised when an older binary would misread a row.
    pub major: u32,
    /// Raised when a field or a variant is added.
    pub minor: u32,
}

/// What this binary writes.
pub const FORMAT: Format = Format { major: 1, minor: 5 };

/// What to do with a store of some format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is read and written as it stands.
    Same,
    /// It is read and written, and its number is raised.
    Raise,
    /// A newer Trimtab wrote it, or one so old that no migration is left.
    Refuse,
}

impl Format {
    /// What a binary of this format does with a store of format `found`.
    pub fn fit(self, found: Self) -> Fit {
        if found == self {
            Fit::Same
        } else if found.major == self.major && found.minor < self.minor {
            Fit::Raise
        } else {
            Fit::Refuse
        }
    }
}

/// A record and the bytes of its row.
pub(super) trait Stored: Sized {
    fn encode(&self) -> Result<Vec<u8>, serde_json::Error>;
    fn decode(row: &[u8]) -> Result<Self, serde_json::Error>;
}

impl<T: Serialize + DeserializeOwned> Stored for T {
    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn decode(row: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(row)
    }
}

/// To whom a delivery or a task belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The forge.
    pub forge: ForgeKind,
    /// The installation; `None` for what concerns the whole app.
    pub installation: Option<InstallationId>,
    /// The repository; `None` for what concerns a whole installation.
    pub repo: Option<RepoId>,
}

impl Scope {
    /// The repository, when the scope is exactly one.
    pub fn repo_key(&self) -> Option<RepoKey> {
        Some(RepoKey {
            forge: self.forge,
            installation: self.installation?,
            repo: self.repo?,
        })
    }
}

impl From<RepoKey> for Scope {
    fn from(key: RepoKey) -> Self {
        Self {
            forge: key.forge,
            installation: Some(key.installation),
            repo: Some(key.repo),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.forge.as_str())?;
        match self.installation {
            Some(installation) => write!(f, "/{installation}")?,
            None => f.write_str("/-")?,
        }
        match self.repo {
            Some(repo) => write!(f, "/{repo}"),
            None => f.write_str("/-"),
        }
    }
}

/// The forge's name of one delivery of a hook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(String);

impl DeliveryId {
    /// Takes 1 to 128 printable ASCII characters; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The text as the forge sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A delivery, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The forge's name of it; a redelivery carries the same.
    pub id: DeliveryId,
    /// To whom it belongs.
    pub scope: Scope,
    /// The event's name, as the header says it.
    pub event: String,
    /// When it was first accepted.
    pub received: Timestamp,
    /// When everything that follows from it was queued; `None` until then.
    pub done: Option<Timestamp>,
    /// How many bytes of body are kept; 0 once it is done.
    pub body_bytes: u64,
}

/// What is known of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// Who it is.
    pub key: RepoKey,
    /// `owner/name`, as last seen.
    pub full_name: String,
    /// The default branch, as last seen.
    pub default_branch: String,
    /// Whether it can be reached.
    pub state: RepositoryState,
    /// A maintainer paused it: everything runs.
    pub paused: bool,
    /// The mode that the operator has set; `None` when they never did.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// The last configuration without faults.
    pub policy: Option<LastGood>,
    /// The last mirrored tip of the default branch.
    pub synced: Option<Synced>,
    /// What was proposed of rewriting its pipelines; `None` when nothing was, and no
    /// pipeline is rewritten.
    #[serde(default)]
    pub proposal: Option<Proposal>,
    /// When this record last changed.
    pub changed: Timestamp,
}

/// Whether a repository can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepositoryState {
    /// The app may work on it.
    Active,
    /// The installation is suspended; it may come back.
    Suspended,
    /// It was taken from the installation, deleted or moved to another one.
    Removed,
}

/// A configuration without faults, to stay in force while a newer one has some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood {
    /// The commit that it was read from.
    pub commit: ObjectId,
    /// The file, word for word.
    pub text: String,
}

/// A mirrored tip whose facts are warm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synced {
    /// The commit.
    pub tip: ObjectId,
    /// When it was reached.
    pub at: Timestamp,
}

/// A proposal to rewrite the pipelines of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Proposal {
    /// The hash of the pipeline files that were last looked at.
    pub seen: String,
    /// The hashes of what the bot has put on its branch, or was about to; the newest last.
    pub contents: Vec<String>,
    /// The bot made the branch.
    pub made: bool,
    /// The pull that it opened last.
    pub pull: Option<PullNumber>,
    /// The hash of what that pull says.
    pub described: String,
    /// The pipeline files that held a rewrite when they were last looked at.
    #[serde(default)]
    pub rewritten: Vec<String>,
    /// Those from which people took it.
    #[serde(default)]
    pub undone: Vec<String>,
}

/// What is remembered of a pull.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each was said by itself, and none follows from another"
)]
pub struct Pull {
    /// Its repository.
    pub repo: RepoKey,
    /// Its number.
    pub number: PullNumber,
    /// Whether it is open.
    pub open: bool,
    /// The head as last seen; `None` before the first event that names one.
    pub head: Option<ObjectId>,
    /// The target branch as last read; `None` before that.
    #[serde(default)]
    pub target: Option<String>,
    /// When the head was first seen here; `None` in records of before 0.2.
    #[serde(default)]
    pub head_since: Option<Timestamp>,
    /// The target is another than when this head was first read: what was skipped on the
    /// head may have been compared with another branch.
    #[serde(default)]
    pub retargeted: bool,
    /// A label made everything run when the pull was last read.
    #[serde(default)]
    pub barred: bool,
    /// Grows whenever something changes that a plan rests on, of what stands here.
    #[serde(default)]
    pub revision: u64,
    /// The last heads that were seen or planned, the newest last; their plans are kept.
    pub heads: Vec<ObjectId>,
    /// The head of the last plan.
    pub planned: Option<ObjectId>,
    /// The checks that were written, for the last heads, oldest first.
    pub checks: Vec<WrittenCheck>,
    /// The comment that is kept up to date.
    pub comment: Option<WrittenComment>,
    /// The author folded the comment to one line.
    pub quiet: bool,
    /// Somebody paused the pull: everything runs.
    pub paused: bool,
    /// Whether somebody asked for everything.
    pub run_all: RunAll,
    /// Jobs that somebody asked for, each bound to the head at that time.
    pub forced: Vec<ForcedJob>,
    /// Jobs that a maintainer said to skip, each bound to the head at that time.
    #[serde(default)]
    pub told: Vec<ToldSkip>,
    /// When this record last changed.
    pub changed: Timestamp,
}

/// Whether somebody asked for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunAll {
    /// Nobody did.
    #[default]
    No,
    /// On this head; it dies with the next push.
    Head(ObjectId),
    /// For the rest of the pull's life.
    Always,
}

/// A check that stands on the forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenCheck {
    /// The commit that it stands on.
    pub head: ObjectId,
    /// Its name: `trimtab` or `trimtab/plan`.
    pub name: String,
    /// The forge's number of it.
    pub id: u64,
    /// The hash of what was written last; empty while it is not known whether a write
    /// took place.
    pub hash: String,
    /// Whether it may hold a plan line that skips jobs.
    #[serde(default)]
    pub skips: bool,
}

/// A comment that stands on the forge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenComment {
    /// The forge's number of it.
    pub id: u64,
    /// The hash of the body written last; equal means that nothing is written.
    pub hash: String,
    /// When it was last written.
    pub at: Timestamp,
}

/// A job that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForcedJob {
    /// The head at that time.
    pub head: ObjectId,
    /// The job's id or glob, as the person wrote it.
    pub job: String,
}

/// A job that a maintainer said to skip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToldSkip {
    /// The head at that time.
    pub head: ObjectId,
    /// The job's id, as the person wrote it.
    pub job: String,
    /// The person's login.
    pub by: String,
    /// Their reason; foreign text.
    pub reason: String,
}

/// A plan and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Its repository.
    pub repo: RepoKey,
    /// Its pull.
    pub number: PullNumber,
    /// When it was made.
    pub at: Timestamp,
    /// The plan.
    pub plan: Plan,
    /// The revision of the pull that it was made from: it speaks for no other.
    #[serde(default)]
    pub revision: u64,
    /// The gated workflows.
    #[serde(default)]
    pub gated: Vec<Gated>,
    /// The last second, since 1970, at which its published lines hold.
    #[serde(default)]
    pub not_after: u64,
    /// Why its mode is less than the configuration says, in our words.
    #[serde(default)]
    pub note: Option<String>,
    /// What earlier plans for this head may have let runs skip: a run keeps the line that
    /// it was given.
    #[serde(default)]
    pub issued: Vec<Gated>,
}

/// A gated workflow, and what the plan lets it skip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gated {
    /// Its path.
    pub workflow: String,
    /// Its key.
    pub key: String,
    /// The jobs, descendants first.
    pub skip: Vec<String>,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Names the act, such as `comment/123`; the same act is written once.
    pub id: String,
    /// To whom it belongs.
    pub scope: Scope,
    /// The pull, when it concerns one.
    pub pull: Option<PullNumber>,
    /// The head at that time.
    pub head: Option<ObjectId>,
    /// The login of who did it; `trimtab` for the bot's own acts.
    pub actor: String,
    /// What was done, in the words of the command.
    pub act: String,
    /// What came of it: `done`, `refused: ...`.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
