//! Runs one task: which use case it is, and what its end means for the queue.
//!
//! The error of a use case is read for what the forge said: a wait that it asked
//! for is handed on, a refusal that no repetition changes ends the task. Writes for
//! people are counted and wait; the machine check is counted and never waits.
//!
//! Nothing here claims, settles or repeats a task.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::answer_command::Said;
use super::{
    Context, analyse_pull, answer_command, backfill, ingest_run, propose_rewrite, publish, recover,
    report_pull, sync_repo, take_delivery,
};
use crate::engine::command::VERBS;
use crate::engine::ids::{InstallationId, RepoKey, Timestamp};
use crate::forge::ForgeError;
use crate::forge::github::payload::MalformedPayload;
use crate::queue::{Write, WriteBudget};
use crate::store::{NewTask, Scope, Task, TaskKind};
use crate::telemetry::Metric;

/// What came of a task.
#[derive(Debug)]
pub enum Ended {
    /// It is done, and this follows from it.
    Done(Vec<NewTask>),
    /// It failed and may be tried again.
    Failed {
        /// Why.
        error: anyhow::Error,
        /// The wait that the forge asked for: the least until then.
        wait: Option<Duration>,
    },
    /// It failed, and trying again cannot help.
    Hopeless(anyhow::Error),
    /// It may not write before this moment.
    Postponed(Timestamp),
    /// It was told to stop and stopped.
    Stopped,
}

/// Runs tasks and counts what they write.
#[derive(Debug)]
pub struct Runner {
    context: Context,
    budgets: Mutex<BTreeMap<Option<InstallationId>, WriteBudget>>,
}

impl Runner {
    /// Runs tasks in a context.
    pub fn new(context: Context) -> Self {
        Self {
            context,
            budgets: Mutex::default(),
        }
    }

    /// Does what the task says.
    pub async fn run(&self, task: &Task) -> Ended {
        let started = self.context.now();
        let ended = match self.take(&task.scope, &task.task) {
            Err(moment) => Ended::Postponed(moment),
            Ok(()) => judge(self.dispatch(&task.scope, &task.task).await),
        };
        let kind = task.task.as_str();
        let took = self.context.now().since(started);
        self.context
            .metrics
            .observe(Metric::TaskSeconds, kind, took);
        self.context
            .metrics
            .add(Metric::TasksEnded, ended.word(), 1);
        // The machine check is written within the task, and its webhook queued it.
        if let (TaskKind::AnalysePull { cause, .. }, Ended::Done(_)) = (&task.task, &ended) {
            let waited = self.context.now().since(task.queued);
            let cause = format!("{cause:?}").to_lowercase();
            self.context
                .metrics
                .observe(Metric::CheckSeconds, &cause, waited);
        }
        ended
    }

    async fn dispatch(&self, scope: &Scope, kind: &TaskKind) -> anyhow::Result<Vec<NewTask>> {
        let context = &self.context;
        match (kind, scope.installation, scope.repo_key()) {
            (TaskKind::Deliver { delivery }, _, _) => {
                take_delivery::run(context, scope.forge, delivery).await
            }
            (TaskKind::RedeliverMissed, _, _) => {
                recover::redeliver_missed(context, scope.forge).await
            }
            (TaskKind::SyncInstallation, Some(installation), _) => {
                recover::sync_installation(context, scope.forge, installation).await
            }
            (_, _, Some(repo)) => self.dispatch_repo(repo, kind).await,
            (_, _, None) => Err(anyhow::anyhow!("the task names no repository")),
        }
    }

    async fn dispatch_repo(&self, repo: RepoKey, kind: &TaskKind) -> anyhow::Result<Vec<NewTask>> {
        let context = &self.context;
        match kind {
            TaskKind::AnalysePull { pull, .. } => analyse_pull::run(context, repo, *pull).await,
            TaskKind::ReportPull { pull } => report_pull::run(context, repo, *pull).await,
            TaskKind::AnswerCommand {
                pull,
                comment,
                head,
                line,
                ..
            } => {
                self.context.metrics.add(Metric::Commands, verb(line), 1);
                let said = Said {
                    at: *comment,
                    line: line.clone(),
                    head: *head,
                };
                answer_command::run(context, repo, *pull, &said).await
            }
            // Until a maintainer says so, a new repository is read and nothing else
            // happens to it; what it could skip is said by its first pull.
            TaskKind::SyncRepo => sync_repo::run(context, repo).await,
            TaskKind::SweepPulls => recover::sweep_pulls(context, repo).await,
            TaskKind::WithdrawPlans => publish::withdraw_all(context, repo).await,
            TaskKind::ProposeRewrite { asked } => propose_rewrite::run(context, repo, *asked).await,
            TaskKind::Backfill => backfill::run(context, repo).await,
            TaskKind::IngestRun { run, attempt } => {
                ingest_run::run(context, repo, (*run, *attempt)).await
            }
            TaskKind::Deliver { .. } | TaskKind::SyncInstallation | TaskKind::RedeliverMissed => {
                Err(anyhow::anyhow!("the task does not belong to a repository"))
            }
        }
    }

    /// Takes what a task will write at most from the budget of its installation.
    fn take(&self, scope: &Scope, kind: &TaskKind) -> Result<(), Timestamp> {
        let (write, count) = match kind {
            TaskKind::AnalysePull { .. } => (Write::MachineCheck, 1),
            TaskKind::ReportPull { .. } => (Write::ForPeople, 2),
            TaskKind::AnswerCommand { .. } => (Write::ForPeople, 3),
            // A tree, a commit, a branch, a pull and an answer.
            TaskKind::ProposeRewrite { .. } => (Write::ForPeople, 5),
            _ => return Ok(()),
        };
        let now = self.context.now();
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = budgets.entry(scope.installation).or_default();
        (0..count).try_for_each(|_| budget.take(write, now))
    }
}

impl Ended {
    fn word(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Failed { .. } => "retried",
            Self::Hopeless(_) => "buried",
            Self::Postponed(_) | Self::Stopped => "put back",
        }
    }
}

/// The verb of a command's first line, for the metric.
fn verb(line: &str) -> &'static str {
    let word = line.split_whitespace().nth(1).unwrap_or_default();
    let mut known = VERBS.iter().map(|(verb, _, _)| *verb);
    known
        .find(|verb| verb.eq_ignore_ascii_case(word))
        .unwrap_or("unknown")
}

fn judge(result: anyhow::Result<Vec<NewTask>>) -> Ended {
    let error = match result {
        Ok(then) => return Ended::Done(then),
        Err(error) => error,
    };
    if error.downcast_ref::<MalformedPayload>().is_some() {
        return Ended::Hopeless(error);
    }
    match error.downcast_ref::<ForgeError>() {
        Some(ForgeError::Denied { .. } | ForgeError::Refused { .. }) => Ended::Hopeless(error),
        Some(ForgeError::Throttled { wait }) => {
            let wait = Some(*wait);
            Ended::Failed { error, wait }
        }
        Some(ForgeError::Missing { .. } | ForgeError::Unavailable { .. }) | None => {
            Ended::Failed { error, wait: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    fn check(error: ForgeError, expected: &str) {
        let failed: anyhow::Result<Vec<NewTask>> = Err(error).context("write the check");
        assert_eq!(judge(failed).word(), expected);
    }

    #[test]
    fn what_the_forge_said_decides_below_every_context() {
        let what = "a check";
        check(ForgeError::Denied { what }, "buried");
        check(ForgeError::Missing { what }, "retried");
        let source = anyhow::anyhow!("timed out");
        check(ForgeError::Unavailable { what, source }, "retried");
        let message = "too long".to_owned();
        check(ForgeError::Refused { what, message }, "buried");
    }

    #[test]
    fn a_wait_that_the_forge_asked_for_is_handed_on() {
        let wait = Duration::from_mins(7);
        let failed = Err(ForgeError::Throttled { wait }).context("write the comment");
        let Ended::Failed { wait: asked, .. } = judge(failed) else {
            panic!("it is tried again");
        };
        assert_eq!(asked, Some(wait));
    }
}
