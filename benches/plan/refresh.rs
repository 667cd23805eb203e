//! The graph of a commit from that of its parent, with facts in memory.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use trimtab::engine::diff;
use trimtab::engine::graph::document::Document;
use trimtab::engine::graph::{self, Graph};
use trimtab::engine::ids::ObjectId;
use trimtab::engine::ownership;
use trimtab::engine::packages::Packages;
use trimtab::engine::policy::Policy;
use trimtab::engine::side;
use trimtab::engine::tree::Snapshot;
use trimtab::repo::{FactsCache, Loader, Repo};

use super::{Options, SAMPLE, commits, show};

/// Refreshes the graph over the last commits, and prints how long each took.
pub(crate) fn measure(options: &Options) -> anyhow::Result<()> {
    let room = tempfile::tempdir()?;
    let repo = Repo::open(&options.repo, &room.path().join("objects"))?;
    let commits = commits(&options.repo, options.last)?;
    let first = commits.first().context("there is no commit")?;
    let mut base = repo.commit(&format!("{first}^1"))?;
    let mut loader = Loader::new(&repo, FactsCache::none());
    // As git has it: names that links make are put into the tree that is read.
    let mut tree = repo.tree(base)?;
    let (snapshot, _) = loader.load(tree.clone())?;
    let mut graph = Arc::new(built(&snapshot));
    let mut snapshot = snapshot;
    let (mut times, mut shared, mut checked) = (Vec::new(), 0, 0);
    for (at, commit) in commits.iter().enumerate() {
        let head = repo.commit(commit)?;
        let begun = Instant::now();
        let changes = repo.diff(base, head)?;
        tree = diff::apply(&tree, &changes);
        let (next, _) = loader.load(tree.clone())?;
        let is_same = side::shares_survey(&snapshot, &next, &changes)
            && side::says_the_same(&snapshot, &next, &changes);
        if is_same {
            shared += 1;
        } else {
            graph = Arc::new(built(&next));
        }
        times.push(begun.elapsed().as_secs_f64());
        (base, snapshot) = (head, next);
        if at % SAMPLE == 0 {
            let fresh = from_nothing(&repo, head)?;
            let refreshed = serde_json::to_string(&Document::of(&snapshot.tree, &graph))?;
            ensure!(refreshed == fresh, "the graph of {commit} is another");
            checked += 1;
        }
    }
    show("refresh", &times);
    println!("{shared} graphs stayed as they were; {checked} are equal to one from nothing");
    Ok(())
}

fn built(snapshot: &Snapshot) -> Graph {
    let packages = Packages::read(snapshot);
    let mut builder = graph::build(snapshot, &packages);
    ownership::link(&mut builder, &Policy::default());
    builder.finish()
}

fn from_nothing(repo: &Repo, commit: ObjectId) -> anyhow::Result<String> {
    let mut loader = Loader::new(repo, FactsCache::none());
    let (snapshot, _) = loader.load(repo.tree(commit)?)?;
    let graph = built(&snapshot);
    Ok(serde_json::to_string(&Document::of(
        &snapshot.tree,
        &graph,
    ))?)
}
