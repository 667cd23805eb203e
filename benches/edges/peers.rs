//! Reads the edges that other tools print.
//!
//! Each tool's own JSON is taken, so that nothing stands between its answer and
//! the comparison. Paths come out relative to the root of the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// From and to.
pub(crate) type Edge = (String, String);

/// Whose output it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `ruff analyze graph`, `madge --json`: an object of lists.
    Lists,
    /// `dependency-cruiser --output-type json`.
    Cruiser,
    /// `go list -deps -test -json ./...`: one object after the other.
    Go,
    /// `cargo metadata --format-version 1 --no-deps`.
    Cargo,
}

/// What an edge joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Files.
    File,
    /// Directories of packages.
    Directory,
}

impl Format {
    pub(crate) fn level(self) -> Level {
        match self {
            Self::Lists | Self::Cruiser => Level::File,
            Self::Go | Self::Cargo => Level::Directory,
        }
    }
}

impl FromStr for Format {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        Ok(match text {
            "ruff" | "madge" => Self::Lists,
            "dependency-cruiser" => Self::Cruiser,
            "go" => Self::Go,
            "cargo" => Self::Cargo,
            other => bail!("`{other}` is no known format"),
        })
    }
}

/// The edges of a peer's output, without those from a node to itself.
pub(crate) fn read(format: Format, text: &str, root: &str) -> anyhow::Result<BTreeSet<Edge>> {
    let edges = match format {
        Format::Lists => lists(text),
        Format::Cruiser => cruiser(text),
        Format::Go => go(text),
        Format::Cargo => cargo(text),
    }
    .with_context(|| format!("read the output as {format:?}"))?;
    Ok(edges
        .into_iter()
        .map(|(from, to)| (relative(&from, root), relative(&to, root)))
        .filter(|(from, to)| from != to)
        .collect())
}

fn relative(path: &str, root: &str) -> String {
    let rest = path.strip_prefix(root).unwrap_or(path);
    rest.trim_start_matches("./").trim_matches('/').to_owned()
}

fn lists(text: &str) -> anyhow::Result<Vec<Edge>> {
    let map: BTreeMap<String, Vec<String>> = serde_json::from_str(text)?;
    let pairs = map
        .into_iter()
        .flat_map(|(from, tos)| tos.into_iter().map(move |to| (from.clone(), to)));
    Ok(pairs.collect())
}

#[derive(Deserialize)]
struct Cruise {
    modules: Vec<CruisedModule>,
}

#[derive(Deserialize)]
struct CruisedModule {
    source: String,
    #[serde(default)]
    dependencies: Vec<CruisedEdge>,
}

#[derive(Deserialize)]
struct CruisedEdge {
    resolved: String,
}

fn cruiser(text: &str) -> anyhow::Result<Vec<Edge>> {
    let cruise: Cruise = serde_json::from_str(text)?;
    let pairs = cruise.modules.into_iter().flat_map(|module| {
        let from = module.source;
        module
            .dependencies
            .into_iter()
            .map(move |edge| (from.clone(), edge.resolved))
    });
    Ok(pairs.collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoPackage {
    import_path: String,
    #[serde(default)]
    dir: String,
    #[serde(default)]
    imports: Vec<String>,
}

/// A package and its test variants (`p [p.test]`, `p_test [p.test]`) lie in one directory.
fn go(text: &str) -> anyhow::Result<Vec<Edge>> {
    let stream = serde_json::Deserializer::from_str(text).into_iter::<GoPackage>();
    let packages: Vec<GoPackage> = stream.collect::<Result<_, _>>()?;
    let dirs: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.import_path.as_str(), package.dir.as_str()))
        .collect();
    let mut edges = Vec::new();
    for package in &packages {
        // The generated main package of a test binary belongs to no file.
        if package.import_path.ends_with(".test") {
            continue;
        }
        for import in &package.imports {
            if let Some(dir) = dirs.get(import.as_str()) {
                edges.push((package.dir.clone(), (*dir).to_owned()));
            }
        }
    }
    Ok(edges)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    manifest_path: String,
    dependencies: Vec<CargoDependency>,
}

#[derive(Deserialize)]
struct CargoDependency {
    path: Option<String>,
}

fn cargo(text: &str) -> anyhow::Result<Vec<Edge>> {
    let metadata: Metadata = serde_json::from_str(text)?;
    let pairs = metadata.packages.into_iter().flat_map(|package| {
        let dir = package
            .manifest_path
            .trim_end_matches("/Cargo.toml")
            .to_owned();
        let paths = package
            .dependencies
            .into_iter()
            .filter_map(|dependency| dependency.path);
        paths.map(move |path| (dir.clone(), path))
    });
    Ok(pairs.collect())
}
