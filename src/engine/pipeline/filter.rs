//! Does an event start a pipeline, and which of its jobs?
//!
//! Filters are in GitHub's glob dialect:
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet>.
//! Patterns count in their order: a later `!` takes matches out, a later pattern
//! without it brings them back.
//!
//! `No` is only said where GitHub would not start the thing; everything else is
//! `Yes` or `Unknown`, and whoever plans takes both for a start.

use std::collections::BTreeSet;

use super::expression::{self, Expression};
use super::github::event::Occasion;
use super::{
    Action, EventContext, EventKind, Job, JobId, Patterns, Pipeline, Step, Trigger, Truth,
};

mod glob;

pub use glob::matches;

/// GitHub looks at so many changed files only.
const MAX_PATHS: usize = 300;

/// What `pull_request` listens to when no types are named.
const DEFAULT_TYPES: &[&str] = &["opened", "synchronize", "reopened"];

/// Whether a pull starts a pipeline. `changed` are the paths that differ between the
/// merge base and the head; an empty activity is taken for one that starts it.
pub fn starts(pipeline: &Pipeline, context: &EventContext, changed: &[&str]) -> Truth {
    let answers = pipeline.triggers.iter().filter_map(|trigger| {
        let is_pull = matches!(trigger.event, EventKind::Pull | EventKind::PullTarget);
        is_pull.then(|| starts_by(trigger, context, changed))
    });
    answers.fold(Truth::No, either)
}

/// Whether a job of a pipeline starts on an occasion that starts the pipeline: its
/// condition, and the jobs that it needs. A job that needs one that does not start
/// does not start either, unless its condition asks for a status.
pub fn runs(pipeline: &Pipeline, job: &Job, occasion: &Occasion<'_>) -> Truth {
    let scope = occasion.scope();
    let mut seen: BTreeSet<&JobId> = BTreeSet::new();
    let mut open = vec![job];
    let mut answer = Truth::Yes;
    while let Some(next) = open.pop() {
        if !seen.insert(&next.id) {
            continue;
        }
        match condition(next, &scope) {
            Truth::No => return Truth::No,
            Truth::Unknown => answer = Truth::Unknown,
            Truth::Yes => {}
        }
        let asks_status = next
            .condition
            .as_deref()
            .is_some_and(|text| Expression::parse(text).is_ok_and(|parsed| parsed.asks_status()));
        if !asks_status {
            let needed = pipeline.jobs.iter();
            open.extend(needed.filter(|other| next.needs.contains(&other.id)));
        }
    }
    answer
}

/// Where a job runs without the pull, in words for people: `push to main`, `merge
/// queue`, `schedule 0 3 * * *`. Filters and conditions that may keep it from running
/// there are said in brackets. Schedules count for the default branch alone.
///
/// A job of a called workflow also runs where another pipeline calls the same job with
/// the same steps. Where a script of the job runs on pulls and certainly not there, it is
/// no backstop, and neither is a push whose filters leave out all `changed` paths; `None`
/// asks for no pull in particular.
pub fn backstops(
    pipelines: &[Pipeline],
    pipeline: &Pipeline,
    job: &Job,
    (branch, changed): (&str, Option<&[&str]>),
    context: &EventContext,
) -> Vec<String> {
    let mut found = Vec::new();
    for other in pipelines {
        let is_same = other.path == pipeline.path;
        let twins = other.jobs.iter().filter(|twin| {
            if is_same {
                twin.id == job.id
            } else {
                job.caller.is_some()
                    && (&twin.file, twin.line) == (&job.file, job.line)
                    && (&twin.steps, &twin.runner, &twin.env) == (&job.steps, &job.runner, &job.env)
            }
        });
        for twin in twins {
            for trigger in &other.triggers {
                let target = (branch, changed, context);
                if let Some(words) = backstop(other, twin, trigger, target) {
                    let by = format!("{words}, by {}", other.path);
                    found.push(if is_same { words } else { by });
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn starts_by(trigger: &Trigger, context: &EventContext, changed: &[&str]) -> Truth {
    let activity = context.activity.as_ref();
    let is_listened_to = if trigger.types.is_empty() {
        DEFAULT_TYPES.contains(&activity)
    } else {
        trigger.types.iter().any(|kind| kind.as_ref() == activity)
    };
    if !(is_listened_to || activity.is_empty()) {
        return Truth::No;
    }
    let branch = match context.target.as_ref() {
        "" if !trigger.branches.globs.is_empty() => Truth::Unknown,
        target => Truth::from(admits(&trigger.branches, target)),
    };
    both(branch, paths_start(&trigger.paths, changed))
}

/// Whether changed paths pass the filters of a trigger.
fn paths_start(patterns: &Patterns, changed: &[&str]) -> Truth {
    if patterns.globs.is_empty() {
        return Truth::Yes;
    }
    match changed.iter().any(|path| admits(patterns, path)) {
        false => Truth::No,
        true if changed.len() > MAX_PATHS => Truth::Unknown,
        true => Truth::Yes,
    }
}

/// Whether a name passes the patterns; without patterns everything does.
fn admits(patterns: &Patterns, name: &str) -> bool {
    if patterns.globs.is_empty() {
        return true;
    }
    let mut is_in = false;
    for glob in &patterns.globs {
        match glob.strip_prefix('!') {
            Some(glob) if matches(glob, name) => is_in = false,
            None if matches(glob, name) => is_in = true,
            Some(_) | None => {}
        }
    }
    is_in != patterns.ignore
}

fn condition(job: &Job, scope: &expression::Scope) -> Truth {
    let text = job.condition.as_deref();
    text.map_or(Truth::Yes, |text| expression::condition(text, scope))
}

fn backstop(
    pipeline: &Pipeline,
    job: &Job,
    trigger: &Trigger,
    (branch, changed, context): (&str, Option<&[&str]>, &EventContext),
) -> Option<String> {
    match trigger.event {
        EventKind::Push => {
            let is_for_tags = trigger.branches.globs.is_empty() && !trigger.tags.globs.is_empty();
            if is_for_tags || !admits(&trigger.branches, branch) {
                return None;
            }
            if changed.is_some_and(|changed| paths_start(&trigger.paths, changed) == Truth::No) {
                return None;
            }
            let weak = (!trigger.paths.globs.is_empty()).then_some("when its path filter matches");
            let runs = runs_whole(pipeline, job, &Occasion::Push(context, branch));
            said(format!("push to {branch}"), weak, runs)
        }
        // Which branches have a queue stands in no file: only the default one may have it.
        EventKind::Queue if branch == context.default_branch.as_ref() => {
            let runs = runs_whole(pipeline, job, &Occasion::Queue(context, branch));
            let is_for_it = admits(&trigger.branches, branch);
            is_for_it.then(|| said("merge queue".to_owned(), None, runs))?
        }
        EventKind::Schedule if branch == context.default_branch.as_ref() => {
            let mut lines = trigger.types.iter();
            lines.find_map(|cron| {
                let runs = runs_whole(pipeline, job, &Occasion::Schedule(context, cron));
                said(format!("schedule {cron}"), None, runs)
            })
        }
        _ => None,
    }
}

/// Whether a job starts on an occasion, and runs there every script that it runs on pulls.
fn runs_whole(pipeline: &Pipeline, job: &Job, occasion: &Occasion<'_>) -> Truth {
    let (here, there) = (Occasion::Pull(occasion.context()).scope(), occasion.scope());
    let is_left_out = |step: &Step| {
        let text = step.condition.as_deref().unwrap_or("true");
        matches!(step.action, Action::Run { .. })
            && expression::condition(text, &here) != Truth::No
            && expression::condition(text, &there) == Truth::No
    };
    if job.steps.iter().any(is_left_out) {
        return Truth::No;
    }
    runs(pipeline, job, occasion)
}

/// The words of a backstop; none where the job does not run.
fn said(words: String, weak: Option<&str>, runs: Truth) -> Option<String> {
    let unsure = (runs == Truth::Unknown).then_some("when its condition holds");
    let notes: Vec<&str> = weak.into_iter().chain(unsure).collect();
    match (runs, notes.as_slice()) {
        (Truth::No, _) => None,
        (_, []) => Some(words),
        (_, notes) => Some(format!("{words} ({})", notes.join(" and "))),
    }
}

fn either(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
        (Truth::No, Truth::No) => Truth::No,
        _ => Truth::Unknown,
    }
}

fn both(a: Truth, b: Truth) -> Truth {
    !either(!a, !b)
}

#[cfg(test)]
mod tests;
