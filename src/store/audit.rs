//! The audit log: who did what to whom, and what came of it.
//!
//! A line is written once per act, so that a task that is tried again does not
//! say everything twice. Lines are never changed and never pruned.

use super::key::{Key, tag};
use super::rows::Draft;
use super::{AuditEntry, AuditFilter, RunAudit, Scope, StoreError};
use crate::engine::ids::{ObjectId, RepoKey};

pub(super) fn append(draft: &mut Draft<'_>, entry: &AuditEntry) -> Result<bool, StoreError> {
    let act = scoped(tag::ACT, entry.scope).text(&entry.id);
    if draft.read(&act)?.is_some() {
        return Ok(false);
    }
    let place = draft.count("audit")?;
    let line = scoped(tag::AUDIT, entry.scope)
        .falling(entry.at.0)
        .falling(place);
    draft.put(act, line.0.clone());
    draft.put_record(line, entry)?;
    Ok(true)
}

pub(super) fn find(
    draft: &Draft<'_>,
    scope: Scope,
    id: &str,
) -> Result<Option<AuditEntry>, StoreError> {
    match draft.read(&scoped(tag::ACT, scope).text(id))? {
        Some(line) => draft.record(&Key(line)),
        None => Ok(None),
    }
}

pub(super) fn list(draft: &Draft<'_>, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
    draft.records(&scoped(tag::AUDIT, filter.repo.into()), filter.limit)
}

/// Writes down what an attempt came to, unless it is there.
pub(super) fn append_run(draft: &mut Draft<'_>, audit: &RunAudit) -> Result<bool, StoreError> {
    let key = of_repo(audit.repo).object(audit.head);
    let key = key.number(audit.run).number(u64::from(audit.attempt));
    if draft.read(&key)?.is_some() {
        return Ok(false);
    }
    draft.put_record(key, audit)?;
    Ok(true)
}

pub(super) fn of_head(
    draft: &Draft<'_>,
    repo: RepoKey,
    head: ObjectId,
) -> Result<Vec<RunAudit>, StoreError> {
    draft.records(&of_repo(repo).object(head), usize::MAX)
}

pub(super) fn of_runs(draft: &Draft<'_>, repo: RepoKey) -> Result<Vec<RunAudit>, StoreError> {
    draft.records(&of_repo(repo), usize::MAX)
}

fn of_repo(repo: RepoKey) -> Key {
    Key::new(tag::RUN_AUDIT).repo(repo)
}

fn scoped(tag: u8, scope: Scope) -> Key {
    Key::new(tag)
        .forge(scope.forge)
        .number(scope.installation.map_or(0, |id| id.0))
        .number(scope.repo.map_or(0, |id| id.0))
}
