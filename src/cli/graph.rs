//! `trimtab graph`: who needs whom, for other programs.
//!
//! `json` keeps edges that stand in a file apart from those that exist without
//! being written; `dot` draws files only.

use anyhow::Context as _;
use clap::ValueEnum;

use super::checkout::{Room, open_repo};
use super::{Failure, Terminal};
use crate::config;
use crate::engine::graph::document::Document;
use crate::engine::packages::Packages;
use crate::engine::policy::Policy;
use crate::engine::{graph, ownership};
use crate::repo::{FactsCache, Loader};

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
    let tree = repo.tree(commit).context("list the commit")?;
    let (snapshot, _) = Loader::new(&repo, FactsCache::none())
        .load(tree)
        .context("read the commit")?;
    let packages = Packages::read(&snapshot);
    let mut builder = graph::build(&snapshot, &packages);
    ownership::link(&mut builder, &Policy::default());
    let graph = builder.finish();
    let document = Document::of(&snapshot, &graph);
    let text = match args.format {
        Format::Json => serde_json::to_string(&document).context("write the graph as JSON")? + "\n",
        Format::Dot => dot(&document),
    };
    terminal.answer(&text);
    Ok(())
}

fn dot(document: &Document) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut out =
        String::from("digraph trimtab {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n");
    let line = |(from, to): &(String, String), style: &str| {
        format!("  {} -> {}{style};\n", quote(from), quote(to))
    };
    out.extend(document.edges.iter().map(|edge| line(edge, "")));
    out.extend(
        document
            .implicit
            .iter()
            .map(|edge| line(edge, " [style=dashed]")),
    );
    out + "}\n"
}
