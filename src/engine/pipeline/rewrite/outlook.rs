//! Before and after: how each check of a workflow reports on a pull, as it was, with a plan
//! that skips nothing, and with one that skips all it may.
//!
//! A rewrite that lets a required check vanish is not written: this is where that is seen,
//! whatever the rules said before.

use std::collections::BTreeMap;

use super::gates::Gates;
use super::{PLAN_JOB, Rewrite, parse};
use crate::engine::pipeline::checks::Checks;
use crate::engine::pipeline::simulate::{Report, Workflow, World};
use crate::engine::pipeline::{EventContext, Pipeline, Truth, github};

/// A check on a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    /// Its name; `*` stands for what only the run can tell.
    pub name: String,
    /// Whether the default branch requires it.
    pub required: bool,
    /// How it reported before the rewrite.
    pub before: Report,
    /// How it reports when nothing is skipped, or the plan was lost.
    pub all_run: Report,
    /// How it reports when everything is skipped that may be.
    pub all_skipped: Report,
}

impl CheckRow {
    /// Whether a plan can keep it from reporting, and it reported before.
    pub fn vanishes(&self) -> bool {
        let comes = |report: Report| !matches!(report, Report::Never | Report::Perhaps);
        comes(self.before) && !comes(self.all_skipped)
    }
}

/// How the checks of a rewritten workflow report on a pull; empty when nothing is gated.
pub fn of(
    pipeline: &Pipeline,
    rewrite: &Rewrite,
    checks: &BTreeMap<String, Checks>,
    (event, required): (&EventContext, &[String]),
) -> Vec<CheckRow> {
    let read = |text: &str| parse(&pipeline.path, text).ok();
    let (Some(before), Some(after)) = (read(&rewrite.original), read(&rewrite.text)) else {
        return Vec::new();
    };
    let gates = Gates::read(&pipeline.path, &rewrite.text).map(|it| it.accepting(pipeline));
    let Some(gates) = gates else {
        return Vec::new();
    };
    let world = World {
        scope: github::event::Occasion::Pull(event).scope(),
        ..World::default()
    };
    let (before, after) = (
        Workflow::read(&before, checks),
        Workflow::read(&after, checks),
    );
    let outcomes = before.simulate(&world);
    let starting: BTreeMap<String, bool> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.runs != Truth::No)
        .map(|(id, _)| (id.clone(), true))
        .collect();
    let plan = |skip: Option<&[String]>| after.reports(&world.clone().with_plan(PLAN_JOB, skip));
    let (was, skipped) = (before.reports(&world), plan(Some(&gates.closed(&starting))));
    let (empty, lost) = (plan(Some(&[])), plan(None));
    let of_name = |reports: &BTreeMap<_, Report>, name| reports.get(name).copied();
    skipped
        .iter()
        .map(|(name, all_skipped)| {
            let runs = of_name(&empty, name).max(of_name(&lost, name));
            CheckRow {
                name: name.to_string(),
                required: required.iter().any(|check| name.may_be(check)),
                before: of_name(&was, name).unwrap_or(Report::Never),
                all_run: runs.unwrap_or(Report::Never),
                all_skipped: *all_skipped,
            }
        })
        .collect()
}

/// The first required check that reported before and may be missing after.
pub fn vanishing(rows: &[CheckRow]) -> Option<&str> {
    let reports =
        |report: Report| matches!(report, Report::Runs | Report::Skipped | Report::Either);
    let lost = rows.iter().find(|row| {
        row.required && reports(row.before) && !(reports(row.all_run) && reports(row.all_skipped))
    })?;
    Some(&lost.name)
}
