//! The audit log: who did what to whom, and what came of it.
//!
//! A line is written once per act, so that a task that is tried again does not
//! say everything twice. Lines are never changed and never pruned; what runs came to is
//! kept beside them for as long as the runs.

use super::history::KEEP_RUNS;
use super::key::{Key, tag};
use super::rows::Draft;
use super::{AuditEntry, AuditFilter, Repository, RunAudit, Scope, StoreError};
use crate::engine::ids::{ObjectId, RepoKey, Timestamp};

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
    let age = aged(audit.repo).number(audit.at.0);
    let age = age.number(audit.run).number(u64::from(audit.attempt));
    draft.put(age, key.0.clone());
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

/// What the runs of a repository came to that were judged since then, the oldest first.
pub(super) fn of_runs(
    draft: &Draft<'_>,
    repo: RepoKey,
    since: Timestamp,
) -> Result<Vec<RunAudit>, StoreError> {
    let all = aged(repo);
    let mut from = all.clone().number(since.0);
    let mut audits = Vec::new();
    while let Some((key, primary)) = draft.first(&from, &all.end())? {
        audits.extend(draft.record(&Key(primary))?);
        from = Key(key).after();
    }
    Ok(audits)
}

/// Forgets what runs came to that were judged too long ago; returns how many.
pub(super) fn prune_runs(
    draft: &mut Draft<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let repositories: Vec<Repository> = draft.records(&Key::new(tag::REPOSITORY), usize::MAX)?;
    let mut gone = 0;
    for repository in repositories {
        let all = aged(repository.key);
        let until = all.clone().number(now.before(KEEP_RUNS).0);
        while gone < limit
            && let Some((key, primary)) = draft.first(&all, &until)?
        {
            draft.remove(Key(primary));
            draft.remove(Key(key));
            gone += 1;
        }
    }
    Ok(gone)
}

fn aged(repo: RepoKey) -> Key {
    Key::new(tag::RUN_AUDIT_AGE).repo(repo)
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
