//! Small repositories for the tests of resolvers, and graphs as text.
//!
//! A repository is a list of paths with their texts; edges are printed one a line,
//! so that a test says exactly what it expects.

use std::sync::Arc;

use super::{Builder, EdgeKind, Graph};
use crate::engine::facts::{Facts, Language};
use crate::engine::ids::ObjectId;
use crate::engine::packages::Packages;
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};

/// A snapshot of the files, with facts by the given extractor and every text.
pub(super) fn snapshot(
    files: &[(&str, &str)],
    language: Language,
    extract: fn(&str, &str) -> Facts,
) -> Snapshot {
    let blob = |index: usize| {
        let mut bytes = [0_u8; 20];
        bytes[..8].copy_from_slice(&(index as u64 + 1).to_be_bytes());
        ObjectId::from_bytes(&bytes).unwrap()
    };
    let entry = |(index, (path, _)): (usize, &(&str, &str))| Entry {
        path: (*path).into(),
        mode: Mode::File,
        blob: blob(index),
    };
    let mut snapshot = Snapshot::new(Tree::new(files.iter().enumerate().map(entry).collect()));
    for (index, (path, text)) in files.iter().enumerate() {
        snapshot.insert_text(blob(index), Arc::from(*text));
        if Language::of_path(path) == Some(language) {
            snapshot.insert_facts(blob(index), language, Arc::new(extract(path, text)));
        }
    }
    snapshot
}

/// The graph that one resolver makes of a snapshot.
pub(super) fn graph(snapshot: &Snapshot, resolve: fn(&mut Builder<'_>)) -> Graph {
    let packages = Packages::read(snapshot);
    let mut builder = Builder::new(snapshot, &packages);
    resolve(&mut builder);
    builder.finish()
}

/// What `from` needs by edges of the kinds, as `kind path` lines; then its
/// externals, what it could not resolve and its widenings.
pub(super) fn needs(snapshot: &Snapshot, graph: &Graph, from: &str, kinds: &[EdgeKind]) -> String {
    let file = snapshot.tree.find(from).unwrap();
    let edges = graph.needs(file.into()).iter();
    let mut lines: Vec<String> = edges
        .filter(|(_, kind)| kinds.is_empty() || kinds.contains(kind))
        .map(|(to, kind)| {
            format!(
                "{} {}",
                kind.as_str(),
                snapshot.tree.path(graph.file(*to).unwrap())
            )
        })
        .collect();
    lines.extend(
        graph
            .externals_of(file)
            .map(|name| format!("external {name}")),
    );
    let unresolved = graph.unresolved.iter().filter(|found| found.from == file);
    lines.extend(unresolved.map(|found| format!("unresolved {}", found.specifier)));
    let widenings = graph.widenings.iter().filter(|found| found.file == file);
    lines.extend(
        widenings.map(|found| format!("widened {}:{} {:?}", found.what, found.line, found.reach)),
    );
    lines.join("\n")
}
