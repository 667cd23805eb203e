//! What a workflow does on an event under a plan: which jobs run, and which checks then
//! report.
//!
//! GitHub's rules of `needs` and status functions, with a third answer where only the run
//! can tell. A world says how jobs end and what they put out; two workflows in one world
//! show what a rewrite changes. It is judged in the test suite against GitHub's own parser
//! and expressions.
//!
//! Nothing here looks at what jobs do.

use std::collections::{BTreeMap, BTreeSet};

use super::Truth;
use super::checks::{CheckName, Checks};
use super::expression::{Expression, Scope, Value};
use super::github;
use crate::engine::yaml::{Entry, Node};

/// A workflow file as far as it decides what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    jobs: Vec<Job>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    /// In lower case, as GitHub compares ids.
    id: String,
    needs: Vec<String>,
    condition: Option<Box<str>>,
    checks: Checks,
}

/// What happens around a workflow.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The contexts of the event; `needs` and the statuses are put in here.
    pub scope: Scope,
    /// Whether the run was cancelled.
    pub cancelled: bool,
    /// How jobs end that run, by id in lower case; those that are not named succeed.
    pub results: BTreeMap<String, &'static str>,
    /// What jobs put out, by id in lower case. What is not named is unknown.
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
}

impl World {
    /// The same world with an answer of the plan job: the ids it lets skip. `None` for a
    /// plan job that was lost and says nothing.
    #[must_use]
    pub fn with_plan(mut self, job: &str, skip: Option<&[String]>) -> Self {
        let words = |ids: &[String]| match ids {
            [] => String::new(),
            ids => format!("|{}|", ids.join("|")),
        };
        let outputs = skip.map(|ids| ("skip".to_owned(), words(ids)));
        if skip.is_none() {
            self.results.insert(job.to_owned(), "failure");
        }
        self.outputs
            .insert(job.to_owned(), outputs.into_iter().collect());
        self
    }
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Whether it ran.
    pub runs: Truth,
    /// How it ended: `success`, `failure`, `cancelled`, `skipped`; `None` if unknown.
    pub result: Option<&'static str>,
}

/// How a check reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Report {
    /// Its job runs.
    Runs,
    /// Its job is skipped, which counts as passed.
    Skipped,
    /// Only the run can tell whether its job is skipped; it reports in any case.
    Either,
    /// Only the run can tell whether it reports.
    Perhaps,
    /// It never reports: whoever requires it waits for ever.
    Never,
}

impl Report {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Skipped => "skipped",
            Self::Either => "runs or is skipped",
            Self::Perhaps => "may not report",
            Self::Never => "does not report",
        }
    }
}

impl Workflow {
    /// Reads a workflow file. `checks` has the names of its jobs by id in lower case; a job
    /// that is not named reports under its own name.
    pub fn read(root: &Node, checks: &BTreeMap<String, Checks>) -> Self {
        let entries = root.get("jobs").and_then(Node::entries).unwrap_or_default();
        Self {
            jobs: entries
                .iter()
                .map(|entry| Job::read(entry, checks))
                .collect(),
        }
    }

    /// What becomes of each job, by id in lower case. Jobs in a circle of needs, or with a
    /// need that does not exist, are left out: GitHub does not start such a workflow.
    pub fn simulate(&self, world: &World) -> BTreeMap<String, Fate> {
        let mut done: BTreeMap<String, Fate> = BTreeMap::new();
        loop {
            let ready = self.jobs.iter().find(|job| {
                !done.contains_key(&job.id) && job.needs.iter().all(|need| done.contains_key(need))
            });
            let Some(job) = ready else { return done };
            let runs = self.starts(job, &done, world);
            let result = match runs {
                Truth::Yes => Some(world.results.get(&job.id).copied().unwrap_or("success")),
                Truth::No => Some("skipped"),
                Truth::Unknown => None,
            };
            done.insert(job.id.clone(), Fate { runs, result });
        }
    }

    /// How every check reports that may be of this workflow.
    pub fn reports(&self, world: &World) -> BTreeMap<CheckName, Report> {
        let outcomes = self.simulate(world);
        let mut found = BTreeMap::new();
        for job in &self.jobs {
            let runs = outcomes.get(&job.id).map_or(Truth::No, |it| it.runs);
            let skipped = CheckName::exact(&job.checks.skipped);
            let names = job.checks.run.iter().chain([&skipped]);
            for name in names {
                let is_always = job.checks.run.contains(name) && *name == skipped;
                let is_of_run = job.checks.run.contains(name);
                let report = match (runs, is_of_run, is_always) {
                    (Truth::Yes, true, _) => Report::Runs,
                    (Truth::No, false, _) | (Truth::No, _, true) => Report::Skipped,
                    (Truth::Yes, false, _) | (Truth::No, true, false) => Report::Never,
                    (Truth::Unknown, _, true) => Report::Either,
                    (Truth::Unknown, ..) => Report::Perhaps,
                };
                let known = found.entry(name.clone()).or_insert(report);
                *known = report.min(*known);
            }
        }
        found
    }

    fn starts(&self, job: &Job, done: &BTreeMap<String, Fate>, world: &World) -> Truth {
        let parsed = job.condition.as_deref().map(Expression::parse);
        let Ok(parsed) = parsed.transpose() else {
            return Truth::Unknown;
        };
        let above = self.above(job);
        let results: Vec<Option<&str>> = above
            .iter()
            .filter_map(|id| done.get(*id))
            .map(|outcome| outcome.result)
            .collect();
        let success = Truth::from(!world.cancelled).and(all(&results, |it| it == "success"));
        let failure = Truth::from(!world.cancelled).and(!all(&results, |it| it != "failure"));
        let Some(parsed) = parsed else {
            return success;
        };
        let scope = world
            .scope
            .clone()
            .with("needs", needs(job, done, world))
            .with_status("success", success)
            .with_status("failure", failure)
            .with_status("cancelled", Truth::from(world.cancelled));
        let holds = parsed.evaluate(&scope).truth();
        if parsed.asks_status() {
            holds
        } else {
            success.and(holds)
        }
    }

    /// Everything that a job needs, directly or not.
    fn above<'a>(&'a self, job: &'a Job) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut open = vec![job];
        while let Some(job) = open.pop() {
            for need in &job.needs {
                if found.insert(need.as_str()) {
                    open.extend(self.jobs.iter().find(|other| other.id == *need));
                }
            }
        }
        found
    }
}

impl Job {
    fn read(entry: &Entry, checks: &BTreeMap<String, Checks>) -> Self {
        let node = &entry.value;
        let id = entry.key.to_ascii_lowercase();
        let needs = node.get("needs").map(Node::words).unwrap_or_default();
        let name = node.get("name").and_then(Node::as_str);
        let own = || Checks::plain(name.unwrap_or(&entry.key));
        Self {
            needs: needs.iter().map(|need| need.to_ascii_lowercase()).collect(),
            condition: github::condition(node.get("if")),
            checks: checks.get(&id).cloned().unwrap_or_else(own),
            id,
        }
    }
}

/// The context `needs` of a job: its direct needs and nothing else.
fn needs(job: &Job, done: &BTreeMap<String, Fate>, world: &World) -> Value {
    let one = |need: &String| -> Option<(String, Value)> {
        let outcome = done.get(need)?;
        let result = outcome.result.map_or(Value::UNKNOWN, Value::text);
        let outputs = match (outcome.result, world.outputs.get(need)) {
            (Some("skipped"), _) => Value::object([]),
            (None, _) | (_, None) => Value::open([]),
            (_, Some(told)) => {
                let told = told.iter();
                Value::object(told.map(|(name, value)| (name.as_str(), Value::text(value))))
            }
        };
        let entries = [("result", result), ("outputs", outputs)];
        Some((need.clone(), Value::object(entries)))
    };
    let entries: Vec<(String, Value)> = job.needs.iter().filter_map(one).collect();
    let entries = entries.iter();
    Value::object(entries.map(|(need, value)| (need.as_str(), value.clone())))
}

/// Whether all results are such, as far as they are known.
fn all(results: &[Option<&str>], such: impl Fn(&str) -> bool) -> Truth {
    let answers = results.iter().map(|result| match result {
        Some(result) => Truth::from(such(result)),
        None => Truth::Unknown,
    });
    answers.fold(Truth::Yes, Truth::and)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::yaml;

    /// What becomes of each job, in the order of their ids.
    fn check(jobs: &str, world: &World, expected: &str) {
        let root = yaml::parse("w.yml", &format!("on: push\njobs:\n{jobs}")).unwrap();
        let outcomes = Workflow::read(&root, &BTreeMap::new()).simulate(world);
        let words = outcomes
            .iter()
            .map(|(id, it)| format!("{id}={}", it.result.unwrap_or("?")));
        assert_eq!(words.collect::<Vec<_>>().join(" "), expected);
    }

    fn failing(job: &str) -> World {
        World {
            results: BTreeMap::from([(job.to_owned(), "failure")]),
            ..World::default()
        }
    }

    const CHAIN: &str = "  a: {}\n  b: {needs: a}\n  c: {needs: B}\n  n: {needs: b, if: failure()}\n  z: {needs: [b], if: always()}\n";

    #[test]
    fn a_job_runs_when_everything_above_it_succeeded() {
        check(
            CHAIN,
            &World::default(),
            "a=success b=success c=success n=skipped z=success",
        );
        check(
            CHAIN,
            &failing("a"),
            "a=failure b=skipped c=skipped n=success z=success",
        );
    }

    #[test]
    fn a_cancelled_run_leaves_only_what_always_runs() {
        let world = World {
            cancelled: true,
            ..World::default()
        };
        check(
            CHAIN,
            &world,
            "a=skipped b=skipped c=skipped n=skipped z=success",
        );
    }

    #[test]
    fn a_skip_above_is_seen_at_any_distance_by_success_alone() {
        let jobs = "  a: {if: false}\n  b: {needs: a, if: '!cancelled()'}\n  c: {needs: b}\n  d: {needs: b, if: \"!cancelled() && needs.b.result == 'success'\"}\n";
        check(
            jobs,
            &World::default(),
            "a=skipped b=success c=skipped d=success",
        );
    }

    #[test]
    fn what_only_the_run_can_tell_stays_unknown() {
        let jobs = "  a: {}\n  b: {needs: a, if: needs.a.outputs.x == 'true'}\n  c: {needs: b}\n  d: {needs: b, if: always()}\n";
        check(jobs, &World::default(), "a=success b=? c=? d=success");
        let mut world = World::default();
        world.outputs.insert(
            "a".to_owned(),
            BTreeMap::from([("x".to_owned(), "true".to_owned())]),
        );
        check(jobs, &world, "a=success b=success c=success d=success");
        world.outputs.insert("a".to_owned(), BTreeMap::new());
        check(jobs, &world, "a=success b=skipped c=skipped d=success");
    }

    #[test]
    fn jobs_in_a_circle_come_to_nothing() {
        check(
            "  a: {needs: b}\n  b: {needs: a}\n  c: {}\n",
            &World::default(),
            "c=success",
        );
    }

    #[test]
    fn a_skipped_matrix_does_not_report_its_legs() {
        let root = yaml::parse(
            "w.yml",
            "on: push\njobs:\n  m: {if: false}\n  u: {if: github.x}\n",
        )
        .unwrap();
        let matrix = Checks {
            run: vec![CheckName::exact("m (1)"), CheckName::exact("m (2)")],
            skipped: "m".into(),
        };
        let checks = BTreeMap::from([("m".to_owned(), matrix)]);
        let reports = Workflow::read(&root, &checks).reports(&World::default());
        let words: Vec<String> = reports
            .iter()
            .map(|(name, it)| format!("{name}: {}", it.as_str()))
            .collect();
        assert_eq!(
            words,
            [
                "m: skipped",
                "m (1): does not report",
                "m (2): does not report",
                "u: runs or is skipped"
            ]
        );
    }
}
