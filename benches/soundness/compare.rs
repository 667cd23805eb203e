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
    /// How many names were looked up in vain; `None` of them judged without a probe.
    pub(crate) looked_up: usize,
    pub(crate) probed: bool,
    /// Files that were only looked at (`stat`): their content had no say.
    pub(crate) seen: Vec<String>,
    /// Lines of the log that could not be read.
    pub(crate) unread: Vec<String>,
}

impl Report {
    /// Whether nothing was used outside the inputs, as far as was judged.
    pub(crate) fn is_sound(&self) -> bool {
        let outside = [&self.read, &self.listed, &self.missing, &self.unread];
        outside.iter().all(|list| list.is_empty())
    }
}

/// Compares a trace with the inputs of a job; `probe` holds the files and the inputs
/// of the tree in which the missing names exist.
pub(crate) fn compare(
    trace: &Trace,
    repository: &Repository,
    inputs: &BTreeSet<String>,
    probe: Option<&(BTreeSet<String>, BTreeSet<String>)>,
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
    let missing = addable(trace, repository);
    let used = trace.read.iter().chain(&trace.seen).map(AsRef::as_ref);
    Report {
        touched: used.filter(tracked).count(),
        read: outside(&trace.read),
        listed: listed
            .filter(|dir| holds(&repository.tracked, dir) && !holds(inputs, dir))
            .map(str::to_owned)
            .collect(),
        looked_up: missing.len(),
        probed: probe.is_some(),
        missing: probe.map_or_else(Vec::new, |(files, inputs)| {
            missing
                .iter()
                .filter(|path| files.contains(*path) && !inputs.contains(*path))
                .cloned()
                .collect()
        }),
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
        let judged = if self.probed {
            ""
        } else {
            ", not judged: no probe"
        };
        writeln!(f, "names looked up in vain: {}{judged}", self.looked_up)?;
        let lists = [
            ("read outside the inputs", &self.read),
            ("listed outside the inputs", &self.listed),
            ("looked up in vain, outside the inputs", &self.missing),
            (
                "only looked at, outside the inputs (not counted)",
                &self.seen,
            ),
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
