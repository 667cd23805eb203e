//! What `trimtab rewrite` does to the workflows of real repositories, and whether anything
//! tells the rewrites from the originals.
//!
//! `cargo bench --bench rewrites -- DIR...` reads `.github` at HEAD of each repository and
//! prints a table: what is gated, and why the rest is not. `--without-backstops` leaves
//! that one reason aside, which half of all files have. `--worlds N` tries each rewrite in
//! so many worlds under GitHub's own parser and expressions, as the test suite does with
//! its corpus. `--list` prints the gated jobs of each file instead.
//!
//! It is taken as known that no check is required, so that no job is refused for that.
//! Nothing is written, and no network is used.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what is tried is shared with the tests, and stops where it cannot go on"
)]

#[path = "../tests/it/pipelines/judge.rs"]
mod judge;
#[path = "../tests/it/pipelines/tried.rs"]
mod tried;
#[path = "../tests/it/pipelines/worlds.rs"]
mod worlds;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tried::{Tried, differences, parse};
use trimtab::engine::pipeline::rewrite::repository::arounds;
use trimtab::engine::pipeline::rewrite::{Done, Refusal, Rewrite, Settings, rewrite};

const USAGE: &str = "usage: cargo bench --bench rewrites -- [--without-backstops] [--worlds N] [--list] DIR... (see the head of benches/rewrites.rs)";

/// What is asked for.
#[derive(Debug, Default)]
struct Wish {
    without_backstops: bool,
    lists: bool,
    worlds: usize,
    dirs: Vec<String>,
}

impl Wish {
    fn read(words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut wish = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                "--without-backstops" => wish.without_backstops = true,
                "--list" => wish.lists = true,
                "--worlds" => {
                    let count = words.next().context(USAGE)?;
                    wish.worlds = count.parse().context("read --worlds")?;
                }
                flag if flag.starts_with('-') => bail!("{flag} is not known\n{USAGE}"),
                dir => wish.dirs.push(dir.to_owned()),
            }
        }
        ensure!(!wish.dirs.is_empty(), USAGE);
        Ok(wish)
    }
}

fn main() -> anyhow::Result<()> {
    // Cargo adds `--bench` to what it hands over.
    let wish = Wish::read(std::env::args().skip(1).filter(|word| word != "--bench"))?;
    let mut sum = Sum::default();
    let mut tried = Vec::new();
    if !wish.lists {
        println!(
            "| repository | workflows on pulls | jobs | gated | restated | why the others are not |\n|---|---|---|---|---|---|"
        );
    }
    for dir in &wish.dirs {
        let mut own = Sum::default();
        for (path, done) in rewrites(dir, &wish, &mut sum.slowest)? {
            own.add(&done);
            if wish.lists {
                let gated = done.jobs.iter().filter(|job| job.what == Done::Gated);
                println!(
                    "{dir}\t{path}\t{}",
                    gated
                        .map(|job| job.job.as_str())
                        .collect::<Vec<_>>()
                        .join(" ")
                );
            }
            if done.key.is_some() {
                let name = format!("{dir} {path}");
                tried.push(Tried {
                    name,
                    path,
                    rewrite: done,
                });
            }
        }
        if !wish.lists {
            println!("| {} {}", name_of(dir), own.row());
        }
        sum.join(own);
    }
    if !wish.lists {
        println!(
            "| all {}\n\nfiles: {}\n\nslowest: {:.1} ms",
            sum.row(),
            counted(&sum.files),
            sum.slowest.as_secs_f64() * 1e3
        );
    }
    if wish.worlds > 0 {
        try_all(&tried, wish.worlds);
    }
    Ok(())
}

/// Tries rewrites in so many worlds each, and prints what differs.
fn try_all(tried: &[Tried], worlds: usize) {
    let several = tried.iter().filter(|it| it.rewrite.jobs.len() > 1).count();
    let found = differences(Path::new(env!("CARGO_MANIFEST_DIR")), tried, worlds);
    println!(
        "\n{} rewrites tried in {worlds} worlds each, {several} of them of several jobs; {} differences",
        tried.len(),
        found.len()
    );
    for it in &found {
        println!("- {it}");
    }
}

/// The rewrites of a repository's workflows that pulls start, or may.
fn rewrites(
    dir: &str,
    wish: &Wish,
    slowest: &mut Duration,
) -> anyhow::Result<Vec<(String, Rewrite)>> {
    let files = workflows(dir)?;
    let branch = git(dir, &["symbolic-ref", "--short", "-q", "HEAD"]).unwrap_or_default();
    let branch = Some(branch.trim())
        .filter(|name| !name.is_empty())
        .unwrap_or("main");
    let settings = Settings {
        app_id: Some("4711".to_owned()),
        required: Some(Vec::new()),
        ..Settings::default()
    };
    let mut done = Vec::new();
    for (path, mut around) in arounds(&files, branch, &settings) {
        if wish.without_backstops {
            around.blocked.retain(|_, why| *why != Refusal::NoBackstop);
        }
        let text = files.get(&path).map_or("", String::as_str);
        let begun = start();
        let rewrite = rewrite(&path, text, &around, &settings);
        *slowest = (*slowest).max(begun.elapsed());
        if rewrite.refused != Some(Refusal::NotOnPulls) {
            done.push((path, rewrite));
        }
    }
    Ok(done)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement takes the time of what it measures"
)]
fn start() -> Instant {
    Instant::now()
}

/// The files below `.github` at HEAD.
fn workflows(dir: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let names = git(dir, &["ls-tree", "-r", "--name-only", "HEAD", ".github"])?;
    let is_yaml = |name: &&str| name.ends_with(".yml") || name.ends_with(".yaml");
    let mut files = BTreeMap::new();
    for name in names.lines().filter(is_yaml) {
        if let Ok(text) = git(dir, &["show", &format!("HEAD:{name}")]) {
            files.insert(name.to_owned(), text);
        }
    }
    Ok(files)
}

fn git(dir: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .output()
        .context("start git")?;
    ensure!(output.status.success(), "git {arguments:?} failed in {dir}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `owner/name` of a directory that is called `owner+name`, or its own name.
fn name_of(dir: &str) -> String {
    let parts = dir.trim_end_matches('/').rsplit('/');
    let mut names = parts.filter(|part| !matches!(*part, "repo" | ".git"));
    names.next().unwrap_or(dir).replace('+', "/")
}

/// What was counted.
#[derive(Debug, Default)]
struct Sum {
    workflows: usize,
    jobs: usize,
    gated: usize,
    restated: usize,
    /// Jobs that are not gated, by reason.
    left: BTreeMap<&'static str, usize>,
    /// Files that are left alone, by reason.
    files: BTreeMap<&'static str, usize>,
    slowest: Duration,
}

impl Sum {
    fn add(&mut self, done: &Rewrite) {
        self.workflows += 1;
        let in_file = || {
            parse(&done.original)?
                .get("jobs")?
                .entries()
                .map(<[_]>::len)
        };
        self.jobs += in_file().unwrap_or_default();
        if let Some(why) = &done.refused {
            *self.files.entry(why.id()).or_default() += 1;
        }
        for job in &done.jobs {
            match (job.what, &job.why) {
                (Done::Gated, _) => self.gated += 1,
                (what, why) => {
                    self.restated += usize::from(what == Done::Restated);
                    *self
                        .left
                        .entry(why.as_ref().map_or("?", Refusal::id))
                        .or_default() += 1;
                }
            }
        }
    }

    fn join(&mut self, other: Self) {
        self.workflows += other.workflows;
        self.jobs += other.jobs;
        self.gated += other.gated;
        self.restated += other.restated;
        for (why, count) in other.left {
            *self.left.entry(why).or_default() += count;
        }
        for (why, count) in other.files {
            *self.files.entry(why).or_default() += count;
        }
    }

    fn row(&self) -> String {
        let files: Vec<String> = self
            .files
            .iter()
            .map(|(why, count)| format!("{count} files `{why}`"))
            .collect();
        let why = [counted(&self.left), files.join(", ")]
            .into_iter()
            .filter(|it| !it.is_empty());
        format!(
            "| {} | {} | {} | {} | {} |",
            self.workflows,
            self.jobs,
            self.gated,
            self.restated,
            why.collect::<Vec<_>>().join(", ")
        )
    }
}

fn counted(by_reason: &BTreeMap<&'static str, usize>) -> String {
    let mut counts: Vec<(&&str, &usize)> = by_reason.iter().collect();
    counts.sort_by_key(|(why, count)| (std::cmp::Reverse(**count), **why));
    counts
        .iter()
        .map(|(why, count)| format!("{count} `{why}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
