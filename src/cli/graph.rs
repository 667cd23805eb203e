//! `trimtab graph`: who needs whom, for other programs.
//!
//! `json` keeps edges that stand in a file apart from those that exist without
//! being written; `dot` draws files only.

use std::io::Write;

use anyhow::Context as _;
use clap::ValueEnum;

use super::checkout::{Room, open_repo};
use super::{Failure, Terminal};
use crate::config;
use crate::engine::graph::document::Document;
use crate::engine::graph::{self, Graph};
use crate::engine::ids::ObjectId;
use crate::engine::ownership;
use crate::engine::packages::Packages;
use crate::engine::policy::Policy;
use crate::engine::tree::Tree;
use crate::render::escape::is_invisible;
use crate::repo::{FactsCache, Loader, Repo};

/// Arguments of `trimtab graph`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The checkout; a directory inside it will do
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: std::path::PathBuf,
    /// The commit
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    rev: String,
    /// What is printed
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// One object with `edges`, `implicit` and `unresolved`
    Json,
    /// For Graphviz
    Dot,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let room = Room::in_cache(config::cache_dir().as_deref());
    let repo = open_repo(&args.repo, &room)?;
    let commit = repo.commit(&args.rev).context("find the commit")?;
    terminal.progress("reading the tree");
    let (tree, graph) = read(&repo, commit)?;
    let document = Document::of(&tree, &graph);
    terminal.answer_by(|out| match args.format {
        Format::Json => {
            serde_json::to_writer(&mut *out, &document)?;
            out.write_all(b"\n")
        }
        Format::Dot => dot(out, &document),
    });
    Ok(())
}

/// The graph of a commit. What was read of its files is let go before anything is written.
fn read(repo: &Repo, commit: ObjectId) -> anyhow::Result<(Tree, Graph)> {
    let tree = repo.tree(commit).context("list the commit")?;
    let (snapshot, _) = Loader::new(repo, FactsCache::none())
        .load(tree)
        .context("read the commit")?;
    let packages = Packages::read(&snapshot);
    let mut builder = graph::build(&snapshot, &packages);
    ownership::link(&mut builder, &Policy::default());
    let graph = builder.finish();
    Ok((snapshot.tree, graph))
}

fn dot(out: &mut dyn Write, document: &Document<'_>) -> std::io::Result<()> {
    let quote = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        let letters = text.chars().flat_map(|c| {
            // A file's name must not act on the terminal, and two names stay two.
            let shown = !c.is_control() && !is_invisible(c);
            let spelled: Vec<char> = if shown {
                vec![c]
            } else {
                c.escape_unicode().collect()
            };
            spelled
        });
        format!("\"{}\"", letters.collect::<String>())
    };
    out.write_all(b"digraph trimtab {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n")?;
    for (from, to) in &document.edges {
        writeln!(out, "  {} -> {};", quote(from), quote(to))?;
    }
    for (from, to) in &document.implicit {
        writeln!(out, "  {} -> {} [style=dashed];", quote(from), quote(to))?;
    }
    out.write_all(b"}\n")
}
