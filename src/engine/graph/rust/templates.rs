//! Templates that are compiled in, where settings say in which directories they lie.
//!
//! A template extends and includes others by name, so that all of a directory count. The
//! one that needs no settings is a fact of the file that names a template; the settings of
//! each library have another form, of which only the names of directories matter.

use super::cargo::Package;
use super::{Builder, EdgeKind, NodeId};
use crate::engine::sources::TEMPLATE_SETTINGS;
use crate::engine::tree::join;

/// Connects the code of a package with the templates that its settings lead to.
pub(super) fn connect(builder: &mut Builder<'_>, code: NodeId, package: &Package) {
    let snapshot = builder.snapshot;
    for name in TEMPLATE_SETTINGS {
        let path = join(&package.dir, name).unwrap_or_default();
        let Some(file) = snapshot.tree.find(&path) else {
            continue;
        };
        builder.edge(code, file, EdgeKind::Config);
        let text = snapshot.text(&path).unwrap_or_default();
        let is_end = |c: char| c.is_whitespace() || "\"'[]{}(),=:#".contains(c);
        for word in text.split(is_end).filter(|word| !word.is_empty()) {
            let dir = join(&package.dir, word);
            let Some(dir) = dir.filter(|dir| !dir.is_empty() && *dir != package.dir) else {
                continue;
            };
            for (target, _) in snapshot.tree.under(&dir) {
                builder.edge(code, target, EdgeKind::Widened);
            }
        }
    }
}
