//! Compares what was used with what was inferred.
//!
//! Only names that a commit can bring count: tracked files, directories that hold
//! tracked files, and names looked up in vain that git does not ignore. What a
//! command made itself is left out by the trace.

use std::collections::BTreeSet;
use std::fmt;

use trimtab::engine::trace::Trace;

/// What git knows of the checkout.
pub(crate) struct Repository {
    /// The files of HEAD.
    pub(crate) tracked: BTreeSet<String>,
    /// Names that git ignores, of those that were looked up in vain.
    pub(crate) ignored: BTreeSet<String>,
}

/// What lies outside the inputs.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Tracked files that were used at all.
    pub(crate) touched: usize,
    /// Files that were read.
    pub(crate) read: Vec<String>,
    /// Listed directories in and below which there is no input.
    pub(crate) listed: Vec<String>,
    /// Names looked up in vain that would be no input if they were there.
    pub(crate) missing: Vec<String>,
    /// Such names that were opened when they were there, or wanted as directories in
    /// which nothing would be an input.
    pub(crate) opened: Vec<String>,
    /// Such names that were looked at and not opened when they were there.
    pub(crate) unopened: Vec<String>,
    /// How many names that a commit can bring were looked up in vain.
    pub(crate) looked_up: usize,
    /// Files that were only looked at (`stat`): their content had no say.
    pub(crate) seen: Vec<String>,
    /// Files of git's own that were read: what they say comes with no commit's files.
    pub(crate) of_git: Vec<String>,
    /// Lines of the log that could not be read.
    pub(crate) unread: Vec<String>,
}

impl Report {
    /// Whether nothing was used outside the inputs, as far as was judged.
    pub(crate) fn is_sound(&self) -> bool {
        let outside = [
            &self.read,
            &self.listed,
            &self.missing,
            &self.opened,
            &self.unread,
        ];
        outside.iter().all(|list| list.is_empty())
    }

    /// Judges the missing names by a run in which they were there, empty. Returns those
    /// that were wanted as directories; what the run did not come across stays missing.
    pub(crate) fn settle(&mut self, again: &Trace) -> Vec<String> {
        let mut wanted = Vec::new();
        for name in std::mem::take(&mut self.missing) {
            if again.read.contains(name.as_str()) {
                self.opened.push(name);
            } else if again.seen.contains(name.as_str()) {
                self.unopened.push(name);
            } else if again.missing.contains(name.as_str()) {
                wanted.push(name);
            } else {
                self.missing.push(name);
            }
        }
        wanted
    }
}

/// Files that somebody might add to directories: of each kind that a command read, as
/// code and as a test.
pub(crate) fn newcomers(trace: &Trace, dirs: &[String]) -> Vec<String> {
    let read = trace.read.iter();
    let kinds = read.filter_map(|path| path.rsplit('/').next()?.rsplit_once('.'));
    let kinds: BTreeSet<&str> = kinds.map(|(_, kind)| kind).collect();
    let inside = |dir: &String| -> Vec<String> {
        let names = ["new", "test_new", "new_test", "new.test"];
        let of_kind = |kind: &&str| names.map(|name| format!("{dir}/{name}.{kind}"));
        kinds.iter().flat_map(of_kind).collect()
    };
    dirs.iter().flat_map(inside).collect()
}

/// The directories in which none of the files asked about was noticed.
pub(crate) fn unwatched(dirs: Vec<String>, asked: &[String], unnoticed: &[String]) -> Vec<String> {
    let unnoticed: BTreeSet<&String> = unnoticed.iter().collect();
    let noticed = asked.iter().filter(|path| !unnoticed.contains(path));
    let watched: BTreeSet<&str> = noticed.filter_map(|path| above(path).next()).collect();
    let mut dirs = dirs;
    dirs.retain(|dir| !watched.contains(dir.as_str()));
    dirs
}

/// Compares a trace with the inputs of a job; `missing` are the names looked up in vain
/// that would be no input if they were there.
pub(crate) fn compare(
    trace: &Trace,
    repository: &Repository,
    inputs: &BTreeSet<String>,
    missing: Vec<String>,
) -> Report {
    let tracked = |path: &&str| repository.tracked.contains(*path);
    let outside = |paths: &BTreeSet<Box<str>>| -> Vec<String> {
        let paths = paths.iter().map(AsRef::as_ref).filter(tracked);
        paths
            .filter(|path| !inputs.contains(*path))
            .map(str::to_owned)
            .collect()
    };
    let listed = trace.listed.iter().map(AsRef::as_ref);
    let of_git = trace.read.iter().filter(|path| path.starts_with(".git/"));
    let used = trace.read.iter().chain(&trace.seen).map(AsRef::as_ref);
    Report {
        touched: used.filter(tracked).count(),
        read: outside(&trace.read),
        listed: listed
            .filter(|dir| holds(&repository.tracked, dir) && !holds(inputs, dir))
            .map(str::to_owned)
            .collect(),
        looked_up: addable(trace, repository).len(),
        missing,
        opened: Vec::new(),
        unopened: Vec::new(),
        of_git: of_git.map(ToString::to_string).collect(),
        seen: outside(&trace.seen),
        unread: trace.unread.iter().map(ToString::to_string).collect(),
    }
}

/// The missing names that a commit could bring as files, all at once: not ignored,
/// not git's own, no file above them, and no other missing name below them.
pub(crate) fn addable(trace: &Trace, repository: &Repository) -> BTreeSet<String> {
    let names: BTreeSet<String> = trace
        .missing
        .iter()
        .map(ToString::to_string)
        .filter(|name| !name.is_empty() && !name.split('/').any(|part| part == ".git"))
        .filter(|name| !repository.ignored.contains(name))
        .filter(|name| !repository.tracked.contains(name) && !holds(&repository.tracked, name))
        .filter(|name| !above(name).any(|dir| repository.tracked.contains(dir)))
        .collect();
    let dirs: BTreeSet<String> = names
        .iter()
        .flat_map(|name| above(name))
        .map(str::to_owned)
        .collect();
    names
        .into_iter()
        .filter(|name| !dirs.contains(name))
        .collect()
}

/// Every directory above a path, the nearest first, without the root.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/')
        .filter_map(|(at, _)| path.get(..at))
}

/// Whether one of the paths lies below a directory.
fn holds(paths: &BTreeSet<String>, dir: &str) -> bool {
    if dir.is_empty() {
        return !paths.is_empty();
    }
    let prefix = format!("{dir}/");
    let next = paths.range(prefix.clone()..).next();
    next.is_some_and(|path| path.starts_with(&prefix))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tracked files touched: {}", self.touched)?;
        writeln!(f, "names looked up in vain: {}", self.looked_up)?;
        let lists = [
            ("read outside the inputs", &self.read),
            ("listed outside the inputs", &self.listed),
            ("looked up in vain, outside the inputs", &self.missing),
            (
                "looked up in vain, opened when there, outside the inputs",
                &self.opened,
            ),
            (
                "looked up in vain, not opened when there (not counted)",
                &self.unopened,
            ),
            (
                "only looked at, outside the inputs (not counted)",
                &self.seen,
            ),
            ("of git's own, read (not counted)", &self.of_git),
            ("lines of the log that could not be read", &self.unread),
        ];
        for (name, list) in lists {
            writeln!(f, "{name}: {}", list.len())?;
            for path in list {
                writeln!(f, "  {path}")?;
            }
        }
        Ok(())
    }
}
