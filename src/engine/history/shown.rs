//! Which job of a pipeline stands behind a name that the forge shows.
//!
//! A forge tells of jobs by the names that people see: with the values of a matrix behind
//! them, with expressions put in, and as `caller / callee` for a called workflow. A name
//! that could be two jobs is none: what is learned of a job, and what is said of it, must
//! be its own.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idname>

use crate::engine::pipeline::expression::{Piece, pieces};
use crate::engine::pipeline::{Job, Leg, Limit, Pipeline, checks};

/// What stands between the name of a caller and that of a called job.
const BELOW: &str = " / ";

/// How well a name fits a job; the better fit wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// Something that only the run knows stands in the name.
    Pattern,
    /// Letter for letter.
    Exact,
}

/// The one job that the forge may show under this name; `None` when there is none, or
/// more than one that fits as well.
pub fn job_of<'a>(pipeline: &'a Pipeline, shown: &str) -> Option<&'a Job> {
    let fitting = pipeline.jobs.iter();
    let mut fitting: Vec<(Fit, &Job)> = fitting
        .filter_map(|job| Some((fit(job, shown)?, job)))
        .collect();
    let best = fitting.iter().map(|(fit, _)| *fit).max()?;
    fitting.retain(|(fit, _)| *fit == best);
    match fitting.as_slice() {
        [(_, job)] => Some(job),
        _ => None,
    }
}

/// The id of the job of the file behind a name: the caller's, for jobs of a called workflow,
/// also where none of them has begun and only the caller is shown.
pub fn file_job_of<'a>(pipeline: &'a Pipeline, shown: &str) -> Option<&'a str> {
    if let Some(job) = job_of(pipeline, shown) {
        return Some(&job.caller.as_ref().unwrap_or(&job.id).0);
    }
    let mut callers = pipeline.jobs.iter().filter_map(|job| {
        let (name, _) = job.name.split_once(BELOW)?;
        Some((job.caller.as_ref()?, name))
    });
    let found = callers.find(|(_, name)| is_part(name, shown));
    found.map(|(id, _)| &*id.0)
}

/// The names under which the legs of a job are shown; `None` when only the run knows.
pub fn legs(job: &Job) -> Option<Vec<String>> {
    let is_open = job.name.contains("${{") || job.caller.is_some() || job.legs.is_empty();
    let name = |leg: &Leg| format!("{} ({})", job.name, leg.name);
    (!is_open).then(|| job.legs.iter().map(name).collect())
}

fn fit(job: &Job, shown: &str) -> Option<Fit> {
    if job.caller.is_none() || shown == &*job.name {
        return own(job, shown);
    }
    // Each part may have the values of its own matrix behind it.
    let (names, parts) = (job.name.split(BELOW), shown.split(BELOW));
    let is_as_deep = names.clone().count() == parts.clone().count();
    let fits = is_as_deep && names.zip(parts).all(|(name, part)| is_part(name, part));
    fits.then_some(Fit::Pattern)
}

/// Whether a name, or a caller's, is shown as this, with a matrix or without.
fn is_part(name: &str, part: &str) -> bool {
    let behind = part.strip_prefix(name);
    let is_leg = |rest: &str| rest.is_empty() || rest.starts_with(" (") && rest.ends_with(')');
    behind.is_some_and(is_leg) || name.contains("${{") && wild(name, part)
}

/// Whether the job's own name fits.
fn own(job: &Job, shown: &str) -> Option<Fit> {
    let name = &*job.name;
    // A job that is skipped before its matrix is known shows its name as it is written.
    if shown == name {
        return Some(Fit::Exact);
    }
    let exact = |leg: &Leg| {
        let inner = shown.strip_prefix(name)?.strip_prefix(" (")?;
        (inner.strip_suffix(')')? == &*leg.name).then_some(Fit::Exact)
    };
    if let Some(fit) = job.legs.iter().find_map(exact) {
        return Some(fit);
    }
    if name.contains("${{") {
        return wild(name, shown).then_some(Fit::Pattern);
    }
    let in_brackets = || Some(shown.strip_prefix(name)?.strip_prefix(" (")?.ends_with(')'));
    let is_matrix = !job.legs.is_empty() || job.limits.contains(&Limit::DynamicMatrix);
    (is_matrix && in_brackets() == Some(true)).then_some(Fit::Pattern)
}

/// Whether a name fits one with expressions, each of which may be anything. Without any
/// fixed letter everything would fit, so nothing does.
fn wild(name: &str, shown: &str) -> bool {
    let pieces = pieces(name);
    let fixed = pieces.iter().any(|piece| match piece {
        Piece::Text(text) => text.chars().any(char::is_alphanumeric),
        Piece::Expression(_) => false,
    });
    fixed && checks::pattern(name).may_be(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::github::read;
    use crate::engine::pipeline::github::snapshot_of;

    /// The id of the job behind a name, in a workflow with these jobs.
    fn check(jobs: &str, names: &[(&str, &str)]) {
        let text = format!("on: pull_request\njobs:\n{jobs}");
        let snapshot = snapshot_of(&[
            (".github/workflows/ci.yml", &text),
            (
                ".github/workflows/called.yml",
                "on: workflow_call\njobs:\n  lint:\n    runs-on: x\n    steps: [{run: a}]\n",
            ),
        ]);
        let pipelines = read(&snapshot);
        let is_ci = |it: &&Pipeline| &*it.path == ".github/workflows/ci.yml";
        let pipeline = pipelines.iter().find(is_ci).unwrap();
        for (shown, expected) in names {
            let job = job_of(pipeline, shown).map_or("", |job| &job.id.0);
            assert_eq!(job, *expected, "{shown}");
        }
    }

    const S: &str = "runs-on: x, steps: [{run: a}]";

    #[test]
    fn a_plain_job_is_shown_by_its_name_or_id() {
        let jobs = format!("  unit: {{{S}}}\n  lint: {{name: Lint it, {S}}}\n");
        check(
            &jobs,
            &[
                ("unit", "unit"),
                ("Lint it", "lint"),
                ("lint", ""),
                ("unit (3)", ""),
            ],
        );
    }

    #[test]
    fn legs_are_shown_in_brackets_and_a_skipped_matrix_without() {
        let matrix = "strategy: {matrix: {py: ['3.11', '3.12'], os: [a, b]}}";
        let dynamic = "strategy: {matrix: '${{ fromJSON(needs.a.outputs.m) }}'}";
        let jobs = format!("  unit: {{{matrix}, {S}}}\n  dyn: {{{dynamic}, {S}}}\n");
        check(
            &jobs,
            &[
                ("unit (3.11, a)", "unit"),
                ("unit", "unit"),
                ("unit (9, z)", "unit"),
                ("dyn (x)", "dyn"),
                ("units (3.11, a)", ""),
            ],
        );
    }

    #[test]
    fn an_expression_in_a_name_stands_for_anything() {
        let matrix = "strategy: {matrix: {py: ['3.11', '3.12']}}";
        let jobs = format!(
            "  unit: {{name: 'Py ${{{{ matrix.py }}}} tests', {matrix}, {S}}}\n  any: {{name: '${{{{ matrix.py }}}}', {matrix}, {S}}}\n"
        );
        check(
            &jobs,
            &[
                ("Py 3.11 tests", "unit"),
                ("Py ${{ matrix.py }} tests", "unit"),
                ("Py 3.11 checks", ""),
                ("3.11", ""),
            ],
        );
    }

    #[test]
    fn a_name_that_could_be_two_jobs_is_none() {
        let matrix = "strategy: {matrix: {py: ['3.11', '3.12']}}";
        let name = "name: 'Py ${{ matrix.py }}'";
        let jobs = format!(
            "  a: {{{name}, {matrix}, {S}}}\n  b: {{{name}, {matrix}, {S}}}\n  c: {{name: Py 9, {S}}}\n"
        );
        check(&jobs, &[("Py 3.11", ""), ("Py 9", "c")]);
    }

    #[test]
    fn a_called_job_is_shown_behind_its_caller() {
        let jobs = format!(
            "  checks: {{uses: ./.github/workflows/called.yml}}\n  named: {{name: lint, {S}}}\n"
        );
        check(
            &jobs,
            &[("checks / lint", "checks / lint"), ("lint", "named")],
        );
    }

    #[test]
    fn a_caller_that_never_began_is_found_by_its_id() {
        let text = "on: pull_request\njobs:\n  checks: {uses: ./.github/workflows/called.yml}\n";
        let called = "on: workflow_call\njobs:\n  lint: {runs-on: x, steps: [{run: a}]}\n";
        let snapshot = snapshot_of(&[
            (".github/workflows/ci.yml", text),
            (".github/workflows/called.yml", called),
        ]);
        let pipelines = read(&snapshot);
        let pipeline = pipelines
            .iter()
            .find(|it| it.path.contains("ci.yml"))
            .unwrap();
        for (shown, expected) in [
            ("checks", Some("checks")),
            ("checks / lint", Some("checks")),
            ("other", None),
        ] {
            assert_eq!(file_job_of(pipeline, shown), expected, "{shown}");
        }
    }
}
