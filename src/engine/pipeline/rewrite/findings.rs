//! Faults of workflows that a rewrite does not make and does not mend, but that whoever
//! skips jobs should know.
//!
//! Each is a way in which a required check either passes without its job, or never comes.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::pipeline::checks::Checks;
use crate::engine::pipeline::expression::Expression;
use crate::engine::pipeline::{Action, EventKind, Job, Pipeline};

/// Something that a maintainer should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, or nothing when it is about the branch.
    pub path: String,
    /// The line in it, from 1; 0 for the whole file.
    pub line: u32,
    /// The finding as one word for counting.
    pub id: &'static str,
    /// What is so, and what follows from it.
    pub message: String,
    /// What would mend it.
    pub remedy: String,
}

impl Finding {
    /// Whether it is about a check that is required.
    pub(super) fn is_of_required(&self) -> bool {
        matches!(self.id, "never-reports" | "paths-of-required")
    }
}

/// Actions and commands whose outputs say which files changed.
const FILTERS: &[&str] = &[
    "dorny/paths-filter@",
    "tj-actions/changed-files@",
    "step-security/paths-filter@",
    "step-security/changed-files@",
    "trilom/file-changes-action@",
    "jitterbit/get-changed-files@",
    "masesgroup/retrieve-changed-files@",
    "predictr/changed-files@",
];

/// The findings of a repository, in order. `checks` are the names of the jobs of each
/// pipeline, `required` the checks that the default branch requires.
pub fn of(
    pipelines: &[(&Pipeline, &BTreeMap<String, Checks>)],
    required: Option<&[String]>,
    is_ok: &dyn Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = pipelines
        .iter()
        .flat_map(|(pipeline, _)| filter_gates(pipeline))
        .collect();
    for check in required.unwrap_or_default() {
        let reporting: Vec<&Pipeline> = pipelines
            .iter()
            .filter(|(_, jobs)| jobs.values().any(|names| names.may_report(check)))
            .map(|(pipeline, _)| *pipeline)
            .collect();
        let on_pulls: Vec<&Pipeline> = reporting
            .iter()
            .copied()
            .filter(|it| starts_on_pulls(it))
            .collect();
        if on_pulls.is_empty() && !is_ok(check) {
            found.push(never_reports(check, &reporting));
        }
        let filtered = on_pulls.iter().all(|it| path_filter(it));
        if let Some(pipeline) = on_pulls.first().filter(|_| filtered) {
            found.push(filtered_away(check, pipeline));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn starts_on_pulls(pipeline: &Pipeline) -> bool {
    let is_pull = |kind: &EventKind| matches!(kind, EventKind::Pull | EventKind::PullTarget);
    pipeline
        .triggers
        .iter()
        .any(|trigger| is_pull(&trigger.event))
}

/// Whether pulls start a pipeline only when they change certain paths.
fn path_filter(pipeline: &Pipeline) -> bool {
    let mut pulls = pipeline
        .triggers
        .iter()
        .filter(|trigger| matches!(trigger.event, EventKind::Pull | EventKind::PullTarget));
    pulls.all(|trigger| !trigger.paths.globs.is_empty())
}

fn never_reports(check: &str, reporting: &[&Pipeline]) -> Finding {
    let message = match reporting.first() {
        Some(pipeline) => format!(
            "the check `{check}` is required, and pulls do not start {}, which reports it",
            pipeline.path
        ),
        None => format!("the check `{check}` is required, and no workflow here reports it"),
    };
    Finding {
        path: reporting
            .first()
            .map(|it| it.path.to_string())
            .unwrap_or_default(),
        line: 0,
        id: "never-reports",
        message: format!("{message}; unless another app does, no pull can be merged"),
        remedy: "require a check that pulls report, under the name that the job has when it runs"
            .to_owned(),
    }
}

fn filtered_away(check: &str, pipeline: &Pipeline) -> Finding {
    Finding {
        path: pipeline.path.to_string(),
        line: 0,
        id: "paths-of-required",
        message: format!(
            "`paths:` keeps the whole workflow from starting, and its check `{check}` is required: a pull that changes nothing there waits for it for ever"
        ),
        remedy: "take `paths:` away, and let a plan skip the jobs".to_owned(),
    }
}

/// Jobs that run only when the output of a filter is `'true'`: where the filter is lost,
/// the output is empty, the job is skipped, and its check counts as passed.
fn filter_gates(pipeline: &Pipeline) -> Vec<Finding> {
    let filters: BTreeSet<String> = pipeline
        .jobs
        .iter()
        .filter(|job| says_what_changed(job))
        .map(|job| job.id.0.to_ascii_lowercase())
        .collect();
    let mut found = Vec::new();
    for job in &pipeline.jobs {
        let parsed = job.condition.as_deref().map(Expression::parse);
        let Some(Ok(parsed)) = parsed else { continue };
        let held = parsed.outputs_held_to_true();
        let Some((filter, output)) = held
            .iter()
            .find(|(need, _)| filters.contains(need.as_ref()))
        else {
            continue;
        };
        found.push(Finding {
            path: job.file.to_string(),
            line: job.line,
            id: "filter-gate",
            message: format!(
                "{} runs only when `{filter}` says that {output} changed: when `{filter}` fails, it is skipped, and a skipped check counts as passed",
                job.id
            ),
            remedy: format!("write `!cancelled() && needs.{filter}.outputs.{output} != 'false'`"),
        });
    }
    found
}

fn says_what_changed(job: &Job) -> bool {
    job.steps.iter().any(|step| match &step.action {
        Action::Use { reference, .. } => {
            let reference = reference.to_lowercase();
            FILTERS.iter().any(|action| reference.starts_with(action))
        }
        Action::Run { script, .. } => script.contains("git diff"),
    })
}
