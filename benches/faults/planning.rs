//! Plans of faults, and which tests a fault may reach.
//!
//! The plan is the product's own: base and fault go through the same function as
//! every pull. A test may be reached when a changed file lies in what its file
//! needs, before or after; and every test of a job may be when everything runs, or
//! when a changed input of the job belongs to no test in particular.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use trimtab::engine::graph::{Closure, NodeId};
use trimtab::engine::history::History;
use trimtab::engine::ids::ObjectId;
use trimtab::engine::pipeline::EventContext;
use trimtab::engine::plan::{Plan, Verdict};
use trimtab::engine::policy::Policy;
use trimtab::engine::side::Side;
use trimtab::engine::tree::dir_of;
use trimtab::flow::analyse::{self, Question};
use trimtab::repo::{FactsCache, Loader, Repo};

use crate::report::Format;
use crate::suite::{Project, Run};

/// The base, analysed once, and what is needed to plan against it.
pub(crate) struct Planner<'a> {
    repo: &'a Repo,
    loader: Loader<'a>,
    base: ObjectId,
    side: Side,
    event: EventContext,
    history: History,
}

/// A planned fault.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    merge: Side,
    changed: Vec<String>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(repo: &'a Repo, base: &str, project: &Project) -> anyhow::Result<Self> {
        let mut loader = Loader::new(repo, FactsCache::none());
        let event = event(project);
        let base = repo.commit(base)?;
        let (snapshot, _) = loader.load(repo.tree(base)?)?;
        let side = analyse::side(&mut loader, snapshot, &Policy::default(), &event)?;
        Ok(Self {
            repo,
            loader,
            base,
            side,
            event,
            history: History::default(),
        })
    }

    pub(crate) fn plan(&mut self, head: &str) -> anyhow::Result<Planned> {
        let head = self.repo.commit(head)?;
        let question = Question {
            pull: None,
            base: self.base,
            head,
            event: self.event.clone(),
            mode: None,
            terms: None,
            last_good: None,
            history: &self.history,
            forced: Vec::new(),
            asked: Vec::new(),
            told: Vec::new(),
        };
        let answer = analyse::run(self.repo, &mut self.loader, &question, &mut |_| Ok(()));
        let answer = answer.context("plan the fault")?;
        let changes = self.repo.diff(self.base, head)?;
        Ok(Planned {
            plan: answer.plan,
            merge: answer.merge,
            changed: changes
                .iter()
                .map(|change| change.path.to_string())
                .collect(),
        })
    }

    /// The places whose tests the fault may reach; `None` for all of them.
    pub(crate) fn reach<'p>(
        &self,
        planned: &Planned,
        run: &Run,
        places: impl Iterator<Item = &'p str>,
    ) -> Option<BTreeSet<String>> {
        if !planned.plan.run_everything.is_empty() {
            return None;
        }
        let mut owned: BTreeSet<&str> = BTreeSet::new();
        let mut reached = BTreeSet::new();
        for place in places {
            for side in [&self.side, &planned.merge] {
                let closure = side.graph.closure(entries(side, run, place));
                for path in &planned.changed {
                    if holds(side, &closure, path) {
                        owned.insert(path);
                        reached.insert(place.to_owned());
                    }
                }
            }
        }
        let of_no_test = |path: &&String| !owned.contains(path.as_str());
        let loose: Vec<&String> = planned.changed.iter().filter(of_no_test).collect();
        let is_input = |side: &Side| {
            let jobs = run.jobs.iter().filter_map(|job| job.split_once(':'));
            let inputs = jobs.filter_map(|(workflow, job)| side.survey.find(workflow, job));
            inputs.into_iter().any(|(_, _, inputs)| {
                let files = side.files(inputs).files;
                let paths: BTreeSet<&str> = files
                    .iter()
                    .map(|file| side.snapshot.tree.path(*file))
                    .collect();
                loose.iter().any(|path| paths.contains(path.as_str()))
            })
        };
        let whole = is_input(&self.side) || is_input(&planned.merge);
        (!whole).then_some(reached)
    }
}

impl Planned {
    /// Whether a job that the command stands for is skipped.
    pub(crate) fn skips(&self, run: &Run) -> bool {
        let jobs = self.plan.jobs.iter();
        let mut own =
            jobs.filter(|job| run.jobs.contains(&format!("{}:{}", job.workflow, job.job)));
        own.any(|job| job.verdict == Verdict::Skip)
    }
}

/// The files that a place stands for.
fn entries(side: &Side, run: &Run, place: &str) -> Vec<NodeId> {
    let tree = &side.snapshot.tree;
    let inside = |dir: &str| match (dir, place) {
        ("", place) => place.to_owned(),
        (dir, place) => format!("{dir}/{place}"),
    };
    match run.report {
        Format::Go => {
            let dir = place
                .strip_prefix(&run.home)
                .unwrap_or(place)
                .trim_start_matches('/');
            let files = tree
                .iter()
                .filter(|(_, entry)| dir_of(&entry.path) == dir && entry.path.ends_with(".go"));
            files.map(|(file, _)| file.into()).collect()
        }
        Format::Cargo => {
            let files = tree
                .under(&run.home)
                .filter(|(_, entry)| entry.path.ends_with(".rs"));
            files.map(|(file, _)| file.into()).collect()
        }
        Format::None | Format::Junit | Format::Mocha | Format::Vitest => {
            let found = tree.find(&inside(&run.dir)).or_else(|| tree.find(place));
            found.into_iter().map(NodeId::from).collect()
        }
    }
}

/// Whether the closure needs the path.
fn holds(side: &Side, closure: &Closure, path: &str) -> bool {
    side.snapshot
        .tree
        .find(path)
        .is_some_and(|file| closure.contains(file.into()))
}

fn event(project: &Project) -> EventContext {
    EventContext {
        target: project.branch.as_str().into(),
        source: "fault".into(),
        activity: "synchronize".into(),
        draft: false,
        fork: false,
        author: "".into(),
        labels: Vec::new(),
        repository: project.name.as_str().into(),
        default_branch: project.branch.as_str().into(),
    }
}

/// The checkout as a repository for the planner.
pub(crate) fn open(dir: &Path, scratch: &Path) -> anyhow::Result<Repo> {
    Ok(Repo::open(dir, scratch)?)
}
