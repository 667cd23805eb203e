//! What a script runs: POSIX and bash scripts as flat lists of calls.
//!
//! A script is parsed to a tree (`parse`) and then walked (`walk`) as the shell
//! would, except that every branch is taken: conditions are not decided, loops over
//! literal words are unrolled, functions are entered where they are called. A word
//! is known when every part of it is a literal or a variable with a known value;
//! what is not known is marked, never guessed. What cannot be read at all becomes
//! an [`Unread`] with its line.
//!
//! Nothing is executed, and nothing here knows what a program does.

use std::collections::BTreeMap;

mod expand;
mod feed;
mod parse;
pub mod powershell;
pub(super) use parse::{UNKNOWN_END, UNKNOWN_START};
#[cfg(test)]
mod tests;
mod walk;

/// The path at which the repository lies while a job runs, for `$PWD` and
/// `$GITHUB_WORKSPACE`; paths below it are paths of the repository.
pub const WORKSPACE: &str = "/github/workspace";

/// A word of a command after expansion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// Its text without quotes; parts that are not known stay as they are written.
    pub text: Box<str>,
    /// Whether a part of it is not known.
    pub unknown: bool,
    /// Whether it holds an unquoted `*`, `?` or `[`.
    pub glob: bool,
}

impl Word {
    /// A known word without globs.
    pub fn literal(text: &str) -> Self {
        Self {
            text: text.into(),
            unknown: false,
            glob: false,
        }
    }
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One text.
    Text(Box<str>),
    /// A bash array.
    List(Vec<Word>),
    /// One of a few texts; only the run can tell which.
    OneOf(Vec<Box<str>>),
    /// Only the run can tell.
    Unknown,
}

/// Where a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this directory of the repository; `""` is the root.
    Inside(Box<str>),
    /// Somewhere outside of the repository.
    Outside,
    /// Only the run can tell.
    Unknown,
}

impl Place {
    /// The place that `path` means when said here.
    #[must_use]
    pub fn enter(&self, path: &Word) -> Self {
        if path.unknown || path.glob || path.text.starts_with('-') {
            return Self::Unknown;
        }
        match locate(self, &path.text) {
            Located::Inside(dir) => Self::Inside(dir),
            Located::Outside => Self::Outside,
            Located::Unknown => Self::Unknown,
        }
    }
}

/// What a path means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// A path of the repository.
    Inside(Box<str>),
    /// A path outside.
    Outside,
    /// It depends on a directory that is not known.
    Unknown,
}

/// What a known path means when said in a place.
pub fn locate(place: &Place, path: &str) -> Located {
    let inside =
        |path: Option<String>| path.map_or(Located::Outside, |p| Located::Inside(p.into()));
    if let Some(rest) = path.strip_prefix(WORKSPACE)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return inside(super::tree::join("", rest.trim_start_matches('/')));
    }
    if path.starts_with('/') || path.starts_with('~') {
        return Located::Outside;
    }
    match place {
        Place::Inside(dir) => inside(super::tree::join(dir, path)),
        Place::Outside => Located::Outside,
        Place::Unknown => Located::Unknown,
    }
}

/// One command that a script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program and its arguments; empty for assignments alone.
    pub words: Vec<Word>,
    /// Variables set for this command (or, without words, for the rest of the script).
    pub assignments: Vec<(Box<str>, Value)>,
    /// Files given to it by `<`.
    pub reads: Vec<Word>,
    /// The text given to it by `<<` or `<<<`.
    pub input: Option<Word>,
    /// Whether another command writes into it, or a file is its input.
    pub piped: bool,
    /// Whether another command reads what it writes, or a file or a word holds it.
    pub captured: bool,
    /// What that command writes, where it can be said.
    pub feed: Option<Feed>,
    /// Where it runs.
    pub place: Place,
    /// Its line in the script, from 1.
    pub line: u32,
}

/// What a command writes into the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// What lies at this address.
    Download(Box<str>),
    /// Names of files of the repository: these, or some that these match or hold.
    Names(Vec<Word>),
}

/// A part of a script that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// Its line in the script, from 1.
    pub line: u32,
    /// The construct, for people.
    pub what: Box<str>,
}

/// Everything that a script may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The commands of all branches, in order.
    pub calls: Vec<Call>,
    /// What could not be read; empty for a script that is fully known.
    pub unread: Vec<Unread>,
    /// Variables that it hands to later steps through the runner's environment file.
    pub exports: Vec<(Box<str>, Value)>,
    /// Files of the repository that it sources and that were not given.
    pub missing: Vec<Box<str>>,
}

/// What is known when a script starts.
#[derive(Clone, Copy)]
pub struct Start<'a, 't> {
    /// Variables with known values, or known to be unknown.
    pub variables: &'a BTreeMap<Box<str>, Value>,
    /// The directory.
    pub place: &'a Place,
    /// `$1`, `$2` and so on; `None` when they are not known.
    pub arguments: Option<&'a [Word]>,
    /// The text of a file of the repository, for `source`.
    pub text: &'a dyn Fn(&str) -> Source<'t>,
}

/// A file that a script sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source<'a> {
    /// Its text.
    Text(&'a str),
    /// It is in the repository, and its text was not read yet.
    NotRead,
    /// It is not in the repository.
    Absent,
}

/// Reads a script.
pub fn read(script: &str, start: Start<'_, '_>) -> Script {
    walk::walk(script, start)
}
