//! Which jobs of a workflow can be gated without changing what the others do.
//!
//! A gated job gets the plan job as a need, and so does everything below it. A job
//! whose condition sees how its ancestors ended would see the plan job too: lost or
//! cancelled, it would skip a deployment or fire a notice. So a job is gated only if
//! each of its descendants is *blind* to the plan job: gated itself, restated (its
//! needs are asked for by name), or indifferent to how anything ended. Taking one gate
//! away can take others with it, until nothing changes any more.
//!
//! Nothing here writes text.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Condition, WorkflowJob};
use super::{Refusal, gate};

/// What happens with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It gets a gate.
    Gated,
    /// It gets no gate, but its condition is written so that the plan job is not in it.
    Restated(Refusal),
    /// It stays as it is.
    Refused(Refusal),
}

/// The fate of each job, in order. `blocked` jobs, by id in lower case, are refused for what
/// the file does not tell: a missing backstop, a required check.
pub(super) fn fates(
    jobs: &[WorkflowJob],
    by_id: &BTreeMap<String, usize>,
    blocked: &BTreeMap<String, Refusal>,
) -> Vec<Fate> {
    let above: Vec<BTreeSet<usize>> = (0..jobs.len())
        .map(|job| ancestors(jobs, by_id, job))
        .collect();
    let reasons: Vec<Option<Refusal>> = jobs
        .iter()
        .enumerate()
        .map(|(index, job)| {
            own_refusal(jobs, &above, index)
                .or_else(|| blocked.get(&job.id.to_ascii_lowercase()).cloned())
        })
        .collect();
    let restatable: Vec<bool> = (0..jobs.len())
        .map(|index| is_restatable(jobs, &above, &reasons, index))
        .collect();
    let mut fates: Vec<Result<(), Refusal>> = reasons
        .iter()
        .map(|reason| reason.clone().map_or(Ok(()), Err))
        .collect();
    while let Some((bad, below)) = sighted(jobs, &above, &fates, &restatable) {
        let below = jobs
            .get(below)
            .map(|job| job.id.clone())
            .unwrap_or_default();
        if let Some(fate) = fates.get_mut(bad) {
            *fate = Err(Refusal::SeenBelow(below));
        }
    }
    let gated: BTreeSet<usize> = (0..)
        .zip(&fates)
        .filter(|(_, fate)| fate.is_ok())
        .map(|(job, _)| job)
        .collect();
    (0..)
        .zip(fates)
        .map(|(job, fate)| match fate {
            Ok(()) => Fate::Gated,
            Err(why) => {
                let below_a_gate = above
                    .get(job)
                    .is_some_and(|above| !above.is_disjoint(&gated));
                if below_a_gate && restatable.get(job) == Some(&true) {
                    Fate::Restated(why)
                } else {
                    Fate::Refused(why)
                }
            }
        })
        .collect()
}

/// A job that waits for itself: GitHub does not start such a workflow.
pub(super) fn circle<'a>(
    jobs: &'a [WorkflowJob],
    by_id: &BTreeMap<String, usize>,
) -> Option<&'a str> {
    let waits = |index: usize| ancestors(jobs, by_id, index).contains(&index);
    let found = (0..jobs.len()).find(|index| waits(*index))?;
    jobs.get(found).map(|job| job.id.as_str())
}

/// All jobs that must end before this one.
pub(super) fn ancestors(
    jobs: &[WorkflowJob],
    by_id: &BTreeMap<String, usize>,
    job: usize,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![job];
    while let Some(next) = open.pop() {
        let needs = jobs
            .get(next)
            .map(|job| job.needs.as_slice())
            .unwrap_or_default();
        for need in needs {
            if let Some(index) = by_id.get(&need.to_ascii_lowercase())
                && found.insert(*index)
            {
                open.push(*index);
            }
        }
    }
    found
}

fn own_refusal(jobs: &[WorkflowJob], above: &[BTreeSet<usize>], index: usize) -> Option<Refusal> {
    let job = jobs.get(index)?;
    let status = status_above(jobs, above, index).map(Refusal::StatusAbove);
    let place = job.place.as_ref().err().cloned();
    let long = (!gate::fits(&gate::gate(job))).then_some(Refusal::TooLong);
    job.refusal.clone().or(status).or(place).or(long)
}

/// An ancestor with a status function of its own, which makes "every direct need
/// succeeded" another question than `success()`.
///
/// One that needs nothing changes nothing: whatever is below it succeeded only if it did.
fn status_above(jobs: &[WorkflowJob], above: &[BTreeSet<usize>], index: usize) -> Option<String> {
    let job = jobs.get(index)?;
    if asks_status(job.condition.as_ref()) {
        return None;
    }
    let troubling = |ancestor: &&usize| {
        let Some(other) = jobs.get(**ancestor) else {
            return false;
        };
        let stands_alone = above.get(**ancestor).is_some_and(BTreeSet::is_empty);
        // A condition that could not be read may ask for anything.
        let asks = other.condition.is_none()
            && other.refusal.as_ref().is_some_and(Refusal::is_of_condition)
            || asks_status(other.condition.as_ref());
        asks && !stands_alone
    };
    let found = above.get(index)?.iter().find(troubling)?;
    jobs.get(*found).map(|job| job.id.clone())
}

fn asks_status(condition: Option<&Condition>) -> bool {
    condition.is_some_and(|condition| !condition.statuses.is_empty())
}

/// Whether a job without a gate can have its needs asked for by name.
fn is_restatable(
    jobs: &[WorkflowJob],
    above: &[BTreeSet<usize>],
    reasons: &[Option<Refusal>],
    index: usize,
) -> bool {
    let Some(job) = jobs.get(index) else {
        return false;
    };
    let reason = reasons.get(index).and_then(Option::as_ref);
    reason.is_some_and(Refusal::allows_restating)
        && job.place.is_ok()
        && !asks_status(job.condition.as_ref())
        && status_above(jobs, above, index).is_none()
}

/// A gated job with a descendant that would see the plan job, and that descendant.
fn sighted(
    jobs: &[WorkflowJob],
    above: &[BTreeSet<usize>],
    fates: &[Result<(), Refusal>],
    restatable: &[bool],
) -> Option<(usize, usize)> {
    let is_gated = |index: usize| fates.get(index).is_some_and(Result::is_ok);
    let is_blind = |index: usize, job: &WorkflowJob| {
        let indifferent = asks_status(job.condition.as_ref())
            && !job.condition.as_ref().is_some_and(Condition::asks_success);
        is_gated(index) || restatable.get(index) == Some(&true) || indifferent
    };
    let seeing = jobs
        .iter()
        .enumerate()
        .filter(|(index, job)| !is_blind(*index, job));
    let mut pairs = seeing.filter_map(|(below, _)| {
        let gated = above
            .get(below)?
            .iter()
            .copied()
            .find(|above| is_gated(*above))?;
        Some((gated, below))
    });
    pairs.next()
}
