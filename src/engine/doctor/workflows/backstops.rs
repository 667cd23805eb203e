//! Whether jobs that start on pulls run anywhere else, by their files and by their runs.
//!
//! A job without a backstop is never skipped, which costs and harms nothing. One whose files
//! promise a backstop that never comes is worse: what a skip lets through is never noticed.
//! So, where the last runs are known, each promise is held against them.

use super::{Check, Finding, Repository, count, some};
use crate::engine::backstop::{self, Backstop};
use crate::engine::pipeline::rewrite::repository::pull_to;
use crate::engine::pipeline::{EventKind, Job, Pipeline};

/// What is to be said of the jobs of pulls.
pub(super) fn judge(repo: &Repository<'_>, pipelines: &[Pipeline]) -> Vec<Finding> {
    let of_pull = |pipeline: &&Pipeline| {
        let mut triggers = pipeline.triggers.iter();
        triggers.any(|trigger| trigger.event == EventKind::Pull)
    };
    let started: Vec<&Pipeline> = pipelines.iter().filter(of_pull).collect();
    let each = started.iter().flat_map(|pipeline| {
        let known = of_jobs(repo, pipelines, pipeline);
        [
            without(repo, pipeline, &known),
            unseen(repo, pipeline, &known),
        ]
    });
    let mut found: Vec<Finding> = each.flatten().collect();
    if found.is_empty() {
        let says = match (started.is_empty(), repo.runs) {
            (true, _) => "no workflow here starts on pulls",
            (false, None) => "every job of a pull runs somewhere else too",
            (false, Some(_)) => "every job of a pull runs somewhere else too, and was seen to",
        };
        found.push(Finding::ok(Check::Backstop, says));
    }
    found
}

fn of_jobs<'a>(
    repo: &Repository<'_>,
    pipelines: &[Pipeline],
    pipeline: &'a Pipeline,
) -> Vec<(&'a Job, Backstop)> {
    let (event, runs) = (pull_to(repo.branch), repo.runs.unwrap_or_default());
    let of_it = |job: &'a Job| {
        let known = backstop::of_job(pipelines, (pipeline, job), &event, runs);
        (job, known)
    };
    pipeline.jobs.iter().map(of_it).collect()
}

/// The jobs whose files let them run on pulls alone.
fn without(
    repo: &Repository<'_>,
    pipeline: &Pipeline,
    known: &[(&Job, Backstop)],
) -> Option<Finding> {
    let bare = known.iter().filter(|(_, it)| it.declared.is_empty());
    let jobs: Vec<String> = bare.map(|(job, _)| job.id.to_string()).collect();
    let (path, branch) = (&pipeline.path, repo.branch);
    let mut triggers = pipeline.triggers.iter();
    let remedy = if triggers.any(|it| it.event == EventKind::Push) {
        format!(
            "where they should be skipped, let `on: push` and their conditions take in {branch}"
        )
    } else {
        format!(
            "where they should be skipped, add `push: {{ branches: [{branch}] }}` to `on:` of {path}"
        )
    };
    let (does, they, are) = if jobs.len() == 1 {
        ("does", "it", "is")
    } else {
        ("do", "they", "are")
    };
    (!jobs.is_empty()).then(|| {
        Finding::warning(
            Check::Backstop,
            format!(
                "{} of {path} {does} not run in full apart from pulls, so that {they} {are} never skipped: {}",
                count(jobs.len(), "job"),
                some(&jobs)
            ),
            remedy,
        )
    })
}

/// The jobs that should run apart from pulls, and were not seen to.
fn unseen(
    repo: &Repository<'_>,
    pipeline: &Pipeline,
    known: &[(&Job, Backstop)],
) -> Option<Finding> {
    let runs = repo.runs?;
    let promised = known.iter().filter(|(_, it)| !it.declared.is_empty());
    let missing = promised.filter(|(_, it)| it.seen.is_none());
    let jobs: Vec<String> = missing.map(|(job, _)| job.id.to_string()).collect();
    let path = &pipeline.path;
    let apart = |attempt| backstop::is_apart(attempt, path, repo.branch);
    let seen = runs.iter().filter(|(attempt, _)| apart(attempt)).count();
    let (says, remedy) = match (jobs.len(), seen) {
        (0, _) => return None,
        (_, 0) => (
            format!(
                "{path} should run apart from pulls, and none of the last runs of the repository is such a run of it: what a skip lets through would not be noticed"
            ),
            "look whether the workflow is disabled, on the page of its runs; GitHub disables schedules of quiet repositories",
        ),
        (many, runs) => (
            format!(
                "{} of {path} ended in none of its last {} apart from pulls: {}",
                count(many, "job"),
                count(runs, "run"),
                some(&jobs)
            ),
            "look at such a run; where they do not run on purpose, say `skip: never` for them in .trimtab.yml",
        ),
    };
    Some(Finding::warning(Check::Backstop, says, remedy))
}
