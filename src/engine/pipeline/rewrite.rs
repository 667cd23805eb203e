//! Rewrites a GitHub workflow so that jobs which a plan names do not run.
//!
//! One job asks for the plan, each *gated* job has it as a need and a condition that
//! looks for its own name in the answer. The rules, each with its counter-example, are in
//! `docs/pipelines.md`: a job that cannot be gated without changing what another job does
//! is refused with its reason, and a file in which anything but the intended lines would
//! change is refused as a whole. No answer, a late one or a foreign one skips nothing.
//!
//! The input may be a rewritten file: it is first taken back to what it was, so that
//! rewriting twice is rewriting once.

use std::collections::{BTreeMap, BTreeSet};

use super::edit;
use super::github::NO_MAPPING;
use crate::engine::plan::Diagnostic;
use crate::engine::plan_line::WorkflowKey;
use crate::engine::yaml::{self, Node};

pub mod document;
pub mod findings;
mod gate;
pub mod gates;
mod listeners;
pub mod outlook;
pub mod patch;
mod read;
mod refusal;
pub mod repository;
mod required;
mod rules;
mod saving;
mod sum;
#[cfg(test)]
mod tests;
mod write;

use read::WorkflowJob;
pub use refusal::Refusal;
use rules::Fate;
use write::Draft;

/// The id of the job that asks for the plan.
pub const PLAN_JOB: &str = "trimtab-plan";

/// The id of the job that stands for checks which vanish while their jobs are skipped.
pub const OK_JOB: &str = "trimtab-ok";

/// What a rewrite needs to know beside the file. What is not said is as the file has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The label of the plan job's runner; one that is always there.
    pub runner: Option<String>,
    /// The id of the GitHub App whose check carries the plan.
    pub app_id: Option<String>,
    /// Where the server is that can be asked beside the check, without a slash at its end;
    /// empty for none.
    pub server: Option<String>,
    /// The checks that the default branch requires; `None` when nobody said.
    pub required: Option<Vec<String>>,
}

/// The runner where nothing says another one.
const RUNNER: &str = "ubuntu-latest";

impl Settings {
    /// What the jobs of ours in a file were written with; required checks are not told.
    pub fn of_file(path: &str, text: &str) -> Self {
        Self::default().or_those_of(path, text)
    }

    /// The same, with what it leaves open taken from the jobs of ours that a file has.
    fn or_those_of(&self, path: &str, text: &str) -> Self {
        let root = parse(path, text).ok();
        let job = |id: &str| root.as_ref()?.get("jobs")?.get(id);
        let plan = job(PLAN_JOB);
        let step = plan.and_then(|job| job.get("steps")?.items()?.first());
        let app_id = step.and_then(|step| step.get("env")?.get("TRIMTAB_APP_ID")?.as_str());
        let server = step.and_then(|step| step.get("env")?.get("PLAN_AUD")?.as_str());
        let runner = plan.or_else(|| job(OK_JOB));
        let runner = runner.and_then(|job| job.get("runs-on")?.as_str());
        let owned = |kept: Option<&str>| kept.map(str::to_owned);
        Self {
            runner: self.runner.clone().or_else(|| owned(runner)),
            app_id: self.app_id.clone().or_else(|| owned(app_id)),
            server: self.server.clone().or_else(|| owned(server)),
            required: self.required.clone(),
        }
    }

    fn runner(&self) -> &str {
        self.runner.as_deref().unwrap_or(RUNNER)
    }
}

/// What is known of a workflow beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Around {
    /// Workflows that start when this one ends.
    pub listeners: Vec<String>,
    /// Jobs that must not be gated, by id in lower case, with the reason.
    pub blocked: BTreeMap<String, Refusal>,
    /// Jobs that `trimtab-ok` sums up, by id in lower case.
    pub summed: BTreeSet<String>,
    /// The required checks that matter here, to be noted in the file; `None` when nobody
    /// said.
    pub required: Option<Vec<String>>,
    /// What checks of ours call the workflow; `None` for its own name.
    pub label: Option<String>,
    /// Seconds that jobs take, by id in lower case, as far as they were measured.
    pub seconds: BTreeMap<String, u64>,
}

impl Around {
    /// What checks of ours call a workflow: its name, or its path where the name would be
    /// computed.
    fn label(&self, path: &str, root: &Node) -> String {
        let name = root.get("name").and_then(Node::as_str);
        let own = name.filter(|name| !name.contains("${{")).unwrap_or(path);
        self.label.clone().unwrap_or_else(|| own.to_owned())
    }
}

/// What happens with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// The job.
    pub job: String,
    /// What is done with it.
    pub what: Done,
    /// Why it is not gated; `None` when it is.
    pub why: Option<Refusal>,
    /// Whether checks of other names than the job's vanish while it is skipped.
    pub checks_vanish: bool,
}

/// What is done with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Done {
    /// It gets a gate.
    Gated,
    /// Its needs are asked for by name, so that a lost plan job cannot skip it.
    Restated,
    /// It stays as it is.
    Left,
}

impl Done {
    /// The word for it: `gated`, `restated` or `left`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gated => "gated",
            Self::Restated => "restated",
            Self::Left => "left",
        }
    }
}

/// A workflow and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The text as it was before any rewrite.
    pub original: String,
    /// The rewritten text; equal to the original when no job is gated.
    pub text: String,
    /// The key of the gated workflow.
    pub key: Option<WorkflowKey>,
    /// The jobs in the order of the file.
    pub jobs: Vec<Disposition>,
    /// Why the whole file is left alone.
    pub refused: Option<Refusal>,
}

impl Rewrite {
    /// The same workflow, left alone for a reason that showed afterwards.
    fn taken_back(self, why: Refusal) -> Self {
        Self {
            text: self.original.clone(),
            original: self.original,
            key: None,
            jobs: Vec::new(),
            refused: Some(why),
        }
    }
}

/// Rewrites a workflow.
///
/// A file that cannot be rewritten stays as it was found; one that may no longer be gated
/// loses its gates.
pub fn rewrite(path: &str, text: &str, around: &Around, settings: &Settings) -> Rewrite {
    let left = |original: &str, text: &str, refused| Rewrite {
        original: original.to_owned(),
        text: text.to_owned(),
        key: None,
        jobs: Vec::new(),
        refused: Some(refused),
    };
    let Some(original) = edit::undo(text).filter(|original| !edit::is_marked(original)) else {
        return left(text, text, Refusal::Marked);
    };
    if original != text && names_ours(&original) {
        return left(text, text, Refusal::Edited);
    }
    let done = read_jobs(path, &original).and_then(|(root, jobs)| {
        let by_id = read::by_id(&jobs).ok_or(Refusal::SameIds)?;
        if let Some(job) = rules::circle(&jobs, &by_id) {
            let why = format!("`{job}` needs itself, by way of other jobs");
            return Err(Refusal::Unreadable(why));
        }
        let fates = rules::fates(&jobs, &by_id, &around.blocked);
        if let Some(listener) = around.listeners.first()
            && !listeners::outcome_stays(&jobs, &by_id, &fates)
        {
            return Err(Refusal::ListenedTo(listener.clone()));
        }
        if saving::is_none(&jobs, &fates, &around.seconds) {
            return Err(Refusal::NoSaving);
        }
        let settings = settings.or_those_of(path, text);
        let draft = Draft {
            path,
            original: &original,
            root: &root,
            jobs: &jobs,
            by_id: &by_id,
            fates: &fates,
        };
        draft
            .write(around, &settings)
            .map(|(text, key)| (text, key, dispositions(&jobs, &fates)))
    });
    match done {
        Ok((text, key, jobs)) => Rewrite {
            original,
            text,
            key,
            jobs,
            refused: None,
        },
        Err(refused) if refused.ends_gates() => left(&original, &original, refused),
        Err(refused) => left(&original, text, refused),
    }
}

/// Whether a text without our lines still asks for a job of ours, which then is nowhere.
fn names_ours(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or(line));
    lines.any(|line| line.contains(PLAN_JOB) || line.contains(OK_JOB))
}

/// The jobs of a file that may be rewritten at all.
fn read_jobs(path: &str, text: &str) -> Result<(Node, Vec<WorkflowJob>), Refusal> {
    let root = parse(path, text).map_err(Refusal::Unreadable)?;
    let events = events(&root);
    let has = |name: &str| events.iter().any(|event| event == name);
    if has("workflow_call") {
        return Err(Refusal::Callable);
    }
    if !has("pull_request") {
        return Err(Refusal::NotOnPulls);
    }
    if has("pull_request_target") {
        return Err(Refusal::PullTarget);
    }
    let jobs = read::jobs(&root, text);
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    let is_ours = |id: &str| {
        [PLAN_JOB, OK_JOB]
            .iter()
            .any(|it| it.eq_ignore_ascii_case(id))
    };
    if ids.iter().any(|id| is_ours(id)) {
        return Err(Refusal::HasPlanJob);
    }
    if let Some(odd) = ids.iter().find(|id| !is_id(id)) {
        return Err(Refusal::Unreadable(format!("`{odd}` is no job id")));
    }
    let unknown = jobs
        .iter()
        .flat_map(|job| &job.needs)
        .find(|need| !ids.iter().any(|id| id.eq_ignore_ascii_case(need)));
    match unknown {
        Some(need) => Err(Refusal::Unreadable(format!("no job is called `{need}`"))),
        None => Ok((root, jobs)),
    }
}

/// A workflow, or what is wrong with it first.
fn parse(path: &str, text: &str) -> Result<Node, String> {
    let first = |faults: Vec<Diagnostic>| {
        let first = faults.into_iter().next();
        first.map_or_else(|| "it cannot be read".to_owned(), |fault| fault.message)
    };
    let root = yaml::parse_written(path, text).map_err(first)?;
    if root.entries().is_none() {
        return Err(NO_MAPPING.to_owned());
    }
    Ok(root)
}

fn events(root: &Node) -> Vec<String> {
    let Some(on) = root.get("on") else {
        return Vec::new();
    };
    let of_mapping = on
        .entries()
        .unwrap_or_default()
        .iter()
        .map(|entry| entry.key.to_string());
    on.words()
        .into_iter()
        .map(str::to_owned)
        .chain(of_mapping)
        .collect()
}

/// GitHub's grammar of job ids.
fn is_id(id: &str) -> bool {
    let mut chars = id.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn dispositions(jobs: &[WorkflowJob], fates: &[Fate]) -> Vec<Disposition> {
    let one = |(job, fate): (&WorkflowJob, &Fate)| {
        let (what, why) = match fate {
            Fate::Gated => (Done::Gated, None),
            Fate::Restated(why) => (Done::Restated, Some(why.clone())),
            Fate::Refused(why) => (Done::Left, Some(why.clone())),
        };
        Disposition {
            job: job.id.clone(),
            what,
            why,
            checks_vanish: job.expands && what == Done::Gated,
        }
    };
    jobs.iter().zip(fates).map(one).collect()
}
