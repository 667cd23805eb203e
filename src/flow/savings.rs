//! What skipping has saved a repository of late, from the runs that were audited.
//!
//! Of each run the first audited attempt says what was saved, since a later one does not
//! skip it once more; every attempt costs its plan job.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;

use super::Context;
use crate::engine::audit::savings::Savings;
use crate::engine::ids::RepoKey;
use crate::store::RunAudit;

/// How far back it looks, in days.
pub(super) const DAYS: u64 = 30;

/// What was saved in the last [`DAYS`] days.
pub(super) async fn of_late(context: &Context, repo: RepoKey) -> anyhow::Result<Savings> {
    let since = context.now().before(Duration::from_hours(DAYS * 24));
    let audits = context.store.run_audits(repo, since).await;
    Ok(sum(audits.context("read what runs came to")?.iter()))
}

fn sum<'a>(audits: impl Iterator<Item = &'a RunAudit>) -> Savings {
    let mut savings = Savings::default();
    let mut first: BTreeMap<u64, &RunAudit> = BTreeMap::new();
    for audit in audits {
        savings.cost = savings.cost.saturating_add(audit.cost);
        let known = first.entry(audit.run).or_insert(audit);
        if audit.attempt < known.attempt {
            *known = audit;
        }
    }
    for audit in first.into_values() {
        savings.runs += 1;
        savings.skipped += audit.skipped.len() as u64;
        savings.unknown += u64::from(audit.unknown);
        savings.seconds = savings.seconds.saturating_add(audit.saved);
        savings.failed += u64::from(audit.findings.iter().any(|found| found.fails));
    }
    savings
}
