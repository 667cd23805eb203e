//! The graph as other programs read it: the JSON of `trimtab graph`.
//!
//! Edges that stand in a file are kept apart from those that exist without being
//! written. The shape is documented in `docs/api.md`; names are added, never
//! renamed or removed.

use serde::Serialize;

use super::{EdgeKind, Graph, NodeId};
use crate::engine::tree::Tree;

/// A graph, with paths from the root and units by their names.
#[derive(Debug, Default, Serialize)]
pub struct Document<'g> {
    /// Who imports, includes or embeds whom.
    pub edges: Vec<(&'g str, &'g str)>,
    /// Who needs whom without saying so.
    pub implicit: Vec<(&'g str, &'g str)>,
    /// Imports that should resolve here and do not.
    pub unresolved: Vec<Unresolved<'g>>,
}

/// An import that should resolve here and does not.
#[derive(Debug, Serialize)]
pub struct Unresolved<'g> {
    /// The importing file.
    pub from: &'g str,
    /// As it is written.
    pub specifier: &'g str,
}

impl<'g> Document<'g> {
    /// The document of a graph over a tree.
    pub fn of(tree: &'g Tree, graph: &'g Graph) -> Self {
        let label = |node: NodeId| match (graph.file(node), graph.unit(node)) {
            (Some(file), _) => tree.path(file),
            (None, Some(unit)) => &*unit.name,
            (None, None) => "",
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
            from: tree.path(it.from),
            specifier: &it.specifier,
        });
        document.unresolved.extend(unresolved);
        document
    }
}
