//! The gates that a workflow file holds, read back from it, and what a plan lets them skip.
//!
//! What counts is the file that CI will run, not what a rewrite would write today: the key
//! and the gated jobs are taken from its text, and a text whose key does not fit its gated
//! jobs has no gates. A job without a gate runs, whatever a plan says of it, so that all it
//! needs runs as well.
//!
//! Nothing here knows modes, pulls or people.

use std::collections::{BTreeMap, BTreeSet};

use super::{OK_JOB, PLAN_JOB, gate};
use crate::engine::pipeline::aggregate::accepted_skips;
use crate::engine::pipeline::{Job, Pipeline, edit, file_id};
use crate::engine::plan::{JobPlan, Verdict};
use crate::engine::plan_line::WorkflowKey;
use crate::engine::yaml::{Entry, Node};

/// A gated workflow file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gates {
    /// Its path.
    pub path: String,
    /// The key that stands in its plan job.
    pub key: WorkflowKey,
    jobs: Vec<FileJob>,
}

/// A job of the file; ids in lower case, as GitHub compares them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileJob {
    name: String,
    id: String,
    needs: Vec<String>,
    /// Those of them that may be skipped while it runs.
    accepts: Vec<String>,
    gated: bool,
    line: u32,
}

impl Gates {
    /// The gates of a workflow file; `None` when it has none, or when they are not as a
    /// rewrite writes them.
    pub fn read(path: &str, text: &str) -> Option<Self> {
        if !edit::is_marked(text) {
            return None;
        }
        edit::split(text)?;
        let root = super::parse(path, text).ok()?;
        let jobs = root.get("jobs")?;
        let step = jobs.get(PLAN_JOB)?.get("steps")?.items()?.first()?;
        let key = WorkflowKey::parse(step.get("env")?.get("TRIMTAB_WORKFLOW")?.as_str()?)?;
        let is_ours = |job: &&Entry| matches!(job.key.as_ref(), PLAN_JOB | OK_JOB);
        let others = jobs.entries()?.iter().filter(|job| !is_ours(job));
        let jobs: Vec<FileJob> = others.map(FileJob::read).collect();
        let gated: Vec<&str> = jobs
            .iter()
            .filter(|job| job.gated)
            .map(|job| job.name.as_str())
            .collect();
        let fits = !gated.is_empty() && key == WorkflowKey::of(path, &gated);
        fits.then(|| Self {
            path: path.to_owned(),
            key,
            jobs,
        })
    }

    /// The gated jobs, by id in lower case, with their lines in the file.
    pub fn gated(&self) -> impl Iterator<Item = (&str, u32)> {
        let gated = self.jobs.iter().filter(|job| job.gated);
        gated.map(|job| (job.id.as_str(), job.line))
    }

    /// The same, knowing which needs may be skipped while a job runs that sums them up.
    #[must_use]
    pub fn accepting(mut self, pipeline: &Pipeline) -> Self {
        for job in &mut self.jobs {
            let of_it = |it: &&Job| it.file_id() == job.id;
            let mut read = pipeline.jobs.iter().filter(of_it);
            let accepted = read.next().map(accepted_skips).unwrap_or_default();
            let ids = accepted.iter().map(|need| need.0.to_ascii_lowercase());
            job.accepts = ids.collect();
        }
        self
    }

    /// The gated jobs that a plan skips, as a plan line names them: descendants first.
    ///
    /// A job is among them when all its legs, and all jobs of a workflow that it calls,
    /// are skipped, and when no job that runs needs it, directly or not; what a job accepts
    /// as skipped it does not need. Jobs that the plan does not name do not start, and keep
    /// nothing.
    pub fn skips(&self, plan: &[JobPlan]) -> Vec<String> {
        let mut verdicts: BTreeMap<String, bool> = BTreeMap::new();
        for job in plan.iter().filter(|job| job.workflow == self.path) {
            let is_skipped = verdicts.entry(file_id(&job.job)).or_insert(true);
            *is_skipped &= job.verdict == Verdict::Skip;
        }
        self.closed(&verdicts)
    }

    /// The gated jobs of those that are to be skipped, descendants first, without any that a
    /// running one needs. `verdicts` has every job that starts, by id in lower case, and
    /// whether it is to be skipped.
    pub fn closed(&self, verdicts: &BTreeMap<String, bool>) -> Vec<String> {
        let is_skipped = |job: &&FileJob| job.gated && verdicts.get(&job.id) == Some(&true);
        let mut skipped: BTreeSet<&str> = self
            .jobs
            .iter()
            .filter(is_skipped)
            .map(|job| job.id.as_str())
            .collect();
        loop {
            let runs = |job: &&FileJob| {
                verdicts.contains_key(&job.id) && !skipped.contains(job.id.as_str())
            };
            let running = self.jobs.iter().filter(runs);
            let needed: BTreeSet<&str> = running.flat_map(|job| self.needed_by(job)).collect();
            let before = skipped.len();
            skipped.retain(|id| !needed.contains(id));
            if skipped.len() == before {
                return self.descendants_first(&skipped);
            }
        }
    }

    /// What has to run when this job runs. One that sums up runs in any case, so that only
    /// what it does not accept as skipped has to.
    fn needed_by<'a>(&'a self, job: &'a FileJob) -> BTreeSet<&'a str> {
        if job.accepts.is_empty() {
            return self.above(vec![job]);
        }
        let needs = job.needs.iter().filter(|need| !job.accepts.contains(need));
        needs.map(String::as_str).collect()
    }

    /// Everything that these jobs need, directly or not.
    fn above(&self, jobs: Vec<&FileJob>) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = jobs;
        while let Some(job) = open.pop() {
            for need in &job.needs {
                if let Some(needed) = self.jobs.iter().find(|other| other.id == *need)
                    && found.insert(needed.id.as_str())
                {
                    open.push(needed);
                }
            }
        }
        found
    }

    fn descendants_first(&self, skipped: &BTreeSet<&str>) -> Vec<String> {
        let mut left: Vec<&FileJob> = self
            .jobs
            .iter()
            .filter(|job| skipped.contains(job.id.as_str()))
            .collect();
        let above: BTreeMap<&str, BTreeSet<&str>> = left
            .iter()
            .map(|job| (job.id.as_str(), self.above(vec![job])))
            .collect();
        // By how many of those that are left each job is needed.
        let mut needed: BTreeMap<&str, usize> = BTreeMap::new();
        for need in above.values().flatten() {
            *needed.entry(need).or_default() += 1;
        }
        let mut ordered = Vec::new();
        // A job in a circle of needs is never named: its workflow does not run at all.
        while let Some(at) = left
            .iter()
            .position(|job| needed.get(job.id.as_str()).is_none_or(|count| *count == 0))
        {
            let job = left.remove(at);
            for need in above.get(job.id.as_str()).into_iter().flatten() {
                needed.entry(need).and_modify(|count| *count -= 1);
            }
            ordered.push(job.name.clone());
        }
        ordered
    }
}

impl FileJob {
    fn read(entry: &Entry) -> Self {
        let node = &entry.value;
        let needs = node.get("needs").map(Node::words).unwrap_or_default();
        let condition = node.get("if").and_then(Node::as_str).unwrap_or_default();
        let waits = needs.contains(&PLAN_JOB);
        Self {
            name: entry.key.to_string(),
            id: entry.key.to_ascii_lowercase(),
            needs: needs.iter().map(|need| need.to_ascii_lowercase()).collect(),
            accepts: Vec::new(),
            gated: waits && condition.contains(&gate::asks(&entry.key)),
            line: entry.line,
        }
    }
}

/// The lines of the jobs of a file, gated or not, by id in lower case.
pub fn job_lines(path: &str, text: &str) -> BTreeMap<String, u32> {
    let root = super::parse(path, text).ok();
    let jobs = root.as_ref().and_then(|root| root.get("jobs")?.entries());
    let line = |job: &Entry| (job.key.to_ascii_lowercase(), job.line);
    jobs.unwrap_or_default().iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pipeline::rewrite::{Around, Settings, rewrite};

    const PATH: &str = ".github/workflows/ci.yml";
    const S: &str = "    runs-on: x\n    steps: [{run: a}]\n";

    fn gated(jobs: &str) -> String {
        let text = format!("on: [pull_request, push]\njobs:\n{jobs}");
        rewrite(PATH, &text, &Around::default(), &Settings::default()).text
    }

    fn job(name: &str, verdict: Verdict) -> JobPlan {
        JobPlan {
            workflow: PATH.to_owned(),
            workflow_key: None,
            job: name.to_owned(),
            leg: None,
            verdict,
            basis: None,
            reasons: Vec::new(),
            counterfactual: String::new(),
            estimate: None,
            backstop: None,
            narrow: None,
            held_out: None,
        }
    }

    /// What a line would name; `plan` has a `+` before jobs that run.
    fn check(jobs: &str, plan: &[&str], expected: &[&str]) {
        let plan: Vec<JobPlan> = plan
            .iter()
            .map(|name| match name.strip_prefix('+') {
                Some(name) => job(name, Verdict::Run),
                None => job(name, Verdict::Skip),
            })
            .collect();
        let gates = Gates::read(PATH, &gated(jobs)).expect("the file is gated");
        assert_eq!(gates.skips(&plan), expected);
    }

    fn chain() -> String {
        format!(
            "  build:\n{S}  unit:\n    needs: build\n{S}  e2e:\n    needs: [unit, build]\n{S}  lint:\n{S}"
        )
    }

    #[test]
    fn descendants_stand_before_what_they_need() {
        let all = ["build", "unit", "e2e", "lint"];
        check(&chain(), &all, &["e2e", "unit", "build", "lint"]);
    }

    #[test]
    fn what_runs_keeps_everything_above_it() {
        check(&chain(), &["build", "unit", "+e2e", "lint"], &["lint"]);
        check(&chain(), &["build", "+unit", "e2e"], &["e2e"]);
    }

    #[test]
    fn a_job_without_a_gate_runs_whatever_the_plan_says() {
        let jobs = format!(
            "{}  ship:\n    needs: unit\n    environment: live\n{S}",
            chain()
        );
        let plan = ["build", "unit", "e2e", "lint", "ship"];
        check(&jobs, &plan, &["e2e", "lint"]);
        // One that does not start on pulls keeps nothing.
        check(&jobs, &plan[..4], &["e2e", "unit", "build", "lint"]);
    }

    #[test]
    fn a_job_is_skipped_with_all_its_legs_and_callees_or_not_at_all() {
        let jobs = format!("  call:\n    uses: ./.github/workflows/x.yml\n  lint:\n{S}");
        check(&jobs, &["call / a", "+call / b", "lint"], &["lint"]);
        check(&jobs, &["call / a", "call / b", "lint"], &["call", "lint"]);
        check(&jobs, &["lint", "+lint", "call / a"], &["call"]);
    }

    #[test]
    fn a_job_that_sums_up_keeps_only_what_it_does_not_accept() {
        use crate::engine::ids::ObjectId;
        use crate::engine::pipeline::github;
        use crate::engine::tree;
        let sum = |test: &str| {
            format!(
                "{}  ok:\n    needs: [unit, lint]\n    if: always()\n    runs-on: x\n    steps:\n      - if: {test}\n        run: exit 1\n",
                chain()
            )
        };
        let skips = |test: &str| {
            let text = gated(&sum(test));
            let blob = ObjectId::from_bytes(&[1; 20]).unwrap();
            let file = tree::Entry {
                path: PATH.into(),
                mode: tree::Mode::File,
                blob,
            };
            let mut snapshot = tree::Snapshot::new(tree::Tree::new(vec![file]));
            snapshot.insert_text(blob, text.as_str().into());
            let pipelines = github::read(&snapshot);
            let gates = Gates::read(PATH, &text).unwrap().accepting(&pipelines[0]);
            let plan = ["build", "unit", "e2e", "lint"];
            let mut plan: Vec<JobPlan> = plan.iter().map(|name| job(name, Verdict::Skip)).collect();
            plan.push(job("ok", Verdict::Run));
            gates.skips(&plan)
        };
        assert_eq!(
            skips("needs.unit.result == 'failure' || needs.lint.result == 'failure'"),
            ["e2e", "unit", "build", "lint"]
        );
        assert_eq!(
            skips("needs.unit.result != 'success' || needs.lint.result == 'failure'"),
            ["e2e", "lint"]
        );
    }

    #[test]
    fn ids_are_compared_as_github_does_and_named_as_they_stand() {
        check(
            &format!("  Build:\n{S}  unit:\n    needs: BUILD\n{S}"),
            &["Build", "+unit"],
            &[],
        );
        check(&format!("  Build:\n{S}"), &["Build"], &["Build"]);
    }

    #[test]
    fn gates_that_were_tampered_with_are_none() {
        let text = gated(&chain());
        let key = Gates::read(PATH, &text).unwrap().key;
        assert_eq!(
            Gates::read(PATH, &text.replace(key.as_str(), &"0".repeat(32))),
            None
        );
        assert_eq!(
            Gates::read(PATH, &text.replace("'|lint|'", "'|lin|'")),
            None
        );
        assert_eq!(Gates::read("other.yml", &text), None);
        assert_eq!(Gates::read(PATH, &text.replace("# trimtab-end", "#")), None);
        assert_eq!(Gates::read(PATH, "on: push\njobs: {}\n"), None);
    }

    #[test]
    fn jobs_of_another_workflow_say_nothing_here() {
        let mut other = job("lint", Verdict::Run);
        other.workflow = "other.yml".to_owned();
        let gates = Gates::read(PATH, &gated(&chain())).unwrap();
        let plan = [job("lint", Verdict::Skip), other];
        assert_eq!(gates.skips(&plan), ["lint"]);
    }
}
