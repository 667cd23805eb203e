//! The two checks of a head: one for machines, one for people.
//!
//! The machine check holds numbers and plan lines and nothing that a person
//! wrote, so that no test name can pass for a plan. Doubt and faults are `neutral`; the
//! check for people fails for one thing alone, a skip that an audit found not to hold.

use super::publish::Line;
use crate::engine::plan::{Plan, Verdict};
use crate::forge::{CheckRun, CheckStatus, Conclusion};
use crate::render::{self, About};
use crate::store::PlanRecord;

/// The check that runners read.
pub(super) const MACHINE: &str = "trimtab/plan";

/// The check that people read.
pub(super) const HUMAN: &str = "trimtab";

/// The most bytes of plan lines in one check: runners read no more than 64 KiB of an
/// answer, and the rest of it needs room too.
const LINES_MAX: usize = 48 * 1024;

/// What runners are told: a line for each gated workflow of each pull at the head, empty
/// where its plan's skips may not be published. `None` without a plan.
///
/// There is always a text: whether a check that is written without one keeps the last is
/// not documented.
pub(super) fn machine(plans: &[(PlanRecord, bool)]) -> Option<CheckRun> {
    let (planned, _) = plans.last()?;
    let (plan, mut lines) = (&planned.plan, Vec::new());
    let mut jobs = 0;
    for (planned, skips) in plans {
        let place = (planned.plan.head, planned.number);
        for gated in &planned.gated {
            let line = Line {
                gated,
                skips: *skips,
            };
            lines.extend(line.text(place, planned.not_after));
            jobs += if *skips { gated.skip.len() } else { 0 };
        }
    }
    let count = plan.jobs.len();
    let skips = plan.jobs.iter().filter(|job| job.verdict == Verdict::Skip);
    Some(CheckRun {
        name: MACHINE.to_owned(),
        head: plan.head,
        external_id: None,
        status: CheckStatus::Completed(Conclusion::Success),
        title: format!("{} of {count} jobs could be skipped", skips.count()),
        summary: summary(planned, lines.len(), jobs),
        text: Some(fenced(&lines)),
        annotations: Vec::new(),
    })
}

fn summary(planned: &PlanRecord, lines: usize, jobs: usize) -> String {
    let plan = &planned.plan;
    let mode = plan.mode.as_str();
    let forced = if plan.run_everything.is_empty() {
        ""
    } else {
        " Everything runs."
    };
    let gated = match (lines, jobs) {
        (0, _) => "No workflow is gated: every job runs.".to_owned(),
        (1, 0) => "One workflow is gated, and told to run every job.".to_owned(),
        (_, 0) => format!("{lines} workflows are gated, and told to run every job."),
        (_, 1) => "One job is skipped.".to_owned(),
        _ => format!("{jobs} jobs are skipped."),
    };
    let note = planned.note.as_ref();
    let note = note.map_or_else(String::new, |note| format!(" {note}"));
    format!("Mode: {mode}.{forced} {gated}{note}")
}

/// The lines, as many as there is room for; a workflow without one runs every job.
fn fenced(lines: &[String]) -> String {
    let mut text = "```\n".to_owned();
    for line in lines {
        if text.len() + line.len() > LINES_MAX {
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.push_str("```\n");
    text
}

/// What people are told.
pub(super) fn human(plan: &Plan, about: &About) -> anyhow::Result<CheckRun> {
    let found = about.findings.len();
    let conclusion = if found > 0 {
        Conclusion::Failure
    } else if plan.diagnostics.is_empty() {
        Conclusion::Success
    } else {
        Conclusion::Neutral
    };
    Ok(CheckRun {
        name: HUMAN.to_owned(),
        head: plan.head,
        external_id: None,
        status: CheckStatus::Completed(conclusion),
        title: match found {
            0 => render::headline(plan),
            1 => "1 skipped job should have run".to_owned(),
            count => format!("{count} skipped jobs should have run"),
        },
        summary: render::check_summary(plan, about)?,
        text: None,
        annotations: Vec::new(),
    })
}
