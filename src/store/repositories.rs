//! Repositories and the installations that give them.
//!
//! A repository is known under one installation at a time; a token is never asked
//! for through any other. Being seen is what makes a record; everything else only
//! changes one.
//!
//! Nothing here asks a forge whether it is still so.

use super::key::{Key, tag};
use super::rows::Draft;
use super::{
    InstallationChange, Repository, RepositoryChange, RepositoryState, StoreError, Synced,
};
use crate::engine::ids::{ForgeKind, InstallationId, RepoId, RepoKey, Timestamp};

pub(super) fn find(draft: &Draft<'_>, key: RepoKey) -> Result<Option<Repository>, StoreError> {
    draft.record(&row(key))
}

/// The repository with a number, under the installation that it was last seen under.
pub(super) fn numbered(
    draft: &Draft<'_>,
    forge: ForgeKind,
    repo: RepoId,
) -> Result<Option<Repository>, StoreError> {
    let under = Key::new(tag::SEEN_UNDER).forge(forge).number(repo.0);
    let Some(installation) = draft.number(&under)?.map(InstallationId) else {
        return Ok(None);
    };
    let key = RepoKey {
        forge,
        installation,
        repo,
    };
    find(draft, key)
}

pub(super) fn list(draft: &Draft<'_>, forge: ForgeKind) -> Result<Vec<Repository>, StoreError> {
    draft.records(&Key::new(tag::REPOSITORY).forge(forge), usize::MAX)
}

pub(super) fn change(
    draft: &mut Draft<'_>,
    key: RepoKey,
    change: RepositoryChange,
    now: Timestamp,
) -> Result<Option<Repository>, StoreError> {
    let known = find(draft, key)?;
    let Some(mut repository) = known.or_else(|| unseen(key, &change)) else {
        return Ok(None);
    };
    repository.changed = now;
    match change {
        RepositoryChange::Seen {
            full_name,
            default_branch,
        } => {
            leave_other_installation(draft, key, now)?;
            repository.full_name = full_name;
            repository.default_branch = default_branch;
            repository.state = RepositoryState::Active;
        }
        RepositoryChange::Paused => repository.paused = true,
        RepositoryChange::Resumed => repository.paused = false,
        RepositoryChange::Suspended => repository.state = RepositoryState::Suspended,
        RepositoryChange::Removed => repository.state = RepositoryState::Removed,
        RepositoryChange::ModeSet(mode) => repository.mode = Some(mode),
        RepositoryChange::PolicyAccepted(policy) => repository.policy = policy,
        RepositoryChange::Proposed(proposal) => repository.proposal = Some(*proposal),
        RepositoryChange::Synced(tip) => repository.synced = Some(Synced { tip, at: now }),
    }
    draft.put_record(row(key), &repository)?;
    Ok(Some(repository))
}

pub(super) fn change_installation(
    draft: &mut Draft<'_>,
    (forge, installation): (ForgeKind, InstallationId),
    change: InstallationChange,
    now: Timestamp,
) -> Result<Vec<Repository>, StoreError> {
    let prefix = Key::new(tag::REPOSITORY)
        .forge(forge)
        .number(installation.0);
    let mut repositories: Vec<Repository> = draft.records(&prefix, usize::MAX)?;
    for repository in &mut repositories {
        let state = match (change, repository.state) {
            (InstallationChange::Removed, _) => RepositoryState::Removed,
            (InstallationChange::Suspended, RepositoryState::Active) => RepositoryState::Suspended,
            (InstallationChange::Unsuspended, RepositoryState::Suspended) => {
                RepositoryState::Active
            }
            (InstallationChange::Suspended | InstallationChange::Unsuspended, state) => state,
        };
        if state != repository.state {
            repository.state = state;
            repository.changed = now;
            draft.put_record(row(repository.key), repository)?;
        }
    }
    Ok(repositories)
}

/// A repository that comes under a new installation is gone from the old one.
fn leave_other_installation(
    draft: &mut Draft<'_>,
    key: RepoKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    let under = Key::new(tag::SEEN_UNDER)
        .forge(key.forge)
        .number(key.repo.0);
    let before = draft.number(&under)?.map(InstallationId);
    draft.put_number(under, key.installation.0);
    let Some(installation) = before.filter(|before| *before != key.installation) else {
        return Ok(());
    };
    let old = RepoKey {
        installation,
        ..key
    };
    if let Some(mut repository) = find(draft, old)? {
        repository.state = RepositoryState::Removed;
        repository.changed = now;
        draft.put_record(row(old), &repository)?;
    }
    Ok(())
}

fn unseen(key: RepoKey, change: &RepositoryChange) -> Option<Repository> {
    matches!(change, RepositoryChange::Seen { .. }).then(|| Repository {
        key,
        full_name: String::new(),
        default_branch: String::new(),
        state: RepositoryState::Active,
        paused: false,
        mode: None,
        policy: None,
        synced: None,
        proposal: None,
        changed: Timestamp(0),
    })
}

fn row(key: RepoKey) -> Key {
    Key::new(tag::REPOSITORY).repo(key)
}
