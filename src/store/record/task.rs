//! What the queue holds: tasks, their kinds and their states.
//!
//! Two tasks with one [`TaskKind::key`] in one scope ask for the same thing, so the
//! queue keeps one of them. Two tasks with one [`TaskKind::serial`] touch the same
//! thing, so they never run at once.
//!
//! A kind says what is to be done and never holds what the forge can be asked for
//! again: deliveries come late and out of order.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DeliveryId, Scope};
use crate::engine::ids::{ObjectId, PullNumber, Timestamp};

/// The number of a task; it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which workers take a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Somebody waits for it: deliveries, plans, answers, comments.
    Plan,
    /// Nobody waits for it: mirrors, onboarding, sweeps.
    Background,
}

impl Lane {
    /// Both, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Plan, Self::Background];

    /// The word in metrics, logs and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Background => "background",
        }
    }
}

/// Why a pull is analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It was opened, reopened, pushed to, retargeted, labelled or made ready.
    Event,
    /// Somebody asked by command, check or page.
    Asked,
    /// Something that the plan rests on changed: the base, the configuration.
    Refresh,
    /// The sweep at start found no plan for its head.
    Sweep,
}

/// What is to be done. Kinds and fields are added, never renamed or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TaskKind {
    /// Read an accepted delivery and queue what follows from it. Completing this
    /// task marks the delivery as done.
    Deliver {
        /// Which.
        delivery: DeliveryId,
    },
    /// Make the plan of a pull and write the machine check. A newer head
    /// supersedes an older one.
    AnalysePull {
        /// Which pull.
        pull: PullNumber,
        /// The head, where the event named it.
        head: Option<ObjectId>,
        /// Why.
        cause: Cause,
    },
    /// Bring the comment and the check for people up to date.
    ReportPull {
        /// Which pull.
        pull: PullNumber,
    },
    /// Answer one command.
    AnswerCommand {
        /// On which pull.
        pull: PullNumber,
        /// Where it stands.
        comment: CommentRef,
        /// Who wrote it.
        author: String,
        /// Its first line.
        line: String,
        /// The head at that time, where the event named it.
        head: Option<ObjectId>,
    },
    /// Bring mirror and facts of the default branch up to date.
    SyncRepo,
    /// Queue every open pull whose head has no plan.
    SweepPulls,
    /// Empty what was published of a repository's plans, then have them made again.
    WithdrawPlans,
    /// Keep what an attempt of a run tells, now that it has ended.
    IngestRun {
        /// The forge's number of the run.
        run: u64,
        /// Which attempt.
        attempt: u32,
    },
    /// Read the runs of the past, as far as somebody asked.
    Backfill,
    /// Propose the rewrite of the pipelines of the default branch.
    ProposeRewrite {
        /// The command that asked for it; `None` when a pipeline changed.
        asked: Option<AskedIn>,
    },
    /// Read which repositories an installation gives.
    SyncInstallation,
    /// Ask the forge to send again what never arrived.
    RedeliverMissed,
}

/// The command that asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AskedIn {
    /// On which pull.
    pub pull: PullNumber,
    /// Where it stands.
    pub comment: CommentRef,
}

/// Where a command stands on the forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "on", content = "id", rename_all = "kebab-case")]
pub enum CommentRef {
    /// A comment in the conversation.
    Comment(u64),
    /// The body of a review.
    Review(u64),
}

impl fmt::Display for CommentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(id) => write!(f, "comment/{id}"),
            Self::Review(id) => write!(f, "review/{id}"),
        }
    }
}

impl TaskKind {
    /// The word in metrics, logs and lists.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Deliver { .. } => "deliver",
            Self::AnalysePull { .. } => "analyse-pull",
            Self::ReportPull { .. } => "report-pull",
            Self::AnswerCommand { .. } => "answer-command",
            Self::SyncRepo => "sync-repo",
            Self::SweepPulls => "sweep-pulls",
            Self::WithdrawPlans => "withdraw-plans",
            Self::IngestRun { .. } => "ingest-run",
            Self::Backfill => "backfill",
            Self::ProposeRewrite { .. } => "propose-rewrite",
            Self::SyncInstallation => "sync-installation",
            Self::RedeliverMissed => "redeliver-missed",
        }
    }

    /// Which workers take it.
    pub fn lane(&self) -> Lane {
        match self {
            Self::Deliver { .. }
            | Self::AnalysePull { .. }
            | Self::ReportPull { .. }
            | Self::AnswerCommand { .. }
            | Self::ProposeRewrite { asked: Some(_) }
            | Self::WithdrawPlans => Lane::Plan,
            Self::SyncRepo
            | Self::SweepPulls
            | Self::IngestRun { .. }
            | Self::Backfill
            | Self::ProposeRewrite { asked: None }
            | Self::SyncInstallation
            | Self::RedeliverMissed => Lane::Background,
        }
    }

    /// Whether it may be taken only when nothing else in its lane is due: a
    /// comment waits, a machine check never does.
    pub fn yields(&self) -> bool {
        matches!(self, Self::ReportPull { .. })
    }

    /// The pull that it works on.
    pub fn pull(&self) -> Option<PullNumber> {
        match self {
            Self::AnalysePull { pull, .. }
            | Self::ReportPull { pull }
            | Self::AnswerCommand { pull, .. } => Some(*pull),
            Self::Deliver { .. }
            | Self::SyncRepo
            | Self::SweepPulls
            | Self::WithdrawPlans
            | Self::IngestRun { .. }
            | Self::Backfill
            | Self::ProposeRewrite { .. }
            | Self::SyncInstallation
            | Self::RedeliverMissed => None,
        }
    }

    /// Two waiting tasks with this key ask for the same thing.
    pub fn key(&self, scope: &Scope) -> String {
        let name = self.as_str();
        match self {
            // The delivery's name is unique on its forge, whatever repository it is said to be about.
            Self::Deliver { delivery } => format!("{name} {} {delivery}", scope.forge.as_str()),
            Self::AnalysePull { pull, .. } | Self::ReportPull { pull } => {
                format!("{name} {scope}#{pull}")
            }
            Self::AnswerCommand { pull, comment, .. } => {
                format!("{name} {scope}#{pull} {comment}")
            }
            Self::IngestRun { run, attempt } => format!("{name} {scope} {run}/{attempt}"),
            Self::ProposeRewrite {
                asked: Some(AskedIn { pull, comment }),
            } => format!("{name} {scope}#{pull} {comment}"),
            Self::SyncRepo
            | Self::SweepPulls
            | Self::WithdrawPlans
            | Self::Backfill
            | Self::ProposeRewrite { asked: None }
            | Self::SyncInstallation
            | Self::RedeliverMissed => format!("{name} {scope}"),
        }
    }

    /// Two tasks with this key never run at once.
    pub fn serial(&self, scope: &Scope) -> String {
        match self.pull() {
            Some(pull) => format!("{scope}#{pull}"),
            // Whoever asks, there is one branch.
            None if matches!(self, Self::ProposeRewrite { .. }) => {
                format!("{} {scope}", self.as_str())
            }
            None => self.key(scope),
        }
    }

    /// Whether `newer`, which has the same key, makes this one's result useless.
    pub fn superseded_by(&self, newer: &Self) -> bool {
        match (self, newer) {
            (Self::AnalysePull { head: old, .. }, Self::AnalysePull { head: new, .. }) => {
                new.is_some() && old != new
            }
            _ => false,
        }
    }
}

/// A task that is not queued yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// To whom it belongs.
    pub scope: Scope,
    /// What is to be done.
    pub kind: TaskKind,
    /// Not before this moment.
    pub due: Timestamp,
}

/// A task in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// To whom it belongs.
    pub scope: Scope,
    /// What is to be done.
    pub task: TaskKind,
    /// Where it stands.
    pub state: TaskState,
    /// How many times it has been tried and has failed.
    pub attempt: u32,
    /// When it was first queued.
    pub queued: Timestamp,
    /// Not before this moment, because the forge asked to wait.
    pub held_until: Timestamp,
    /// Why it failed last.
    pub fault: Option<String>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum TaskState {
    /// Nobody works on it.
    Waiting {
        /// Not before this moment.
        due: Timestamp,
    },
    /// Somebody works on it.
    Leased {
        /// Which claim; a later claim has a later number.
        lease: u64,
        /// It may be claimed again after this moment.
        until: Timestamp,
        /// A newer task makes its result useless.
        superseded: bool,
    },
    /// It failed too often, or somebody buried it: a dead letter.
    Dead {
        /// When.
        at: Timestamp,
    },
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            scope,
            task,
            state,
            attempt,
            queued: _,
            held_until: _,
            fault,
        } = self;
        write!(f, "{id} {} {} {scope}", task.lane().as_str(), task.as_str())?;
        match task {
            TaskKind::Deliver { delivery } => write!(f, " {delivery}")?,
            TaskKind::AnalysePull { pull, head, .. } => {
                write!(f, "#{pull}")?;
                if let Some(head) = head {
                    write!(f, "@{}", head.short())?;
                }
            }
            TaskKind::ReportPull { pull } => write!(f, "#{pull}")?,
            TaskKind::AnswerCommand { pull, comment, .. } => write!(f, "#{pull} {comment}")?,
            TaskKind::IngestRun { run, attempt } => write!(f, " {run}/{attempt}")?,
            TaskKind::ProposeRewrite { asked: Some(asked) } => {
                write!(f, "#{} {}", asked.pull, asked.comment)?;
            }
            TaskKind::SyncRepo
            | TaskKind::SweepPulls
            | TaskKind::WithdrawPlans
            | TaskKind::Backfill
            | TaskKind::ProposeRewrite { asked: None }
            | TaskKind::SyncInstallation
            | TaskKind::RedeliverMissed => {}
        }
        match state {
            TaskState::Waiting { due } => write!(f, " waiting due={due}")?,
            TaskState::Leased {
                until, superseded, ..
            } => {
                write!(f, " leased until={until}")?;
                if *superseded {
                    f.write_str(" superseded")?;
                }
            }
            TaskState::Dead { at } => write!(f, " dead at={at}")?,
        }
        write!(f, " attempt={attempt}")?;
        match fault {
            Some(fault) => write!(f, " fault={fault:?}"),
            None => Ok(()),
        }
    }
}
