//! What is stored of runs that have been: attempts, jobs, durations, and how far a
//! backfill has come.
//!
//! The facts themselves are the engine's; each row adds whose they are.

use serde::{Deserialize, Serialize};

use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::history::times::Times;
use crate::engine::ids::{ObjectId, PullNumber, RepoKey, Timestamp};
use crate::engine::plan::Mode;

use super::PlanRecord;

/// An attempt of a run that has ended, all of whose jobs were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Its repository.
    pub repo: RepoKey,
    /// The attempt.
    pub attempt: Attempt,
    /// When it was first kept.
    pub at: Timestamp,
}

/// A job that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its repository.
    pub repo: RepoKey,
    /// The job.
    pub job: JobRun,
}

/// How long the jobs of one pipeline took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimesRecord {
    /// Its repository.
    pub repo: RepoKey,
    /// The pipeline's path.
    pub pipeline: String,
    /// The durations.
    pub times: Times,
}

/// How far the history of a repository was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// Its repository.
    pub repo: RepoKey,
    /// Back to this moment.
    pub since: Timestamp,
    /// When it was asked for; later runs were not looked for.
    pub begun: Timestamp,
    /// Everything that was created after this moment, up to `begun`, has been read.
    pub reached: Timestamp,
    /// How many attempts were read.
    pub attempts: u64,
    /// How many jobs.
    pub jobs: u64,
    /// Nothing is left to read.
    pub done: bool,
}

/// The most findings that are kept of one attempt.
pub const FINDINGS: usize = 100;

/// What an attempt of a gated workflow came to. Written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAudit {
    /// Its repository.
    pub repo: RepoKey,
    /// The run.
    pub run: u64,
    /// The attempt.
    pub attempt: u32,
    /// The pull.
    pub pull: PullNumber,
    /// Its head.
    pub head: ObjectId,
    /// The pipeline's path.
    pub pipeline: String,
    /// The target branch for which it ran; `None` where the pull has changed it.
    #[serde(default)]
    pub target: Option<String>,
    /// The base of the merge that ran; `None` while that is not known.
    pub base: Option<ObjectId>,
    /// When it was judged.
    pub at: Timestamp,
    /// What was found, at most [`FINDINGS`].
    pub findings: Vec<AuditFinding>,
    /// The jobs that were skipped as a plan said.
    pub skipped: Vec<String>,
    /// The gated jobs that ran.
    pub ran: Vec<String>,
    /// Seconds of runners that the skipped jobs would have taken.
    pub saved: u64,
    /// How many of them have no duration, and count nothing.
    pub unknown: u32,
    /// Seconds of runners that the plan job took.
    pub cost: u64,
}

/// Something that was found of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// The kind, as the engine names it.
    pub kind: String,
    /// Whether the bot's check fails for it.
    pub fails: bool,
    /// The job's id in the file.
    pub job: String,
    /// The file or path that it is about.
    pub path: String,
    /// The line, from 1; 0 when the path as a whole is meant.
    pub line: u32,
    /// One sentence.
    pub words: String,
}

impl AuditFinding {
    /// The place, as people write it.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.path.clone(),
            line => format!("{}:{line}", self.path),
        }
    }
}

/// Whether the lines of a plan may have reached a run.
pub fn may_be_issued(plan: &PlanRecord) -> bool {
    plan.plan.mode == Mode::Enforce && plan.plan.run_everything.is_empty()
}
