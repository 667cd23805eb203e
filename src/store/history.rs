//! Runs that have been: their attempts and jobs, and how long jobs take.
//!
//! A row is named by repository, run, attempt and job, so that what is told twice, late
//! or out of order is kept once. Durations are kept apart, bounded for themselves, and
//! are all that planning reads. The rest is bounded by age and by number: the oldest
//! attempts go first, with their jobs.
//!
//! What a head in a fork brought is kept as facts; the engine learns nothing from it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use super::key::{Key, tag};
use super::record::{AttemptRecord, Backfill, JobRecord, RunAudit, TimesRecord};
use super::rows::Draft;
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::history::times::{Times, is_trusted};
use crate::engine::ids::{ObjectId, RepoKey, Timestamp};

/// How long runs are kept.
pub const KEEP_RUNS: Duration = Duration::from_hours(90 * 24);

/// How many attempts of one repository are kept.
pub const ATTEMPTS: u64 = 2_000;

/// How many pipelines of one repository have durations.
pub const PIPELINES: usize = 200;

const DAY: u64 = 24 * 60 * 60 * 1_000;

/// The part of the store that holds what has been run.
#[async_trait]
pub trait JobHistory: Send + Sync {
    /// Keeps a job that has ended. The same job again replaces it.
    async fn record_job(
        &self,
        repo: RepoKey,
        job: JobRun,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Keeps an attempt that has ended, with its jobs, and learns how long they took;
    /// whether it is new. The same attempt again changes nothing but what it says.
    async fn record_attempt(
        &self,
        repo: RepoKey,
        attempt: Attempt,
        jobs: Vec<JobRun>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// An attempt and the jobs that are known of it, by number; `None` until it was
    /// recorded as a whole.
    async fn attempt(
        &self,
        repo: RepoKey,
        run: u64,
        attempt: u32,
    ) -> Result<Option<(Attempt, Vec<JobRun>)>, StoreError>;

    /// The attempts of a repository, the newest first, at most so many.
    async fn attempts(&self, repo: RepoKey, limit: usize) -> Result<Vec<Attempt>, StoreError>;

    /// How long the jobs of each pipeline took.
    async fn times(&self, repo: RepoKey) -> Result<BTreeMap<String, Times>, StoreError>;

    /// Writes down what an attempt came to; false when that was done before.
    async fn append_run_audit(&self, audit: RunAudit) -> Result<bool, StoreError>;

    /// What the attempts of a head came to, by run and attempt.
    async fn audits_at(&self, repo: RepoKey, head: ObjectId) -> Result<Vec<RunAudit>, StoreError>;

    /// What the attempts of a repository came to that were judged since then, the oldest
    /// first.
    async fn run_audits(
        &self,
        repo: RepoKey,
        since: Timestamp,
    ) -> Result<Vec<RunAudit>, StoreError>;

    /// How far the history was read back, if anybody asked for it.
    async fn backfill(&self, repo: RepoKey) -> Result<Option<Backfill>, StoreError>;

    /// Remembers how far the history was read back.
    async fn set_backfill(&self, backfill: Backfill) -> Result<(), StoreError>;
}

pub(super) fn record_job(
    draft: &mut Draft<'_>,
    repo: RepoKey,
    job: JobRun,
    now: Timestamp,
) -> Result<(), StoreError> {
    let of = (job.run, job.attempt);
    aged(draft, job.ended.min(now), (repo, of))?;
    let key = jobs_of(repo, of).number(job.id);
    draft.put_record(key, &JobRecord { repo, job })
}

pub(super) fn record_attempt(
    draft: &mut Draft<'_>,
    repo: RepoKey,
    (attempt, jobs): (Attempt, Vec<JobRun>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let of = (attempt.run, attempt.attempt);
    let known: Option<AttemptRecord> = draft.record(&row(repo, of))?;
    learn(draft, repo, (&attempt, &jobs))?;
    for job in jobs {
        record_job(draft, repo, job, now)?;
    }
    if let Some(known) = &known {
        draft.remove(order(repo, &known.attempt));
    } else {
        let number = count(draft, repo)?.saturating_add(1);
        draft.put_number(counter(repo), number);
    }
    aged(draft, attempt.updated.min(now), (repo, of))?;
    draft.put(order(repo, &attempt), row(repo, of).0);
    let at = known.as_ref().map_or(now, |known| known.at);
    let record = AttemptRecord { repo, attempt, at };
    draft.put_record(row(repo, of), &record)?;
    shrink(draft, repo)?;
    Ok(known.is_none())
}

pub(super) fn find(
    draft: &Draft<'_>,
    repo: RepoKey,
    of: (u64, u32),
) -> Result<Option<(Attempt, Vec<JobRun>)>, StoreError> {
    let Some(record) = draft.record::<AttemptRecord>(&row(repo, of))? else {
        return Ok(None);
    };
    let jobs: Vec<JobRecord> = draft.records(&jobs_of(repo, of), usize::MAX)?;
    let jobs = jobs.into_iter().map(|record| record.job);
    Ok(Some((record.attempt, jobs.collect())))
}

pub(super) fn list(
    draft: &Draft<'_>,
    repo: RepoKey,
    limit: usize,
) -> Result<Vec<Attempt>, StoreError> {
    let ordered = draft.rows(&Key::new(tag::RUN_ORDER).repo(repo))?;
    let mut attempts = Vec::new();
    for (_, primary) in ordered.into_iter().rev().take(limit) {
        let record = draft.record::<AttemptRecord>(&Key(primary))?;
        attempts.extend(record.map(|record| record.attempt));
    }
    Ok(attempts)
}

pub(super) fn times(
    draft: &Draft<'_>,
    repo: RepoKey,
) -> Result<BTreeMap<String, Times>, StoreError> {
    let prefix = Key::new(tag::TIMES).repo(repo);
    let records: Vec<TimesRecord> = draft.records(&prefix, PIPELINES)?;
    let pair = |record: TimesRecord| (record.pipeline, record.times);
    Ok(records.into_iter().map(pair).collect())
}

pub(super) fn backfill(draft: &Draft<'_>, repo: RepoKey) -> Result<Option<Backfill>, StoreError> {
    draft.record(&Key::new(tag::BACKFILL).repo(repo))
}

pub(super) fn set_backfill(draft: &mut Draft<'_>, record: &Backfill) -> Result<(), StoreError> {
    draft.put_record(Key::new(tag::BACKFILL).repo(record.repo), record)
}

/// Forgets attempts and jobs that are too old; returns how many rows of age went.
pub(super) fn prune(
    draft: &mut Draft<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let all = Key::new(tag::RUN_AGE);
    let until = all.clone().number(day(now.before(KEEP_RUNS)));
    let mut pruned = 0;
    while pruned < limit
        && let Some((key, _)) = draft.first(&all, &until)?
    {
        let key = Key(key);
        if let Some(place) = draft.record::<Place>(&key)? {
            forget(draft, place)?;
        }
        draft.remove(key);
        pruned += 1;
    }
    Ok(pruned)
}

fn learn(
    draft: &mut Draft<'_>,
    repo: RepoKey,
    (attempt, jobs): (&Attempt, &[JobRun]),
) -> Result<(), StoreError> {
    if !is_trusted(attempt) {
        return Ok(());
    }
    let prefix = Key::new(tag::TIMES).repo(repo);
    let key = prefix.clone().text(&attempt.pipeline);
    let known: Option<TimesRecord> = draft.record(&key)?;
    if known.is_none() && draft.rows(&prefix)?.len() >= PIPELINES {
        return Ok(());
    }
    let mut times = known.map(|known| known.times).unwrap_or_default();
    times.add(attempt, jobs);
    let record = TimesRecord {
        repo,
        pipeline: attempt.pipeline.clone(),
        times,
    };
    draft.put_record(key, &record)
}

/// Forgets the oldest attempts of a repository that has too many.
fn shrink(draft: &mut Draft<'_>, repo: RepoKey) -> Result<(), StoreError> {
    let all = Key::new(tag::RUN_ORDER).repo(repo);
    while count(draft, repo)? > ATTEMPTS
        && let Some((_, primary)) = draft.first(&all, &all.end())?
    {
        let record: Option<AttemptRecord> = draft.record(&Key(primary))?;
        let Some(AttemptRecord { attempt, .. }) = record else {
            return Ok(());
        };
        forget(draft, (repo, (attempt.run, attempt.attempt)))?;
    }
    Ok(())
}

/// Takes an attempt and its jobs away; what was learned stays.
fn forget(draft: &mut Draft<'_>, (repo, of): Place) -> Result<(), StoreError> {
    if let Some(record) = draft.record::<AttemptRecord>(&row(repo, of))? {
        draft.remove(order(repo, &record.attempt));
        draft.remove(row(repo, of));
        let left = count(draft, repo)?.saturating_sub(1);
        draft.put_number(counter(repo), left);
    }
    for (key, _) in draft.rows(&jobs_of(repo, of))? {
        draft.remove(Key(key));
    }
    Ok(())
}

/// A repository, and run and attempt in it.
type Place = (RepoKey, (u64, u32));

fn count(draft: &Draft<'_>, repo: RepoKey) -> Result<u64, StoreError> {
    Ok(draft.number(&counter(repo))?.unwrap_or(0))
}

fn counter(repo: RepoKey) -> Key {
    Key::new(tag::RUN_COUNT).repo(repo)
}

fn row(repo: RepoKey, of: (u64, u32)) -> Key {
    numbered(Key::new(tag::RUN).repo(repo), of)
}

fn jobs_of(repo: RepoKey, of: (u64, u32)) -> Key {
    numbered(Key::new(tag::JOB).repo(repo), of)
}

fn order(repo: RepoKey, attempt: &Attempt) -> Key {
    let key = Key::new(tag::RUN_ORDER).repo(repo);
    numbered(
        key.number(attempt.started.0),
        (attempt.run, attempt.attempt),
    )
}

/// Writes down how old something is: by day, so that an attempt has few of these rows,
/// whatever its jobs say.
fn aged(draft: &mut Draft<'_>, at: Timestamp, place: Place) -> Result<(), StoreError> {
    let (repo, of) = place;
    let key = Key::new(tag::RUN_AGE).number(day(at)).repo(repo);
    draft.put_record(numbered(key, of), &place)
}

fn day(at: Timestamp) -> u64 {
    at.0 / DAY
}

fn numbered(key: Key, (run, attempt): (u64, u32)) -> Key {
    key.number(run).number(u64::from(attempt))
}
