//! What an operator allows a repository to do.
//!
//! Skipping jobs needs two: the configuration of the repository, and the operator of the
//! server, who says that they have read the evidence. Allowing less takes effect before
//! anything else: what is published is emptied.

use std::time::Duration;

use anyhow::Context as _;

use super::tend_tasks::Acted;
use crate::engine::ids::{ForgeKind, Timestamp};
use crate::engine::plan::Mode;
use crate::store::{
    AuditEntry, NewTask, Repository, RepositoryChange, RepositoryState, Scope, Store, TaskKind,
};

/// Who stands in the audit log for an act on the server's machine.
const OPERATOR: &str = "the operator";

/// How long setting a mode may take.
const MOMENT: Duration = Duration::from_secs(10);

/// Sets the mode of the repository `path`, which is `owner/name`.
pub async fn run(
    store: &dyn Store,
    (path, mode): (&str, Mode),
    now: Timestamp,
) -> anyhow::Result<Acted> {
    let Some(repository) = named(store, path).await? else {
        return Ok(Acted::Refused(unknown(path)));
    };
    let key = repository.key;
    // Queued before, so that a crash leaves nothing published for longer than a moment,
    // and due after the mode is set; then brought forward.
    let withdraw = |due| {
        let task = NewTask {
            scope: Scope::from(key),
            kind: TaskKind::WithdrawPlans,
            due,
        };
        store.enqueue(vec![task], now)
    };
    let queued = withdraw(now.after(MOMENT)).await;
    queued.context("queue what follows")?;
    let change = RepositoryChange::ModeSet(mode);
    let changed = store.change_repository(key, change, now).await;
    changed.context("remember the mode")?;
    withdraw(now).await.context("bring forward what follows")?;
    let entry = AuditEntry {
        id: format!("mode/{now}"),
        scope: Scope::from(key),
        pull: None,
        head: None,
        actor: OPERATOR.to_owned(),
        act: format!("mode {}", mode.as_str()),
        outcome: "done".to_owned(),
        at: now,
    };
    store
        .append_audit(entry)
        .await
        .context("write the audit log")?;
    let name = repository.full_name;
    tracing::info!(
        repo.name = name,
        mode = mode.as_str(),
        "an operator set the mode"
    );
    let word = mode.as_str();
    Ok(Acted::Done(match mode {
        Mode::Enforce => {
            format!("{name} may skip jobs, where its configuration says `enforce` or nothing\n")
        }
        Mode::Advise | Mode::Observe => format!("{name} goes no further than `{word}`\n"),
    }))
}

/// What is said of a name that no repository has.
pub(super) fn unknown(path: &str) -> String {
    format!("no repository `{path}` is known to this server: is the app installed there?")
}

/// The active repository with a name; names are compared as forges do.
pub(super) async fn named(store: &dyn Store, path: &str) -> anyhow::Result<Option<Repository>> {
    let all = store.repositories(ForgeKind::Github).await;
    let all = all.context("list the repositories")?;
    let is_it = |it: &Repository| {
        it.state == RepositoryState::Active && it.full_name.eq_ignore_ascii_case(path)
    };
    Ok(all.into_iter().find(is_it))
}
