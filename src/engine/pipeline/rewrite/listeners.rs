//! Workflows that start when another one ends, and what they would see of its gates.
//!
//! A skip changes two things for a listener: artifacts of the skipped job are missing, and
//! a run of which everything was skipped ends as `success`, because the plan job ran. So a
//! job that may upload something is not gated while a listener may read it, and the
//! workflow is left alone unless some job runs whatever is planned.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#workflow_run>

use std::collections::BTreeMap;

use super::Refusal;
use super::read::WorkflowJob;
use super::rules::{Fate, ancestors};
use crate::engine::pipeline::{Action, Job, Limit, Pipeline, filter};

/// Actions of which it is known that they upload no artifact, by the beginning of what
/// stands behind `uses:`. Scripts cannot upload one: they have no token for it.
const UPLOAD_NOTHING: &[&str] = &[
    "actions/cache",
    "actions/checkout@",
    "actions/download-artifact@",
    "actions/setup-",
    "astral-sh/setup-uv@",
    "codecov/codecov-action@",
    "docker/login-action@",
    "docker/setup-buildx-action@",
    "dtolnay/rust-toolchain@",
    "oven-sh/setup-bun@",
    "pnpm/action-setup@",
    "ruby/setup-ruby@",
    "swatinem/rust-cache@",
    "taiki-e/install-action@",
];

/// Actions of which it is known that they read no artifact.
const READ_NOTHING: &[&str] = &[
    "actions/cache",
    "actions/checkout@",
    "actions/setup-",
    "astral-sh/setup-uv@",
];

/// The workflows that start when a workflow ends.
pub(super) fn of<'a>(pipelines: &'a [Pipeline], pipeline: &Pipeline) -> Vec<&'a Pipeline> {
    let named = |name: &str| {
        name.eq_ignore_ascii_case(&pipeline.name) || filter::matches(name, &pipeline.name)
    };
    pipelines
        .iter()
        .filter(|other| other.listens_to.iter().any(|name| named(name)))
        .collect()
}

/// Jobs that may upload what a listener may read, by id in lower case.
pub(super) fn readers(pipeline: &Pipeline, listeners: &[&Pipeline]) -> BTreeMap<String, Refusal> {
    let reader = listeners.iter().find(|listener| {
        let mut jobs = listener.jobs.iter();
        listener.jobs.is_empty() || jobs.any(|job| !is_within(job, READ_NOTHING, reads_nothing))
    });
    let Some(reader) = reader else {
        return BTreeMap::new();
    };
    let uploads = |job: &&Job| !is_within(job, UPLOAD_NOTHING, |_| true);
    let jobs = pipeline.jobs.iter().filter(uploads);
    jobs.map(|job| {
        let id = job.file_id();
        (id, Refusal::ArtifactsRead(reader.path.to_string()))
    })
    .collect()
}

/// Whether some job runs whatever is planned: it has no gate, and neither it nor anything
/// above it has a condition.
pub(super) fn outcome_stays(
    jobs: &[WorkflowJob],
    by_id: &BTreeMap<String, usize>,
    fates: &[Fate],
) -> bool {
    let is_free = |index: usize| {
        let job = jobs.get(index);
        let refusal = job.and_then(|job| job.refusal.as_ref());
        job.is_some_and(|job| job.condition.is_none())
            && !refusal.is_some_and(Refusal::is_of_condition)
    };
    (0..).zip(fates).any(|(index, fate)| {
        *fate != Fate::Gated
            && is_free(index)
            && ancestors(jobs, by_id, index).into_iter().all(is_free)
    })
}

/// Whether a job does nothing but run scripts that pass a test, and use known actions.
fn is_within(job: &Job, known: &[&str], script_passes: fn(&str) -> bool) -> bool {
    let is_open = |limit: &Limit| {
        matches!(
            limit,
            Limit::ForeignCall(_) | Limit::CallDepth | Limit::Unreadable(_)
        )
    };
    let is_known = |reference: &str| {
        let reference = reference.to_lowercase();
        known.iter().any(|start| reference.starts_with(start))
    };
    !job.limits.iter().any(is_open)
        && job.steps.iter().all(|step| match &step.action {
            Action::Run { script, .. } => script_passes(script),
            Action::Use { reference, .. } => is_known(reference),
        })
}

/// Whether a script fetches nothing of another run: it calls neither the API nor files of
/// the repository, of which nothing is known here.
fn reads_nothing(script: &str) -> bool {
    script.lines().map(str::trim).all(|line| {
        let command = line.split_whitespace().next().unwrap_or("#");
        let is_plain = matches!(
            command,
            "echo" | "printf" | "exit" | "true" | "false" | "set"
        );
        let reaches = ["$(", "`", "|", "&", ";"]
            .iter()
            .any(|it| line.contains(it));
        command.starts_with('#') || is_plain && !reaches
    })
}
