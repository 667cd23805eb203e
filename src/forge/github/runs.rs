//! Runs of workflows on GitHub.
//!
//! A run is read when somebody says that they are it; what a payload or a token says of
//! it is never enough. Past runs are read by windows of time, because a search gives a
//! thousand of them and no more.

use super::auth::{Access, Purpose, RepoCall};
use super::client::{PAGE, every_page};
use super::payload::answers::RunAnswer;
use super::payload::runs::{JobShape, JobsAnswer, RunShape, RunsAnswer};
use crate::engine::history::run::{Attempt, JOBS, JobRun};
use crate::engine::ids::RepoKey;
use crate::forge::runs::{RunPage, WINDOW_MAX, Window};
use crate::forge::{ForgeError, Run};

const RUN: &str = "a run";

pub(super) async fn one(access: &Access, repo: RepoKey, number: u64) -> Result<Run, ForgeError> {
    let below = format!("/actions/runs/{number}");
    let call = RepoCall::read(RUN, Purpose::Run, below);
    let answer: RunAnswer = access.repo(repo, call).await?.json()?;
    answer
        .of(repo, number)
        .ok_or(ForgeError::Missing { what: RUN })
}

pub(super) async fn ended(
    access: &Access,
    repo: RepoKey,
    window: Window,
    page: usize,
) -> Result<RunPage, ForgeError> {
    const RUNS: &str = "the runs";
    let (from, to) = (window.from.text(), window.to.text());
    let below =
        format!("/actions/runs?status=completed&created={from}..{to}&per_page={PAGE}&page={page}");
    let call = RepoCall::read(RUNS, Purpose::Run, below);
    let answer: RunsAnswer = access.repo(repo, call).await?.json()?;
    let seen = page.saturating_mul(PAGE);
    let is_full = answer.workflow_runs.len() >= PAGE;
    let runs = answer.workflow_runs.into_iter();
    Ok(RunPage {
        runs: runs.filter_map(|run| run.of(repo)).collect(),
        total: answer.total_count,
        more: is_full && (seen as u64) < answer.total_count.min(WINDOW_MAX),
    })
}

pub(super) async fn attempt(
    access: &Access,
    repo: RepoKey,
    (run, attempt): (u64, u32),
) -> Result<Attempt, ForgeError> {
    let below = format!("/actions/runs/{run}/attempts/{attempt}");
    let call = RepoCall::read(RUN, Purpose::Run, below);
    let answer: RunShape = access.repo(repo, call).await?.json()?;
    let is_it = |found: &Attempt| (found.run, found.attempt) == (run, attempt);
    answer
        .of(repo)
        .filter(is_it)
        .ok_or(ForgeError::Missing { what: RUN })
}

pub(super) async fn jobs(
    access: &Access,
    repo: RepoKey,
    (run, attempt): (u64, u32),
) -> Result<Vec<JobRun>, ForgeError> {
    const WHAT: &str = "the jobs of a run";
    let pages = every_page(WHAT, async |page| {
        let below =
            format!("/actions/runs/{run}/attempts/{attempt}/jobs?per_page={PAGE}&page={page}");
        let call = RepoCall::read(WHAT, Purpose::Run, below);
        Ok(access.repo(repo, call).await?.json::<JobsAnswer>()?.jobs)
    });
    let ended = pages.await?.into_iter().filter_map(JobShape::ended);
    let mut jobs: Vec<JobRun> = ended.filter(|job| job.run == run).collect();
    jobs.sort_by_key(|job| job.id);
    jobs.dedup_by_key(|job| job.id);
    jobs.truncate(JOBS);
    Ok(jobs)
}
