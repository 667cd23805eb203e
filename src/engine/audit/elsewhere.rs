//! Skips that were made for another target branch than the one that a pull has now.
//!
//! A forge starts nothing when a pull changes its target, or when a second pull is opened
//! with the same head: what was rightly skipped beside one branch stays green on the head.
//! So the plan for the branch of today is asked once more whether it would skip the job.
//!
//! Where the target is the same nothing is found here: a base that moves on leaves checks
//! as they are, ours as everybody's.

use std::collections::BTreeMap;

use crate::engine::pipeline::file_id;
use crate::engine::plan::{JobPlan, Mode, Plan, Verdict};

/// One attempt, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The pipeline's path.
    pub pipeline: &'a str,
    /// The target for which it ran; `None` where that is not known.
    pub target: Option<&'a str>,
    /// The jobs that were skipped as a plan said, by id in lower case.
    pub skipped: &'a [String],
    /// The gated jobs that came to a result, likewise.
    pub ran: &'a [String],
}

/// The jobs that an open pull would have run and that were skipped on its head for another
/// target, as path of the pipeline and sentence. `attempts` stand in the order in which
/// they were judged: of each job the last one counts.
pub fn outdated(
    (plan, target): (&Plan, Option<&str>),
    attempts: &[Ended<'_>],
) -> Vec<(String, String)> {
    let mut skipped: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for attempt in attempts {
        let is_here = attempt.target.is_some() && attempt.target == target;
        for job in attempt.ran {
            skipped.remove(&(attempt.pipeline, job.as_str()));
        }
        for job in attempt.skipped {
            skipped.insert((attempt.pipeline, job.as_str()), is_here);
        }
    }
    let elsewhere = skipped.into_iter().filter(|(_, is_here)| !is_here);
    let said = |((pipeline, job), _)| {
        let why = why_run(plan, (pipeline, job))?;
        let target = target.unwrap_or("another branch");
        let words = format!(
            "{job}: it was skipped beside another target; for {target} it has to run: {why}; run the workflow again, or push"
        );
        Some((pipeline.to_owned(), words))
    };
    elsewhere.filter_map(said).collect()
}

/// Why a plan does not skip a job of a file; `None` when it does, or does not start it.
fn why_run(plan: &Plan, (pipeline, job): (&str, &str)) -> Option<String> {
    let of_it = |it: &&JobPlan| it.workflow == pipeline && file_id(&it.job) == job;
    let mut legs = plan.jobs.iter().filter(of_it).peekable();
    legs.peek()?;
    if let Some(leg) = legs.find(|leg| leg.verdict != Verdict::Skip) {
        let reason = leg.reasons.first()?;
        return Some(format!("{} {}", reason.id.as_str(), reason.subject));
    }
    (plan.mode != Mode::Enforce).then(|| format!("its mode is {}", plan.mode.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::ObjectId;
    use crate::engine::plan::{Basis, Reason, ReasonId, SCHEMA};

    const CI: &str = ".github/workflows/ci.yml";

    fn job(id: &str, verdict: Verdict) -> JobPlan {
        JobPlan {
            workflow: CI.to_owned(),
            workflow_key: None,
            job: id.to_owned(),
            leg: None,
            verdict,
            basis: (verdict == Verdict::Skip).then_some(Basis::Unaffected),
            reasons: vec![Reason {
                id: ReasonId::InputChanged,
                subject: "a.py".to_owned(),
                path: Vec::new(),
            }],
            counterfactual: String::new(),
            estimate: None,
            backstop: None,
            narrow: None,
            held_out: None,
        }
    }

    fn plan(mode: Mode, jobs: Vec<JobPlan>) -> Plan {
        let zero: ObjectId = "0".repeat(40).parse().unwrap();
        Plan {
            schema: SCHEMA.to_owned(),
            repository: "acme/shop".to_owned(),
            pull: None,
            base: zero,
            head: zero,
            merge: zero,
            mode,
            policy_hash: String::new(),
            model: None,
            jobs,
            run_everything: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// What is found for `main`, of attempts as target, skipped jobs and jobs that ran.
    fn found(plan: &Plan, attempts: &[(Option<&str>, &str, &str)]) -> Vec<String> {
        let ids = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        let jobs: Vec<(Vec<String>, Vec<String>)> = attempts
            .iter()
            .map(|(_, skipped, ran)| (ids(skipped), ids(ran)))
            .collect();
        let ended = attempts.iter().zip(&jobs);
        let ended: Vec<Ended<'_>> = ended
            .map(|((target, ..), (skipped, ran))| Ended {
                pipeline: CI,
                target: *target,
                skipped,
                ran,
            })
            .collect();
        let found = outdated((plan, Some("main")), &ended);
        let words = found.into_iter().map(|(place, words)| {
            assert_eq!(place, CI);
            words.split(':').next().unwrap_or_default().to_owned()
        });
        words.collect()
    }

    #[test]
    fn a_skip_of_another_target_is_judged_by_the_plan_of_this_one() {
        let jobs = || vec![job("test", Verdict::Run), job("lint", Verdict::Skip)];
        let enforced = plan(Mode::Enforce, jobs());
        let both = "test lint";
        assert_eq!(found(&enforced, &[(Some("lax"), both, "")]), ["test"]);
        assert_eq!(found(&enforced, &[(None, both, "")]), ["test"]);
        assert_eq!(found(&enforced, &[(Some("main"), both, "")]), [""; 0]);
        // A job that this plan does not start is nobody's.
        assert_eq!(found(&enforced, &[(Some("lax"), "gone", "")]), [""; 0]);
        let advise = plan(Mode::Advise, jobs());
        assert_eq!(found(&advise, &[(Some("lax"), both, "")]), ["lint", "test"]);
    }

    #[test]
    fn the_last_attempt_of_a_job_counts() {
        let plan = plan(Mode::Enforce, vec![job("test", Verdict::Run)]);
        let lax = (Some("lax"), "test", "");
        assert_eq!(found(&plan, &[lax, (Some("lax"), "", "test")]), [""; 0]);
        assert_eq!(found(&plan, &[(Some("lax"), "", "test"), lax]), ["test"]);
        assert_eq!(found(&plan, &[lax, (Some("main"), "test", "")]), [""; 0]);
        assert_eq!(found(&plan, &[(Some("main"), "test", ""), lax]), ["test"]);
    }

    #[test]
    fn legs_and_called_jobs_count_for_their_job() {
        let legs = vec![job("test", Verdict::Skip), job("test / unit", Verdict::Run)];
        let plan = plan(Mode::Enforce, legs);
        assert_eq!(found(&plan, &[(Some("lax"), "test", "")]), ["test"]);
    }
}
