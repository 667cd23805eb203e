//! How fast a warm plan is, commit by commit: the refresh of the graph, and the whole
//! program.
//!
//! `cargo bench --bench plan -- refresh --repo DIR --last N` brings the graph of each
//! commit's parent up to date with the commit, in this process, and checks some of them
//! against a graph from nothing. `-- plans --repo DIR --last N` runs `trimtab plan` on
//! each commit, from the oldest on, with the cache that the plans before left behind,
//! and checks some of them against a plan with an empty cache. `--turbo FILE`, `--nx
//! FILE` and `--grimp PYTHON PACKAGE` time a peer on the same checkout in the same run.
//! `-- synthetic --dir DIR --files N` writes a workspace to measure on.
//!
//! It fails when an answer is not the same, never for being slow.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "graph/numbers.rs"]
mod numbers;
#[path = "plan/peers.rs"]
mod peers;
#[path = "plan/refresh.rs"]
mod refresh;
#[path = "plan/synthetic.rs"]
mod synthetic;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use numbers::{load, percentile};

const USAGE: &str = "usage: cargo bench --bench plan -- refresh|plans --repo DIR --last N [--program FILE] [--turbo FILE] [--nx FILE] [--grimp PYTHON --package NAME] | synthetic --dir DIR --files N";

/// What is measured on.
pub(crate) struct Options {
    pub(crate) repo: PathBuf,
    pub(crate) last: usize,
    pub(crate) program: PathBuf,
    pub(crate) turbo: Option<PathBuf>,
    pub(crate) nx: Option<PathBuf>,
    pub(crate) grimp: Option<PathBuf>,
    pub(crate) package: String,
    pub(crate) files: usize,
}

/// Every so many commits the answer is checked against one from nothing.
pub(crate) const SAMPLE: usize = 20;

fn options(mut words: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut options = Options {
        repo: PathBuf::new(),
        last: 300,
        program: env!("CARGO_BIN_EXE_trimtab").into(),
        turbo: None,
        nx: None,
        grimp: None,
        package: String::new(),
        files: 1_000,
    };
    while let Some(word) = words.next() {
        let next = words.next().context(USAGE)?;
        match word.as_str() {
            "--repo" | "--dir" => options.repo = next.into(),
            "--last" => options.last = next.parse().context("read --last")?,
            "--files" => options.files = next.parse().context("read --files")?,
            "--program" => options.program = PathBuf::from(next).canonicalize()?,
            "--turbo" => options.turbo = Some(PathBuf::from(next).canonicalize()?),
            "--nx" => options.nx = Some(PathBuf::from(next).canonicalize()?),
            // A virtual environment is found by the name of its program.
            "--grimp" => options.grimp = Some(next.into()),
            "--package" => options.package = next,
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    ensure!(!options.repo.as_os_str().is_empty(), USAGE);
    Ok(options)
}

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let what = words.next().unwrap_or_default();
    let options = options(words)?;
    println!("load before: {}", load());
    match what.as_str() {
        "refresh" => refresh::measure(&options)?,
        "plans" => plans(&options)?,
        "synthetic" => synthetic::write(&options.repo, options.files)?,
        _ => bail!(USAGE),
    }
    peers::measure(&options)?;
    println!("load after: {}", load());
    Ok(())
}

/// The last commits along first parents, oldest first.
pub(crate) fn commits(repo: &Path, last: usize) -> anyhow::Result<Vec<String>> {
    let count = format!("--max-count={last}");
    let output = Command::new("git")
        .arg("-C")
        .arg(repo)
        .args(["log", "--first-parent", "--min-parents=1", "--format=%H"])
        .args([&count, "HEAD"])
        .output()?;
    ensure!(output.status.success(), "git log failed");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().rev().map(str::to_owned).collect())
}

/// The whole program on each commit.
fn plans(options: &Options) -> anyhow::Result<()> {
    let room = tempfile::tempdir()?;
    let kept = room.path().join("kept");
    let commits = commits(&options.repo, options.last)?;
    let (first, rest) = commits.split_first().context("there is no commit")?;
    plan(options, first, &kept)?;
    let mut times = Vec::new();
    let mut checked = 0;
    for (at, commit) in rest.iter().enumerate() {
        let (seconds, warm) = plan(options, commit, &kept)?;
        times.push(seconds);
        if at % SAMPLE == 0 {
            let (_, cold) = plan(options, commit, &room.path().join(format!("cold-{at}")))?;
            ensure!(warm == cold, "the plan of {commit} depends on the cache");
            checked += 1;
        }
    }
    show("whole plan", &times);
    println!("{checked} of them are equal to the plan with an empty cache");
    Ok(())
}

fn plan(options: &Options, commit: &str, cache: &Path) -> anyhow::Result<(f64, Vec<u8>)> {
    let mut command = Command::new(&options.program);
    command
        .args(["plan", "--quiet", "--format", "json", "--repo"])
        .arg(&options.repo)
        .args(["--base", &format!("{commit}^1"), "--head", commit])
        .env("XDG_CACHE_HOME", cache);
    let begun = Instant::now();
    let output = command.output()?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((seconds, output.stdout))
}

/// Prints the percentiles of times in seconds.
pub(crate) fn show(what: &str, times: &[f64]) {
    let at = |share: f64| percentile(times, share) * 1_000.0;
    println!(
        "{what} ({} times): least {:.0} ms, p50 {:.0} ms, p90 {:.0} ms, p99 {:.0} ms, worst {:.0} ms",
        times.len(),
        at(0.0),
        at(50.0),
        at(90.0),
        at(99.0),
        at(100.0)
    );
}
