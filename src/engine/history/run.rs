//! What is known of one run of a pipeline: facts, as the forge tells them.
//!
//! A run that is started again keeps its number and counts an attempt; each attempt has
//! jobs of its own. Names come from workflow files and so from whoever wrote the head:
//! they are text to compare and to escape, and nothing else rests on them. A run whose
//! head lies in a fork is kept like any other, and nothing is learned from it.
//!
//! Nothing here asks a forge.

use serde::{Deserialize, Serialize};

use crate::engine::ids::{ObjectId, PullNumber, Timestamp};

/// The most characters of a name that are kept.
pub const NAME: usize = 300;

/// The most jobs of one attempt that are kept: GitHub starts at most 256 for one matrix
/// (<https://docs.github.com/en/actions/reference/limits>).
pub const JOBS: usize = 2_000;

/// The most steps of one job that are kept.
pub const STEPS: usize = 100;

/// The most labels of one runner that are kept.
pub const LABELS: usize = 20;

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// It passed.
    Success,
    /// It failed.
    Failure,
    /// Somebody or something ended it.
    Cancelled,
    /// It was not started.
    Skipped,
    /// It took longer than it may.
    TimedOut,
    /// Anything else: neutral, stale, waiting for a person.
    Other,
}

impl Conclusion {
    /// Reads the forge's word
    /// (<https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository>).
    pub fn of(word: &str) -> Self {
        match word {
            "success" => Self::Success,
            "failure" | "startup_failure" => Self::Failure,
            "cancelled" => Self::Cancelled,
            "skipped" => Self::Skipped,
            "timed_out" => Self::TimedOut,
            _ => Self::Other,
        }
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed out",
            Self::Other => "other",
        }
    }
}

/// One attempt of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The forge's number of the run.
    pub run: u64,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// The pipeline's path.
    pub pipeline: String,
    /// What started it, in the forge's word.
    pub event: String,
    /// The head of the pull, or the commit that was pushed. For a pull the forge tests the
    /// merge of this into the base, and does not say which.
    pub head: ObjectId,
    /// The branch of the head; foreign text.
    pub branch: Option<String>,
    /// The head lies in another repository, or in one that is gone.
    pub fork: bool,
    /// The pulls that the forge names; none for forks.
    pub pulls: Vec<PullNumber>,
    /// When the run was created: its first attempt.
    pub created: Timestamp,
    /// When this attempt began.
    pub started: Timestamp,
    /// When it was last changed: for an attempt that ended, its end.
    pub updated: Timestamp,
    /// How it ended; `None` while it runs.
    pub conclusion: Option<Conclusion>,
}

/// One job of an attempt that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// The run.
    pub run: u64,
    /// The attempt in which it ran. A later attempt may list it again.
    pub attempt: u32,
    /// The forge's number of it.
    pub id: u64,
    /// Its name as the forge shows it, with the values of its matrix.
    pub name: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// When it was queued.
    pub created: Timestamp,
    /// When a runner took it.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The labels that it asked of its runner.
    pub labels: Vec<String>,
    /// The group of its runner, where the forge says it.
    pub runner: Option<String>,
    /// Its steps.
    pub steps: Vec<StepRun>,
}

impl JobRun {
    /// Seconds of a runner, rounded up; 0 for a job that did not run.
    pub fn seconds(&self) -> u64 {
        match self.conclusion {
            Conclusion::Skipped => 0,
            _ => self.ended.0.saturating_sub(self.started.0).div_ceil(1_000),
        }
    }
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRun {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// How many seconds it took.
    pub seconds: u64,
}

/// A text without control characters and no longer than is kept.
pub fn kept(text: &str) -> String {
    let plain = text.chars().filter(|letter| !letter.is_control());
    plain.take(NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_nobody_knows_is_no_success() {
        for (word, expected) in [
            ("success", Conclusion::Success),
            ("startup_failure", Conclusion::Failure),
            ("timed_out", Conclusion::TimedOut),
            ("skipped", Conclusion::Skipped),
            ("action_required", Conclusion::Other),
            ("SUCCESS", Conclusion::Other),
            ("", Conclusion::Other),
        ] {
            assert_eq!(Conclusion::of(word), expected, "{word}");
        }
    }

    #[test]
    fn what_is_kept_of_a_name_is_bounded_and_on_one_line() {
        assert_eq!(kept("unit\n(3.12)\u{1b}[31m"), "unit(3.12)[31m");
        assert_eq!(kept(&"é".repeat(1_000)).chars().count(), NAME);
    }
}
