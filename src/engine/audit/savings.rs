//! What skipping came to, over many audited runs.
//!
//! Only what an audit saw counts: jobs that a plan skipped and that did not run, by the
//! time that they usually take, less what the plan jobs took. Nothing is estimated for
//! jobs that were never timed.

/// The sum over some runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Savings {
    /// Runs that were audited.
    pub runs: u64,
    /// Jobs that were skipped in them as a plan said.
    pub skipped: u64,
    /// How many of these have no duration, and count nothing.
    pub unknown: u64,
    /// Seconds of runners that the others would have taken.
    pub seconds: u64,
    /// Seconds of runners that planning took.
    pub cost: u64,
    /// Runs in which a skip did not hold.
    pub failed: u64,
}

impl Savings {
    /// Seconds of runners that were saved, less what planning took.
    pub fn net(&self) -> i64 {
        let signed = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        signed(self.seconds).saturating_sub(signed(self.cost))
    }
}
