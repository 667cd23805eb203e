//! A rewrite as other programs read it: the JSON of `trimtab rewrite`.

use serde::Serialize;

use super::repository::FileRewrite;
use super::{Disposition, Refusal};
use crate::engine::plan_line::WorkflowKey;

/// One workflow.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    path: String,
    /// The key of the gated workflow, or null.
    key: Option<String>,
    /// Why the whole file is left alone, or null.
    refused: Option<String>,
    stale: bool,
    jobs: Vec<Job>,
    diff: String,
}

#[derive(Debug, Clone, Serialize)]
struct Job {
    id: String,
    /// `gated`, `restated` or `left`.
    disposition: &'static str,
    reason: Option<&'static str>,
    because: Option<String>,
    remedy: Option<&'static str>,
    /// Whether its checks have other names than the job and vanish while it is skipped.
    checks_vanish: bool,
}

impl Document {
    /// A workflow with the diff that leads to its rewrite.
    pub fn of(file: &FileRewrite, diff: String) -> Self {
        Self {
            path: file.path.clone(),
            key: file
                .rewrite
                .key
                .as_ref()
                .map(WorkflowKey::as_str)
                .map(str::to_owned),
            refused: file.rewrite.refused.as_ref().map(ToString::to_string),
            stale: file.is_stale(),
            jobs: file.rewrite.jobs.iter().map(job).collect(),
            diff,
        }
    }
}

fn job(of: &Disposition) -> Job {
    Job {
        id: of.job.clone(),
        disposition: of.what.as_str(),
        reason: of.why.as_ref().map(Refusal::id),
        because: of.why.as_ref().map(ToString::to_string),
        remedy: of.why.as_ref().and_then(Refusal::remedy),
        checks_vanish: of.checks_vanish,
    }
}
