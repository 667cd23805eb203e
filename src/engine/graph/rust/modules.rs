//! Which files the modules and uses of a Rust file mean.
//!
//! Inside a unit these edges only explain. A `mod` that leads out of its unit
//! (`#[path = "../shared.rs"]`) decides.

use crate::engine::facts::{Facts, Import};
use crate::engine::graph::{Builder, EdgeKind, NodeId};
use crate::engine::tree::{FileId, Tree, base_name, dir_of, join};

/// A file among the modules of its package.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The file.
    pub file: FileId,
    /// Its path.
    pub path: &'a str,
    /// The directory of its package.
    pub package: &'a str,
}

impl Place<'_> {
    /// The directory in which the file's child modules lie.
    fn children(&self) -> String {
        let (dir, name) = (dir_of(self.path), base_name(self.path));
        let below = dir.strip_prefix(self.package).unwrap_or(dir);
        let is_root = matches!(name, "mod.rs" | "lib.rs" | "main.rs" | "build.rs")
            || matches!(
                below.trim_start_matches('/'),
                "" | "tests" | "benches" | "examples" | "src/bin"
            );
        if is_root {
            dir.to_owned()
        } else {
            let stem = self.path.strip_suffix(".rs").unwrap_or(self.path);
            stem.to_owned()
        }
    }

    /// The directory at which `crate::` begins.
    fn root(&self) -> String {
        let src = join(self.package, "src").unwrap_or_default();
        if self
            .path
            .strip_prefix(&src)
            .is_some_and(|rest| rest.starts_with('/'))
        {
            src
        } else {
            dir_of(self.path).to_owned()
        }
    }
}

/// Connects a file with the files of the modules that it declares; `unit_of`
/// tells the unit of a file.
pub(super) fn declare(
    builder: &mut Builder<'_>,
    place: Place<'_>,
    import: &Import,
    unit_of: impl Fn(FileId) -> Option<NodeId>,
) {
    let found = files(&builder.snapshot.tree, place, import);
    if found.is_empty() {
        builder.unresolved(place.file, format!("mod {}", import.specifier));
    }
    for target in found {
        let is_inside = unit_of(target) == unit_of(place.file);
        let kind = if is_inside {
            EdgeKind::Detail
        } else {
            EdgeKind::Import
        };
        builder.edge(place.file, target, kind);
    }
}

/// The files that a declared module may be.
pub(super) fn files(tree: &Tree, place: Place<'_>, import: &Import) -> Vec<FileId> {
    let children = place.children();
    let dir = dir_of(place.path);
    let mut found: Vec<FileId> = Vec::new();
    if import.names.is_empty() {
        for base in [children.as_str(), dir] {
            found.extend(module(tree, &format!("{base}/{}", import.specifier)));
            if !found.is_empty() {
                break;
            }
        }
    }
    let outer = dir_of(&import.specifier);
    for path in &import.names {
        let below = join(&children, outer).unwrap_or_default();
        let candidates = [join(dir, path), join(&below, path)];
        found.extend(
            candidates
                .iter()
                .flatten()
                .filter_map(|path| tree.find(path)),
        );
        // A conditional `#[path]` leaves the usual place open.
        found.extend(module(tree, &format!("{children}/{}", import.specifier)));
    }
    found
}

/// Connects a file with what its uses name: files of its own package, and units of
/// others, which `unit` finds by the name in the code.
pub(super) fn explain(
    builder: &mut Builder<'_>,
    place: Place<'_>,
    facts: &Facts,
    unit: impl Fn(&str) -> Option<NodeId>,
) {
    let (children, root) = (place.children(), place.root());
    let statics = facts
        .imports
        .iter()
        .filter(|import| import.kind == crate::engine::facts::ImportKind::Static);
    for import in statics {
        let (first, rest) = import
            .specifier
            .split_once("::")
            .unwrap_or((&import.specifier, ""));
        let base = match first {
            "crate" => Some((root.as_str(), rest)),
            "self" => Some((children.as_str(), rest)),
            "super" => Some(climb(&children, rest)),
            _ => None,
        };
        let tree = &builder.snapshot.tree;
        match base {
            Some((base, rest)) => {
                if let Some(target) = deepest(tree, base, rest) {
                    builder.edge(place.file, target, EdgeKind::Detail);
                }
            }
            None => {
                if let Some(unit) = unit(first) {
                    builder.edge(place.file, unit, EdgeKind::Detail);
                }
            }
        }
    }
}

fn climb<'p>(children: &'p str, rest: &'p str) -> (&'p str, &'p str) {
    let (mut base, mut rest) = (dir_of(children), rest);
    while let Some(more) = rest.strip_prefix("super::") {
        (base, rest) = (dir_of(base), more);
    }
    (base, rest)
}

/// The file of the longest beginning of a path of modules.
fn deepest(tree: &Tree, base: &str, path: &str) -> Option<FileId> {
    let mut path = path.replace("::", "/");
    while !path.is_empty() {
        if let Some(found) = module(tree, &format!("{base}/{path}")) {
            return Some(found);
        }
        path.truncate(path.rfind('/').unwrap_or(0));
    }
    None
}

fn module(tree: &Tree, stem: &str) -> Option<FileId> {
    let stem = stem.trim_start_matches('/');
    tree.find(&format!("{stem}.rs"))
        .or_else(|| tree.find(&format!("{stem}/mod.rs")))
}
