//! Reads `poetry.lock`, `uv.lock`, `pdm.lock` and `Pipfile.lock`.
//!
//! Distributions are needed by name; a name that is locked in several versions (for
//! several platforms) means all of them unless the entry says which. What depends on
//! who needs a package (groups, `optional`) is no part of what it is. Nor are upload
//! times and sizes: the hash says more.

use super::document::{Document, fault};
use super::imports::normal;
use super::network::{Draft, Lock, content};
use super::{Kind, Problem, below};
use crate::engine::packages::python::requirement_name;
use crate::engine::tree::dir_of;

/// Fields that say who needs a package, or nothing of its content.
const MARKS: &[&str] = &[
    "category",
    "optional",
    "groups",
    "summary",
    "description",
    "upload-time",
    "upload_time",
    "size",
    "metadata",
];

/// Reads a lockfile that lists its packages in TOML.
pub(super) fn listed(path: &str, text: &str, kind: Kind) -> Result<Lock, Problem> {
    let file = Document::toml(path, text)?;
    let packages = file.get("package").map_or(&[][..], Document::items);
    let has_head = ["metadata", "version", "lock-version"]
        .iter()
        .any(|key| file.get(key).is_some());
    if packages.is_empty() && !has_head {
        return Err(fault(
            path,
            "this lockfile has neither packages nor a version",
        ));
    }
    let mut draft = Draft::default();
    let without: Vec<&str> = match kind {
        // The version of a need is written only where it is ambiguous.
        Kind::Uv => MARKS
            .iter()
            .copied()
            .chain(UV_NEEDS.iter().copied())
            .collect(),
        _ => MARKS.to_vec(),
    };
    for package in packages {
        let (name, version) = key(package);
        let mut parts = vec![package.clone()];
        let files = file
            .get("metadata")
            .and_then(|metadata| metadata.get("files"));
        parts.extend(files.and_then(|files| files.get(name)).cloned());
        if kind == Kind::Uv {
            parts.extend(uv_needs(package).map(|need| strip(need, &["version", "source"])));
        }
        let said = content(&Document::List(parts), &without);
        draft.package(&id(package), name, version, said);
    }
    let ids = Ids::new(packages);
    for package in packages {
        let local = local_dir(package).map(|place| below(dir_of(path), place));
        if let Some(dir) = &local {
            draft.importer(dir);
        }
        for (name, version) in needs(package) {
            for other in ids.find(name, version) {
                if let Some(dir) = &local {
                    draft.import(dir, &normal(name), other);
                }
                draft.need(&id(package), other);
            }
        }
    }
    Ok(draft.finish(path, kind))
}

/// Reads `Pipfile.lock`: pins without a graph.
pub(super) fn pipfile(path: &str, text: &str) -> Result<Lock, Problem> {
    let file = Document::json(path, text)?;
    if file.get("_meta").is_none() {
        return Err(fault(path, "this Pipfile.lock has no `_meta`"));
    }
    let mut draft = Draft::default();
    draft.flat();
    for (section, pins) in file.entries().filter(|(section, _)| *section != "_meta") {
        for (name, pin) in pins.entries() {
            let version = pin.text("version").unwrap_or_default();
            let id = format!("{section} {name}");
            draft.package(
                &id,
                name,
                version.trim_start_matches("=="),
                content(pin, &[]),
            );
        }
    }
    Ok(draft.finish(path, Kind::Pipfile))
}

const UV_NEEDS: &[&str] = &["dependencies", "optional-dependencies", "dev-dependencies"];

fn key(package: &Document) -> (&str, &str) {
    let text = |key| package.text(key).unwrap_or_default();
    (text("name"), text("version"))
}

/// pdm lists a package again for its extras; uv may lock one version from two sources.
fn id(package: &Document) -> Box<str> {
    let (name, version) = key(package);
    let extras = package.get("extras").map_or(&[][..], Document::items);
    let extras: Vec<&str> = extras.iter().filter_map(Document::as_str).collect();
    let source = package
        .get("source")
        .into_iter()
        .flat_map(Document::entries);
    let source: Vec<&str> = source.filter_map(|(_, value)| value.as_str()).collect();
    let (extras, source) = (extras.join(","), source.join(","));
    format!("{} {version} {extras} {source}", normal(name)).into()
}

/// Where a package lies when it is one of the repository (uv).
fn local_dir(package: &Document) -> Option<&str> {
    let source = package.get("source")?;
    ["editable", "virtual", "directory"]
        .iter()
        .find_map(|key| source.text(key))
}

fn uv_needs(package: &Document) -> impl Iterator<Item = &Document> {
    UV_NEEDS.iter().filter_map(|section| package.get(section))
}

/// A document without some keys, at every depth.
fn strip(document: &Document, without: &[&str]) -> Document {
    match document {
        Document::Scalar(_) => document.clone(),
        Document::List(items) => {
            Document::List(items.iter().map(|item| strip(item, without)).collect())
        }
        Document::Map(entries) => {
            let kept = entries
                .iter()
                .filter(|(key, _)| !without.contains(&key.as_ref()));
            Document::Map(
                kept.map(|(key, value)| (key.clone(), strip(value, without)))
                    .collect(),
            )
        }
    }
}

/// The names that a package needs, each with its version where that is written.
fn needs(package: &Document) -> Vec<(&str, Option<&str>)> {
    let mut found = Vec::new();
    let mut todo: Vec<&Document> = uv_needs(package).collect();
    while let Some(value) = todo.pop() {
        match value {
            // pdm: requirements as text.
            Document::Scalar(text) => found.push((requirement_name(text), None)),
            Document::List(items) => todo.extend(items),
            // uv: tables with a name; groups and extras are maps of lists.
            Document::Map(_) if value.text("name").is_some() => {
                found.push((
                    value.text("name").unwrap_or_default(),
                    value.text("version"),
                ));
            }
            // Poetry: names as keys; of its extras nothing is needed by itself.
            Document::Map(entries) => {
                for (name, inner) in entries {
                    match inner {
                        Document::List(items) if items.iter().any(|i| i.text("name").is_some()) => {
                            todo.push(inner);
                        }
                        _ => found.push((name, None)),
                    }
                }
            }
        }
    }
    found
}

/// Versions with the ids of their packages, by normal name.
struct Ids(std::collections::BTreeMap<String, Vec<VersionId>>);

type VersionId = (Box<str>, Box<str>);

impl Ids {
    fn new(packages: &[Document]) -> Self {
        let mut ids = std::collections::BTreeMap::new();
        for package in packages {
            let (name, version) = key(package);
            let known: &mut Vec<_> = ids.entry(normal(name)).or_default();
            known.push((Box::from(version), id(package)));
        }
        Self(ids)
    }

    fn find(&self, name: &str, version: Option<&str>) -> impl Iterator<Item = &str> {
        let known = self.0.get(&normal(name)).into_iter().flatten();
        known
            .filter(move |(other, _)| version.is_none_or(|version| version == other.as_ref()))
            .map(|(_, id)| id.as_ref())
    }
}
