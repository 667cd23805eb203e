//! Which files pytest and unittest collect.
//!
//! The settings are those of the nearest configuration, as pytest finds it: the
//! first file with a section for pytest in the nearest directory above. Files are
//! collected rather too many than too few: markers and deselection are not read.

use globset::GlobSet;

use super::manifest::{self, Manifest, Settings};
use crate::engine::facts::Language;
use crate::engine::globs::{self, Glob};
use crate::engine::tree::{FileId, Snapshot, Tree, base_name, dir_of, join};

/// What pytest takes for a test file when nothing is configured.
const PYTHON_FILES: &[&str] = &["test_*.py", "*_test.py"];
/// Directories that it does not enter when nothing is configured.
const NO_RECURSE: &[&str] = &[
    "*.egg",
    ".*",
    "_darcs",
    "build",
    "CVS",
    "dist",
    "node_modules",
    "venv",
    "{arch}",
];

/// The files that `pytest ARGUMENTS` collects when it is started in `dir`, sorted.
///
/// An argument is a path from `dir`, possibly with `::test`; without arguments it
/// is the configured `testpaths`, or `dir` itself.
pub fn pytest_files(snapshot: &Snapshot, dir: &str, arguments: &[&str]) -> Vec<FileId> {
    let manifests = manifest::read(snapshot);
    let runner = Pytest::new(&manifests);
    let mut starts: Vec<String> = arguments
        .iter()
        .map(|argument| argument.split("::").next().unwrap_or(argument))
        .filter_map(|path| join(dir, path))
        .collect();
    let first = starts.first().map_or(dir, String::as_str).to_owned();
    let found = runner.nearest(&first);
    if starts.is_empty() {
        starts = found.map_or_else(Vec::new, |found| found.testpaths(&snapshot.tree));
    }
    if starts.is_empty() {
        starts.push(dir.to_owned());
    }
    let rules = found.map_or_else(Rules::default, |found| found.rules.clone());
    let mut files: Vec<FileId> = starts
        .iter()
        .flat_map(|start| collect(&snapshot.tree, start, &rules))
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The configurations of pytest in a tree.
pub(super) struct Pytest<'m> {
    found: Vec<Found<'m>>,
    default: Rules,
}

struct Found<'m> {
    dir: &'m str,
    settings: &'m Settings,
    rules: Rules,
}

#[derive(Clone)]
struct Rules {
    files: GlobSet,
    skipped: GlobSet,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            files: globs(PYTHON_FILES),
            skipped: globs(NO_RECURSE),
        }
    }
}

impl<'m> Pytest<'m> {
    /// Keeps of each directory the configuration that pytest would take.
    pub(super) fn new(manifests: &'m [Manifest<'m>]) -> Self {
        let mut found: Vec<(usize, Found<'m>)> = manifests
            .iter()
            .filter_map(|manifest| {
                let settings = manifest.pytest.as_ref()?;
                let found = Found {
                    dir: manifest.dir,
                    settings,
                    rules: settings.rules(),
                };
                Some((manifest.rank, found))
            })
            .collect();
        found.sort_by_key(|(rank, found)| (found.dir, *rank));
        found.dedup_by(|(_, later), (_, first)| later.dir == first.dir);
        Self {
            found: found.into_iter().map(|(_, found)| found).collect(),
            default: Rules::default(),
        }
    }

    /// Whether pytest takes the file for a test, by its default or by its settings.
    pub(super) fn is_test(&self, path: &str) -> bool {
        let name = base_name(path);
        self.default.files.is_match(name)
            || self
                .nearest(path)
                .is_some_and(|found| found.rules.takes(path))
    }

    fn nearest(&self, path: &str) -> Option<&Found<'m>> {
        let mut dir = path;
        loop {
            let index = self.found.binary_search_by_key(&dir, |found| found.dir);
            if let Ok(index) = index {
                return self.found.get(index);
            }
            if dir.is_empty() {
                return None;
            }
            dir = dir_of(dir);
        }
    }
}

impl Found<'_> {
    /// The configured paths that exist; a glob stands for what it matches.
    fn testpaths(&self, tree: &Tree) -> Vec<String> {
        let paths = self.settings.testpaths.iter();
        paths
            .filter_map(|path| {
                let fixed = path.split('*').next().unwrap_or(path);
                let fixed = if fixed.len() == path.len() {
                    path
                } else {
                    dir_of(fixed)
                };
                join(self.dir, fixed)
            })
            .filter(|path| tree.has_dir(path) || tree.find(path).is_some())
            .collect()
    }
}

impl Settings {
    fn rules(&self) -> Rules {
        let or_default = |own: &[String], default: &[&str]| {
            if own.is_empty() {
                return globs(default);
            }
            globs(&own.iter().map(String::as_str).collect::<Vec<_>>())
        };
        Rules {
            files: or_default(&self.python_files, PYTHON_FILES),
            skipped: or_default(&self.norecursedirs, NO_RECURSE),
        }
    }
}

impl Rules {
    fn takes(&self, path: &str) -> bool {
        self.files.is_match(base_name(path)) || self.files.is_match(path)
    }
}

fn collect(tree: &Tree, start: &str, rules: &Rules) -> Vec<FileId> {
    if let Some(file) = tree.find(start) {
        return vec![file];
    }
    let skip = if start.is_empty() { 0 } else { start.len() + 1 };
    let enters = |path: &str| {
        let below = path.get(skip..).unwrap_or_default();
        !dir_of(below)
            .split('/')
            .any(|part| !part.is_empty() && rules.skipped.is_match(part))
    };
    tree.under(start)
        .filter(|(_, entry)| Language::of_path(&entry.path) == Some(Language::Python))
        .filter(|(_, entry)| rules.takes(&entry.path) && enters(&entry.path))
        .map(|(file, _)| file)
        .collect()
}

/// A set of the patterns that are globs at all; pytest's `*` also matches `/`.
fn globs(patterns: &[&str]) -> GlobSet {
    let patterns = patterns.iter().map(|pattern| {
        if pattern.contains('/') && !pattern.starts_with('*') {
            Glob::written(format!("*{pattern}"))
        } else {
            Glob::written(*pattern)
        }
    });
    globs::set(patterns, |glob| {
        glob.literal_separator(false);
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    fn check(files: &[(&str, &str)], dir: &str, arguments: &[&str], expected: &[&str]) {
        let snapshot = sample::snapshot(files);
        let found = pytest_files(&snapshot, dir, arguments);
        let found: Vec<&str> = found.iter().map(|file| snapshot.tree.path(*file)).collect();
        assert_eq!(found, expected, "{dir} {arguments:?}");
    }

    #[test]
    fn the_default_names_are_collected_outside_skipped_directories() {
        let files = [
            ("a/test_x.py", ""),
            ("a/x_test.py", ""),
            ("a/tests.py", ""),
            ("build/test_y.py", ""),
            (".tox/test_z.py", ""),
        ];
        check(&files, "", &[], &["a/test_x.py", "a/x_test.py"]);
        check(&files, "", &["a/tests.py::test_q"], &["a/tests.py"]);
        check(&files, "a", &["test_x.py"], &["a/test_x.py"]);
    }

    #[test]
    fn the_nearest_settings_decide() {
        let files = [
            (
                "pytest.ini",
                "[pytest]\ntestpaths = unit\npython_files = check_*.py\n",
            ),
            (
                "pyproject.toml",
                "[tool.pytest.ini_options]\ntestpaths = ['other']\n",
            ),
            ("unit/check_a.py", ""),
            ("unit/test_b.py", ""),
            ("other/check_c.py", ""),
        ];
        check(&files, "", &[], &["unit/check_a.py"]);
        check(&files, "", &["other"], &["other/check_c.py"]);
    }
}
