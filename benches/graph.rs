//! The cold graph against a peer: time, memory, and the peer's edges found, in one run.
//!
//! `cargo bench --bench graph -- --repo DIR --peer ruff|go|madge|cat-file` runs
//! `trimtab graph` with an empty cache and the peer in turns, and prints the medians,
//! their ratio, and how many of the peer's edges are in our answer. `--with FILE` names
//! the peer's program, `--program FILE` another build of ours, `--times N` how often.
//!
//! `cat-file` is no reader of imports: it hands out the same blobs, which is what
//! reading them costs at least.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "graph/numbers.rs"]
mod numbers;
#[path = "edges/peers.rs"]
mod peers;
#[path = "graph/process.rs"]
mod process;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use trimtab::engine::sources::want;
use trimtab::engine::tree::{Mode, Tree};
use trimtab::repo::Repo;

use numbers::{load, percentile};
use peers::{Edge, Format, Level};
use process::Cost;

const USAGE: &str = "usage: cargo bench --bench graph -- --repo DIR --peer ruff|go|madge|cat-file [--with FILE] [--program FILE] [--times N]";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Ruff,
    Go,
    Madge,
    CatFile,
}

struct Options {
    repo: PathBuf,
    peer: Peer,
    with: PathBuf,
    program: PathBuf,
    times: usize,
}

fn options() -> anyhow::Result<Options> {
    let (mut repo, mut peer, mut with) = (None, None, None);
    let (mut program, mut times) = (PathBuf::from(env!("CARGO_BIN_EXE_trimtab")), 5);
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let next = words.next().context(USAGE)?;
        match word.as_str() {
            "--repo" => repo = Some(PathBuf::from(next).canonicalize()?),
            "--peer" => {
                peer = Some(match next.as_str() {
                    "ruff" => (Peer::Ruff, "ruff"),
                    "go" => (Peer::Go, "go"),
                    "madge" => (Peer::Madge, "madge"),
                    "cat-file" => (Peer::CatFile, "git"),
                    other => bail!("{other} is no peer\n{USAGE}"),
                });
            }
            "--with" => with = Some(PathBuf::from(next).canonicalize()?),
            "--program" => program = PathBuf::from(next).canonicalize()?,
            "--times" => times = next.parse().context("read --times")?,
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    let (peer, usual) = peer.context(USAGE)?;
    Ok(Options {
        repo: repo.context(USAGE)?,
        peer,
        with: with.unwrap_or_else(|| usual.into()),
        program,
        times,
    })
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let room = tempfile::tempdir()?;
    let repo = Repo::open(&options.repo, &room.path().join("objects"))?;
    let tree = repo.tree(repo.commit("HEAD")?)?;
    let asked = room.path().join("asked");
    fs::write(&asked, wanted(&tree))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (answer, other) = (room.path().join("ours"), room.path().join("theirs"));
    let mut first = None;
    println!("load before: {}", load());
    for round in 0..=options.times {
        let cache = room.path().join(format!("cache-{round}"));
        let mine = process::run(&mut our_command(&options, &cache), None, &answer)?;
        let input = (options.peer == Peer::CatFile).then_some(asked.as_path());
        let peer = process::run(&mut peer_command(&options), input, &other)?;
        let answered = fs::read(&answer)?;
        if first.get_or_insert_with(|| answered.clone()) != &answered {
            bail!("two runs gave different graphs");
        }
        // The first round only fills the system's file cache.
        if round > 0 {
            ours.push(mine);
            theirs.push(peer);
        }
    }
    println!("load after: {}", load());
    show("trimtab", &ours);
    show("the peer", &theirs);
    let ratio = |of: fn(&Cost) -> f64| median(&ours, of) / median(&theirs, of).max(1e-9);
    println!(
        "ratio: {:.3} of its time, {:.3} of its processor time",
        ratio(|cost| cost.wall),
        ratio(|cost| cost.cpu)
    );
    compare(&options, &tree, &answer, &other)
}

/// The blobs that the engine wants of a tree, one id a line.
fn wanted(tree: &Tree) -> String {
    let files = tree
        .iter()
        .filter(|(_, entry)| matches!(entry.mode, Mode::File | Mode::Executable));
    let wanted = files.filter(|(_, entry)| {
        let want = want(&entry.path);
        want.facts.is_some() || want.text
    });
    let ids: BTreeSet<String> = wanted.map(|(_, entry)| entry.blob.to_string()).collect();
    ids.into_iter().map(|id| id + "\n").collect()
}

fn our_command(options: &Options, cache: &Path) -> Command {
    let mut command = Command::new(&options.program);
    command.args(["graph", "--format", "json", "--repo"]);
    command.arg(&options.repo).env("XDG_CACHE_HOME", cache);
    command
}

fn peer_command(options: &Options) -> Command {
    let mut command = Command::new(&options.with);
    command.current_dir(&options.repo);
    match options.peer {
        Peer::Ruff => command.args(["--isolated", "analyze", "graph", "--quiet"]),
        Peer::Go => command
            .args(["list", "-deps", "-json", "./..."])
            .env("GOFLAGS", "-mod=vendor")
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local"),
        Peer::Madge => {
            let kinds = "js,jsx,mjs,cjs,ts,tsx,mts,cts";
            command.args(["--json", "--no-spinner", "--extensions", kinds, "."])
        }
        Peer::CatFile => command.args(["cat-file", "--batch", "--buffer"]),
    };
    command
}

fn median(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    percentile(&costs.iter().map(of).collect::<Vec<_>>(), 50.0)
}

fn show(who: &str, costs: &[Cost]) {
    let least = |of: fn(&Cost) -> f64| costs.iter().map(of).fold(f64::MAX, f64::min);
    println!(
        "{who}: median {:.2} s, least {:.2} s; processor {:.2} s, least {:.2} s; peak {:.0} MiB ({} runs)",
        median(costs, |cost| cost.wall),
        least(|cost| cost.wall),
        median(costs, |cost| cost.cpu),
        least(|cost| cost.cpu),
        median(costs, |cost| cost.peak),
        costs.len()
    );
}

/// What `trimtab graph` prints.
#[derive(Deserialize)]
struct Answer {
    edges: Vec<Edge>,
    implicit: Vec<Edge>,
    unresolved: Vec<Unresolved>,
}

#[derive(Deserialize)]
struct Unresolved {
    #[serde(rename = "from")]
    _from: String,
}

/// Prints how much of what the peer found is in our answer.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of edges are far below 2^52"
)]
fn compare(options: &Options, tree: &Tree, ours: &Path, theirs: &Path) -> anyhow::Result<()> {
    let answer: Answer = serde_json::from_slice(&fs::read(ours)?)?;
    let imports = answer.edges.len() + answer.unresolved.len();
    println!(
        "our edges: {} written, {} implicit; unresolved: {} = {:.2} % of internal imports",
        answer.edges.len(),
        answer.implicit.len(),
        answer.unresolved.len(),
        answer.unresolved.len() as f64 * 100.0 / imports.max(1) as f64
    );
    let format = match options.peer {
        Peer::CatFile => {
            let read = fs::metadata(theirs)?.len();
            println!("the peer has no edges; it handed out {read} bytes");
            return Ok(());
        }
        Peer::Go => Format::Go,
        Peer::Ruff | Peer::Madge => Format::Lists,
    };
    let text = fs::read_to_string(theirs)?;
    let found = peers::read(format, &text, &options.repo.to_string_lossy())?;
    let inside = |path: &str| match format.level() {
        Level::File => tree.find(path).is_some(),
        Level::Directory => path.is_empty() || tree.has_dir(path),
    };
    let known: Vec<&Edge> = found
        .iter()
        .filter(|(from, to)| inside(from) && inside(to))
        .collect();
    ensure!(
        !known.is_empty(),
        "the peer says nothing of files that are in the commit: is it checked out?"
    );
    let all = answer.edges.into_iter().chain(answer.implicit);
    let mine: BTreeSet<Edge> = match format.level() {
        Level::File => all.collect(),
        Level::Directory => all.filter_map(between_packages).collect(),
    };
    let missing: Vec<&&Edge> = known.iter().filter(|edge| !mine.contains(**edge)).collect();
    println!(
        "the peer's edges: {}, found: {} = {:.3} %",
        known.len(),
        known.len() - missing.len(),
        (known.len() - missing.len()) as f64 * 100.0 / known.len().max(1) as f64
    );
    for (from, to) in missing.iter().take(20) {
        println!("  missing: {from} → {to}");
    }
    Ok(())
}

/// An edge between two packages of Go, as their directories.
fn between_packages((from, to): Edge) -> Option<Edge> {
    let dir = |unit: &str| {
        let dir = unit
            .strip_prefix("go package ./")
            .or_else(|| unit.strip_prefix("go tests ./"));
        dir.map(str::to_owned)
    };
    Some((dir(&from)?, dir(&to)?))
}
