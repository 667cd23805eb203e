//! What is stored of runs that have been: attempts, jobs, durations, and how far a
//! backfill has come.
//!
//! The facts themselves are the engine's; each row adds whose they are.

use serde::{Deserialize, Serialize};

use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::history::times::Times;
use crate::engine::ids::{RepoKey, Timestamp};

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
