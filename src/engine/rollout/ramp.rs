//! The ramp: how much of the job-minutes may be skipped, the least often failed first.
//!
//! A maintainer who begins with ten percent lets the jobs go first that hardly ever fail,
//! so that a wrong skip costs least. What the ramp holds back runs, and so does all that
//! it needs; a job of which nobody knows how long it takes is held back as well.
//!
//! It only makes jobs run. What a maintainer said to skip is not its matter.

use std::cmp::Ordering;

use crate::engine::history::times::Failures;
use crate::engine::plan::{Basis, JobPlan};
use crate::engine::verdict::JobFacts;

/// Marks the jobs that a plan skips beyond the ramp, a percentage of the job-minutes of
/// all its jobs; whether there is one, so that the plan is to be made again.
pub fn hold_back(jobs: &mut [JobFacts], plans: &[JobPlan], ramp: u8) -> bool {
    let seconds = |job: &JobFacts| job.estimate.map_or(0, |estimate| estimate.seconds);
    let total: u64 = jobs.iter().map(seconds).sum();
    let mut left =
        total / 100 * u64::from(ramp.min(100)) + total % 100 * u64::from(ramp.min(100)) / 100;
    let counts = |plan: &JobPlan| plan.basis.is_some_and(|basis| basis != Basis::Told);
    let skipped = jobs.iter_mut().zip(plans).filter(|(_, plan)| counts(plan));
    let mut skipped: Vec<&mut JobFacts> = skipped.map(|(job, _)| job).collect();
    skipped.sort_by(|a, b| by_failures(a.failures, b.failures));
    let mut is_held = false;
    for job in skipped {
        let seconds = seconds(job);
        if job.estimate.is_some() && seconds <= left {
            left -= seconds;
        } else {
            job.held_back = Some(why(job, ramp));
            is_held = true;
        }
    }
    is_held
}

fn why(job: &JobFacts, ramp: u8) -> String {
    match job.estimate {
        Some(_) => format!("jobs that fail less often fill the {ramp} % of job-minutes"),
        None => "nobody knows yet how long it takes".to_owned(),
    }
}

/// The one that failed less often first; one that never ran last.
fn by_failures(a: Failures, b: Failures) -> Ordering {
    let share = |own: Failures, other: Failures| u64::from(own.failed) * u64::from(other.runs);
    match (a.runs, b.runs) {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Greater,
        (_, 0) => Ordering::Less,
        _ => share(a, b).cmp(&share(b, a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Estimate, EstimateKind};
    use crate::engine::verdict::decide;

    /// A job that may be skipped, with its seconds, and its failures among ten runs.
    fn job(id: &str, seconds: Option<u64>, failed: u32) -> JobFacts {
        let estimate = |seconds| Estimate {
            seconds,
            kind: EstimateKind::Measured,
            n: 10,
        };
        JobFacts {
            workflow: "ci.yml".to_owned(),
            job: id.to_owned(),
            backstops: vec!["push to main".to_owned()],
            estimate: seconds.map(estimate),
            failures: Failures { failed, runs: 10 },
            ..JobFacts::default()
        }
    }

    /// What is skipped under a ramp.
    fn check(mut jobs: Vec<JobFacts>, ramp: u8, expected: &str) {
        let first = decide(&jobs, &[]);
        let is_held = hold_back(&mut jobs, &first, ramp);
        let plans = decide(&jobs, &[]);
        assert_eq!(is_held, first != plans);
        let skipped = plans.iter().filter(|plan| plan.basis.is_some());
        let skipped: Vec<&str> = skipped.map(|plan| plan.job.as_str()).collect();
        assert_eq!(skipped.join(" "), expected);
    }

    #[test]
    fn the_least_often_failed_jobs_go_first() {
        let jobs = || {
            vec![
                job("a", Some(300), 3),
                job("b", Some(300), 0),
                job("c", Some(300), 1),
                job("d", Some(100), 2),
            ]
        };
        check(jobs(), 100, "a b c d");
        check(jobs(), 70, "b c d");
        check(jobs(), 40, "b d");
        check(jobs(), 30, "b");
        check(jobs(), 10, "d");
        check(jobs(), 0, "");
    }

    #[test]
    fn a_job_that_nobody_has_timed_is_held_back() {
        check(vec![job("a", None, 0), job("b", Some(60), 0)], 100, "b");
    }

    #[test]
    fn a_job_that_never_ran_goes_last() {
        let unseen = JobFacts {
            failures: Failures::default(),
            ..job("a", Some(60), 0)
        };
        check(vec![unseen, job("b", Some(60), 9)], 50, "b");
    }

    #[test]
    fn what_is_held_back_keeps_what_it_needs() {
        let needing = JobFacts {
            needs: vec!["build".to_owned()],
            ..job("unit", Some(600), 5)
        };
        let jobs = vec![job("build", Some(60), 0), needing, job("lint", Some(60), 1)];
        check(jobs, 50, "lint");
    }

    #[test]
    fn the_word_of_a_maintainer_is_not_held_back() {
        let told = JobFacts {
            told: Some("ann: flaky".to_owned()),
            redefined: true,
            ..job("a", Some(60), 0)
        };
        check(vec![told], 0, "a");
    }
}
