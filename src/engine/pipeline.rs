//! The pipeline model: workflows, jobs and steps, of no forge in particular.
//!
//! A dialect (`github`, later `gitlab`) reads its files into these types. What a
//! dialect cannot say in the model becomes a [`Limit`] on the job or the pipeline,
//! so that doubt is visible to whoever plans. Reusable workflows and composite
//! actions of the same repository are expanded: a job lists the steps that run.
//!
//! Nothing here decides what to skip.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Diagnostic;

pub mod aggregate;
pub mod checks;
pub mod compare;
pub mod edit;
pub mod expression;
pub mod filter;
pub mod github;
pub mod rewrite;
pub mod simulate;

/// One workflow file (GitHub), or one whole configuration (GitLab).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The file it was read from.
    pub path: Box<str>,
    /// Its name for people; the path when it declares none.
    pub name: Box<str>,
    /// The events that start it.
    pub triggers: Vec<Trigger>,
    /// Its jobs in the order of the file.
    pub jobs: Vec<Job>,
    /// Every file that takes part: itself, called workflows, composite actions.
    pub files: Vec<Box<str>>,
    /// Whether it can be called by other pipelines (`workflow_call`).
    pub callable: bool,
    /// Pipelines that start when this one ends, by name (`workflow_run`), if this
    /// one listens to them.
    pub listens_to: Vec<Box<str>>,
    /// What the reader could not understand, with path, line and column.
    pub diagnostics: Vec<Diagnostic>,
}

/// An event that starts a pipeline, with its filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What happened.
    pub event: EventKind,
    /// Target branches (for a pull) or pushed branches; empty means all.
    pub branches: Patterns,
    /// Pushed tags.
    pub tags: Patterns,
    /// Changed paths.
    pub paths: Patterns,
    /// Activity types; empty means the event's defaults.
    pub types: Vec<Box<str>>,
}

/// The kinds of event the planner tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A pull was opened or pushed to.
    Pull,
    /// The same with the base's secrets (`pull_request_target`).
    PullTarget,
    /// A push to a branch or tag.
    Push,
    /// A merge queue or merge train.
    Queue,
    /// A schedule.
    Schedule,
    /// A release, a deployment, another pipeline's end, a person: by the forge's name.
    Other(Box<str>),
}

/// Include and exclude globs in the order of the file, in the forge's dialect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    /// The globs; `!` in front of one takes matches out again.
    pub globs: Vec<Box<str>>,
    /// Whether a match means "does not start" (`paths-ignore`).
    pub ignore: bool,
}

/// The id of a job: unique in its pipeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub Box<str>);

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id in the file. Jobs of a called workflow are `caller / callee`, with
    /// the caller's id kept in [`Job::caller`].
    pub id: JobId,
    /// Its name for people, unexpanded.
    pub name: Box<str>,
    /// The job of the file that calls the workflow in which this one stands.
    pub caller: Option<JobId>,
    /// The line of the job in [`Job::file`], from 1.
    pub line: u32,
    /// The file in which it stands.
    pub file: Box<str>,
    /// Jobs that must end before it starts.
    pub needs: Vec<JobId>,
    /// Its condition, as written, without `${{ }}`.
    pub condition: Option<Box<str>>,
    /// The combinations of its matrix; empty without a matrix, or when the matrix
    /// is computed at run time ([`Limit::DynamicMatrix`]).
    pub legs: Vec<Leg>,
    /// The labels of its runner, as written.
    pub runner: Vec<Box<str>>,
    /// Environment variables from the pipeline down to the job, with `${{ }}` left in
    /// where only the run can tell.
    pub env: BTreeMap<Box<str>, Box<str>>,
    /// The working directory for its `run` steps, if one is set for all.
    pub directory: Option<Box<str>>,
    /// Images of its container and services.
    pub images: Vec<Box<str>>,
    /// What it does, in order, with composite actions expanded.
    pub steps: Vec<Step>,
    /// What makes it a job that is never skipped, or cannot be understood.
    pub limits: Vec<Limit>,
    /// The job after expansion, in a canonical form: two jobs with equal text do
    /// the same. Comments, key order and spelling do not count.
    pub definition: Box<str>,
}

impl Job {
    /// The id of the job of the file, in small letters as ids are compared: its caller's for
    /// a job of a called workflow.
    pub fn file_id(&self) -> String {
        let id = self.caller.as_ref().unwrap_or(&self.id);
        id.0.to_ascii_lowercase()
    }
}

/// The same for the id of a job of a plan: jobs of a called workflow are `caller / callee`,
/// and an id holds neither a blank nor a slash.
pub fn file_id(job: &str) -> String {
    let caller = job.split(" / ").next().unwrap_or(job);
    caller.to_ascii_lowercase()
}

/// One combination of a matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg {
    /// Shown to people, as the forge shows it: `3.12, ubuntu-latest`.
    pub name: Box<str>,
    /// The values by key; what is no text as JSON.
    pub values: BTreeMap<Box<str>, Box<str>>,
    /// The keys whose value is no text, but a number, a truth, a list or a mapping.
    pub typed: BTreeSet<Box<str>>,
}

impl Leg {
    /// The context `matrix` of this leg: each value in its type, and unknown what the run
    /// fills in.
    pub fn matrix(&self) -> expression::Value {
        let values = self.values.iter().map(|(key, text)| {
            let value = if self.typed.contains(key) {
                expression::json(text)
            } else {
                expression::Value::text(text)
            };
            (key.as_ref(), value.settled())
        });
        expression::Value::object(values)
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name for people.
    pub name: Option<Box<str>>,
    /// The file in which it stands: the pipeline's, or a composite action's.
    pub file: Box<str>,
    /// Its line in that file, from 1.
    pub line: u32,
    /// Its condition, as written, without `${{ }}`.
    pub condition: Option<Box<str>>,
    /// What it runs.
    pub action: Action,
}

/// What a step runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A script.
    Run {
        /// Its text, with `${{ }}` left in.
        script: Box<str>,
        /// The shell, if one is named.
        shell: Option<Box<str>>,
        /// The working directory, from the root (`""`); `None` means the job's.
        directory: Option<Box<str>>,
        /// Environment variables of the step, with `${{ }}` left in.
        env: BTreeMap<Box<str>, Box<str>>,
        /// The line of the script's first line, from 1.
        line: u32,
    },
    /// A published action, or a local one that could not be expanded.
    Use {
        /// As written: `actions/checkout@v4`, `./.github/actions/x`, `docker://alpine`.
        reference: Box<str>,
        /// Its inputs, as text.
        with: BTreeMap<Box<str>, Box<str>>,
    },
}

/// A fact about a job that restrains what may be planned for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// It has an environment or deploys.
    Environment(Box<str>),
    /// Its token may write packages, contents, deployments, pages, or the like.
    Writes(Box<str>),
    /// Its token may write what reports are made of: checks, statuses, comments on
    /// pulls, security events; or it may ask for an identity without an environment.
    Reports(Box<str>),
    /// It reads these secrets; `*` for all that there are.
    Secrets(Vec<Box<str>>),
    /// Its matrix is computed at run time.
    DynamicMatrix,
    /// It calls a workflow of another repository, or one that cannot be read.
    ForeignCall(Box<str>),
    /// It calls itself through other workflows, or the chain is too deep.
    CallDepth,
    /// Its definition could not be read.
    Unreadable(Box<str>),
}

/// What is known of a pull when its pipelines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContext {
    /// The target branch, without `refs/heads/`.
    pub target: Box<str>,
    /// The source branch.
    pub source: Box<str>,
    /// The activity, in the forge's word: `synchronize`.
    pub activity: Box<str>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether the source lies in another repository.
    pub fork: bool,
    /// The author's login.
    pub author: Box<str>,
    /// Its labels.
    pub labels: Vec<Box<str>>,
    /// The full name of the repository: `owner/name`.
    pub repository: Box<str>,
    /// The default branch.
    pub default_branch: Box<str>,
}

impl EventContext {
    /// The same pull, whatever happened to it: a plan serves every activity at its head, and
    /// a job that only an earlier or a later one starts needs what it needs.
    #[must_use]
    pub fn at_any_activity(&self) -> Self {
        Self {
            activity: "".into(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
impl EventContext {
    /// A push by `ann` to the pull of a branch of `acme/shop`.
    pub(crate) fn sample() -> Self {
        Self {
            target: "main".into(),
            source: "topic".into(),
            activity: "synchronize".into(),
            draft: false,
            fork: false,
            author: "ann".into(),
            labels: Vec::new(),
            repository: "acme/shop".into(),
            default_branch: "main".into(),
        }
    }
}

/// Whether something happens: a condition or a filter, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Only the run itself can tell; whoever plans takes it for yes.
    Unknown,
}

impl Truth {
    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}
