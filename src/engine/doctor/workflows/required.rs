//! Required checks: which of them report whatever a plan says, and which never will.
//!
//! A pull whose required check does not come waits for ever. A rule may name the app that
//! has to report; only where that is GitHub Actions, or where a workflow has a job of this
//! name, is a missing check surely a fault: otherwise another app may report it.

use std::collections::{BTreeMap, BTreeSet};

use super::Repository;
use crate::engine::doctor::{Check, Finding, count, quoted, some};
use crate::engine::pipeline::rewrite::gates::Gates;
use crate::engine::pipeline::rewrite::repository::{
    FileRewrite, Rewrites, rewrite_all, silent_checks,
};
use crate::engine::pipeline::rewrite::{OK_JOB, Refusal, Settings};
use crate::engine::yaml;

/// A check that a branch requires.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequiredCheck {
    /// Its name.
    pub name: String,
    /// Who has to report it.
    pub by: Reporter,
}

/// Who has to report a required check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reporter {
    /// GitHub Actions, and nobody else.
    Actions,
    /// Another app, by its number.
    App(u64),
    /// Whoever does.
    Anyone,
}

/// Judges the required checks against the workflows, and against what is rewritten.
pub(super) fn judge(
    repo: &Repository<'_>,
    known: &[RequiredCheck],
    rewrites: &Rewrites,
) -> Vec<Finding> {
    let known: Vec<&RequiredCheck> = known.iter().filter(|it| !is_own(it)).collect();
    let names: BTreeSet<&String> = known.iter().map(|it| &it.name).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let told = [
        silent(repo, &known),
        unwritten(repo, &names),
        vanishing(repo, &names, rewrites),
    ];
    let (lost, mut found): (Vec<String>, Vec<Finding>) = told.into_iter().flatten().unzip();
    let kept: Vec<String> = names.into_iter().filter(|it| !lost.contains(it)).collect();
    let branch = repo.branch;
    if known.is_empty() {
        let says = format!("{branch} requires no check of a workflow");
        found.push(Finding::ok(Check::Required, says));
    } else if !kept.is_empty() {
        let many = count(kept.len(), "check");
        let kept = some(&kept);
        let says =
            format!("{many} that {branch} requires can report, whatever a plan says: {kept}");
        found.push(Finding::ok(Check::Required, says));
    }
    found
}

/// Whether it is one of the bot's own checks, which no workflow reports.
fn is_own(check: &RequiredCheck) -> bool {
    matches!(check.name.as_str(), "trimtab" | "trimtab/plan")
}

/// Checks that no workflow reports on every pull.
fn silent(repo: &Repository<'_>, known: &[&RequiredCheck]) -> Vec<(String, Finding)> {
    // What another app has to report is its business.
    let ours = known.iter().filter(|it| !matches!(it.by, Reporter::App(_)));
    // Of several rules for one name, the one for Actions alone comes last.
    let ours = ours.map(|it| (&it.name, it.by)).rev();
    let by_name: BTreeMap<&String, Reporter> = ours.collect();
    let names: Vec<String> = by_name.keys().map(|name| (*name).clone()).collect();
    let told = silent_checks(repo.files, repo.branch, &names).into_iter();
    let told = told.map(|(name, it)| {
        let check = Check::Required;
        let found = match by_name.get(&name) {
            Some(Reporter::Actions) if it.path.is_empty() => {
                let says = format!("the check `{name}` is required of GitHub Actions, and no workflow here reports it: no pull can be merged");
                Finding::fault(check, says, it.remedy)
            }
            Some(Reporter::Anyone) if it.path.is_empty() => {
                Finding::warning(check, it.message, it.remedy)
            }
            // Where a workflow has the check, it is meant.
            _ => Finding::fault(check, it.message, it.remedy),
        };
        (name, found)
    });
    told.collect()
}

/// Checks of a `trimtab-ok` that no workflow has.
fn unwritten(repo: &Repository<'_>, names: &[String]) -> Vec<(String, Finding)> {
    let has = |name: &str| {
        repo.files.iter().any(|(path, text)| {
            let root = yaml::parse_written(path, text).ok();
            let own = root
                .as_ref()
                .and_then(|root| root.get("jobs")?.get(OK_JOB)?.get("name")?.as_str());
            own == Some(name)
        })
    };
    let sums = names
        .iter()
        .filter(|name| name.starts_with("trimtab ok / "));
    let lost = sums.filter(|name| !has(name));
    lost.map(|name| {
        let quoted = quoted(name);
        let found = Finding::fault(
            Check::Required,
            format!("the check `{name}` is required, and no workflow has the job that reports it: no pull can be merged"),
            format!("`trimtab rewrite --write --required {quoted}`, or require the checks of the jobs instead"),
        );
        (name.clone(), found)
    })
    .collect()
}

/// Rewrites that were made for other required checks than those of today; where a check
/// is lost by that, its name, else nothing that is a name.
fn vanishing(repo: &Repository<'_>, names: &[String], before: &Rewrites) -> Vec<(String, Finding)> {
    let settings = Settings {
        required: Some(names.to_vec()),
        ..Settings::default()
    };
    let now = rewrite_all(repo.files, repo.branch, &settings, repo.history);
    let pairs = before.files.iter().zip(&now.files);
    // What was stale before is told elsewhere.
    let pairs = pairs.filter(|(before, now)| !before.is_stale() && now.is_stale());
    let options: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let options = match options.as_slice() {
        [] => "''".to_owned(),
        options => options.join(" --required "),
    };
    let renew = format!("`trimtab rewrite --write --required {options}`");
    let told = pairs.map(|(_, now)| {
        let path = &now.path;
        let Some(name) = lost(now) else {
            let says = format!(
                "{path} was rewritten for other required checks than those of {}",
                repo.branch
            );
            let found = Finding::warning(Check::Required, says, renew.clone());
            return (String::new(), found);
        };
        let says = format!(
            "the check `{name}` is required, and does not report while a plan skips its job of {path}: the pull then waits for ever"
        );
        let remedy = format!(
            "require `trimtab ok / NAME OF THE WORKFLOW` in its place, or renew the rewrite: {renew}"
        );
        (name.clone(), Finding::fault(Check::Required, says, remedy))
    });
    told.collect()
}

/// The required check that a job with a gate of today would take along.
fn lost(now: &FileRewrite) -> Option<&String> {
    let gates = Gates::read(&now.path, &now.found)?;
    let gated: BTreeSet<&str> = gates.gated().map(|(id, _)| id).collect();
    let whole = now.rewrite.refused.iter();
    let jobs = now.rewrite.jobs.iter();
    let jobs = jobs.filter(|job| gated.contains(job.job.to_ascii_lowercase().as_str()));
    let mut reasons = whole.chain(jobs.filter_map(|job| job.why.as_ref()));
    reasons.find_map(|why| match why {
        Refusal::RequiredVanishes(name) => Some(name),
        _ => None,
    })
}
