//! Definitions of messages, which other compilers read: which of them import which.
//!
//! Whoever compiles one names it, and the compiler reads what it imports. An import counts
//! from directories that only the call of the compiler knows, so that every file whose path
//! ends with it is meant (<https://protobuf.dev/programming-guides/proto3/#importing>).
//!
//! An edge here names nothing: a file that only others import is still nobody's where
//! nobody owns it.

use super::{Builder, EdgeKind};
use crate::engine::tree::{FileId, base_name};

/// Endings of definitions, and the word before what one imports.
const KINDS: &[(&str, &str)] = &[
    (".proto", "import"),
    (".capnp", "import"),
    (".fbs", "include"),
    (".thrift", "include"),
];

/// Adds the edges between definitions.
pub(super) fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    for (file, entry) in snapshot.tree.iter() {
        let kind = KINDS.iter().find(|(end, _)| entry.path.ends_with(end));
        let Some((_, word)) = kind else {
            continue;
        };
        let text = snapshot.text_of(entry.blob).unwrap_or_default();
        for path in imports(text, word) {
            let named = snapshot.tree.named(base_name(path));
            let fits = |whole: &str| {
                let rest = whole.strip_suffix(path);
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            };
            let found = named.filter(|(_, other)| fits(&other.path));
            let found: Vec<FileId> = found.map(|(other, _)| other).collect();
            for other in found {
                builder.edge(file, other, EdgeKind::Import);
            }
        }
    }
}

/// The paths that a definition imports. What stands in a comment counts as well.
fn imports<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(word).skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        let words = ["public", "weak", "option"];
        let rest = words
            .iter()
            .find_map(|word| rest.strip_prefix(word))
            .unwrap_or(rest);
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        let path = rest.get(1..)?.split(quote).next()?;
        Some(path.trim_start_matches('/')).filter(|path| !path.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_definition_needs_what_it_imports_from_any_directory() {
        let snapshot = sample::snapshot(&[
            (
                "proto/a.proto",
                "syntax = \"proto3\";\nimport \"deep/b.proto\";\nimport public 'c.proto';\n",
            ),
            (
                "proto/deep/b.proto",
                "import weak \"google/none.proto\"; import \"\";",
            ),
            ("fbs/a.fbs", "include \"b.fbs\";"),
            ("fbs/b.fbs", ""),
            ("other/c.proto", ""),
            ("other/xc.proto", ""),
        ]);
        let graph = sample::graph(&snapshot, &[resolve]);
        assert_eq!(
            sample::reached(&snapshot, &graph, "proto/a.proto"),
            "other/c.proto\nproto/a.proto\nproto/deep/b.proto"
        );
        assert_eq!(
            sample::reached(&snapshot, &graph, "fbs/a.fbs"),
            "fbs/a.fbs\nfbs/b.fbs"
        );
    }
}
