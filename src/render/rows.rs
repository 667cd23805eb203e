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

/// Where a job stands in the table: 0 for skips, 1 for jobs that the change reaches or
/// that somebody asked for, 2 for jobs that run whatever changed.
pub(super) fn rank(job: &JobPlan) -> u8 {
    let reached = job.reasons.first().is_some_and(|reason| {
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
        Verdict::Run if reached => 1,
        Verdict::Run => 2,
    }
}

/// Rows in the order of their first job; jobs with the same verdict for the same
/// reason share one, which names at most `names` of them, as `name` calls them.
pub(super) fn grouped<'a>(
    jobs: impl Iterator<Item = &'a JobPlan>,
    names: usize,
    name: impl Fn(&JobPlan) -> String,
) -> Vec<Row> {
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
            row.names.push(with_leg(name(job), job));
        } else {
            row.more = Some(row.more.unwrap_or_default() + 1);
        }
    }
    for row in rows.iter_mut().filter(|row| row.names.len() > 1) {
        row.why.text = of_several(&row.why.text);
    }
    rows
}

fn with_leg(name: String, job: &JobPlan) -> String {
    match &job.leg {
        None => name,
        Some(leg) => format!("{name} ({leg})"),
    }
}

/// How sentences about one job begin, and about several.
const SEVERAL: &[(&str, &str)] = &[
    ("none of its ", "none of their "),
    ("its one ", "their one "),
    ("its definition changed", "their definitions changed"),
    ("it reads nothing", "they read nothing"),
    ("it runs on ", "they run on "),
    (
        "the base does not have this job",
        "the base does not have these jobs",
    ),
    ("is needed by", "are needed by"),
    ("needs", "need"),
    ("never skipped: it reads ", "never skipped: they read "),
    (
        "never skipped: it deploys or publishes",
        "never skipped: they deploy or publish",
    ),
    (
        "never skipped: it may write, or uses ",
        "never skipped: they may write, or use ",
    ),
    (
        "never skipped: it is a security scan",
        "never skipped: they are security scans",
    ),
    ("never skipped: it reports ", "never skipped: they report "),
    (
        "never skipped: another workflow reads its ",
        "never skipped: another workflow reads their ",
    ),
    (
        "never skipped: nothing else would run it",
        "never skipped: nothing else would run them",
    ),
];

/// A sentence about one job, as it is said of several.
fn of_several(text: &str) -> String {
    let said = SEVERAL
        .iter()
        .find_map(|(one, several)| Some(format!("{several}{}", text.strip_prefix(one)?)));
    said.unwrap_or_else(|| text.to_owned())
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

/// Why a job is never skipped, and the place that says so.
fn never(subject: &str) -> (String, Option<String>) {
    let parts = subject.rsplit_once(" (");
    let parts = parts.and_then(|(why, place)| Some((why, place.strip_suffix(')')?)));
    match parts {
        Some((why, place)) => (format!("never skipped: {why}"), Some(place.to_owned())),
        None => (format!("never skipped: {subject}"), None),
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
        ReasonId::NeverSkipped => never(&subject),
        ReasonId::EverythingRuns => ours("everything runs"),
        ReasonId::Asked => with("asked for by"),
        ReasonId::Told => with("a maintainer said so,"),
        ReasonId::OutsideRamp => ours("the ramp does not reach it yet"),
        ReasonId::BasisNotAllowed => ours("the configuration does not let skips rest on this"),
        id => with(id.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, several: &str) {
        assert_eq!(of_several(one), several);
    }

    #[test]
    fn a_sentence_about_one_job_is_said_of_several() {
        check(
            "none of its 40 inferred inputs changed",
            "none of their 40 inferred inputs changed",
        );
        check(
            "its one inferred input did not change",
            "their one inferred input did not change",
        );
        check(
            "it reads nothing of the repository",
            "they read nothing of the repository",
        );
        check(
            "never skipped: it may write, or uses deployment secrets",
            "never skipped: they may write, or use deployment secrets",
        );
        check("needs", "need");
        check("not understood:", "not understood:");
        check("", "");
    }

    #[test]
    fn the_place_of_a_rule_stands_apart_from_our_words() {
        let place = Some("ci.yml:48".to_owned());
        let words = "never skipped: it reads the history".to_owned();
        assert_eq!(never("it reads the history (ci.yml:48)"), (words, place));
        let bare = "never skipped: it waits".to_owned();
        assert_eq!(never("it waits"), (bare, None));
    }
}
