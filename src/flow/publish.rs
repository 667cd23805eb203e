//! Brings the machine check of a head to what may be published now, and no further.
//!
//! What stands in the check is derived from the store each time: a plan line skips jobs
//! only while its pull is at that head, its plan was made from what is known of the pull
//! today, and the repository may enforce. Whoever changes any of this records the change
//! first and then comes here, so that a line is emptied before anything else happens.
//!
//! One check serves all pulls that share a head, and several tasks may write it at once;
//! so a writer looks again after each write, until what stands there is what should.

use anyhow::Context as _;

use super::{Context, checks};
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::engine::plan::Mode;
use crate::engine::plan_line::{PlanLine, WorkflowKey};
use crate::forge::{CheckRun, ForgeError};
use crate::store::{
    self, Cause, Gated, NewTask, PlanRecord, PullChange, Repository, RepositoryState, RunAll,
    TaskKind, WrittenCheck,
};

/// How often a check is written at most before others get their turn.
const ROUNDS: usize = 4;

/// A line may skip jobs of this workflow: what it says, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) gated: &'a Gated,
    /// Whether the jobs may be skipped; else the line is empty.
    pub(super) skips: bool,
}

impl Line<'_> {
    /// The line as text; an empty one where the jobs cannot be written down.
    pub(super) fn text(
        &self,
        (head, pull): (ObjectId, PullNumber),
        not_after: u64,
    ) -> Option<String> {
        let workflow = WorkflowKey::parse(&self.gated.key)?;
        let line = |skip: Vec<String>| {
            let line = PlanLine {
                head,
                pull,
                workflow: workflow.clone(),
                not_after,
                skip,
            };
            line.text()
        };
        let full = self.skips.then(|| self.gated.skip.clone());
        full.and_then(line).or_else(|| line(Vec::new()))
    }
}

/// Whether a plan's skips may be published: the plan speaks for the pull as it is, and
/// the repository enforces.
pub(super) fn may_skip(repository: &Repository, pull: &store::Pull, planned: &PlanRecord) -> bool {
    let head = planned.plan.head;
    let asked_for_all = match pull.run_all {
        RunAll::No => false,
        RunAll::Head(of) => of == head,
        RunAll::Always => true,
    };
    repository.state == RepositoryState::Active
        && !repository.paused
        && repository.mode == Some(Mode::Enforce)
        && planned.plan.mode == Mode::Enforce
        && planned.plan.run_everything.is_empty()
        && planned.revision == pull.revision
        && pull.open
        && pull.head == Some(head)
        && !pull.paused
        && !pull.barred
        && !asked_for_all
}

/// What a check should say.
struct Said {
    check: CheckRun,
    skips: bool,
    pulls: Vec<PullNumber>,
}

/// Makes the machine check of a head say what may be published now. Does nothing when it
/// says that already, or when there is no plan for the head.
pub(super) async fn bring(
    context: &Context,
    repo: RepoKey,
    pull: PullNumber,
    head: ObjectId,
) -> anyhow::Result<()> {
    for _ in 0..ROUNDS {
        let Some(said) = compose(context, repo, head).await? else {
            return Ok(());
        };
        let hash = super::report_pull::hash(&format!("{:?}", said.check));
        let record = context.store.pull(repo, pull).await;
        let record = record.context("read the pull")?;
        let known = record.iter().flat_map(|record| &record.checks);
        let mut known = known.filter(|it| it.head == head && it.name == checks::MACHINE);
        if known.any(|it| it.hash == hash) {
            return Ok(());
        }
        write(context, repo, &said, &hash).await?;
    }
    Err(anyhow::anyhow!(
        "the machine check changes faster than it is written"
    ))
}

async fn write(context: &Context, repo: RepoKey, said: &Said, hash: &str) -> anyhow::Result<()> {
    // Whether a write took place may never be known; until it is, the check counts as
    // one that may skip jobs, and what was known of it before as forgotten.
    if said.skips {
        remember(context, repo, said, (0, "")).await?;
    }
    let written = context.forge.write_check(repo, &said.check).await;
    let id = written.context("write the machine check")?.0;
    remember(context, repo, said, (id, hash)).await
}

async fn remember(
    context: &Context,
    repo: RepoKey,
    said: &Said,
    (id, hash): (u64, &str),
) -> anyhow::Result<()> {
    for pull in &said.pulls {
        let change = PullChange::CheckWritten(WrittenCheck {
            head: said.check.head,
            name: said.check.name.clone(),
            id,
            hash: hash.to_owned(),
            skips: said.skips,
        });
        let changed = context
            .store
            .change_pull(repo, *pull, change, context.now());
        changed.await.context("remember the check")?;
    }
    Ok(())
}

/// The check from all plans for the head; `None` when there is none.
async fn compose(context: &Context, repo: RepoKey, head: ObjectId) -> anyhow::Result<Option<Said>> {
    let store = &context.store;
    let repository = store
        .repository(repo)
        .await
        .context("read the repository")?;
    let Some(repository) = repository else {
        return Ok(None);
    };
    let pulls = store.pulls_at(repo, head).await;
    let mut plans = Vec::new();
    for number in pulls.context("find the pulls of a head")? {
        let record = store.pull(repo, number).await.context("read the pull")?;
        let planned = store.plan_at(repo, number, head).await;
        let planned = planned.context("read the plan")?;
        if let Some((record, planned)) = record.zip(planned) {
            let skips = may_skip(&repository, &record, &planned);
            plans.push((planned, skips));
        }
    }
    let skips = plans
        .iter()
        .any(|(planned, skips)| *skips && planned.gated.iter().any(|gated| !gated.skip.is_empty()));
    let pulls = plans.iter().map(|(planned, _)| planned.number).collect();
    Ok(checks::machine(&plans).map(|check| Said {
        check,
        skips,
        pulls,
    }))
}

/// Brings every machine check of a pull that may skip jobs to what may be published now.
pub(super) async fn withdraw(context: &Context, pull: &store::Pull) -> anyhow::Result<()> {
    let machine = pull.checks.iter().filter(|it| it.name == checks::MACHINE);
    for check in machine.filter(|check| check.skips) {
        bring(context, pull.repo, pull.number, check.head).await?;
    }
    Ok(())
}

/// Says which plans are to be made again because a branch moved that is their base: those
/// that may skip jobs. A later run of the same head tests the head with the new base.
pub(super) async fn base_moved(
    context: &Context,
    repo: RepoKey,
    branch: &str,
) -> anyhow::Result<Vec<NewTask>> {
    let pulls = context.store.open_pulls(repo).await;
    let skips = |pull: &store::Pull| {
        let mut checks = pull.checks.iter();
        checks.any(|check| check.skips && Some(check.head) == pull.head)
    };
    // A plan that is being made may rest on the base that was.
    let is_being_made = |pull: &store::Pull| {
        let mut checks = pull.checks.iter();
        !checks.any(|check| check.name == checks::MACHINE && Some(check.head) == pull.head)
    };
    let mut tasks = Vec::new();
    for pull in pulls.context("list the open pulls")? {
        let is_for_it = pull.target.as_deref().is_none_or(|target| target == branch);
        if is_for_it && (skips(&pull) || is_being_made(&pull)) {
            tasks.push(outdated(context, repo, pull.number).await?.1);
        }
    }
    Ok(tasks)
}

/// Remembers that the plan of a pull is outdated, and gives the task that makes a new one.
async fn outdated(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
) -> anyhow::Result<(store::Pull, NewTask)> {
    let change = PullChange::Outdated;
    let changed = context
        .store
        .change_pull(repo, number, change, context.now());
    let pull = changed.await.context("remember that a plan is outdated")?;
    let kind = TaskKind::AnalysePull {
        pull: number,
        head: pull.head,
        cause: Cause::Refresh,
    };
    Ok((pull, context.task(repo, kind)))
}

/// Empties what was published of all open pulls, and says which plans are to be made
/// again: all of them, because what they rest on has changed.
pub async fn withdraw_all(context: &Context, repo: RepoKey) -> anyhow::Result<Vec<NewTask>> {
    let pulls = context.store.open_pulls(repo).await;
    let pulls = pulls.context("list the open pulls")?;
    // All are marked before the first is written, and one that cannot be written keeps no
    // other from being emptied.
    let mut marked = Vec::new();
    for pull in pulls {
        marked.push(outdated(context, repo, pull.number).await?);
    }
    let mut to_retry = Ok(());
    for (pull, _) in &marked {
        let Err(fault) = withdraw(context, pull).await else {
            continue;
        };
        let refused = fault.downcast_ref::<ForgeError>();
        if refused.is_some_and(|it| it.retry_after().is_none()) {
            let number = pull.number.0;
            tracing::warn!(
                pull.number = number,
                error = fault.to_string(),
                "a check cannot be emptied"
            );
        } else {
            to_retry = Err(fault);
        }
    }
    to_retry?;
    Ok(marked.into_iter().map(|(_, task)| task).collect())
}
