//! A runner that does what the workflow of a pull's merge says, as far as scenarios need.
//!
//! What is skipped follows from state: from the file on the merge, from the machine check
//! that stands on the head when the run begins, and from how needed jobs ended. Of
//! conditions it knows gates and `false`.

use std::collections::{BTreeMap, BTreeSet};

use trimtab::engine::ids::{PullNumber, RepoKey};
use trimtab::engine::plan_line::PlanLine;
use trimtab::engine::yaml::{self, Node};

use super::FakeGithub;
use super::runs::Ran;

/// Seconds that a plan job takes.
pub(crate) const PLAN_SECONDS: u64 = 20;

impl FakeGithub {
    /// Runs the workflow of a pull; each job that runs takes so many seconds. Returns the
    /// number of the run.
    pub(crate) async fn run_workflow(&self, repo: RepoKey, pull: PullNumber, seconds: u64) -> u64 {
        let run = self.start_run(repo, pull);
        let ended = self.execute(repo, pull);
        let jobs: Vec<Ran<'_>> = ended
            .iter()
            .map(|(name, conclusion)| {
                let is_plan = name.starts_with("trimtab plan");
                Ran(
                    name,
                    conclusion,
                    if is_plan { PLAN_SECONDS } else { seconds },
                )
            })
            .collect();
        self.finish_run(repo, run, &jobs).await;
        run
    }

    /// Names and conclusions of the jobs, in the order of the file.
    fn execute(&self, repo: RepoKey, pull: PullNumber) -> Vec<(String, &'static str)> {
        let (text, head) = {
            let model = self.state();
            let of = &model.repos[&repo.repo.0];
            let spec = format!("refs/pull/{pull}/merge:.github/workflows/ci.yml");
            (of.git.text(&spec), of.pulls[&pull.0].head)
        };
        let root = yaml::parse(".github/workflows/ci.yml", &text).unwrap();
        let said = self.check(repo, head, "trimtab/plan");
        let said = said.and_then(|check| check.text).unwrap_or_default();
        let lines = said.lines().filter_map(PlanLine::parse);
        // A line is for the workflow whose key stands in its file, and for this pull.
        let ours = lines.filter(|line| line.pull == pull && text.contains(line.workflow.as_str()));
        let skip: BTreeSet<String> = ours.flat_map(|line| line.skip).collect();
        let mut results: BTreeMap<String, &str> = BTreeMap::new();
        let mut shown = Vec::new();
        for job in root.get("jobs").unwrap().entries().unwrap() {
            let conclusion = conclusion(&job.key, &job.value, (&skip, &results));
            results.insert(job.key.to_string(), conclusion);
            let name = job.value.get("name").and_then(Node::as_str);
            shown.push((name.unwrap_or(&job.key).to_owned(), conclusion));
        }
        shown
    }
}

fn conclusion(
    id: &str,
    job: &Node,
    (skip, results): (&BTreeSet<String>, &BTreeMap<String, &'static str>),
) -> &'static str {
    let needs = job.get("needs").map(Node::words).unwrap_or_default();
    let passed = |need: &&str| results.get(*need).is_none_or(|it| *it == "success");
    let condition = job.get("if").and_then(Node::as_str).unwrap_or_default();
    let is_gated = condition.contains(&format!("'|{id}|'"));
    let others = needs.iter().filter(|need| **need != "trimtab-plan");
    let runs = match condition {
        "false" => false,
        _ if is_gated => !skip.contains(id) && others.copied().all(|need| passed(&need)),
        _ => needs.iter().all(passed),
    };
    if runs { "success" } else { "skipped" }
}
