//! Whether skipping can save more than asking for the plan costs.
//!
//! The comparison is made in favour of the gate: as if every gated job were skipped on
//! every pull. Runners are billed by the started minute, so the plan job costs one in each
//! run, and a skipped job saves at least one.
//! <https://docs.github.com/billing/concepts/product-billing/github-actions>
//!
//! Nothing is said of a workflow of which one gated job was never measured.

use std::collections::BTreeMap;

use super::read::WorkflowJob;
use super::rules::Fate;

/// Minutes that a plan job is billed in each run.
const PLAN_MINUTES: u64 = 1;

/// Whether even a plan that skips every gated job saves nothing. `seconds` are the measured
/// durations, by id in lower case.
pub(super) fn is_none(
    jobs: &[WorkflowJob],
    fates: &[Fate],
    seconds: &BTreeMap<String, u64>,
) -> bool {
    let gated = jobs
        .iter()
        .zip(fates)
        .filter(|(_, fate)| **fate == Fate::Gated);
    let minutes = gated.map(|(job, _)| {
        let seconds = seconds.get(&job.id.to_ascii_lowercase())?;
        Some(seconds.div_ceil(60).max(1))
    });
    let saved: Option<Vec<u64>> = minutes.collect();
    saved.is_some_and(|minutes| !minutes.is_empty() && minutes.iter().sum::<u64>() <= PLAN_MINUTES)
}
