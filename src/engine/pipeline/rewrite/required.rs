//! What required checks forbid: a check that does not come while its job is skipped, and a
//! check of another app that a job brings about.
//!
//! Which checks are required is told from outside. Where nobody told, a job whose checks
//! have other names when it runs than when it is skipped gets no gate.

use std::collections::{BTreeMap, BTreeSet};

use super::Refusal;
use crate::engine::pipeline::checks::{CheckName, Checks};
use crate::engine::pipeline::{Job, Limit};

/// Words of check names that say nothing about whose check it is.
const COMMON: &[&str] = &[
    "analysis",
    "build",
    "changes",
    "check",
    "checks",
    "continuous",
    "default",
    "diff",
    "integration",
    "license",
    "patch",
    "project",
    "pull",
    "quality",
    "report",
    "request",
    "required",
    "review",
    "security",
    "status",
    "test",
    "tests",
];

/// Words shorter than this are not looked for.
const SHORTEST: usize = 4;

/// What is known of the required checks, in view of one workflow.
#[derive(Debug, Clone)]
pub(super) struct Required {
    /// Those that matter for the workflow; `None` when nobody said.
    pub(super) known: Option<Vec<String>>,
    /// Those of them that no workflow of the repository reports.
    foreign: Vec<String>,
}

impl Required {
    /// `all` are the required checks, `own` the names of the workflow's jobs, `every` those
    /// of all workflows, and `ok` what `trimtab-ok` reports.
    pub(super) fn of(
        all: Option<&[String]>,
        own: &BTreeMap<String, Checks>,
        every: &[&Checks],
        (is_ok, ok): (&dyn Fn(&str) -> bool, &str),
    ) -> Self {
        let is_foreign =
            |check: &&String| !is_ok(check) && !every.iter().any(|it| it.may_report(check));
        let foreign: Vec<String> = all
            .into_iter()
            .flatten()
            .filter(is_foreign)
            .cloned()
            .collect();
        let matters = |check: &&String| {
            **check == ok
                || foreign.contains(check)
                || own.values().any(|checks| checks.may_report(check))
        };
        Self {
            known: all.map(|all| all.iter().filter(matters).cloned().collect()),
            foreign,
        }
    }

    /// Why a job of this name must not be skipped, as far as required checks go.
    pub(super) fn forbids(&self, checks: &Checks) -> Option<Refusal> {
        let Some(known) = &self.known else {
            let skipped = |name: &CheckName| name.is(&checks.skipped);
            let is_plain = checks.run.iter().all(skipped);
            return (!is_plain).then_some(Refusal::RequiredUnknown);
        };
        let lost = known.iter().find(|check| checks.loses(check))?;
        Some(Refusal::RequiredVanishes(lost.clone()))
    }

    /// The required check of another app that a job may bring about: it names the app, or
    /// its token may write checks.
    pub(super) fn elsewhere(&self, job: &Job) -> Option<Refusal> {
        let reports = job.limits.iter().any(|limit| match limit {
            Limit::Reports(scope) => matches!(scope.as_ref(), "checks" | "statuses"),
            Limit::Writes(scope) => **scope == *"write-all",
            _ => false,
        });
        let definition = job.definition.to_lowercase();
        let found = self
            .foreign
            .iter()
            .find(|check| reports || words(check).any(|word| definition.contains(word.as_str())))?;
        Some(Refusal::RequiredElsewhere(found.clone()))
    }

    /// The jobs that `trimtab-ok` sums up, by id in lower case: those whose required checks
    /// would vanish, and where it is required itself, those that it sums up already, or all.
    pub(super) fn summed(
        &self,
        own: &BTreeMap<String, Checks>,
        ok: &str,
        already: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let Some(known) = &self.known else {
            return already.clone();
        };
        let is_lost = |checks: &Checks| known.iter().any(|check| checks.loses(check));
        let lost = own.iter().filter(|(_, checks)| is_lost(checks));
        let mut summed: BTreeSet<String> = lost.map(|(id, _)| id.clone()).collect();
        if known.iter().any(|check| check == ok) {
            summed.extend(already.iter().cloned());
            if already.is_empty() {
                summed.extend(own.keys().cloned());
            }
        }
        summed
    }
}

/// Whether the token of a job may write deployments.
pub(super) fn deploys(job: &Job) -> bool {
    let writes = |limit: &Limit| matches!(limit, Limit::Writes(scope) if **scope == *"deployments");
    job.limits.iter().any(writes)
}

fn words(check: &str) -> impl Iterator<Item = String> {
    check
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.len() >= SHORTEST && !COMMON.contains(&word.as_str()))
}
