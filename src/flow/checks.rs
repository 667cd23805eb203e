//! The two checks of a head: one for machines, one for people.
//!
//! The machine check holds numbers and plan lines and nothing that a person
//! wrote, so that no test name can pass for a plan. A check never fails a pull by
//! itself: doubt and faults are `neutral`.

use crate::engine::plan::{Mode, Plan, Verdict};
use crate::forge::{CheckRun, CheckStatus, Conclusion};
use crate::render::{self, About};

/// The check that runners read.
pub(super) const MACHINE: &str = "trimtab/plan";

/// The check that people read.
pub(super) const HUMAN: &str = "trimtab";

/// What runners are told. No workflow is gated yet, so there is no line to publish.
pub(super) fn machine(plan: &Plan) -> CheckRun {
    let skips = plan
        .jobs
        .iter()
        .filter(|job| job.verdict == Verdict::Skip)
        .count();
    let mode = match plan.mode {
        Mode::Observe => "observe",
        Mode::Advise => "advise",
        Mode::Enforce => "enforce",
    };
    let forced = if plan.run_everything.is_empty() {
        ""
    } else {
        " Everything runs."
    };
    CheckRun {
        name: MACHINE.to_owned(),
        head: plan.head,
        external_id: None,
        status: CheckStatus::Completed(Conclusion::Success),
        title: format!("{skips} of {} jobs could be skipped", plan.jobs.len()),
        summary: format!("Mode: {mode}.{forced} No workflow is gated: every job runs."),
        text: None,
        annotations: Vec::new(),
    }
}

/// What people are told.
pub(super) fn human(plan: &Plan, about: &About) -> anyhow::Result<CheckRun> {
    let conclusion = if plan.diagnostics.is_empty() {
        Conclusion::Success
    } else {
        Conclusion::Neutral
    };
    Ok(CheckRun {
        name: HUMAN.to_owned(),
        head: plan.head,
        external_id: None,
        status: CheckStatus::Completed(conclusion),
        title: render::headline(plan),
        summary: render::check_summary(plan, about)?,
        text: None,
        annotations: Vec::new(),
    })
}
