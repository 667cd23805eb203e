//! What is known of earlier runs: how long each job took.
//!
//! The bot learns it from the runs that the forge tells of (`run`), by the names under
//! which they are shown (`times`, `shown`); the history of a command line is a file,
//! `trimtab.history/1`, documented in `docs/api.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pipeline::{Job, Pipeline};
use super::plan::{Estimate, EstimateKind};

pub mod run;
pub mod shown;
pub mod times;

use times::{Failures, Sample, Times};

/// The name of the format, in every file's `schema`.
pub const SCHEMA: &str = "trimtab.history/1";

/// The most durations of one job that count, newest first.
const LATEST: usize = 50;

/// Durations by job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    jobs: BTreeMap<(String, String), Vec<u64>>,
    /// What runs told, by pipeline.
    times: BTreeMap<String, Times>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    jobs: Vec<JobRuns>,
    /// What `trimtab backfill` has read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    names: Vec<NamedRuns>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobRuns {
    /// The pipeline's path.
    workflow: String,
    /// The job's id.
    job: String,
    /// Seconds of runner time, newest first.
    seconds: Vec<u64>,
}

/// Runs of one job, by the name under which the forge shows it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedRuns {
    /// The pipeline's path.
    workflow: String,
    /// The job's name, with the values of its matrix.
    name: String,
    /// The runs that passed, newest first.
    runs: Vec<Sample>,
    /// Those that failed, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Sample>,
}

/// Why a history file is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// It is not the documented JSON.
    #[error("the history is not a `trimtab.history/1` file: {0}")]
    Malformed(String),
    /// It is another format, or a later version of this one.
    #[error("the history has the format `{0}`; this version reads `trimtab.history/1`")]
    Foreign(String),
}

impl History {
    /// Reads a history file.
    pub fn parse(text: &str) -> Result<Self, HistoryError> {
        let file: File = serde_json::from_str(text)
            .map_err(|error| HistoryError::Malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return Err(HistoryError::Foreign(file.schema));
        }
        let mut history = Self::default();
        for runs in file.jobs {
            for seconds in runs.seconds {
                history.record(&runs.workflow, &runs.job, seconds);
            }
        }
        for NamedRuns {
            workflow,
            name,
            runs,
            failed,
        } in file.names
        {
            let times = history.times.entry(workflow).or_default();
            for (list, mut runs) in [(&mut times.names, runs), (&mut times.failed, failed)] {
                runs.sort_by_key(|run| std::cmp::Reverse(run.ended));
                runs.truncate(LATEST);
                if !runs.is_empty() {
                    list.insert(name.clone(), runs);
                }
            }
        }
        Ok(history)
    }

    /// The text of a history file with what the runs of each pipeline told.
    ///
    /// # Errors
    /// Never, as far as is known: every part of it can be written as JSON.
    pub fn file(times: &BTreeMap<String, Times>) -> Result<String, HistoryError> {
        let names = times.iter().flat_map(|(workflow, times)| {
            let runs_of = |of: &BTreeMap<String, Vec<Sample>>, name| {
                of.get(name).cloned().unwrap_or_default()
            };
            times.names().into_iter().map(move |name| NamedRuns {
                workflow: workflow.clone(),
                name: name.clone(),
                runs: runs_of(&times.names, name),
                failed: runs_of(&times.failed, name),
            })
        });
        let file = File {
            schema: SCHEMA.to_owned(),
            jobs: Vec::new(),
            names: names.collect(),
        };
        let text = serde_json::to_string_pretty(&file);
        text.map(|text| text + "\n")
            .map_err(|error| HistoryError::Malformed(error.to_string()))
    }

    /// Adds one older run of a job.
    pub fn record(&mut self, workflow: &str, job: &str, seconds: u64) {
        let durations = self
            .jobs
            .entry((workflow.to_owned(), job.to_owned()))
            .or_default();
        if durations.len() < LATEST {
            durations.push(seconds);
        }
    }

    /// Adds what the runs of a pipeline told.
    pub fn learn(&mut self, workflow: &str, times: Times) {
        self.times.insert(workflow.to_owned(), times);
    }

    /// How long a job of a pipeline takes; `None` without a run.
    pub fn of_job(&self, pipeline: &Pipeline, job: &Job) -> Option<Estimate> {
        let listed = self.estimate(&pipeline.path, &job.id.0);
        listed.or_else(|| self.times.get(&*pipeline.path)?.estimate(pipeline, job))
    }

    /// How often a job of a pipeline failed in the latest runs that told of it.
    pub fn failures(&self, pipeline: &Pipeline, job: &Job) -> Failures {
        let times = self.times.get(&*pipeline.path);
        times.map_or_else(Failures::default, |times| times.failures(pipeline, job))
    }

    /// The median of the latest runs of a job; `None` without a run.
    fn estimate(&self, workflow: &str, job: &str) -> Option<Estimate> {
        let mut seconds = self
            .jobs
            .get(&(workflow.to_owned(), job.to_owned()))?
            .clone();
        seconds.sort_unstable();
        let median = *seconds.get(seconds.len() / 2)?;
        let n = u32::try_from(seconds.len()).unwrap_or(u32::MAX);
        Some(Estimate {
            seconds: median,
            kind: EstimateKind::Measured,
            n,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let answer = match History::parse(text) {
            Ok(history) => format!(
                "{:?}",
                history
                    .estimate("ci.yml", "test")
                    .map(|estimate| (estimate.seconds, estimate.n))
            ),
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn an_estimate_is_the_median_of_the_runs() {
        let file = r#"{"schema":"trimtab.history/1","jobs":[{"workflow":"ci.yml","job":"test","seconds":[90,60,500]}]}"#;
        check(file, "Some((90, 3))");
    }

    #[test]
    fn a_job_that_never_ran_has_no_estimate() {
        check(r#"{"schema":"trimtab.history/1","jobs":[]}"#, "None");
    }

    #[test]
    fn what_was_learned_is_written_and_read() {
        let sample = Sample {
            run: 1,
            attempt: 1,
            ended: crate::engine::ids::Timestamp(5),
            seconds: 60,
        };
        let times = Times {
            names: [("test (3.12)".to_owned(), vec![sample])].into(),
            failed: [("lint".to_owned(), vec![sample])].into(),
        };
        let all = BTreeMap::from([("ci.yml".to_owned(), times.clone())]);
        let read = History::parse(&History::file(&all).unwrap()).unwrap();
        assert_eq!(read.times["ci.yml"], times);
    }

    #[test]
    fn a_foreign_or_broken_file_is_a_sentence() {
        check(
            r#"{"schema":"trimtab.history/9","jobs":[]}"#,
            "the history has the format `trimtab.history/9`; this version reads `trimtab.history/1`",
        );
        check(
            "[]",
            "the history is not a `trimtab.history/1` file: invalid length 0, expected struct File with 3 elements at line 1 column 2",
        );
    }
}
