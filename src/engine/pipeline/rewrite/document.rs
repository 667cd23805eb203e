//! A rewrite as other programs read it: the JSON of `trimtab rewrite`.

use serde::Serialize;

use super::findings::Finding;
use super::outlook::CheckRow;
use super::repository::{BackstopPatch, FileRewrite, Rewrites};
use super::{Disposition, Refusal};
use crate::engine::plan_line::WorkflowKey;

/// Everything that was rewritten.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    workflows: Vec<Workflow>,
    findings: Vec<FindingOf>,
    backstops: Vec<Backstop>,
}

/// One workflow.
#[derive(Debug, Clone, Serialize)]
struct Workflow {
    path: String,
    /// The key of the gated workflow, or null.
    key: Option<String>,
    /// Why the whole file is left alone, or null.
    refused: Option<String>,
    /// The same as one word, or null.
    reason: Option<&'static str>,
    stale: bool,
    jobs: Vec<Job>,
    checks: Vec<Check>,
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

/// How a check reports on a pull: `runs`, `skipped`, `runs or is skipped`, `may not report`
/// or `does not report`.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    name: String,
    required: bool,
    before: &'static str,
    all_run: &'static str,
    all_skipped: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct FindingOf {
    /// The file, or null.
    path: Option<String>,
    /// The line in it, or null.
    line: Option<u32>,
    id: &'static str,
    message: String,
    remedy: String,
}

/// A change that would give jobs a backstop; nothing of it is written.
#[derive(Debug, Clone, Serialize)]
struct Backstop {
    path: String,
    jobs: Vec<String>,
    diff: String,
}

impl Document {
    /// The rewrites of a repository, with the diff that leads to each.
    pub fn of(rewrites: &Rewrites, diffs: Vec<String>) -> Self {
        let files = rewrites.files.iter().zip(diffs);
        Self {
            workflows: files.map(|(file, diff)| workflow(file, diff)).collect(),
            findings: rewrites.findings.iter().map(finding).collect(),
            backstops: rewrites.backstops.iter().map(backstop).collect(),
        }
    }
}

fn workflow(file: &FileRewrite, diff: String) -> Workflow {
    let key = file.rewrite.key.as_ref().map(WorkflowKey::as_str);
    Workflow {
        path: file.path.clone(),
        key: key.map(str::to_owned),
        refused: file.rewrite.refused.as_ref().map(ToString::to_string),
        reason: file.rewrite.refused.as_ref().map(Refusal::id),
        stale: file.is_stale(),
        jobs: file.rewrite.jobs.iter().map(job).collect(),
        checks: file.checks.iter().map(Check::from).collect(),
        diff,
    }
}

impl From<&CheckRow> for Check {
    fn from(of: &CheckRow) -> Self {
        Self {
            name: of.name.clone(),
            required: of.required,
            before: of.before.as_str(),
            all_run: of.all_run.as_str(),
            all_skipped: of.all_skipped.as_str(),
        }
    }
}

fn finding(of: &Finding) -> FindingOf {
    FindingOf {
        path: (!of.path.is_empty()).then(|| of.path.clone()),
        line: (of.line > 0).then_some(of.line),
        id: of.id,
        message: of.message.clone(),
        remedy: of.remedy.clone(),
    }
}

fn backstop(of: &BackstopPatch) -> Backstop {
    Backstop {
        path: of.path.clone(),
        jobs: of.jobs.clone(),
        diff: of.diff.clone(),
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
