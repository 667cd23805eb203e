//! Which jobs read something, each with how; those of one workflow that read it alike are
//! told together.

use std::collections::BTreeMap;

use super::{count, plain};
use crate::engine::inputs::JobInputs;
use crate::engine::plan::Plan;
use crate::engine::side::Side;

/// The jobs of a plan that read something.
pub(super) struct Readers {
    /// How many of how many jobs do, in words.
    pub(super) many: String,
    /// They, with how each reads it, and those that do not.
    pub(super) told: String,
}

/// Asks each job of a plan how it reads something: `None` when it does not. `what` is what
/// they read, in words: `it`.
pub(super) fn of(
    plan: &Plan,
    side: &Side,
    what: &str,
    how: impl Fn(&JobInputs) -> Option<String>,
) -> Readers {
    let mut read: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut order: Vec<(&str, String)> = Vec::new();
    let mut unread: Vec<String> = Vec::new();
    let mut readers = 0;
    for job in &plan.jobs {
        let Some((_, _, inputs)) = side.survey.find(&job.workflow, &job.job) else {
            continue;
        };
        let Some(how) = how(inputs) else {
            unread.push(plain(&super::name_in(plan, job)));
            continue;
        };
        readers += 1;
        let key = (job.workflow.as_str(), how);
        let jobs = read.entry(key.clone()).or_default();
        if jobs.is_empty() {
            order.push(key);
        }
        jobs.push(&job.job);
    }
    let mut told = Vec::new();
    for key in order {
        let jobs = read.remove(&key).unwrap_or_default();
        let (workflow, how) = key;
        let jobs: Vec<String> = jobs.into_iter().map(plain).collect();
        let workflow = plain(workflow);
        told.push(format!("\n  {} of {workflow}\n{how}", jobs.join(", ")));
    }
    if readers > 0 && !unread.is_empty() {
        unread.dedup();
        told.push(format!("\nNot read by {}.\n", unread.join(", ")));
    }
    Readers {
        many: many((readers, plan.jobs.len()), what),
        told: told.concat(),
    }
}

fn many((readers, all): (usize, usize), what: &str) -> String {
    match readers {
        _ if all == 0 => "no job starts for this pull".to_owned(),
        0 => format!("no job that this pull starts reads {what}"),
        readers if readers == all => format!("every job that this pull starts reads {what}"),
        readers => {
            let all = count(all, "job");
            format!("{readers} of the {all} that this pull starts read {what}")
        }
    }
}
