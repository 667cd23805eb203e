//! Runs that have been, and how long jobs take.

use super::*;
use crate::engine::history::run::{Attempt, Conclusion, JobRun};
use crate::store::history::{ATTEMPTS, KEEP_RUNS, PIPELINES};

/// Run `number`, which began that many seconds after `from`.
fn run(number: u64, from: u64) -> Attempt {
    Attempt {
        run: number,
        attempt: 1,
        pipeline: "ci.yml".to_owned(),
        event: "push".to_owned(),
        head: commit('a'),
        branch: Some("main".to_owned()),
        fork: false,
        pulls: vec![PullNumber(3)],
        created: at(from + number),
        started: at(from + number),
        updated: at(from + number + 60),
        conclusion: Some(Conclusion::Success),
    }
}

fn job(of: &Attempt, id: u64, name: &str) -> JobRun {
    JobRun {
        run: of.run,
        attempt: of.attempt,
        id,
        name: name.to_owned(),
        conclusion: Conclusion::Success,
        created: of.started,
        started: of.started,
        ended: of.updated,
        labels: vec!["x".to_owned()],
        runner: None,
        steps: Vec::new(),
    }
}

async fn record(store: &dyn Store, attempt: &Attempt, now: u64) -> bool {
    let jobs = vec![job(attempt, 1, "test"), job(attempt, 2, "lint")];
    let recorded = store.record_attempt(REPO, attempt.clone(), jobs, at(now));
    recorded.await.unwrap()
}

async fn numbers(store: &dyn Store) -> Vec<u64> {
    let attempts = store.attempts(REPO, usize::MAX).await.unwrap();
    attempts.iter().map(|it| it.run).collect()
}

pub(super) async fn an_attempt_is_kept_once(store: &dyn Store) {
    let attempt = run(7, 0);
    assert_eq!(store.attempt(REPO, 7, 1).await.unwrap(), None);
    // A job may be heard of before its attempt.
    let early = job(&attempt, 1, "test");
    store.record_job(REPO, early, at(100)).await.unwrap();
    assert_eq!(store.attempt(REPO, 7, 1).await.unwrap(), None);
    assert!(record(store, &attempt, 100).await);
    assert!(!record(store, &attempt, 200).await);
    let (found, jobs) = store.attempt(REPO, 7, 1).await.unwrap().unwrap();
    assert_eq!(found, attempt);
    let names: Vec<&str> = jobs.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["test", "lint"]);
    assert_eq!(numbers(store).await, [7]);
    let times = store.times(REPO).await.unwrap();
    assert_eq!(times["ci.yml"].names["test"].len(), 1);
}

pub(super) async fn attempts_are_listed_newest_first(store: &dyn Store) {
    for number in [2, 9, 4] {
        record(store, &run(number, 0), 100).await;
    }
    let second = Attempt {
        attempt: 2,
        started: at(50),
        ..run(4, 0)
    };
    record(store, &second, 100).await;
    assert_eq!(numbers(store).await, [4, 9, 4, 2]);
    assert_eq!(store.attempts(REPO, 2).await.unwrap().len(), 2);
    let other = RepoKey {
        repo: RepoId(43),
        ..REPO
    };
    assert_eq!(store.attempts(other, 10).await.unwrap(), []);
    assert!(store.times(other).await.unwrap().is_empty());
}

pub(super) async fn runs_are_forgotten_by_age_and_what_was_learned_stays(store: &dyn Store) {
    let keep = KEEP_RUNS.as_secs();
    record(store, &run(1, 0), 100).await;
    // A job whose attempt never came.
    let lost = job(&run(5, 0), 9, "test");
    store.record_job(REPO, lost, at(100)).await.unwrap();
    record(store, &run(2, 10 * 86_400), 10 * 86_400 + 100).await;
    let now = at(keep + 2 * 86_400);
    while store.prune(now).await.unwrap() > 0 {}
    assert_eq!(numbers(store).await, [2]);
    assert_eq!(store.attempt(REPO, 1, 1).await.unwrap(), None);
    let times = store.times(REPO).await.unwrap();
    assert_eq!(times["ci.yml"].names["test"].len(), 2);
    // Nothing of the lost job is left: its attempt comes without it.
    let late = run(5, 0);
    let recorded = store.record_attempt(REPO, late, Vec::new(), at(100));
    recorded.await.unwrap();
    let (_, jobs) = store.attempt(REPO, 5, 1).await.unwrap().unwrap();
    assert_eq!(jobs, []);
}

pub(super) async fn what_runs_came_to_is_forgotten_with_them(store: &dyn Store) {
    let seen = RepositoryChange::Seen {
        full_name: "ada/shop".to_owned(),
        default_branch: "main".to_owned(),
    };
    let seen = store.change_repository(REPO, seen, at(1)).await;
    seen.unwrap();
    let audit = |run: u64, seconds: u64| RunAudit {
        repo: REPO,
        run,
        attempt: 1,
        pull: PullNumber(1),
        head: commit('a'),
        pipeline: "ci.yml".to_owned(),
        target: None,
        base: None,
        at: at(seconds),
        findings: Vec::new(),
        skipped: Vec::new(),
        ran: Vec::new(),
        saved: 0,
        unknown: 0,
        cost: 0,
    };
    for (run, seconds) in [(3, 300), (1, 100), (2, 200)] {
        assert!(store.append_run_audit(audit(run, seconds)).await.unwrap());
        assert!(!store.append_run_audit(audit(run, seconds)).await.unwrap());
    }
    let since = async |seconds: u64| -> Vec<u64> {
        let audits = store.run_audits(REPO, at(seconds)).await.unwrap();
        audits.iter().map(|audit| audit.run).collect()
    };
    assert_eq!(since(0).await, [1, 2, 3]);
    assert_eq!(since(200).await, [2, 3]);
    while store.prune(at(KEEP_RUNS.as_secs() + 200)).await.unwrap() > 0 {}
    assert_eq!(since(0).await, [2, 3]);
    assert_eq!(store.audits_at(REPO, commit('a')).await.unwrap().len(), 2);
}

pub(super) async fn the_oldest_attempts_make_room(store: &dyn Store) {
    for number in 1..=ATTEMPTS + 3 {
        let recorded = store.record_attempt(REPO, run(number, 0), Vec::new(), at(9_999));
        recorded.await.unwrap();
    }
    let kept = numbers(store).await;
    assert_eq!(kept.len() as u64, ATTEMPTS);
    assert_eq!(
        (kept.first(), kept.last()),
        (Some(&(ATTEMPTS + 3)), Some(&4))
    );
}

pub(super) async fn durations_are_kept_of_so_many_pipelines(store: &dyn Store) {
    for number in 1..=PIPELINES as u64 + 2 {
        let attempt = Attempt {
            pipeline: format!("{number}.yml"),
            ..run(number, 0)
        };
        record(store, &attempt, 9_999).await;
    }
    let times = store.times(REPO).await.unwrap();
    assert_eq!(times.len(), PIPELINES);
    assert!(times.contains_key("1.yml"), "what is known stays known");
}

pub(super) async fn a_backfill_is_remembered(store: &dyn Store) {
    assert_eq!(store.backfill(REPO).await.unwrap(), None);
    let backfill = Backfill {
        repo: REPO,
        since: at(1),
        begun: at(9),
        reached: at(5),
        attempts: 3,
        jobs: 7,
        done: false,
    };
    store.set_backfill(backfill.clone()).await.unwrap();
    assert_eq!(store.backfill(REPO).await.unwrap(), Some(backfill));
}
