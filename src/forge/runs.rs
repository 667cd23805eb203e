//! What Trimtab asks of a forge about runs of pipelines that have been.
//!
//! Reads only. Lists are asked for by windows of time and page by page, so that whoever
//! reads a long history can stop after any page and go on later. What a run says of
//! itself is a fact; whether anything may be learned from it is for the reader to judge.

use async_trait::async_trait;

use super::ForgeError;
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::ids::{RepoKey, Timestamp};

/// The most runs that a window can give: GitHub lists no more of a search
/// (<https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>).
pub const WINDOW_MAX: u64 = 1_000;

/// A span of time in whole seconds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first second.
    pub from: Timestamp,
    /// Its last second.
    pub to: Timestamp,
}

/// One page of a list of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPage {
    /// The runs, each as its last attempt.
    pub runs: Vec<Attempt>,
    /// How many runs the whole window has, as the forge counts them.
    pub total: u64,
    /// Whether there is another page.
    pub more: bool,
}

/// The part of a forge that tells of past runs.
#[async_trait]
pub trait PastRuns: Send + Sync {
    /// A page, from 1, of the runs that were created in a window and have ended.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/actions/runs?status=completed&created=`](https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository).
    /// GitLab: [`GET /projects/:id/pipelines?scope=finished&updated_after=`](https://docs.gitlab.com/api/pipelines/#list-project-pipelines).
    async fn ended_runs(
        &self,
        repo: RepoKey,
        window: Window,
        page: usize,
    ) -> Result<RunPage, ForgeError>;

    /// One attempt of a run as it is now.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt}`](https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt).
    /// GitLab: [`GET /projects/:id/pipelines/:pipeline_id`](https://docs.gitlab.com/api/pipelines/#get-a-single-pipeline), which has one attempt.
    async fn attempt(&self, repo: RepoKey, run: u64, attempt: u32) -> Result<Attempt, ForgeError>;

    /// The jobs of an attempt that have ended, by number.
    ///
    /// GitHub: [`GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt}/jobs`](https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt).
    /// GitLab: [`GET /projects/:id/pipelines/:pipeline_id/jobs?include_retried=true`](https://docs.gitlab.com/api/jobs/#list-pipeline-jobs).
    async fn jobs(&self, repo: RepoKey, run: u64, attempt: u32) -> Result<Vec<JobRun>, ForgeError>;
}
