//! How fast the real server is: webhooks under load, the machine check, idle memory.
//!
//! `cargo bench --bench webhook -- [--program FILE] [--deliveries N] [--pulls N]
//! [--pushes N]` starts
//! the program on this machine against the stateful fake forge, which answers every
//! request after 50 ms, and prints a table. It fails when a delivery is lost or a pull
//! gets no check; it never fails for being slow. `--pushes N` also pushes that often,
//! 200 times a minute, to pulls of 100 installations, and measures from each push to its
//! plan line.
//!
//! Nothing leaves this machine, and the load is bounded.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement reads the clock, prints, and stops when it cannot be set up"
)]

#[expect(dead_code, reason = "scenarios need more of it than a measurement")]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use trimtab::engine::ids::{PullNumber, RepoKey};
use trimtab::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER, TARGET_HEADER};
use trimtab::forge::github::signature::{SIGNATURE_HEADER, sign};

use support::github::FakeGithub;
use support::github::model::APP;
use support::process::{PROGRAM, Stage, pause, stop};
use support::repo::Edit;

const USAGE: &str = "usage: cargo bench --bench webhook -- [--program FILE] [--deliveries N] [--rate N] [--pulls N] [--pushes N]";

/// Connections that send at once.
const CONNECTIONS: usize = 32;

/// The size of a webhook's body.
const BODY: usize = 25 * 1024;

/// How long the fake forge takes for an answer.
const PACE: Duration = Duration::from_millis(50);

/// Installations that are pushed to, each with one pull.
const INSTALLATIONS: usize = 100;

/// The time from one push to the next: 200 a minute.
const BETWEEN: Duration = Duration::from_millis(300);

/// How long a pull is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

const WORKFLOW: &str = "\
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: python -m pytest tests
";

type Sender = Client<HttpConnector, Full<Bytes>>;

struct Options {
    program: PathBuf,
    deliveries: usize,
    /// Webhooks a second over all connections; each sends as soon as it may if `None`.
    rate: Option<f64>,
    pulls: usize,
    /// Pushes to pulls of many installations.
    pushes: usize,
}

fn options() -> anyhow::Result<Options> {
    let mut options = Options {
        program: PROGRAM.into(),
        deliveries: 6_400,
        rate: None,
        pulls: 40,
        pushes: 0,
    };
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let next = words.next().context(USAGE)?;
        match word.as_str() {
            "--program" => options.program = next.into(),
            "--deliveries" => options.deliveries = next.parse().context("read --deliveries")?,
            "--rate" => options.rate = Some(next.parse().context("read --rate")?),
            "--pushes" => options.pushes = next.parse().context("read --pushes")?,
            "--pulls" => options.pulls = next.parse().context("read --pulls")?,
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = options()?;
    let stage = Stage::of(options.program.clone()).await;
    let server = stage.serve().await;
    let process = server.id().context("the server has ended")?;
    pause(3_000).await;
    println!("idle server: {:.1} MB", resident(process)?);
    let (repo, pull) = installed(&stage, "acme/shop").await?;
    webhooks(&stage, (repo, pull), &options).await?;
    println!("after that: {:.1} MB", resident(process)?);
    let drained = async || stage.listed().await.is_empty();
    stage.until("every delivery is worked off", drained).await;
    checks(&stage, repo, options.pulls).await?;
    pushes(&stage, options.pushes).await?;
    if stop(server).await != Some(0) {
        bail!("the server ended badly");
    }
    Ok(())
}

/// Sends webhooks over many connections, and prints how long each took: from the moment
/// it was due, where a rate is asked for, so that one that waits for its turn counts as slow.
async fn webhooks(
    stage: &Stage,
    (repo, pull): (RepoKey, PullNumber),
    options: &Options,
) -> anyhow::Result<()> {
    let count = options.deliveries;
    let gap = options.rate.map(|rate| CONNECTIONS as f64 / rate);
    stage.github.comment(repo, pull, "ann", "just words").await;
    let payload = {
        let state = stage.github.state();
        state.deliveries.last().unwrap().payload.clone()
    };
    let body = Bytes::from(padded(payload));
    let signature = sign(&FakeGithub::secret(), &body).context("sign the body")?;
    let started = Instant::now();
    let mut senders = Vec::new();
    for connection in 0..CONNECTIONS {
        let url = format!("http://{}/webhook/github", stage.listen);
        let (body, signature) = (body.clone(), signature.clone());
        senders.push(tokio::spawn(async move {
            let client: Sender = Client::builder(TokioExecutor::new()).build_http();
            let mut times = Vec::new();
            for number in 0..count / CONNECTIONS {
                let request = http::Request::post(&url)
                    .header(EVENT_HEADER, "issue_comment")
                    .header(DELIVERY_HEADER, format!("bench-{connection}-{number}"))
                    .header(TARGET_HEADER, APP.to_string())
                    .header(SIGNATURE_HEADER, &signature)
                    .body(Full::new(body.clone()))?;
                let mut begun = Instant::now();
                if let Some(gap) = gap {
                    let turn = number as f64 + connection as f64 / CONNECTIONS as f64;
                    begun = started + Duration::from_secs_f64(gap * turn);
                    tokio::time::sleep_until(begun.into()).await;
                }
                let status = client.request(request).await?.status();
                times.push(begun.elapsed());
                if status != 202 {
                    bail!("a webhook got {status}");
                }
            }
            Ok(times)
        }));
    }
    let mut times = Vec::new();
    for sender in senders {
        times.extend(sender.await??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    let size = body.len();
    print_times(
        &format!("webhook of {size} bytes, {rate:.0} a second"),
        times,
    );
    Ok(())
}

/// The payload with a text in it that makes it as long as real ones are.
fn padded(mut payload: Value) -> Vec<u8> {
    let length = payload.to_string().len();
    payload["comment"]["body"] = "x".repeat(BODY.saturating_sub(length)).into();
    payload.to_string().into_bytes()
}

/// Opens pulls one after the other, and prints how long each waited for its check.
async fn checks(stage: &Stage, repo: RepoKey, count: usize) -> anyhow::Result<()> {
    stage.github.state().pace = PACE;
    let mut times = Vec::new();
    for number in 0..count {
        let branch = format!("topic-{number}");
        let text = format!("RATE = {number}\n");
        let edits = [Edit::Write("shop/tax.py", &text)];
        // The work of making a pull is not measured: it is announced afterwards.
        stage.github.connect(None);
        let pull = stage.github.open_pull(repo, ("ann", &branch), &edits).await;
        let payload = {
            let state = stage.github.state();
            state.deliveries.last().unwrap().payload.clone()
        };
        stage.github.connect(Some(stage.hook()));
        let begun = Instant::now();
        stage.github.deliver("pull_request", payload).await;
        checked(stage, repo, pull).await?;
        times.push(begun.elapsed());
    }
    print_times("webhook to machine check, forge answers in 50 ms", times);
    Ok(())
}

/// A new installation of one repository, mirrored, with a pull that has its check.
async fn installed(stage: &Stage, path: &str) -> anyhow::Result<(RepoKey, PullNumber)> {
    let edits = [
        Edit::Write(".github/workflows/ci.yml", WORKFLOW),
        Edit::Write("shop/tax.py", "RATE = 0.2\n"),
        Edit::Write("tests/test_tax.py", "from shop import tax\n"),
    ];
    let repo = stage.github.add_repo(path, &edits);
    stage.github.announce_installation(repo, "created").await;
    let mirrored = async || !stage.listed().await.contains("sync");
    stage.until("it is mirrored", mirrored).await;
    let github = &stage.github;
    let pull = github.open_pull(repo, ("ann", "first"), &edits[1..2]).await;
    checked(stage, repo, pull).await?;
    Ok((repo, pull))
}

/// Pushes to pulls of many installations at a steady rate, and prints how long each head
/// waited for its plan line: from the moment the push was due.
async fn pushes(stage: &Stage, count: usize) -> anyhow::Result<()> {
    if count == 0 {
        return Ok(());
    }
    stage.github.state().pace = Duration::ZERO;
    let mut pulls = Vec::new();
    for number in 0..INSTALLATIONS {
        pulls.push(installed(stage, &format!("o{number}/shop")).await?);
    }
    stage.github.state().pace = PACE;
    let started = Instant::now();
    let (mut waiting, mut times) = (Vec::new(), Vec::new());
    let mut pushed = 0;
    while times.len() < count {
        let due = started + BETWEEN * u32::try_from(pushed)?;
        if pushed < count && due <= Instant::now() {
            let (repo, pull) = pulls[pushed % pulls.len()];
            let text = format!("RATE = {pushed}\n");
            let edits = [Edit::Write("shop/tax.py", &text)];
            waiting.push((due, repo, stage.github.push(repo, pull, &edits).await));
            pushed += 1;
        }
        waiting.retain(|(due, repo, head)| {
            let has_line = stage.github.check(*repo, *head, "trimtab/plan").is_some();
            if has_line {
                times.push(due.elapsed());
            }
            !has_line
        });
        if waiting.iter().any(|(due, ..)| due.elapsed() > PATIENCE) {
            bail!("a push gets no plan line; the log:\n{}", stage.log());
        }
        pause(2).await;
    }
    let what = format!(
        "push to plan line, {} a minute over {INSTALLATIONS} installations",
        60_000 / BETWEEN.as_millis()
    );
    print_times(&what, times);
    Ok(())
}

/// Waits for the machine check of a pull.
async fn checked(stage: &Stage, repo: RepoKey, pull: PullNumber) -> anyhow::Result<()> {
    let begun = Instant::now();
    let head = stage.github.state().repos[&repo.repo.0].pulls[&pull.0].head;
    while stage.github.check(repo, head, "trimtab/plan").is_none() {
        if begun.elapsed() > PATIENCE {
            bail!("pull {pull} gets no check; the log:\n{}", stage.log());
        }
        pause(2).await;
    }
    Ok(())
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len() - 1);
        times[place].as_secs_f64() * 1_000.0
    };
    let (count, worst) = (times.len(), at(100));
    println!(
        "{what} ({count} times): p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, worst {worst:.1} ms",
        at(50),
        at(95),
        at(99)
    );
}

/// Megabytes of memory that a process holds.
fn resident(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    let kilobytes: f64 = kilobytes.context("read the memory")?.parse()?;
    Ok(kilobytes / 1_000.0)
}
