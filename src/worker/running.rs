//! Which tasks this process has begun, so that a newer push stops an older one now.
//!
//! The store marks a superseded task too, and its worker learns of it when it renews
//! the lease; that is for what another process has queued. What was queued here is
//! known here, and ten seconds of useless work are spared.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::store::{NewTask, Task, TaskKind};

/// The begun tasks by their key. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Begun>>);

type Begun = BTreeMap<String, (TaskKind, watch::Sender<bool>)>;

impl Running {
    /// Notes a task for as long as the answer lives.
    pub(super) fn begin(&self, task: &Task, stop: watch::Sender<bool>) -> Entry {
        let key = task.task.key(&task.scope);
        self.begun().insert(key.clone(), (task.task.clone(), stop));
        Entry {
            running: self.clone(),
            key,
        }
    }

    /// Stops what these tasks make useless.
    pub(super) fn supersede(&self, queued: &[NewTask]) {
        let begun = self.begun();
        for new in queued {
            if let Some((old, stop)) = begun.get(&new.kind.key(&new.scope))
                && old.superseded_by(&new.kind)
            {
                stop.send_replace(true);
            }
        }
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        // One insertion or removal is never half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that is being worked on.
#[derive(Debug)]
pub(super) struct Entry {
    running: Running,
    key: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.running.begun().remove(&self.key);
    }
}
