//! What the templates see of a plan.
//!
//! Rows are ordered by what a reader wants first: skips by the time they save, then
//! jobs that the change reaches. Numbers that nobody measured do not appear.

use std::collections::BTreeSet;

use serde::Serialize;

use super::explain::name_in;
use super::rows::{self, Row};
use crate::engine::plan::{Estimate, EstimateKind, JobPlan, Mode, Plan, ReasonId, Verdict};

/// What is known beside the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Where the pages of this server are, without a trailing slash.
    pub link_base: Option<String>,
    /// The pull is a draft.
    pub draft: bool,
    /// A program opened the pull.
    pub bot_author: bool,
    /// The author asked for one line.
    pub quiet: bool,
    /// Why the mode is less than the configuration says, in our words.
    pub note: Option<String>,
    /// What an audit of its runs found, for which the check fails: place and sentence.
    pub findings: Vec<(String, String)>,
}

/// The most rows of the table that is not folded.
const ROWS: usize = 6;

/// The most names in one of its rows.
const NAMES: usize = 4;

/// The most findings of an audit that are shown.
const FOUND: usize = 20;

/// Seconds of a runner that a plan job takes in each gated workflow: start-up and
/// the step itself. Counted against the saving.
const PLAN_JOB_SECONDS: u64 = 20;

#[derive(Debug, Serialize)]
pub(super) struct View {
    headline: String,
    head: String,
    base: String,
    mode: &'static str,
    note: Option<String>,
    link: Option<String>,
    everything: Option<Everything>,
    rows: Vec<Row>,
    warnings: Vec<Warning>,
    /// How many more warnings there are, in words.
    unsaid: Option<String>,
    findings: Vec<Warning>,
    jobs_title: String,
    workflows: Vec<Workflow>,
    cut: Option<String>,
    evidence: Option<Evidence>,
}

#[derive(Debug, Serialize)]
struct Everything {
    what: &'static str,
    subject: String,
    more: Option<usize>,
    /// What would have been skipped without the holdout, in words.
    would: Option<String>,
}

/// One workflow of the folded table.
#[derive(Debug, Serialize)]
struct Workflow {
    path: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Warning {
    place: String,
    message: String,
}

#[derive(Debug, Serialize)]
struct Evidence {
    title: String,
    lines: Vec<String>,
}

/// The title: `CI plan: 4 of 11 jobs needed · saves about 18 min net · 1 warning`.
pub fn headline(plan: &Plan) -> String {
    let needed = plan
        .jobs
        .iter()
        .filter(|job| job.verdict != Verdict::Skip)
        .count();
    let mut unread = plan.run_everything.iter();
    let is_unread = unread.any(|forced| forced.id == ReasonId::PipelineUnreadable);
    let mut parts = vec![match plan.jobs.len() {
        0 if is_unread => "CI plan: the jobs cannot be listed".to_owned(),
        all => format!("CI plan: {needed} of {all} jobs needed"),
    }];
    parts.extend(saving(plan));
    match plan.diagnostics.len() {
        0 => {}
        1 => parts.push("1 warning".to_owned()),
        count => parts.push(format!("{count} warnings")),
    }
    parts.join(" · ")
}

pub(super) fn of(plan: &Plan, about: &About, most: usize) -> View {
    let mut order: Vec<&JobPlan> = plan.jobs.iter().collect();
    order.sort_by_key(|job| {
        (
            rows::rank(job),
            std::cmp::Reverse(job.estimate.map_or(0, |estimate| estimate.seconds)),
        )
    });
    let everything = plan.run_everything.first().map(|first| Everything {
        what: what_of(first.id),
        subject: first.subject.clone(),
        more: Some(plan.run_everything.len() - 1).filter(|more| *more > 0),
        would: held_out(plan),
    });
    let shown = if everything.is_some() { 0 } else { ROWS };
    let cut = plan.jobs.len().saturating_sub(most);
    View {
        headline: headline(plan),
        head: plan.head.short(),
        base: plan.base.short(),
        mode: mode_word(plan.mode),
        note: about.note.clone(),
        link: link(plan, about),
        everything,
        rows: worth_showing(plan, &order, shown),
        warnings: plan.diagnostics.iter().take(WARNED).map(warning).collect(),
        unsaid: unsaid(plan.diagnostics.len()),
        findings: about.findings.iter().take(FOUND).map(found).collect(),
        jobs_title: format!("All {} jobs and rules", plan.jobs.len()),
        workflows: workflows(&order, most),
        cut: (cut > 0)
            .then(|| format!("{cut} more jobs are left out here: a comment holds only so much.")),
        evidence: evidence(plan),
    }
}

/// How many jobs would have been skipped if the holdout had not drawn the pull.
fn held_out(plan: &Plan) -> Option<String> {
    let skips = plan.jobs.iter().filter(|job| job.held_out.is_some());
    match skips.count() {
        0 => None,
        1 => Some("1 job would have been skipped".to_owned()),
        count => Some(format!("{count} jobs would have been skipped")),
    }
}

/// The first rows of the table that is not folded: skips, and what the change reaches.
fn worth_showing(plan: &Plan, order: &[&JobPlan], most: usize) -> Vec<Row> {
    let worth = order.iter().filter(|job| rows::rank(job) < 2);
    let mut rows = rows::grouped(worth.copied(), NAMES, |job| name_in(plan, job));
    rows.truncate(most);
    rows
}

fn found((place, message): &(String, String)) -> Warning {
    Warning {
        place: place.clone(),
        message: message.clone(),
    }
}

/// The first jobs, by workflow, in the order of their first rows.
fn workflows(order: &[&JobPlan], most: usize) -> Vec<Workflow> {
    let shown = order.get(..most).unwrap_or(order);
    let mut paths: Vec<&str> = Vec::new();
    for job in shown {
        if !paths.contains(&job.workflow.as_str()) {
            paths.push(&job.workflow);
        }
    }
    let workflow = |path: &str| Workflow {
        path: path.to_owned(),
        rows: rows::grouped(
            shown.iter().filter(|job| job.workflow == path).copied(),
            usize::MAX,
            |job| job.job.clone(),
        ),
    };
    paths.into_iter().map(workflow).collect()
}

pub(super) fn what_of(id: ReasonId) -> &'static str {
    match id {
        ReasonId::UnownedFile => "no package owns",
        ReasonId::ToolchainFile => "this file concerns every job:",
        ReasonId::SubmoduleMoved => "a submodule moved:",
        ReasonId::AlwaysFull => "a rule of `always_full` matched",
        ReasonId::UnknownLockfile => "this lockfile cannot be read:",
        ReasonId::GateEdited => "the pull edits what gates it:",
        ReasonId::DiffTruncated => "the list of changes is not complete:",
        ReasonId::BaseUnknown => "the base is unknown:",
        ReasonId::MergeConflict => "head cannot be merged:",
        ReasonId::MirrorNotReady => "the mirror is not ready:",
        ReasonId::ConfigurationUnreadable => "the configuration has faults:",
        ReasonId::InQueue => "the pull is in a queue:",
        ReasonId::TargetNotCovered => "no backstop covers the target branch",
        ReasonId::Holdout => "the holdout chose this pull:",
        ReasonId::AskedForAll => "asked for by",
        ReasonId::Paused => "paused by",
        ReasonId::PipelineUnreadable => "this pipeline file cannot be read:",
        _ => "because of",
    }
}

fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Advise => "advise",
        Mode::Enforce => "enforce",
    }
}

/// How many warnings are told.
const WARNED: usize = 10;

/// That there are more warnings than are told.
fn unsaid(warnings: usize) -> Option<String> {
    match warnings.saturating_sub(WARNED) {
        0 => None,
        1 => Some("And 1 more warning, which `trimtab plan` tells.".to_owned()),
        more => Some(format!(
            "And {more} more warnings, which `trimtab plan` tells."
        )),
    }
}

fn warning(diagnostic: &crate::engine::plan::Diagnostic) -> Warning {
    let place = match (diagnostic.line, diagnostic.column) {
        (0, _) => diagnostic.path.clone(),
        (line, 0) => format!("{}:{line}", diagnostic.path),
        (line, column) => format!("{}:{line}:{column}", diagnostic.path),
    };
    Warning {
        place,
        message: diagnostic.message.clone(),
    }
}

fn link(plan: &Plan, about: &About) -> Option<String> {
    let base = about.link_base.as_ref()?;
    // The head alone: a checkout knows it too, and prints the same comment.
    let head = plan.head;
    Some(format!("{}/plans/{head}", base.trim_end_matches('/')))
}

/// What is saved after the plan jobs are paid, as far as the skipped jobs were measured;
/// `None` when that is nothing.
fn saving(plan: &Plan) -> Option<String> {
    let skipped = || plan.jobs.iter().filter(|job| job.verdict == Verdict::Skip);
    let known: Vec<u64> = skipped()
        .filter_map(|job| Some(job.estimate?.seconds))
        .collect();
    let workflows: BTreeSet<&str> = skipped().map(|job| job.workflow.as_str()).collect();
    let paid = PLAN_JOB_SECONDS * workflows.len() as u64;
    let net = known.iter().sum::<u64>().saturating_sub(paid);
    let verb = if plan.mode == Mode::Enforce {
        "saves"
    } else {
        "would save"
    };
    let part = match (known.len(), skipped().count()) {
        (known, all) if known == all => String::new(),
        (known, all) => format!(" ({known} of {all} skipped jobs known)"),
    };
    (net > 0).then(|| format!("{verb} about {} net{part}", duration(net)))
}

fn evidence(plan: &Plan) -> Option<Evidence> {
    let estimates: Vec<(&JobPlan, Estimate)> = plan
        .jobs
        .iter()
        .filter_map(|job| job.estimate.map(|estimate| (job, estimate)))
        .collect();
    let runs: u32 = estimates.iter().map(|(_, estimate)| estimate.n).sum();
    let line = |(job, estimate): &(&JobPlan, Estimate)| {
        let kind = match estimate.kind {
            EstimateKind::Measured => "measured",
            EstimateKind::Estimated => "estimated",
        };
        format!(
            "{}: {}, {kind} over {} runs",
            name_in(plan, job),
            duration(estimate.seconds),
            estimate.n
        )
    };
    (!estimates.is_empty()).then(|| Evidence {
        title: format!("Evidence and history ({runs} runs)"),
        lines: estimates.iter().take(100).map(line).collect(),
    })
}

/// `45 s`, `18 min`, `2 h 05 min`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}
