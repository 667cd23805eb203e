//! A repository at one commit, as values: its paths, and what was read from some of them.
//!
//! A [`Tree`] is the list of paths with mode and blob id; a [`Snapshot`] adds the
//! facts extracted from source files and the texts of manifests and scripts. The
//! caller reads the blobs; [`want`](crate::engine::sources::want) tells which.
//!
//! Nothing here reads a file: two trees with equal entries are the same tree.

use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use memchr::memrchr;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::facts::{Facts, Language};
use super::ids::ObjectId;

mod links;

/// What git records beside a path's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A plain file.
    File,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link; its blob holds the target.
    Symlink,
    /// A submodule; its id is a commit of another repository.
    Submodule,
}

impl Mode {
    /// The mode as git prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }
}

/// One path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root, with `/`. Bytes that are not UTF-8 are written as `\xNN`.
    pub path: Box<str>,
    /// File, executable, link or submodule.
    pub mode: Mode,
    /// The id of the content (of the commit, for a submodule).
    pub blob: ObjectId,
}

/// The position of a path in one [`Tree`]; it means nothing in another tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The position as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// All paths of a commit, sorted by their bytes as git sorts a full listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: Vec<Entry>,
    places: Places,
    links: links::Links,
    names: Names,
}

impl Tree {
    /// Sorts the entries; of two equal paths the first stays.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        if !entries.is_sorted_by(|a, b| a.path < b.path) {
            entries.sort_by(|a, b| a.path.cmp(&b.path));
            entries.dedup_by(|later, first| later.path == first.path);
        }
        let places = Places::of(&entries);
        Self {
            entries,
            places,
            links: links::Links::default(),
            names: Names::default(),
        }
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no path at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The position of exactly this path.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let is_it = |index: u32| {
            let entry = self.entries.get(index as usize);
            entry.is_some_and(|entry| *entry.path == *path)
        };
        self.places.find(path, is_it).map(FileId)
    }

    /// The entry of a position that this tree gave out.
    #[expect(
        clippy::indexing_slicing,
        reason = "a FileId is only made by the tree it indexes"
    )]
    pub fn entry(&self, file: FileId) -> &Entry {
        &self.entries[file.index()]
    }

    /// The path of a position that this tree gave out.
    pub fn path(&self, file: FileId) -> &str {
        &self.entry(file).path
    }

    /// Every path with its position, in order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Entry)> {
        (0..).map(FileId).zip(&self.entries)
    }

    /// Everything below a directory (`""` is the root), in order.
    pub fn under(&self, dir: &str) -> impl Iterator<Item = (FileId, &Entry)> {
        let range = self.range_under(dir);
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        (start..)
            .map(FileId)
            .zip(self.entries.get(range).unwrap_or_default())
    }

    /// The positions below a directory, from the first to behind the last.
    pub fn span(&self, dir: &str) -> Range<FileId> {
        let range = self.range_under(dir);
        let position = |index: usize| FileId(u32::try_from(index).unwrap_or(u32::MAX));
        position(range.start)..position(range.end)
    }

    /// Whether anything lies below this directory.
    pub fn has_dir(&self, dir: &str) -> bool {
        !self.range_under(dir).is_empty()
    }

    /// The files directly in a directory, without those in its subdirectories.
    pub fn in_dir<'a>(&'a self, dir: &'a str) -> impl Iterator<Item = (FileId, &'a Entry)> {
        let skip = if dir.is_empty() { 0 } else { dir.len() + 1 };
        self.under(dir).filter(move |(_, entry)| {
            entry
                .path
                .get(skip..)
                .is_some_and(|rest| !rest.contains('/'))
        })
    }

    /// Every file of this base name, in order.
    pub fn named(&self, name: &str) -> impl Iterator<Item = (FileId, &Entry)> {
        let files = self.names.found(&self.entries, name).iter();
        let all = files.map(|(_, file)| (*file, self.entry(*file)));
        all.filter(move |(_, entry)| base_name(&entry.path) == name)
    }

    fn range_under(&self, dir: &str) -> Range<usize> {
        if dir.is_empty() {
            return 0..self.entries.len();
        }
        let prefix = format!("{dir}/");
        let start = self
            .entries
            .partition_point(|entry| entry.path.as_ref() < prefix.as_str());
        let rest = self.entries.get(start..).unwrap_or_default();
        let count = rest.partition_point(|entry| entry.path.starts_with(&prefix));
        start..start + count
    }
}

/// Where paths stand, by their hash: resolvers ask for many paths that are nowhere, and
/// a search through the sorted list compares long equal beginnings each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Places {
    /// An open table of half as many paths as slots; [`VACANT`] ends a chain.
    slots: Vec<u32>,
}

const VACANT: u32 = u32::MAX;

impl Places {
    fn of(entries: &[Entry]) -> Self {
        let size = (entries.len() * 2).next_power_of_two().max(2);
        let mut places = Self {
            slots: vec![VACANT; size],
        };
        for (index, entry) in (0..VACANT).zip(entries) {
            let mut at = places.first(&entry.path);
            while let Some(slot) = places.slots.get_mut(at) {
                if *slot == VACANT {
                    *slot = index;
                    break;
                }
                at = (at + 1) % size;
            }
        }
        places
    }

    fn find(&self, path: &str, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.first(path);
        loop {
            let index = *self.slots.get(at)?;
            if index == VACANT {
                return None;
            }
            if is_it(index) {
                return Some(index);
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// The slot at which a path's chain begins.
    fn first(&self, path: &str) -> usize {
        let hash = FxBuildHasher.hash_one(path);
        // The hasher ends with its best bits at the low end.
        let low = usize::try_from(hash & u64::from(u32::MAX)).unwrap_or_default();
        low & self.slots.len().saturating_sub(1)
    }
}

/// Where base names stand, by their hash and in order; made when it is first asked for.
#[derive(Debug, Clone, Default)]
struct Names(OnceLock<Vec<(u64, FileId)>>);

impl Names {
    /// The files whose base name has the hash of this one.
    fn found(&self, entries: &[Entry], name: &str) -> &[(u64, FileId)] {
        let all = self.0.get_or_init(|| {
            let hashed = |entry: &Entry| FxBuildHasher.hash_one(base_name(&entry.path));
            let files = (0..).map(FileId).zip(entries);
            let mut all: Vec<_> = files.map(|(file, entry)| (hashed(entry), file)).collect();
            all.sort_unstable();
            all
        });
        let sought = FxBuildHasher.hash_one(name);
        let start = all.partition_point(|(hash, _)| *hash < sought);
        let rest = all.get(start..).unwrap_or_default();
        let count = rest.partition_point(|(hash, _)| *hash == sought);
        rest.get(..count).unwrap_or_default()
    }
}

/// They follow from the paths.
impl PartialEq for Names {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Names {}

/// A tree together with what was read from its blobs.
///
/// Facts and texts are keyed by blob, so that two trees share them.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The paths.
    pub tree: Tree,
    facts: FxHashMap<(ObjectId, Language), Arc<Facts>>,
    texts: FxHashMap<ObjectId, Arc<str>>,
}

impl Snapshot {
    /// A snapshot of which nothing has been read yet.
    pub fn new(tree: Tree) -> Self {
        Self {
            tree,
            ..Self::default()
        }
    }

    /// Keeps what was extracted from a blob.
    pub fn insert_facts(&mut self, blob: ObjectId, language: Language, facts: Arc<Facts>) {
        self.facts.insert((blob, language), facts);
    }

    /// Keeps the text of a blob.
    pub fn insert_text(&mut self, blob: ObjectId, text: Arc<str>) {
        self.texts.insert(blob, text);
    }

    /// The text of a path; `None` when there is no such path or it was not read.
    pub fn text(&self, path: &str) -> Option<&str> {
        let entry = self.tree.entry(self.tree.find(path)?);
        self.text_of(entry.blob)
    }

    /// The text of a blob, if it was read.
    pub fn text_of(&self, blob: ObjectId) -> Option<&str> {
        self.texts.get(&blob).map(AsRef::as_ref)
    }

    /// What was extracted from a source file, if its language is known and it was read.
    pub fn facts(&self, file: FileId) -> Option<&Facts> {
        let entry = self.tree.entry(file);
        let language = Language::of_path(&entry.path)?;
        self.facts.get(&(entry.blob, language)).map(AsRef::as_ref)
    }
}

/// The directory of a path, without the slash; `""` at the root.
pub fn dir_of(path: &str) -> &str {
    let end = memrchr(b'/', path.as_bytes()).unwrap_or_default();
    path.get(..end).unwrap_or_default()
}

/// The last component of a path.
pub fn base_name(path: &str) -> &str {
    let start = memrchr(b'/', path.as_bytes()).map_or(0, |slash| slash + 1);
    path.get(start..).unwrap_or_default()
}

/// Joins a directory and a relative path and resolves `.` and `..`.
///
/// `None` when the result would leave the repository or is absolute.
pub fn join(dir: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        let blob = ObjectId::from_bytes(&[7; 20]).unwrap();
        Tree::new(
            paths
                .iter()
                .map(|path| Entry {
                    path: (*path).into(),
                    mode: Mode::File,
                    blob,
                })
                .collect(),
        )
    }

    fn paths<'a>(found: impl Iterator<Item = (FileId, &'a Entry)>) -> Vec<&'a str> {
        found.map(|(_, entry)| entry.path.as_ref()).collect()
    }

    #[test]
    fn a_directory_does_not_hold_its_neighbour_with_a_longer_name() {
        let tree = tree(&["a/b", "a-b/c", "a.txt", "a/c/d", "b"]);
        assert_eq!(paths(tree.under("a")), ["a/b", "a/c/d"]);
        assert_eq!(paths(tree.in_dir("a")), ["a/b"]);
        assert_eq!(paths(tree.in_dir("")), ["a.txt", "b"]);
        assert!(tree.has_dir("a/c") && !tree.has_dir("a/b") && !tree.has_dir("c"));
    }

    #[test]
    fn every_path_is_found_at_its_position() {
        let tree = tree(&["z", "a/b", "a", "m/n"]);
        for (file, entry) in tree.iter() {
            assert_eq!(tree.find(&entry.path), Some(file));
        }
        assert_eq!(tree.find("m"), None);
    }

    #[test]
    fn a_join_that_leaves_the_repository_is_nothing() {
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("", "./x//y").as_deref(), Some("x/y"));
        assert_eq!(join("a", "../.."), None);
        assert_eq!(join("a", "/etc"), None);
    }
}
