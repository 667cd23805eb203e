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

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub mod cmd;
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

/// How many steps the scripts of one job may take together: commands, branches, rounds
/// of loops and what they copy.
pub const STEPS: u32 = 100_000;

/// A word of a command after expansion.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    /// A part of the word, as little known as the whole.
    #[must_use]
    pub fn part(&self, text: &str) -> Self {
        Self {
            text: text.into(),
            ..self.clone()
        }
    }

    /// The flag that the word is, and its value behind `=` where there is one.
    pub fn flag(&self) -> (&str, Option<Self>) {
        match self.text.split_once('=') {
            Some((flag, value)) => (flag, Some(self.part(value))),
            None => (&self.text, None),
        }
    }
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
            // No system has longer ones.
            Located::Inside(dir) if dir.len() > 4096 => Self::Unknown,
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
    // What leaves the repository upward may come back under its name.
    let inside =
        |path: Option<String>| path.map_or(Located::Unknown, |p| Located::Inside(p.into()));
    if let Some(rest) = path.strip_prefix(WORKSPACE)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return inside(super::tree::join("", rest.trim_start_matches('/')));
    }
    if may_be_checkout(path) {
        return Located::Unknown;
    }
    if path.starts_with(['/', '~']) {
        return Located::Outside;
    }
    match place {
        Place::Inside(dir) => inside(super::tree::join(dir, path)),
        Place::Outside if path.starts_with("work/") => Located::Unknown,
        Place::Outside => Located::Outside,
        Place::Unknown => Located::Unknown,
    }
}

/// Whether a path from the root, or from a directory that the shell remembers, may lead
/// into the checkout: where runners keep it is no secret
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).
fn may_be_checkout(path: &str) -> bool {
    let by_process =
        path.starts_with("/proc/") && (path.contains("/cwd") || path.contains("/root"));
    let remembered = path
        .strip_prefix('~')
        .is_some_and(|rest| rest.starts_with(|c: char| "+-".contains(c) || c.is_ascii_digit()));
    let drive = path.get(1..).is_some_and(|rest| {
        [":/a/", ":\\a\\", ":/a", ":\\a"]
            .iter()
            .any(|start| rest.starts_with(start))
    });
    by_process
        || remembered
        || drive
        || path.contains("runner/work")
        || ["/__w", "/builds/", "/d/a/", "~/work"]
            .iter()
            .any(|start| path.starts_with(start))
}

/// What a shell has set at one point, and what of it programs get.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: Rc<BTreeMap<Box<str>, Value>>,
    /// Names that are exported; `false` for one that only some way exports.
    exported: Rc<BTreeMap<Box<str>, bool>>,
}

impl Environment {
    /// The variables of a program that is started with some set in front of it.
    pub fn with(&self, assignments: &[(Box<str>, Value)]) -> Rc<BTreeMap<Box<str>, Value>> {
        if assignments.is_empty() && self.hands_all_on() {
            return Rc::clone(&self.variables);
        }
        let exported = self.exported.iter().filter_map(|(name, is_certain)| {
            let value = match self.variables.get(name)? {
                value @ (Value::Text(_) | Value::OneOf(_)) if *is_certain => value.clone(),
                _ => Value::Unknown,
            };
            Some((name.clone(), value))
        });
        let mut all: BTreeMap<Box<str>, Value> = exported.collect();
        all.extend(assignments.iter().cloned());
        Rc::new(all)
    }

    /// Whether nothing was set or exported since the other one.
    pub fn is_that_of(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.variables, &other.variables) && Rc::ptr_eq(&self.exported, &other.exported)
    }

    /// Whether programs get every variable as it is.
    fn hands_all_on(&self) -> bool {
        let are_same = || self.exported.keys().eq(self.variables.keys());
        let is_handed =
            |value: &Value| matches!(value, Value::Text(_) | Value::OneOf(_) | Value::Unknown);
        self.exported.len() == self.variables.len()
            && self.exported.values().all(|is_certain| *is_certain)
            && self.variables.values().all(is_handed)
            && are_same()
    }

    /// Whether programs may get a variable.
    pub fn exports(&self, name: &str) -> bool {
        self.exported.contains_key(name)
    }
}

/// One command that a script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The program and its arguments; empty for assignments alone.
    pub words: Vec<Word>,
    /// Variables set for this command (or, without words, for the rest of the script).
    pub assignments: Vec<(Box<str>, Value)>,
    /// Files given to it by `<`, and patterns of files that the shell itself expands.
    pub reads: Vec<Word>,
    /// Files that it writes by `>`.
    pub writes: Vec<Word>,
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
    /// What is set where it runs.
    pub environment: Environment,
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
    pub variables: &'a Rc<BTreeMap<Box<str>, Value>>,
    /// The directory.
    pub place: &'a Place,
    /// `$1`, `$2` and so on; `None` when they are not known.
    pub arguments: Option<&'a [Word]>,
    /// The text of a file of the repository, for `source`.
    pub text: &'a dyn Fn(&str) -> Source<'t>,
    /// What a command prints in a place where it only prints names of files, for the
    /// program that stands in front of it on a command line.
    pub listed: &'a Listed<'a>,
    /// How many steps are left, for all scripts of one job together.
    pub steps: &'a Cell<u32>,
}

/// The patterns that names fit which a command prints: the words of a program so far, the
/// command, and where it runs; `None` where it may print anything else, or nothing.
pub type Listed<'a> = dyn Fn(&[Word], &[Word], &Place) -> Option<Vec<Word>> + 'a;

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
