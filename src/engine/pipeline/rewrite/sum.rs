//! The job `trimtab-ok`: one check that stands for jobs whose own checks vanish while they
//! are skipped.
//!
//! A matrix that is skipped does not report its legs, and a pull that requires one waits
//! for ever. So the legs are not required but this job, which always runs and looks at each
//! result by name. A skip counts as passed only where the plan names the job, or where the
//! workflow itself can skip it: by an `if` of the job or of a job above it. Jobs above are
//! summed up too, because the failure of one skips what is below it.
//!
//! Nothing here decides which jobs need it.

use std::collections::{BTreeMap, BTreeSet};

use super::gate::quoted;
use super::read::WorkflowJob;
use super::rules::{Fate, ancestors};
use super::{OK_JOB, PLAN_JOB, Refusal, Settings};

/// The check that the job reports, by what a workflow is called.
pub(super) fn check_name(label: &str) -> String {
    format!("trimtab ok / {label}")
}

/// The jobs that are summed up, in the order of the file: those that are named, by id in
/// lower case, and all whose failure would skip one of them.
pub(super) fn members(
    jobs: &[WorkflowJob],
    by_id: &BTreeMap<String, usize>,
    named: &BTreeSet<String>,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open: Vec<usize> = named
        .iter()
        .filter_map(|id| by_id.get(id))
        .copied()
        .collect();
    while let Some(index) = open.pop() {
        if !found.insert(index) {
            continue;
        }
        let job = jobs.get(index);
        let needs = job.filter(|job| !always_runs(job)).map(|job| &job.needs);
        let needs = needs.into_iter().flatten();
        open.extend(needs.filter_map(|need| by_id.get(&need.to_ascii_lowercase())));
    }
    found
}

/// The job, indented as the first of the jobs; nothing when there is nothing to sum up.
pub(super) fn job(
    label: &str,
    (jobs, fates): (&[WorkflowJob], &[Fate]),
    by_id: &BTreeMap<String, usize>,
    members: &BTreeSet<usize>,
    settings: &Settings,
) -> String {
    if members.is_empty() {
        return String::new();
    }
    let has_plan = fates.contains(&Fate::Gated);
    let own = members.iter().filter_map(|index| jobs.get(*index));
    let needs: Vec<&str> = has_plan
        .then_some(PLAN_JOB)
        .into_iter()
        .chain(own.map(|job| job.id.as_str()))
        .collect();
    let mut out = format!(
        "{OK_JOB}:\n  name: {}\n  if: \"always()\"\n  needs: [{}]\n  runs-on: {}\n  timeout-minutes: 3\n  permissions: {{}}\n  steps:\n",
        quoted(&check_name(label)),
        needs.join(", "),
        quoted(settings.runner()),
    );
    step(&mut out, "the run was not cancelled", "cancelled()");
    for index in members {
        let (Some(job), Some(fate)) = (jobs.get(*index), fates.get(*index)) else {
            continue;
        };
        let may_skip = ancestors(jobs, by_id, *index)
            .iter()
            .chain([index])
            .filter_map(|index| jobs.get(*index))
            .any(has_condition);
        let (words, accepted) = accepted(&job.id, may_skip, *fate == Fate::Gated);
        let fails = format!("always() && !({accepted})");
        step(&mut out, &format!("{} {words}", job.id), &fails);
    }
    out
}

/// A step that fails when something holds; its name says what must be instead.
fn step(out: &mut String, name: &str, fails: &str) {
    let lines = [
        format!("    - name: {}", quoted(name)),
        format!("      if: {}", quoted(fails)),
        "      shell: sh\n      working-directory: /\n      run: exit 1\n".to_owned(),
    ];
    out.push_str(&lines.join("\n"));
}

/// Which results of a job count as passed, in words and as an expression.
fn accepted(id: &str, may_skip: bool, is_gated: bool) -> (&'static str, String) {
    let success = format!("needs.{id}.result == 'success'");
    let skipped = format!("needs.{id}.result == 'skipped'");
    if may_skip {
        return ("passed or was skipped", format!("{success} || {skipped}"));
    }
    if !is_gated {
        return ("passed", success);
    }
    let planned = format!("contains(needs.{PLAN_JOB}.outputs.skip, '|{id}|')");
    (
        "passed or was skipped by the plan",
        format!("{success} || ({skipped} && {planned})"),
    )
}

fn has_condition(job: &WorkflowJob) -> bool {
    job.condition.is_some() || job.refusal.as_ref().is_some_and(Refusal::is_of_condition)
}

/// Whether nothing above it can keep it from running.
fn always_runs(job: &WorkflowJob) -> bool {
    let text = job
        .condition
        .as_ref()
        .map(|condition| condition.text.trim());
    text.is_some_and(|text| text.eq_ignore_ascii_case("always()"))
}
