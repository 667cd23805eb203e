//! What must survive a crash, by aggregate.
//!
//! Every method is one atomic unit, and all of it is durable when the method
//! returns `Ok`. After an `Err` it happened as a whole or not at all, so callers
//! try again: every method can be repeated. There are no transactions for callers
//! and no capability flags: what one backend can do, every backend can do, and
//! `store/contract.rs` says it in tests.
//!
//! Nothing here asks a forge, reads a clock or decides what a pull needs: times
//! are handed in, and the law of the queue (when to try again) is `queue.rs`.

use async_trait::async_trait;

use crate::engine::ids::{
    ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey, Timestamp,
};

pub mod record;

mod audit;
mod deliveries;
pub mod embedded;
pub mod fault;
mod flushes;
pub mod history;
mod key;
pub mod keyed;
pub mod memory;
mod pulls;
mod repositories;
pub mod rows;
mod tasks;

#[cfg(test)]
mod contract;

pub use pulls::KEEP_PULLS;
pub use record::{
    AskedIn, AuditEntry, AuditFinding, Backfill, Cause, CommentRef, Delivery, DeliveryId, FINDINGS,
    ForcedJob, Gated, Lane, LastGood, NewTask, PlanRecord, Proposal, Pull, Repository,
    RepositoryState, RunAll, RunAudit, Scope, Synced, Task, TaskId, TaskKind, TaskState, ToldSkip,
    WrittenCheck, WrittenComment, may_be_issued,
};

use std::time::Duration;

/// How long a delivery's name is remembered, so that a replay can only recompute.
/// GitHub redelivers for 3 days, its server edition for 7:
/// <https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>
pub const REMEMBER: Duration = Duration::from_hours(30 * 24);

/// How many heads of a pull are remembered, with their checks and plans.
pub const HEADS_PER_PULL: usize = 20;

/// How many rows one call of [`Store::prune`] takes away at most.
pub const PRUNE_ROWS: usize = 1_000;

/// What the caller can do about a store that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Stop the other process, or reach the store through it.
    #[error("another process uses the store in {0}")]
    InUse(String),
    /// Install a Trimtab that is at least as new as the one that wrote the store.
    #[error(
        "the store has format {}.{}, which this Trimtab (format {}.{}) must not write",
        .found.major, .found.minor, record::FORMAT.major, record::FORMAT.minor
    )]
    Format {
        /// What the store says.
        found: record::Format,
    },
    /// One row does not parse; the rest can be used.
    #[error("the store holds a row that does not parse: {row}")]
    Unreadable {
        /// Which.
        row: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The disk, or the engine below; trying again later may help.
    #[error("the store cannot {what}")]
    Unavailable {
        /// An imperative fragment.
        what: &'static str,
        /// The cause.
        #[source]
        source: anyhow::Error,
    },
}

/// A delivery as it came in.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The forge's name of it.
    pub id: DeliveryId,
    /// To whom it says it belongs.
    pub scope: Scope,
    /// The event's name.
    pub event: String,
    /// The raw body.
    pub body: Vec<u8>,
}

/// What became of a delivery that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is stored, and a [`TaskKind::Deliver`] is queued.
    New,
    /// It was known and is not done; its task is live (again).
    Again,
    /// It was done before; nothing happens.
    Done,
}

/// What became of a task that was to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queued {
    /// It stands in the queue.
    New(TaskId),
    /// A waiting task with the same key took its place and its content.
    Joined(TaskId),
}

/// The right to work on a task for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The task, as it was when it was claimed.
    pub task: Task,
    /// Which claim this is.
    pub number: u64,
    /// Until when nobody else may claim it.
    pub until: Timestamp,
}

/// What a claim brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Work.
    Leased(Box<Lease>),
    /// Nothing now; the next moment at which a claim can succeed without
    /// anything being queued or settled before, if there is one.
    Idle(Option<Timestamp>),
}

/// Whether a lease still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It does, until the given moment.
    Held(Timestamp),
    /// It does, and a newer task makes its result useless: stop.
    Superseded(Timestamp),
    /// Somebody else has claimed or settled the task: stop, and write nothing.
    Lost,
}

/// What happens to a task that was not completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again at this moment; counts as an attempt.
    RetryAt {
        /// When.
        due: Timestamp,
        /// The forge asked for the wait: a joining task must honour it too.
        asked: bool,
    },
    /// It goes back as it was, due at once: the worker drains.
    Release,
    /// It has nothing to do before this moment and did nothing wrong; not an attempt.
    Postpone(Timestamp),
    /// It becomes a dead letter.
    Bury,
}

/// Whether the holder of a lease was still entitled to settle its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It was, and it is done.
    Yes,
    /// The lease had been lost; nothing was changed.
    Lost,
}

/// Which tasks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskFilter {
    /// Those that wait or are worked on.
    Live,
    /// The dead letters.
    Dead,
}

/// What happened to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryChange {
    /// It was seen with this name; it is active, and its record is made if need
    /// be. The same repository under another installation is marked as removed.
    Seen {
        /// `owner/name`
        full_name: String,
        /// The default branch.
        default_branch: String,
    },
    /// A maintainer paused it.
    Paused,
    /// A maintainer resumed it.
    Resumed,
    /// Its installation was suspended.
    Suspended,
    /// It was taken away.
    Removed,
    /// The operator set how far it may go.
    ModeSet(Mode),
    /// A configuration without faults came into force; `None` when there is no file.
    PolicyAccepted(Option<LastGood>),
    /// Mirror and facts reached this tip.
    Synced(ObjectId),
    /// A rewrite of its pipelines was looked at, or proposed.
    Proposed(Box<Proposal>),
}

/// What happened to a whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationChange {
    /// All its repositories become suspended.
    Suspended,
    /// All its suspended repositories become active.
    Unsuspended,
    /// All its repositories are removed.
    Removed,
}

/// What happened to a pull. The record is made if need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullChange {
    /// It is open with this head; what was bound to another head is dropped.
    Seen(ObjectId),
    /// It was read from the forge: the same, and more.
    Read {
        /// The head.
        head: ObjectId,
        /// The target branch.
        target: String,
        /// A label makes everything run.
        barred: bool,
    },
    /// Something outside of it changed that its plans rest on: none of them speaks for it.
    Outdated,
    /// It was merged or closed.
    Closed,
    /// A plan was made; it is kept beside the record.
    Planned(Box<NewPlan>),
    /// A check was created or rewritten.
    CheckWritten(WrittenCheck),
    /// The comment was created or edited.
    Commented {
        /// The forge's number of it.
        id: u64,
        /// The hash of its body.
        hash: String,
    },
    /// The comment is gone from the forge.
    CommentLost,
    /// The author folded the comment.
    Quieted,
    /// Somebody paused the pull.
    Paused,
    /// Somebody resumed the pull.
    Resumed,
    /// Somebody asked for everything; see [`RunAll`].
    RunAll(RunAll),
    /// Somebody asked for a job.
    JobForced(ForcedJob),
    /// A maintainer said to skip a job.
    Told(ToldSkip),
}

use crate::engine::plan::{Mode, Plan};

/// A plan as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPlan {
    /// The plan.
    pub plan: Plan,
    /// The revision of the pull that it was made from.
    pub revision: u64,
    /// The gated workflows.
    pub gated: Vec<Gated>,
    /// Why its mode is less than the configuration says, in our words.
    pub note: Option<String>,
}

impl From<Plan> for NewPlan {
    /// A plan of nothing gated, for the first revision.
    fn from(plan: Plan) -> Self {
        Self {
            plan,
            revision: 0,
            gated: Vec::new(),
            note: None,
        }
    }
}

/// Which lines of the audit log are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of which repository.
    pub repo: RepoKey,
    /// How many at most, the newest first.
    pub limit: usize,
}

/// The durable memory of the bot.
#[async_trait]
pub trait Store: history::JobHistory {
    /// Stores a delivery and queues its task, once per (forge, id).
    async fn accept(&self, delivery: NewDelivery, now: Timestamp) -> Result<Accepted, StoreError>;

    /// A delivery and its body; the body is empty once it is done.
    async fn delivery(
        &self,
        forge: ForgeKind,
        id: &DeliveryId,
    ) -> Result<Option<(Delivery, Vec<u8>)>, StoreError>;

    /// Queues tasks, all or none, in their order.
    async fn enqueue(&self, tasks: Vec<NewTask>, now: Timestamp)
    -> Result<Vec<Queued>, StoreError>;

    /// Takes the next due task of a lane for `length`: those that do not yield
    /// first, then by due time. Tasks whose serial key is being worked on wait.
    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        length: Duration,
    ) -> Result<Claim, StoreError>;

    /// Prolongs a lease to `length` from now.
    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        length: Duration,
    ) -> Result<Renewal, StoreError>;

    /// Removes a finished task and queues what follows from it. A finished
    /// [`TaskKind::Deliver`] marks its delivery as done and drops the body.
    async fn complete(
        &self,
        lease: &Lease,
        then: Vec<NewTask>,
        now: Timestamp,
    ) -> Result<Settled, StoreError>;

    /// Puts a task back or buries it, with the cause. A task for which a newer
    /// one with the same key waits is dropped instead.
    async fn fail(
        &self,
        lease: &Lease,
        next: Next,
        cause: &str,
        now: Timestamp,
    ) -> Result<Settled, StoreError>;

    /// Up to `limit` tasks, the oldest first.
    async fn tasks(&self, filter: TaskFilter, limit: usize) -> Result<Vec<Task>, StoreError>;

    /// Makes a waiting or dead task due now, with its attempts forgotten; false
    /// when there is no such task or somebody works on it.
    async fn retry_task(&self, id: TaskId, now: Timestamp) -> Result<bool, StoreError>;

    /// Makes a waiting task a dead letter; false as above.
    async fn bury_task(&self, id: TaskId, now: Timestamp) -> Result<bool, StoreError>;

    /// What is known of a repository under exactly this installation.
    async fn repository(&self, key: RepoKey) -> Result<Option<Repository>, StoreError>;

    /// What is known of a repository under the installation that it was last seen under.
    async fn repository_numbered(
        &self,
        forge: ForgeKind,
        repo: RepoId,
    ) -> Result<Option<Repository>, StoreError>;

    /// Every repository of a forge that was ever seen, by key.
    async fn repositories(&self, forge: ForgeKind) -> Result<Vec<Repository>, StoreError>;

    /// Records what happened to a repository; `None` when it was never seen.
    async fn change_repository(
        &self,
        key: RepoKey,
        change: RepositoryChange,
        now: Timestamp,
    ) -> Result<Option<Repository>, StoreError>;

    /// Records what happened to an installation; returns its repositories.
    async fn change_installation(
        &self,
        forge: ForgeKind,
        installation: InstallationId,
        change: InstallationChange,
        now: Timestamp,
    ) -> Result<Vec<Repository>, StoreError>;

    /// What is remembered of a pull.
    async fn pull(&self, repo: RepoKey, number: PullNumber) -> Result<Option<Pull>, StoreError>;

    /// The open pulls of a repository that were seen, by number.
    async fn open_pulls(&self, repo: RepoKey) -> Result<Vec<Pull>, StoreError>;

    /// The pulls that were seen with this head, by number. Events of forks name
    /// only the commit, and two pulls may share one.
    async fn pulls_at(&self, repo: RepoKey, head: ObjectId) -> Result<Vec<PullNumber>, StoreError>;

    /// The pulls that were seen with this head in any repository of a forge: for a
    /// link that names the commit alone.
    async fn pulls_of_head(
        &self,
        forge: ForgeKind,
        head: ObjectId,
    ) -> Result<Vec<Pull>, StoreError>;

    /// Records what happened to a pull; returns the record after it.
    async fn change_pull(
        &self,
        repo: RepoKey,
        number: PullNumber,
        change: PullChange,
        now: Timestamp,
    ) -> Result<Pull, StoreError>;

    /// The plan of a pull at a head: the last one made for it.
    async fn plan_at(
        &self,
        repo: RepoKey,
        number: PullNumber,
        head: ObjectId,
    ) -> Result<Option<PlanRecord>, StoreError>;

    /// Appends to the audit log; false when that act was there already.
    async fn append_audit(&self, entry: AuditEntry) -> Result<bool, StoreError>;

    /// The line of the audit log about one act.
    async fn act(&self, scope: Scope, id: &str) -> Result<Option<AuditEntry>, StoreError>;

    /// Lines of the audit log, the newest first.
    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError>;

    /// The key under which lots are drawn; `fresh` becomes it when there is none yet.
    async fn lots_key(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;

    /// Forgets deliveries and dead letters that are older than [`REMEMBER`], runs and what
    /// they came to after [`history::KEEP_RUNS`], and closed pulls after [`KEEP_PULLS`], up
    /// to [`PRUNE_ROWS`] of them; returns how many. Call again until it is 0.
    async fn prune(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Writes and flushes one row: whether the store works, for `/readyz`.
    async fn probe(&self, now: Timestamp) -> Result<(), StoreError>;

    /// The queue and the deliveries that are not done, as text, one line each.
    async fn dump(&self) -> Result<String, StoreError>;
}
