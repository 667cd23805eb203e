//! What a literal looks like: relative paths, globs with fields, names of data.
//!
//! Only text is looked at; what lies in the tree is not asked.

/// What stands before a relative path inside a path; `None` when it does not end so.
pub(super) fn stem<'p>(path: &'p str, tail: &str) -> Option<&'p str> {
    let stem = path.strip_suffix(tail)?;
    if stem.is_empty() {
        return Some("");
    }
    stem.strip_suffix('/')
}

pub(super) fn is_at_or_above(dir: &str, path: &str) -> bool {
    dir.is_empty()
        || path
            .strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Names of directories that hold data for tests and templates.
const DATA: &[&str] = &[
    "fixtures",
    "fixture",
    "data",
    "datasets",
    "templates",
    "snapshots",
    "samples",
    "sample",
    "cases",
    "inputs",
    "input",
    "expected",
    "golden",
    "goldens",
    "resources",
    "assets",
    "static",
    "schemas",
    "locales",
    "mocks",
    "stubs",
    "corpus",
    "examples",
];

fn clean(part: &str) -> String {
    let part = part.trim_matches('_').to_ascii_lowercase();
    part.replace(['-', '_'], "")
}

/// Whether a plain word is the name of a directory of data.
pub(super) fn holds_data(word: &str) -> bool {
    let word = clean(word);
    DATA.contains(&word.as_str())
        || word
            .strip_prefix("test")
            .is_some_and(|rest| DATA.contains(&rest) || rest == "files")
}

/// Whether a directory is or lies in one of tests or of their data.
pub(super) fn is_test_data(dir: &str) -> bool {
    dir.split('/').any(|part| {
        let word = clean(part);
        matches!(word.as_str(), "test" | "tests" | "spec" | "specs" | "e2e") || holds_data(part)
    })
}

/// A path without the steps at its head: `../.env/` gives `.env`; empty when there
/// is nothing else.
pub(super) fn relative(literal: &str) -> &str {
    let mut rest = literal.trim_end_matches('/');
    while let Some(shorter) = ["./", "../", "/"]
        .iter()
        .find_map(|step| rest.strip_prefix(step))
    {
        rest = shorter;
    }
    if matches!(rest, "." | "..") { "" } else { rest }
}

/// A glob in which a field of a format string (`{}`, `{name}`) stands for anything.
pub(super) fn without_fields(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        glob.push_str(before);
        match after.split_once('}') {
            Some((inner, tail)) if !inner.contains(',') => {
                glob.push('*');
                rest = tail;
            }
            _ => {
                glob.push('{');
                rest = after;
            }
        }
    }
    glob + rest
}
