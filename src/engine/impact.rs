//! What a change reaches: every job of the merge, compared with the base.
//!
//! A job is reached when its inputs, resolved afresh on both trees, are not
//! equal. That covers edits, new and deleted files, and files that became or
//! ceased to be inputs because somebody else changed an import. The way from a
//! changed file to the job's entry point is kept for people.
//!
//! Nothing here decides what runs: [`verdict`](super::verdict) does.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::Change;
use super::everything;
use super::fingerprint::{self, Differences};
use super::history::History;
use super::inputs::{InputSet, JobInputs, Never, Opaque, OpaqueCause, Origin};
use super::job_name;
use super::lock::{self, Locks};
use super::ownership::Ownership;
use super::pipeline::aggregate;
use super::pipeline::compare::{self, Cause};
use super::pipeline::edit;
use super::pipeline::github::event::Occasion;
use super::pipeline::{Action, EventContext, Job, Pipeline, Truth, filter};
use super::plan::{Diagnostic, ReasonId, RunEverything};
use super::policy::Policy;
use super::side::Side;
use super::verdict::{ChangedInput, Comparison, JobFacts};
use super::why::Ways;

/// Everything that is compared.
#[derive(Debug)]
pub struct Case<'a> {
    /// The base, analysed.
    pub base: &'a Side,
    /// The merge, analysed.
    pub merge: &'a Side,
    /// What differs between them.
    pub changes: &'a [Change],
    /// The pull as its pipelines see it.
    pub event: &'a EventContext,
    /// The configuration in force.
    pub policy: &'a Policy,
    /// What is known of earlier runs.
    pub history: &'a History,
    /// Jobs that somebody asked for.
    pub asked: &'a [Asked],
}

/// Jobs that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// A job's id or a glob over ids, behind a workflow and a colon or not.
    pub glob: String,
    /// Who or what asked, in words.
    pub by: String,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Every job that the pull would start, in the order of the pipelines.
    pub jobs: Vec<JobFacts>,
    /// Why everything runs.
    pub everything: Vec<RunEverything>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares every job of the merge with the base.
pub fn judge(case: &Case<'_>) -> Judgement {
    let locks = LockPair::read(case);
    let mut judgement = Judgement {
        everything: forced(case, &locks),
        ..Judgement::default()
    };
    judgement
        .diagnostics
        .extend(locks.diagnostics.iter().cloned());
    let pipelines = compare::compare(&case.base.survey.pipelines, &case.merge.survey.pipelines);
    let changed: Vec<&str> = case
        .changes
        .iter()
        .map(|change| change.path.as_ref())
        .collect();
    let any = case.event.at_any_activity();
    for (pipeline, job, inputs) in case.merge.survey.jobs() {
        let starts = filter::starts(pipeline, case.event, &changed);
        if starts == Truth::No || filter::runs(pipeline, job, &Occasion::Pull(&any)) == Truth::No {
            continue;
        }
        let cause = pipelines
            .forced
            .get(&(pipeline.path.clone(), job.id.clone()));
        let redefined = matches!(
            cause,
            Some(Cause::Changed | Cause::ListensTo(_) | Cause::Unreadable)
        );
        let target = &case.event.target;
        judgement.jobs.push(JobFacts {
            workflow: pipeline.path.to_string(),
            job: job.id.to_string(),
            leg: None,
            needs: job.needs.iter().map(ToString::to_string).collect(),
            accepts: aggregate::accepted_skips(job)
                .iter()
                .map(ToString::to_string)
                .collect(),
            is_new: cause == Some(&Cause::IsNew),
            redefined: redefined || pipelines.retriggered.contains(&pipeline.path),
            never: never(case, pipeline, job, inputs),
            unforeseen: unforeseen(inputs),
            asked: asked(case.asked, pipeline, job),
            told: None,
            withheld: false,
            held_back: None,
            comparison: compare_inputs(case, &locks, (pipeline, job, inputs)),
            backstops: filter::backstops(
                &case.merge.survey.pipelines,
                pipeline,
                job,
                (target, Some(&changed)),
                case.event,
            ),
            estimate: case.history.of_job(pipeline, job),
            failures: case.history.failures(pipeline, job),
        });
    }
    judgement
}

/// The lockfiles of both sides; not read at all when none of them changed.
struct LockPair {
    base: Locks,
    merge: Locks,
    changed: bool,
    diagnostics: Vec<Diagnostic>,
}

impl LockPair {
    fn read(case: &Case<'_>) -> Self {
        let manifests: BTreeSet<&str> = [case.base, case.merge]
            .into_iter()
            .flat_map(|side| {
                side.survey
                    .packages
                    .list
                    .iter()
                    .map(|package| package.manifest.as_ref())
            })
            .collect();
        let concerns = |change: &Change| {
            lock::is_lockfile(&change.path) || manifests.contains(change.path.as_ref())
        };
        if !case.changes.iter().any(concerns) {
            return Self {
                base: Locks::default(),
                merge: Locks::default(),
                changed: false,
                diagnostics: Vec::new(),
            };
        }
        let read = |side: &Side, other: &Side| {
            Locks::read_beside(&side.snapshot, &side.survey.packages, &other.snapshot)
        };
        let (base, _) = read(case.base, case.merge);
        let (merge, diagnostics) = read(case.merge, case.base);
        Self {
            base,
            merge,
            changed: true,
            diagnostics,
        }
    }
}

/// Why everything runs, as far as the trees tell.
fn forced(case: &Case<'_>, locks: &LockPair) -> Vec<RunEverything> {
    let (base, _) = Ownership::new(&case.base.survey.packages, case.policy);
    let (merge, _) = Ownership::new(&case.merge.survey.packages, case.policy);
    let is_named = |path: &str| {
        case.base.names.contains(&case.base.snapshot.tree, path)
            || case.merge.names.contains(&case.merge.snapshot.tree, path)
    };
    let base = everything::Side {
        packages: &case.base.survey.packages,
        ownership: &base,
    };
    let merge = everything::Side {
        packages: &case.merge.survey.packages,
        ownership: &merge,
    };
    let mut found = everything::reasons(case.changes, base, merge, case.policy, is_named);
    let unread = locks
        .diagnostics
        .iter()
        .map(|fault| (ReasonId::UnknownLockfile, fault.path.clone()));
    let broken = case
        .merge
        .survey
        .pipelines
        .iter()
        .filter(|pipeline| pipeline.jobs.is_empty());
    let broken = broken.filter_map(|pipeline| pipeline.diagnostics.first());
    let broken = broken.map(|fault| (ReasonId::PipelineUnreadable, fault.path.clone()));
    let gates = case
        .changes
        .iter()
        .filter(|change| edits_gate(case, change));
    let gates = gates.map(|change| (ReasonId::GateEdited, change.path.to_string()));
    let unportable = everything::unportable(case.changes, &case.merge.snapshot.tree);
    let unportable = unportable.map(|path| (ReasonId::UnportablePath, path));
    found.extend(
        unread
            .chain(broken)
            .chain(gates)
            .chain(unportable)
            .map(|(id, subject)| RunEverything { id, subject }),
    );
    found
}

/// Whether a change touches what gates a workflow, and not only the workflow around it.
fn edits_gate(case: &Case<'_>, change: &Change) -> bool {
    let gates = |side: &Side| {
        let text = side
            .snapshot
            .text(&change.path)
            .filter(|text| edit::is_marked(text))?;
        Some(edit::split(text).map(|parts| parts.ours))
    };
    let (before, after) = (gates(case.base), gates(case.merge));
    before != after || before == Some(None)
}

fn compare_inputs(
    case: &Case<'_>,
    locks: &LockPair,
    (pipeline, job, inputs): (&Pipeline, &Job, &JobInputs),
) -> Comparison {
    let mut merge = case.merge.files(inputs);
    let opaque: Vec<String> = inputs.opaque.iter().map(opaque_words).collect();
    let Some((_, _, before)) = case.base.survey.find(&pipeline.path, &job.id.0) else {
        return Comparison {
            inputs: merge.files.len(),
            opaque,
            ..Comparison::default()
        };
    };
    let mut base = if case.base.has_graph_of(case.merge) && std::ptr::eq(before, inputs) {
        merge.clone()
    } else {
        case.base.files(before)
    };
    if locks.changed {
        merge.slices = case.merge.slices(inputs, &merge.files, &locks.merge);
        base.slices = case.base.slices(before, &base.files, &locks.base);
    }
    let found = fingerprint::differences(
        (&case.base.snapshot.tree, &base),
        (&case.merge.snapshot.tree, &merge),
    );
    Comparison {
        inputs: merge.files.len(),
        places: places(case.merge, &merge),
        changed_externals: changed_externals(&found, locks),
        changed: changed_inputs(case, &found, before, inputs),
        opaque,
    }
}

/// The most ways that are searched for, and the most that are kept.
const WAYS: (usize, usize) = (40, 5);

/// The inputs that differ, the shortest way first.
fn changed_inputs(
    case: &Case<'_>,
    found: &Differences,
    before: &JobInputs,
    after: &JobInputs,
) -> Vec<ChangedInput> {
    if found.edited.is_empty() && found.regrouped.is_empty() {
        return Vec::new();
    }
    let (old, new) = (Ways::of(case.base, before), Ways::of(case.merge, after));
    let way = |path: &String| {
        let sides = [(case.merge, &new), (case.base, &old)];
        let mut ways = sides.into_iter().filter_map(|(side, ways)| {
            let chain = ways.chain(side.snapshot.tree.find(path)?)?;
            Some(chain.iter().map(|node| side.label(*node)).collect())
        });
        let chain = ways.next().unwrap_or_else(|| vec![path.clone()]);
        ChangedInput {
            path: path.clone(),
            chain,
        }
    };
    // A file that is edited says more than one that only joined or left.
    let paths = if found.edited.is_empty() {
        &found.regrouped
    } else {
        &found.edited
    };
    let mut ways: Vec<ChangedInput> = paths.iter().take(WAYS.0).map(way).collect();
    ways.sort_by_key(|input| input.chain.len());
    ways.truncate(WAYS.1);
    ways
}

fn changed_externals(found: &Differences, locks: &LockPair) -> Vec<String> {
    let lockfiles: BTreeSet<&str> = found
        .slices
        .iter()
        .map(|(lockfile, _)| lockfile.as_str())
        .collect();
    if lockfiles.is_empty() {
        return Vec::new();
    }
    let changes = lock::diff(&locks.base, &locks.merge);
    let of_these = changes
        .iter()
        .filter(|change| lockfiles.contains(change.lockfile.as_ref()));
    let mut words: Vec<String> = of_these.map(ToString::to_string).take(WAYS.1).collect();
    if words.is_empty() {
        words.extend(lockfiles.iter().map(|lockfile| (*lockfile).to_owned()));
    }
    words
}

/// The directories in which most inputs lie, at most three.
fn places(side: &Side, inputs: &InputSet) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &inputs.files {
        let path = side.snapshot.tree.path(*file);
        let place = path.split_once('/').map_or("", |(dir, _)| dir);
        *counts.entry(place).or_default() += 1;
    }
    let mut ranked: Vec<(&str, usize)> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let name = |(place, _): &(&str, usize)| match *place {
        "" => "at the root".to_owned(),
        place => format!("in {place}/"),
    };
    ranked.iter().take(3).map(name).collect()
}

fn asked(asked: &[Asked], pipeline: &Pipeline, job: &Job) -> Option<String> {
    let fits = |asked: &&Asked| job_name::fits(&asked.glob, &pipeline.path, &job.id.0);
    asked.iter().find(fits).map(|asked| asked.by.clone())
}

/// Why a job is never skipped, in words with their place.
fn never(case: &Case<'_>, pipeline: &Pipeline, job: &Job, inputs: &JobInputs) -> Vec<String> {
    let mut words: Vec<String> = inputs.never.iter().map(never_words).collect();
    let listener = case
        .merge
        .survey
        .pipelines
        .iter()
        .find(|other| other.listens_to.contains(&pipeline.name));
    let uploads = job.steps.iter().any(|step| match &step.action {
        Action::Use { reference, .. } => reference.contains("upload-artifact"),
        Action::Run { .. } => false,
    });
    if let Some(listener) = listener.filter(|_| uploads) {
        words.push(format!(
            "{} ({})",
            word_of(&Never::IsListenedTo),
            listener.path
        ));
    }
    words
}

/// Why a job may leave behind what its inputs do not tell: it reads more than files, or its
/// commands count for what they do and not for what they read.
fn unforeseen(inputs: &JobInputs) -> Option<String> {
    let found = inputs.never.iter().find(|(never, _)| never.reads_unasked());
    found.map(never_words)
}

/// Why a job is never skipped, with the place that says so.
pub fn never_words((never, origin): &(Never, Origin)) -> String {
    format!("{} ({})", word_of(never), place(origin))
}

fn word_of(never: &Never) -> &'static str {
    match never {
        Never::ReadsHistory => "it reads the history, or what the pull is called or labelled",
        Never::Delivers => "it deploys or publishes",
        Never::Writes => "it may write, or uses deployment secrets",
        Never::Scans => "it is a security scan",
        Never::Reports => "it reports to a check or a pull by itself",
        Never::IsListenedTo => "another workflow reads its artifacts",
        Never::HasNoBackstop => "nothing else would run it",
        Never::IsConfigured => "the configuration says so",
    }
}

/// Why a job is not understood, for people: `ci.yml:33: unknown program frob`.
pub fn opaque_words(opaque: &Opaque) -> String {
    let cause = match &opaque.cause {
        OpaqueCause::UnknownProgram(name) => format!("unknown program {name}"),
        OpaqueCause::UnknownAction(name) => format!("unknown action {name}"),
        OpaqueCause::UnknownUse(what) => format!("unknown use: {what}"),
        OpaqueCause::Shell(what) => format!("shell that is not read: {what}"),
        OpaqueCause::ForeignShell(name) => format!("the shell {name}"),
        OpaqueCause::Missing(name) => format!("{name} was not found"),
        OpaqueCause::Unexpanded(what) => format!("{what} cannot be expanded"),
        OpaqueCause::Reaches(what) => format!("may reach anything: {what}"),
    };
    format!("{}: {cause}", place(&opaque.origin))
}

fn place(origin: &Origin) -> String {
    if origin.line == 0 {
        origin.file.to_string()
    } else {
        format!("{}:{}", origin.file, origin.line)
    }
}
