//! What many commands of many jobs ask of the same files, read once.
//!
//! A memo belongs to one snapshot with the texts that it has: a file that was not
//! read yet is not remembered. It changes how often something is parsed, never what
//! is found.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::hash::{Hash as _, Hasher as _};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::node::{Dirs, Names};
use crate::engine::globs::Glob;
use crate::engine::graph::python::discover;
use crate::engine::packages::Packages;
use crate::engine::tree::{FileId, Snapshot};
use crate::engine::yaml::{self, Node};

/// Parsed files of one snapshot.
#[derive(Debug, Default)]
pub struct Memo {
    json: Remembered<Option<Rc<Node>>>,
    tables: Remembered<Option<Rc<toml::Table>>>,
    collected: Remembered<Rc<[FileId]>>,
    compiled: Remembered<bool>,
    links: Remembered<Rc<Links>>,
    named_packages: Remembered<Rc<Dirs>>,
    asked: Remembered<Asked>,
    kinds: Remembered<Rc<Kinds>>,
    bare_members: Remembered<Rc<[Glob]>>,
    own_names: OnceCell<Rc<Names>>,
    tools: OnceCell<FxHashSet<Box<str>>>,
    settings: OnceCell<Rc<[FileId]>>,
    lint_settings: OnceCell<Rc<[FileId]>>,
    has_lint_rules: OnceCell<bool>,
    spellings: OnceCell<Vec<Spelling>>,
    has_peeked: Cell<bool>,
}

/// What a file of configuration leads to.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Files that its words name.
    pub(super) named: Vec<String>,
    /// Files that it extends.
    pub(super) extended: Vec<String>,
    /// Whether it extends something that was not found.
    pub(super) is_open: bool,
}

/// The kinds of file that a directory holds.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// Globs of its files but for prose.
    pub(super) globs: BTreeSet<Glob>,
    /// Those of them that may name packages.
    pub(super) texts: Vec<String>,
}

/// Globs that were found, and what was met on the way.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) globs: Rc<[Glob]>,
    /// Whether something could not be read, and may mean any file.
    pub(super) is_open: bool,
    /// Texts that were asked for and not there.
    pub(super) missing: Rc<[Box<str>]>,
}

/// A path, or a directory on it.
#[derive(Debug)]
struct Spelling {
    /// A digest of the name in small letters.
    small: u64,
    file: FileId,
    /// How much of the file's path it is, in bytes.
    length: usize,
}

type Remembered<T> = RefCell<FxHashMap<Box<str>, T>>;

impl Memo {
    /// A manifest in JSON with this text; `None` when it does not parse.
    pub(super) fn json(&self, path: &str, text: &str) -> Option<Rc<Node>> {
        remembered(&self.json, path, || {
            let clean = text.trim_start_matches('\u{feff}').replace('\t', "  ");
            yaml::parse(path, &clean).ok().map(Rc::new)
        })
    }

    /// A manifest in JSON with comments and this text; `None` when it does not parse.
    pub(super) fn commented_json(&self, path: &str, text: &str) -> Option<Rc<Node>> {
        remembered(&self.json, &format!("// {path}"), || {
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let clean = lines.collect::<Vec<_>>().join("\n").replace('\t', "  ");
            yaml::parse(path, &clean).ok().map(Rc::new)
        })
    }

    /// What a file of configuration leads to, as `read` finds it.
    pub(super) fn links(&self, path: &str, read: impl FnOnce() -> Links) -> Rc<Links> {
        remembered(&self.links, path, || Rc::new(read()))
    }

    /// The packages that a file of settings names, as `read` finds it.
    pub(super) fn named_packages(&self, path: &str, read: impl FnOnce() -> Rc<Dirs>) -> Rc<Dirs> {
        remembered(&self.named_packages, path, read)
    }

    /// What was asked under a key, as `read` finds it.
    pub(super) fn asked(&self, key: &str, read: impl FnOnce() -> Asked) -> Asked {
        remembered(&self.asked, key, read)
    }

    /// What a directory holds, as `read` finds it.
    pub(super) fn kinds(&self, dir: &str, read: impl FnOnce() -> Kinds) -> Rc<Kinds> {
        remembered(&self.kinds, dir, || Rc::new(read()))
    }

    /// Directories that the members of a workspace of Cargo fit and that have no manifest,
    /// as `read` finds them.
    pub(super) fn bare_members(&self, root: &str, read: impl FnOnce() -> Rc<[Glob]>) -> Rc<[Glob]> {
        remembered(&self.bare_members, root, read)
    }

    /// The names of the packages of Node, as `read` finds them.
    pub(super) fn own_names(&self, read: impl FnOnce() -> Names) -> Rc<Names> {
        self.own_names.get_or_init(|| Rc::new(read())).clone()
    }

    /// The names under which the packages of the repository are programs, in small letters.
    pub(super) fn tools(&self, packages: &Packages) -> &FxHashSet<Box<str>> {
        self.tools.get_or_init(|| {
            let names = packages.list.iter().filter_map(|it| it.name.as_deref());
            let tools = names.filter_map(|own| {
                let mut parts = own.rsplit('/');
                let last = parts.find(|part| !(part.starts_with('v') && part.len() < 4))?;
                Some(last.replace('_', "-").to_ascii_lowercase().into())
            });
            tools.collect()
        })
    }

    /// Files with settings of eslint, as `read` finds them.
    pub(super) fn lint_settings(&self, read: impl FnOnce() -> Vec<FileId>) -> Rc<[FileId]> {
        self.lint_settings.get_or_init(|| read().into()).clone()
    }

    /// Whether there are files with rules of a linter, as `read` finds it.
    pub(super) fn has_lint_rules(&self, read: impl FnOnce() -> bool) -> bool {
        *self.has_lint_rules.get_or_init(read)
    }

    /// Files with settings of tools of Node, as `read` finds them.
    pub(super) fn settings(&self, read: impl FnOnce() -> Vec<FileId>) -> Rc<[FileId]> {
        self.settings.get_or_init(|| read().into()).clone()
    }

    /// Says that a job was judged by a text that is not there and that it did not ask
    /// for: if another job's asking brings it, the job is judged again.
    pub(super) fn peek(&self) {
        self.has_peeked.set(true);
    }

    /// Whether anything was peeked at since this was asked before.
    pub(in crate::engine) fn take_peek(&self) -> bool {
        self.has_peeked.take()
    }

    /// The paths and directories of the snapshot that are equal to a name but for the
    /// case, without the name itself.
    pub(super) fn spelled(&self, snapshot: &Snapshot, name: &str) -> Vec<Box<str>> {
        let all = self.spellings.get_or_init(|| spellings(snapshot));
        let small = in_small_letters(name);
        let start = all.partition_point(|it| it.small < small);
        let same = all.iter().skip(start).take_while(|it| it.small == small);
        let paths = same.filter_map(|it| snapshot.tree.path(it.file).get(..it.length));
        let lower = name.to_lowercase();
        let others = paths.filter(|path| *path != name && path.to_lowercase() == lower);
        others.map(Into::into).collect()
    }

    /// A manifest in TOML with this text; `None` when it does not parse.
    pub(super) fn toml(&self, path: &str, text: &str) -> Option<Rc<toml::Table>> {
        remembered(&self.tables, path, || text.parse().ok().map(Rc::new))
    }

    /// Whether the package of a directory compiles its sources, as `read` finds it.
    pub(super) fn is_compiled(&self, dir: &str, read: impl FnOnce() -> bool) -> bool {
        remembered(&self.compiled, dir, read)
    }

    /// What `pytest ARGUMENTS` collects in a directory.
    pub(super) fn pytest_files(
        &self,
        snapshot: &Snapshot,
        dir: &str,
        arguments: &[&str],
    ) -> Rc<[FileId]> {
        let key = format!("{dir}\n{}", arguments.join("\n"));
        remembered(&self.collected, &key, || {
            discover::pytest_files(snapshot, dir, arguments).into()
        })
    }
}

/// Every path and every directory once, by their names in small letters.
fn spellings(snapshot: &Snapshot) -> Vec<Spelling> {
    let mut all = Vec::new();
    let mut before = "";
    for (file, entry) in snapshot.tree.iter() {
        let path = entry.path.as_ref();
        let dirs = path.match_indices('/').map(|(at, _)| at);
        // Sorted, the files of one directory follow each other.
        let fresh = dirs.filter(|at| path.get(..=*at) != before.get(..=*at));
        all.extend(fresh.chain([path.len()]).map(|length| Spelling {
            small: in_small_letters(path.get(..length).unwrap_or_default()),
            file,
            length,
        }));
        before = path;
    }
    all.sort_by_key(|it| it.small);
    all
}

fn in_small_letters(name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    for letter in name.chars().flat_map(char::to_lowercase) {
        letter.hash(&mut hasher);
    }
    hasher.finish()
}

fn remembered<T: Clone>(known: &Remembered<T>, key: &str, read: impl FnOnce() -> T) -> T {
    if let Some(found) = known.borrow().get(key) {
        return found.clone();
    }
    let found = read();
    known.borrow_mut().insert(key.into(), found.clone());
    found
}
