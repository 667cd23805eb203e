//! The only reader of time.
//!
//! Whoever needs to know the time is handed a [`Clock`], so that tests decide what
//! time it is and the engine never asks. A clock also wakes sleepers: waiting for a
//! moment and reading the moment have to agree, or a worker would wake too early
//! for ever.
//!
//! Nothing here decides how long to wait.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::watch;

pub use crate::engine::ids::Timestamp;

/// Tells the time, and waits for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> SystemTime;

    /// Returns when `moment` has come; at once when it has passed.
    async fn until(&self, moment: Timestamp);

    /// The present moment in whole seconds since 1970, as tokens and plan lines
    /// count; zero before that.
    fn unix_seconds(&self) -> u64 {
        self.timestamp().seconds()
    }

    /// The present moment as stored rows have it.
    fn timestamp(&self) -> Timestamp {
        let since = self.now().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp(0).after(since.unwrap_or_default())
    }
}

impl Timestamp {
    /// The moment that lies `wait` later; it saturates.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(millis(wait)))
    }

    /// The moment that lies `span` earlier, 1970 at the earliest.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one reader")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    async fn until(&self, moment: Timestamp) {
        tokio::time::sleep(moment.since(self.timestamp())).await;
    }
}

/// A clock that stands still until it is told to move on.
#[derive(Debug)]
pub struct ManualClock {
    hands: watch::Sender<Timestamp>,
}

impl ManualClock {
    /// A clock that stands at the given second since 1970.
    pub fn at(unix_seconds: u64) -> Self {
        let start = Timestamp(0).after(Duration::from_secs(unix_seconds));
        Self {
            hands: watch::Sender::new(start),
        }
    }

    /// Moves on, and wakes everybody whose moment has come.
    pub fn advance(&self, by: Duration) {
        self.hands.send_modify(|now| *now = now.after(by));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.hands.borrow().0)
    }

    async fn until(&self, moment: Timestamp) {
        let mut hands = self.hands.subscribe();
        if hands.wait_for(|now| *now >= moment).await.is_err() {
            // The hands live as long as this clock, and the clock is borrowed here.
            std::future::pending::<()>().await;
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(1_000);
        assert_eq!(clock.unix_seconds(), 1_000);
        clock.advance(Duration::from_millis(2_500));
        assert_eq!(clock.unix_seconds(), 1_002);
        assert_eq!(clock.timestamp(), Timestamp(1_002_500));
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_hands_reach_its_moment() {
        let clock = Arc::new(ManualClock::at(1));
        let sleeper = tokio::spawn({
            let clock = Arc::clone(&clock);
            async move {
                clock.until(Timestamp(3_000)).await;
                clock.timestamp()
            }
        });
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.unwrap(), Timestamp(3_000));
    }

    #[tokio::test]
    async fn a_moment_that_has_passed_is_not_waited_for() {
        ManualClock::at(5).until(Timestamp(5_000)).await;
        SystemClock.until(Timestamp(0)).await;
    }
}
