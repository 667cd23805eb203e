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
            scratch: dir.join(scratch_of(days(context))),
            facts: dir.join("facts.bin"),
        }
    }

    /// Drops the merges of days that are over: who began to read yesterday may still do.
    fn drop_old_merges(&self, today: u64) -> std::io::Result<()> {
        let keep = [scratch_of(today), scratch_of(today.saturating_sub(1))];
        let Some(dir) = self.mirror.parent() else {
            return Ok(());
        };
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(SCRATCH)) else {
                continue;
            };
            if !keep.iter().any(|kept| kept == name) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
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

/// The beginning of the names of directories with the objects of merges, one a day.
const SCRATCH: &str = "scratch";

fn scratch_of(day: u64) -> String {
    format!("{SCRATCH}-{day}")
}

/// Days since 1970.
fn days(context: &Context) -> u64 {
    context.now().seconds() / (24 * 60 * 60)
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
    tidy(context, repo).await?;
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

/// Packs the mirror where that is due, and drops what merges left behind; a mirror where
/// that cannot be done is as good as before.
async fn tidy(context: &Context, repo: RepoKey) -> anyhow::Result<()> {
    let (place, today) = (Place::of(context, repo), days(context));
    let tidying = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        place.drop_old_merges(today).context("drop old merges")?;
        Ok(Mirror::open(&place.mirror)?.tidy()?)
    });
    if let Err(fault) = tidying.await.context("tidy the mirror")? {
        tracing::warn!(error = format!("{fault:#}"), "a mirror cannot be tidied");
    }
    Ok(())
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
    fn merges_of_today_and_yesterday_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place {
            mirror: dir.path().join("mirror.git"),
            scratch: dir.path().join(scratch_of(9)),
            facts: dir.path().join("facts.bin"),
        };
        for name in [
            "scratch",
            "scratch-7",
            "scratch-8",
            "scratch-9",
            "mirror.git",
        ] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        std::fs::write(place.scratch.join("object"), "").unwrap();
        place.drop_old_merges(9).unwrap();
        let left = std::fs::read_dir(dir.path()).unwrap();
        let left: std::collections::BTreeSet<_> = left
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected = ["mirror.git", "scratch-8", "scratch-9"].map(str::to_owned);
        assert_eq!(left, expected.into());
        assert!(place.scratch.join("object").exists());
    }

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
