//! Where a job runs when no pull asks for it: what its files say, and what was seen.
//!
//! A job that is skipped on pulls has to run somewhere else, or a fault that the skip let
//! through is never noticed. Files say where it could run; runs say whether it does. A job
//! with neither is not gated, and the smallest change that gives it one is offered: pushes
//! to the default branch start its workflow too.
//!
//! Nothing here decides whether a job is gated.

use super::history::run::{Attempt, Conclusion, JobRun};
use super::history::shown;
use super::ids::Timestamp;
use super::pipeline::{EventContext, Job, Pipeline, filter};
use super::yaml::{self, Node};

/// What is known of where a job runs anyway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backstop {
    /// Where its files let it run, in words: `push to main`.
    pub declared: Vec<String>,
    /// Where it was last seen to run; `None` when it never was, or no run is known.
    pub seen: Option<Seen>,
}

/// A run of a job that no pull asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What started it, in the forge's word.
    pub event: String,
    /// In which run.
    pub run: u64,
    /// When it ended.
    pub at: Timestamp,
}

/// The events that are no pull's.
const APART: &[&str] = &["push", "merge_group", "schedule"];

/// Where a job runs anyway; `runs` are attempts of any pipeline, in any order.
pub fn of_job(
    pipelines: &[Pipeline],
    (pipeline, job): (&Pipeline, &Job),
    event: &EventContext,
    runs: &[(Attempt, Vec<JobRun>)],
) -> Backstop {
    let branch = &event.default_branch;
    Backstop {
        declared: filter::backstops(pipelines, pipeline, job, (branch, None), event),
        seen: seen((pipeline, job), branch, runs),
    }
}

/// Whether an attempt is one of this pipeline that no pull asked for: on the branch, or in
/// a queue or by a schedule, and never of a fork's head.
pub fn is_apart(attempt: &Attempt, path: &str, branch: &str) -> bool {
    let on_branch = attempt.event != "push" || attempt.branch.as_deref() == Some(branch);
    !attempt.fork
        && on_branch
        && APART.contains(&attempt.event.as_str())
        && attempt.pipeline == path
}

/// The newest run of a job on a branch that no pull asked for. A job that was skipped
/// there has not run, and what a fork's head did is no proof.
fn seen(
    (pipeline, job): (&Pipeline, &Job),
    branch: &str,
    runs: &[(Attempt, Vec<JobRun>)],
) -> Option<Seen> {
    let ended = |row: &JobRun| {
        let ran = matches!(row.conclusion, Conclusion::Success | Conclusion::Failure);
        ran && shown::job_of(pipeline, &row.name).is_some_and(|it| it.id == job.id)
    };
    let is_apart = |attempt| is_apart(attempt, &pipeline.path, branch);
    let apart = runs.iter().filter(|(attempt, _)| is_apart(attempt));
    let rows = apart.flat_map(|(attempt, rows)| rows.iter().map(move |row| (attempt, row)));
    let newest = rows
        .filter(|(_, row)| ended(row))
        .max_by_key(|(_, row)| row.ended);
    newest.map(|(attempt, row)| Seen {
        event: attempt.event.clone(),
        run: attempt.run,
        at: row.ended,
    })
}

/// The workflow file with pushes to a branch among what starts it: the change that gives
/// its jobs a backstop. `None` when pushes start it already, or when its `on` is written in
/// a way that is not changed by machine; all other bytes stay as they are.
pub fn patch(path: &str, text: &str, branch: &str) -> Option<String> {
    let root = yaml::parse_written(path, text).ok()?;
    let on = root.entries()?.iter().find(|entry| &*entry.key == "on")?;
    if events(&on.value)?.contains(&"push") {
        return None;
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = usize::try_from(on.line).ok()?.checked_sub(1)?;
    let line = lines.get(at)?;
    let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let branch = quoted(branch)?;
    let rest = line.trim_end().strip_prefix("on:")?.trim();
    let block =
        |indent: &str| format!("{indent}push:{end}{indent}{indent}branches: [{branch}]{end}");
    let new = if rest.is_empty() {
        let first = lines.get(at + 1..)?.iter();
        let mut first = first.filter(|line| !is_blank(line));
        let first = first.next()?;
        let indent = first.get(..first.len() - first.trim_start().len())?;
        let is_mapping = on.value.entries().is_some();
        (is_mapping && (1..=8).contains(&indent.len()) && !indent.contains('\t'))
            .then(|| format!("{line}{}", block(indent)))?
    } else {
        let is_plain = !rest.contains(['#', '&', '*', '{', '!', '|', '>']);
        let names = events(&on.value).filter(|_| is_plain && on.value.entries().is_none())?;
        let others = names.iter().map(|name| format!("  {name}:{end}"));
        format!("on:{end}{}{}", others.collect::<String>(), block("  "))
    };
    let before = lines.get(..at)?.concat();
    let after = lines.get(at + 1..)?.concat();
    let patched = format!("{before}{new}{after}");
    is_as_meant(path, &patched, &root).then_some(patched)
}

/// The names of the events, in order.
fn events(on: &Node) -> Option<Vec<&str>> {
    if let Some(entries) = on.entries() {
        return Some(entries.iter().map(|entry| entry.key.as_ref()).collect());
    }
    let words = on.words();
    (!words.is_empty()).then_some(words)
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// A branch as it stands in a list; quoted where it must be.
fn quoted(branch: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
    let begins = branch.starts_with(|c: char| c.is_ascii_alphabetic());
    match branch {
        "" => None,
        // Words that YAML may take for something else.
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n" => {
            Some(format!("'{branch}'"))
        }
        _ if begins && branch.chars().all(is_plain) => Some(branch.to_owned()),
        _ if branch.contains(char::is_control) => None,
        _ => Some(format!("'{}'", branch.replace('\'', "''"))),
    }
}

/// Whether the new file has the same keys, and one event more.
fn is_as_meant(path: &str, patched: &str, before: &Node) -> bool {
    let Ok(after) = yaml::parse_written(path, patched) else {
        return false;
    };
    let keys = |root: &Node| {
        let entries = root.entries().unwrap_or_default().iter();
        entries.map(|entry| entry.key.clone()).collect::<Vec<_>>()
    };
    let of = |root: &Node| {
        let names = root.get("on").and_then(events).unwrap_or_default();
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort();
        names
    };
    let mut wanted = of(before);
    wanted.push("push".to_owned());
    wanted.sort();
    keys(before) == keys(&after) && of(&after) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::{read, snapshot_of};

    const PATH: &str = ".github/workflows/ci.yml";
    const JOBS: &str = "jobs:\n  unit:\n    runs-on: x\n    steps: [{run: a}]\n";

    /// The backstop of the one job of a workflow with these events.
    fn backstop(text: &str, runs: &[(Attempt, Vec<JobRun>)]) -> Backstop {
        let pipelines = read(&snapshot_of(&[(PATH, text)]));
        let pipeline = &pipelines[0];
        of_job(
            &pipelines,
            (pipeline, &pipeline.jobs[0]),
            &EventContext::sample(),
            runs,
        )
    }

    /// What stands at the place of `on` after the patch; it gives a backstop.
    fn check(on: &str, expected: Option<&str>) {
        let text = format!("name: CI\n{on}{JOBS}");
        let patched = patch(PATH, &text, "main");
        let wanted = expected.map(|on| format!("name: CI\n{on}{JOBS}"));
        assert_eq!(patched, wanted, "{on}");
        if let Some(patched) = patched {
            assert_eq!(backstop(&patched, &[]).declared, ["push to main"]);
            assert_eq!(patch(PATH, &patched, "main"), None, "once is enough");
        }
    }

    #[test]
    fn pushes_are_added_to_what_starts_a_workflow() {
        check(
            "on: pull_request\n",
            Some("on:\n  pull_request:\n  push:\n    branches: [main]\n"),
        );
        check(
            "on: [pull_request, workflow_dispatch]\n",
            Some("on:\n  pull_request:\n  workflow_dispatch:\n  push:\n    branches: [main]\n"),
        );
        check(
            "on:\n  pull_request:\n    paths: [a/**]\n",
            Some("on:\n  push:\n    branches: [main]\n  pull_request:\n    paths: [a/**]\n"),
        );
        check(
            "on:\n\n    # why\n    pull_request:\n",
            Some("on:\n    push:\n        branches: [main]\n\n    # why\n    pull_request:\n"),
        );
    }

    #[test]
    fn what_is_not_surely_right_is_not_patched() {
        check("on: [push, pull_request]\n", None);
        check(
            "on:\n  push:\n    branches: [next]\n  pull_request:\n",
            None,
        );
        check("on: {pull_request: {}}\n", None);
        check("on: [pull_request] # why\n", None);
        check("on:\n- pull_request\n", None);
        check("'on': pull_request\n", None);
        assert_eq!(patch(PATH, "on: [", "main"), None);
        assert_eq!(patch(PATH, "", "main"), None);
        let text = format!("on: pull_request\n{JOBS}");
        assert_eq!(patch(PATH, &text, ""), None);
        let odd = patch(PATH, &text, "on").unwrap();
        assert!(odd.contains("branches: ['on']"), "{odd}");
        let crlf = patch(PATH, &text.replace('\n', "\r\n"), "main").unwrap();
        assert!(!crlf.replace("\r\n", "").contains('\n'), "{crlf:?}");
    }

    fn run(number: u64, event: &str, branch: &str, fork: bool) -> Attempt {
        Attempt {
            run: number,
            attempt: 1,
            pipeline: PATH.to_owned(),
            event: event.to_owned(),
            head: "a".repeat(40).parse().unwrap(),
            branch: Some(branch.to_owned()),
            fork,
            pulls: Vec::new(),
            created: Timestamp(number),
            started: Timestamp(number),
            updated: Timestamp(number),
            conclusion: Some(Conclusion::Success),
        }
    }

    fn row(of: &Attempt, name: &str, conclusion: Conclusion) -> JobRun {
        JobRun {
            run: of.run,
            attempt: 1,
            id: 1,
            name: name.to_owned(),
            conclusion,
            created: of.created,
            started: of.created,
            ended: of.created,
            labels: Vec::new(),
            runner: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn a_job_was_seen_where_it_ran_and_no_pull_asked_for_it() {
        let text = format!("on: [pull_request, push]\n{JOBS}");
        let seen = |runs: &[(Attempt, &str, Conclusion)]| {
            let runs = runs.iter().cloned();
            let runs = runs.map(|(of, name, word)| (of.clone(), vec![row(&of, name, word)]));
            let runs: Vec<_> = runs.collect();
            backstop(&text, &runs)
                .seen
                .map(|seen| (seen.run, seen.event))
        };
        let passed = Conclusion::Success;
        assert_eq!(seen(&[]), None);
        let push = || run(3, "push", "main", false);
        let found = Some((3, "push".to_owned()));
        assert_eq!(seen(&[(push(), "unit", passed)]), found);
        assert_eq!(seen(&[(push(), "unit", Conclusion::Failure)]), found);
        let older = run(2, "schedule", "main", false);
        assert_eq!(
            seen(&[(push(), "unit", passed), (older, "unit", passed)]),
            found
        );
        assert_eq!(seen(&[(push(), "unit", Conclusion::Skipped)]), None);
        assert_eq!(seen(&[(push(), "other", passed)]), None);
        assert_eq!(
            seen(&[(run(3, "push", "topic", false), "unit", passed)]),
            None
        );
        assert_eq!(
            seen(&[(run(3, "push", "main", true), "unit", passed)]),
            None
        );
        assert_eq!(
            seen(&[(run(3, "pull_request", "main", false), "unit", passed)]),
            None
        );
    }
}
