//! Runs and jobs of workflows, as GitHub's webhooks and its REST interface both show them.
//!
//! Both places have the same objects, the older servers with fewer fields. A time that is
//! none makes the whole object one that is not understood, and it is left out.

use serde::Deserialize;

use super::Id;
use crate::engine::history::run::{Attempt, Conclusion, JobRun, LABELS, STEPS, StepRun, kept};
use crate::engine::ids::{ObjectId, PullNumber, RepoKey, Timestamp};

/// A run, or one attempt of it
/// (<https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt>).
#[derive(Deserialize)]
pub(crate) struct RunShape {
    pub(crate) id: u64,
    #[serde(default = "first")]
    pub(crate) run_attempt: u32,
    #[serde(default)]
    path: String,
    event: String,
    head_sha: ObjectId,
    head_branch: Option<String>,
    conclusion: Option<String>,
    created_at: String,
    run_started_at: Option<String>,
    updated_at: String,
    repository: Id,
    /// Nothing, when the fork was deleted.
    head_repository: Option<Id>,
    #[serde(default)]
    pull_requests: Vec<PullShape>,
}

#[derive(Deserialize)]
struct PullShape {
    number: u64,
    base: BaseShape,
}

#[derive(Deserialize)]
struct BaseShape {
    repo: Id,
}

fn first() -> u32 {
    1
}

impl RunShape {
    /// The attempt, if it is one of this repository.
    pub(crate) fn of(self, repo: RepoKey) -> Option<Attempt> {
        let here = self.repository.id;
        // Some servers write the ref of the file behind its path.
        let path = self.path.split('@').next().unwrap_or_default();
        let created = Timestamp::of_text(&self.created_at)?;
        let started = self.run_started_at.as_deref().and_then(Timestamp::of_text);
        let its = self.pull_requests.iter();
        let its = its.filter(|pull| pull.base.repo.id == here);
        let attempt = Attempt {
            run: self.id,
            attempt: self.run_attempt,
            pipeline: kept(path),
            event: kept(&self.event),
            head: self.head_sha,
            branch: self.head_branch.as_deref().map(kept),
            fork: self.head_repository.is_none_or(|it| it.id != here),
            pulls: its.map(|pull| PullNumber(pull.number)).collect(),
            created,
            started: started.unwrap_or(created),
            updated: Timestamp::of_text(&self.updated_at)?,
            conclusion: self.conclusion.as_deref().map(Conclusion::of),
        };
        (here == repo.repo.0).then_some(attempt)
    }
}

/// A page of runs.
#[derive(Deserialize)]
pub(crate) struct RunsAnswer {
    pub(crate) total_count: u64,
    pub(crate) workflow_runs: Vec<RunShape>,
}

/// A page of jobs.
#[derive(Deserialize)]
pub(crate) struct JobsAnswer {
    pub(crate) jobs: Vec<JobShape>,
}

/// A job of a run
/// (<https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run-attempt>).
#[derive(Deserialize)]
pub(crate) struct JobShape {
    id: u64,
    run_id: u64,
    #[serde(default = "first")]
    run_attempt: u32,
    name: String,
    conclusion: Option<String>,
    created_at: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    runner_group_name: Option<String>,
    #[serde(default)]
    steps: Vec<StepShape>,
}

#[derive(Deserialize)]
struct StepShape {
    name: String,
    conclusion: Option<String>,
    started_at: Option<String>,
    completed_at: Option<String>,
}

impl JobShape {
    /// The job, if it has ended.
    pub(crate) fn ended(self) -> Option<JobRun> {
        let moment = |text: &Option<String>| text.as_deref().and_then(Timestamp::of_text);
        let conclusion = Conclusion::of(self.conclusion.as_deref()?);
        let ended = moment(&self.completed_at)?;
        let started = moment(&self.started_at).unwrap_or(ended);
        let labels = self.labels.iter().take(LABELS);
        Some(JobRun {
            run: self.run_id,
            attempt: self.run_attempt,
            id: self.id,
            name: kept(&self.name),
            conclusion,
            created: moment(&self.created_at).unwrap_or(started),
            started,
            ended,
            labels: labels.map(|label| kept(label)).collect(),
            runner: self.runner_group_name.as_deref().map(kept),
            steps: self
                .steps
                .into_iter()
                .take(STEPS)
                .map(StepShape::run)
                .collect(),
        })
    }
}

impl StepShape {
    fn run(self) -> StepRun {
        let moment = |text: Option<String>| text.as_deref().and_then(Timestamp::of_text);
        let (started, ended) = (moment(self.started_at), moment(self.completed_at));
        let seconds = started
            .zip(ended)
            .map(|(from, to)| to.since(from).as_secs());
        StepRun {
            name: kept(&self.name),
            conclusion: Conclusion::of(self.conclusion.as_deref().unwrap_or_default()),
            seconds: seconds.unwrap_or_default(),
        }
    }
}
