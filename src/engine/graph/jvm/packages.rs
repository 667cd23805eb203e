//! Which files the imports of a Java or Kotlin file mean: edges that only explain.

use rustc_hash::FxHashMap;

use super::is_source;
use crate::engine::facts::Import;
use crate::engine::graph::{Builder, EdgeKind};
use crate::engine::tree::{FileId, base_name};

/// A package with more files than this is not drawn file by file for one import.
const MAX_FILES: usize = 64;

/// Adds an edge from every file to those that its imports name.
pub(super) fn explain(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let mut packages: FxHashMap<&str, Vec<FileId>> = FxHashMap::default();
    let mut classes: FxHashMap<(&str, &str), Vec<FileId>> = FxHashMap::default();
    let mut importers = Vec::new();
    for (file, entry) in snapshot.tree.iter() {
        if !is_source(&entry.path) {
            continue;
        }
        let Some(facts) = snapshot.facts(file) else {
            continue;
        };
        let package = facts.package.as_deref().unwrap_or_default();
        let stem = base_name(&entry.path);
        let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
        packages.entry(package).or_default().push(file);
        classes.entry((package, stem)).or_default().push(file);
        importers.push((file, facts));
    }
    for (file, facts) in importers {
        for import in &facts.imports {
            for target in targets(import, &packages, &classes) {
                builder.edge(file, *target, EdgeKind::Detail);
            }
        }
    }
}

/// The longest beginning of the import that is a package decides; what follows is a
/// class with a file of its own, or something that any file of the package holds.
fn targets<'m>(
    import: &'m Import,
    packages: &'m FxHashMap<&'m str, Vec<FileId>>,
    classes: &'m FxHashMap<(&'m str, &'m str), Vec<FileId>>,
) -> &'m [FileId] {
    let whole: &str = &import.specifier;
    let few = |files: &'m Vec<FileId>| {
        let files = files.as_slice();
        if files.len() <= MAX_FILES { files } else { &[] }
    };
    if !import.names.is_empty()
        && let Some(files) = packages.get(whole)
    {
        return few(files);
    }
    let mut package = whole;
    while let Some((above, rest)) = package.rsplit_once('.') {
        package = above;
        let Some(files) = packages.get(package) else {
            continue;
        };
        return match classes.get(&(package, rest)) {
            Some(files) => files,
            None => few(files),
        };
    }
    &[]
}
