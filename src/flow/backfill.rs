//! Reads the runs of the past, from the newest backwards, as far as somebody asked.
//!
//! A search of the forge gives a thousand runs and no more, so that time is cut into
//! windows, and a window that holds more is cut again. How far it has come is written
//! down after every attempt and every window: whoever was stopped goes on there, and what
//! is in the store already is not asked for again.
//!
//! A stretch makes so many requests and no more, and the next one waits, so that the
//! quota is left to those who wait for plans.

use std::time::Duration;

use anyhow::Context as _;

use super::tend_tasks::Acted;
use super::{Context, set_mode};
use crate::engine::history::run::Attempt;
use crate::engine::ids::{RepoKey, Timestamp};
use crate::forge::ForgeError;
use crate::forge::runs::{PastRuns, WINDOW_MAX, Window};
use crate::store::history::{ATTEMPTS, JobHistory, KEEP_RUNS};
use crate::store::{Backfill, NewTask, RepositoryState, Scope, Store, Task, TaskFilter, TaskKind};

/// How many requests one stretch of the bot makes.
const STRETCH: u32 = 100;

/// How long the next stretch waits: less than half of an installation's quota of 5,000
/// requests an hour is used
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
const PAUSE: Duration = Duration::from_secs(150);

/// The longest window that is asked for.
const LONGEST: Duration = Duration::from_hours(24);

/// The shortest window that is cut again; what it holds beyond a search is left out.
const SHORTEST: Duration = Duration::from_mins(2);

/// The most attempts of one run that are read, the newest.
const ATTEMPTS_OF_RUN: u32 = 10;

/// Where the history comes from and where it goes.
#[derive(Clone, Copy)]
pub struct Between<'a> {
    /// The forge.
    pub forge: &'a dyn PastRuns,
    /// The store.
    pub store: &'a dyn JobHistory,
    /// Whose history.
    pub repo: RepoKey,
}

/// What a request or a row brought about, for people who wait.
pub type Progress<'a> = &'a mut (dyn FnMut(&Backfill) + Send);

/// How long a history that was read to its end is not read again.
const FRESH: Duration = Duration::from_hours(1);

/// Begins to read back to a moment, or goes on with what was not finished.
pub async fn begin(
    store: &dyn JobHistory,
    repo: RepoKey,
    (since, now): (Timestamp, Timestamp),
) -> anyhow::Result<Backfill> {
    let since = since.max(now.before(KEEP_RUNS));
    let known = store.backfill(repo).await;
    let known = known.context("read how far the history was read")?;
    let is_fresh = |known: &Backfill| known.since <= since && now.since(known.begun) < FRESH;
    let backfill = match known {
        Some(known) if known.done && is_fresh(&known) => known,
        Some(known) if !known.done => Backfill {
            since: known.since.min(since),
            ..known
        },
        _ => Backfill {
            repo,
            since,
            begun: now,
            reached: now,
            attempts: 0,
            jobs: 0,
            done: false,
        },
    };
    let set = store.set_backfill(backfill.clone()).await;
    set.context("remember how far the history was read")?;
    Ok(backfill)
}

/// Has the bot read the history of the repository `path`, and says how far it is. Asking
/// again asks for nothing new while it is not done.
pub async fn order(
    store: &dyn Store,
    (path, since): (&str, Timestamp),
    now: Timestamp,
) -> anyhow::Result<Acted> {
    let Some(repository) = set_mode::named(store, path).await? else {
        return Ok(Acted::Refused(set_mode::unknown(path)));
    };
    let backfill = begin(store, repository.key, (since, now)).await?;
    if !backfill.done {
        let live = store.tasks(TaskFilter::Live, usize::MAX).await;
        let scope = Scope::from(repository.key);
        let is_it = |task: &Task| task.scope == scope && task.task == TaskKind::Backfill;
        // A stretch that waits for its turn is not hurried.
        if !live.context("list the tasks")?.iter().any(is_it) {
            let task = NewTask {
                scope,
                kind: TaskKind::Backfill,
                due: now,
            };
            let queued = store.enqueue(vec![task], now).await;
            queued.context("queue what follows")?;
        }
    }
    let words = words(&repository.full_name, &backfill);
    Ok(Acted::Done(format!("{words}\n")))
}

/// How the line ends that says that nothing is left to read.
pub const DONE: &str = ": done";

/// How far it has come, in one line.
pub fn words(path: &str, backfill: &Backfill) -> String {
    let Backfill {
        attempts,
        jobs,
        reached,
        since,
        ..
    } = backfill;
    let plural = |count: &u64, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let (runs, jobs) = (plural(attempts, "run"), plural(jobs, "job"));
    let done = if backfill.done { DONE } else { "" };
    let is_full = backfill.done && reached > since;
    let full = if is_full { ", no more is kept" } else { "" };
    let (reached, since) = (reached.text(), since.text());
    format!("{path}: {runs} and {jobs} read, back to {reached} of {since}{full}{done}")
}

/// Goes on with what somebody asked for; queues the next stretch until all is read.
pub async fn run(context: &Context, repo: RepoKey) -> anyhow::Result<Vec<NewTask>> {
    let repository = context.store.repository(repo).await;
    let repository = repository.context("read the repository")?;
    let known = context.store.backfill(repo).await;
    let known = known.context("read how far the history was read")?;
    let is_active = repository.is_some_and(|it| it.state == RepositoryState::Active);
    let Some(backfill) = known.filter(|known| is_active && !known.done) else {
        return Ok(Vec::new());
    };
    let between = Between {
        forge: context.forge.as_ref(),
        store: context.store.as_ref(),
        repo,
    };
    let now = context.now();
    let mut nobody = |_: &Backfill| ();
    let read = stretch(between, backfill, (STRETCH, now), &mut nobody).await?;
    if read.done {
        return Ok(Vec::new());
    }
    let next = context.task(repo, TaskKind::Backfill);
    let due = context.now().after(PAUSE);
    Ok(vec![NewTask { due, ..next }])
}

/// Reads on until everything is read or so many requests were made; what was read is
/// kept also when the forge fails in between.
pub async fn stretch(
    between: Between<'_>,
    backfill: Backfill,
    (requests, now): (u32, Timestamp),
    progress: Progress<'_>,
) -> anyhow::Result<Backfill> {
    let held = between.store.attempts(between.repo, usize::MAX).await;
    let held = held.context("read the runs that are known")?.len() as u64;
    let mut reader = Reader {
        between,
        backfill,
        left: requests,
        room: ATTEMPTS.saturating_sub(held),
        now,
        progress,
    };
    reader.read().await?;
    Ok(reader.backfill)
}

struct Reader<'a, 'p> {
    between: Between<'a>,
    backfill: Backfill,
    /// How many requests may still be made.
    left: u32,
    /// For how many attempts there is room; older ones would be forgotten at once.
    room: u64,
    now: Timestamp,
    progress: Progress<'p>,
}

impl Reader<'_, '_> {
    async fn read(&mut self) -> anyhow::Result<()> {
        let mut longest = LONGEST;
        while !self.backfill.done {
            let window = self.window(longest);
            match self.window_of_runs(window, longest > SHORTEST).await? {
                Read::All => {
                    longest = LONGEST;
                    self.backfill.reached = window.from.before(Duration::from_secs(1));
                    self.backfill.done = self.backfill.reached <= self.backfill.since;
                    self.remember().await?;
                }
                // What is older would push out what is newer.
                Read::Full => {
                    self.backfill.done = true;
                    self.remember().await?;
                }
                Read::TooMany => longest /= 2,
                Read::Stopped => return self.remember().await,
            }
        }
        Ok(())
    }

    fn window(&self, longest: Duration) -> Window {
        let to = self.backfill.reached;
        Window {
            from: to.before(longest).max(self.backfill.since),
            to,
        }
    }

    async fn remember(&mut self) -> anyhow::Result<()> {
        (self.progress)(&self.backfill);
        let set = self.between.store.set_backfill(self.backfill.clone()).await;
        set.context("remember how far the history was read")
    }

    /// Takes a request from what is left.
    fn may_ask(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    async fn window_of_runs(&mut self, window: Window, may_cut: bool) -> anyhow::Result<Read> {
        let (forge, repo) = (self.between.forge, self.between.repo);
        for page in 1.. {
            if !self.may_ask() {
                return Ok(Read::Stopped);
            }
            let found = forge.ended_runs(repo, window, page).await;
            let found = found.context("list the runs")?;
            if found.total > WINDOW_MAX && may_cut {
                return Ok(Read::TooMany);
            }
            for run in found.runs {
                if self.room == 0 {
                    return Ok(Read::Full);
                }
                if !self.run_of_attempts(run).await? {
                    return Ok(Read::Stopped);
                }
            }
            if !found.more {
                break;
            }
        }
        Ok(Read::All)
    }

    /// Reads the attempts of a run that are not known; false when it was stopped.
    async fn run_of_attempts(&mut self, last: Attempt) -> anyhow::Result<bool> {
        let first = last.attempt.saturating_sub(ATTEMPTS_OF_RUN - 1).max(1);
        for number in (first..=last.attempt).rev() {
            let known = self.between.store;
            let known = known.attempt(self.between.repo, last.run, number).await;
            if known.context("look whether the run is known")?.is_some() {
                continue;
            }
            // One for the jobs, and one for an attempt that the list does not show.
            if self.left < 2 {
                self.left = 0;
                return Ok(false);
            }
            self.attempt(&last, number).await?;
        }
        Ok(true)
    }

    async fn attempt(&mut self, last: &Attempt, number: u32) -> anyhow::Result<()> {
        let (forge, repo) = (self.between.forge, self.between.repo);
        let attempt = if number == last.attempt {
            Ok(last.clone())
        } else {
            self.may_ask();
            forge.attempt(repo, last.run, number).await
        };
        self.may_ask();
        let attempt = match attempt {
            // It was deleted, or the forge does not remember it.
            Err(ForgeError::Missing { .. }) => return Ok(()),
            other => other.context("read an attempt of a run")?,
        };
        let jobs = match forge.jobs(repo, last.run, number).await {
            Err(ForgeError::Missing { .. }) => return Ok(()),
            other => other.context("read the jobs of a run")?,
        };
        if attempt.conclusion.is_none() {
            return Ok(());
        }
        self.backfill.attempts += 1;
        self.backfill.jobs += jobs.len() as u64;
        let store = self.between.store;
        let recorded = store.record_attempt(repo, attempt, jobs, self.now).await;
        recorded.context("keep the run")?;
        self.room = self.room.saturating_sub(1);
        self.remember().await
    }
}

/// What came of a window.
enum Read {
    /// Everything in it is known.
    All,
    /// No more attempts are kept of a repository.
    Full,
    /// It holds more than a search gives.
    TooMany,
    /// No more requests may be made now.
    Stopped,
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::engine::history::run::{Conclusion, JobRun};
    use crate::engine::ids::{ForgeKind, InstallationId, RepoId};
    use crate::forge::runs::RunPage;
    use crate::store::memory;

    const REPO: RepoKey = RepoKey {
        forge: ForgeKind::Github,
        installation: InstallationId(7),
        repo: RepoId(42),
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    /// A forge with a run every so many seconds, up to a moment.
    struct Past {
        until: u64,
        count: u64,
        every: u64,
    }

    impl Past {
        fn run(&self, number: u64) -> Attempt {
            let created = at(self.until - number * self.every);
            Attempt {
                run: number,
                attempt: 1,
                pipeline: "ci.yml".to_owned(),
                event: "push".to_owned(),
                head: "a".repeat(40).parse().unwrap(),
                branch: None,
                fork: false,
                pulls: Vec::new(),
                created,
                started: created,
                updated: created,
                conclusion: Some(Conclusion::Success),
            }
        }
    }

    #[async_trait]
    impl PastRuns for Past {
        async fn ended_runs(
            &self,
            _repo: RepoKey,
            window: Window,
            page: usize,
        ) -> Result<RunPage, ForgeError> {
            let runs = (0..self.count).map(|number| self.run(number));
            let inside = |it: &Attempt| (window.from..=window.to).contains(&it.created);
            let found: Vec<Attempt> = runs.filter(inside).collect();
            // What lies behind the end of a search is never shown.
            let shown = found.iter().take(1_000).skip((page - 1) * 100);
            Ok(RunPage {
                runs: shown.take(100).cloned().collect(),
                total: found.len() as u64,
                more: found.len().min(1_000) > page * 100,
            })
        }

        async fn attempt(&self, _: RepoKey, run: u64, _: u32) -> Result<Attempt, ForgeError> {
            Ok(self.run(run))
        }

        async fn jobs(&self, _: RepoKey, _: u64, _: u32) -> Result<Vec<JobRun>, ForgeError> {
            Ok(Vec::new())
        }
    }

    /// How many attempts are kept after reading so many days, and what was said.
    async fn check(past: &Past, days: u64) -> (usize, Backfill) {
        let (store, now) = (memory::open().unwrap(), at(past.until));
        let since = now.before(Duration::from_hours(24 * days));
        let begun = begin(&store, REPO, (since, now)).await.unwrap();
        let between = Between {
            forge: past,
            store: &store,
            repo: REPO,
        };
        let mut nobody = |_: &Backfill| ();
        let read = stretch(between, begun, (u32::MAX, now), &mut nobody).await;
        let kept = store.attempts(REPO, usize::MAX).await.unwrap();
        (kept.len(), read.unwrap())
    }

    const NOW: u64 = 1_795_251_661;

    #[tokio::test]
    async fn a_day_with_more_runs_than_a_search_gives_is_cut() {
        let past = Past {
            until: NOW,
            count: 1_500,
            every: 30,
        };
        let (kept, read) = check(&past, 2).await;
        assert_eq!((kept, read.attempts, read.done), (1_500, 1_500, true));
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_kept() {
        let past = Past {
            until: NOW,
            count: 2_500,
            every: 120,
        };
        let (kept, read) = check(&past, 30).await;
        assert_eq!((kept as u64, read.done), (ATTEMPTS, true));
        assert_eq!(
            read.attempts, ATTEMPTS,
            "the older ones would be forgotten at once"
        );
    }

    #[tokio::test]
    async fn it_goes_back_as_far_as_was_asked_and_no_further() {
        let past = Past {
            until: NOW,
            count: 100,
            every: 86_400 / 2,
        };
        let (kept, read) = check(&past, 10).await;
        assert_eq!(kept, 21, "two a day, with both ends");
        assert!(read.reached <= read.since);
    }

    #[tokio::test]
    async fn who_asks_for_more_before_it_is_done_gets_more() {
        let store = memory::open().unwrap();
        let now = at(NOW);
        let back = |days: u64| now.before(Duration::from_hours(24 * days));
        let first = begin(&store, REPO, (back(5), now)).await.unwrap();
        let more = begin(&store, REPO, (back(9), now)).await.unwrap();
        assert_eq!((first.since, more.since), (back(5), back(9)));
        let less = begin(&store, REPO, (back(2), now)).await.unwrap();
        assert_eq!(less.since, back(9));
        let most = begin(&store, REPO, (back(900), now)).await.unwrap();
        assert_eq!(most.since, now.before(KEEP_RUNS));
        let done = Backfill { done: true, ..most };
        store.set_backfill(done.clone()).await.unwrap();
        assert_eq!(begin(&store, REPO, (back(9), now)).await.unwrap(), done);
        let later = now.after(Duration::from_hours(2));
        let anew = begin(&store, REPO, (back(9), later)).await.unwrap();
        assert_eq!((anew.reached, anew.done), (later, false));
    }
}
