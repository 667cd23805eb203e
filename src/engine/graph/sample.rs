//! Small repositories for tests of the graph, written as paths and texts.
//!
//! A check names nodes as people do: files by path, units by name. Graphs are shown
//! as text, one edge a line, so that a test says exactly what it expects.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{Builder, EdgeKind, Graph, NodeId};
use crate::engine::facts::{Facts, Language};
use crate::engine::ids::ObjectId;
use crate::engine::packages::Packages;
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};

/// A snapshot in which every text is kept and every source is read. A text of
/// `-> TARGET` makes a symbolic link.
pub(crate) fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let blob = |text: &str| ObjectId::from_bytes(&Sha256::digest(text.as_bytes())).unwrap();
    let entries = files.iter().map(|(path, text)| Entry {
        path: (*path).into(),
        mode: if text.starts_with("-> ") {
            Mode::Symlink
        } else {
            Mode::File
        },
        blob: blob(text),
    });
    let texts: HashMap<ObjectId, &str> = files.iter().map(|(_, it)| (blob(it), *it)).collect();
    let tree = Tree::new(entries.collect());
    let tree = tree.following(|blob| texts.get(&blob)?.strip_prefix("-> "));
    let mut snapshot = Snapshot::new(tree.clone());
    for (_, entry) in tree.iter().filter(|(_, it)| it.mode == Mode::File) {
        let (path, text) = (&*entry.path, texts[&entry.blob]);
        snapshot.insert_text(entry.blob, Arc::from(text));
        if let Some(language) = Language::of_path(path) {
            snapshot.insert_facts(entry.blob, language, Arc::new(read(language, path, text)));
        }
    }
    snapshot
}

/// The graph that some resolvers make of a snapshot.
pub(crate) fn graph(snapshot: &Snapshot, resolve: &[fn(&mut Builder<'_>)]) -> Graph {
    let packages = Packages::read(snapshot);
    let mut builder = Builder::new(snapshot, &packages);
    for resolve in resolve {
        resolve(&mut builder);
    }
    builder.finish()
}

/// What code opens, as `base pattern`, and what reaches further.
pub(crate) fn opened(facts: &Facts) -> String {
    let opened = facts.opened.iter();
    let opened = opened.map(|it| format!("{:?} {}", it.base, it.pattern));
    let dynamic = facts.dynamic.iter().map(|it| format!("{:?}!", it.reach));
    opened.chain(dynamic).collect::<Vec<_>>().join(", ")
}

/// A node as people name it.
pub(crate) fn name(snapshot: &Snapshot, graph: &Graph, node: NodeId) -> String {
    match (graph.file(node), graph.unit(node)) {
        (Some(file), _) => snapshot.tree.path(file).to_owned(),
        (None, Some(unit)) => unit.name.to_string(),
        (None, None) => format!("no node {}", node.0),
    }
}

/// The node of a name.
pub(crate) fn node(snapshot: &Snapshot, graph: &Graph, wanted: &str) -> NodeId {
    (0..u32::try_from(graph.len()).unwrap())
        .map(NodeId)
        .find(|node| name(snapshot, graph, *node) == wanted)
        .unwrap_or_else(|| panic!("no node is named {wanted}"))
}

/// The files in the closure of a node, one a line.
pub(crate) fn reached(snapshot: &Snapshot, graph: &Graph, from: &str) -> String {
    let closure = graph.closure([node(snapshot, graph, from)]);
    let files = closure.nodes().filter_map(|node| graph.file(node));
    let paths: Vec<&str> = files.map(|file| snapshot.tree.path(file)).collect();
    paths.join("\n")
}

/// The edges of one kind, one a line.
pub(crate) fn edges(snapshot: &Snapshot, graph: &Graph, wanted: EdgeKind) -> String {
    let edges = graph.edges().filter(|(_, _, kind)| *kind == wanted);
    let shown = |node| name(snapshot, graph, node);
    let lines: Vec<String> = edges
        .map(|(from, to, _)| format!("{} -> {}", shown(from), shown(to)))
        .collect();
    lines.join("\n")
}

/// What is imported from outside, one a line.
pub(crate) fn externals(snapshot: &Snapshot, graph: &Graph) -> String {
    let lines: Vec<String> = graph
        .externals
        .iter()
        .map(|(file, name)| format!("{}: {name}", snapshot.tree.path(*file)))
        .collect();
    lines.join("\n")
}

/// What `from` needs by edges of the kinds, as `kind path` lines; then its
/// externals, what it could not resolve and its widenings.
pub(crate) fn needs(snapshot: &Snapshot, graph: &Graph, from: &str, kinds: &[EdgeKind]) -> String {
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

fn read(language: Language, path: &str, text: &str) -> Facts {
    match language {
        Language::Python => super::python::extract(path, text),
        Language::JavaScript => super::javascript::extract(path, text),
        Language::Go => super::golang::extract(path, text),
        Language::Rust => super::rust::extract(path, text),
        Language::Java | Language::Kotlin => super::jvm::extract(path, text),
        Language::C => super::c::extract(path, text),
    }
}
