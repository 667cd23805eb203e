//! All workflows of a repository, rewritten with what they know of each other.
//!
//! A workflow alone does not tell who listens to it, nor where else its jobs run. Here
//! are all of them: a job that would run nowhere else is not gated, and neither is a
//! workflow whose end starts another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::findings::{self, Finding};
use super::outlook::{self, CheckRow};
use super::required::{self, Required};
use super::{Around, OK_JOB, PLAN_JOB, Refusal, Rewrite, Settings};
use super::{listeners, parse, rewrite, sum, write};
use crate::engine::history::History;
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::checks::{self, Checks};
use crate::engine::pipeline::{EventContext, Job, Pipeline, edit, filter, github};
use crate::engine::tree::{Entry, Mode, Snapshot, Tree};
use crate::engine::yaml::Node;

mod backstops;

pub use backstops::BackstopPatch;

/// One workflow file and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRewrite {
    /// Its path from the root.
    pub path: String,
    /// Its text as it was found.
    pub found: String,
    /// The rewrite.
    pub rewrite: Rewrite,
    /// How its checks report on a pull, before and after; empty when nothing is gated.
    pub checks: Vec<CheckRow>,
}

impl FileRewrite {
    /// Whether the file holds a rewrite that is not what it would be today: the workflow
    /// changed around it, or somebody edited it by hand.
    pub fn is_stale(&self) -> bool {
        let refused = self.rewrite.refused.is_some();
        self.is_rewritten() && (refused || self.found != self.rewrite.text)
    }

    /// Whether the file holds a rewrite, or what is left of one.
    pub fn is_rewritten(&self) -> bool {
        edit::is_marked(&self.found)
    }
}

/// Everything that was rewritten, and what else is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrites {
    /// The workflows, in the order of their paths.
    pub files: Vec<FileRewrite>,
    /// Faults that stand beside the rewrite.
    pub findings: Vec<Finding>,
    /// Changes that would give a backstop to jobs which are not gated for lack of one.
    pub backstops: Vec<BackstopPatch>,
}

/// Rewrites every workflow among the files, given by path; `branch` is the default branch.
pub fn rewrite_all(
    files: &BTreeMap<String, String>,
    branch: &str,
    settings: &Settings,
    history: Option<&History>,
) -> Rewrites {
    let repository = Repository::read(files, branch);
    let arounds = repository.arounds(settings, history);
    let one = |(pipeline, around): (&Pipeline, &Around)| {
        let found = files.get(pipeline.path.as_ref())?;
        let done = rewrite(&pipeline.path, found, around, settings);
        Some(repository.proven(pipeline, found, done, around))
    };
    let pipelines = repository.pipelines.iter().zip(&arounds);
    let done: Vec<FileRewrite> = pipelines.filter_map(one).collect();
    Rewrites {
        backstops: backstops::patches(&repository, &done),
        files: done,
        findings: repository.findings(settings.required.as_deref()),
    }
}

/// What each workflow of a repository has around it, by path, before anything is rewritten.
pub fn arounds(
    files: &BTreeMap<String, String>,
    branch: &str,
    settings: &Settings,
) -> BTreeMap<String, Around> {
    let repository = Repository::read(files, branch);
    let arounds = repository.arounds(settings, None);
    let paths = repository.pipelines.iter().map(|it| it.path.to_string());
    paths.zip(arounds).collect()
}

/// The workflows among the files, as they were before any rewrite.
pub fn originals(files: &BTreeMap<String, String>) -> Vec<Pipeline> {
    Repository::read(files, "").pipelines
}

/// What keeps each of the checks that are named from reporting on every pull, where
/// something does; `branch` is the default branch.
pub fn silent_checks(
    files: &BTreeMap<String, String>,
    branch: &str,
    named: &[String],
) -> Vec<(String, Finding)> {
    let repository = Repository::read(files, branch);
    let of_check = |name: &String| {
        let found = repository.findings(Some(std::slice::from_ref(name)));
        let found = found.into_iter().filter(Finding::is_of_required);
        found.map(|it| (name.clone(), it)).collect::<Vec<_>>()
    };
    named.iter().flat_map(of_check).collect()
}

/// The workflows of a repository, as they were before any rewrite.
struct Repository<'a> {
    files: &'a BTreeMap<String, String>,
    pipelines: Vec<Pipeline>,
    /// The check names of each pipeline's jobs, in the same order.
    checks: Vec<BTreeMap<String, Checks>>,
    /// What checks of ours call each pipeline.
    labels: Vec<String>,
    event: EventContext,
}

impl<'a> Repository<'a> {
    fn read(files: &'a BTreeMap<String, String>, branch: &str) -> Self {
        let originals: Vec<(&str, String)> = files
            .iter()
            .map(|(path, text)| {
                let original = edit::undo(text).unwrap_or_else(|| text.clone());
                (path.as_str(), original)
            })
            .collect();
        let pipelines = github::read(&snapshot(&originals));
        let text = |path: &str| originals.iter().find(|(it, _)| *it == path);
        let checks = pipelines.iter().map(|pipeline| {
            let root = text(&pipeline.path).and_then(|(path, text)| parse(path, text).ok());
            root.map(|root| checks::of(pipeline, &root))
                .unwrap_or_default()
        });
        Self {
            files,
            checks: checks.collect(),
            labels: labels(&pipelines),
            event: pull_to(branch),
            pipelines,
        }
    }

    fn arounds(&self, settings: &Settings, history: Option<&History>) -> Vec<Around> {
        let parts = self.pipelines.iter().zip(&self.checks).zip(&self.labels);
        parts
            .map(|((pipeline, checks), label)| {
                self.around((pipeline, checks, label), settings, history)
            })
            .collect()
    }

    fn around(
        &self,
        (pipeline, checks, label): (&Pipeline, &BTreeMap<String, Checks>, &str),
        settings: &Settings,
        history: Option<&History>,
    ) -> Around {
        let path = pipeline.path.as_ref();
        let found = self.files.get(path).map_or("", String::as_str);
        let known = settings.required.clone();
        let known = known.or_else(|| write::remembered(path, found));
        let ok = sum::check_name(label);
        let every: Vec<&Checks> = self.checks.iter().flat_map(BTreeMap::values).collect();
        let is_ok = |check: &str| self.is_ok(check);
        let required = Required::of(known.as_deref(), checks, &every, (&is_ok, &ok));
        let listeners = listeners::of(&self.pipelines, pipeline);
        let mut blocked = without_backstop(&self.pipelines, pipeline, &self.event);
        let reasons = pipeline.jobs.iter().filter_map(|job| {
            let id = job.file_id();
            let lost = checks.get(&id).and_then(|checks| required.forbids(checks));
            let deploys = required::deploys(job).then_some(Refusal::Deploys);
            let reason = deploys.or(lost).or_else(|| required.elsewhere(job))?;
            Some((id, reason))
        });
        for (id, reason) in reasons.chain(listeners::readers(pipeline, &listeners)) {
            blocked.entry(id).or_insert(reason);
        }
        Around {
            listeners: listeners.iter().map(|it| it.path.to_string()).collect(),
            blocked,
            summed: required.summed(checks, &ok, &summed_already(path, found)),
            required: required.known,
            label: Some(label.to_owned()),
            seconds: history.map(|it| seconds(it, pipeline)).unwrap_or_default(),
        }
    }

    fn is_ok(&self, check: &str) -> bool {
        self.labels
            .iter()
            .any(|label| sum::check_name(label) == check)
    }

    /// A rewrite that is known to keep every required check, with how its checks report.
    fn proven(
        &self,
        pipeline: &Pipeline,
        found: &str,
        done: Rewrite,
        around: &Around,
    ) -> FileRewrite {
        let of_it = self
            .pipelines
            .iter()
            .position(|it| it.path == pipeline.path);
        let checks = of_it
            .and_then(|at| self.checks.get(at))
            .cloned()
            .unwrap_or_default();
        let required = around.required.as_deref().unwrap_or_default();
        let checks = outlook::of(pipeline, &done, &checks, (&self.event, required));
        let rewrite = match outlook::vanishing(&checks) {
            Some(name) => done.taken_back(Refusal::RequiredVanishes(name.to_owned())),
            None => done,
        };
        FileRewrite {
            path: pipeline.path.to_string(),
            found: found.to_owned(),
            rewrite,
            checks,
        }
    }

    fn findings(&self, required: Option<&[String]>) -> Vec<Finding> {
        let pipelines: Vec<_> = self.pipelines.iter().zip(&self.checks).collect();
        findings::of(&pipelines, required, &|check| self.is_ok(check))
    }
}

/// Jobs of the file of which a part runs on pulls only.
fn without_backstop(
    pipelines: &[Pipeline],
    pipeline: &Pipeline,
    event: &EventContext,
) -> BTreeMap<String, Refusal> {
    let branch = (event.default_branch.as_ref(), None);
    let has_none =
        |job: &&Job| filter::backstops(pipelines, pipeline, job, branch, event).is_empty();
    let jobs = pipeline.jobs.iter().filter(has_none);
    jobs.map(|job| (job.file_id(), Refusal::NoBackstop))
        .collect()
}

/// What checks of ours call each pipeline: its name, or its path where the name is
/// computed or not the only one of its kind.
fn labels(pipelines: &[Pipeline]) -> Vec<String> {
    let label = |pipeline: &Pipeline| {
        let same = |other: &&Pipeline| other.name.eq_ignore_ascii_case(&pipeline.name);
        let is_clear = pipelines.iter().filter(same).count() == 1 && !pipeline.name.contains("${{");
        let label = if is_clear {
            &pipeline.name
        } else {
            &pipeline.path
        };
        label.to_string()
    };
    pipelines.iter().map(label).collect()
}

/// The jobs that the `trimtab-ok` of a rewritten file names, in lower case.
fn summed_already(path: &str, found: &str) -> BTreeSet<String> {
    let root = edit::split(found).and_then(|_| parse(path, found).ok());
    let needs = root
        .as_ref()
        .and_then(|root| root.get("jobs")?.get(OK_JOB)?.get("needs"));
    let needs = needs.map(Node::words).unwrap_or_default().into_iter();
    needs
        .filter(|need| *need != PLAN_JOB)
        .map(str::to_ascii_lowercase)
        .collect()
}

/// What each job of the file takes, its legs and the jobs that it calls included.
fn seconds(history: &History, pipeline: &Pipeline) -> BTreeMap<String, u64> {
    let mut found: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for job in &pipeline.jobs {
        let id = job.file_id();
        let own = history.of_job(pipeline, job).map(|it| it.seconds);
        let sum = found.entry(id).or_insert(Some(0));
        *sum = sum.zip(own).map(|(sum, own)| sum.saturating_add(own));
    }
    let known = found.into_iter();
    known
        .filter_map(|(id, seconds)| Some((id, seconds?)))
        .collect()
}

/// A pull to a branch, of which nothing else is known.
pub fn pull_to(branch: &str) -> EventContext {
    EventContext {
        target: branch.into(),
        source: "".into(),
        activity: "synchronize".into(),
        draft: false,
        fork: false,
        author: "".into(),
        labels: Vec::new(),
        repository: "".into(),
        default_branch: branch.into(),
    }
}

fn snapshot(files: &[(&str, String)]) -> Snapshot {
    let blob = |text: &str| ObjectId::from_bytes(&Sha256::digest(text.as_bytes()));
    let entry = |(path, text): &(&str, String)| {
        Some(Entry {
            path: (*path).into(),
            mode: Mode::File,
            blob: blob(text)?,
        })
    };
    let tree = Tree::new(files.iter().filter_map(entry).collect());
    let mut snapshot = Snapshot::new(tree);
    for (_, text) in files {
        if let Some(blob) = blob(text) {
            snapshot.insert_text(blob, Arc::from(text.as_str()));
        }
    }
    snapshot
}

#[cfg(test)]
mod tests;
