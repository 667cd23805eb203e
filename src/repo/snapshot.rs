//! From a tree to a snapshot: reads the blobs that the engine wants, once.
//!
//! Facts come from the cache where it has them; everything else is read through
//! git and extracted on every core. A file that is too large to read is no
//! reason to fail: its facts say that it may reach anything.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::{Blob, FactsCache, Repo, RepoError, read_blobs};
use crate::engine::facts::{Dynamic, Facts, Language, Reach, When};
use crate::engine::graph;
use crate::engine::ids::ObjectId;
use crate::engine::sources::want;
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};

/// Files above this many bytes are not read; generated bundles and data are
/// above it, sources that people wrote are not.
const LARGEST: u64 = 4 << 20;

/// No path of a system is longer.
const LONGEST_LINK: u64 = 4_096;

/// What is needed of one blob.
#[derive(Debug, Clone, Default)]
struct Needed {
    languages: BTreeSet<Language>,
    path: Box<str>,
    text: bool,
}

/// How much a loading read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loading {
    /// Source files whose facts are in the snapshot.
    pub sources: usize,
    /// Blobs that were read from git.
    pub read: usize,
}

/// Reads snapshots of one repository; texts and facts are shared between them.
#[derive(Debug)]
pub struct Loader<'a> {
    repo: &'a Repo,
    cache: FactsCache,
    unkept: Option<RepoError>,
    facts: FxHashMap<(ObjectId, Language), Arc<Facts>>,
    texts: FxHashMap<ObjectId, Arc<str>>,
}

impl<'a> Loader<'a> {
    /// A loader that knows what the cache knows.
    pub fn new(repo: &'a Repo, cache: FactsCache) -> Self {
        Self {
            repo,
            cache,
            unkept: None,
            facts: FxHashMap::default(),
            texts: FxHashMap::default(),
        }
    }

    /// Why facts that were read could not be kept for the next time.
    pub fn unkept(&self) -> Option<&RepoError> {
        self.unkept.as_ref()
    }

    /// Reads everything that the engine wants of a tree.
    pub fn load(&mut self, tree: Tree) -> Result<(Snapshot, Loading), RepoError> {
        let [tree] = self.follow([tree])?;
        let loading = self.read_wanted(&[&tree])?;
        Ok((self.snapshot(tree), loading))
    }

    /// Reads everything that the engine wants of two trees, what they share once.
    pub fn load_both(&mut self, trees: [Tree; 2]) -> Result<[Snapshot; 2], RepoError> {
        let [one, other] = self.follow(trees)?;
        self.read_wanted(&[&one, &other])?;
        Ok([self.snapshot(one), self.snapshot(other)])
    }

    /// Puts the names that links make into trees.
    fn follow<const N: usize>(&self, trees: [Tree; N]) -> Result<[Tree; N], RepoError> {
        let links = trees.iter().flat_map(Tree::followed);
        let ids: BTreeSet<ObjectId> = links.map(|entry| entry.blob).collect();
        let ids: Vec<ObjectId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(trees);
        }
        let found: Mutex<FxHashMap<ObjectId, String>> = Mutex::default();
        read_blobs(self.repo, &ids, LONGEST_LINK, &|id, blob| {
            if let Blob::Content(bytes) = blob
                && let Ok(text) = std::str::from_utf8(bytes)
            {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(id, text.to_owned());
            }
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(trees.map(|tree| tree.following(|blob| found.get(&blob).map(String::as_str))))
    }

    fn read_wanted(&mut self, trees: &[&Tree]) -> Result<Loading, RepoError> {
        let mut needed: FxHashMap<ObjectId, Needed> = FxHashMap::default();
        let mut loading = Loading::default();
        let entries = trees.iter().flat_map(|tree| tree.iter());
        for (_, entry) in
            entries.filter(|(_, entry)| matches!(entry.mode, Mode::File | Mode::Executable))
        {
            let want = want(&entry.path);
            loading.sources += usize::from(want.facts.is_some());
            let text = want.text && !self.texts.contains_key(&entry.blob);
            let language = want
                .facts
                .filter(|language| !self.knows(entry.blob, *language));
            if text || language.is_some() {
                let needed = needed.entry(entry.blob).or_insert_with(|| of_path(entry));
                needed.text |= text;
                needed.languages.extend(language);
            }
        }
        loading.read = needed.len();
        self.read(&needed)?;
        // Without its cache everything is right, and slower the next time.
        self.unkept = self.cache.save().err().or_else(|| self.unkept.take());
        Ok(loading)
    }

    /// Reads the texts of more paths into a snapshot; says whether any was new.
    pub fn load_texts(
        &mut self,
        snapshot: &mut Snapshot,
        paths: &BTreeSet<Box<str>>,
    ) -> Result<bool, RepoError> {
        let mut needed: FxHashMap<ObjectId, Needed> = FxHashMap::default();
        for path in paths {
            let Some(file) = snapshot.tree.find(path) else {
                continue;
            };
            let entry = snapshot.tree.entry(file);
            if snapshot.text_of(entry.blob).is_none()
                && matches!(entry.mode, Mode::File | Mode::Executable)
            {
                needed.entry(entry.blob).or_insert_with(|| Needed {
                    text: true,
                    ..of_path(entry)
                });
            }
        }
        self.read(&needed)?;
        let mut any = false;
        for blob in needed.into_keys().collect::<BTreeSet<_>>() {
            if let Some(text) = self.texts.get(&blob) {
                snapshot.insert_text(blob, Arc::clone(text));
                any = true;
            }
        }
        Ok(any)
    }

    fn knows(&mut self, blob: ObjectId, language: Language) -> bool {
        if self.facts.contains_key(&(blob, language)) {
            return true;
        }
        let found = self.cache.find(blob, language);
        found
            .map(|facts| self.facts.insert((blob, language), facts))
            .is_some()
    }

    fn read(&mut self, needed: &FxHashMap<ObjectId, Needed>) -> Result<(), RepoError> {
        let mut ids: Vec<ObjectId> = needed.keys().copied().collect();
        ids.sort_unstable();
        let found: Mutex<Vec<(ObjectId, Found)>> = Mutex::new(Vec::with_capacity(ids.len()));
        read_blobs(self.repo, &ids, LARGEST, &|id, blob| {
            if let Some(needed) = needed.get(&id) {
                let result = examine(needed, blob);
                found
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push((id, result));
            }
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable_by_key(|(id, _)| *id);
        for (id, result) in found {
            for (language, facts) in result.facts {
                self.cache.add(id, language, &facts);
                self.facts.insert((id, language), Arc::new(facts));
            }
            if let Some(text) = result.text {
                self.texts.insert(id, text);
            }
        }
        Ok(())
    }

    fn snapshot(&self, tree: Tree) -> Snapshot {
        let mut facts = Vec::with_capacity(tree.len());
        let mut texts = Vec::new();
        for (_, entry) in tree.iter() {
            let language = Language::of_path(&entry.path);
            let found =
                language.and_then(|language| self.facts.get_key_value(&(entry.blob, language)));
            facts.extend(found.map(|(key, facts)| (*key, Arc::clone(facts))));
            texts.extend(
                self.texts
                    .get(&entry.blob)
                    .map(|text| (entry.blob, Arc::clone(text))),
            );
        }
        let mut snapshot = Snapshot::new(tree);
        for ((blob, language), facts) in facts {
            snapshot.insert_facts(blob, language, facts);
        }
        for (blob, text) in texts {
            snapshot.insert_text(blob, text);
        }
        snapshot
    }
}

/// What was found in one blob.
struct Found {
    facts: Vec<(Language, Facts)>,
    text: Option<Arc<str>>,
}

fn of_path(entry: &Entry) -> Needed {
    Needed {
        path: entry.path.clone(),
        ..Needed::default()
    }
}

fn examine(needed: &Needed, blob: Blob<'_>) -> Found {
    let Blob::Content(bytes) = blob else {
        let facts = needed
            .languages
            .iter()
            .map(|language| (*language, unread(blob)));
        return Found {
            facts: facts.collect(),
            text: None,
        };
    };
    let text = String::from_utf8_lossy(bytes);
    let facts = needed
        .languages
        .iter()
        .map(|language| (*language, graph::extract(*language, &needed.path, &text)));
    Found {
        facts: facts.collect(),
        text: needed.text.then(|| Arc::from(text.as_ref())),
    }
}

/// The facts of a file that was not read: it may reach anything.
fn unread(blob: Blob<'_>) -> Facts {
    let what = match blob {
        Blob::TooLarge(size) => format!("a file of {size} bytes, too large to read"),
        Blob::Missing | Blob::Content(_) => "a file that this clone does not have".to_owned(),
    };
    let dynamic = Dynamic {
        when: When::Used,
        reach: Reach::Repository,
        what: what.into(),
        line: 0,
    };
    Facts {
        dynamic: vec![dynamic],
        broken: true,
        ..Facts::default()
    }
}
