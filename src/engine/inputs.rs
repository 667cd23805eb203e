//! What a job reads: from its steps to entry points in the graph.
//!
//! A job is *understood* when every program and every action in it is in the
//! embedded tables with one class. One unknown makes it *opaque*: its input is
//! the whole repository, and the cause names the line that made it so.
//!
//! Inference only widens: a part that is not sure of its paths says more, never
//! less. Nothing here looks at what changed.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::globs::{self, Glob};
use super::lock::LockSlices;
use super::packages::Packages;
use super::pipeline::{EventContext, Job, Leg};
use super::policy::{JobPolicy, Policy, Skip};
use super::tree::{FileId, Snapshot};

pub use compiled::{count_as_run, is_handed_on};
pub use memo::Memo;

mod actions;
mod cargo;
mod carriers;
mod compiled;
mod containers;
mod downloads;
mod environment;
mod envs;
mod filters;
mod git;
mod go;
mod hooks;
mod ini;
mod jvm;
pub mod limits;
mod links;
mod make;
mod manifests;
mod memo;
mod named;
mod names;
mod node;
mod programs;
mod projects;
mod pull;
mod python;
pub mod resolve;
mod scope;
mod spelling;
mod state;
mod steps;
pub mod table;
#[cfg(test)]
mod tests;
mod walk;
mod wide;
mod written;

/// Where a part of the inputs comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file: a workflow, a script, a manifest, the configuration.
    pub file: Box<str>,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: u32,
    /// The command, action or rule, for people: `pytest tests/unit`.
    pub what: Box<str>,
}

/// One thing that a job reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Files matched by globs, closed over the graph.
    Entry(Vec<Glob>),
    /// Files matched by globs, and what they import: what a tool reads that runs none
    /// of them, such as a type checker.
    Checked(Vec<Glob>),
    /// Files matched by globs, and what it takes to compile them: nothing of them runs.
    Compiled(Vec<Glob>),
    /// A unit of the graph by directory, compiled the same way.
    Built(Box<str>),
    /// Files matched by globs, exactly.
    Exact(Vec<Glob>),
    /// Manifests matched by globs, without versions and without what they depend on:
    /// what a tool reads of a module that it does not build. Of a module of Python, only
    /// that it is there.
    Shape(Vec<Glob>),
    /// A unit of the graph by directory (a Go package, a crate, a module), closed.
    Unit(Box<str>),
    /// Files below a directory (`""` is the root) by extension, exactly: what a
    /// tree-wide tool reads. An empty list of extensions means all files.
    Tree {
        /// The directory.
        dir: Box<str>,
        /// Extensions without the dot.
        extensions: Vec<Box<str>>,
    },
    /// All files whose path fits none of `except`, by extension, exactly. The extension
    /// `""` stands for names without one and for dotfiles, whose kind only their
    /// content tells; an empty list means all files.
    Except {
        /// Extensions without the dot.
        extensions: Vec<Box<str>>,
        /// Globs over paths from the root, whose `*` also crosses directories.
        except: Vec<Glob>,
    },
    /// A package from outside, by the name in the manifest of this directory.
    External {
        /// The package's directory.
        dir: Box<str>,
        /// The external name; `*` for all that the manifest asks for.
        name: Box<str>,
    },
}

/// Why a job cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opaque {
    /// Where.
    pub origin: Origin,
    /// The kind of cause, for counting: `unknown program`, `unknown action`.
    pub cause: OpaqueCause,
}

/// The kinds of cause that make a job opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpaqueCause {
    /// A program that is in no table.
    UnknownProgram(Box<str>),
    /// An action that is in no table.
    UnknownAction(Box<str>),
    /// A known program used in a way that the table does not cover.
    UnknownUse(Box<str>),
    /// Shell that is not read: `eval`, a program's name in a variable.
    Shell(Box<str>),
    /// A shell other than a POSIX one.
    ForeignShell(Box<str>),
    /// A target, script or recipe that was not found.
    Missing(Box<str>),
    /// A workflow or matrix that cannot be expanded.
    Unexpanded(Box<str>),
    /// Code that may load anything in the repository.
    Reaches(Box<str>),
}

/// Why a job is never skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Never {
    /// It reads the history, or the pull's title, body or labels.
    ReadsHistory,
    /// It deploys, publishes or releases, or has an environment.
    Delivers,
    /// Its token may write, or it uses deployment secrets.
    Writes,
    /// A security scan.
    Scans,
    /// It uploads to a required check of another app.
    Reports,
    /// Its artifacts are read by a pipeline that listens to this one.
    IsListenedTo,
    /// Nothing else would run it later.
    HasNoBackstop,
    /// The configuration says so.
    IsConfigured,
}

impl Never {
    /// Whether it is a line that counts for what it does, so that nobody asked what it reads.
    pub fn reads_unasked(&self) -> bool {
        matches!(self, Self::ReadsHistory | Self::Delivers | Self::Scans)
    }
}

/// What was inferred of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobInputs {
    /// What it reads, each with its origin; sorted, without repeats.
    pub parts: Vec<(Input, Origin)>,
    /// Why it is opaque; empty for an understood job.
    pub opaque: Vec<Opaque>,
    /// Why it is never skipped.
    pub never: Vec<(Never, Origin)>,
    /// Files whose text was needed and not there; the caller reads them and asks again.
    pub missing_texts: Vec<Box<str>>,
}

/// The inputs of a job on one tree.
#[derive(Debug, Clone, Default)]
pub struct InputSet {
    /// The files, sorted.
    pub files: Vec<FileId>,
    /// Manifests of which only the shape is read, each with a digest of that.
    pub shapes: BTreeMap<Box<str>, [u8; 32]>,
    /// What it takes from outside, as digests of slices of lockfiles.
    pub slices: LockSlices,
}

/// What inference looks at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The tree with the texts that were read.
    pub snapshot: &'a Snapshot,
    /// Its packages.
    pub packages: &'a Packages,
    /// The configuration in force.
    pub policy: &'a Policy,
    /// The pull, as far as it is known.
    pub event: Option<&'a EventContext>,
    /// What was parsed already.
    pub memo: &'a Memo,
}

/// What a job reads. Without a leg, everything that any of its legs reads.
pub fn infer(job: &Job, leg: Option<&Leg>, context: &Context<'_>) -> JobInputs {
    let mut out = match leg {
        None if !job.legs.is_empty() => {
            let mut all = JobInputs::default();
            for leg in &job.legs {
                merge(&mut all, walk::Walk::new(job, Some(leg), context).job());
            }
            all
        }
        leg => walk::Walk::new(job, leg, context).job(),
    };
    drop_repeated(&mut out.parts);
    limits::apply(job, &mut out);
    let rules: Vec<&JobPolicy> = rules_of(context.policy, &job.id.0).collect();
    if !rules.is_empty() {
        if !out.missing_texts.is_empty() {
            // What is configured asks for no text, and yet one may say more.
            context.memo.peek();
        }
        configured(job, &rules, context, &mut out);
    }
    out.parts.sort();
    out.parts.dedup();
    out.opaque.sort();
    out.opaque.dedup();
    out.never.sort();
    out.never.dedup();
    out.missing_texts.sort();
    out.missing_texts.dedup();
    out
}

/// Drops parts that were said before. Many commands say the same long lists, which a
/// sort would compare again and again.
fn drop_repeated(parts: &mut Vec<(Input, Origin)>) {
    let mut known: FxHashSet<&(Input, Origin)> = FxHashSet::default();
    let fresh: Vec<bool> = parts.iter().map(|part| known.insert(part)).collect();
    let mut fresh = fresh.into_iter();
    parts.retain(|_| fresh.next().unwrap_or(true));
}

fn merge(all: &mut JobInputs, one: JobInputs) {
    all.parts.extend(one.parts);
    all.opaque.extend(one.opaque);
    all.never.extend(one.never);
    all.missing_texts.extend(one.missing_texts);
}

/// The rules of the configuration whose globs fit the job, in the order of the file.
fn rules_of<'p>(policy: &'p Policy, id: &str) -> impl Iterator<Item = &'p JobPolicy> {
    let fits = move |glob: &str| {
        glob == id
            || globs::compile_crossing(&Glob::written(glob)).is_ok_and(|glob| glob.is_match(id))
    };
    let rules = policy.jobs.iter();
    rules
        .filter(move |(glob, _)| fits(glob))
        .map(|(_, rule)| rule)
}

/// Configured inputs, those of the first rule that has some, stand in place of inferred
/// ones; what any rule says is never skipped stays so.
fn configured(job: &Job, rules: &[&JobPolicy], context: &Context<'_>, out: &mut JobInputs) {
    let origin = Origin {
        file: super::policy::FILE.into(),
        line: 0,
        what: format!("jobs: {}", job.id).into(),
    };
    if rules.iter().any(|rule| rule.skip == Skip::Never) {
        out.never.push((Never::IsConfigured, origin.clone()));
    }
    let mut inputs = rules
        .iter()
        .filter_map(|rule| Some((rule, rule.inputs.as_ref()?)));
    let Some((rule, globs)) = inputs.next() else {
        return;
    };
    let input = if rule.exact {
        Input::Exact(globs.clone())
    } else {
        Input::Entry(globs.clone())
    };
    out.opaque.clear();
    out.missing_texts.clear();
    // What fits nothing is a slip of the pen: no job that somebody configures reads nothing.
    let tree = &context.snapshot.tree;
    if (globs.iter()).all(|glob| globs::fitting(tree, glob).is_empty()) {
        let mut shown: Vec<String> = globs.iter().map(ToString::to_string).collect();
        shown.dedup();
        let what = format!("any file that fits its `inputs` ({})", shown.join(", "));
        out.opaque.push(Opaque {
            origin: origin.clone(),
            cause: OpaqueCause::Missing(what.into()),
        });
    }
    out.parts = vec![(input, origin)];
}
