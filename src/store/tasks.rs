//! The queue: what is waiting, who works on it, what failed too often.
//!
//! A task has one row, and index rows that follow from its state alone; [`lift`]
//! and [`place`] are the only two that touch them, so row and index never part.
//!
//! Nothing here decides when to try again: that is `queue.rs`.

use std::time::Duration;

use super::key::{Key, tag};
use super::rows::Draft;
use super::{
    Claim, Lane, Lease, NewTask, Next, PRUNE_ROWS, Queued, REMEMBER, Renewal, Scope, Settled,
    StoreError, Task, TaskFilter, TaskId, TaskKind, TaskState, deliveries,
};
use crate::engine::ids::Timestamp;

/// The longest cause that is kept, in characters.
const CAUSE: usize = 500;

pub(super) fn enqueue(
    draft: &mut Draft<'_>,
    new: NewTask,
    now: Timestamp,
) -> Result<Queued, StoreError> {
    supersede(draft, &new)?;
    let key = new.kind.key(&new.scope);
    if let Some(mut task) = waiting(draft, &key)? {
        lift(draft, &task);
        if task.task != new.kind {
            task.attempt = 0;
            task.fault = None;
        }
        task.task = new.kind;
        let due = due(&task).unwrap_or(new.due).min(new.due);
        task.state = TaskState::Waiting {
            due: due.max(task.held_until),
        };
        place(draft, &task)?;
        return Ok(Queued::Joined(task.id));
    }
    if let Some(dead) = at(draft, &Key::new(tag::BURIED).text(&key))? {
        lift(draft, &dead);
    }
    let task = Task {
        id: TaskId(draft.count("task")?),
        scope: new.scope,
        task: new.kind,
        state: TaskState::Waiting { due: new.due },
        attempt: 0,
        queued: now,
        held_until: Timestamp(0),
        fault: None,
    };
    place(draft, &task)?;
    Ok(Queued::New(task.id))
}

pub(super) fn claim(
    draft: &mut Draft<'_>,
    lane: Lane,
    now: Timestamp,
    length: Duration,
) -> Result<Claim, StoreError> {
    lapse(draft, now)?;
    let Some(mut task) = next(draft, lane, now)? else {
        return Ok(Claim::Idle(wake(draft, lane, now)?));
    };
    lift(draft, &task);
    let number = draft.count("lease")?;
    let until = now.after(length);
    task.state = TaskState::Leased {
        lease: number,
        until,
        superseded: false,
    };
    place(draft, &task)?;
    Ok(Claim::Leased(Box::new(Lease {
        task,
        number,
        until,
    })))
}

pub(super) fn renew(
    draft: &mut Draft<'_>,
    lease: &Lease,
    now: Timestamp,
    length: Duration,
) -> Result<Renewal, StoreError> {
    let Some(mut task) = held(draft, lease)? else {
        return Ok(Renewal::Lost);
    };
    let superseded = matches!(
        task.state,
        TaskState::Leased {
            superseded: true,
            ..
        }
    );
    lift(draft, &task);
    let until = now.after(length);
    task.state = TaskState::Leased {
        lease: lease.number,
        until,
        superseded,
    };
    place(draft, &task)?;
    Ok(if superseded {
        Renewal::Superseded(until)
    } else {
        Renewal::Held(until)
    })
}

pub(super) fn complete(
    draft: &mut Draft<'_>,
    lease: &Lease,
    then: Vec<NewTask>,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let Some(task) = held(draft, lease)? else {
        return Ok(Settled::Lost);
    };
    lift(draft, &task);
    if let TaskKind::Deliver { delivery } = &task.task {
        deliveries::finish(draft, task.scope.forge, delivery, now)?;
    }
    for new in then {
        enqueue(draft, new, now)?;
    }
    Ok(Settled::Yes)
}

pub(super) fn fail(
    draft: &mut Draft<'_>,
    lease: &Lease,
    next: Next,
    cause: &str,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let Some(mut task) = held(draft, lease)? else {
        return Ok(Settled::Lost);
    };
    lift(draft, &task);
    task.fault = Some(cause.chars().take(CAUSE).collect());
    task.attempt = task.attempt.saturating_add(1);
    task.state = match next {
        Next::RetryAt { due, asked } => {
            task.held_until = if asked { due } else { Timestamp(0) };
            TaskState::Waiting { due }
        }
        Next::Bury => TaskState::Dead { at: now },
        Next::Release | Next::Postpone(_) => {
            task.attempt = lease.task.attempt;
            task.fault.clone_from(&lease.task.fault);
            let due = match next {
                Next::Postpone(due) => due,
                _ => now,
            };
            TaskState::Waiting { due }
        }
    };
    put_back(draft, &task)?;
    Ok(Settled::Yes)
}

pub(super) fn list(
    draft: &Draft<'_>,
    filter: TaskFilter,
    limit: usize,
) -> Result<Vec<Task>, StoreError> {
    let prefix = Key::new(tag::TASK);
    let mut tasks = Vec::new();
    let mut from = prefix.clone();
    while tasks.len() < limit
        && let Some((key, _)) = draft.first(&from, &prefix.end())?
    {
        let key = Key(key);
        let task: Option<Task> = draft.record(&key)?;
        tasks.extend(task.filter(|task| {
            let dead = matches!(task.state, TaskState::Dead { .. });
            dead == (filter == TaskFilter::Dead)
        }));
        from = key.after();
    }
    Ok(tasks)
}

pub(super) fn retry(draft: &mut Draft<'_>, id: TaskId, now: Timestamp) -> Result<bool, StoreError> {
    let Some(mut task) = draft.record::<Task>(&row(id))? else {
        return Ok(false);
    };
    if matches!(task.state, TaskState::Leased { .. }) {
        return Ok(false);
    }
    lift(draft, &task);
    // A waiting task of the same key is the newer one; it is enough to hurry it.
    if let Some(newer) = waiting(draft, &task.task.key(&task.scope))? {
        lift(draft, &newer);
        task = newer;
    }
    task.attempt = 0;
    task.fault = None;
    task.held_until = Timestamp(0);
    task.state = TaskState::Waiting { due: now };
    place(draft, &task)?;
    Ok(true)
}

pub(super) fn bury(draft: &mut Draft<'_>, id: TaskId, now: Timestamp) -> Result<bool, StoreError> {
    let Some(mut task) = draft.record::<Task>(&row(id))? else {
        return Ok(false);
    };
    if due(&task).is_none() {
        return Ok(false);
    }
    lift(draft, &task);
    task.state = TaskState::Dead { at: now };
    task.fault = Some("buried by hand".to_owned());
    place(draft, &task)?;
    Ok(true)
}

/// Forgets dead letters that are too old, at most `limit`; returns how many.
pub(super) fn prune(
    draft: &mut Draft<'_>,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let from = Key::new(tag::DEAD);
    let to = from.clone().number(now.before(REMEMBER).0);
    let mut gone = 0;
    while gone < limit.min(PRUNE_ROWS)
        && let Some((index, value)) = draft.first(&from, &to)?
    {
        match pointed(draft, &value)? {
            Some(task) => lift(draft, &task),
            None => draft.remove(Key(index)),
        }
        gone += 1;
    }
    Ok(gone)
}

/// Takes every lease away. For a store that only one process can hold: whoever
/// held a lease when it is opened is gone.
pub(super) fn lapse_all(draft: &mut Draft<'_>) -> Result<(), StoreError> {
    lapse(draft, Timestamp(u64::MAX - 1))
}

/// Whether a task of this key waits or is being worked on.
pub(super) fn is_live(
    draft: &Draft<'_>,
    kind: &TaskKind,
    scope: &Scope,
) -> Result<bool, StoreError> {
    let waits = waiting(draft, &kind.key(scope))?.is_some();
    Ok(waits || running(draft, kind, scope)?.is_some())
}

/// Tells a running task of the same key that its result is useless.
fn supersede(draft: &mut Draft<'_>, new: &NewTask) -> Result<(), StoreError> {
    let Some(mut task) = running(draft, &new.kind, &new.scope)? else {
        return Ok(());
    };
    if let TaskState::Leased { lease, until, .. } = task.state
        && task.task.superseded_by(&new.kind)
    {
        task.state = TaskState::Leased {
            lease,
            until,
            superseded: true,
        };
        place(draft, &task)?;
    }
    Ok(())
}

/// Puts tasks back whose lease has ended.
fn lapse(draft: &mut Draft<'_>, now: Timestamp) -> Result<(), StoreError> {
    let from = Key::new(tag::LEASE);
    let to = from.clone().number(now.0.saturating_add(1));
    while let Some((index, value)) = draft.first(&from, &to)? {
        let Some(mut task) = pointed(draft, &value)? else {
            draft.remove(Key(index));
            continue;
        };
        lift(draft, &task);
        draft.remove(Key(index));
        task.attempt = task.attempt.saturating_add(1);
        task.fault = Some("its worker was lost".to_owned());
        // It has waited long enough: it keeps the place of its first queueing.
        task.state = TaskState::Waiting { due: task.queued };
        put_back(draft, &task)?;
    }
    Ok(())
}

/// Places a task that was lifted, unless a newer one of its key waits; that one
/// inherits the wait that the forge asked for.
fn put_back(draft: &mut Draft<'_>, task: &Task) -> Result<(), StoreError> {
    let Some(mut newer) = waiting(draft, &task.task.key(&task.scope))? else {
        return place(draft, task);
    };
    lift(draft, &newer);
    newer.held_until = newer.held_until.max(task.held_until);
    let due = due(&newer).unwrap_or(newer.held_until);
    newer.state = TaskState::Waiting {
        due: due.max(newer.held_until),
    };
    place(draft, &newer)
}

/// The task of a lane that is to be worked on now.
fn next(draft: &mut Draft<'_>, lane: Lane, now: Timestamp) -> Result<Option<Task>, StoreError> {
    for rank in RANKS {
        let mut from = ranked(lane, rank);
        let to = ranked(lane, rank).number(now.0.saturating_add(1));
        while let Some((index, value)) = draft.first(&from, &to)? {
            let index = Key(index);
            from = index.after();
            match pointed(draft, &value)? {
                Some(task) if is_busy(draft, &task)? => {}
                Some(task) => return Ok(Some(task)),
                None => draft.remove(index),
            }
        }
    }
    Ok(None)
}

/// When a claim can succeed by the passing of time alone.
fn wake(draft: &Draft<'_>, lane: Lane, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let mut moments = Vec::new();
    for rank in RANKS {
        let from = ranked(lane, rank).number(now.0.saturating_add(1));
        moments.push(draft.first(&from, &ranked(lane, rank).end())?);
    }
    let leases = Key::new(tag::LEASE);
    let lease_ends = draft.first(&leases, &leases.end())?;
    let ends = lease_ends.and_then(|(key, _)| time_at(&key, 1));
    let dues = moments.into_iter().flatten();
    Ok(dues
        .filter_map(|(key, _)| time_at(&key, 3))
        .chain(ends)
        .min())
}

/// The ranks inside a lane, the urgent one first.
const RANKS: [u8; 2] = [0, 1];

fn ranked(lane: Lane, rank: u8) -> Key {
    let lane = match lane {
        Lane::Plan => 0,
        Lane::Background => 1,
    };
    Key::new(tag::DUE).byte(lane).byte(rank)
}

fn time_at(key: &[u8], place: usize) -> Option<Timestamp> {
    let bytes = key.get(place..place + 8)?;
    Some(Timestamp(u64::from_be_bytes(bytes.try_into().ok()?)))
}

/// The task of a lease, if the lease still holds.
fn held(draft: &Draft<'_>, lease: &Lease) -> Result<Option<Task>, StoreError> {
    let task: Option<Task> = draft.record(&row(lease.task.id))?;
    Ok(task.filter(
        |task| matches!(task.state, TaskState::Leased { lease: number, .. } if number == lease.number),
    ))
}

fn waiting(draft: &Draft<'_>, key: &str) -> Result<Option<Task>, StoreError> {
    at(draft, &Key::new(tag::WAITING).text(key))
}

fn running(draft: &Draft<'_>, kind: &TaskKind, scope: &Scope) -> Result<Option<Task>, StoreError> {
    let task = at(draft, &Key::new(tag::BUSY).text(&kind.serial(scope)))?;
    Ok(task.filter(|task| task.task.key(&task.scope) == kind.key(scope)))
}

fn is_busy(draft: &Draft<'_>, task: &Task) -> Result<bool, StoreError> {
    let serial = Key::new(tag::BUSY).text(&task.task.serial(&task.scope));
    Ok(draft.read(&serial)?.is_some())
}

/// The task that an index row points to.
fn at(draft: &Draft<'_>, index: &Key) -> Result<Option<Task>, StoreError> {
    match draft.number(index)? {
        Some(id) => draft.record(&row(TaskId(id))),
        None => Ok(None),
    }
}

/// The task whose number an index row holds. A row that does not parse counts as
/// none: one of them must not stop the whole queue. It stays where it is, for
/// whoever wants to look at it.
fn pointed(draft: &Draft<'_>, value: &[u8]) -> Result<Option<Task>, StoreError> {
    let Ok(id) = value.try_into().map(u64::from_be_bytes) else {
        return Ok(None);
    };
    match draft.record(&row(TaskId(id))) {
        Err(error @ StoreError::Unreadable { .. }) => {
            tracing::error!(%error, "a task is left out of the queue");
            Ok(None)
        }
        found => found,
    }
}

fn due(task: &Task) -> Option<Timestamp> {
    match task.state {
        TaskState::Waiting { due } => Some(due),
        TaskState::Leased { .. } | TaskState::Dead { .. } => None,
    }
}

fn row(id: TaskId) -> Key {
    Key::new(tag::TASK).number(id.0)
}

/// Removes a task and every index row of it.
fn lift(draft: &mut Draft<'_>, task: &Task) {
    for index in indexes(task) {
        draft.remove(index);
    }
    draft.remove(row(task.id));
}

/// Writes a task and every index row of it.
fn place(draft: &mut Draft<'_>, task: &Task) -> Result<(), StoreError> {
    for index in indexes(task) {
        draft.put_number(index, task.id.0);
    }
    draft.put_record(row(task.id), task)
}

fn indexes(task: &Task) -> [Key; 2] {
    let key = task.task.key(&task.scope);
    match task.state {
        TaskState::Waiting { due } => {
            let rank = u8::from(task.task.yields());
            [
                Key::new(tag::WAITING).text(&key),
                ranked(task.task.lane(), rank)
                    .number(due.0)
                    .number(task.id.0),
            ]
        }
        TaskState::Leased { until, .. } => [
            Key::new(tag::BUSY).text(&task.task.serial(&task.scope)),
            Key::new(tag::LEASE).number(until.0).number(task.id.0),
        ],
        TaskState::Dead { at } => [
            Key::new(tag::BURIED).text(&key),
            Key::new(tag::DEAD).number(at.0).number(task.id.0),
        ],
    }
}
