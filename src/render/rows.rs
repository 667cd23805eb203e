//! Jobs as rows of a table: which of them share a verdict, and our words for why.
//!
//! A pull that reaches forty jobs reaches most of them by one way. Such jobs share a
//! row, so that a reader sees ways and not repetitions.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::plan::{JobPlan, Reason, ReasonId, Verdict};

/// Jobs with one verdict for one reason.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    names: Vec<String>,
    more: Option<usize>,
    why: Why,
}

/// A verdict with its first reason, in words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Why {
    verdict: &'static str,
    text: String,
    subject: Option<String>,
    chain: Vec<String>,
    backstop: Option<String>,
    otherwise: Option<String>,
}

/// Skips first, then jobs that run for another reason than their own inputs.
pub(super) fn rank(job: &JobPlan) -> u8 {
    let forced = job.reasons.first().is_some_and(|reason| {
        matches!(
            reason.id,
            ReasonId::InputChanged
                | ReasonId::LockChanged
                | ReasonId::DefinitionChanged
                | ReasonId::Asked
        )
    });
    match job.verdict {
        Verdict::Skip | Verdict::Narrow => 0,
        Verdict::Run if forced => 1,
        Verdict::Run => 2,
    }
}

/// Rows in the order of their first job; jobs with the same verdict for the same
/// reason share one, which names at most `names` of them.
pub(super) fn grouped<'a>(jobs: impl Iterator<Item = &'a JobPlan>, names: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut known: BTreeMap<Why, usize> = BTreeMap::new();
    for job in jobs {
        let why = why(job);
        let at = *known.entry(why.clone()).or_insert(rows.len());
        if at == rows.len() {
            rows.push(Row {
                names: Vec::new(),
                more: None,
                why,
            });
        }
        let Some(row) = rows.get_mut(at) else {
            continue;
        };
        if row.names.len() < names {
            row.names.push(name(job));
        } else {
            row.more = Some(row.more.unwrap_or_default() + 1);
        }
    }
    rows
}

fn name(job: &JobPlan) -> String {
    job.leg
        .as_ref()
        .map_or_else(|| job.job.clone(), |leg| format!("{} ({leg})", job.job))
}

fn why(job: &JobPlan) -> Why {
    let reason = job.reasons.first();
    let (text, subject) = reason.map_or_else(Default::default, wording);
    let chain = reason
        .filter(|reason| reason.path.len() > 1)
        .map_or_else(Vec::new, |reason| shorten(&reason.path));
    let is_skip = job.verdict == Verdict::Skip;
    Why {
        verdict: verdict_word(job.verdict),
        text,
        subject: subject.filter(|_| chain.is_empty()),
        chain,
        backstop: job.backstop.clone().filter(|_| is_skip),
        otherwise: is_skip.then(|| job.counterfactual.clone()),
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Run => "run",
        Verdict::Skip => "skip",
        Verdict::Narrow => "narrow",
    }
}

/// A long chain keeps its two ends.
fn shorten(path: &[String]) -> Vec<String> {
    match path {
        [first, second, .., last] if path.len() > 4 => {
            vec![first.clone(), second.clone(), "…".to_owned(), last.clone()]
        }
        path => path.to_vec(),
    }
}

/// Our words for a reason, and the foreign text that belongs beside them.
fn wording(reason: &Reason) -> (String, Option<String>) {
    let subject = reason.subject.clone();
    let ours = |text: &str| (text.to_owned(), None);
    let with = |text: &str| (text.to_owned(), Some(subject.clone()));
    match reason.id {
        ReasonId::InputsEqual
        | ReasonId::TracedInputsEqual
        | ReasonId::NoBackstop
        | ReasonId::JobIsNew => ours(&subject),
        ReasonId::InputChanged => with(""),
        ReasonId::DefinitionChanged => ours("its definition changed"),
        ReasonId::LockChanged => with("package"),
        ReasonId::NeededBy => with("is needed by"),
        ReasonId::NeedsChanged => with("needs"),
        ReasonId::Opaque => with("not understood:"),
        ReasonId::NeverSkipped => with("never skipped:"),
        ReasonId::EverythingRuns => ours("everything runs"),
        ReasonId::Asked => with("asked for by"),
        id => with(id.as_str()),
    }
}
