//! The graph as other programs read it: the JSON of `trimtab graph`.
//!
//! Edges that stand in a file are kept apart from those that exist without being
//! written. The shape is documented in `docs/api.md`; names are added, never
//! renamed or removed.

use serde::Serialize;

use super::{EdgeKind, Graph, NodeId};
use crate::engine::tree::Snapshot;

/// A graph, with paths from the root and units by their names.
#[derive(Debug, Default, Serialize)]
pub struct Document {
    /// Who imports, includes or embeds whom.
    pub edges: Vec<(String, String)>,
    /// Who needs whom without saying so.
    pub implicit: Vec<(String, String)>,
    /// Imports that should resolve here and do not.
    pub unresolved: Vec<Unresolved>,
}

/// An import that should resolve here and does not.
#[derive(Debug, Serialize)]
pub struct Unresolved {
    /// The importing file.
    pub from: String,
    /// As it is written.
    pub specifier: String,
}

impl Document {
    /// The document of a graph over a snapshot.
    pub fn of(snapshot: &Snapshot, graph: &Graph) -> Self {
        let label = |node: NodeId| match (graph.file(node), graph.unit(node)) {
            (Some(file), _) => snapshot.tree.path(file).to_owned(),
            (None, Some(unit)) => unit.name.to_string(),
            (None, None) => String::new(),
        };
        let mut document = Self::default();
        for (from, to, kind) in graph.edges() {
            let pair = (label(from), label(to));
            match kind {
                EdgeKind::Import | EdgeKind::Type | EdgeKind::Detail | EdgeKind::Embed => {
                    document.edges.push(pair);
                }
                _ => document.implicit.push(pair),
            }
        }
        document.edges.dedup();
        let unresolved = graph.unresolved.iter().map(|it| Unresolved {
            from: snapshot.tree.path(it.from).to_owned(),
            specifier: it.specifier.to_string(),
        });
        document.unresolved.extend(unresolved);
        document
    }
}
