//! The use cases: each joins forge, store, repository and engine for one purpose.
//!
//! A use case reads state when it runs and never trusts what an event said, so
//! that running it twice, late or out of order gives the same result. It returns
//! what is to be queued next; whoever runs it queues that together with the end
//! of the task.
//!
//! Nothing here speaks HTTP or knows a backend of the store.

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::ids::{PullNumber, RepoKey, Timestamp};
use crate::forge::Forge;
use crate::forge::github::{Heard, Observer};
use crate::store::{NewTask, Scope, Store, TaskKind, keyed};
use crate::telemetry::{Metric, Metrics};

pub mod analyse;
pub mod analyse_pull;
pub mod answer_command;
pub mod backfill;
pub mod ingest_run;
pub mod propose_rewrite;
pub mod publish;
pub mod recover;
pub mod report_pull;
pub mod run_task;
pub mod serve_plan;
pub mod set_mode;
pub mod sync_repo;
pub mod take_delivery;
pub mod tend_tasks;

mod audit_run;
mod checks;
mod savings;
mod tell_skip;

/// What every use case may reach.
#[derive(Clone)]
pub struct Context {
    /// The forge.
    pub forge: Arc<dyn Forge>,
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where mirrors, scratch objects and facts are kept.
    pub mirrors: PathBuf,
    /// Where the pages of this server are, for links.
    pub link_base: Option<String>,
    /// The number of the app whose checks carry the plans.
    pub app: u64,
    /// The login by which people may speak to the bot.
    pub mention: Option<String>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}

/// Counts the requests of a client to its forge.
pub fn counting(metrics: &Arc<Metrics>) -> Observer {
    let metrics = Arc::clone(metrics);
    Arc::new(move |heard: Heard| {
        metrics.add(Metric::ForgeCalls, heard.outcome, 1);
        let whose = heard.installation.map(|it| it.to_string());
        let whose = whose.unwrap_or_else(|| "app".to_owned());
        if let Some(remaining) = heard.remaining {
            metrics.set(Metric::ForgeQuota, &whose, remaining);
        }
    })
}

/// Counts what a store does not do.
pub fn counting_faults(metrics: &Arc<Metrics>) -> keyed::Observer {
    let metrics = Arc::clone(metrics);
    Arc::new(move |operation| metrics.add(Metric::StoreFaults, operation, 1))
}

impl Context {
    /// A task of one repository that is due at once.
    fn task(&self, repo: RepoKey, kind: TaskKind) -> NewTask {
        NewTask {
            scope: Scope::from(repo),
            kind,
            due: self.now(),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.timestamp()
    }

    /// The task that brings what people see of a pull up to date.
    fn report(&self, repo: RepoKey, pull: PullNumber) -> NewTask {
        self.task(repo, TaskKind::ReportPull { pull })
    }
}
