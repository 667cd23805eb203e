//! How long the jobs of one pipeline took, by the names that the forge shows.
//!
//! Names are kept and not ids: which job stands behind a name is known only beside a
//! workflow file, and the file changes. Only runs whose head lies in the repository
//! itself count, and only jobs that passed: what was cut short says nothing of how long
//! the whole takes, and a fork must not be able to make a job look cheap or dear.
//!
//! Adding a run twice changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::run::{Attempt, Conclusion, JobRun};
use super::shown;
use crate::engine::ids::Timestamp;
use crate::engine::pipeline::{Job, Pipeline};
use crate::engine::plan::{Estimate, EstimateKind};

/// The most runs that count for one name, the newest.
pub const SAMPLES: usize = 50;

/// The most names that are kept of one pipeline, those seen last.
pub const NAMES: usize = 500;

/// Among so many of the newest runs the fullest one says which legs a job has.
const LEGS_FROM: usize = 5;

/// How long one job took, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// In which run.
    pub run: u64,
    /// In which attempt of it.
    pub attempt: u32,
    /// When it ended.
    pub ended: Timestamp,
    /// Seconds of a runner.
    pub seconds: u64,
}

/// How long the jobs of one pipeline took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Runs that passed by name, the newest first.
    pub names: BTreeMap<String, Vec<Sample>>,
    /// Runs that failed, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, Vec<Sample>>,
}

/// How often a job failed, of late.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// In so many runs of its legs.
    pub failed: u32,
    /// Of so many that passed or failed, at most [`SAMPLES`] of each leg.
    pub runs: u32,
}

/// Whether anything may be learned from an attempt: its head lies in the repository.
pub fn is_trusted(attempt: &Attempt) -> bool {
    !attempt.fork
}

impl Times {
    /// Adds what an attempt tells; nothing, when it is not to be trusted.
    pub fn add(&mut self, attempt: &Attempt, jobs: &[JobRun]) {
        if !is_trusted(attempt) {
            return;
        }
        for job in jobs {
            match job.conclusion {
                Conclusion::Success => record(&mut self.names, job),
                Conclusion::Failure | Conclusion::TimedOut => record(&mut self.failed, job),
                _ => {}
            }
        }
        forget_oldest(&mut self.names);
        forget_oldest(&mut self.failed);
    }

    /// The names of all runs.
    pub fn names(&self) -> BTreeSet<&String> {
        self.names.keys().chain(self.failed.keys()).collect()
    }

    /// How often a job failed: of the newest runs of each of its legs that ended either
    /// way, those that failed.
    pub fn failures(&self, pipeline: &Pipeline, job: &Job) -> Failures {
        let is_its =
            |name: &&String| shown::job_of(pipeline, name).is_some_and(|it| it.id == job.id);
        let mut failures = Failures::default();
        for name in self.names().into_iter().filter(is_its) {
            let runs = |of: &BTreeMap<String, Vec<Sample>>, failed| {
                let runs = of.get(name).into_iter().flatten();
                let runs = runs.map(|run| (run.ended, run.run, run.attempt, failed));
                runs.collect::<Vec<_>>()
            };
            let mut all = runs(&self.names, false);
            all.extend(runs(&self.failed, true));
            all.sort_unstable_by(|a, b| b.cmp(a));
            all.truncate(SAMPLES);
            let count = |runs: usize| u32::try_from(runs).unwrap_or(u32::MAX);
            failures.failed += count(all.iter().filter(|run| run.3).count());
            failures.runs += count(all.len());
        }
        failures
    }

    /// How long a job takes: the median of its runs, summed over its legs.
    pub fn estimate(&self, pipeline: &Pipeline, job: &Job) -> Option<Estimate> {
        let is_its = |name: &str| shown::job_of(pipeline, name).is_some_and(|it| it.id == job.id);
        let legs = shown::legs(job);
        let is_leg = |name: &String| legs.as_ref().is_none_or(|legs| legs.contains(name));
        let of_job = self.names.iter();
        let of_job: Vec<_> = of_job
            .filter(|(name, samples)| !samples.is_empty() && is_leg(name) && is_its(name))
            .collect();
        let present = present(&of_job);
        let of_legs = of_job
            .iter()
            .filter(|(name, _)| present.contains(name.as_str()));
        let (mut seconds, mut runs) = (0, usize::MAX);
        for (_, samples) in of_legs {
            seconds += median(samples);
            runs = runs.min(samples.len());
        }
        (!present.is_empty()).then(|| Estimate {
            seconds,
            kind: EstimateKind::Measured,
            n: u32::try_from(runs).unwrap_or(u32::MAX),
        })
    }
}

fn record(of: &mut BTreeMap<String, Vec<Sample>>, job: &JobRun) {
    let sample = Sample {
        run: job.run,
        attempt: job.attempt,
        ended: job.ended,
        seconds: job.seconds(),
    };
    let samples = of.entry(job.name.clone()).or_default();
    // A later attempt lists jobs of an earlier one again, which took their time once.
    let is_known = |other: &Sample| {
        (other.run, other.ended, other.seconds) == (job.run, job.ended, sample.seconds)
            || (other.run, other.attempt) == (job.run, job.attempt)
    };
    samples.retain(|other| !is_known(other));
    samples.push(sample);
    samples.sort_by_key(|it| std::cmp::Reverse((it.ended, it.run, it.attempt)));
    samples.truncate(SAMPLES);
}

/// Keeps the names that were seen last.
fn forget_oldest(of: &mut BTreeMap<String, Vec<Sample>>) {
    while of.len() > NAMES {
        let last = |(name, samples): (&String, &Vec<Sample>)| {
            (samples.first().map(|it| it.ended), name.clone())
        };
        let Some((_, oldest)) = of.iter().map(last).min() else {
            return;
        };
        of.remove(&oldest);
    }
}

/// The names that the fullest of the newest runs had: a matrix may have been changed, and
/// a run that was started again may have had a part of it only.
fn present<'a>(names: &[(&'a String, &Vec<Sample>)]) -> BTreeSet<&'a str> {
    let mut runs: BTreeMap<u64, (Timestamp, BTreeSet<&str>)> = BTreeMap::new();
    for (name, samples) in names {
        for sample in *samples {
            let unseen = || (sample.ended, BTreeSet::new());
            let (last, of_run) = runs.entry(sample.run).or_insert_with(unseen);
            *last = (*last).max(sample.ended);
            of_run.insert(name);
        }
    }
    let mut newest: Vec<(Timestamp, BTreeSet<&str>)> = runs.into_values().collect();
    newest.sort_by_key(|(last, _)| std::cmp::Reverse(*last));
    let newest = newest.into_iter().take(LEGS_FROM).map(|(_, names)| names);
    newest.rev().max_by_key(BTreeSet::len).unwrap_or_default()
}

fn median(samples: &[Sample]) -> u64 {
    let mut seconds: Vec<u64> = samples.iter().map(|it| it.seconds).collect();
    seconds.sort_unstable();
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::{read, snapshot_of};

    fn attempt(run: u64, fork: bool) -> Attempt {
        Attempt {
            run,
            attempt: 1,
            pipeline: "ci.yml".to_owned(),
            event: "pull_request".to_owned(),
            head: "a".repeat(40).parse().unwrap(),
            branch: None,
            fork,
            pulls: Vec::new(),
            created: Timestamp(0),
            started: Timestamp(0),
            updated: Timestamp(0),
            conclusion: Some(Conclusion::Success),
        }
    }

    fn job((run, attempt): (u64, u32), name: &str, seconds: u64) -> JobRun {
        let started = Timestamp(run * 1_000_000);
        JobRun {
            run,
            attempt,
            id: run,
            name: name.to_owned(),
            conclusion: Conclusion::Success,
            created: started,
            started,
            ended: Timestamp(started.0 + seconds * 1_000),
            labels: Vec::new(),
            runner: None,
            steps: Vec::new(),
        }
    }

    /// Seconds and runs that are estimated for the job `unit` of a workflow with it.
    fn check(jobs: &str, times: &Times, expected: Option<(u64, u32)>) {
        let text = format!("on: pull_request\njobs:\n{jobs}");
        let pipelines = read(&snapshot_of(&[(".github/workflows/ci.yml", &text)]));
        let pipeline = &pipelines[0];
        let unit = pipeline
            .jobs
            .iter()
            .find(|job| &*job.id.0 == "unit")
            .unwrap();
        let found = times.estimate(pipeline, unit);
        assert_eq!(found.map(|it| (it.seconds, it.n)), expected);
    }

    const PLAIN: &str = "  unit: {runs-on: x, steps: [{run: a}]}\n";

    fn matrix(values: &str) -> String {
        format!(
            "  unit: {{strategy: {{matrix: {{py: {values}}}}}, runs-on: x, steps: [{{run: a}}]}}\n"
        )
    }

    #[test]
    fn a_job_takes_the_median_of_its_runs() {
        let mut times = Times::default();
        check(PLAIN, &times, None);
        for (run, seconds) in [(1, 60), (2, 90), (3, 500)] {
            times.add(&attempt(run, false), &[job((run, 1), "unit", seconds)]);
        }
        check(PLAIN, &times, Some((90, 3)));
    }

    #[test]
    fn a_job_failed_in_as_many_of_its_newest_runs_as_are_kept() {
        let text = format!("on: pull_request\njobs:\n{PLAIN}");
        let pipelines = read(&snapshot_of(&[(".github/workflows/ci.yml", &text)]));
        let unit = &pipelines[0].jobs[0];
        let mut times = Times::default();
        assert_eq!(times.failures(&pipelines[0], unit), Failures::default());
        let ended = |run, conclusion| JobRun {
            conclusion,
            ..job((run, 1), "unit", 60)
        };
        for run in 0..100 {
            let failed = run < 80 && run % 2 == 0;
            let conclusion = if failed {
                Conclusion::Failure
            } else {
                Conclusion::Success
            };
            times.add(&attempt(run, false), &[ended(run, conclusion)]);
        }
        for run in 100..110 {
            times.add(&attempt(run, true), &[ended(run, Conclusion::Failure)]);
            times.add(&attempt(run, false), &[ended(run, Conclusion::Cancelled)]);
        }
        let expected = Failures {
            failed: 15,
            runs: 50,
        };
        assert_eq!(times.failures(&pipelines[0], unit), expected);
    }

    #[test]
    fn the_same_run_counts_once_whatever_lists_it() {
        let mut times = Times::default();
        for _ in 0..3 {
            times.add(&attempt(1, false), &[job((1, 1), "unit", 60)]);
        }
        // A second attempt lists what did not run again, under a number of its own.
        let again = JobRun {
            attempt: 2,
            id: 99,
            ..job((1, 1), "unit", 60)
        };
        times.add(&attempt(1, false), &[again]);
        check(PLAIN, &times, Some((60, 1)));
    }

    #[test]
    fn legs_are_summed_and_a_part_of_them_says_nothing() {
        let mut times = Times::default();
        let legs = [job((1, 1), "unit (a)", 60), job((1, 1), "unit (b)", 30)];
        times.add(&attempt(1, false), &legs);
        times.add(&attempt(1, false), &[job((1, 2), "unit (b)", 40)]);
        check(&matrix("[a, b]"), &times, Some((100, 1)));
        check(&matrix("[a]"), &times, Some((60, 1)));
        check(
            &matrix("'${{ fromJSON(vars.py) }}'"),
            &times,
            Some((100, 1)),
        );
    }

    #[test]
    fn forks_teach_nothing_and_what_did_not_pass_no_duration() {
        let mut times = Times::default();
        times.add(&attempt(1, true), &[job((1, 1), "unit", 1)]);
        assert_eq!(times, Times::default());
        for conclusion in [
            Conclusion::Failure,
            Conclusion::Cancelled,
            Conclusion::Skipped,
            Conclusion::TimedOut,
            Conclusion::Other,
        ] {
            let ended = JobRun {
                conclusion,
                ..job((2, 1), "unit", 5)
            };
            let mut times = Times::default();
            times.add(&attempt(2, false), &[ended]);
            let has_failed = matches!(conclusion, Conclusion::Failure | Conclusion::TimedOut);
            assert!(times.names.is_empty(), "{conclusion:?}");
            assert_eq!(
                times.failed.contains_key("unit"),
                has_failed,
                "{conclusion:?}"
            );
        }
    }

    #[test]
    fn names_and_samples_are_bounded() {
        let mut times = Times::default();
        for run in 1..=60 {
            times.add(&attempt(run, false), &[job((run, 1), "unit", run)]);
        }
        assert_eq!(times.names["unit"].len(), SAMPLES);
        assert_eq!(times.names["unit"][0].seconds, 60, "the newest is kept");
        let many = (0..600_u64).map(|at| job((100 + at, 1), &format!("x{at}"), 1));
        times.add(&attempt(100, false), &many.collect::<Vec<_>>());
        assert_eq!(times.names.len(), NAMES);
        assert!(!times.names.contains_key("unit"), "the oldest is forgotten");
    }
}
