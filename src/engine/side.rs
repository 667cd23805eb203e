//! One tree, analysed: what base and merge each know before they are compared.
//!
//! It is made in two steps, because jobs name scripts that nobody has read yet:
//! a [`Survey`] says which texts are missing, the caller reads them and surveys
//! again; then the graph is built once.
//!
//! Nothing here knows of another tree.

use std::collections::{BTreeMap, BTreeSet};

use super::globs::Fitting;
use super::graph::{self, Closure, Graph, NodeId, Widening};
use super::inputs::{self, Input, InputSet, JobInputs, resolve};
use super::lock::{LockSlices, Locks, Slice};
use super::ownership::{self, Names};
use super::packages::Packages;
use super::pipeline::{EventContext, Job, Pipeline, github};
use super::plan::Diagnostic;
use super::policy::Policy;
use super::tree::{FileId, Snapshot};

/// Packages, pipelines and what was inferred of each job.
#[derive(Debug)]
pub struct Survey {
    /// The packages.
    pub packages: Packages,
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// What each job reads, by pipeline and job, in the order of the pipelines.
    pub inputs: Vec<Vec<JobInputs>>,
}

impl Survey {
    /// Reads manifests, pipelines and steps of a snapshot.
    pub fn of(snapshot: &Snapshot, policy: &Policy, event: Option<&EventContext>) -> Self {
        let packages = Packages::read(snapshot);
        let pipelines = github::read(snapshot);
        let context = inputs::Context {
            snapshot,
            packages: &packages,
            policy,
            event,
            memo: &inputs::Memo::default(),
        };
        let of_pipeline = |pipeline: &Pipeline| {
            pipeline
                .jobs
                .iter()
                .map(|job| inputs::infer(job, None, &context))
                .collect()
        };
        let inputs = pipelines.iter().map(of_pipeline).collect();
        Self {
            packages,
            pipelines,
            inputs,
        }
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

/// One tree, analysed.
#[derive(Debug)]
pub struct Side {
    /// The tree with facts and texts.
    pub snapshot: Snapshot,
    /// Packages, pipelines and inferred inputs.
    pub survey: Survey,
    /// Who needs whom.
    pub graph: Graph,
    /// Which files anything names.
    pub names: Names,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    fitting: Fitting,
}

impl Side {
    /// Builds the graph of a surveyed snapshot.
    pub fn complete(snapshot: Snapshot, survey: Survey, policy: &Policy) -> Self {
        let mut builder = graph::build(&snapshot, &survey.packages);
        ownership::link(&mut builder, policy);
        let graph = builder.finish();
        let names = Names::of(&graph);
        let fitting = resolve::fitting(&snapshot, survey.inputs.iter().flatten());
        let diagnostics = survey
            .pipelines
            .iter()
            .flat_map(|pipeline| pipeline.diagnostics.clone())
            .collect();
        Self {
            snapshot,
            survey,
            graph,
            names,
            diagnostics,
            fitting,
        }
    }

    /// The files that a job reads here.
    pub fn files(&self, inputs: &JobInputs) -> InputSet {
        let packages = &self.survey.packages;
        resolve::resolve(inputs, &self.snapshot, &self.graph, packages, &self.fitting)
    }

    /// What a job takes from outside here, as slices of lockfiles.
    pub fn slices(&self, inputs: &JobInputs, files: &[FileId], locks: &Locks) -> LockSlices {
        let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for file in files {
            let dir = self
                .survey
                .packages
                .owner_dir(self.snapshot.tree.path(*file))
                .unwrap_or_default();
            let names = asked.entry(dir).or_default();
            names.extend(self.graph.externals_of(*file));
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
            for name in names {
                keep(dir, name, locks.slice(dir, name));
            }
            keep(dir, "(tools)", locks.tools_slice(dir, names));
        }
        for (input, _) in &inputs.parts {
            if let Input::External { dir, name } = input {
                keep(dir, name, locks.slice(dir, name));
            }
        }
        slices
    }

    /// The unresolved constructs that a job's entry points reach directly, for `why`.
    pub fn widenings(&self, inputs: &JobInputs) -> Vec<&Widening> {
        let closure = self.closure(inputs);
        let widenings = self.graph.widenings.iter();
        widenings
            .filter(|widening| closure.contains(widening.file.into()))
            .collect()
    }

    /// The closure of a job's entry points, for chains of reasons.
    pub fn closure(&self, inputs: &JobInputs) -> Closure {
        self.graph.closure(resolve::entries(
            inputs,
            &self.snapshot,
            &self.graph,
            &self.fitting,
        ))
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
