//! What is kept of runs: events and the forge's lists become one history.

use trimtab::engine::history::run::{Attempt, Conclusion, JobRun};
use trimtab::engine::ids::RepoKey;

use super::super::support::bot::Bot;
use super::super::support::github::runs::Ran;
use super::{DOCS, MINUTE, shop};

const CI: &str = ".github/workflows/ci.yml";

/// An attempt of a run that the bot knows as a whole.
async fn known(bot: &Bot, repo: RepoKey, run: u64, attempt: u32) -> (Attempt, Vec<JobRun>) {
    let found = bot.store.attempt(repo, run, attempt).await.unwrap();
    found.unwrap_or_else(|| panic!("run {run} attempt {attempt} is not known"))
}

/// Names, conclusions and seconds of jobs, by name.
fn words(jobs: &[JobRun]) -> Vec<String> {
    let word = |job: &JobRun| format!("{} {} {}", job.name, job.conclusion.as_str(), job.seconds());
    let mut words: Vec<String> = jobs.iter().map(word).collect();
    words.sort();
    words
}

/// Seconds that a job of the shop took, by what was learned.
async fn learned(bot: &Bot, repo: RepoKey, name: &str) -> Vec<u64> {
    let times = bot.store.times(repo).await.unwrap();
    let samples = times.get(CI).and_then(|times| times.names.get(name));
    let samples = samples.into_iter().flatten();
    samples.map(|sample| sample.seconds).collect()
}

async fn finish(bot: Bot, repo: RepoKey) {
    bot.pass(MINUTE).await;
    let pulls: Vec<u64> = bot.github.state().repos[&repo.repo.0]
        .pulls
        .keys()
        .copied()
        .collect();
    for pull in pulls {
        bot.said(repo, trimtab::engine::ids::PullNumber(pull));
    }
    bot.finish().await;
}

#[tokio::test]
async fn a_run_that_ended_is_kept_with_its_jobs() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let run = bot.github.start_run(repo, pull);
    let jobs = [Ran("test", "success", 90), Ran("docs", "failure", 10)];
    bot.github.finish_run(repo, run, &jobs).await;
    bot.settle().await;
    let (attempt, jobs) = known(&bot, repo, run, 1).await;
    assert_eq!(words(&jobs), ["docs failure 10", "test success 90"]);
    assert_eq!(
        (attempt.event.as_str(), attempt.fork),
        ("pull_request", false)
    );
    assert_eq!(
        (attempt.pipeline.as_str(), attempt.pulls.as_slice()),
        (CI, &[pull][..])
    );
    assert_eq!(attempt.conclusion, Some(Conclusion::Failure));
    let test = jobs.iter().find(|job| job.name == "test").unwrap();
    assert_eq!(test.labels, ["ubuntu-24.04"]);
    assert_eq!(test.started.since(test.created).as_secs(), 5, "it waited");
    assert_eq!(test.steps.len(), 2);
    assert_eq!(learned(&bot, repo, "test").await, [90]);
    assert_eq!(learned(&bot, repo, "docs").await, [0; 0], "it did not pass");
    finish(bot, repo).await;
}

#[tokio::test]
async fn events_may_come_twice_late_in_any_order_or_not_at_all() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let run = bot.github.start_push_run(repo, CI, "main");
    let jobs = [Ran("test", "success", 90), Ran("docs", "success", 10)];
    bot.github.end_run(repo, run, &jobs);
    // The run's end comes first, and one job's never.
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    bot.github.announce_job(repo, (run, 1), 0).await;
    bot.github.announce_job(repo, (run, 1), 0).await;
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    let (_, kept) = known(&bot, repo, run, 1).await;
    assert_eq!(words(&kept), ["docs success 10", "test success 90"]);
    assert_eq!(learned(&bot, repo, "test").await, [90]);
    assert_eq!(bot.store.attempts(repo, 10).await.unwrap().len(), 1);
    finish(bot, repo).await;
}

#[tokio::test]
async fn attempts_of_one_run_are_kept_apart() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let run = bot.github.start_push_run(repo, CI, "main");
    let first = [Ran("test", "failure", 40), Ran("docs", "success", 10)];
    bot.github.end_run(repo, run, &first);
    bot.pass(MINUTE).await;
    bot.github.rerun_failed(repo, run);
    bot.github.end_run(repo, run, &[Ran("test", "success", 95)]);
    // The second attempt is heard of first.
    bot.github.announce_run(repo, run, 2).await;
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    let (attempt, jobs) = known(&bot, repo, run, 1).await;
    assert_eq!(words(&jobs), ["docs success 10", "test failure 40"]);
    assert_eq!(attempt.conclusion, Some(Conclusion::Failure));
    let (attempt, jobs) = known(&bot, repo, run, 2).await;
    assert_eq!(words(&jobs), ["docs success 10", "test success 95"]);
    assert_eq!(attempt.conclusion, Some(Conclusion::Success));
    assert_eq!(learned(&bot, repo, "docs").await, [10], "it ran once");
    assert_eq!(learned(&bot, repo, "test").await, [95]);
    finish(bot, repo).await;
}

#[tokio::test]
async fn a_fork_is_kept_as_facts_and_teaches_nothing() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot
        .github
        .open_fork_pull(repo, ("eve", "topic"), DOCS)
        .await;
    bot.settle().await;
    for _ in 0..3 {
        let run = bot.github.start_run(repo, pull);
        bot.github
            .finish_run(repo, run, &[Ran("test", "success", 1)])
            .await;
    }
    bot.settle().await;
    let kept = bot.store.attempts(repo, 10).await.unwrap();
    assert_eq!(kept.len(), 3);
    assert!(
        kept.iter().all(|it| it.fork && it.pulls.is_empty()),
        "{kept:?}"
    );
    assert_eq!(learned(&bot, repo, "test").await, [0; 0]);
    finish(bot, repo).await;
}

#[tokio::test]
async fn a_run_with_many_jobs_is_read_page_by_page() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let run = bot.github.start_push_run(repo, CI, "main");
    let names: Vec<String> = (0..230).map(|at| format!("test ({at})")).collect();
    let jobs: Vec<Ran<'_>> = names.iter().map(|name| Ran(name, "success", 7)).collect();
    bot.github.end_run(repo, run, &jobs);
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    assert_eq!(known(&bot, repo, run, 1).await.1.len(), 230);
    let pages = bot.github.requests();
    assert_eq!(
        pages.iter().filter(|line| line.contains("/jobs?")).count(),
        3
    );
    finish(bot, repo).await;
}

#[tokio::test]
async fn a_run_of_another_repository_is_not_kept() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let other = bot.install("evil/shop", super::SHOP).await;
    let theirs = bot.github.start_push_run(other, CI, "main");
    bot.github
        .end_run(other, theirs, &[Ran("test", "success", 1)]);
    // A delivery of theirs that names a run of ours finds nothing there.
    let ours = bot.github.start_push_run(repo, CI, "main");
    bot.github
        .end_run(repo, ours, &[Ran("test", "success", 90)]);
    let task = trimtab::store::TaskKind::IngestRun {
        run: ours,
        attempt: 1,
    };
    let task = trimtab::store::NewTask {
        scope: other.into(),
        kind: task,
        due: trimtab::engine::ids::Timestamp(0),
    };
    bot.store
        .enqueue(vec![task], trimtab::engine::ids::Timestamp(0))
        .await
        .unwrap();
    bot.settle().await;
    assert_eq!(bot.store.attempts(other, 10).await.unwrap(), []);
    assert_eq!(bot.store.attempts(repo, 10).await.unwrap(), []);
    finish(bot, repo).await;
}
