//! What skipping has saved a repository of late, from the runs that were audited.
//!
//! Of each run its last audited attempt counts: it lists the jobs of the earlier ones
//! again, and what was started by hand in between was not saved.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::Context;
use crate::engine::audit::savings::Savings;
use crate::engine::ids::RepoKey;
use crate::store::RunAudit;

/// How far back it looks, in days.
pub(super) const DAYS: u64 = 30;

/// What was saved in the last [`DAYS`] days.
pub(super) async fn of_late(context: &Context, repo: RepoKey) -> anyhow::Result<Savings> {
    let audits = context.store.run_audits(repo).await;
    let audits = audits.context("read what runs came to")?;
    let since = context.now().0.saturating_sub(DAYS * 24 * 60 * 60 * 1_000);
    Ok(sum(audits.iter().filter(|audit| audit.at.0 >= since)))
}

fn sum<'a>(audits: impl Iterator<Item = &'a RunAudit>) -> Savings {
    let mut last: BTreeMap<u64, &RunAudit> = BTreeMap::new();
    for audit in audits {
        let known = last.entry(audit.run).or_insert(audit);
        if known.attempt <= audit.attempt {
            *known = audit;
        }
    }
    let mut savings = Savings::default();
    for audit in last.into_values() {
        savings.runs += 1;
        savings.skipped += audit.skipped.len() as u64;
        savings.unknown += u64::from(audit.unknown);
        savings.seconds = savings.seconds.saturating_add(audit.saved);
        savings.cost = savings.cost.saturating_add(audit.cost);
        savings.failed += u64::from(audit.findings.iter().any(|found| found.fails));
    }
    savings
}
