//! Makes the plan of a pull and writes the machine check, first and at once.
//!
//! The pull is read from the forge, not from the event. Whatever stands in the
//! way of a real plan becomes a plan in which everything runs, with the reason:
//! a missing plan and a careful plan mean the same to a runner.

use std::sync::{Arc, Weak};

use anyhow::Context as _;

use super::analyse::{self, Answer, Question};
use super::sync_repo::{Place, branch_ref, fetch, merge_refs, pull_ref};
use super::{Context, publish};
use crate::engine::history::History;
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::engine::impact::Asked;
use crate::engine::pipeline::EventContext;
use crate::engine::plan::{Mode, Plan, ReasonId, RunEverything, SCHEMA, Verdict};
use crate::engine::rollout::{Lots, Terms, Told};
use crate::forge::{ForgeError, Pull, PullState};
use crate::repo::Loader;
use crate::store::{
    self, Gated, NewPlan, NewTask, PullChange, Repository, RepositoryState, RunAll, WrittenCheck,
};
use crate::telemetry::Metric;

/// A label with this name makes everything run.
const LABEL_FULL: &str = "trimtab:full";

/// A label with this name pauses the bot on a pull.
const LABEL_OFF: &str = "trimtab:off";

/// Makes the plan and writes the machine check. What was published before and holds no
/// longer is emptied first.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
) -> anyhow::Result<Vec<NewTask>> {
    let Some(repository) = context
        .store
        .repository(repo)
        .await
        .context("read the repository")?
    else {
        return Ok(Vec::new());
    };
    if repository.state != RepositoryState::Active {
        return Ok(Vec::new());
    }
    let pull = match context.forge.pull(repo, number).await {
        Err(ForgeError::Missing { .. }) => return close(context, repo, number).await,
        Ok(pull) if pull.state != PullState::Open => return close(context, repo, number).await,
        other => other.context("read the pull")?,
    };
    let read = PullChange::Read {
        head: pull.head,
        target: pull.base_ref.clone(),
        barred: [LABEL_FULL, LABEL_OFF].iter().any(|name| has(&pull, name)),
    };
    let record = context
        .store
        .change_pull(repo, number, read, context.now())
        .await
        .context("remember the pull")?;
    publish::withdraw(context, &record).await?;
    let made = if repository.synced.is_some() {
        plan(context, &repository, &pull, &record).await?
    } else {
        without_trees(&repository, &pull).into()
    };
    for job in &made.plan.jobs {
        let verdict = match job.verdict {
            Verdict::Run => "run",
            Verdict::Skip => "skip",
            Verdict::Narrow => "narrow",
        };
        context.metrics.add(Metric::Verdicts, verdict, 1);
    }
    let changed = PullChange::Planned(Box::new(NewPlan {
        revision: record.revision,
        ..made
    }));
    context
        .store
        .change_pull(repo, number, changed, context.now())
        .await
        .context("remember the plan")?;
    publish::bring(context, repo, number, pull.head).await?;
    Ok(vec![context.report(repo, number)])
}

/// Whether a plan looked at the repository, and not only at what forbids looking.
pub(super) fn rests_on_trees(plan: &Plan) -> bool {
    !plan
        .run_everything
        .iter()
        .any(|forced| forced.id == ReasonId::MirrorNotReady)
}

/// Writes a check unless it already says the same.
pub(super) async fn write_check(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
    record: &store::Pull,
    check: crate::forge::CheckRun,
) -> anyhow::Result<()> {
    let hash = super::report_pull::hash(&format!("{check:?}"));
    let known = record
        .checks
        .iter()
        .any(|it| it.head == check.head && it.name == check.name && it.hash == hash);
    if known {
        return Ok(());
    }
    let id = context
        .forge
        .write_check(repo, &check)
        .await
        .context("write the check")?
        .0;
    // One check stands on a head, whichever of its pulls had it written.
    let same = context.store.pulls_at(repo, check.head).await;
    let same = same.context("find the pulls of a head")?;
    for of in same.into_iter().filter(|of| *of != number).chain([number]) {
        let change = PullChange::CheckWritten(WrittenCheck {
            head: check.head,
            name: check.name.clone(),
            id,
            hash: hash.clone(),
            skips: false,
        });
        let changed = context.store.change_pull(repo, of, change, context.now());
        changed.await.context("remember the check")?;
    }
    Ok(())
}

/// Remembers that a pull is closed, and empties what was published of it. Other pulls with
/// its head are looked at again, since it has no say on the head any more.
pub(super) async fn close(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
) -> anyhow::Result<Vec<NewTask>> {
    let change = PullChange::Closed;
    let closed = context
        .store
        .change_pull(repo, number, change, context.now());
    let pull = closed.await.context("remember the pull")?;
    publish::withdraw(context, &pull).await?;
    let Some(head) = pull.head else {
        return Ok(Vec::new());
    };
    let same = context.store.pulls_at(repo, head).await;
    let same = same.context("find the pulls of a head")?;
    let others = same.into_iter().filter(|other| *other != number);
    Ok(others.map(|other| context.report(repo, other)).collect())
}

async fn plan(
    context: &Context,
    repository: &Repository,
    pull: &Pull,
    record: &store::Pull,
) -> anyhow::Result<NewPlan> {
    let repo = repository.key;
    let base = branch_ref(&pull.base_ref)?;
    let head = pull_ref(repo.forge, pull.number);
    let mut refs = vec![format!("+{base}:{base}"), format!("+{head}:{head}")];
    // For the audit: which merge a run of this head will have tested.
    refs.extend(merge_refs(repo.forge, pull.number));
    fetch(context, repo, refs).await?;
    let matter = Matter {
        repository: repository.clone(),
        pull: pull.clone(),
        record: record.clone(),
        base: None,
        lots: lots(context, repo, pull.number).await?,
    };
    let answer = answer(context, matter).await?;
    let gated = answer.gates.iter().map(|gates| Gated {
        workflow: gates.path.clone(),
        key: gates.key.as_str().to_owned(),
        skip: gates.skips(&answer.plan.jobs),
    });
    let gated = gated.collect();
    Ok(NewPlan {
        plan: answer.plan,
        revision: record.revision,
        gated,
        note: answer.note.map(str::to_owned),
    })
}

/// What was drawn for a pull. The key is made when it is first needed.
pub(super) async fn lots(
    context: &Context,
    repo: RepoKey,
    pull: PullNumber,
) -> anyhow::Result<Lots> {
    let mut fresh = [0; 32];
    aws_lc_rs::rand::fill(&mut fresh)
        .map_err(|_none| anyhow::anyhow!("no random number can be had"))?;
    let key = context.store.lots_key(fresh).await;
    let key = key.context("read the key of lots")?;
    Ok(Lots::of(&key, repo, pull))
}

/// What an analysis of a pull is about.
pub(super) struct Matter {
    pub(super) repository: Repository,
    pub(super) pull: Pull,
    pub(super) record: store::Pull,
    /// The commit to compare with; the tip of the base when there is none.
    pub(super) base: Option<ObjectId>,
    /// What was drawn for the pull.
    pub(super) lots: Lots,
}

/// Analyses a pull whose commits are in the mirror. Dropped, it stops at its next
/// stage.
pub(super) async fn answer(context: &Context, matter: Matter) -> anyhow::Result<Answer> {
    answer_as(context, matter, None).await
}

/// The same in a mode, whatever the configuration says.
pub(super) async fn answer_as(
    context: &Context,
    matter: Matter,
    mode: Option<Mode>,
) -> anyhow::Result<Answer> {
    let place = Place::of(context, matter.repository.key);
    let wanted = Arc::new(());
    let still_wanted = Arc::downgrade(&wanted);
    let history = history(context, matter.repository.key).await?;
    let analysing = tokio::task::spawn_blocking(move || {
        analyse_mirrored(&place, (&matter, &history, mode), &still_wanted)
    });
    let answer = analysing.await.context("analyse the pull")?;
    drop(wanted);
    answer
}

/// What runs told of how long jobs take.
pub(super) async fn history(context: &Context, repo: RepoKey) -> anyhow::Result<History> {
    let times = context.store.times(repo).await;
    let mut history = History::default();
    for (pipeline, times) in times.context("read how long jobs take")? {
        history.learn(&pipeline, times);
    }
    Ok(history)
}

/// The answer from the mirror; ends early when nobody wants it any more.
fn analyse_mirrored(
    place: &Place,
    (matter, history, mode): (&Matter, &History, Option<Mode>),
    wanted: &Weak<()>,
) -> anyhow::Result<Answer> {
    let (repository, pull, record) = (&matter.repository, &matter.pull, &matter.record);
    let mirror = place.open()?;
    let base = match matter.base {
        Some(base) => base,
        None => mirror
            .commit(&branch_ref(&pull.base_ref)?)
            .context("find the base")?,
    };
    let mut forced = forced(pull, record, repository);
    match mirror
        .merge_base(base, pull.head)
        .context("find the merge base")?
    {
        None => forced.push(reason(
            ReasonId::BaseUnknown,
            "head and base have no common history",
        )),
        Some(common) => {
            let messages = mirror
                .messages(common, pull.head)
                .context("read the commit messages")?;
            let asks = messages.iter().any(|message| asks_for_all(message));
            forced.extend(asks.then(|| reason(ReasonId::AskedForAll, "a commit trailer")));
        }
    }
    let question = Question {
        pull: Some(pull.number),
        base,
        head: pull.head,
        event: event(pull, repository),
        mode,
        terms: Some(Terms {
            set: repository.mode,
            lots: matter.lots,
        }),
        last_good: repository
            .policy
            .as_ref()
            .map(|policy| policy.text.as_str()),
        history,
        forced,
        asked: asked(record, pull.head),
        told: told(record, pull.head),
    };
    let mut loader = Loader::new(&mirror, place.facts());
    analyse::run(&mirror, &mut loader, &question, &mut |stage| {
        still_wanted(wanted, stage)
    })
}

/// Fails when nobody waits for the answer any more: whoever did was stopped.
fn still_wanted(wanted: &Weak<()>, stage: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        wanted.strong_count() > 0,
        "it was not wanted any more, before {stage}"
    );
    Ok(())
}

/// What is known before anything is read: labels, commands, pauses.
fn forced(pull: &Pull, record: &store::Pull, repository: &Repository) -> Vec<RunEverything> {
    let has = |name: &str| has(pull, name);
    let run_all = match record.run_all {
        RunAll::No => false,
        RunAll::Head(head) => head == pull.head,
        RunAll::Always => true,
    };
    let reasons = [
        (run_all, ReasonId::AskedForAll, "a command"),
        (
            has(LABEL_FULL),
            ReasonId::AskedForAll,
            "the label trimtab:full",
        ),
        (has(LABEL_OFF), ReasonId::Paused, "the label trimtab:off"),
        (record.paused, ReasonId::Paused, "a command"),
        (repository.paused, ReasonId::Paused, "a maintainer"),
    ];
    reasons
        .into_iter()
        .filter(|(holds, _, _)| *holds)
        .map(|(_, id, subject)| reason(id, subject))
        .collect()
}

fn has(pull: &Pull, name: &str) -> bool {
    let mut labels = pull.labels.iter();
    labels.any(|label| label.eq_ignore_ascii_case(name))
}

fn reason(id: ReasonId, subject: &str) -> RunEverything {
    RunEverything {
        id,
        subject: subject.to_owned(),
    }
}

/// `Trimtab: full` as a trailer of a commit message.
fn asks_for_all(message: &str) -> bool {
    let Some(last) = message.trim_end().split("\n\n").last() else {
        return false;
    };
    let is_it = |line: &str| {
        line.split_once(':').is_some_and(|(key, value)| {
            key.trim().eq_ignore_ascii_case("trimtab") && value.trim().eq_ignore_ascii_case("full")
        })
    };
    last.lines().any(is_it)
}

fn asked(record: &store::Pull, head: ObjectId) -> Vec<Asked> {
    let bound = record.forced.iter().filter(|forced| forced.head == head);
    bound
        .map(|forced| Asked {
            glob: forced.job.clone(),
            by: "a command".to_owned(),
        })
        .collect()
}

fn told(record: &store::Pull, head: ObjectId) -> Vec<Told> {
    let bound = record.told.iter().filter(|told| told.head == head);
    bound
        .map(|told| Told {
            job: told.job.clone(),
            words: format!("{}: {}", told.by, told.reason),
        })
        .collect()
}

pub(super) fn event(pull: &Pull, repository: &Repository) -> EventContext {
    EventContext {
        target: pull.base_ref.as_str().into(),
        source: pull.head_ref.as_str().into(),
        activity: "synchronize".into(),
        draft: pull.draft,
        fork: pull.from_fork,
        author: pull.author.login.as_str().into(),
        labels: pull
            .labels
            .iter()
            .map(|label| label.as_str().into())
            .collect(),
        repository: repository.full_name.as_str().into(),
        default_branch: repository.default_branch.as_str().into(),
    }
}

/// The plan while there is no mirror: nothing was looked at, everything runs.
fn without_trees(repository: &Repository, pull: &Pull) -> Plan {
    Plan {
        schema: SCHEMA.to_owned(),
        repository: repository.full_name.clone(),
        pull: Some(pull.number),
        base: pull.base,
        head: pull.head,
        merge: pull.head,
        mode: Mode::Observe,
        policy_hash: String::new(),
        model: None,
        jobs: Vec::new(),
        run_everything: vec![reason(ReasonId::MirrorNotReady, "it is being made")],
        diagnostics: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_analysis_ends_before_the_stage_for_which_nobody_waits() {
        let wanted = Arc::new(());
        let watching = Arc::downgrade(&wanted);
        still_wanted(&watching, "reading both trees").unwrap();
        drop(wanted);
        let ended = still_wanted(&watching, "comparing inputs").unwrap_err();
        let said = "it was not wanted any more, before comparing inputs";
        assert_eq!(ended.to_string(), said);
    }

    #[test]
    fn only_a_trailer_asks_for_everything() {
        assert!(asks_for_all(
            "Fix tax\n\nLonger text.\n\nTrimtab: full\nSigned-off-by: a"
        ));
        assert!(asks_for_all("Fix\n\ntrimtab: FULL\n"));
        assert!(!asks_for_all(
            "Trimtab: full\n\nThe first line is no trailer, the last paragraph is."
        ));
        assert!(!asks_for_all("Fix\n\nTrimtab: off"));
        assert!(!asks_for_all(""));
    }
}
