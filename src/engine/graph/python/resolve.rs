//! From what a source says to the files that it needs.
//!
//! A file needs what it imports (`imports`), what Python and pytest load around it
//! without a word of its own (`unwritten`), and what its strings name (`named`). What
//! cannot be resolved is recorded: as a package from outside, as unresolved, or as a
//! construct that may load anything.

use rustc_hash::FxHashMap;

use super::around::{Around, Program, programs};
use super::discover::Pytest;
use super::manifest;
use super::modules::{DirId, Modules};
use crate::engine::facts::{Language, Reach, When};
use crate::engine::graph::{Builder, EdgeKind, Widening};
use crate::engine::tree::{FileId, dir_of};

mod imports;
mod named;
#[cfg(test)]
mod tests;
mod unwritten;

/// Adds the edges of Python.
pub fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let is_python = |path: &str| Language::of_path(path) == Some(Language::Python);
    if !snapshot
        .tree
        .iter()
        .any(|(_, entry)| is_python(&entry.path))
    {
        return;
    }
    let manifests = manifest::read(snapshot);
    let mut resolver = Resolver {
        modules: Modules::new(&snapshot.tree, &manifests),
        around: Around::new(builder, &manifests),
        pytest: Pytest::new(&manifests),
        contexts: FxHashMap::default(),
        programs: programs(builder, &manifests),
        builder,
    };
    for (file, entry) in snapshot.tree.iter() {
        if is_python(&entry.path) {
            resolver.file(file, &entry.path);
        }
    }
    for manifest in &manifests {
        for module in &manifest.modules {
            resolver.by_name(manifest.file, manifest.dir, module, EdgeKind::Implicit);
        }
    }
}

struct Resolver<'b, 'a, 'm> {
    builder: &'b mut Builder<'a>,
    modules: Modules<'a>,
    around: Around<'a>,
    pytest: Pytest<'m>,
    /// Directories from which files of a directory import beside the roots.
    contexts: FxHashMap<DirId, Vec<DirId>>,
    programs: FxHashMap<Box<str>, Vec<Program>>,
}

/// Where an import stands.
#[derive(Clone, Copy)]
struct Site<'p> {
    file: FileId,
    path: &'p str,
    dir: DirId,
}

impl Resolver<'_, '_, '_> {
    fn file(&mut self, file: FileId, path: &str) {
        let Some(dir) = self.modules.dir_id(dir_of(path)) else {
            return;
        };
        let site = Site { file, path, dir };
        self.implicit(site);
        let Some(facts) = self.builder.snapshot.facts(file) else {
            return;
        };
        for import in &facts.imports {
            self.import(site, import);
        }
        for literal in &facts.literals {
            self.literal(site, literal);
        }
        self.builder.widen_as(file, facts);
        if facts.broken {
            self.builder.widen(Widening {
                when: When::Used,
                file,
                reach: Reach::Package,
                what: "a syntax error".into(),
                line: 1,
            });
        }
    }
}
