//! What is looked for at start and every hour, because it may have been missed.
//!
//! Three sweeps, each of which can run at any time: deliveries that never
//! arrived, repositories of an installation, and open pulls without a plan. The
//! last one does not rely on deliveries at all.

use anyhow::Context as _;

use super::{Context, take_delivery};
use crate::engine::ids::{ForgeKind, InstallationId, RepoKey};
use crate::forge::PullState;
use crate::store::{
    Cause, NewTask, PullChange, RepositoryChange, RepositoryState, Scope, TaskKind,
};

/// What a start queues: everything below.
pub async fn at_start(context: &Context, forge: ForgeKind) -> anyhow::Result<Vec<NewTask>> {
    let scope = Scope {
        forge,
        installation: None,
        repo: None,
    };
    let mut tasks = vec![NewTask {
        scope,
        kind: TaskKind::RedeliverMissed,
        due: context.now(),
    }];
    for repository in context
        .store
        .repositories(forge)
        .await
        .context("list the repositories")?
    {
        if repository.state == RepositoryState::Active {
            tasks.push(context.task(repository.key, TaskKind::SweepPulls));
        }
    }
    Ok(tasks)
}

/// Asks the forge to send again what never arrived, and reads every installation.
pub async fn redeliver_missed(context: &Context, forge: ForgeKind) -> anyhow::Result<Vec<NewTask>> {
    for delivery in context
        .forge
        .failed_deliveries()
        .await
        .context("list the failed deliveries")?
    {
        match context.forge.redeliver(&delivery).await {
            Ok(()) => {}
            // One that cannot be had again must not keep the others from being asked for.
            Err(fault) if fault.retry_after().is_none() => {
                tracing::warn!(error = fault.to_string(), "a delivery is not sent again");
            }
            Err(fault) => return Err(fault).context("ask for a delivery again"),
        }
    }
    let installations = context
        .forge
        .installations()
        .await
        .context("list the installations")?;
    Ok(installations
        .into_iter()
        .map(|it| take_delivery::sync_installation(context, forge, it))
        .collect())
}

/// Remembers the repositories that an installation gives, and mirrors new ones.
pub async fn sync_installation(
    context: &Context,
    forge: ForgeKind,
    installation: InstallationId,
) -> anyhow::Result<Vec<NewTask>> {
    let mut tasks = Vec::new();
    let found = context
        .forge
        .repositories(installation)
        .await
        .context("list the repositories of an installation")?;
    for repository in found.into_iter().filter(|repository| !repository.archived) {
        let key = RepoKey {
            forge,
            ..repository.key
        };
        let seen = RepositoryChange::Seen {
            full_name: repository.path,
            default_branch: repository.default_branch,
        };
        let record = context
            .store
            .change_repository(key, seen, context.now())
            .await;
        let record = record.context("remember the repository")?;
        if record.is_none_or(|record| record.synced.is_none()) {
            tasks.push(context.task(key, TaskKind::SyncRepo));
        }
    }
    Ok(tasks)
}

/// Queues every open pull whose head has no plan.
pub async fn sweep_pulls(context: &Context, repo: RepoKey) -> anyhow::Result<Vec<NewTask>> {
    let mut tasks = Vec::new();
    for pull in context
        .forge
        .open_pulls(repo)
        .await
        .context("list the open pulls")?
    {
        if pull.state != PullState::Open {
            continue;
        }
        let plan = context
            .store
            .plan_at(repo, pull.number, pull.head)
            .await
            .context("read the plan")?;
        let record = context.store.pull(repo, pull.number).await;
        let target = record.context("read the pull")?.and_then(|it| it.target);
        let settled = target.is_none_or(|target| target == pull.base_ref)
            && plan.is_some_and(|record| super::analyse_pull::rests_on_trees(&record.plan));
        if !settled {
            let seen = PullChange::Seen(pull.head);
            context
                .store
                .change_pull(repo, pull.number, seen, context.now())
                .await
                .context("remember the pull")?;
            let kind = TaskKind::AnalysePull {
                pull: pull.number,
                head: Some(pull.head),
                cause: Cause::Sweep,
            };
            tasks.push(context.task(repo, kind));
        }
    }
    Ok(tasks)
}
