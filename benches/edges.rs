//! Our graph of a checkout against the edges that a peer found.
//!
//! `cargo bench --bench edges -- --repo DIR --peer FORMAT FILE` reads HEAD of the
//! checkout, builds the graph in this process, and prints what share of the peer's
//! edges we have, which are missing, and how many more we have, by kind. Formats:
//! `ruff`, `madge`, `dependency-cruiser` (edges between files), `go`, `cargo` (edges
//! between directories of packages).
//!
//! It measures rightness and no time, and fails when `--at-least PERCENT` is not
//! reached.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

#[path = "edges/peers.rs"]
mod peers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use trimtab::engine::graph::{self, EdgeKind, Graph, NodeId};
use trimtab::engine::packages::Packages;
use trimtab::engine::tree::{Snapshot, base_name};
use trimtab::repo::{FactsCache, Loader, Repo};

use peers::{Edge, Format, Level};

const USAGE: &str = "usage: cargo bench --bench edges -- --repo DIR --peer FORMAT FILE [--at-least PERCENT] [--show N]";

struct Options {
    repo: PathBuf,
    format: Format,
    peer: PathBuf,
    at_least: f64,
    show: usize,
}

fn options() -> anyhow::Result<Options> {
    let mut repo = None;
    let mut peer = None;
    let (mut at_least, mut show) = (0.0, 20);
    // Cargo adds `--bench` to what it hands over.
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let mut next = || words.next().context(USAGE);
        match word.as_str() {
            "--repo" => repo = Some(PathBuf::from(next()?)),
            "--peer" => peer = Some((next()?.parse::<Format>()?, PathBuf::from(next()?))),
            "--at-least" => at_least = next()?.parse().context("read --at-least")?,
            "--show" => show = next()?.parse().context("read --show")?,
            other => bail!("{other} is not known\n{USAGE}"),
        }
    }
    let (format, peer) = peer.context(USAGE)?;
    Ok(Options {
        repo: repo.context(USAGE)?,
        format,
        peer,
        at_least,
        show,
    })
}

fn main() -> anyhow::Result<ExitCode> {
    let options = options()?;
    let (snapshot, graph) = load(&options.repo)?;
    let text = std::fs::read_to_string(&options.peer).context("read the peer's edges")?;
    let root = options.repo.canonicalize().context("find the checkout")?;
    let peer = peers::read(options.format, &text, &root.to_string_lossy())?;
    let inside = |path: &str| match options.format.level() {
        Level::File => snapshot.tree.find(path).is_some(),
        Level::Directory => path.is_empty() || snapshot.tree.has_dir(path),
    };
    let (known, foreign): (BTreeSet<Edge>, BTreeSet<Edge>) = peer
        .into_iter()
        .partition(|(from, to)| inside(from) && inside(to));
    let ours = ours(&snapshot, &graph, options.format.level());
    println!(
        "edges of the peer: {} ({} not in the tree, left out)",
        known.len(),
        foreign.len()
    );
    let share = report(&known, &ours, options.show);
    println!("unresolved in our graph: {}", graph.unresolved.len());
    let good = !known.is_empty() && share >= options.at_least;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints what was found, what is missing and what is more; returns the share found.
fn report(known: &BTreeSet<Edge>, ours: &BTreeMap<Edge, EdgeKind>, show: usize) -> f64 {
    let sources: BTreeSet<&str> = known.iter().map(|(from, _)| from.as_str()).collect();
    let missing: Vec<&Edge> = known
        .iter()
        .filter(|edge| !ours.contains_key(*edge))
        .collect();
    let share = share(known.len() - missing.len(), known.len());
    println!(
        "found: {} of {} = {share:.2} %",
        known.len() - missing.len(),
        known.len()
    );
    println!("missing: {}", missing.len());
    print_by(
        missing.iter().map(|(from, to)| (extension(from), from, to)),
        show,
    );
    let extra = ours.iter().filter(|(edge, _)| !known.contains(*edge));
    let (same, other): (Vec<_>, Vec<_>) =
        extra.partition(|((from, _), _)| sources.contains(from.as_str()));
    println!(
        "extra, from a source that the peer has edges of: {}",
        same.len()
    );
    print_by(
        same.iter()
            .map(|((from, to), kind)| (kind.as_str(), from, to)),
        show,
    );
    println!(
        "extra, from a source that the peer has no edge of: {}",
        other.len()
    );
    print_by(
        other
            .iter()
            .map(|((from, to), kind)| (kind.as_str(), from, to)),
        show,
    );
    share
}

/// HEAD of a checkout, read and linked.
fn load(dir: &Path) -> anyhow::Result<(Snapshot, Graph)> {
    let scratch = std::env::temp_dir().join(format!("trimtab-edges-{}", std::process::id()));
    let repo = Repo::open(dir, &scratch)?;
    let tree = repo.tree(repo.commit("HEAD")?)?;
    let (snapshot, _) = Loader::new(&repo, FactsCache::none()).load(tree)?;
    let packages = Packages::read(&snapshot);
    let graph = graph::build(&snapshot, &packages).finish();
    Ok((snapshot, graph))
}

/// Our edges at the level of the peer, each with the first kind that makes it.
fn ours(snapshot: &Snapshot, graph: &Graph, level: Level) -> BTreeMap<Edge, EdgeKind> {
    let name = |node: NodeId| match (level, graph.file(node), graph.unit(node)) {
        (Level::File, Some(file), _) => Some(snapshot.tree.path(file).to_owned()),
        (Level::Directory, _, Some(unit)) => unit.dir.as_deref().map(str::to_owned),
        _ => None,
    };
    let mut found = BTreeMap::new();
    for (from, to, kind) in graph.edges() {
        let counts = level == Level::File || matches!(kind, EdgeKind::Dependency | EdgeKind::Runs);
        if let (true, Some(from), Some(to)) = (counts, name(from), name(to))
            && from != to
        {
            found.entry((from, to)).or_insert(kind);
        }
    }
    found
}

fn extension(path: &str) -> &str {
    base_name(path)
        .rsplit_once('.')
        .map_or("directory", |(_, extension)| extension)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of edges are far below 2^52"
)]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

/// Prints how many there are of each kind, with some of each.
fn print_by<'a>(edges: impl Iterator<Item = (&'a str, &'a String, &'a String)>, show: usize) {
    let mut kinds: BTreeMap<&str, Vec<(&String, &String)>> = BTreeMap::new();
    for (kind, from, to) in edges {
        kinds.entry(kind).or_default().push((from, to));
    }
    for (kind, edges) in kinds {
        println!("  {kind}: {}", edges.len());
        for (from, to) in edges.iter().take(show) {
            println!("    {from} → {to}");
        }
    }
}
