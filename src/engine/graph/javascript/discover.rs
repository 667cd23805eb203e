//! Which files jest, vitest, mocha and node's own runner collect.
//!
//! Default patterns, or those of a literal configuration. Files are collected rather
//! too many than too few: projects and filters that are computed are not read.

use globset::GlobSet;

use super::aliases::{self, Settings};
use crate::engine::facts::Language;
use crate::engine::globs::{self, Glob};
use crate::engine::tree::{FileId, Snapshot, dir_of, join};

pub use super::aliases::Runner;

/// What jest and vitest take for a test; vitest leaves out `__tests__`.
const BY_NAME: &[&str] = &[
    "**/*.{test,spec}.{js,jsx,ts,tsx,mjs,cjs,mts,cts,vue,svelte}",
    "**/__tests__/**/*.{js,jsx,ts,tsx,mjs,cjs,mts,cts}",
    "**/*.test-d.{ts,mts,cts,tsx}",
];
/// What mocha takes, below its directory.
const MOCHA: &[&str] = &["test/*.{js,cjs,mjs}"];
/// What `node --test` takes (<https://nodejs.org/api/test.html#running-tests-from-the-command-line>).
const NODE: &[&str] = &[
    "**/*{.,-,_}test.{js,cjs,mjs,ts,cts,mts}",
    "**/test-*.{js,cjs,mjs,ts,cts,mts}",
    "**/test.{js,cjs,mjs,ts,cts,mts}",
    "**/test/**/*.{js,cjs,mjs,ts,cts,mts}",
];

/// The files that a runner collects when it is started in `dir`, sorted.
///
/// A filter is what stands on the command line after the options: a path from
/// `dir`, a part of a path, or a pattern. One that looks like a pattern filters nothing.
pub fn collected(snapshot: &Snapshot, runner: Runner, dir: &str, filters: &[&str]) -> Vec<FileId> {
    let settings = aliases::read(snapshot);
    let rules = Rules::new(&settings);
    let tree = &snapshot.tree;
    let mut files: Vec<FileId> = tree
        .under(dir)
        .filter(|(_, entry)| Language::of_path(&entry.path) == Some(Language::JavaScript))
        .filter(|(_, entry)| {
            rules.takes(runner, dir, &entry.path) && passes(&entry.path, dir, filters)
        })
        .map(|(file, _)| file)
        .collect();
    // A file that is named outright is run, whatever its name.
    files.extend(
        filters
            .iter()
            .filter_map(|filter| tree.find(&join(dir, filter)?)),
    );
    files.sort_unstable();
    files.dedup();
    files
}

fn passes(path: &str, dir: &str, filters: &[&str]) -> bool {
    let is_pattern =
        |filter: &str| filter.contains(['*', '(', '|', '[', '\\', '^', '$', '+', '?', '{']);
    filters.is_empty()
        || filters.iter().any(|filter| {
            is_pattern(filter)
                || path.contains(filter.trim_start_matches("./").trim_end_matches('/'))
                || join(dir, filter).is_some_and(|prefix| path.starts_with(&prefix))
        })
}

/// What counts as a test in a tree.
pub(super) struct Rules {
    /// By the directory and runner of their configuration.
    own: Vec<(String, Runner, GlobSet)>,
    by_name: GlobSet,
    mocha: GlobSet,
    node: GlobSet,
}

impl Rules {
    /// Reads the patterns of the settings.
    pub(super) fn new(settings: &[Settings]) -> Self {
        let own = settings.iter().filter_map(|settings| {
            let patterns: Vec<Glob> = ["testMatch", "include", "spec", "testRegex", "typecheck"]
                .iter()
                .flat_map(|key| {
                    settings
                        .texts(key)
                        .into_iter()
                        .filter_map(|text| pattern(settings, key, text))
                })
                .collect();
            if patterns.is_empty() {
                return None;
            }
            Some((settings.dir.clone(), settings.runner, globs(patterns)))
        });
        Self {
            own: own.collect(),
            by_name: globs(usual(BY_NAME)),
            mocha: globs(usual(MOCHA)),
            node: globs(usual(NODE)),
        }
    }

    /// Whether any runner would take the file for a test.
    pub(super) fn is_test(&self, path: &str) -> bool {
        self.by_name.is_match(path) || self.own(None, path).unwrap_or(false)
    }

    fn takes(&self, runner: Runner, dir: &str, path: &str) -> bool {
        if path.contains("node_modules/") {
            return false;
        }
        let below = path
            .get(dir.len()..)
            .unwrap_or(path)
            .trim_start_matches('/');
        let by_default = match runner {
            Runner::Jest | Runner::Vitest => self.by_name.is_match(below),
            Runner::Mocha => self.mocha.is_match(below),
            Runner::Node => self.node.is_match(below),
        };
        self.own(Some(runner), path).unwrap_or(by_default)
    }

    /// What the nearest configurations with patterns say; `None` without any.
    fn own(&self, runner: Option<Runner>, path: &str) -> Option<bool> {
        let fits = |found: Runner| runner.is_none_or(|runner| runner == found);
        let mut dir = dir_of(path);
        loop {
            let mut here = self
                .own
                .iter()
                .filter(|(at, found, _)| at == dir && fits(*found))
                .peekable();
            if here.peek().is_some() {
                return Some(here.any(|(_, _, globs)| globs.is_match(path)));
            }
            if dir.is_empty() {
                return None;
            }
            dir = dir_of(dir);
        }
    }
}

/// A pattern of a setting as a glob from the root; a regular expression becomes one
/// that matches at least as much.
fn pattern(settings: &Settings, key: &str, text: &str) -> Option<Glob> {
    match key {
        "typecheck" if !text.contains('*') => None,
        "testRegex" => Glob::join(&settings.dir, "**/*.{js,jsx,ts,tsx,mjs,cjs,mts,cts}"),
        _ if text.starts_with('!') => None,
        _ if text.starts_with("**") => Glob::join(&settings.dir, &plain(text)),
        _ => settings.glob(&plain(text)),
    }
}

/// The globs of a constant list.
fn usual(patterns: &[&str]) -> Vec<Glob> {
    let patterns = patterns.iter().map(|pattern| plain(pattern));
    patterns.map(Glob::written).collect()
}

fn globs(all: Vec<Glob>) -> GlobSet {
    globs::set(all, |glob| {
        glob.literal_separator(true).empty_alternates(true);
    })
}

/// Jest's and mocha's extended groups, widened to what globs can say: `?(a|b)` becomes `{,a,b}`, `@(a|b)` and `+(a|b)` become `{a,b}`.
fn plain(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(open) = rest.find('(') {
        let (before, group) = rest.split_at(open);
        let Some((inner, after)) = group.get(1..).and_then(|group| group.split_once(')')) else {
            break;
        };
        let mut before = before;
        let mut optional = "";
        if let Some(stripped) = before
            .strip_suffix('?')
            .or_else(|| before.strip_suffix('*'))
        {
            (before, optional) = (stripped, ",");
        } else if let Some(stripped) = before.strip_suffix(['@', '+']) {
            before = stripped;
        }
        out.push_str(before);
        out.extend(["{", optional, &inner.replace('|', ","), "}"]);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    fn check(files: &[(&str, &str)], runner: Runner, dir: &str, expected: &[&str]) {
        let snapshot = sample::snapshot(files);
        let found = collected(&snapshot, runner, dir, &[]);
        let found: Vec<&str> = found.iter().map(|file| snapshot.tree.path(*file)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn default_patterns_are_those_of_the_runner() {
        let files = [
            ("a/x.test.ts", ""),
            ("a/__tests__/y.js", ""),
            ("test/z.js", ""),
            ("test/deep/w.js", ""),
            ("src/v.ts", ""),
        ];
        check(
            &files,
            Runner::Jest,
            "",
            &["a/__tests__/y.js", "a/x.test.ts"],
        );
        check(
            &files,
            Runner::Vitest,
            "a",
            &["a/__tests__/y.js", "a/x.test.ts"],
        );
        check(&files, Runner::Mocha, "", &["test/z.js"]);
        check(
            &files,
            Runner::Node,
            "",
            &["a/x.test.ts", "test/deep/w.js", "test/z.js"],
        );
    }

    #[test]
    fn literal_patterns_of_the_nearest_configuration_count() {
        let files = [
            (
                "package.json",
                r#"{"jest": {"testMatch": ["<rootDir>/src/**/?(*.)check.[jt]s?(x)"]}}"#,
            ),
            ("src/a.check.ts", ""),
            ("src/check.jsx", ""),
            ("src/b.test.ts", ""),
            (
                "p/vitest.config.ts",
                "export default defineConfig({ test: { include: ['unit/**/*.ts'] } })",
            ),
            ("p/unit/c.ts", ""),
            ("p/d.test.ts", ""),
        ];
        check(
            &files,
            Runner::Jest,
            "",
            &["src/a.check.ts", "src/check.jsx"],
        );
        check(&files, Runner::Vitest, "p", &["p/unit/c.ts"]);
    }

    #[test]
    fn the_directory_of_a_configuration_is_no_pattern() {
        let settings = "export default { test: { include: ['unit/*.ts'] } }";
        let files = [
            ("app/(a)/[b]/vitest.config.ts", settings),
            ("app/(a)/[b]/unit/c.ts", ""),
            ("app/a/b/unit/d.ts", ""),
        ];
        let dir = "app/(a)/[b]";
        check(&files, Runner::Vitest, dir, &["app/(a)/[b]/unit/c.ts"]);
    }

    #[test]
    fn filters_are_paths_or_parts_of_paths() {
        let files = [("a/x.test.ts", ""), ("a/y.test.ts", ""), ("a/plain.ts", "")];
        let snapshot = sample::snapshot(&files);
        let count = |filters: &[&str]| collected(&snapshot, Runner::Jest, "", filters).len();
        assert_eq!(
            [
                count(&["a/x"]),
                count(&["x.test"]),
                count(&["(x|y)"]),
                count(&["./a/plain.ts"]),
                count(&["q"])
            ],
            [1, 1, 2, 1, 0]
        );
    }
}
