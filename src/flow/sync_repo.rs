//! Keeps the mirror of a repository and the facts of its default branch warm.
//!
//! This happens at installation and on pushes to the default branch, so that a
//! pull finds everything but its own blobs already read.

use std::path::PathBuf;

use anyhow::Context as _;

use super::{Context, propose_rewrite};
use crate::engine::ids::{ForgeKind, ObjectId, PullNumber, RepoKey};
use crate::engine::policy;
use crate::forge::ForgeError;
use crate::repo::{FactsCache, Fetch, Loader, Mirror, Repo};
use crate::store::{LastGood, NewTask, Repository, RepositoryChange, RepositoryState, TaskKind};

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
///
/// The name comes from the forge; one that git would not take as a name, and could
/// take for something else, is refused
/// (<https://git-scm.com/docs/git-check-ref-format>).
pub(super) fn branch_ref(branch: &str) -> Result<String, ForgeError> {
    let odd = |c: char| c.is_control() || " :?*[\\^~".contains(c);
    let part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    let fault = branch.contains(odd)
        || branch.contains("..")
        || branch.contains("@{")
        || branch.ends_with('.')
        || branch.split('/').any(part);
    if fault {
        return Err(ForgeError::Refused {
            what: "a branch",
            message: "its name is none that git knows".to_owned(),
        });
    }
    Ok(format!("refs/heads/{branch}"))
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

/// What to fetch for the merge of a pull, which a forge may not have: a pattern that may
/// fit nothing. GitLab has one for merge trains alone, whose runs skip nothing.
pub(super) fn merge_refs(forge: ForgeKind, pull: PullNumber) -> Option<String> {
    match forge {
        ForgeKind::Github | ForgeKind::Local => {
            Some(format!("+refs/pull/{pull}/merg*:refs/pull/{pull}/merg*"))
        }
        ForgeKind::Gitlab => None,
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
    let branch = branch_ref(&record.default_branch)?;
    fetch(context, repo, vec![format!("+{branch}:{branch}")]).await?;
    let place = Place::of(context, repo);
    let warming = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let repository = place.open()?;
        let tip = repository
            .commit(&branch)
            .context("find the default branch")?;
        let tree = repository.tree(tip).context("list the default branch")?;
        let seen = propose_rewrite::seen(&tree);
        let (snapshot, _) = Loader::new(&repository, place.facts())
            .load(tree)
            .context("read the default branch")?;
        let text = snapshot.text(policy::FILE).map(str::to_owned);
        let pipelines = (seen, propose_rewrite::rewritten(&snapshot));
        Ok((tip, text, pipelines))
    });
    let (tip, text, pipelines) = warming.await.context("read the default branch")??;
    let first = record.synced.is_none();
    let configured = accept(context, &record, (tip, text)).await?;
    let change = RepositoryChange::Synced(tip);
    context
        .store
        .change_repository(repo, change, context.now())
        .await
        .context("remember the tip")?;
    let rewrite = propose_rewrite::notice(context, &record, pipelines).await?;
    // Pulls that came before the mirror was there have no real plan yet.
    let plans = match (first, configured) {
        (true, _) => Some(TaskKind::SweepPulls),
        (false, true) => Some(TaskKind::WithdrawPlans),
        (false, false) => None,
    };
    let plans = plans.map(|kind| context.task(repo, kind));
    Ok(plans.into_iter().chain(rewrite).collect())
}

/// Puts the configuration of the tip into force unless it has faults; whether it is
/// another one than before.
async fn accept(
    context: &Context,
    record: &Repository,
    (commit, text): (ObjectId, Option<String>),
) -> anyhow::Result<bool> {
    let known = record.policy.as_ref().map(|policy| policy.text.as_str());
    let is_good = text
        .as_deref()
        .is_none_or(|text| policy::parse(text).is_ok());
    if known == text.as_deref() || !is_good {
        return Ok(false);
    }
    let accepted = text.map(|text| LastGood { commit, text });
    let change = RepositoryChange::PolicyAccepted(accepted);
    let changed = context
        .store
        .change_repository(record.key, change, context.now());
    changed.await.context("remember the configuration")?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_a_name_and_never_a_pattern_or_an_option() {
        for name in ["main", "feature/a-b", "-x", "ünïcode", "a@b", "release-1.2"] {
            assert_eq!(branch_ref(name).unwrap(), format!("refs/heads/{name}"));
        }
        for name in [
            "",
            "a:b",
            "a b",
            "*",
            "a..b",
            "../x",
            "a/../b",
            "a/",
            "/a",
            "a\nb",
            "a\0b",
            "x.lock",
            "a@{1}",
            "a~1",
            "a^",
            "x.",
            ".x",
            "a//b",
            "\u{1b}[31m",
        ] {
            assert!(branch_ref(name).is_err(), "{name:?}");
        }
    }
}
