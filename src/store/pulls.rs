//! Pulls: what was seen, said, written and asked for, and the last plans.
//!
//! What a person asked for is bound to a head and dies with the next push, unless
//! they said "always". Heads are bounded, so a pull that is pushed to for a year
//! does not grow.
//!
//! Nothing here knows what a plan means.

use super::key::{Key, tag};
use super::rows::Draft;
use super::{
    ForcedJob, Gated, HEADS_PER_PULL, NewPlan, PlanRecord, Pull, PullChange, RunAll, StoreError,
    ToldSkip, WrittenComment, may_be_issued,
};
use std::time::Duration;

use crate::engine::ids::{ForgeKind, ObjectId, PullNumber, RepoKey, Timestamp};
use crate::engine::plan_line::LIFETIME;

/// How long a pull is remembered after it was closed and nothing of it changed.
pub const KEEP_PULLS: Duration = Duration::from_hours(90 * 24);

pub(super) fn find(
    draft: &Draft<'_>,
    repo: RepoKey,
    number: PullNumber,
) -> Result<Option<Pull>, StoreError> {
    draft.record(&row(repo, number))
}

pub(super) fn open(draft: &Draft<'_>, repo: RepoKey) -> Result<Vec<Pull>, StoreError> {
    let mut pulls = Vec::new();
    for (_, primary) in draft.rows(&Key::new(tag::OPEN).repo(repo))? {
        pulls.extend(draft.record::<Pull>(&Key(primary))?);
    }
    Ok(pulls)
}

pub(super) fn at(
    draft: &Draft<'_>,
    repo: RepoKey,
    head: ObjectId,
) -> Result<Vec<PullNumber>, StoreError> {
    let rows = draft.rows(&Key::new(tag::HEAD).repo(repo).object(head))?;
    let number = |(_, value): (Vec<u8>, Vec<u8>)| value.try_into().ok().map(u64::from_be_bytes);
    Ok(rows
        .into_iter()
        .filter_map(number)
        .map(PullNumber)
        .collect())
}

pub(super) fn of_head(
    draft: &Draft<'_>,
    forge: ForgeKind,
    head: ObjectId,
) -> Result<Vec<Pull>, StoreError> {
    let mut pulls = Vec::new();
    for (_, primary) in draft.rows(&Key::new(tag::FORGE_HEAD).forge(forge).object(head))? {
        pulls.extend(draft.record::<Pull>(&Key(primary))?);
    }
    Ok(pulls)
}

pub(super) fn plan_at(
    draft: &Draft<'_>,
    repo: RepoKey,
    number: PullNumber,
    head: ObjectId,
) -> Result<Option<PlanRecord>, StoreError> {
    draft.record(&plan_row(repo, number, head))
}

pub(super) fn change(
    draft: &mut Draft<'_>,
    (repo, number): (RepoKey, PullNumber),
    change: PullChange,
    now: Timestamp,
) -> Result<Pull, StoreError> {
    let mut pull = find(draft, repo, number)?.unwrap_or_else(|| unknown(repo, number));
    pull.changed = now;
    let before = rests_on(&pull);
    match change {
        PullChange::Seen(head) => see(draft, &mut pull, (head, now)),
        PullChange::Read {
            head,
            target,
            barred,
        } => {
            see(draft, &mut pull, (head, now));
            if pull.target.as_ref().is_some_and(|known| *known != target) {
                // What was allowed for one branch is not allowed for another.
                pull.told.clear();
                pull.retargeted = true;
            }
            pull.target = Some(target);
            pull.barred = barred;
        }
        PullChange::Closed => pull.open = false,
        PullChange::Outdated => pull.revision += 1,
        PullChange::Planned(new) => plan(draft, &mut pull, *new, now)?,
        PullChange::CheckWritten(check) => {
            pull.checks
                .retain(|old| (old.head, &old.name) != (check.head, &check.name));
            remember(draft, &mut pull, check.head);
            pull.checks.push(check);
        }
        PullChange::Commented { id, hash } => {
            pull.comment = Some(WrittenComment { id, hash, at: now });
        }
        PullChange::CommentLost => pull.comment = None,
        PullChange::Quieted => pull.quiet = true,
        PullChange::Paused => pull.paused = true,
        PullChange::Resumed => pull.paused = false,
        PullChange::RunAll(run_all) => pull.run_all = run_all,
        PullChange::JobForced(job) => force(&mut pull, job),
        PullChange::Told(skip) => tell(&mut pull, skip),
    }
    if rests_on(&pull) != before {
        pull.revision += 1;
    }
    write(draft, &pull)?;
    Ok(pull)
}

/// What a plan rests on, of what stands in the record.
fn rests_on(pull: &Pull) -> impl PartialEq + use<> {
    let jobs = (pull.forced.clone(), pull.told.clone());
    let people = (pull.barred, pull.paused, pull.run_all);
    (pull.open, pull.head, pull.target.clone(), people, jobs)
}

/// Keeps a plan. A line that says the same as before and holds for a while yet is not
/// given another time, so that nothing is written for it.
fn plan(
    draft: &mut Draft<'_>,
    pull: &mut Pull,
    new: NewPlan,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (repo, number, head) = (pull.repo, pull.number, new.plan.head);
    let fresh = now.seconds().saturating_add(LIFETIME);
    let old = plan_at(draft, repo, number, head)?;
    let issued = old.as_ref().map_or_else(Vec::new, issued);
    let kept = old
        .filter(|old| old.gated == new.gated && old.not_after >= fresh - LIFETIME / 2)
        .map(|old| old.not_after);
    remember(draft, pull, head);
    pull.planned = Some(head);
    let record = PlanRecord {
        repo,
        number,
        at: now,
        plan: new.plan,
        revision: new.revision,
        gated: new.gated,
        not_after: kept.unwrap_or(fresh),
        note: new.note,
        issued,
    };
    draft.put_record(plan_row(repo, number, head), &record)
}

/// What a plan and those before it may have let runs skip: one entry a workflow and key.
fn issued(old: &PlanRecord) -> Vec<Gated> {
    let mut issued = old.issued.clone();
    for gated in old.gated.iter().filter(|_| may_be_issued(old)) {
        let same = |it: &&mut Gated| (&it.workflow, &it.key) == (&gated.workflow, &gated.key);
        match issued.iter_mut().find(same) {
            None => issued.push(gated.clone()),
            Some(known) => {
                let new = gated.skip.iter().filter(|job| !known.skip.contains(job));
                let new: Vec<String> = new.cloned().collect();
                known.skip.extend(new);
            }
        }
    }
    issued.truncate(ISSUED);
    issued
}

/// The most lines of one head that are remembered.
const ISSUED: usize = 1_000;

/// The most jobs that are remembered one by one.
const FORCED: usize = 100;

/// Remembers a job that somebody asked for; who asks for very many gets all.
fn force(pull: &mut Pull, job: ForcedJob) {
    if pull.forced.len() >= FORCED && pull.run_all == RunAll::No {
        pull.run_all = RunAll::Head(job.head);
    } else if pull.forced.len() < FORCED {
        pull.forced.push(job);
        pull.forced.sort();
        pull.forced.dedup();
    }
}

/// Remembers a job that is to be skipped; the last word on a job counts. Who says very
/// many is not heard any more, and they run.
fn tell(pull: &mut Pull, skip: ToldSkip) {
    pull.told
        .retain(|old| (old.head, &old.job) != (skip.head, &skip.job));
    if pull.told.len() < FORCED {
        pull.told.push(skip);
        pull.told.sort();
    }
}

fn unknown(repo: RepoKey, number: PullNumber) -> Pull {
    Pull {
        repo,
        number,
        open: true,
        head: None,
        target: None,
        head_since: None,
        retargeted: false,
        barred: false,
        revision: 0,
        heads: Vec::new(),
        planned: None,
        checks: Vec::new(),
        comment: None,
        quiet: false,
        paused: false,
        run_all: RunAll::No,
        forced: Vec::new(),
        told: Vec::new(),
        changed: Timestamp(0),
    }
}

fn see(draft: &mut Draft<'_>, pull: &mut Pull, (head, now): (ObjectId, Timestamp)) {
    pull.open = true;
    if pull.head != Some(head) {
        pull.retargeted = false;
    }
    if pull.head != Some(head) || pull.head_since.is_none() {
        pull.head_since = Some(now);
    }
    pull.head = Some(head);
    pull.forced.retain(|job| job.head == head);
    pull.told.retain(|skip| skip.head == head);
    if matches!(pull.run_all, RunAll::Head(other) if other != head) {
        pull.run_all = RunAll::No;
    }
    remember(draft, pull, head);
}

/// Makes `head` the newest of the remembered heads and forgets the oldest.
fn remember(draft: &mut Draft<'_>, pull: &mut Pull, head: ObjectId) {
    pull.heads.retain(|other| *other != head);
    pull.heads.push(head);
    draft.put_number(head_row(pull, head), pull.number.0);
    draft.put(forge_head_row(pull, head), row(pull.repo, pull.number).0);
    while pull.heads.len() > HEADS_PER_PULL {
        let old = pull.heads.remove(0);
        pull.checks.retain(|check| check.head != old);
        draft.remove(head_row(pull, old));
        draft.remove(forge_head_row(pull, old));
        draft.remove(plan_row(pull.repo, pull.number, old));
    }
}

fn write(draft: &mut Draft<'_>, pull: &Pull) -> Result<(), StoreError> {
    let primary = row(pull.repo, pull.number);
    let open = Key::new(tag::OPEN).repo(pull.repo).number(pull.number.0);
    if pull.open {
        draft.put(open, primary.0.clone());
    } else {
        draft.remove(open);
        let closed = Key::new(tag::CLOSED).number(pull.changed.0);
        let closed = closed.repo(pull.repo).number(pull.number.0);
        draft.put(closed, primary.0.clone());
    }
    draft.put_record(primary, pull)
}

/// Forgets pulls that were closed long ago, with their plans; returns how many rows of age
/// went. One that comes back is seen as new, and finds its comment by its mark.
pub(super) fn prune(
    draft: &mut Draft<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let (all, cutoff) = (Key::new(tag::CLOSED), now.before(KEEP_PULLS));
    let until = all.clone().number(cutoff.0);
    let mut gone = 0;
    while gone < limit
        && let Some((key, primary)) = draft.first(&all, &until)?
    {
        let primary = Key(primary);
        let pull: Option<Pull> = draft.record(&primary)?;
        // It may have come back, or have changed since: then it has a younger row.
        if let Some(pull) = pull.filter(|pull| !pull.open && pull.changed < cutoff) {
            for head in &pull.heads {
                draft.remove(head_row(&pull, *head));
                draft.remove(forge_head_row(&pull, *head));
                draft.remove(plan_row(pull.repo, pull.number, *head));
            }
            draft.remove(primary);
        }
        draft.remove(Key(key));
        gone += 1;
    }
    Ok(gone)
}

fn row(repo: RepoKey, number: PullNumber) -> Key {
    Key::new(tag::PULL).repo(repo).number(number.0)
}

fn plan_row(repo: RepoKey, number: PullNumber, head: ObjectId) -> Key {
    Key::new(tag::PLAN).repo(repo).number(number.0).object(head)
}

fn head_row(pull: &Pull, head: ObjectId) -> Key {
    Key::new(tag::HEAD)
        .repo(pull.repo)
        .object(head)
        .number(pull.number.0)
}

fn forge_head_row(pull: &Pull, head: ObjectId) -> Key {
    Key::new(tag::FORGE_HEAD)
        .forge(pull.repo.forge)
        .object(head)
        .repo(pull.repo)
        .number(pull.number.0)
}
