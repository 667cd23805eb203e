//! Runs that have been, over any backend.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Backend, Keyed};
use crate::engine::history::run::{Attempt, JobRun};
use crate::engine::history::times::Times;
use crate::engine::ids::{ObjectId, RepoKey, Timestamp};
use crate::store::audit;
use crate::store::history::{self, JobHistory};
use crate::store::{Backfill, RunAudit, StoreError};

#[async_trait]
impl<B: Backend> JobHistory for Keyed<B> {
    async fn record_job(
        &self,
        repo: RepoKey,
        job: JobRun,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("record_job", move |draft| {
            history::record_job(draft, repo, job, now)
        })
        .await
    }

    async fn record_attempt(
        &self,
        repo: RepoKey,
        attempt: Attempt,
        jobs: Vec<JobRun>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("record_attempt", move |draft| {
            history::record_attempt(draft, repo, (attempt, jobs), now)
        })
        .await
    }

    async fn attempt(
        &self,
        repo: RepoKey,
        run: u64,
        attempt: u32,
    ) -> Result<Option<(Attempt, Vec<JobRun>)>, StoreError> {
        self.read(move |draft| history::find(draft, repo, (run, attempt)))
            .await
    }

    async fn attempts(&self, repo: RepoKey, limit: usize) -> Result<Vec<Attempt>, StoreError> {
        self.read(move |draft| history::list(draft, repo, limit))
            .await
    }

    async fn times(&self, repo: RepoKey) -> Result<BTreeMap<String, Times>, StoreError> {
        self.read(move |draft| history::times(draft, repo)).await
    }

    async fn append_run_audit(&self, audit: RunAudit) -> Result<bool, StoreError> {
        self.write("append_run_audit", move |draft| {
            audit::append_run(draft, &audit)
        })
        .await
    }

    async fn audits_at(&self, repo: RepoKey, head: ObjectId) -> Result<Vec<RunAudit>, StoreError> {
        self.read(move |draft| audit::of_head(draft, repo, head))
            .await
    }

    async fn run_audits(
        &self,
        repo: RepoKey,
        since: Timestamp,
    ) -> Result<Vec<RunAudit>, StoreError> {
        self.read(move |draft| audit::of_runs(draft, repo, since))
            .await
    }

    async fn backfill(&self, repo: RepoKey) -> Result<Option<Backfill>, StoreError> {
        self.read(move |draft| history::backfill(draft, repo)).await
    }

    async fn set_backfill(&self, backfill: Backfill) -> Result<(), StoreError> {
        self.write("set_backfill", move |draft| {
            history::set_backfill(draft, &backfill)
        })
        .await
    }
}
