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

/// Days from the first of March of the year 0 to 1970.
const TO_1970: u64 = 719_468;

impl Timestamp {
    /// Reads a moment as forges write it: `2026-11-21T09:01:01Z`, with parts of a second
    /// or without, in UTC or beside it (RFC 3339). `None` for anything else, and before 1970.
    pub fn of_text(text: &str) -> Option<Self> {
        let (date, time) = text.trim().split_once(['T', 't', ' '])?;
        let at = time.rfind(['Z', 'z', '+', '-'])?;
        let (time, zone) = time.split_at_checked(at)?;
        let [year, month, day] = numbers(date, '-')?;
        let (time, part) = time.split_once('.').unwrap_or((time, "0"));
        let [hour, minute, second] = numbers(time, ':')?;
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        // The sixty-first second is a leap second.
        if !fits || hour > 23 || minute > 59 || second > 60 || year > 9_999 {
            return None;
        }
        let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
        let thousandths: u64 = thousandths.parse().ok()?;
        // Every month has a last day: the thirty-first of June would be the first of July.
        let whole = days(year, month, day)?;
        if self::date(whole) != (year, month, day) {
            return None;
        }
        let seconds = whole * 86_400 + hour * 3_600 + minute * 60 + second;
        let (sign, offset) = zone.split_at_checked(1)?;
        let [hours, minutes] = match sign {
            "Z" | "z" => [0, 0],
            _ => numbers(offset, ':')?,
        };
        let offset = hours * 3_600 + minutes * 60;
        let seconds = match sign {
            "+" => seconds.checked_sub(offset)?,
            _ => seconds + offset,
        };
        Some(Self(seconds * 1_000 + thousandths))
    }

    /// The moment in whole seconds as forges write it: `2026-11-21T09:01:01Z`.
    pub fn text(self) -> String {
        let (days, rest) = (self.seconds() / 86_400, self.seconds() % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Exactly so many numbers of digits alone.
fn numbers<const N: usize>(text: &str, between: char) -> Option<[u64; N]> {
    let read = |part: &str| {
        let is_number = !part.is_empty() && part.len() <= 4;
        let is_number = is_number && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    };
    let found: Option<Vec<u64>> = text.split(between).map(read).collect();
    found?.try_into().ok()
}

/// Days since 1970, in eras of 400 years that begin in March
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month > 2 {
        year
    } else {
        year.checked_sub(1)?
    };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(TO_1970)
}

/// Year, month and day of a day since 1970; the other way round.
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + TO_1970;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + years + u64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
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

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2026-11-21T09:01:01Z", 1_795_251_661),
            ("2100-03-01T23:59:59Z", 4_107_628_799),
        ] {
            let moment = Timestamp::of_text(text).unwrap();
            assert_eq!(moment.seconds(), seconds, "{text}");
            assert_eq!(moment.text(), text);
        }
    }

    #[test]
    fn zones_and_parts_of_seconds_are_read() {
        let read = |text| Timestamp::of_text(text).map(|it| it.0);
        let same = Some(1_795_251_661_250);
        assert_eq!(read("2026-11-21T09:01:01.25Z"), same);
        assert_eq!(read("2026-11-21T11:01:01.250000+02:00"), same);
        assert_eq!(read("2026-11-21t04:31:01.25-04:30"), same);
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-11-21",
            "2026-11-21T09:01Z",
            "2026-13-21T09:01:01Z",
            "2026-00-21T09:01:01Z",
            "2026-11-00T09:01:01Z",
            "2026-11-21T24:01:01Z",
            "2026-11-21T09:01:01",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "20261-1-1T00:00:00Z",
            "2026-11-21T09:01:01+0200",
            "٢٠٢٦-11-21T09:01:01Z",
            "99999999999999999999-01-01T00:00:00Z",
        ] {
            assert_eq!(Timestamp::of_text(text), None, "{text}");
        }
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
