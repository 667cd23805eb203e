//! Reads the project's own files for the rules.
//!
//! *Production code* is what stands before the inline `#[cfg(test)]` module of a
//! file. Comments are taken out before a rule looks for a name, so that prose may
//! speak of what code must not do.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the project.
pub(crate) struct Source {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// Its whole text.
    pub(crate) text: String,
}

impl Source {
    /// A file that is on no disk, for trying a rule.
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The text before the inline test module.
    pub(crate) fn production(&self) -> &str {
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            if line.trim_end() == "#[cfg(test)]" {
                return &self.text[..start];
            }
            start += line.len();
        }
        &self.text
    }

    /// Production code without comments: number (from 1) and text of each line.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..)
            .zip(self.production().lines())
            .map(|(number, line)| (number, without_comment(line)))
    }
}

/// The line up to a `//` that does not stand in a URL.
pub(crate) fn without_comment(line: &str) -> &str {
    let mut from = 0;
    while let Some(found) = line[from..].find("//") {
        let at = from + found;
        if !line[..at].ends_with(':') {
            return &line[..at];
        }
        from = at + 2;
    }
    line
}

/// The directory with `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of one file of the project.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below these directories with one of these extensions, by path.
pub(crate) fn files(dirs: &[&str], extension: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    for dir in dirs {
        collect(&root().join(dir), extension, &mut paths);
    }
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
            Source::sample(name, &read(name))
        })
        .collect()
}

/// All Rust code: production, tests and benches.
pub(crate) fn rust() -> Vec<Source> {
    files(&["src", "tests", "benches"], "rs")
}

fn collect(dir: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !matches!(name, "data" | "node_modules") {
            collect(&path, extension, into);
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
}

/// Fails with all faults at once.
pub(crate) fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn code_ends_where_the_tests_begin_and_comments_do_not_count() {
    let source = Source::sample(
        "x.rs",
        "//! a\nlet url = \"http://b\"; // c\n#[cfg(test)]\nmod tests {}\n",
    );
    let code: Vec<_> = source.code().collect();
    assert_eq!(code, [(1, ""), (2, "let url = \"http://b\"; ")]);
}

#[test]
fn the_tree_is_really_read() {
    let rust = rust();
    for path in ["src/engine/plan.rs", "tests/architecture/source.rs"] {
        assert!(rust.iter().any(|source| source.path == path), "{path}");
    }
}
