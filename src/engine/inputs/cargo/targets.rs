//! Which sources of a crate its library and programs are built of.
//!
//! Cargo looks for them in usual places, and a manifest may say others. What lies where
//! tests lie, or beside them, is not told apart: then the whole crate counts.

use crate::engine::globs::Glob;
use crate::engine::inputs::walk::{Walk, below};
use crate::engine::packages::Ecosystem;
use crate::engine::tree::{dir_of, join};

/// The directories of a package in which Cargo looks for tests and their like.
const TESTS: [&str; 3] = ["tests", "benches", "examples"];

impl Walk<'_> {
    /// Globs of sources by which the library and the programs of a crate are entered,
    /// without its tests; `None` where they cannot be told apart.
    pub(super) fn code_of(&self, dir: &str) -> Option<Vec<Glob>> {
        let manifest = join(dir, "Cargo.toml")?;
        let text = self.context.snapshot.text(&manifest)?;
        let table = self.context.memo.toml(&manifest, text)?;
        let head = table.get("package").and_then(toml::Value::as_table)?;
        let is_plain = |build: &toml::Value| build.is_str() || build.as_bool() == Some(false);
        if text.contains("doc-scrape-examples") || !head.get("build").is_none_or(is_plain) {
            return None;
        }
        let code = declared(&table, dir, &["lib", "bin"])?;
        let apart = declared(&table, dir, &["test", "bench", "example"])?;
        for path in &code {
            let is_found = self.has_file(path) && self.is_of_crate(path, dir);
            let is_beside = |other: &String| {
                let other = dir_of(other);
                is_at_or_below(dir_of(path), other) || is_at_or_below(other, dir_of(path))
            };
            // Beside the manifest the code lies, whatever else does.
            let mut others = apart.iter().filter(|it| dir_of(it) != dir);
            let below = path.get(dir.len()..)?.trim_start_matches('/');
            let first = below.split('/').next().unwrap_or_default();
            let is_usual = first == "src";
            if !is_found || TESTS.contains(&first) || !is_usual && others.any(is_beside) {
                return None;
            }
        }
        let usual = ["src/**/*.rs", "*.rs", "Cargo.toml"];
        let usual = usual.iter().map(|name| below(dir, name));
        let declared = code.iter().map(|path| Glob::path(path));
        Some(usual.chain(declared).collect())
    }

    /// Whether a path lies in a crate, and in none below it.
    fn is_of_crate(&self, path: &str, dir: &str) -> bool {
        let owner = self.context.packages.owner_in(path, Ecosystem::Cargo);
        owner.is_some_and(|package| &*package.dir == dir)
    }
}

/// The paths that a manifest says of targets of some kinds; `None` where one leaves the
/// repository.
fn declared(table: &toml::Table, dir: &str, kinds: &[&str]) -> Option<Vec<String>> {
    let mut paths = Vec::new();
    for kind in kinds {
        let targets = match table.get(*kind) {
            Some(toml::Value::Array(targets)) => targets.as_slice(),
            Some(target) => std::slice::from_ref(target),
            None => &[],
        };
        for target in targets {
            if let Some(path) = target.get("path") {
                paths.push(join(dir, path.as_str()?)?);
            }
        }
    }
    Some(paths)
}

fn is_at_or_below(path: &str, dir: &str) -> bool {
    dir.is_empty()
        || path
            .strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
