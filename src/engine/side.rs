//! One tree, analysed: what base and merge each know before they are compared.
//!
//! It is made in two steps, because jobs name scripts that nobody has read yet:
//! a [`Survey`] says which texts are missing, the caller reads them and surveys
//! again; then the graph is built once.
//!
//! Nothing here knows of another tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diff::Change;
use super::facts::{Facts, Language, Reach};
use super::globs::{self, Glob};
use super::graph::{self, Closure, Graph, NodeId, Use, Widening};
use super::inputs::resolve::{self, Lookup};
use super::inputs::{self, Input, InputSet, JobInputs};
use super::lock::{LockSlices, Locks, Slice};
use super::ownership::{self, Names};
use super::packages::{Ecosystem, Packages};
use super::pipeline::{EventContext, Job, Pipeline, github};
use super::plan::Diagnostic;
use super::policy::Policy;
use super::sources::want;
use super::tree::{FileId, Mode, Snapshot};

/// Packages, pipelines and what was inferred of each job.
#[derive(Debug)]
pub struct Survey {
    /// The packages.
    pub packages: Packages,
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// What each job reads, by pipeline and job, in the order of the pipelines.
    pub inputs: Vec<Vec<JobInputs>>,
    /// The jobs whose inputs another text may change, by pipeline and job.
    open: BTreeSet<(usize, usize)>,
}

impl Survey {
    /// Reads manifests, pipelines and steps of a snapshot.
    pub fn of(snapshot: &Snapshot, policy: &Policy, event: Option<&EventContext>) -> Self {
        let nothing = Self {
            packages: Packages::read(snapshot),
            pipelines: github::read(snapshot),
            inputs: Vec::new(),
            open: BTreeSet::new(),
        };
        nothing.again(snapshot, policy, event)
    }

    /// Infers the inputs once more, with the texts of scripts that were missing.
    /// Manifests and pipelines are read from the start, so they stay, and so do the
    /// inputs of jobs that no further text can change.
    #[must_use]
    pub fn again(
        mut self,
        snapshot: &Snapshot,
        policy: &Policy,
        event: Option<&EventContext>,
    ) -> Self {
        let context = inputs::Context {
            snapshot,
            packages: &self.packages,
            policy,
            event,
            memo: &inputs::Memo::default(),
        };
        let mut known = std::mem::take(&mut self.inputs).into_iter();
        let open = std::mem::take(&mut self.open);
        for (at, pipeline) in self.pipelines.iter().enumerate() {
            let mut known = known.next().unwrap_or_default().into_iter();
            let mut inputs = Vec::with_capacity(pipeline.jobs.len());
            for (index, job) in pipeline.jobs.iter().enumerate() {
                let settled = known.next().filter(|_| !open.contains(&(at, index)));
                inputs.push(settled.unwrap_or_else(|| {
                    let mut inferred = inputs::infer(job, None, &context);
                    if inputs::is_handed_on(job, &pipeline.jobs) {
                        inputs::count_as_run(&mut inferred);
                    }
                    if context.memo.take_peek() || !inferred.missing_texts.is_empty() {
                        self.open.insert((at, index));
                    }
                    inferred
                }));
            }
            self.inputs.push(inputs);
        }
        self
    }

    /// Files whose text was needed and not there.
    pub fn missing_texts(&self) -> BTreeSet<Box<str>> {
        self.inputs
            .iter()
            .flatten()
            .flat_map(|inputs| inputs.missing_texts.iter().cloned())
            .collect()
    }

    /// Every job with its pipeline and its inputs.
    pub fn jobs(&self) -> impl Iterator<Item = (&Pipeline, &Job, &JobInputs)> {
        let pairs = self.pipelines.iter().zip(&self.inputs);
        pairs.flat_map(|(pipeline, inputs)| {
            pipeline
                .jobs
                .iter()
                .zip(inputs)
                .map(move |(job, inputs)| (pipeline, job, inputs))
        })
    }

    /// The job of this pipeline with this id.
    pub fn find(&self, pipeline: &str, job: &str) -> Option<(&Pipeline, &Job, &JobInputs)> {
        self.jobs()
            .find(|(other, found, _)| &*other.path == pipeline && &*found.id.0 == job)
    }
}

/// Whether a survey of the tree after the changes must be that of the tree before:
/// no path came, went or changed its mode, and no text that anybody read is another.
/// Inference looks at the facts of no file whose text it did not ask for.
pub fn shares_survey(before: &Snapshot, after: &Snapshot, changes: &[Change]) -> bool {
    let is_silent = |change: &Change| {
        let (Some(old), Some(new)) = (change.before, change.after) else {
            return false;
        };
        let is_read = before.text_of(old.blob).is_some() || after.text_of(new.blob).is_some();
        // What a link leads to speaks under other names as well.
        let is_linked = old.mode == Mode::Symlink || before.tree.has_other_names(&change.path);
        old.mode == new.mode && !is_read && !is_linked && !want(&change.path).text
    };
    changes.iter().all(is_silent)
}

/// Whether the changed files of a tree that [shares the survey](shares_survey) of another
/// say what they said: then nothing in the graph is another.
pub fn says_the_same(before: &Snapshot, after: &Snapshot, changes: &[Change]) -> bool {
    changes
        .iter()
        .all(|change| said(before, change) == said(after, change))
}

/// One tree, analysed. What is equal on two trees is shared between their sides.
#[derive(Debug)]
pub struct Side {
    /// The tree with facts and texts.
    pub snapshot: Snapshot,
    /// Packages, pipelines and inferred inputs.
    pub survey: Arc<Survey>,
    /// Who needs whom.
    pub graph: Arc<Graph>,
    /// Which files anything names.
    pub names: Arc<Names>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    lookup: Arc<Lookup>,
}

impl Side {
    /// Builds the graph of a surveyed snapshot.
    pub fn complete(snapshot: Snapshot, survey: impl Into<Arc<Survey>>, policy: &Policy) -> Self {
        let survey = survey.into();
        let (graph, names) = linked(&snapshot, &survey.packages, policy);
        let lookup = Lookup::of(&snapshot, survey.inputs.iter().flatten());
        let diagnostics = survey
            .pipelines
            .iter()
            .flat_map(|pipeline| pipeline.diagnostics.clone())
            .collect();
        Self {
            snapshot,
            survey,
            graph: Arc::new(graph),
            names: Arc::new(names),
            diagnostics,
            lookup: Arc::new(lookup),
        }
    }

    /// The analysis of a tree that [shares the survey](shares_survey) of this one, with
    /// the same texts: the graph is this one's as well where the edited files say the
    /// same.
    #[must_use]
    pub fn edited(&self, snapshot: Snapshot, changes: &[Change], policy: &Policy) -> Self {
        let (graph, names) = if says_the_same(&self.snapshot, &snapshot, changes) {
            (Arc::clone(&self.graph), Arc::clone(&self.names))
        } else {
            let (graph, names) = linked(&snapshot, &self.survey.packages, policy);
            (Arc::new(graph), Arc::new(names))
        };
        Self {
            snapshot,
            survey: Arc::clone(&self.survey),
            graph,
            names,
            diagnostics: self.diagnostics.clone(),
            lookup: Arc::clone(&self.lookup),
        }
    }

    /// Whether the two are known to have the same graph.
    pub fn has_graph_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.graph, &other.graph)
    }

    /// The files that a job reads here.
    pub fn files(&self, inputs: &JobInputs) -> InputSet {
        let packages = &self.survey.packages;
        resolve::resolve(inputs, &self.snapshot, &self.graph, packages, &self.lookup)
    }

    /// What a job takes from outside here, as slices of lockfiles.
    pub fn slices(&self, inputs: &JobInputs, files: &[FileId], locks: &Locks) -> LockSlices {
        let mut asked: BTreeMap<&str, BTreeMap<&str, Vec<Ecosystem>>> = BTreeMap::new();
        for file in files {
            let path = self.snapshot.tree.path(*file);
            let dir = self.survey.packages.owner_dir(path).unwrap_or_default();
            let names = asked.entry(dir).or_default();
            let importer = Language::of_path(path).and_then(Ecosystem::of_language);
            for name in self.graph.externals_of(*file) {
                let importers: &mut Vec<Ecosystem> = names.entry(name).or_default();
                importers.extend(importer.filter(|it| !importers.contains(it)));
            }
        }
        let mut slices = LockSlices::new();
        let mut keep = |dir: &str, name: &str, slice: Slice| {
            if !slice.lockfile.is_empty() {
                slices.insert(
                    (slice.lockfile, format!("{dir}:{name}").into()),
                    slice.digest,
                );
            }
        };
        for (dir, names) in &asked {
            for (name, importers) in names {
                keep(dir, name, locks.slice_for(importers, dir, name));
            }
            let imported = names.keys().copied().collect();
            keep(dir, "(tools)", locks.tools_slice(dir, &imported));
        }
        for (input, _) in &inputs.parts {
            if let Input::External { dir, name } = input {
                keep(dir, name, locks.slice(dir, name));
            }
        }
        slices
    }

    /// The unresolved constructs that a job's entry points reach directly, for `why`.
    /// How far each reaches there stands beside it.
    pub fn widenings(&self, inputs: &JobInputs) -> Vec<(&Widening, Reach)> {
        self.graph.widened(&self.closure(inputs))
    }

    /// The closure of a job's entry points, for chains of reasons.
    pub fn closure(&self, inputs: &JobInputs) -> Closure {
        resolve::closure(inputs, &self.snapshot, &self.graph, &self.lookup)
    }

    /// The files that a tool of the job reads and does not run, and what they import.
    pub fn checked(&self, inputs: &JobInputs) -> Closure {
        let checked = resolve::checked(inputs, &self.snapshot, self.lookup.fitting());
        self.graph.closure_for(checked, Use::Checked)
    }

    /// The files that an input names itself, in order.
    pub fn named(&self, input: &Input) -> Vec<FileId> {
        resolve::named(input, &self.snapshot, self.lookup.fitting())
    }

    /// The files that a glob fits, in order.
    pub fn fitting(&self, glob: &Glob) -> Vec<FileId> {
        let known = self.lookup.fitting().files(glob).map(<[FileId]>::to_vec);
        known.unwrap_or_else(|| globs::fitting(&self.snapshot.tree, glob))
    }

    /// A node in words: a path, or a unit's name.
    pub fn label(&self, node: NodeId) -> String {
        match (self.graph.file(node), self.graph.unit(node)) {
            (Some(file), _) => self.snapshot.tree.path(file).to_owned(),
            (None, Some(unit)) => unit.name.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// What the file of a change says in a tree.
fn said<'s>(snapshot: &'s Snapshot, change: &Change) -> Option<&'s Facts> {
    snapshot.facts(snapshot.tree.find(&change.path)?)
}

fn linked(snapshot: &Snapshot, packages: &Packages, policy: &Policy) -> (Graph, Names) {
    let mut builder = graph::build(snapshot, packages);
    ownership::link(&mut builder, policy);
    let graph = builder.finish();
    let names = Names::of(&graph);
    (graph, names)
}

#[cfg(test)]
mod tests;
