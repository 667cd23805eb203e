//! Keeps what a run of a pipeline tells, once an attempt of it has ended.
//!
//! The event names the attempt and nothing else is taken from it: the attempt and its
//! jobs are read from the forge, also those whose own events never came. An attempt that
//! was kept before is read again and changes nothing. Then it is judged by its plan.

use anyhow::Context as _;

use super::{Context, audit_run};
use crate::engine::ids::RepoKey;
use crate::forge::ForgeError;
use crate::store::{NewTask, Repository, RepositoryState};

/// Reads one attempt of a run and keeps it.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    (run, number): (u64, u32),
) -> anyhow::Result<Vec<NewTask>> {
    let repository = context.store.repository(repo).await;
    let repository = repository.context("read the repository")?;
    let is_active = |it: &Repository| it.state == RepositoryState::Active;
    let Some(repository) = repository.filter(is_active) else {
        return Ok(Vec::new());
    };
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
    let (kept, told) = (attempt.clone(), jobs.clone());
    let recorded = context.store.record_attempt(repo, kept, told, now);
    recorded.await.context("keep the run")?;
    audit_run::run(context, &repository, (&attempt, &jobs)).await
}
