//! Whether a maintainer may have a job skipped that the evidence would run.
//!
//! Never one that is never skipped, or that nothing else would run; and never one whose
//! check the target branch requires: skipped, it would count as passed there, and the pull
//! could be merged on a word. Which checks are required is asked of the forge; a job whose
//! check may be one of them counts as one.

use anyhow::Context as _;

use super::Context;
use super::analyse_pull::{self, Matter};
use crate::engine::ids::{RepoKey, Timestamp};
use crate::engine::job_name;
use crate::engine::pipeline::Job;
use crate::engine::plan::{JobPlan, ReasonId};
use crate::forge::{ForgeError, Pull};

/// Why a job of the pull cannot be skipped on somebody's word; `None` when it can.
pub(super) async fn refusal(
    context: &Context,
    repo: RepoKey,
    pull: &Pull,
    (job, written): (&str, Option<Timestamp>),
) -> anyhow::Result<Option<&'static str>> {
    let store = &context.store;
    let planned = store.plan_at(repo, pull.number, pull.head).await;
    let record = store.pull(repo, pull.number).await;
    let repository = store.repository(repo).await;
    let (Some(planned), Some(record), Some(repository)) = (
        planned.context("read the plan")?,
        record.context("read the pull")?,
        repository.context("read the repository")?,
    ) else {
        return Ok(Some("there is no plan for this head yet"));
    };
    // A delivery may come late, when another head is known than the one that was meant.
    if written.is_some_and(|at| record.head_since.is_none_or(|since| at < since)) {
        return Ok(Some(
            "the head came after it was said; say it again for this head",
        ));
    }
    let of_job = |plan: &&JobPlan| is_of((&plan.workflow, &plan.job), job);
    let plans: Vec<&JobPlan> = planned.plan.jobs.iter().filter(of_job).collect();
    if plans.is_empty() {
        return Ok(Some("this pull starts no job with that id"));
    }
    if plans.iter().any(|plan| is_never_skipped(plan)) {
        return Ok(Some("that job is never skipped: the comment says why"));
    }
    let matter = Matter {
        base: Some(planned.plan.base),
        lots: analyse_pull::lots(context, repo, pull.number).await?,
        repository,
        pull: pull.clone(),
        record,
    };
    required(context, matter, job).await
}

/// Why a job cannot be skipped that a check of the target branch may speak for.
async fn required(
    context: &Context,
    matter: Matter,
    job: &str,
) -> anyhow::Result<Option<&'static str>> {
    let (repo, target) = (matter.repository.key, &matter.pull.base_ref);
    let required = match context.forge.required_checks(repo, target).await {
        Err(ForgeError::Denied { .. } | ForgeError::Missing { .. }) => {
            return Ok(Some("which checks are required cannot be read"));
        }
        other => other.context("ask which checks are required")?,
    };
    if required.is_empty() {
        return Ok(None);
    }
    let answer = analyse_pull::answer(context, matter).await?;
    let is_required = |it: &Job| {
        let names = [it.name.as_ref(), it.id.0.as_ref()];
        let is_one = |check: &String| names.iter().any(|name| may_be(check, name));
        required.iter().any(is_one)
    };
    let mut pipelines = answer.merge.survey.pipelines.iter();
    let is_required = pipelines.any(|pipeline| {
        let is_named = |it: &Job| is_of((&pipeline.path, &it.id.0), job);
        served(&pipeline.jobs, is_named)
            .into_iter()
            .any(is_required)
    });
    Ok(is_required.then_some("a check that the target branch requires is not skipped on a word"))
}

/// The jobs that are asked for, and all that need one of them, at any distance: a check of
/// one that sums up the others speaks for them.
fn served(jobs: &[Job], is_named: impl Fn(&Job) -> bool) -> Vec<&Job> {
    let mut found: Vec<&Job> = jobs.iter().filter(|it| is_named(it)).collect();
    let mut at = 0;
    while let Some(of) = found.get(at).copied() {
        at += 1;
        let above = jobs.iter().filter(|it| it.needs.contains(&of.id));
        for job in above {
            if !found.iter().any(|known| known.id == job.id) {
                found.push(job);
            }
        }
    }
    found
}

/// Whether a job of a plan is the given one of the file, or is called by it.
pub(super) fn is_of((workflow, id): (&str, &str), job: &str) -> bool {
    let of_file = id.split(" / ").next().unwrap_or(id);
    job_name::names(job, workflow, of_file)
}

fn is_never_skipped(plan: &JobPlan) -> bool {
    let forbids = |id| matches!(id, ReasonId::NeverSkipped | ReasonId::NoBackstop);
    plan.backstop.is_none() || plan.reasons.iter().any(|reason| forbids(reason.id))
}

/// Whether a check may be the one of a job with this name or id: the name alone, with a
/// leg, or as part of a called workflow. Of a name that only the run knows, what stands
/// before that counts.
fn may_be(check: &str, name: &str) -> bool {
    match name.split_once("${{") {
        Some((before, _)) => check.starts_with(before) || check.contains(" / "),
        None => {
            check == name
                || check.starts_with(&format!("{name} ("))
                || check.starts_with(&format!("{name} / "))
                || check.ends_with(&format!(" / {name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::{read, snapshot_of};

    #[test]
    fn a_job_is_served_by_all_that_sum_it_up() {
        let text = "on: pull_request\njobs:\n  a: {runs-on: x, steps: [{run: a}]}\n  b: {runs-on: x, steps: [{run: a}]}\n  \
            all: {needs: [a], runs-on: x, steps: [{run: a}]}\n  ok: {needs: [all], runs-on: x, steps: [{run: a}]}\n";
        let pipelines = read(&snapshot_of(&[(".github/workflows/ci.yml", text)]));
        let ids = |of: &str| {
            let found = served(&pipelines[0].jobs, |it| &*it.id.0 == of);
            let ids: Vec<&str> = found.iter().map(|it| &*it.id.0).collect();
            ids.join(" ")
        };
        assert_eq!(
            (ids("a"), ids("b")),
            ("a all ok".to_owned(), "b".to_owned())
        );
    }

    #[test]
    fn a_check_that_may_be_of_the_job_counts_as_one() {
        for (check, name) in [
            ("test", "test"),
            ("test (3.12, ubuntu)", "test"),
            ("test / unit", "test"),
            ("call / test", "test"),
            ("Test on 3.12", "Test on ${{ matrix.python }}"),
            ("anything", "${{ matrix.name }}"),
            ("call / Test", "Run ${{ matrix.name }}"),
        ] {
            assert!(may_be(check, name), "{check} {name}");
        }
        for (check, name) in [
            ("tests", "test"),
            ("test2 (3.12)", "test"),
            ("unit", "Test on ${{ matrix.python }}"),
        ] {
            assert!(!may_be(check, name), "{check} {name}");
        }
    }

    #[test]
    fn a_job_is_named_by_its_id_its_workflow_and_as_a_caller() {
        let path = ".github/workflows/ci.yml";
        assert!(is_of((path, "test"), "Test"));
        assert!(is_of((path, "test"), "ci.yml:test"));
        assert!(is_of((path, "test / unit"), "test"));
        assert!(!is_of((path, "test"), "other.yml:test"));
        assert!(!is_of((path, "tests"), "test"));
    }
}
