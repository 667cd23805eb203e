//! CI files compared by meaning: which jobs a pull changes.
//!
//! A job is forced to run when its expanded definition differs, when it is new, when
//! a job that it needs is so, or when its pipeline listens to one that changed.
//! Callers need no rule of their own: their jobs are expanded. Comments, order and
//! spelling change nothing.
//!
//! Whether a changed file under `.github/` matters otherwise is asked of [`names`].

use std::collections::{BTreeMap, BTreeSet};

use super::{Job, JobId, Pipeline};
use crate::engine::tree::{base_name, dir_of};

/// A job by the path of its pipeline and its id.
pub type Key = (Box<str>, JobId);

/// Why a changed pipeline forces a job to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The job is not on the base.
    IsNew,
    /// Its expanded definition differs.
    Changed,
    /// It needs this job, which is new or differs.
    Needs(JobId),
    /// Its pipeline starts when this one ends, which has jobs that are new, gone or
    /// different.
    ListensTo(Box<str>),
    /// Its pipeline could not be read, before or after.
    Unreadable,
}

/// What differs between the pipelines of two trees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The jobs that are forced, each with its first cause.
    pub forced: BTreeMap<Key, Cause>,
    /// The jobs that are no more.
    pub gone: Vec<Key>,
    /// Pipelines whose triggers or filters differ.
    pub retriggered: Vec<Box<str>>,
}

/// Compares the pipelines of the base with those of the merge.
pub fn compare(base: &[Pipeline], merge: &[Pipeline]) -> Comparison {
    let mut result = Comparison::default();
    let before: BTreeMap<&str, &Pipeline> = base
        .iter()
        .map(|pipeline| (&*pipeline.path, pipeline))
        .collect();
    let mut touched: BTreeSet<&str> = BTreeSet::new();
    for pipeline in merge {
        let old = before.get(&*pipeline.path).copied();
        own_causes(old, pipeline, &mut result);
        needed_causes(pipeline, &mut result);
        if old.is_some_and(|old| old.triggers != pipeline.triggers) {
            result.retriggered.push(pipeline.path.clone());
        }
    }
    let after: BTreeSet<Key> = merge.iter().flat_map(keys).collect();
    result.gone = base.iter().flat_map(keys).collect();
    result.gone.retain(|key| !after.contains(key));
    let changed = result.forced.keys().chain(&result.gone);
    let changed: BTreeSet<Box<str>> = changed.map(|(path, _)| path.clone()).collect();
    touched.extend(changed.iter().map(AsRef::as_ref));
    listeners(merge, base, &touched, &mut result);
    result
}

/// Whether a job names a file under `.github/`: its path, its base name, a directory
/// above it but `.github` itself, or an action that lies around it.
pub fn names(job: &Job, path: &str) -> bool {
    let mut wanted: Vec<&str> = vec![base_name(path)];
    let mut dir = dir_of(path);
    while !matches!(
        dir,
        "" | ".github" | ".github/workflows" | ".github/actions"
    ) {
        wanted.push(dir);
        dir = dir_of(dir);
    }
    job.file.as_ref() == path
        || wanted.iter().any(|name| job.definition.contains(name))
        || job.steps.iter().any(|step| {
            let around = dir_of(&step.file);
            around != ".github/workflows" && path.starts_with(&format!("{around}/"))
        })
}

fn keys(pipeline: &Pipeline) -> impl Iterator<Item = Key> {
    let path = &pipeline.path;
    pipeline
        .jobs
        .iter()
        .map(move |job| (path.clone(), job.id.clone()))
}

fn own_causes(old: Option<&Pipeline>, new: &Pipeline, result: &mut Comparison) {
    let is_readable = |pipeline: &Pipeline| pipeline.diagnostics.is_empty();
    let both_readable = is_readable(new) && old.is_none_or(is_readable);
    let before: BTreeMap<&JobId, &Job> = old
        .into_iter()
        .flat_map(|old| &old.jobs)
        .map(|job| (&job.id, job))
        .collect();
    for job in &new.jobs {
        let cause = match before.get(&job.id) {
            None => Cause::IsNew,
            Some(before) if before.definition != job.definition => Cause::Changed,
            // A file with faults that nobody touched is no reason to run.
            Some(before) if !both_readable && *before != job => Cause::Unreadable,
            Some(_) => continue,
        };
        let key = (new.path.clone(), job.id.clone());
        result.forced.insert(key, cause);
    }
}

/// What needs a forced job is forced: as often as there are new ones.
fn needed_causes(pipeline: &Pipeline, result: &mut Comparison) {
    let key = |id: &JobId| (pipeline.path.clone(), id.clone());
    loop {
        let found: Vec<(Key, Cause)> = pipeline
            .jobs
            .iter()
            .filter(|job| !result.forced.contains_key(&key(&job.id)))
            .filter_map(|job| {
                let mut needs = job.needs.iter();
                let need = needs.find(|need| result.forced.contains_key(&key(need)))?;
                Some((key(&job.id), Cause::Needs(need.clone())))
            })
            .collect();
        if found.is_empty() {
            return;
        }
        result.forced.extend(found);
    }
}

/// Pipelines that listen to a touched one, by its name before or after, and those that
/// listen to them.
fn listeners(
    merge: &[Pipeline],
    base: &[Pipeline],
    touched: &BTreeSet<&str>,
    result: &mut Comparison,
) {
    let mut open: Vec<&str> = touched.iter().copied().collect();
    let mut done: BTreeSet<&str> = touched.clone();
    while let Some(path) = open.pop() {
        let same = base.iter().chain(merge).filter(|one| &*one.path == path);
        let names: BTreeSet<&str> = same.map(|one| one.name.as_ref()).collect();
        for listener in merge {
            let hears = listener.listens_to.iter();
            if !hears.into_iter().any(|name| names.contains(name.as_ref())) {
                continue;
            }
            for key in keys(listener) {
                let cause = Cause::ListensTo(path.into());
                result.forced.entry(key).or_insert(cause);
            }
            if done.insert(&listener.path) {
                open.push(&listener.path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github;

    const A: &str = ".github/workflows/a.yml";
    const B: &str = ".github/workflows/b.yml";

    fn read(files: &[(&str, &str)]) -> Vec<Pipeline> {
        github::read(&github::snapshot_of(files))
    }

    fn check(before: &[(&str, &str)], after: &[(&str, &str)], expected: &str) {
        let found = compare(&read(before), &read(after));
        let mut lines: Vec<String> = found
            .forced
            .iter()
            .map(|((path, id), cause)| format!("{}:{id} {cause:?}", base_name(path)))
            .collect();
        lines.extend(
            found
                .gone
                .iter()
                .map(|(path, id)| format!("-{}:{id}", base_name(path))),
        );
        lines.extend(
            found
                .retriggered
                .iter()
                .map(|path| format!("on {}", base_name(path))),
        );
        assert_eq!(lines.join("; "), expected);
    }

    fn two(first: &str) -> String {
        format!(
            "name: A\non: pull_request\njobs:\n  one: {{runs-on: x, steps: [run: {first}]}}\n  two: {{runs-on: x, steps: [run: b]}}\n  three: {{needs: [one], runs-on: x, steps: [run: c]}}\n"
        )
    }

    #[test]
    fn a_comment_changes_nothing() {
        let text = two("a");
        check(&[(A, &text)], &[(A, &format!("# why\n{text}\n"))], "");
    }

    #[test]
    fn a_changed_job_takes_its_dependants_along() {
        check(
            &[(A, &two("a"))],
            &[(A, &two("z"))],
            "a.yml:one Changed; a.yml:three Needs(JobId(\"one\"))",
        );
    }

    #[test]
    fn new_and_gone_jobs_and_changed_triggers_are_told() {
        let before = "on: push\njobs: {x: {runs-on: x, steps: [run: a]}}";
        let after = "on: pull_request\njobs: {y: {runs-on: x, steps: [run: a]}}";
        check(
            &[(A, before)],
            &[(A, after)],
            "a.yml:y IsNew; -a.yml:x; on a.yml",
        );
    }

    #[test]
    fn a_changed_environment_of_the_file_changes_every_job() {
        let text = two("a");
        let more = text.replace("jobs:", "env: {X: 1}\njobs:");
        check(
            &[(A, &text)],
            &[(A, &more)],
            "a.yml:one Changed; a.yml:three Changed; a.yml:two Changed",
        );
    }

    #[test]
    fn a_pipeline_that_listens_is_forced() {
        let listener =
            "on: {workflow_run: {workflows: [A]}}\njobs: {l: {runs-on: x, steps: [run: d]}}";
        check(
            &[(A, &two("a")), (B, listener)],
            &[(A, &two("a").replace("run: b", "run: bb")), (B, listener)],
            "a.yml:two Changed; b.yml:l ListensTo(\".github/workflows/a.yml\")",
        );
    }

    #[test]
    fn a_called_file_changes_its_callers() {
        let caller = "on: push\njobs: {c: {uses: ./.github/workflows/b.yml}}";
        let callee = "on: workflow_call\njobs: {d: {runs-on: x, steps: [run: e]}}";
        check(
            &[(A, caller), (B, callee)],
            &[(A, caller), (B, &callee.replace("run: e", "run: f"))],
            "a.yml:c / d Changed; b.yml:d Changed",
        );
    }

    #[test]
    fn a_file_matters_to_the_job_that_names_it() {
        let text = "on: push\njobs:\n  s: {runs-on: x, steps: [run: ./.github/scripts/go.sh]}\n  t: {runs-on: x, steps: [uses: ./.github/actions/act]}\n  u: {runs-on: x, steps: [run: make]}\n";
        let action = "runs: {using: composite, steps: [{run: '${{ github.action_path }}/help.sh', shell: sh}]}";
        let pipelines = read(&[(A, text), (".github/actions/act/action.yml", action)]);
        let named = |path: &str| -> String {
            let jobs = pipelines[0].jobs.iter().filter(|job| names(job, path));
            jobs.map(|job| job.id.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(named(".github/scripts/lib/deep.sh"), "s");
        assert_eq!(named(".github/actions/act/help.sh"), "t");
        assert_eq!(named(".github/dependabot.yml"), "");
        assert_eq!(named(".github/workflows/other.yml"), "");
    }
}
