//! Keeps the mirror of a repository and the facts of its default branch warm.
//!
//! This happens at installation and on pushes to the default branch, so that a
//! pull finds everything but its own blobs already read.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Context;
use crate::engine::ids::{ForgeKind, ObjectId, PullNumber, RepoKey};
use crate::repo::{FactsCache, Fetch, Loader, Mirror, Repo};
use crate::store::{NewTask, RepositoryChange, RepositoryState, TaskKind};

/// Where one repository lies on this machine.
#[derive(Debug, Clone)]
pub(super) struct Place {
    mirror: PathBuf,
    scratch: PathBuf,
    facts: PathBuf,
}

impl Place {
    pub(super) fn of(context: &Context, repo: RepoKey) -> Self {
        let dir = context
            .mirrors
            .join(repo.forge.as_str())
            .join(repo.repo.to_string());
        Self {
            mirror: dir.join("mirror.git"),
            scratch: dir.join("scratch"),
            facts: dir.join("facts.bin"),
        }
    }

    /// The mirror, to read from.
    pub(super) fn open(&self) -> anyhow::Result<Repo> {
        let mirror = Mirror::open(&self.mirror).context("open the mirror")?;
        mirror.repo(&self.scratch).context("open the mirror")
    }

    /// The facts that were read before.
    pub(super) fn facts(&self) -> FactsCache {
        FactsCache::open(&self.facts)
    }
}

/// Fetches refs into the mirror, with a right that lasts for this fetch.
pub(super) async fn fetch(
    context: &Context,
    repo: RepoKey,
    refspecs: Vec<String>,
) -> anyhow::Result<()> {
    let access = context
        .forge
        .clone_access(repo)
        .await
        .context("ask for the right to fetch")?;
    let place = Place::of(context, repo);
    let from = Fetch {
        url: access.url,
        authorization: access.authorization,
    };
    let fetching = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        if let Some(dir) = place.mirror.parent() {
            std::fs::create_dir_all(dir).context("make the directory of the mirror")?;
        }
        Mirror::open(&place.mirror)
            .context("open the mirror")?
            .fetch(&from, &refspecs)
            .context("fetch into the mirror")
    });
    fetching.await.context("fetch into the mirror")?
}

/// The ref of a branch in forge and mirror alike.
pub(super) fn branch_ref(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

/// Where a forge keeps the head of a pull, forks included.
///
/// <https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/checking-out-pull-requests-locally>,
/// <https://docs.gitlab.com/user/project/merge_requests/reviews/#checkout-merge-requests-locally-through-the-head-ref>
pub(super) fn pull_ref(forge: ForgeKind, pull: PullNumber) -> String {
    match forge {
        ForgeKind::Github | ForgeKind::Local => format!("refs/pull/{pull}/head"),
        ForgeKind::Gitlab => format!("refs/merge-requests/{pull}/head"),
    }
}

/// Brings mirror and facts of the default branch up to date.
pub async fn run(context: &Context, repo: RepoKey) -> anyhow::Result<Vec<NewTask>> {
    let Some(record) = context
        .store
        .repository(repo)
        .await
        .context("read the repository")?
    else {
        return Ok(Vec::new());
    };
    if record.state != RepositoryState::Active {
        return Ok(Vec::new());
    }
    let branch = branch_ref(&record.default_branch);
    fetch(context, repo, vec![format!("+{branch}:{branch}")]).await?;
    let place = Place::of(context, repo);
    let warming = tokio::task::spawn_blocking(move || -> anyhow::Result<ObjectId> {
        let repository = place.open()?;
        let tip = repository
            .commit(&branch)
            .context("find the default branch")?;
        let tree = repository.tree(tip).context("list the default branch")?;
        Loader::new(&repository, place.facts())
            .load(tree)
            .context("read the default branch")?;
        Ok(tip)
    });
    let tip = warming.await.context("read the default branch")??;
    let first = record.synced.is_none();
    let change = RepositoryChange::Synced(tip);
    context
        .store
        .change_repository(repo, change, context.now())
        .await
        .context("remember the tip")?;
    // Pulls that came before the mirror was there have no real plan yet.
    Ok(if first {
        vec![context.task(repo, TaskKind::SweepPulls)]
    } else {
        Vec::new()
    })
}
