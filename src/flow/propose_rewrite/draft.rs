//! The rewrite of a default branch as it is in the mirror, and what the branch of the bot
//! adds to it.
//!
//! Blocking work, done where blocking is allowed. Nothing here asks the forge.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

use super::super::report_pull::{hash, hash_bytes};
use super::super::sync_repo::{Place, branch_ref};
use super::Context;
use crate::engine::history::History;
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::edit;
use crate::engine::pipeline::rewrite::Settings;
use crate::engine::pipeline::rewrite::repository::{Rewrites, rewrite_all};
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};
use crate::forge::proposals::NewFile;
use crate::repo::{Blob, Repo, read_blobs};
use crate::store::Repository;

/// The largest workflow that is read: GitHub takes none above 1 MiB.
const LARGEST: u64 = 1 << 20;

/// A rewrite that is to be proposed.
pub(super) struct Draft {
    /// The tip of the default branch.
    pub(super) tip: ObjectId,
    /// The hash of its pipeline files.
    pub(super) seen: String,
    /// Why they cannot be read, when that is so.
    pub(super) unreadable: Option<String>,
    /// Everything that was rewritten.
    pub(super) rewrites: Rewrites,
    /// The files that become others.
    pub(super) files: Vec<NewFile>,
    /// The hash of those.
    pub(super) content: String,
    /// The checks that the branch requires, as far as it is known.
    pub(super) required: Option<Vec<String>>,
}

impl Draft {
    /// The workflows that hold a rewrite already, by path.
    pub(super) fn rewritten(&self) -> Vec<String> {
        let files = self.rewrites.files.iter();
        let files = files.filter(|file| file.is_rewritten());
        files.map(|file| file.path.clone()).collect()
    }

    /// Leaves workflows as they are, and does not speak of them.
    pub(super) fn leave(&mut self, paths: &[String]) {
        self.files.retain(|file| !paths.contains(&file.path));
        let files = &mut self.rewrites.files;
        files.retain(|file| !paths.contains(&file.path));
        self.content = content_of(&self.files);
    }
}

/// What a branch adds to another.
pub(super) enum Added {
    /// Nothing.
    Nothing,
    /// Files with this hash.
    Files(String),
    /// Something else than files of text: it takes some away, or they are too large.
    Other,
}

/// Rewrites the workflows of a default branch that is in the mirror.
pub(super) async fn make(
    context: &Context,
    repository: &Repository,
    (required, history): (Option<Vec<String>>, History),
) -> anyhow::Result<Draft> {
    let place = Place::of(context, repository.key);
    let branch = repository.default_branch.clone();
    let settings = Settings {
        app_id: Some(context.app.to_string()),
        required,
        ..Settings::default()
    };
    let drafting = tokio::task::spawn_blocking(move || -> anyhow::Result<Draft> {
        let mirror = place.open()?;
        let tip = mirror.commit(&branch_ref(&branch)?);
        let tip = tip.context("find the default branch")?;
        let tree = mirror.tree(tip).context("list the default branch")?;
        drafted(&mirror, (tip, &tree), (&branch, settings), &history)
    });
    drafting.await.context("rewrite the workflows")?
}

fn drafted(
    mirror: &Repo,
    (tip, tree): (ObjectId, &Tree),
    (branch, settings): (&str, Settings),
    history: &History,
) -> anyhow::Result<Draft> {
    let entries: Vec<&Entry> = pipeline_files(tree).collect();
    let contents = read(mirror, entries.iter().map(|entry| entry.blob).collect())?;
    let mut unreadable = None;
    let mut texts = BTreeMap::new();
    for entry in &entries {
        let content = contents.get(&entry.blob).cloned().flatten();
        match content.map(String::from_utf8) {
            Some(Ok(text)) => {
                texts.insert(entry.path.to_string(), text);
            }
            Some(Err(_)) => unreadable = Some(format!("{} is not UTF-8", entry.path)),
            None => unreadable = Some(format!("{} is larger than a workflow may be", entry.path)),
        }
    }
    let rewrites = rewrite_all(&texts, branch, &settings, Some(history));
    let changed = rewrites
        .files
        .iter()
        .filter(|it| it.found != it.rewrite.text);
    let files = changed.filter_map(|file| {
        let entry = entries.iter().find(|entry| *entry.path == *file.path)?;
        Some(NewFile {
            path: file.path.clone(),
            mode: entry.mode,
            text: file.rewrite.text.clone(),
        })
    });
    let files: Vec<NewFile> = files.collect();
    Ok(Draft {
        tip,
        seen: seen(tree),
        unreadable,
        content: content_of(&files),
        files,
        rewrites,
        required: settings.required,
    })
}

/// What a branch adds to the tip of the default branch, since they parted.
pub(super) async fn added(
    context: &Context,
    repository: &Repository,
    (tip, branch): (ObjectId, ObjectId),
) -> anyhow::Result<Added> {
    let place = Place::of(context, repository.key);
    let comparing = tokio::task::spawn_blocking(move || -> anyhow::Result<Added> {
        let mirror = place.open()?;
        let common = mirror.merge_base(tip, branch);
        let Some(common) = common.context("find where the branch of the bot began")? else {
            return Ok(Added::Other);
        };
        let changes = mirror.diff(common, branch);
        let changes = changes.context("compare the branch of the bot")?;
        if changes.is_empty() {
            return Ok(Added::Nothing);
        }
        let blobs = changes.iter().filter_map(|change| Some(change.after?.blob));
        let contents = read(&mirror, blobs.collect())?;
        let files = changes.iter().map(|change| {
            let after = change.after?;
            let content = contents.get(&after.blob)?.as_deref()?;
            Some((change.path.as_ref(), after.mode, content))
        });
        let files: Option<Vec<(&str, Mode, &[u8])>> = files.collect();
        Ok(files.map_or(Added::Other, |files| {
            Added::Files(content(files.into_iter()))
        }))
    });
    comparing.await.context("compare the branch of the bot")?
}

/// The hash of all files that pipelines are made of: equal while none of them changes.
pub(in crate::flow) fn seen(tree: &Tree) -> String {
    let lines = pipeline_files(tree).map(|entry| format!("{} {}\n", entry.blob, entry.path));
    hash(&lines.collect::<String>())
}

/// The workflows that hold a rewrite, or what is left of one, by path.
pub(in crate::flow) fn rewritten(snapshot: &Snapshot) -> Vec<String> {
    let is_marked = |entry: &&Entry| snapshot.text(&entry.path).is_some_and(edit::is_marked);
    let marked = pipeline_files(&snapshot.tree).filter(is_marked);
    marked.map(|entry| entry.path.to_string()).collect()
}

fn pipeline_files(tree: &Tree) -> impl Iterator<Item = &Entry> {
    let is_file = |entry: &&Entry| {
        let is_yaml = entry.path.ends_with(".yml") || entry.path.ends_with(".yaml");
        is_yaml && matches!(entry.mode, Mode::File | Mode::Executable)
    };
    tree.under(".github")
        .map(|(_, entry)| entry)
        .filter(is_file)
}

/// The contents of blobs; nothing for one that is too large.
fn read(
    mirror: &Repo,
    mut ids: Vec<ObjectId>,
) -> anyhow::Result<BTreeMap<ObjectId, Option<Vec<u8>>>> {
    ids.sort_unstable();
    ids.dedup();
    let found: Mutex<BTreeMap<ObjectId, Option<Vec<u8>>>> = Mutex::default();
    let done = read_blobs(mirror, &ids, LARGEST, &|id, blob| {
        let content = match blob {
            Blob::Content(bytes) => Some(bytes.to_vec()),
            Blob::TooLarge(_) | Blob::Missing => None,
        };
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.insert(id, content);
    });
    done.context("read the workflows")?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn content_of(files: &[NewFile]) -> String {
    let files = files.iter();
    content(files.map(|file| (file.path.as_str(), file.mode, file.text.as_bytes())))
}

/// The hash of files, in whatever order they come.
fn content<'f>(files: impl Iterator<Item = (&'f str, Mode, &'f [u8])>) -> String {
    let line = |(path, mode, bytes): (&str, Mode, &[u8])| {
        format!("{path} {} {}\n", mode.as_str(), hash_bytes(bytes))
    };
    let mut lines: Vec<String> = files.map(line).collect();
    lines.sort_unstable();
    hash(&lines.concat())
}
