//! The law of the queue: when to try again, how long a task may take, how much
//! may be written to a forge.
//!
//! Values in, values out: moments are handed in, so every law is tested without
//! waiting. The store keeps the tasks, the worker applies the law.
//!
//! A wait that a forge asked for is never shortened, however long it is: going on
//! may end in a ban (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::store::{Next, TaskKind};

/// A task that failed this often becomes a dead letter: after about half an hour.
pub const MAX_ATTEMPTS: u32 = 12;

/// How long a lease holds. A worker that dies gives its tasks back after this.
pub const LEASE: Duration = Duration::from_secs(30);

/// How often a lease is renewed, so that two renewals may fail.
pub const RENEW: Duration = Duration::from_secs(10);

/// How long a worker that drains waits for what it has begun.
pub const GRACE: Duration = Duration::from_secs(20);

/// The least time between two edits of one comment.
pub const COMMENT_PAUSE: Duration = Duration::from_mins(1);

const LONGEST_BACKOFF: Duration = Duration::from_mins(10);

/// What happens to a task after its `attempt`th failure, counted from 1.
///
/// The wait doubles from one second up to ten minutes. `hint` is the wait that the
/// forge itself asked for.
pub fn after_failure(attempt: u32, hint: Option<Duration>, now: Timestamp) -> Next {
    if attempt >= MAX_ATTEMPTS {
        return Next::Bury;
    }
    let doubled = Duration::from_secs(1 << attempt.saturating_sub(1).min(10));
    let backoff = doubled.min(LONGEST_BACKOFF);
    Next::RetryAt {
        due: now.after(hint.map_or(backoff, |hint| hint.max(backoff))),
        asked: hint.is_some(),
    }
}

/// How long one try of a task may take. Past it, the try is given up.
pub fn deadline(kind: &TaskKind) -> Duration {
    match kind {
        TaskKind::Deliver { .. } => Duration::from_secs(30),
        TaskKind::ReportPull { .. } => Duration::from_mins(2),
        TaskKind::AnalysePull { .. }
        | TaskKind::AnswerCommand { .. }
        | TaskKind::IngestRun { .. } => Duration::from_mins(5),
        TaskKind::SweepPulls
        | TaskKind::Backfill
        | TaskKind::WithdrawPlans
        | TaskKind::ProposeRewrite { .. }
        | TaskKind::SyncInstallation
        | TaskKind::RedeliverMissed => Duration::from_mins(10),
        TaskKind::SyncRepo => Duration::from_mins(30),
    }
}

/// When a comment that was written at `last` may be written again.
pub fn comment_due(last: Option<Timestamp>, now: Timestamp) -> Timestamp {
    last.map_or(now, |last| last.after(COMMENT_PAUSE).max(now))
}

/// What is written to a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// The check that CI waits for: it goes first and never waits.
    MachineCheck,
    /// Comments, reactions, the check for people.
    ForPeople,
}

/// What one installation may still write.
///
/// GitHub allows 80 writes a minute and 500 an hour and counts them over all
/// endpoints: <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>.
/// Both windows slide, so that no minute and no hour, wherever it begins, holds
/// more. What a machine check uses is missing for people, not the other way round.
#[derive(Debug, Clone, Default)]
pub struct WriteBudget {
    /// The last writes, the oldest first; at most one hour's worth and some.
    written: VecDeque<Timestamp>,
}

/// How many writes a window may hold.
const WINDOWS: [(Duration, usize); 2] =
    [(Duration::from_mins(1), 80), (Duration::from_hours(1), 500)];

impl WriteBudget {
    /// Takes one write from the budget, or says when there will be one.
    pub fn take(&mut self, write: Write, now: Timestamp) -> Result<(), Timestamp> {
        self.forget(now);
        if let (Write::ForPeople, Some(moment)) = (write, self.next(now)) {
            return Err(moment);
        }
        self.written.push_back(now);
        Ok(())
    }

    /// When the next write for people is possible; `None` when it is now.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let free = |(window, limit): (Duration, usize)| {
            let oldest = self.written.len().checked_sub(limit)?;
            let moment = self.written.get(oldest)?.after(window);
            (moment > now).then_some(moment)
        };
        WINDOWS.into_iter().filter_map(free).max()
    }

    fn forget(&mut self, now: Timestamp) {
        let [_, (hour, limit)] = WINDOWS;
        let passed = |written: &Timestamp| written.after(hour) <= now;
        while self.written.front().is_some_and(passed) || self.written.len() > limit {
            self.written.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
