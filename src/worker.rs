//! Claims tasks, runs them, and settles what came of them.
//!
//! A task is run under a lease that is renewed while it runs. Whatever happens —
//! an error, a panic, a deadline, a newer push, the end of the process — the task
//! is completed, put back, buried, or given up to whoever claims it next; it is
//! never lost. Tasks therefore run at least once, and handlers are idempotent.
//!
//! Nothing here knows what a task does, and nothing here polls: a lane sleeps until
//! its [`Bell`] rings or until the store says that something is due.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument as _;

use crate::clock::{Clock, Timestamp};
use crate::flow::run_task::Ended;
use crate::queue::{self, GRACE, LEASE, MAX_ATTEMPTS, RENEW};
use crate::store::{Claim, Lane, Lease, Next, Renewal, Settled, Store, StoreError, Task};
use crate::telemetry::redact;

mod flow;
mod running;

use running::Running;

/// Runs tasks. One value serves all of them at once.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does what the task says. Called again when an earlier call did not end
    /// well, so everything in it must be repeatable. It should look at `stop`
    /// between its steps.
    async fn handle(&self, task: Task, stop: Stop) -> Ended;
}

/// Tells a running task that its result is useless or that the process ends.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Whether to stop.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is asked to stop.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Wakes the lanes. Whoever has queued something rings it.
#[derive(Debug, Clone, Default)]
pub struct Bell {
    plan: Arc<Notify>,
    background: Arc<Notify>,
}

impl Bell {
    /// Makes every lane look at the queue.
    pub fn ring(&self) {
        self.plan.notify_one();
        self.background.notify_one();
    }

    fn of(&self, lane: Lane) -> &Notify {
        match lane {
            Lane::Plan => &self.plan,
            Lane::Background => &self.background,
        }
    }
}

/// How many tasks run at once.
#[derive(Debug, Clone, Copy)]
pub struct Width {
    /// In the plan lane.
    pub plan: usize,
    /// In the background lane.
    pub background: usize,
}

/// Runs the tasks of a store.
#[derive(Clone)]
pub struct Worker {
    /// Where the tasks are.
    pub store: Arc<dyn Store>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who runs them.
    pub handler: Arc<dyn Handler>,
    /// What wakes it.
    pub bell: Bell,
    /// How many it runs at once.
    pub width: Width,
}

/// How long a lane waits after the store refused a claim.
const STORE_PAUSE: Duration = Duration::from_secs(5);

impl Worker {
    /// Runs until `drain` becomes true, and then until everything that was begun
    /// has ended or was put back.
    pub async fn run(&self, drain: watch::Receiver<bool>) {
        let running = Running::default();
        let background = running.clone();
        tokio::join!(
            self.lane((Lane::Plan, self.width.plan), running, drain.clone()),
            self.lane((Lane::Background, self.width.background), background, drain),
        );
    }

    async fn lane(
        &self,
        (lane, width): (Lane, usize),
        begun: Running,
        mut drain: watch::Receiver<bool>,
    ) {
        let mut running = JoinSet::new();
        while !*drain.borrow_and_update() {
            let mut wake = None;
            while running.len() < width {
                match self.claim(lane).await {
                    Claim::Leased(lease) => {
                        let (worker, begun) = (self.clone(), begun.clone());
                        let drain = drain.clone();
                        running.spawn(async move { worker.work(*lease, &begun, drain).await });
                    }
                    Claim::Idle(next) => {
                        wake = next;
                        break;
                    }
                }
            }
            tokio::select! {
                () = self.bell.of(lane).notified() => {}
                () = self.until(wake) => {}
                Some(ended) = running.join_next() => log_lost(ended),
                // An error means that nobody can ask for a drain any more: that is one.
                changed = drain.changed() => if changed.is_err() { break },
            }
        }
        while let Some(ended) = running.join_next().await {
            log_lost(ended);
        }
    }

    async fn claim(&self, lane: Lane) -> Claim {
        let now = self.clock.timestamp();
        match self.store.claim(lane, now, LEASE).await {
            Ok(claim) => claim,
            Err(error) => {
                log_store("claim a task", error);
                Claim::Idle(Some(now.after(STORE_PAUSE)))
            }
        }
    }

    async fn until(&self, moment: Option<Timestamp>) {
        match moment {
            Some(moment) => self.clock.until(moment).await,
            None => std::future::pending().await,
        }
    }

    async fn work(&self, lease: Lease, begun: &Running, drain: watch::Receiver<bool>) {
        let task = &lease.task;
        let span = tracing::info_span!(
            "task",
            task.id = %task.id,
            task.kind = task.task.as_str(),
            task.scope = %task.scope,
            pull.number = task.task.pull().map(|pull| pull.0),
            attempt = task.attempt,
        );
        async {
            // Only a task that takes its process down with it comes here so often.
            let ended = if task.attempt >= MAX_ATTEMPTS {
                Watched::With(Ended::Hopeless(anyhow::anyhow!(
                    "its worker was lost too often"
                )))
            } else {
                self.watch(&lease, begun, drain).await
            };
            if let Err(error) = self.settle(&lease, begun, ended).await {
                // The lease ends by itself, and somebody tries again.
                log_store("settle a task", error);
            }
            self.bell.ring();
        }
        .instrument(span)
        .await;
    }

    /// Runs the handler, renews the lease, and gives up when it must.
    async fn watch(&self, lease: &Lease, begun: &Running, drain: watch::Receiver<bool>) -> Watched {
        let mut drain = Stop(drain);
        let (stop, asked) = watch::channel(false);
        let _begun = begun.begin(&lease.task, stop.clone());
        let handler = Arc::clone(&self.handler);
        let task = lease.task.clone();
        let span = tracing::Span::current();
        let run = async move { handler.handle(task, Stop(asked)).await };
        let mut run = Abort(tokio::spawn(run.instrument(span)));
        let deadline = self
            .clock
            .timestamp()
            .after(queue::deadline(&lease.task.task));
        let mut renewal = self.clock.timestamp().after(RENEW);
        let mut grace = None;
        loop {
            tokio::select! {
                // A deadline and a renewal that fall together must not be settled by chance.
                biased;
                ended = &mut run.0 => return Watched::With(ended.unwrap_or_else(panicked)),
                () = self.clock.until(deadline) => {
                    let error = anyhow::anyhow!("it did not end before its deadline");
                    return Watched::With(Ended::Failed { error, wait: None });
                }
                () = self.until(grace) => return Watched::With(Ended::Stopped),
                () = drain.asked(), if grace.is_none() => {
                    grace = Some(self.clock.timestamp().after(GRACE));
                    stop.send_replace(true);
                }
                () = self.clock.until(renewal) => {
                    renewal = self.clock.timestamp().after(RENEW);
                    match self.renew(lease).await {
                        Renewal::Held(_) => {}
                        Renewal::Superseded(_) => { stop.send_replace(true); }
                        Renewal::Lost => return Watched::Lost,
                    }
                }
            }
        }
    }

    async fn renew(&self, lease: &Lease) -> Renewal {
        let now = self.clock.timestamp();
        match self.store.renew(lease, now, LEASE).await {
            Ok(renewal) => renewal,
            Err(error) => {
                // Two renewals may fail before the lease ends.
                log_store("renew a lease", error);
                Renewal::Held(lease.until)
            }
        }
    }

    async fn settle(
        &self,
        lease: &Lease,
        begun: &Running,
        watched: Watched,
    ) -> Result<(), StoreError> {
        let now = self.clock.timestamp();
        let attempt = lease.task.attempt.saturating_add(1);
        let Watched::With(ended) = watched else {
            tracing::warn!("the lease was lost; whoever has it goes on");
            return Ok(());
        };
        let (next, error) = match ended {
            Ended::Done(then) => {
                let queued = then.clone();
                let settled = self.store.complete(lease, then, now).await?;
                if settled == Settled::Yes {
                    begun.supersede(&queued);
                }
                return log_settled(settled);
            }
            Ended::Failed { error, wait } => {
                (queue::after_failure(attempt, wait, now), Some(error))
            }
            Ended::Hopeless(error) => (Next::Bury, Some(error)),
            Ended::Postponed(moment) => (Next::Postpone(moment), None),
            Ended::Stopped => (Next::Release, None),
        };
        let cause = error.map_or_else(String::new, |error| format!("{error:#}"));
        // It is kept in the store and listed to people.
        let cause = redact(&cause).into_owned();
        match next {
            Next::Bury => tracing::error!(error = cause, "the task became a dead letter"),
            Next::RetryAt { due, .. } => {
                tracing::warn!(error = cause, %due, "the task failed and is tried again");
            }
            Next::Release | Next::Postpone(_) => tracing::debug!("the task was put back"),
        }
        log_settled(self.store.fail(lease, next, &cause, now).await?)
    }
}

/// How the run of a task ended.
enum Watched {
    With(Ended),
    /// Somebody else has the task.
    Lost,
}

/// A running handler that does not outlive whoever watches it.
struct Abort(tokio::task::JoinHandle<Ended>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panicked(error: JoinError) -> Ended {
    let error = match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            anyhow::anyhow!("it panicked: {}", text.unwrap_or("without a message"))
        }
        Err(cancelled) => cancelled.into(),
    };
    Ended::Failed { error, wait: None }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends two arms that can fail")]
fn log_settled(settled: Settled) -> Result<(), StoreError> {
    if settled == Settled::Lost {
        tracing::warn!("the task had been given to somebody else");
    }
    Ok(())
}

fn log_store(what: &str, error: StoreError) {
    let error = anyhow::Error::from(error);
    tracing::error!(error = format!("{error:#}"), "the store did not {what}");
}

fn log_lost(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a worker was lost");
    }
}

#[cfg(test)]
mod tests;
