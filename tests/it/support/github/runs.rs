//! Runs of workflows on the fake GitHub: attempts, jobs and their ends.
//!
//! A scenario says how the jobs of an attempt end; the lists that the bot asks for and
//! the webhooks that it gets are both derived from that. A run that is started again keeps
//! its number and lists, beside the jobs that ran again, those that did not.

use serde_json::{Value, json};
use trimtab::clock::Timestamp;
use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};

use super::http::{Incoming, Reply};
use super::model::{Attempt, Level, Model, Run, RunJob};
use super::routes::{Answer, guard, not_found};
use super::{FakeGithub, json as shapes};

const READ: &[(&str, Level)] = &[("actions", Level::Read)];

/// How long a job waits for its runner, in seconds.
const QUEUED: u64 = 5;

/// How many runs a search gives at most.
const SEARCH: usize = 1_000;

/// How a job ended: its name as people see it, its conclusion and its seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran<'a>(pub(crate) &'a str, pub(crate) &'a str, pub(crate) u64);

impl FakeGithub {
    /// A run of the pull's workflow at its present head; returns its number.
    pub(crate) fn start_run(&self, repo: RepoKey, pull: PullNumber) -> u64 {
        let workflow = ".github/workflows/ci.yml";
        let mut model = self.state();
        let of = &model.repos[&repo.repo.0];
        let its = &of.pulls[&pull.0];
        let run = Run {
            number: 0,
            event: "pull_request".to_owned(),
            status: "in_progress".to_owned(),
            head: its.head,
            reference: format!("refs/pull/{pull}/merge"),
            workflow: workflow.to_owned(),
            branch: its.head_ref.clone(),
            head_repo: its.head_repo,
            pull: Some(pull.0),
            created: self.now(),
            attempts: Vec::new(),
        };
        self.begin(&mut model, repo, run)
    }

    /// A run that a push to a branch of the repository has started.
    pub(crate) fn start_push_run(&self, repo: RepoKey, workflow: &str, branch: &str) -> u64 {
        let mut model = self.state();
        let of = &model.repos[&repo.repo.0];
        let run = Run {
            number: 0,
            event: "push".to_owned(),
            status: "in_progress".to_owned(),
            head: of.git.tip(branch),
            reference: format!("refs/heads/{branch}"),
            workflow: workflow.to_owned(),
            branch: branch.to_owned(),
            head_repo: Some(of.id),
            pull: None,
            created: self.now(),
            attempts: Vec::new(),
        };
        self.begin(&mut model, repo, run)
    }

    fn begin(&self, model: &mut Model, repo: RepoKey, run: Run) -> u64 {
        let number = model.fresh_id();
        let of = model.repos.get_mut(&repo.repo.0).unwrap();
        let mut run = Run { number, ..run };
        run.attempts.push(Attempt::begun(self.now()));
        of.runs.insert(number, run);
        number
    }

    fn now(&self) -> u64 {
        self.shared.clock.unix_seconds()
    }

    /// The last attempt of a run ends, and these jobs with it; nobody is told.
    pub(crate) fn end_run(&self, repo: RepoKey, run: u64, jobs: &[Ran<'_>]) {
        let mut model = self.state();
        let ids: Vec<u64> = jobs.iter().map(|_| model.fresh_id()).collect();
        let of = model.repos.get_mut(&repo.repo.0).unwrap();
        let run = of.runs.get_mut(&run).unwrap();
        let number = u32::try_from(run.attempts.len()).unwrap();
        let attempt = run.attempts.last_mut().unwrap();
        for (id, Ran(name, conclusion, seconds)) in ids.into_iter().zip(jobs) {
            let is_skipped = *conclusion == "skipped";
            let waited = if is_skipped { 0 } else { QUEUED };
            let started = attempt.started + waited;
            attempt.jobs.push(RunJob {
                id,
                attempt: number,
                name: (*name).to_owned(),
                conclusion: (*conclusion).to_owned(),
                created: attempt.started,
                started,
                completed: started + if is_skipped { 0 } else { *seconds },
            });
        }
        let ends = attempt.jobs.iter().map(|job| job.completed);
        attempt.updated = ends.max().unwrap_or(attempt.started);
        let worst = ["cancelled", "failure"];
        let worst = worst.iter().find(|word| {
            let mut jobs = attempt.jobs.iter();
            jobs.any(|job| job.conclusion == **word)
        });
        attempt.conclusion = Some((*worst.unwrap_or(&"success")).to_owned());
        "completed".clone_into(&mut run.status);
    }

    /// The same, with the webhooks that follow: one for each job, then the run's.
    pub(crate) async fn finish_run(&self, repo: RepoKey, run: u64, jobs: &[Ran<'_>]) {
        self.end_run(repo, run, jobs);
        let attempt = self.last_attempt(repo, run);
        for at in 0..jobs.len() {
            self.announce_job(repo, (run, attempt), at).await;
        }
        self.announce_run(repo, run, attempt).await;
    }

    /// Somebody starts the failed jobs of a run again; the others are listed again.
    pub(crate) fn rerun_failed(&self, repo: RepoKey, run: u64) {
        let now = self.now();
        let mut model = self.state();
        let ids: Vec<u64> = (0..100).map(|_| model.fresh_id()).collect();
        let of = model.repos.get_mut(&repo.repo.0).unwrap();
        let run = of.runs.get_mut(&run).unwrap();
        let number = u32::try_from(run.attempts.len()).unwrap() + 1;
        let before = run.attempts.last().unwrap().jobs.clone();
        let kept = before.into_iter().filter(|job| job.conclusion != "failure");
        let kept = kept.zip(ids).map(|(job, id)| RunJob {
            id,
            attempt: number,
            ..job
        });
        let mut attempt = Attempt::begun(now);
        attempt.jobs.extend(kept);
        run.attempts.push(attempt);
        "in_progress".clone_into(&mut run.status);
    }

    fn last_attempt(&self, repo: RepoKey, run: u64) -> u32 {
        let model = self.state();
        let run = &model.repos[&repo.repo.0].runs[&run];
        u32::try_from(run.attempts.len()).unwrap()
    }

    /// Announces that an attempt has ended.
    pub(crate) async fn announce_run(&self, repo: RepoKey, run: u64, attempt: u32) {
        let payload = {
            let mut model = self.state();
            let sender = model.user("ann");
            let mut payload = shapes::envelope(&model, repo.repo.0, sender);
            payload["action"] = "completed".into();
            let of = &model.repos[&repo.repo.0];
            payload["workflow_run"] = shown(&model, repo.repo.0, (&of.runs[&run], attempt));
            payload
        };
        self.deliver("workflow_run", payload).await;
    }

    /// Announces that a job of an attempt has ended.
    pub(crate) async fn announce_job(&self, repo: RepoKey, of: (u64, u32), at: usize) {
        let payload = {
            let mut model = self.state();
            let sender = model.user("ann");
            let mut payload = shapes::envelope(&model, repo.repo.0, sender);
            payload["action"] = "completed".into();
            let run = &model.repos[&repo.repo.0].runs[&of.0];
            let jobs = &run.attempts[of.1 as usize - 1].jobs;
            payload["workflow_job"] = job(run, &jobs[at]);
            payload
        };
        self.deliver("workflow_job", payload).await;
    }
}

impl Run {
    /// Moves everything that happened so many seconds back.
    pub(crate) fn shift(&mut self, by: u64) {
        self.created -= by;
        for attempt in &mut self.attempts {
            attempt.started -= by;
            attempt.updated -= by;
            for job in &mut attempt.jobs {
                job.created -= by;
                job.started -= by;
                job.completed -= by;
            }
        }
    }
}

impl Attempt {
    fn begun(at: u64) -> Self {
        Self {
            started: at,
            updated: at,
            conclusion: None,
            jobs: Vec::new(),
        }
    }
}

/// Answers a request below `/actions/runs`.
pub(super) fn answer(model: &Model, request: &Incoming, repo: u64, rest: &[&str]) -> Answer {
    guard(model, request, repo, READ)?;
    let of = &model.repos[&repo];
    let find = |number: &str| {
        let number = number.parse::<u64>().ok();
        number
            .and_then(|number| of.runs.get(&number))
            .ok_or_else(not_found)
    };
    let body = match rest {
        [] => return Ok(list(model, request, repo)),
        [run] => {
            let run = find(run)?;
            let last = u32::try_from(run.attempts.len()).unwrap();
            shown(model, repo, (run, last))
        }
        [run, "attempts", attempt] => {
            let (run, attempt) = (find(run)?, number(attempt)?);
            run.attempts
                .get(attempt as usize - 1)
                .ok_or_else(not_found)?;
            shown(model, repo, (run, attempt))
        }
        [run, "attempts", attempt, "jobs"] => {
            let (run, attempt) = (find(run)?, number(attempt)?);
            let attempt = run.attempts.get(attempt as usize - 1);
            let jobs = &attempt.ok_or_else(not_found)?.jobs;
            let jobs: Vec<Value> = jobs.iter().map(|it| job(run, it)).collect();
            let (page, headers) = super::routes::page(request, &jobs);
            let body = json!({"total_count": jobs.len(), "jobs": page});
            return Ok(Reply {
                status: 200,
                headers,
                body,
            });
        }
        _ => return Err(Reply::fault(599, "the fake GitHub has no such route")),
    };
    Ok(Reply::new(200, body))
}

fn number(text: &str) -> Result<u32, Reply> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(not_found)
}

/// The runs of a search, the newest first; a search gives a thousand and no more.
fn list(model: &Model, request: &Incoming, repo: u64) -> Reply {
    let of = &model.repos[&repo];
    let query = |name: &str| request.query.get(name).map(String::as_str);
    let window = query("created").and_then(|text| {
        let (from, to) = text.split_once("..")?;
        let second = |text| Timestamp::of_text(text).map(Timestamp::seconds);
        Some(second(from)?..=second(to)?)
    });
    let is_wanted = |run: &&Run| {
        let is_in = window
            .as_ref()
            .is_none_or(|window| window.contains(&run.created));
        is_in && query("status").is_none_or(|status| run.status == status)
    };
    let mut found: Vec<&Run> = of.runs.values().filter(is_wanted).collect();
    found.sort_by_key(|run| std::cmp::Reverse((run.created, run.number)));
    let items: Vec<Value> = found
        .iter()
        .take(SEARCH)
        .map(|run| {
            shown(
                model,
                repo,
                (run, u32::try_from(run.attempts.len()).unwrap()),
            )
        })
        .collect();
    let (page, headers) = super::routes::page(request, &items);
    let body = json!({"total_count": found.len(), "workflow_runs": page});
    Reply {
        status: 200,
        headers,
        body,
    }
}

/// An attempt of a run.
fn shown(model: &Model, repo: u64, (run, number): (&Run, u32)) -> Value {
    let of = &model.repos[&repo];
    let attempt = &run.attempts[number as usize - 1];
    let is_last = number as usize == run.attempts.len();
    let status = if is_last {
        run.status.as_str()
    } else {
        "completed"
    };
    let is_fork = run.head_repo != Some(repo);
    let pull = run
        .pull
        .filter(|_| !is_fork)
        .map(|number| &of.pulls[&number]);
    let end = |branch: &str, sha: ObjectId| json!({"ref": branch, "sha": sha.to_string(), "repo": {"id": repo, "name": of.name}});
    let pulls = pull.map(|pull| {
        json!({
            "id": 50_000 + pull.number,
            "number": pull.number,
            "head": end(&pull.head_ref, pull.head),
            "base": end(&pull.base_ref, pull.base),
        })
    });
    let pulls: Vec<Value> = pulls.into_iter().collect();
    // Of a fork the model knows the number and nothing else.
    let head_repo = run.head_repo.map(|id| match model.repos.get(&id) {
        Some(known) => slim(model, known),
        None => json!({"id": id, "name": of.name, "fork": true}),
    });
    json!({
        "id": run.number,
        "name": "CI",
        "node_id": format!("WFR_{}", run.number),
        "path": run.workflow,
        "event": run.event,
        "status": status,
        "conclusion": attempt.conclusion,
        "head_sha": run.head.to_string(),
        "head_branch": run.branch,
        "run_number": 1,
        "run_attempt": number,
        "workflow_id": 77,
        "created_at": shapes::time(run.created),
        "run_started_at": shapes::time(attempt.started),
        "updated_at": shapes::time(attempt.updated),
        "pull_requests": pulls,
        "repository": slim(model, of),
        "head_repository": head_repo,
    })
}

/// A repository inside a run: without what changes.
fn slim(model: &Model, repo: &super::model::Repo) -> Value {
    let mut slim = shapes::repo(model, repo);
    let fields = slim.as_object_mut().unwrap();
    for name in ["archived", "clone_url", "default_branch", "disabled"] {
        fields.remove(name);
    }
    slim
}

fn job(run: &Run, job: &RunJob) -> Value {
    let step = |name: &str, number: u32| {
        json!({
            "name": name,
            "number": number,
            "status": "completed",
            "conclusion": job.conclusion,
            "started_at": shapes::time(job.started),
            "completed_at": shapes::time(job.completed),
        })
    };
    let steps = match job.conclusion.as_str() {
        "skipped" => Vec::new(),
        _ => vec![step("Set up job", 1), step("Run it", 2)],
    };
    json!({
        "id": job.id,
        "run_id": run.number,
        "run_attempt": job.attempt,
        "node_id": format!("CR_{}", job.id),
        "workflow_name": "CI",
        "head_branch": run.branch,
        "head_sha": run.head.to_string(),
        "name": job.name,
        "status": "completed",
        "conclusion": job.conclusion,
        "created_at": shapes::time(job.created),
        "started_at": shapes::time(job.started),
        "completed_at": shapes::time(job.completed),
        "labels": ["ubuntu-24.04"],
        "runner_id": 1,
        "runner_name": "a runner",
        "runner_group_id": 2,
        "runner_group_name": "GitHub Actions",
        "steps": steps,
    })
}
