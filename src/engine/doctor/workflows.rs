//! What lies in a repository: rewrites, the runner of the plan job, and backstops.
//!
//! The files are those below `.github`, as they lie in a checkout or on the default
//! branch. What holds them is compared with what a rewrite would write today, so that
//! this page and `trimtab rewrite --check` cannot differ. Which checks are required is
//! told from outside; [`required`] judges them.

use std::collections::{BTreeMap, BTreeSet};

mod backstops;
pub mod required;

pub use required::RequiredCheck;

use super::{Check, Finding, count, quoted, some};
use crate::engine::history::History;
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::pipeline::rewrite::repository::{FileRewrite, Rewrites, originals, rewrite_all};
use crate::engine::pipeline::rewrite::{Refusal, Settings};
use crate::engine::pipeline::{Job, Pipeline};
use crate::engine::plan::Diagnostic;
use crate::engine::policy;

/// A repository as far as its workflows go.
#[derive(Debug, Clone, Copy)]
pub struct Repository<'a> {
    /// The files below `.github`, by path.
    pub files: &'a BTreeMap<String, String>,
    /// The default branch.
    pub branch: &'a str,
    /// The app whose check carries plans; `None` where nobody said.
    pub app: Option<u64>,
    /// The checks that the default branch requires; `None` where nobody said.
    pub required: Option<&'a [RequiredCheck]>,
    /// How long jobs take, where that is known.
    pub history: Option<&'a History>,
    /// The last runs, whatever started them; `None` where nobody asked for them.
    pub runs: Option<&'a [(Attempt, Vec<JobRun>)]>,
}

/// What is found in a repository.
pub fn judge(repo: &Repository<'_>) -> Vec<Finding> {
    let pipelines = originals(repo.files);
    let rewrites = rewrite_all(repo.files, repo.branch, &Settings::default(), repo.history);
    let mut found = drift(repo, &rewrites);
    found.extend(runner(&pipelines, &rewrites));
    found.extend(
        repo.required
            .map(|known| required::judge(repo, known, &rewrites))
            .unwrap_or_default(),
    );
    found.extend(backstops::judge(repo, &pipelines));
    found.extend(others(&rewrites));
    found
}

/// Whether the configuration can be read, where there is one; each fault of it is told.
pub fn configuration(text: Option<&str>) -> Vec<Finding> {
    let check = Check::Configuration;
    let Some(text) = text else {
        let says = format!("there is no {}, so that the defaults hold", policy::FILE);
        return vec![Finding::ok(check, says)];
    };
    let Err(faults) = policy::parse(text) else {
        return vec![Finding::ok(check, format!("{} can be read", policy::FILE))];
    };
    let fault = |it: &Diagnostic| {
        let says = format!(
            "{}:{}: {}; until that is mended everything runs",
            it.path, it.line, it.message
        );
        let remedy = "mend it, on the default branch; docs/api.md has every key";
        Finding::fault(check, says, remedy)
    };
    faults.iter().map(fault).collect()
}

/// Whether the rewrites that lie here are what a rewrite would write today.
fn drift(repo: &Repository<'_>, rewrites: &Rewrites) -> Vec<Finding> {
    let check = Check::Rewrite;
    let rewritten = || rewrites.files.iter().filter(|file| file.is_rewritten());
    let mut found: Vec<Finding> = rewritten()
        .filter_map(|file| stale(file).or_else(|| of_another_app(repo, file)))
        .collect();
    let many = rewritten().count();
    if many == 0 {
        let says = "no workflow is rewritten, so that every job runs";
        found.push(Finding::ok(check, says));
    } else if found.is_empty() {
        let says = format!("{} rewritten, as a rewrite would do it today", are(many));
        found.push(Finding::ok(check, says));
    }
    found
}

fn are(workflows: usize) -> String {
    let verb = if workflows == 1 { "is" } else { "are" };
    format!("{} {verb}", count(workflows, "workflow"))
}

fn stale(file: &FileRewrite) -> Option<Finding> {
    const RENEW: &str =
        "`trimtab rewrite --diff` shows what would change, `trimtab rewrite --write` does it";
    if !file.is_stale() {
        return None;
    }
    let path = &file.path;
    let fault = |says, remedy: &str| Some(Finding::fault(Check::Rewrite, says, remedy));
    match &file.rewrite.refused {
        Some(why @ (Refusal::Marked | Refusal::Edited)) => fault(
            format!("{path} was edited where its rewrite stands: {why}"),
            why.remedy().unwrap_or(RENEW),
        ),
        Some(why) => {
            // Where the gates would go, a rewrite takes them away by itself.
            let mends_itself = file.rewrite.text != file.found;
            let remedy = why.remedy().filter(|_| !mends_itself).unwrap_or(RENEW);
            fault(
                format!("{path} is rewritten, and would not be any more: {why}"),
                remedy,
            )
        }
        None => fault(
            format!(
                "{path} does not hold the rewrite that it would get today: the workflows or what they need changed, or somebody edited it by hand"
            ),
            RENEW,
        ),
    }
}

fn of_another_app(repo: &Repository<'_>, file: &FileRewrite) -> Option<Finding> {
    let ours = repo.app?.to_string();
    let asked = Settings::of_file(&file.path, &file.found).app_id?;
    (asked != ours).then(|| {
        Finding::fault(
            Check::Rewrite,
            format!("{} looks for plans of the app `{asked}`, and this is {ours}: no plan is ever found", file.path),
            format!("`trimtab rewrite --write --app-id {ours}`"),
        )
    })
}

/// The label where nothing says another one.
const RUNNER: &str = "ubuntu-latest";

/// Whether the plan job finds a runner. A run with a plan job that nobody takes hangs for
/// a day (<https://docs.github.com/en/actions/reference/limits>): the one way in which a
/// rewrite can stop a pull.
fn runner(pipelines: &[Pipeline], rewrites: &Rewrites) -> Vec<Finding> {
    let jobs = pipelines.iter().flat_map(|pipeline| &pipeline.jobs);
    let used: BTreeSet<&str> = jobs.flat_map(labels).collect();
    let rewritten = rewrites.files.iter().filter(|file| file.is_rewritten());
    let asked: BTreeSet<String> = rewritten
        .filter_map(|file| Settings::of_file(&file.path, &file.found).runner)
        .collect();
    let is_rewritten = !asked.is_empty();
    let asked = if is_rewritten || used.is_empty() {
        asked
    } else {
        [RUNNER.to_owned()].into()
    };
    asked
        .iter()
        .map(|label| on(label, &used, is_rewritten))
        .collect()
}

/// The labels that a job may ask for: as written, and where a matrix says it, its values.
fn labels(job: &Job) -> impl Iterator<Item = &str> {
    let is_open = job.runner.iter().any(|label| label.contains("${{"));
    let legs = job.legs.iter().filter(move |_| is_open);
    let values = legs.flat_map(|leg| leg.values.values());
    job.runner.iter().chain(values).map(AsRef::as_ref)
}

/// Whether a label is one of GitHub's own runners
/// (<https://docs.github.com/en/actions/reference/runners/github-hosted-runners>).
fn is_hosted(label: &str) -> bool {
    ["ubuntu-", "windows-", "macos-"]
        .iter()
        .any(|system| label.starts_with(system))
}

fn on(label: &str, used: &BTreeSet<&str>, is_rewritten: bool) -> Finding {
    let check = Check::Runner;
    let asks = if is_rewritten { "asks" } else { "would ask" };
    let others = || used.iter().copied().filter(|it| !it.contains("${{"));
    let open = others().count() < used.len();
    if used.contains(label) {
        return Finding::ok(
            check,
            format!("the plan job {asks} for `{label}`, which other jobs here run on"),
        );
    }
    if is_hosted(label) && others().any(is_hosted) {
        return Finding::ok(
            check,
            format!(
                "the plan job {asks} for `{label}`, and other jobs here run on GitHub's runners too"
            ),
        );
    }
    if open {
        return Finding::ok(
            check,
            format!(
                "the plan job {asks} for `{label}`; only a run can tell what other jobs here ask for"
            ),
        );
    }
    let own = others().find(|it| *it != "self-hosted").unwrap_or("LABEL");
    let own = quoted(own);
    Finding::warning(
        check,
        format!(
            "the plan job {asks} for `{label}`, which no other job here runs on: where no runner has it, each run waits for a day"
        ),
        format!(
            "make sure that a runner with this label is always there, or take one of your own: `trimtab rewrite --write --runner {own}`"
        ),
    )
}

/// What else is to be said of workflows.
fn others(rewrites: &Rewrites) -> Vec<Finding> {
    let check = Check::Workflow;
    let beside = rewrites.findings.iter().map(|it| {
        let says = format!("{}:{}: {}", it.path, it.line, it.message);
        Finding::warning(check, says, it.remedy.clone())
    });
    let unread = rewrites.files.iter().filter_map(|file| {
        let why = file.rewrite.refused.as_ref()?;
        let path = &file.path;
        match why {
            Refusal::Unreadable(_) => Some(Finding::warning(
                check,
                format!("{path}: {why}, and a pull that changes it runs everything"),
                "mend the file; GitHub's page of its runs shows what is wrong",
            )),
            Refusal::NoSaving => Some(Finding::ok(check, format!("{path} is left alone: {why}"))),
            _ => None,
        }
    });
    beside.chain(unread).collect()
}

#[cfg(test)]
mod tests;
