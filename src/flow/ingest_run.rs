//! Keeps what a run of a pipeline tells, once an attempt of it has ended.
//!
//! The event names the attempt and nothing else is taken from it: the attempt and its
//! jobs are read from the forge, also those whose own events never came. An attempt that
//! was kept before is read again and changes nothing.

use anyhow::Context as _;

use super::Context;
use crate::engine::ids::RepoKey;
use crate::forge::ForgeError;
use crate::store::{NewTask, RepositoryState};

/// Reads one attempt of a run and keeps it.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    (run, number): (u64, u32),
) -> anyhow::Result<Vec<NewTask>> {
    let repository = context.store.repository(repo).await;
    let repository = repository.context("read the repository")?;
    if repository.is_none_or(|it| it.state != RepositoryState::Active) {
        return Ok(Vec::new());
    }
    let attempt = match context.forge.attempt(repo, run, number).await {
        // Somebody deleted the run meanwhile.
        Err(ForgeError::Missing { .. }) => return Ok(Vec::new()),
        other => other.context("read the run")?,
    };
    anyhow::ensure!(
        attempt.conclusion.is_some(),
        "the attempt is not over, though its end was announced"
    );
    let jobs = context.forge.jobs(repo, run, number).await;
    let jobs = jobs.context("read the jobs of the run")?;
    let now = context.now();
    let recorded = context.store.record_attempt(repo, attempt, jobs, now);
    recorded.await.context("keep the run")?;
    Ok(Vec::new())
}
