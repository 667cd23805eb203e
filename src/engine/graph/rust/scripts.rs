//! Directories that build scripts name.
//!
//! A script puts the paths of what it reads together from its directories, in ways that
//! nobody follows: `Path::new("csrc").join(name).with_extension("c")`. So a directory of
//! the package that a script names by a literal is read as a whole. What a script declares
//! as a module is part of it.

use std::collections::BTreeSet;

use super::cargo::Package;
use super::modules::{self, Place};
use super::{Builder, EdgeKind};
use crate::engine::facts::ImportKind;
use crate::engine::tree::{FileId, join};

/// Connects the build scripts of all packages with what they name.
pub(super) fn connect(builder: &mut Builder<'_>, packages: &[Package]) {
    for package in packages {
        for file in files(builder, package) {
            connect_file(builder, file, package);
        }
    }
}

/// The build scripts of a package, with the modules that they declare.
fn files(builder: &Builder<'_>, package: &Package) -> BTreeSet<FileId> {
    let snapshot = builder.snapshot;
    let mut open: Vec<FileId> = (package.scripts.iter())
        .filter_map(|path| snapshot.tree.find(path))
        .collect();
    let mut done = BTreeSet::new();
    while let Some(file) = open.pop() {
        let facts = snapshot.facts(file).filter(|_| done.insert(file));
        let place = Place {
            file,
            path: snapshot.tree.path(file),
            package: &package.dir,
        };
        let imports = facts.into_iter().flat_map(|facts| &facts.imports);
        for import in imports {
            match import.kind {
                ImportKind::Module => open.extend(modules::files(&snapshot.tree, place, import)),
                ImportKind::Embed => open.extend(super::embedded(&snapshot.tree, place, import)),
                _ => {}
            }
        }
    }
    done
}

fn connect_file(builder: &mut Builder<'_>, file: FileId, package: &Package) {
    let snapshot = builder.snapshot;
    let facts = snapshot.facts(file);
    for literal in facts.into_iter().flat_map(|facts| &facts.literals) {
        let dir = join(&package.dir, literal.trim_end_matches('/'));
        let Some(dir) = dir.filter(|dir| !dir.is_empty() && *dir != package.dir) else {
            continue;
        };
        for (target, _) in snapshot.tree.under(&dir) {
            builder.edge(file, target, EdgeKind::Widened);
        }
    }
}
