//! YAML with the place of every value: for CI files, lockfiles, compose files and our own.
//!
//! A document is a tree of [`Node`]s with line and column. Anchors, aliases and
//! merge keys (`<<`) are resolved, keys keep their order, and a scalar keeps its
//! text and style: whether `on` or `3.10` means more than its letters is asked of
//! [`Scalar::kind`], which knows YAML 1.2's core schema and nothing older, as
//! GitHub does. So `on`, `yes` and `no` are words.
//!
//! The input is foreign: size, depth and the number of nodes *after* aliases are
//! resolved are bounded ([`Limits`]). Every fault is a [`Diagnostic`]; a file with
//! a fault is never half-read.
//!
//! ```
//! use trimtab::engine::yaml;
//!
//! let root = yaml::parse("ci.yml", "on: push\nenv: {PYTHON: 3.10}\n").unwrap();
//! assert_eq!(root.get("on").and_then(yaml::Node::as_str), Some("push"));
//! let version = root.get("env").and_then(|env| env.get("PYTHON")).unwrap();
//! assert_eq!((version.as_str(), version.line, version.column), (Some("3.10"), 2, 15));
//!
//! let faults = yaml::parse("ci.yml", "a: 1\na: 2\n").unwrap_err();
//! assert_eq!(faults[0].message, "the key `a` stands twice; the first is in line 1");
//! ```

use super::plan::Diagnostic;

mod build;
mod scalar;

pub use scalar::{Kind, Scalar, Style};

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// The line, from 1. For a block scalar: the line after its `|` or `>`, where
    /// its text begins.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar; an absent value is the empty plain scalar.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file; merged keys come last.
    Mapping(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: Box<str>,
    /// The key's line, from 1.
    pub line: u32,
    /// The key's column, from 1.
    pub column: u32,
    /// Its value.
    pub value: Node,
}

/// What a document may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nodes after aliases are resolved; 64 bytes of scalar text count as one more.
    pub nodes: usize,
    /// Lists and mappings inside each other.
    pub depth: usize,
}

impl Default for Limits {
    /// Enough for the largest lockfiles that were seen (12 MB), with a memory bound of
    /// about 400 MB.
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            nodes: 3_000_000,
            depth: 100,
        }
    }
}

impl Limits {
    /// For files that people write: a megabyte, a hundred thousand nodes.
    pub fn for_people() -> Self {
        Self {
            bytes: 1 << 20,
            nodes: 100_000,
            depth: 100,
        }
    }
}

/// Reads a file of one document. An empty file is a null.
///
/// `path` only stands in the faults.
pub fn parse(path: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    one(path, text, Limits::default())
}

/// The same for a file that people write, such as a workflow.
pub fn parse_written(path: &str, text: &str) -> Result<Node, Vec<Diagnostic>> {
    one(path, text, Limits::for_people())
}

fn one(path: &str, text: &str, limits: Limits) -> Result<Node, Vec<Diagnostic>> {
    let mut documents = parse_all(path, text, limits)?.into_iter();
    let first = documents.next().unwrap_or_else(|| Node::null(1, 1));
    match documents.next() {
        None => Ok(first),
        Some(second) => Err(vec![Diagnostic {
            path: path.to_owned(),
            line: second.line,
            column: second.column,
            message: "a second document starts here; this file must hold one".to_owned(),
        }]),
    }
}

/// Reads every document of a file, within the given limits.
pub fn parse_all(path: &str, text: &str, limits: Limits) -> Result<Vec<Node>, Vec<Diagnostic>> {
    build::documents(path, text, limits)
}

impl Node {
    /// A null at a place.
    pub(crate) fn null(line: u32, column: u32) -> Self {
        Self {
            value: Value::Scalar(Scalar::absent()),
            line,
            column,
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The text of a scalar that is not null, whatever its kind: `3.10` gives `3.10`.
    pub fn as_str(&self) -> Option<&str> {
        self.scalar()
            .filter(|scalar| scalar.kind() != Kind::Null)
            .map(|scalar| scalar.text.as_ref())
    }

    /// Whether the value is absent, `null` or `~`.
    pub fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.kind() == Kind::Null)
    }

    /// The items of a list; `None` for anything else.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    /// The entries of a mapping in order; `None` for anything else.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Mapping(entries) => Some(entries),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    /// The value of a key; `None` when there is none, or this is no mapping.
    ///
    /// It looks through all keys; iterate over [`Node::entries`] where there are many.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key, with the key's own place.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?
            .iter()
            .find(|entry| entry.key.as_ref() == key)
    }

    /// The texts of a list of scalars, or of one scalar as a list of one.
    ///
    /// Items that are no scalars are left out; null gives nothing.
    pub fn words(&self) -> Vec<&str> {
        match &self.value {
            Value::Scalar(_) => self.as_str().into_iter().collect(),
            Value::Sequence(items) => items.iter().filter_map(Self::as_str).collect(),
            Value::Mapping(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
