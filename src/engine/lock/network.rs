//! One lockfile as a graph of packages with importers, and digests of its parts.
//!
//! The digest of a slice is taken over what is reachable: of each package its name,
//! version, everything else that its entry says (source, checksum, features, peers)
//! and which packages it got. So two slices are equal exactly when all of that is.
//! Where a format records no graph the lockfile is *flat*: whoever needs one of its
//! packages may need all.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::document::{Document, feed};
use super::{Digest, Kind};

/// What an importer asks for by name, and which packages it got.
type Asked<P> = BTreeMap<Box<str>, Vec<P>>;

/// One package of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Its name, as the ecosystem writes it.
    pub name: Box<str>,
    /// Its version; empty where the lockfile has none (a local package).
    pub version: Box<str>,
    /// Of everything that its own entry says.
    pub(super) content: Digest,
    digest: Digest,
    needs: Vec<usize>,
}

/// One lockfile.
#[derive(Debug, Clone)]
pub struct Lock {
    /// Its path.
    pub path: Box<str>,
    /// Its format.
    pub kind: Kind,
    /// Its packages, in the order of the file.
    pub packages: Vec<Locked>,
    /// Direct dependencies by the importer's directory (from the root), then by name.
    pub(super) importers: BTreeMap<Box<str>, Asked<usize>>,
    by_name: FxHashMap<Box<str>, Vec<usize>>,
    /// Settings that govern the whole file.
    salt: Digest,
    /// The digest of everything, asked for by every name of a flat lockfile.
    whole: Digest,
    flat: bool,
}

/// A lockfile while it is read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    entries: Vec<DraftEntry>,
    ids: FxHashMap<Box<str>, usize>,
    importers: BTreeMap<Box<str>, Asked<Box<str>>>,
    salt: Digest,
    flat: bool,
}

#[derive(Debug)]
struct DraftEntry {
    name: Box<str>,
    version: Box<str>,
    content: Digest,
    needs: Vec<Box<str>>,
}

impl Draft {
    /// Adds a package under an id of its own; of two with one id the later stays.
    pub(super) fn package(&mut self, id: &str, name: &str, version: &str, content: Digest) {
        self.ids.insert(id.into(), self.entries.len());
        self.entries.push(DraftEntry {
            name: name.into(),
            version: version.into(),
            content,
            needs: Vec::new(),
        });
    }

    /// Says that one package needs another, both by id; unknown ids are passed over,
    /// as for optional packages that were not locked.
    pub(super) fn need(&mut self, id: &str, other: impl Into<Box<str>>) {
        if let Some(entry) = self.ids.get(id).and_then(|at| self.entries.get_mut(*at)) {
            entry.needs.push(other.into());
        }
    }

    /// Says what an importer asks for, under which name, and which package it got.
    pub(super) fn import(&mut self, dir: &str, name: &str, id: impl Into<Box<str>>) {
        let names = self.importers.entry(dir.into()).or_default();
        names.entry(name.into()).or_default().push(id.into());
    }

    /// Makes sure that an importer is known even if it asks for nothing.
    pub(super) fn importer(&mut self, dir: &str) {
        self.importers.entry(dir.into()).or_default();
    }

    /// Whether there is a package with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// Settings that govern every package of the file.
    pub(super) fn salt(&mut self, salt: Digest) {
        self.salt = salt;
    }

    /// The format records no graph.
    pub(super) fn flat(&mut self) {
        self.flat = true;
    }

    /// The finished lockfile.
    pub(super) fn finish(self, path: &str, kind: Kind) -> Lock {
        let resolve = |ids: &[Box<str>]| -> Vec<usize> {
            let found: BTreeSet<usize> = ids
                .iter()
                .filter_map(|id| self.ids.get(id).copied())
                .collect();
            found.into_iter().collect()
        };
        let packages: Vec<Locked> = self
            .entries
            .iter()
            .map(|entry| {
                let needs = resolve(&entry.needs);
                Locked {
                    name: entry.name.clone(),
                    version: entry.version.clone(),
                    content: entry.content,
                    digest: self.entry_digest(entry, &needs),
                    needs,
                }
            })
            .collect();
        let mut by_name: FxHashMap<Box<str>, Vec<usize>> = FxHashMap::default();
        for (at, package) in packages.iter().enumerate() {
            let name = kind.normal(&package.name);
            by_name.entry(name).or_default().push(at);
        }
        let importers = self
            .importers
            .iter()
            .map(|(dir, names)| {
                let names = names
                    .iter()
                    .map(|(name, ids)| (name.clone(), resolve(ids)))
                    .collect();
                (dir.clone(), names)
            })
            .collect();
        let mut lock = Lock {
            path: path.into(),
            kind,
            packages,
            importers,
            by_name,
            salt: self.salt,
            whole: Digest::default(),
            flat: self.flat,
        };
        lock.whole = lock.digest_of(0..lock.packages.len());
        lock
    }

    fn entry_digest(&self, entry: &DraftEntry, needs: &[usize]) -> Digest {
        let mut hash = Sha256::new();
        feed(&mut hash, b'n', &entry.name);
        feed(&mut hash, b'v', &entry.version);
        hash.update(entry.content);
        let mut got: Vec<(&str, &str)> = needs
            .iter()
            .filter_map(|at| self.entries.get(*at))
            .map(|other| (other.name.as_ref(), other.version.as_ref()))
            .collect();
        got.sort_unstable();
        for (name, version) in got {
            feed(&mut hash, b'g', name);
            feed(&mut hash, b'v', version);
        }
        hash.finalize().into()
    }
}

impl Lock {
    /// A lockfile of which only the content as a whole is known.
    pub(super) fn opaque(path: &str, kind: Kind, content: &[u8]) -> Self {
        let mut draft = Draft::default();
        draft.salt(Sha256::digest(content).into());
        draft.flat();
        draft.finish(path, kind)
    }

    /// The packages of this name, in every version.
    pub(super) fn named(&self, name: &str) -> &[usize] {
        let found = self.by_name.get(self.kind.normal(name).as_ref());
        found.map_or(&[], Vec::as_slice)
    }

    /// What an importer got under a name that it asks for.
    pub(super) fn imported(&self, dir: &str, name: &str) -> Option<&[usize]> {
        self.importers.get(dir)?.get(name).map(Vec::as_slice)
    }

    /// The packages whose normal name begins so.
    pub(super) fn prefixed(&self, prefix: &str) -> Vec<usize> {
        let is_meant = |name: &str| self.kind.normal(name).starts_with(prefix);
        let all = self.packages.iter().enumerate();
        all.filter(|(_, package)| is_meant(&package.name))
            .map(|(at, _)| at)
            .collect()
    }

    /// The names that an importer asks for.
    pub(super) fn asked(&self, dir: &str) -> impl Iterator<Item = &str> {
        let names = self.importers.get(dir).into_iter().flatten();
        names.map(|(name, _)| name.as_ref())
    }

    /// The digest of everything.
    pub(super) fn whole(&self) -> Digest {
        self.whole
    }

    /// The digest of what is reachable from some packages; of everything if flat.
    pub(super) fn reachable(&self, from: &[usize]) -> Digest {
        if self.flat {
            return self.whole();
        }
        let mut seen = vec![false; self.packages.len()];
        let mut todo: Vec<usize> = from.to_vec();
        while let Some(at) = todo.pop() {
            let Some(slot) = seen.get_mut(at) else {
                continue;
            };
            if !std::mem::replace(slot, true)
                && let Some(package) = self.packages.get(at)
            {
                todo.extend(&package.needs);
            }
        }
        self.digest_of((0..self.packages.len()).filter(|at| seen.get(*at) == Some(&true)))
    }

    fn digest_of(&self, which: impl Iterator<Item = usize>) -> Digest {
        let mut digests: Vec<&Digest> = which
            .filter_map(|at| self.packages.get(at))
            .map(|package| &package.digest)
            .collect();
        digests.sort_unstable();
        digests.dedup();
        let mut hash = Sha256::new();
        hash.update(self.salt);
        for digest in digests {
            hash.update(digest);
        }
        hash.finalize().into()
    }
}

/// The digest of a document, some keys left out at every depth.
pub(super) fn content(document: &Document, without: &[&str]) -> Digest {
    let mut hash = Sha256::new();
    document.digest(&mut hash, without);
    hash.finalize().into()
}
