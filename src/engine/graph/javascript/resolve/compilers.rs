//! What the settings of compilers load: presets, plugins and settings of the repository.
//!
//! Only names that are paths, or that packages of the repository have, count: what comes
//! from outside is a matter of the lockfile.

use super::super::files::split;
use super::super::value::{Value, exported, json};
use super::{Resolver, split_package};
use crate::engine::facts::{Import, ImportKind};
use crate::engine::tree::{Entry, FileId, dir_of};

/// Whether a file configures a compiler that loads modules by name.
pub(super) fn is_settings(name: &str) -> bool {
    [".babelrc", "babel.config.", ".swcrc"]
        .iter()
        .any(|stem| name.starts_with(stem))
}

impl Resolver<'_, '_> {
    /// The presets, plugins and settings of the repository that babel and swc are told
    /// to load (<https://babeljs.io/docs/options#name-normalization>).
    pub(super) fn compiler(&mut self, file: FileId, entry: &Entry) {
        let Some(text) = self.builder.snapshot.text_of(entry.blob) else {
            return;
        };
        let value = match split(&entry.path) {
            Some((_, "js" | "cjs" | "mjs" | "ts" | "cts" | "mts")) => exported(&entry.path, text),
            _ => json(text),
        };
        let dir = dir_of(&entry.path);
        for text in value.iter().flat_map(Value::texts) {
            let name = text.trim_start_matches("module:");
            let bare = split_package(name).0;
            let is_own = name.starts_with('.')
                || self.workspace.named(bare).1
                || self.workspace.linked(dir, bare).is_some();
            if is_own {
                let import = Import {
                    specifier: name.into(),
                    names: Vec::new(),
                    kind: ImportKind::Require,
                    line: 1,
                };
                self.import(file, dir, &import);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::graph::sample;

    fn check(files: &[(&str, &str)], from: &str, expected: &str) {
        let snapshot = sample::snapshot(files);
        let graph = sample::graph(&snapshot, &[super::super::resolve]);
        let found = sample::reached(&snapshot, &graph, from);
        assert_eq!(found.replace('\n', " "), expected);
    }

    const B: &[(&str, &str)] = &[
        ("package.json", r#"{"workspaces": ["a", "b"]}"#),
        ("b/index.js", ""),
        ("b/package.json", r#"{"name": "b"}"#),
        ("b/tsconfig.json", "{}"),
        ("a/x.ts", ""),
    ];

    #[test]
    fn presets_of_the_repository_are_loaded() {
        for (name, text) in [
            (".babelrc", r#"{"presets": ["../b"]}"#),
            (".babelrc", r#"{"plugins": [["b", {}]]}"#),
            (
                "babel.config.js",
                "module.exports = {extends: '../b/index.js', plugins: ['b']}",
            ),
        ] {
            let path = format!("a/{name}");
            let mut files = B.to_vec();
            files.push((&path, text));
            check(&files, &path, &format!("{path} b/index.js b/package.json"));
        }
    }

    #[test]
    fn a_configuration_may_extend_that_of_a_package() {
        for target in ["b/tsconfig.json", "b/tsconfig", "b"] {
            let text = format!(r#"{{"extends": ["{target}"]}}"#);
            let mut files = B.to_vec();
            files.push(("a/tsconfig.json", &text));
            check(&files, "a/tsconfig.json", "a/tsconfig.json b/tsconfig.json");
        }
    }
}
