//! Files that `//go:embed` compiles in.
//!
//! A pattern is matched as `path.Match` does, from the directory of the package;
//! a directory brings everything below it. Hidden files are taken even where the
//! go command leaves them out: an edge too many is only a cost.

use crate::engine::globs::{self, Glob};
use crate::engine::graph::{Builder, EdgeKind};
use crate::engine::tree::{FileId, join};

/// Adds an edge to every file that a pattern embeds.
pub(super) fn connect(builder: &mut Builder<'_>, file: FileId, dir: &str, pattern: &str) {
    let snapshot = builder.snapshot;
    let tree = &snapshot.tree;
    let pattern = pattern.strip_prefix("all:").unwrap_or(pattern);
    let Some(wanted) = join(dir, pattern) else {
        builder.unresolved(file, pattern);
        return;
    };
    let mut found: Vec<FileId> = Vec::new();
    if let Some(target) = tree.find(&wanted) {
        found.push(target);
    } else if tree.has_dir(&wanted) || wanted == dir {
        found.extend(tree.under(&wanted).map(|(target, _)| target));
    } else if let Some(glob) = Glob::join(dir, pattern)
        && let Ok(matcher) = globs::compile(&glob)
    {
        let depth = wanted.split('/').count();
        for (target, entry) in tree.under(&glob.parts().0) {
            // A match may be a directory above the file.
            let end = entry.path.match_indices('/').nth(depth - 1);
            let head = end.map_or(entry.path.as_ref(), |(end, _)| {
                entry.path.get(..end).unwrap_or_default()
            });
            if matcher.is_match(head) {
                found.push(target);
            }
        }
    }
    if found.is_empty() {
        builder.unresolved(file, pattern);
    }
    for target in found {
        builder.edge(file, target, EdgeKind::Embed);
    }
}
