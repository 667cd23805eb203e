//! What a test needs without naming it: mocks, snapshots, settings and setup files.
//!
//! Settings are needed by every test below them, and they need in turn the files
//! that they name.

use std::collections::BTreeMap;

use super::aliases::{Settings, runner_of};
use super::discover::Rules;
use super::files::{Files, split};
use super::tsconfig::Configs;
use crate::engine::graph::{Builder, EdgeKind};
use crate::engine::tree::{FileId, Tree, base_name, dir_of};

/// Adds the edges.
pub(super) fn resolve(
    builder: &mut Builder<'_>,
    settings: &[Settings],
    files: &Files<'_>,
    configs: &Configs,
) {
    let tree = &builder.snapshot.tree;
    let rules = Rules::new(settings);
    let governing = governing(tree);
    let mocks = mocks(builder, files);
    for (file, entry) in tree.iter() {
        let path = entry.path.as_ref();
        if path.ends_with(".snap") {
            if let Some(test) = tested_by(tree, path) {
                builder.edge(test, file, EdgeKind::Implicit);
            }
        } else if rules.is_test(path) {
            for dir in ancestors(dir_of(path)) {
                for config in governing.get(dir).into_iter().flatten() {
                    builder.edge(file, *config, EdgeKind::Config);
                }
                for mock in mocks.get(dir).into_iter().flatten() {
                    builder.edge(file, *mock, EdgeKind::Implicit);
                }
            }
        }
    }
    for settings in settings {
        named_files(builder, settings, files);
    }
    for (from, to) in &configs.links {
        builder.edge(*from, *to, EdgeKind::Config);
    }
}

/// A directory and all above it, the root last.
pub(super) fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)))
}

/// Configuration files by directory.
fn governing(tree: &Tree) -> BTreeMap<&str, Vec<FileId>> {
    let mut governing: BTreeMap<&str, Vec<FileId>> = BTreeMap::new();
    for (file, entry) in tree.iter() {
        let name = base_name(&entry.path);
        let is_compiler = |name: &str| {
            [
                ".babelrc",
                "babel.config",
                ".swcrc",
                "tsconfig",
                "jsconfig",
                "svelte.config",
            ]
            .iter()
            .any(|stem| name.starts_with(stem))
        };
        if name == "package.json" || runner_of(name).is_some() || is_compiler(name) {
            governing.entry(dir_of(&entry.path)).or_default().push(file);
        }
    }
    governing
}

/// Files in `__mocks__`: one beside a module is needed by that module, the others
/// stand for packages and are needed by every test below.
fn mocks<'a>(builder: &mut Builder<'a>, files: &Files<'_>) -> BTreeMap<&'a str, Vec<FileId>> {
    let tree = &builder.snapshot.tree;
    let mut loose: BTreeMap<&'a str, Vec<FileId>> = BTreeMap::new();
    for (mock, entry) in tree.iter() {
        let path = entry.path.as_ref();
        let (dir, name) = match path.split_once("__mocks__/") {
            Some((dir, name)) => (dir.trim_end_matches('/'), name),
            None => continue,
        };
        let stem = split(name).map_or(name, |(stem, _)| stem);
        let module = if dir.is_empty() {
            stem.to_owned()
        } else {
            format!("{dir}/{stem}")
        };
        let mut modules = files.file(&module);
        modules.extend(files.index(&module));
        if modules.is_empty() {
            loose.entry(dir).or_default().push(mock);
        }
        for module in modules {
            builder.edge(module, mock, EdgeKind::Implicit);
        }
    }
    loose
}

/// `a/__snapshots__/x.test.ts.snap` belongs to `a/x.test.ts`.
fn tested_by(tree: &Tree, snapshot: &str) -> Option<FileId> {
    let dir = dir_of(snapshot);
    let name = base_name(snapshot).strip_suffix(".snap")?;
    let above = dir.strip_suffix("__snapshots__")?;
    tree.find(&format!("{above}{name}"))
}

/// The files that settings name: setup files, reporters, environments, presets.
fn named_files(builder: &mut Builder<'_>, settings: &Settings, files: &Files<'_>) {
    for text in settings.value.texts() {
        let is_path = text.starts_with('.') || text.starts_with("<rootDir>") || text.contains('/');
        if !is_path || text.contains('*') {
            continue;
        }
        let Some(path) = settings.place(text) else {
            continue;
        };
        for file in files.file(&path) {
            builder.edge(settings.file, file, EdgeKind::Implicit);
        }
    }
}
