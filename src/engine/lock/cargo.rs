//! Reads `Cargo.lock`, versions 1 to 4.
//!
//! A dependency is written as short as it is unique (`a`, `a 1.0.0`,
//! `a 1.0.0 (registry+...)`), so that its text changes with packages that nothing
//! needs: only what it resolves to counts.

use std::collections::BTreeMap;

use super::document::{Document, fault};
use super::network::{Draft, Lock, content};
use super::{Kind, Problem};
use crate::engine::packages::{Ecosystem, Packages};

/// Reads the file; members of the workspace are found by their package's name.
pub(super) fn read(path: &str, text: &str, packages: &Packages) -> Result<Lock, Problem> {
    let file = Document::toml(path, text)?;
    // An empty workspace has no packages at all, but a version.
    if file.get("package").is_none() && file.get("version").is_none() {
        return Err(fault(path, "this is not a Cargo.lock: it has no packages"));
    }
    let listed = file.get("package").map_or(&[][..], Document::items);
    let root = file.get("root");
    let mut draft = Draft::default();
    let mut names: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for package in listed.iter().chain(root) {
        let (name, version, source) = key(package);
        let id = format!("{name} {version} {source}");
        let checksum = format!("checksum {name} {version} ({source})");
        let old = file.get("metadata").and_then(|sums| sums.text(&checksum));
        let mut entry = package.clone();
        if let (Document::Map(fields), Some(old)) = (&mut entry, old) {
            fields.push(("checksum".into(), Document::Scalar(old.into())));
        }
        draft.package(&id, name, version, content(&entry, &["dependencies"]));
        names.entry(name).or_default().push((version, source));
    }
    for package in listed.iter().chain(root) {
        let (name, version, source) = key(package);
        let id = format!("{name} {version} {source}");
        let needs = package.get("dependencies").map_or(&[][..], Document::items);
        for need in needs.iter().filter_map(Document::as_str) {
            for other in resolve(need, &names) {
                draft.need(&id, other);
            }
        }
        if source.is_empty() {
            for dir in members(packages, name) {
                draft.import(dir, "*", id.as_str());
            }
        }
    }
    Ok(draft.finish(path, Kind::Cargo))
}

fn key(package: &Document) -> (&str, &str, &str) {
    let text = |key| package.text(key).unwrap_or_default();
    (text("name"), text("version"), text("source"))
}

/// The ids that a dependency may mean.
fn resolve(need: &str, names: &BTreeMap<&str, Vec<(&str, &str)>>) -> Vec<String> {
    let mut parts = need.splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let version = parts.next();
    let source = parts.next().map(|text| text.trim_matches(['(', ')']));
    let fits = |(other, from): &&(&str, &str)| {
        version.is_none_or(|version| version == *other)
            && source.is_none_or(|source| source == *from)
    };
    let found = names.get(name).into_iter().flatten().filter(fits);
    found
        .map(|(version, source)| format!("{name} {version} {source}"))
        .collect()
}

fn members<'a>(packages: &'a Packages, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_member = move |package: &&crate::engine::packages::Package| {
        package.ecosystem == Ecosystem::Cargo && package.name.as_deref() == Some(name)
    };
    packages
        .list
        .iter()
        .filter(is_member)
        .map(|package| package.dir.as_ref())
}
