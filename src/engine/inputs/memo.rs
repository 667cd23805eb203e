//! What many commands of many jobs ask of the same files, read once.
//!
//! A memo belongs to one snapshot with the texts that it has: a file that was not
//! read yet is not remembered. It changes how often something is parsed, never what
//! is found.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::engine::graph::python::discover;
use crate::engine::tree::{FileId, Snapshot};
use crate::engine::yaml::{self, Node};

/// Parsed files of one snapshot.
#[derive(Debug, Default)]
pub struct Memo {
    json: Remembered<Option<Rc<Node>>>,
    tables: Remembered<Option<Rc<toml::Table>>>,
    collected: Remembered<Rc<[FileId]>>,
    compiled: Remembered<bool>,
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

fn remembered<T: Clone>(known: &Remembered<T>, key: &str, read: impl FnOnce() -> T) -> T {
    if let Some(found) = known.borrow().get(key) {
        return found.clone();
    }
    let found = read();
    known.borrow_mut().insert(key.into(), found.clone());
    found
}
