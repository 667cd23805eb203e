//! From two commits to a plan: the one way, for the command line and for the bot.
//!
//! Both trees are read, everything the engine asks for is handed in, and the
//! engine decides. Blocking: run it where blocking is allowed.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

use crate::engine::diff::{self, Change};
use crate::engine::history::History;
use crate::engine::ids::{ObjectId, PullNumber};
use crate::engine::impact::{self, Asked, Judgement};
use crate::engine::inputs::table;
use crate::engine::pipeline::EventContext;
use crate::engine::pipeline::rewrite::gates::Gates;
use crate::engine::plan::{Diagnostic, JobPlan, Mode, Plan, ReasonId, RunEverything, SCHEMA};
use crate::engine::policy::{self, Policy};
use crate::engine::rollout::{self, Stance, Terms, Told, ramp};
use crate::engine::side::{self, Side, Survey};
use crate::engine::tree::{Snapshot, Tree};
use crate::engine::verdict::{self, JobFacts};
use crate::repo::{Loader, Merge, Repo};

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// The pull; `None` for a checkout. The repository's name is the event's.
    pub pull: Option<PullNumber>,
    /// The tip of the base, or the merge base in a checkout.
    pub base: ObjectId,
    /// The proposed commit.
    pub head: ObjectId,
    /// The pull as its pipelines see it.
    pub event: EventContext,
    /// The mode, where it does not come from the configuration.
    pub mode: Option<Mode>,
    /// What bounds the mode of the configuration; nothing does on a command line.
    pub terms: Option<Terms>,
    /// The configuration that stays in force when the base's has faults.
    pub last_good: Option<&'a str>,
    /// What is known of earlier runs.
    pub history: &'a History,
    /// Why everything runs, as far as it is known before looking.
    pub forced: Vec<RunEverything>,
    /// Jobs that somebody asked for.
    pub asked: Vec<Asked>,
    /// Jobs that a maintainer said to skip.
    pub told: Vec<Told>,
}

/// The plan, with everything that it rests on.
#[derive(Debug)]
pub struct Answer {
    /// The plan.
    pub plan: Plan,
    /// The base, analysed.
    pub base: Side,
    /// The merge, analysed.
    pub merge: Side,
    /// The gates of the merge's workflows.
    pub gates: Vec<Gates>,
    /// Why the mode is less than what the configuration says.
    pub note: Option<&'static str>,
}

/// Where a long analysis stands, for people who wait; an error ends it there.
pub type Progress<'a> = &'a mut dyn FnMut(&str) -> anyhow::Result<()>;

/// Computes the plan.
pub fn run(
    repo: &Repo,
    loader: &mut Loader<'_>,
    question: &Question<'_>,
    progress: Progress<'_>,
) -> anyhow::Result<Answer> {
    let ((merge, conflict), tree) = merged_beside_base(repo, question)?;
    progress("reading both trees")?;
    let changes = repo
        .diff(question.base, merge)
        .context("compare base and merge")?;
    let merge_tree = diff::apply(&tree, &changes);
    let [base, merged] = loader
        .load_both([tree, merge_tree])
        .context("read the blobs")?;
    let configuration = Configuration::of(&base, &merged, question.last_good);
    let (policy, event) = (&configuration.policy, &question.event);
    progress("reading pipelines and imports")?;
    let (base, merged) = sides(loader, [base, merged], &changes, (policy, event))?;
    progress("comparing inputs")?;
    let mut judgement = impact::judge(&impact::Case {
        base: &base,
        merge: &merged,
        changes: &changes,
        event,
        policy,
        history: question.history,
        asked: &question.asked,
    });
    if let Some(fault) = loader.unkept() {
        tracing::warn!(error = fault.to_string(), "facts are not kept");
    }
    let stance = stance(question, policy, &changes);
    rollout::hand_on(&mut judgement.jobs, (policy, stance.mode), &question.told);
    let gates = gates(&merged);
    let mut plan = assemble(
        question,
        (&configuration, stance),
        (merge, conflict, &merged),
        &judgement,
    );
    for job in &mut plan.jobs {
        let gates = gates.iter().find(|gates| gates.path == job.workflow);
        job.workflow_key = gates.map(|gates| gates.key.as_str().to_owned());
    }
    Ok(Answer {
        plan,
        base,
        merge: merged,
        gates,
        note: stance.note,
    })
}

fn stance(question: &Question<'_>, policy: &Policy, changes: &[Change]) -> Stance {
    let changed: Vec<&str> = changes.iter().map(|change| change.path.as_ref()).collect();
    match (question.mode, question.terms) {
        (Some(mode), _) => mode.into(),
        (None, None) => policy.mode.unwrap_or_default().into(),
        (None, Some(terms)) => rollout::stance(policy, terms, &question.event, &changed),
    }
}

/// What gates the workflows that would run: those of the merge.
fn gates(merge: &Side) -> Vec<Gates> {
    let pipelines = merge.survey.pipelines.iter();
    let read = |path: &str| Gates::read(path, merge.snapshot.text(path)?);
    pipelines
        .filter_map(|it| Some(read(&it.path)?.accepting(it)))
        .collect()
}

fn assemble(
    question: &Question<'_>,
    (configuration, stance): (&Configuration, Stance),
    (merge, conflict, merged): (ObjectId, Vec<RunEverything>, &Side),
    judgement: &Judgement,
) -> Plan {
    let held_out = stance.held_out.then(|| RunEverything {
        id: ReasonId::Holdout,
        subject: format!("{} % of pulls", configuration.policy.holdout),
    });
    let everything = [
        question.forced.clone(),
        configuration.forced.iter().cloned().collect(),
        conflict,
        held_out.into_iter().collect(),
        judgement.everything.clone(),
    ]
    .concat();
    let configured = configuration.diagnostics.clone();
    let jobs: Vec<&str> = merged.survey.jobs().map(|(_, job, _)| &*job.id.0).collect();
    let text = configuration.text.as_deref();
    let tree = &merged.snapshot.tree;
    let brought = configuration.is_changed;
    let brought = brought.then(|| policy::brought(&merged.snapshot, &jobs));
    let diagnostics = [
        configured,
        policy::unfit(text, tree, &jobs),
        brought.unwrap_or_default(),
        merged.diagnostics.clone(),
        judgement.diagnostics.clone(),
    ];
    Plan {
        schema: SCHEMA.to_owned(),
        repository: question.event.repository.to_string(),
        pull: question.pull,
        base: question.base,
        head: question.head,
        merge,
        mode: stance.mode,
        policy_hash: configuration.hash.clone(),
        model: None,
        jobs: decided(
            judgement.jobs.clone(),
            &everything,
            stance,
            &configuration.policy,
        ),
        run_everything: everything,
        diagnostics: diagnostics.concat(),
    }
}

/// The plan of every job: no more skipped than the ramp allows, and with what a pull that
/// was held out would have skipped.
fn decided(
    mut jobs: Vec<JobFacts>,
    everything: &[RunEverything],
    stance: Stance,
    policy: &Policy,
) -> Vec<JobPlan> {
    let others = everything.iter().filter(|it| it.id != ReasonId::Holdout);
    let others: Vec<RunEverything> = others.cloned().collect();
    let mut plans = verdict::decide(&jobs, &others);
    let is_limited = stance.mode == Mode::Enforce && policy.enforce.ramp < 100;
    if is_limited && ramp::hold_back(&mut jobs, &plans, policy.enforce.ramp) {
        plans = verdict::decide(&jobs, &others);
    }
    if others.len() == everything.len() {
        return plans;
    }
    let mut held_out = verdict::decide(&jobs, everything);
    for (plan, would) in held_out.iter_mut().zip(plans) {
        plan.held_out = would.basis;
    }
    held_out
}

/// What head is merged to, and the list of the base; it and the tables are read while git
/// merges.
fn merged_beside_base(
    repo: &Repo,
    question: &Question<'_>,
) -> anyhow::Result<((ObjectId, Vec<RunEverything>), Tree)> {
    std::thread::scope(|scope| {
        scope.spawn(table::prepare);
        let tree = scope.spawn(|| repo.tree(question.base));
        let merged = merge(repo, question);
        let tree = tree.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((merged?, tree.context("list the base")?))
    })
}

/// The tree that CI tests; head itself, with the reason, when it cannot be merged.
fn merge(repo: &Repo, question: &Question<'_>) -> anyhow::Result<(ObjectId, Vec<RunEverything>)> {
    Ok(
        match repo
            .merge(question.base, question.head)
            .context("merge head into base")?
        {
            Merge::Clean(tree) => (tree, Vec::new()),
            Merge::Conflict(paths) => {
                let subject = paths.into_iter().next().unwrap_or_default();
                (
                    question.head,
                    vec![RunEverything {
                        id: ReasonId::MergeConflict,
                        subject,
                    }],
                )
            }
            Merge::Unrelated => {
                let mut forced = question.forced.iter();
                let is_known = forced.any(|forced| forced.id == ReasonId::BaseUnknown);
                let forced = RunEverything {
                    id: ReasonId::BaseUnknown,
                    subject: "base and head have no common commit".to_owned(),
                };
                let forced = if is_known { vec![] } else { vec![forced] };
                (question.head, forced)
            }
        },
    )
}

/// The most rounds in which scripts name further scripts.
const ROUNDS: usize = 8;

type Settings<'a> = (&'a Policy, &'a EventContext);

/// Analyses both trees: the merge from the base where only contents differ, else the
/// two at once.
fn sides(
    loader: &mut Loader<'_>,
    [base, mut merge]: [Snapshot; 2],
    changes: &[Change],
    settings: Settings<'_>,
) -> anyhow::Result<(Side, Side)> {
    let (policy, _) = settings;
    let loader = Mutex::new(loader);
    if !side::shares_survey(&base, &merge, changes) {
        return std::thread::scope(|scope| {
            let other = scope.spawn(|| side_beside(&loader, base, settings));
            let merge = side_beside(&loader, merge, settings)?;
            let base = other.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Ok((base, merge))
        });
    }
    let (base, survey, asked) = surveyed(&loader, base, settings)?;
    // Scripts that jobs name are read only now, and one of them may have changed.
    load_texts(&loader, &mut merge, &asked)?;
    if !side::shares_survey(&base, &merge, changes) {
        let merge = side_beside(&loader, merge, settings)?;
        return Ok((Side::complete(base, survey, policy), merge));
    }
    if side::says_the_same(&base, &merge, changes) {
        let base = Side::complete(base, survey, policy);
        let merge = base.edited(merge, changes, policy);
        return Ok((base, merge));
    }
    // Two graphs are needed, and neither waits for the other.
    let survey = Arc::new(survey);
    let shared = Arc::clone(&survey);
    Ok(std::thread::scope(|scope| {
        let other = scope.spawn(|| Side::complete(base, survey, policy));
        let merge = Side::complete(merge, shared, policy);
        let base = other.join().unwrap_or_else(|panic| resume_unwind(panic));
        (base, merge)
    }))
}

/// Analyses one tree, reading the scripts that its jobs name as they are found.
pub fn side(
    loader: &mut Loader<'_>,
    snapshot: Snapshot,
    policy: &Policy,
    event: &EventContext,
) -> anyhow::Result<Side> {
    side_beside(&Mutex::new(loader), snapshot, (policy, event))
}

/// The same with a loader that another analysis uses as well.
fn side_beside(
    loader: &Mutex<&mut Loader<'_>>,
    snapshot: Snapshot,
    settings: Settings<'_>,
) -> anyhow::Result<Side> {
    let (snapshot, survey, _) = surveyed(loader, snapshot, settings)?;
    Ok(Side::complete(snapshot, survey, settings.0))
}

/// Surveys one tree, reading the scripts that its jobs name as they are found; gives
/// the paths of those as well.
fn surveyed(
    loader: &Mutex<&mut Loader<'_>>,
    mut snapshot: Snapshot,
    (policy, event): Settings<'_>,
) -> anyhow::Result<(Snapshot, Survey, BTreeSet<Box<str>>)> {
    let mut survey = Survey::of(&snapshot, policy, Some(event));
    let mut asked: BTreeSet<Box<str>> = BTreeSet::new();
    for _ in 0..ROUNDS {
        let missing: BTreeSet<Box<str>> =
            survey.missing_texts().difference(&asked).cloned().collect();
        if missing.is_empty() || !load_texts(loader, &mut snapshot, &missing)? {
            break;
        }
        asked.extend(missing);
        survey = survey.again(&snapshot, policy, Some(event));
    }
    Ok((snapshot, survey, asked))
}

fn load_texts(
    loader: &Mutex<&mut Loader<'_>>,
    snapshot: &mut Snapshot,
    paths: &BTreeSet<Box<str>>,
) -> anyhow::Result<bool> {
    let mut loader = loader.lock().unwrap_or_else(PoisonError::into_inner);
    loader
        .load_texts(snapshot, paths)
        .context("read the scripts of jobs")
}

/// The configuration in force, and what is wrong with the base's.
struct Configuration {
    policy: Policy,
    text: Option<String>,
    hash: String,
    diagnostics: Vec<Diagnostic>,
    /// The pull brings another one.
    is_changed: bool,
    /// Why everything runs: what the base asks for cannot be read, and nothing stands for it.
    forced: Option<RunEverything>,
}

impl Configuration {
    /// Read from the base alone; a file with faults leaves the last good one in force.
    fn of(base: &Snapshot, merge: &Snapshot, last_good: Option<&str>) -> Self {
        let text = base.text(policy::FILE);
        let parsed = text.map(policy::parse);
        // A link or a submodule in its place says something that nobody read.
        let is_there = base.tree.find(policy::FILE).is_some();
        let is_broken = parsed.as_ref().map_or(is_there, Result::is_err);
        let (policy, in_force, diagnostics) = match parsed {
            None => (Policy::default(), None, Vec::new()),
            Some(Ok(policy)) => (policy, text, Vec::new()),
            Some(Err(faults)) => {
                let kept = last_good.and_then(|text| Some((policy::parse(text).ok()?, text)));
                let (policy, text) = kept.map_or((Policy::default(), None), |(policy, text)| {
                    (policy, Some(text))
                });
                (policy, text, faults)
            }
        };
        let blob = |side: &Snapshot| {
            let found = side.tree.find(policy::FILE)?;
            let entry = side.tree.entry(found);
            Some((entry.mode, entry.blob))
        };
        let hash = policy::policy_hash(in_force.unwrap_or_default());
        let forced = (is_broken && in_force.is_none()).then(|| RunEverything {
            id: ReasonId::ConfigurationUnreadable,
            subject: policy::FILE.to_owned(),
        });
        Self {
            forced,
            policy,
            text: in_force.map(str::to_owned),
            hash,
            diagnostics,
            is_changed: blob(base) != blob(merge),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::graph::sample;

    #[test]
    fn a_configuration_behind_a_link_is_unreadable() {
        let linked = sample::snapshot(&[("c.yml", "mode: skip\n"), (policy::FILE, "-> c.yml")]);
        let found = Configuration::of(&linked, &linked, None);
        let forced = found.forced.map(|forced| forced.id);
        assert_eq!(forced, Some(ReasonId::ConfigurationUnreadable));
        let plain = sample::snapshot(&[("c.yml", "")]);
        assert_eq!(Configuration::of(&plain, &plain, None).forced, None);
    }
}
