//! `trimtab backfill`: the runs of the past, read by a server or with a token of one's own.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;
use trimtab::clock::Clock as _;
use trimtab::engine::ids::RepoKey;
use trimtab::flow::tend_tasks::{self, Acted, Order};
use trimtab::store::TaskFilter;

use super::super::support::bot::Bot;
use super::super::support::github::FakeGithub;
use super::super::support::github::model::{FaultKind, Quota};
use super::super::support::github::runs::Ran;
use super::super::support::process::{PROGRAM, Stage, pause};
use super::{DOCS, SHOP, shop};

const CI: &str = ".github/workflows/ci.yml";
const DAY: u64 = 24 * 60 * 60;

/// So many runs of the shop in the past, one every so many seconds, the newest now.
fn runs_before(github: &FakeGithub, repo: RepoKey, count: u64, every: u64) {
    for at in 0..count {
        let run = github.start_push_run(repo, CI, "main");
        let jobs = [Ran("test", "success", 90), Ran("docs", "success", 30)];
        github.end_run(repo, run, &jobs);
        let mut state = github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        of.runs.get_mut(&run).unwrap().shift((at + 1) * every);
    }
}

async fn order(bot: &Bot, days: u64) -> String {
    let now = bot.clock.timestamp();
    let order = Order::Backfill {
        path: "acme/shop".to_owned(),
        since: now.before(Duration::from_secs(days * DAY)).seconds(),
    };
    match tend_tasks::run(bot.store.as_ref(), order, now)
        .await
        .unwrap()
    {
        Acted::Done(line) => line,
        Acted::Refused(why) => panic!("{why}"),
    }
}

/// Lets stretch after stretch run, until there is nothing left.
async fn all_stretches(bot: &Bot) -> usize {
    for stretches in 0..100 {
        bot.settle().await;
        if bot
            .store
            .tasks(TaskFilter::Live, 10)
            .await
            .unwrap()
            .is_empty()
        {
            return stretches;
        }
        bot.pass(Duration::from_secs(150)).await;
    }
    panic!("it does not end: {}", bot.store.dump().await.unwrap());
}

fn asked(github: &FakeGithub, what: &str) -> usize {
    let requests = github.requests();
    requests.iter().filter(|line| line.contains(what)).count()
}

#[tokio::test]
async fn the_bot_reads_the_past_in_stretches_and_plans_with_it() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    runs_before(&bot.github, repo, 150, DAY / 8);
    let line = order(&bot, 30).await;
    assert!(
        line.starts_with("acme/shop: 0 runs and 0 jobs read"),
        "{line}"
    );
    bot.settle().await;
    let first = asked(&bot.github, "/actions/runs");
    assert!(
        (50..=100).contains(&first),
        "{first} requests in one stretch"
    );
    // Who asks again hurries nothing and begins nothing anew.
    let line = order(&bot, 30).await;
    assert!(
        !line.contains(": 0 runs") && !line.contains("done"),
        "{line}"
    );
    bot.settle().await;
    assert_eq!(asked(&bot.github, "/actions/runs"), first);
    assert!(all_stretches(&bot).await >= 1);
    let line = order(&bot, 30).await;
    assert!(
        line.starts_with("acme/shop: 150 runs and 300 jobs read") && line.ends_with(": done\n"),
        "{line}"
    );
    assert_eq!(asked(&bot.github, "/jobs?"), 150, "none was read twice");
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let said = bot.said(repo, pull);
    assert!(said[0].contains("would save about 70 s net"), "{}", said[0]);
    bot.finish().await;
}

#[tokio::test]
async fn a_limit_of_the_forge_is_waited_for_and_nothing_is_lost() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    runs_before(&bot.github, repo, 20, DAY / 8);
    let reset = bot.clock.unix_seconds() + 1_000;
    bot.github.state().quota = Some(Quota { left: 12, reset });
    order(&bot, 30).await;
    bot.settle().await;
    let before = asked(&bot.github, "/actions/runs");
    bot.pass(Duration::from_mins(15)).await;
    assert_eq!(asked(&bot.github, "/actions/runs"), before, "it waits");
    bot.github.state().quota = None;
    bot.pass(Duration::from_secs(200)).await;
    all_stretches(&bot).await;
    assert!(order(&bot, 30).await.contains(": 20 runs and 40 jobs read"));
    assert!(
        asked(&bot.github, "/jobs?") <= 21,
        "one request was refused"
    );
    bot.finish().await;
}

#[tokio::test]
async fn attempts_before_the_last_are_read_too() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let run = bot.github.start_push_run(repo, CI, "main");
    bot.github.end_run(repo, run, &[Ran("test", "failure", 9)]);
    bot.github.rerun_failed(repo, run);
    bot.github.end_run(repo, run, &[Ran("test", "success", 90)]);
    bot.pass(Duration::from_mins(10)).await;
    order(&bot, 1).await;
    all_stretches(&bot).await;
    assert!(order(&bot, 1).await.contains(": 2 runs and 2 jobs"));
    assert!(bot.store.attempt(repo, run, 1).await.unwrap().is_some());
    bot.finish().await;
}

/// A stage with a shop that has a past, and nobody who serves.
async fn stage(runs: u64) -> (Stage, RepoKey) {
    let stage = Stage::set().await;
    let repo = stage.github.add_repo("acme/shop", SHOP);
    runs_before(&stage.github, repo, runs, DAY / 8);
    (stage, repo)
}

fn command(stage: &Stage, token: &str, words: &[&str]) -> Command {
    let endpoint = stage.github.endpoint();
    let mut command = Command::new(PROGRAM);
    command
        .arg("backfill")
        .args(words)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("XDG_CACHE_HOME", stage.data.path().join("cache"))
        .env("DATA_DIR", stage.data.path().join("no-server"))
        .env("GITHUB_URL", endpoint.web.as_str())
        .env("GITHUB_API_URL", endpoint.api.as_str())
        .env("GITHUB_TOKEN", token)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn run(stage: &Stage, token: &str, words: &[&str]) -> Output {
    command(stage, token, words).output().await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn with_a_token_the_past_becomes_a_file_and_says_how_far_it_is() {
    let (stage, repo) = stage(20).await;
    let token = stage.github.reader_token(repo);
    let out = stage.data.path().join("history.json");
    let words = [
        "acme/shop",
        "--since",
        "30d",
        "--out",
        out.to_str().unwrap(),
    ];
    let ended = run(&stage, &token, &words).await;
    let said = text(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert_eq!(text(&ended.stdout), "");
    assert!(said.lines().count() >= 3, "{said}");
    assert!(
        said.contains("note: acme/shop: 20 runs and 40 jobs read"),
        "{said}"
    );
    let history = std::fs::read_to_string(&out).unwrap();
    let known = trimtab::engine::history::History::parse(&history);
    assert!(known.is_ok(), "{known:?}");
    assert!(history.contains("\"seconds\": 90"), "{history}");
    assert!(!history.contains(&token) && !said.contains(&token));
    stage.github.finish();
}

#[tokio::test]
async fn who_was_killed_goes_on_where_they_were() {
    let (stage, repo) = stage(60).await;
    let token = stage.github.reader_token(repo);
    stage.github.state().pace = Duration::from_millis(15);
    let mut kills = 0;
    let last = loop {
        let mut child = command(&stage, &token, &["acme/shop", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let before = asked(&stage.github, "/jobs?");
        while child.try_wait().unwrap().is_none() && asked(&stage.github, "/jobs?") < before + 8 {
            pause(5).await;
        }
        if child.try_wait().unwrap().is_some() {
            break child.wait_with_output().await.unwrap();
        }
        child.kill().await.unwrap();
        kills += 1;
        assert!(kills < 60, "it never ends");
    };
    assert!(kills >= 2, "it was killed {kills} times");
    assert!(last.status.success());
    let history = text(&last.stdout);
    assert_eq!(
        history.matches("\"seconds\": 90").count(),
        50,
        "the newest fifty count"
    );
    let read = asked(&stage.github, "/jobs?");
    // What was asked for when it was killed, and not kept, is asked for again.
    assert!(
        (60..=60 + 2 * kills).contains(&read),
        "{read} for {kills} kills"
    );
    stage.github.finish();
}

#[tokio::test]
async fn a_forge_that_fails_is_asked_again_and_a_limit_is_waited_for() {
    let (stage, repo) = stage(4).await;
    let token = stage.github.reader_token(repo);
    let busy = FaultKind::Answer(503, Vec::new());
    stage.github.fail_next("/jobs?", busy);
    let wait = vec![("retry-after", "1".to_owned())];
    stage
        .github
        .fail_next("created=", FaultKind::Answer(429, wait));
    let ended = run(&stage, &token, &["acme/shop", "--since", "7d"]).await;
    let said = text(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    assert!(said.contains("GitHub is asked again in 1 s"), "{said}");
    assert!(text(&ended.stdout).contains("\"trimtab.history/1\""));
    stage.github.finish();
}

#[tokio::test]
async fn bad_input_is_one_sentence() {
    let (stage, repo) = stage(1).await;
    let token = stage.github.reader_token(repo);
    let cases: [(&[&str], &str, &str); 7] = [
        (&["acme"], &token, "`acme` is not OWNER/NAME"),
        (&["acme/shop/x"], &token, "is not OWNER/NAME"),
        (&["acme/shop?x=1"], &token, "is not OWNER/NAME"),
        (
            &["acme/shop", "--since", "soon"],
            &token,
            "`--since soon` is no span",
        ),
        (
            &["acme/other"],
            &token,
            "GitHub has no repository `acme/other` for this token",
        ),
        (&["acme/shop"], "wrong", "GITHUB_TOKEN is not valid"),
        (&["acme/shop"], "", "GITHUB_TOKEN is not set"),
    ];
    for (words, token, expected) in cases {
        let ended = run(&stage, token, words).await;
        let said = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{words:?}: {said}");
        assert!(said.contains(expected), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{words:?}: {said}");
        assert!(ended.stdout.is_empty());
    }
    stage.github.finish();
}

#[tokio::test]
async fn a_server_reads_when_it_is_asked_through_its_socket() {
    let (stage, repo) = stage(5).await;
    let server = stage.serve().await;
    stage.github.announce_installation(repo, "created").await;
    let settled = async || stage.listed().await.is_empty();
    stage.until("it is mirrored", settled).await;
    let data = stage.data.path().to_str().unwrap().to_owned();
    let words = ["acme/shop", "--since", "7d", "--data-dir", &data];
    let ended = run(&stage, "", &words).await;
    let said = text(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    let told = text(&ended.stdout);
    assert!(
        told.starts_with("acme/shop: 5 runs and 10 jobs read") && told.ends_with(": done\n"),
        "{told}"
    );
    let words = ["acme/unknown", "--data-dir", &data];
    let ended = run(&stage, "", &words).await;
    assert_eq!(ended.status.code(), Some(3));
    assert!(text(&ended.stderr).contains("no repository `acme/unknown` is known"));
    super::super::support::process::stop(server).await;
    stage.github.finish();
}
