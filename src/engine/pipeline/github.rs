//! Reads GitHub's workflows into the neutral model.
//!
//! Everything that is in the repository is expanded: called workflows become jobs
//! (`caller / callee`), composite actions become steps, literal inputs are put in
//! where they are read. What lies in other repositories, or is computed by the run,
//! becomes a [`Limit`]. A file that does not parse gives a pipeline without jobs and
//! with diagnostics, and whoever plans runs everything.
//!
//! The syntax: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax>.
//! Nothing here decides whether a job starts.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{self, Reference, Value};
use super::{Job, JobId, Limit, Pipeline, edit};
use crate::engine::plan::Diagnostic;
use crate::engine::tree::{Snapshot, join};
use crate::engine::yaml::{self, Node};

mod calls;
mod definition;
pub mod event;
mod job;
mod limits;
mod matrix;
mod steps;
mod triggers;

/// Where GitHub looks for workflows; not below.
const DIR: &str = ".github/workflows";

/// Said of a file that cannot be a workflow or an action.
pub(super) const NO_MAPPING: &str = "this file must hold a mapping";

/// Levels of calls, as GitHub limits them, and of composite actions inside each other.
const MAX_DEPTH: usize = 10;

/// Jobs and steps of one pipeline after expansion.
const MAX_PARTS: usize = 5_000;

/// Reads every workflow of a snapshot, in the order of their paths.
pub fn read(snapshot: &Snapshot) -> Vec<Pipeline> {
    let is_workflow = |path: &str| path.ends_with(".yml") || path.ends_with(".yaml");
    snapshot
        .tree
        .in_dir(DIR)
        .filter(|(_, entry)| is_workflow(&entry.path))
        .map(|(_, entry)| pipeline(snapshot, &entry.path))
        .collect()
}

/// What all parts of one pipeline share while they are read.
struct Reader<'a> {
    snapshot: &'a Snapshot,
    files: BTreeSet<Box<str>>,
    diagnostics: Vec<Diagnostic>,
    parts: usize,
}

/// What a name stands for in one file: the inputs it was called with.
#[derive(Debug, Clone, Default)]
struct Bindings {
    /// By context and name; `None` for what is computed elsewhere and stays as written.
    known: BTreeMap<(Box<str>, Box<str>), Option<Reference>>,
    /// Whether every other input is null, because the file was called without it.
    is_called: bool,
}

fn pipeline(snapshot: &Snapshot, path: &str) -> Pipeline {
    let mut reader = Reader {
        snapshot,
        files: BTreeSet::new(),
        diagnostics: Vec::new(),
        parts: 0,
    };
    let mut pipeline = Pipeline {
        path: path.into(),
        name: path.into(),
        triggers: Vec::new(),
        jobs: Vec::new(),
        files: Vec::new(),
        callable: false,
        listens_to: Vec::new(),
        diagnostics: Vec::new(),
    };
    match reader.file(path) {
        Ok(root) => {
            if let Some(name) = root.get("name").and_then(Node::as_str) {
                pipeline.name = name.into();
            }
            triggers::read(&root, path, &mut pipeline, &mut reader.diagnostics);
            pipeline.jobs = reader.jobs(&job::Frame::of_file(path, &root));
        }
        Err(faults) => reader.diagnostics.extend(faults),
    }
    pipeline.files = reader.files.into_iter().collect();
    pipeline.diagnostics = reader.diagnostics;
    if pipeline.jobs.is_empty() && pipeline.diagnostics.is_empty() {
        let message = "this workflow has no jobs";
        pipeline.diagnostics.push(fault(path, None, message));
    }
    pipeline
}

impl Reader<'_> {
    /// The root of a YAML file of the repository, which becomes part of the pipeline.
    fn file(&mut self, path: &str) -> Result<Node, Vec<Diagnostic>> {
        self.files.insert(path.into());
        let Some(text) = self.snapshot.text(path) else {
            return Err(vec![fault(path, None, "this file was not read")]);
        };
        // Gates are not part of what a workflow means to do; whoever edits one is seen apart.
        let original = edit::undo(text).unwrap_or_else(|| text.to_owned());
        let root = yaml::parse_written(path, &original)?;
        if root.entries().is_none() {
            return Err(vec![fault(path, Some(&root), NO_MAPPING)]);
        }
        Ok(root)
    }

    /// The jobs of a file, expanded and wired.
    fn jobs(&mut self, frame: &job::Frame<'_>) -> Vec<Job> {
        let Some(entries) = frame.root.get("jobs").and_then(Node::entries) else {
            let jobs = frame.root.get("jobs");
            self.report(frame.file, jobs, "`jobs` must be a mapping of jobs");
            return Vec::new();
        };
        let mut expanded: Vec<(JobId, Vec<Job>)> = Vec::new();
        for entry in entries {
            self.parts += 1;
            let jobs = self.job(frame, entry);
            expanded.push((JobId(entry.key.clone()), jobs));
        }
        self.wire(frame, expanded)
    }

    /// Replaces needs of a calling job by needs of the jobs that it calls.
    fn wire(&mut self, frame: &job::Frame<'_>, expanded: Vec<(JobId, Vec<Job>)>) -> Vec<Job> {
        let ids: BTreeMap<JobId, Vec<JobId>> = expanded
            .iter()
            .map(|(id, jobs)| (id.clone(), jobs.iter().map(|job| job.id.clone()).collect()))
            .collect();
        let mut wired = Vec::new();
        for (id, jobs) in expanded {
            let node = frame.root.get("jobs").and_then(|jobs| jobs.get(&id.0));
            let wanted = node.and_then(|node| node.get("needs"));
            let mut needs = Vec::new();
            for need in wanted.map(Node::words).unwrap_or_default() {
                if let Some(found) = ids.get(&JobId(need.into())) {
                    needs.extend(found.iter().cloned());
                } else {
                    let message = format!("job `{id}` needs `{need}`, which does not exist");
                    self.report(frame.file, wanted, &message);
                }
            }
            for mut job in jobs {
                // Inside a call, only jobs that wait for nobody else wait for the caller's needs.
                if job.needs.is_empty() {
                    job.needs.clone_from(&needs);
                }
                wired.push(job);
            }
        }
        wired
    }

    fn report(&mut self, path: &str, at: Option<&Node>, message: &str) {
        if self.diagnostics.len() < 100 {
            self.diagnostics.push(fault(path, at, message));
        }
    }

    /// Whether the pipeline has grown too large to be read further.
    fn is_full(&self) -> bool {
        self.parts > MAX_PARTS
    }
}

impl Bindings {
    fn bind(&mut self, context: &str, name: &str, reference: Option<Reference>) {
        self.known
            .insert((context.into(), name.to_lowercase().into()), reference);
    }

    fn lookup(&self, context: &str, name: &str) -> Option<Reference> {
        let key = (context.into(), name.to_lowercase().into());
        match self.known.get(&key) {
            Some(reference) => reference.clone(),
            None if self.is_called && context == "inputs" => Some(Reference::Value(Value::Null)),
            None => None,
        }
    }

    /// A text with everything put in that is known.
    fn fold(&self, text: &str) -> String {
        expression::fold(text, &|context, name| self.lookup(context, name))
    }

    /// The same for an expression without `${{ }}`.
    fn substitute(&self, text: &str) -> String {
        expression::substitute(text, &|context, name| self.lookup(context, name))
    }

    /// A scalar as the text that GitHub makes of it: `3.10` without quotes is `3.1`.
    fn text(&self, node: &Node) -> String {
        let value = definition::value(node);
        match value {
            Value::Text(text) => self.fold(&text),
            other => other.to_string(),
        }
    }

    /// The scalars of a mapping by key.
    fn texts(&self, node: Option<&Node>) -> BTreeMap<Box<str>, Box<str>> {
        node.and_then(Node::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| (entry.key.clone(), self.text(&entry.value).into()))
            .collect()
    }

    /// A condition without `${{ }}`; `None` where none is written.
    ///
    /// Text around `${{ }}` makes a condition a text, as on GitHub: that is a call of
    /// `format`, and true whenever the text is not empty.
    fn condition(&self, node: Option<&Node>) -> Option<Box<str>> {
        let node = node.filter(|node| !node.is_null())?;
        let Value::Text(text) = definition::value(node) else {
            return Some(self.text(node).into());
        };
        let pieces = expression::pieces(&text);
        let condition = match pieces.as_slice() {
            [] => return None,
            [expression::Piece::Expression(inner)] => self.substitute(inner),
            pieces if !text.contains("${{") || pieces.len() < 2 => self.substitute(text.trim()),
            pieces => self.formatted(pieces),
        };
        (!condition.trim().is_empty()).then(|| condition.into())
    }

    fn formatted(&self, pieces: &[expression::Piece<'_>]) -> String {
        let mut pattern = String::new();
        let mut arguments: Vec<String> = Vec::new();
        for piece in pieces {
            match piece {
                expression::Piece::Text(text) => {
                    let doubled = text.replace('{', "{{").replace('}', "}}");
                    pattern.push_str(&doubled.replace('\'', "''"));
                }
                expression::Piece::Expression(inner) => {
                    pattern.push('{');
                    pattern.push_str(&arguments.len().to_string());
                    pattern.push('}');
                    arguments.push(self.substitute(inner));
                }
            }
        }
        format!("format('{pattern}', {})", arguments.join(", "))
    }
}

/// The condition of a job or step as it is written, without `${{ }}` around it.
pub fn condition(node: Option<&Node>) -> Option<Box<str>> {
    Bindings::default().condition(node)
}

/// Both must hold.
fn both(outer: Option<&str>, inner: Option<&str>) -> Option<Box<str>> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => Some(format!("({outer}) && ({inner})").into()),
        (one, other) => one.or(other).map(Into::into),
    }
}

fn fault(path: &str, at: Option<&Node>, message: &str) -> Diagnostic {
    Diagnostic {
        path: path.to_owned(),
        line: at.map_or(0, |node| node.line),
        column: at.map_or(0, |node| node.column),
        message: message.to_owned(),
    }
}

/// The path of something in the same repository: `./x`, or `$/x` for where the workflow
/// itself lies.
fn local(reference: &str) -> Option<String> {
    let is_local = reference == "." || reference.starts_with("./");
    let path = is_local.then_some(reference);
    join("", path.or_else(|| reference.strip_prefix("$/"))?)
}

/// Adds a limit once.
fn limit(limits: &mut Vec<Limit>, new: Limit) {
    if !limits.contains(&new) {
        limits.push(new);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::snapshot as snapshot_of;
