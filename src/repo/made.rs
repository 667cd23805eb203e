//! How a commit was made: its parents, and when.

use super::{Repo, RepoError};
use crate::engine::ids::{ObjectId, Timestamp};

/// Parents and time of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The parents, in order.
    pub parents: Vec<ObjectId>,
    /// When it was committed, as it says itself.
    pub at: Timestamp,
}

impl Repo {
    /// How a commit was made.
    pub fn made(&self, commit: ObjectId) -> Result<Made, RepoError> {
        let unreadable = RepoError::Unreadable { what: "log" };
        let commit = commit.to_string();
        let args = [
            "log",
            "-1",
            "--no-show-signature",
            "--format=%ct %P",
            &commit,
        ];
        let raw = self.stdout("log", args)?;
        let text = String::from_utf8_lossy(&raw);
        let mut words = text.split_whitespace();
        let seconds = words.next().and_then(|word| word.parse::<u64>().ok());
        let parents: Option<Vec<ObjectId>> = words.map(|word| word.parse().ok()).collect();
        let made = seconds.zip(parents).map(|(seconds, parents)| Made {
            parents,
            at: Timestamp(seconds.saturating_mul(1_000)),
        });
        made.ok_or(unreadable)
    }
}
