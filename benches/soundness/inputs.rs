//! What a change must touch so that a job runs: its inputs, and the files that run
//! everything.
//!
//! Lockfiles count as inputs where the job takes slices of them. Files that somebody
//! might add are judged in a tree that has them, empty; that tree is never written.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use trimtab::engine::diff::{self, Change};
use trimtab::engine::everything;
use trimtab::engine::ids::ObjectId;
use trimtab::engine::inputs::{JobInputs, Origin};
use trimtab::engine::lock::Locks;
use trimtab::engine::ownership::Ownership;
use trimtab::engine::pipeline::EventContext;
use trimtab::engine::policy::Policy;
use trimtab::engine::side::Side;
use trimtab::engine::tree::{Entry, Mode, Tree};
use trimtab::flow::analyse;
use trimtab::repo::{FactsCache, Loader, Repo};

/// The answer for one tree.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Files that run the job when they change.
    pub(crate) covered: BTreeSet<String>,
    /// How many of them are its own inputs.
    pub(crate) own: usize,
    /// Why the job is not understood; empty when it is.
    pub(crate) opaque: Vec<String>,
    /// Why it is never skipped, whatever it reads.
    pub(crate) never: Vec<String>,
    /// Whether every file is an input.
    pub(crate) is_everything: bool,
}

/// What an opaque job reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Everything, as the plan has it.
    Whole,
    /// What was understood of it.
    Parts,
}

/// Which job of which commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The commit.
    pub(crate) rev: &'a str,
    /// `WORKFLOW:JOB`; the workflow's base name will do.
    pub(crate) job: &'a str,
    /// What it reads when it is opaque.
    pub(crate) opaque: Trust,
}

/// One job of one commit, asked again and again with other files beside it.
pub(crate) struct Analyst<'a> {
    loader: Loader<'a>,
    tree: Tree,
    policy: Policy,
    event: EventContext,
    workflow: &'a str,
    job: &'a str,
    opaque: Trust,
}

impl<'a> Analyst<'a> {
    pub(crate) fn new(repo: &'a Repo, asked: Asked<'a>) -> anyhow::Result<Self> {
        let (workflow, job) = asked.job.split_once(':').context("--job is WORKFLOW:JOB")?;
        let commit = repo.commit(asked.rev).context("find the commit")?;
        let main: Box<str> = repo.default_branch().as_deref().unwrap_or("main").into();
        Ok(Self {
            loader: Loader::new(repo, FactsCache::none()),
            tree: repo.tree(commit).context("list the tree")?,
            policy: Policy::default(),
            event: EventContext {
                target: main.clone(),
                source: "".into(),
                activity: "synchronize".into(),
                draft: false,
                fork: false,
                author: "".into(),
                labels: Vec::new(),
                repository: "".into(),
                default_branch: main,
            },
            workflow,
            job,
            opaque: asked.opaque,
        })
    }

    /// The inputs in a tree that has these files as well, with this blob.
    pub(crate) fn inputs(
        &mut self,
        added: &[String],
        blob: Option<ObjectId>,
    ) -> anyhow::Result<Inputs> {
        let with = |blob| {
            added.iter().map(move |path| Entry {
                path: path.as_str().into(),
                mode: Mode::File,
                blob,
            })
        };
        let added = blob.into_iter().flat_map(with);
        let kept = self.tree.iter().map(|(_, entry)| entry.clone());
        let tree = Tree::new(kept.chain(added).collect());
        let (snapshot, _) = self.loader.load(tree).context("read the blobs")?;
        let side = analyse::side(&mut self.loader, snapshot, &self.policy, &self.event)?;
        let jobs = || side.survey.jobs();
        let is_meant = |path: &str| {
            path == self.workflow || Path::new(path).file_name() == Some(self.workflow.as_ref())
        };
        let found =
            jobs().find(|(pipeline, job, _)| is_meant(&pipeline.path) && &*job.id.0 == self.job);
        let Some((_, _, inputs)) = found else {
            let known: Vec<String> = jobs()
                .map(|(pipeline, job, _)| format!("{}:{}", pipeline.path, job.id))
                .collect();
            anyhow::bail!("there is no such job; the jobs are {}", known.join(", "));
        };
        Ok(self.answer(&side, inputs))
    }

    fn answer(&self, side: &Side, inputs: &JobInputs) -> Inputs {
        let tree = &side.snapshot.tree;
        let mut resolved = inputs.clone();
        if self.opaque == Trust::Parts {
            resolved.opaque.clear();
        }
        let set = side.files(&resolved);
        // A manifest counts although only its shape is compared.
        let shapes = set.shapes.into_keys().map(String::from);
        let files = set.files;
        let (locks, broken) = Locks::read(&side.snapshot, &side.survey.packages);
        let slices = side.slices(inputs, &files, &locks);
        let locks = slices.keys().map(|(lockfile, _)| lockfile.to_string());
        let broken = broken.into_iter().map(|fault| fault.path);
        let own: BTreeSet<String> = files
            .iter()
            .map(|file| tree.path(*file).to_owned())
            .chain(locks)
            .chain(shapes)
            .collect();
        let (count, is_everything) = (own.len(), files.len() == tree.len());
        let forcing = self.forcing(side);
        let words = |origin: &Origin, what: String| {
            format!("{}:{}: {what} ({})", origin.file, origin.line, origin.what)
        };
        let opaque = inputs.opaque.iter();
        let never = inputs.never.iter();
        Inputs {
            covered: own.into_iter().chain(forcing).chain(broken).collect(),
            own: count,
            opaque: opaque
                .map(|it| words(&it.origin, format!("{:?}", it.cause)))
                .collect(),
            never: never
                .map(|(it, origin)| words(origin, format!("{it:?}")))
                .collect(),
            is_everything,
        }
    }

    /// Files that run everything when they change.
    fn forcing(&self, side: &Side) -> Vec<String> {
        let tree = &side.snapshot.tree;
        let (ownership, _) = Ownership::new(&side.survey.packages, &self.policy);
        let both = everything::Side {
            packages: &side.survey.packages,
            ownership: &ownership,
        };
        let is_named = |path: &str| side.names.contains(tree, path);
        let forces = |entry: &Entry| {
            let at = diff::Side {
                mode: entry.mode,
                blob: entry.blob,
            };
            let change = Change {
                path: entry.path.clone(),
                before: Some(at),
                after: Some(at),
                renamed_from: None,
            };
            !everything::reasons(&[change], both, both, &self.policy, is_named).is_empty()
        };
        let forcing = tree.iter().map(|(_, entry)| entry);
        let forcing = forcing.filter(|entry| forces(entry));
        forcing.map(|entry| entry.path.to_string()).collect()
    }

    /// The names that would not run the job if somebody added them as files.
    ///
    /// They are tried together, and apart as soon as one of them changes what else is an
    /// input: an empty `tox.ini` must not hide what the real `pyproject.toml` leads to.
    pub(crate) fn unnoticed(
        &mut self,
        names: &[String],
        empty: ObjectId,
    ) -> anyhow::Result<Vec<String>> {
        let without = self.inputs(&[], None)?;
        if names.is_empty() || without.is_everything {
            return Ok(Vec::new());
        }
        self.unnoticed_beside(names, (&without, empty))
    }

    fn unnoticed_beside(
        &mut self,
        names: &[String],
        (without, empty): (&Inputs, ObjectId),
    ) -> anyhow::Result<Vec<String>> {
        let inputs = self.inputs(names, Some(empty))?;
        let differs = inputs.is_everything || !without.covered.is_subset(&inputs.covered);
        if differs && names.len() > 1 {
            let (first, second) = names.split_at(names.len() / 2);
            let mut found = self.unnoticed_beside(first, (without, empty))?;
            found.extend(self.unnoticed_beside(second, (without, empty))?);
            return Ok(found);
        }
        let unnoticed = names.iter().filter(|name| !inputs.covered.contains(*name));
        Ok(unnoticed.cloned().collect())
    }

    /// The files of the commit.
    pub(crate) fn tracked(&self) -> BTreeSet<String> {
        let entries = self.tree.iter();
        entries.map(|(_, entry)| entry.path.to_string()).collect()
    }
}
