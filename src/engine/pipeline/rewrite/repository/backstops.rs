//! The smallest change of a file that gives a backstop to jobs which have none.
//!
//! It is a change of when a workflow starts, so that it is offered beside the rewrite and
//! never made with it. It is offered only where it helps: a job whose condition keeps it
//! from running on a push would not get one.

use super::{FileRewrite, Repository, snapshot, without_backstop};
use crate::engine::backstop;
use crate::engine::pipeline::github;
use crate::engine::pipeline::rewrite::{Disposition, Refusal, patch};

/// A change of a workflow that gives jobs of it a backstop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackstopPatch {
    /// The file.
    pub path: String,
    /// The jobs that have a backstop after it.
    pub jobs: Vec<String>,
    /// The change, as a unified diff of the rewritten file.
    pub diff: String,
}

/// Files of one repository for which a change is looked for.
const MOST: usize = 20;

pub(super) fn patches(repository: &Repository<'_>, files: &[FileRewrite]) -> Vec<BackstopPatch> {
    let lacking = |file: &&FileRewrite| file.rewrite.jobs.iter().any(has_none);
    let files = files.iter().filter(lacking).take(MOST);
    files.filter_map(|file| of(repository, file)).collect()
}

fn has_none(job: &Disposition) -> bool {
    job.why == Some(Refusal::NoBackstop)
}

fn of(repository: &Repository<'_>, file: &FileRewrite) -> Option<BackstopPatch> {
    let (path, text) = (&file.path, &file.rewrite.text);
    let branch = &repository.event.default_branch;
    let patched = backstop::patch(path, text, branch)?;
    let diff = patch::unified(path, text, &patched);
    let alone = github::read(&snapshot(&[(path.as_str(), patched)]));
    let triggers = alone.into_iter().next()?.triggers;
    let mut pipelines = repository.pipelines.clone();
    let at = pipelines.iter().position(|it| *it.path == **path)?;
    // Nothing but what starts it has changed; what it calls is as it was.
    pipelines.get_mut(at)?.triggers = triggers;
    let still = without_backstop(&pipelines, pipelines.get(at)?, &repository.event);
    let jobs = file.rewrite.jobs.iter().filter(|job| has_none(job));
    let helped = jobs.filter(|job| !still.contains_key(&job.job.to_ascii_lowercase()));
    let jobs: Vec<String> = helped.map(|job| job.job.clone()).collect();
    (!jobs.is_empty()).then(|| BackstopPatch {
        path: path.clone(),
        jobs,
        diff,
    })
}
