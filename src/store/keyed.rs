//! The store over any [`Backend`]: one turn at a time, durable before it returns.
//!
//! An operation is worked out on a draft, applied as one, and flushed after the
//! turn has been handed on, so that many webhooks share one flush. An operation
//! that changed nothing flushes too: it may have seen what another one has applied
//! and not flushed, and its caller acts on it.
//!
//! Operations run on the blocking pool; no lock is held across an await.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::fault::{Faults, NoFaults, PlannedFault, Point};
use super::flushes::Flushes;
use super::key::{Key, tag};
use super::record::{FORMAT, Fit, Format};
use super::rows::{Backend, Draft};
use super::{
    Accepted, AuditEntry, AuditFilter, Claim, Delivery, DeliveryId, InstallationChange, Lane,
    Lease, NewDelivery, NewTask, Next, PRUNE_ROWS, PlanRecord, Pull, PullChange, Queued, Renewal,
    Repository, RepositoryChange, Scope, Settled, Store, StoreError, Task, TaskFilter, TaskId,
    audit, deliveries, history, pulls, repositories, tasks,
};
use crate::engine::ids::{
    ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey, Timestamp,
};

mod runs;

/// Told the name of every operation that was not done; every reading one is a `read`.
pub type Observer = Arc<dyn Fn(&'static str) + Send + Sync>;

/// A store over a backend. Clones share it.
pub struct Keyed<B> {
    inner: Arc<Inner<B>>,
    observer: Option<Observer>,
}

struct Inner<B> {
    backend: B,
    turn: Mutex<()>,
    flushes: Flushes,
    faults: Arc<dyn Faults>,
}

impl<B> Clone for Keyed<B> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            observer: self.observer.clone(),
        }
    }
}

impl<B: Backend> Keyed<B> {
    /// Takes the backend over; refuses one that a newer Trimtab wrote.
    pub fn open(backend: B) -> Result<Self, StoreError> {
        Self::open_with(backend, Arc::new(NoFaults))
    }

    /// Like [`Keyed::open`], with faults that a test plans.
    pub fn open_with(backend: B, faults: Arc<dyn Faults>) -> Result<Self, StoreError> {
        let inner = Arc::new(Inner {
            backend,
            turn: Mutex::new(()),
            flushes: Flushes::default(),
            faults,
        });
        inner.write("open", stamp)?;
        let observer = None;
        Ok(Self { inner, observer })
    }

    /// Tells of every operation that is not done from now on.
    #[must_use]
    pub fn with_observer(self, observer: Observer) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Whether this Trimtab may write what lies in a backend; nothing is written.
    pub(super) fn look(backend: &B) -> Result<(), StoreError> {
        let found = Draft::over(backend).record::<Format>(&Key::new(tag::FORMAT))?;
        match found.map(|found| (found, FORMAT.fit(found))) {
            Some((found, Fit::Refuse)) => Err(StoreError::Format { found }),
            Some((_, Fit::Same | Fit::Raise)) | None => Ok(()),
        }
    }

    /// Puts every leased task back: for a backend that only one process can hold.
    pub fn lapse_leases(&self) -> Result<(), StoreError> {
        self.inner.write("lapse", tasks::lapse_all)
    }

    async fn write<T, W>(&self, operation: &'static str, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Draft<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let done = on_pool(move || inner.write(operation, work)).await;
        self.heard(operation, done)
    }

    async fn read<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&Draft<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let done = on_pool(move || {
            let _turn = inner.turn.lock().map_err(|poisoned| broken(&poisoned))?;
            work(&Draft::over(&inner.backend))
        });
        self.heard("read", done.await)
    }

    /// Tells of an operation that was not done.
    fn heard<T>(
        &self,
        operation: &'static str,
        done: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let (Err(_), Some(observer)) = (&done, &self.observer) {
            observer(operation);
        }
        done
    }
}

impl<B: Backend> Inner<B> {
    fn write<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Draft<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let reached = |point| self.faults.reached(operation, point).map_err(planned);
        let turn = self.turn.lock().map_err(|poisoned| broken(&poisoned))?;
        let mut draft = Draft::over(&self.backend);
        let outcome = work(&mut draft)?;
        let writes = draft.into_writes();
        reached(Point::Prepared)?;
        if !writes.is_empty() {
            self.backend.apply(writes)?;
        }
        drop(turn);
        reached(Point::Applied)?;
        self.flushes.settle(|| self.backend.flush())?;
        reached(Point::Flushed)?;
        Ok(outcome)
    }
}

async fn on_pool<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(StoreError::Unavailable {
                what: "finish an operation",
                source: error.into(),
            })
        })
}

fn broken<T>(poisoned: &PoisonError<T>) -> StoreError {
    StoreError::Unavailable {
        what: "go on after a crash inside it; start the process again",
        source: anyhow::anyhow!("{poisoned}"),
    }
}

fn planned(fault: PlannedFault) -> StoreError {
    StoreError::Unavailable {
        what: "go on",
        source: fault.into(),
    }
}

/// Checks the format of the rows, or writes it into an empty store.
fn stamp(draft: &mut Draft<'_>) -> Result<(), StoreError> {
    let key = Key::new(tag::FORMAT);
    match draft.record::<Format>(&key)? {
        Some(found) => match FORMAT.fit(found) {
            Fit::Same => Ok(()),
            Fit::Raise => draft.put_record(key, &FORMAT),
            Fit::Refuse => Err(StoreError::Format { found }),
        },
        None => draft.put_record(key, &FORMAT),
    }
}

fn dump(draft: &Draft<'_>) -> Result<String, StoreError> {
    let live = tasks::list(draft, TaskFilter::Live, usize::MAX)?;
    let dead = tasks::list(draft, TaskFilter::Dead, usize::MAX)?;
    let tasks = live
        .iter()
        .chain(&dead)
        .map(|task| format!("task {task}\n"));
    let undone = deliveries::undone(draft)?;
    let deliveries = undone.iter().map(|delivery| {
        let Delivery {
            id, scope, event, ..
        } = delivery;
        format!(
            "delivery {id} {scope} {event} {} bytes\n",
            delivery.body_bytes
        )
    });
    Ok(tasks.chain(deliveries).collect())
}

#[async_trait]
impl<B: Backend> Store for Keyed<B> {
    async fn accept(&self, delivery: NewDelivery, now: Timestamp) -> Result<Accepted, StoreError> {
        self.write("accept", move |draft| {
            deliveries::accept(draft, delivery, now)
        })
        .await
    }

    async fn delivery(
        &self,
        forge: ForgeKind,
        id: &DeliveryId,
    ) -> Result<Option<(Delivery, Vec<u8>)>, StoreError> {
        let id = id.clone();
        self.read(move |draft| deliveries::find(draft, forge, &id))
            .await
    }

    async fn enqueue(&self, new: Vec<NewTask>, now: Timestamp) -> Result<Vec<Queued>, StoreError> {
        self.write("enqueue", move |draft| {
            new.into_iter()
                .map(|task| tasks::enqueue(draft, task, now))
                .collect()
        })
        .await
    }

    async fn claim(
        &self,
        lane: Lane,
        now: Timestamp,
        length: Duration,
    ) -> Result<Claim, StoreError> {
        self.write("claim", move |draft| tasks::claim(draft, lane, now, length))
            .await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        length: Duration,
    ) -> Result<Renewal, StoreError> {
        let lease = lease.clone();
        self.write("renew", move |draft| {
            tasks::renew(draft, &lease, now, length)
        })
        .await
    }

    async fn complete(
        &self,
        lease: &Lease,
        then: Vec<NewTask>,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let lease = lease.clone();
        self.write("complete", move |draft| {
            tasks::complete(draft, &lease, then, now)
        })
        .await
    }

    async fn fail(
        &self,
        lease: &Lease,
        next: Next,
        cause: &str,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let (lease, cause) = (lease.clone(), cause.to_owned());
        self.write("fail", move |draft| {
            tasks::fail(draft, &lease, next, &cause, now)
        })
        .await
    }

    async fn tasks(&self, filter: TaskFilter, limit: usize) -> Result<Vec<Task>, StoreError> {
        self.read(move |draft| tasks::list(draft, filter, limit))
            .await
    }

    async fn retry_task(&self, id: TaskId, now: Timestamp) -> Result<bool, StoreError> {
        self.write("retry_task", move |draft| tasks::retry(draft, id, now))
            .await
    }

    async fn bury_task(&self, id: TaskId, now: Timestamp) -> Result<bool, StoreError> {
        self.write("bury_task", move |draft| tasks::bury(draft, id, now))
            .await
    }

    async fn repository(&self, key: RepoKey) -> Result<Option<Repository>, StoreError> {
        self.read(move |draft| repositories::find(draft, key)).await
    }

    async fn repository_numbered(
        &self,
        forge: ForgeKind,
        repo: RepoId,
    ) -> Result<Option<Repository>, StoreError> {
        self.read(move |draft| repositories::numbered(draft, forge, repo))
            .await
    }

    async fn repositories(&self, forge: ForgeKind) -> Result<Vec<Repository>, StoreError> {
        self.read(move |draft| repositories::list(draft, forge))
            .await
    }

    async fn change_repository(
        &self,
        key: RepoKey,
        change: RepositoryChange,
        now: Timestamp,
    ) -> Result<Option<Repository>, StoreError> {
        self.write("change_repository", move |draft| {
            repositories::change(draft, key, change, now)
        })
        .await
    }

    async fn change_installation(
        &self,
        forge: ForgeKind,
        installation: InstallationId,
        change: InstallationChange,
        now: Timestamp,
    ) -> Result<Vec<Repository>, StoreError> {
        self.write("change_installation", move |draft| {
            repositories::change_installation(draft, (forge, installation), change, now)
        })
        .await
    }

    async fn pull(&self, repo: RepoKey, number: PullNumber) -> Result<Option<Pull>, StoreError> {
        self.read(move |draft| pulls::find(draft, repo, number))
            .await
    }

    async fn open_pulls(&self, repo: RepoKey) -> Result<Vec<Pull>, StoreError> {
        self.read(move |draft| pulls::open(draft, repo)).await
    }

    async fn pulls_at(&self, repo: RepoKey, head: ObjectId) -> Result<Vec<PullNumber>, StoreError> {
        self.read(move |draft| pulls::at(draft, repo, head)).await
    }

    async fn pulls_of_head(
        &self,
        forge: ForgeKind,
        head: ObjectId,
    ) -> Result<Vec<Pull>, StoreError> {
        self.read(move |draft| pulls::of_head(draft, forge, head))
            .await
    }

    async fn change_pull(
        &self,
        repo: RepoKey,
        number: PullNumber,
        change: PullChange,
        now: Timestamp,
    ) -> Result<Pull, StoreError> {
        self.write("change_pull", move |draft| {
            pulls::change(draft, (repo, number), change, now)
        })
        .await
    }

    async fn plan_at(
        &self,
        repo: RepoKey,
        number: PullNumber,
        head: ObjectId,
    ) -> Result<Option<PlanRecord>, StoreError> {
        self.read(move |draft| pulls::plan_at(draft, repo, number, head))
            .await
    }

    async fn append_audit(&self, entry: AuditEntry) -> Result<bool, StoreError> {
        self.write("append_audit", move |draft| audit::append(draft, &entry))
            .await
    }

    async fn act(&self, scope: Scope, id: &str) -> Result<Option<AuditEntry>, StoreError> {
        let id = id.to_owned();
        self.read(move |draft| audit::find(draft, scope, &id)).await
    }

    async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |draft| audit::list(draft, filter)).await
    }

    async fn lots_key(&self, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.write("lots_key", move |draft| {
            let key = Key::new(tag::LOTS);
            let known = draft.read(&key)?;
            let known = known.and_then(|known| known.try_into().ok());
            if known.is_none() {
                draft.put(key, fresh.to_vec());
            }
            Ok(known.unwrap_or(fresh))
        })
        .await
    }

    async fn prune(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write("prune", move |draft| {
            let deliveries = deliveries::prune(draft, now)?;
            let mut pruned = deliveries;
            pruned += tasks::prune(draft, now, PRUNE_ROWS.saturating_sub(pruned))?;
            pruned += history::prune(draft, now, PRUNE_ROWS.saturating_sub(pruned))?;
            pruned += audit::prune_runs(draft, now, PRUNE_ROWS.saturating_sub(pruned))?;
            pruned += pulls::prune(draft, now, PRUNE_ROWS.saturating_sub(pruned))?;
            Ok(pruned)
        })
        .await
    }

    async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("probe", move |draft| {
            draft.put_number(Key::new(tag::PROBE), now.0);
            Ok(())
        })
        .await
    }

    async fn dump(&self) -> Result<String, StoreError> {
        self.read(dump).await
    }
}
