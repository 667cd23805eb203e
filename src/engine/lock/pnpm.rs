//! Reads `pnpm-lock.yaml`, versions 5 to 9.
//!
//! A package is known by its name, version and the peers it got, written in three
//! ways: `/a/1.0.0_b@2` (5), `/a@1.0.0(b@2)` (6), `a@1.0.0(b@2)` (9, where `packages`
//! holds what is fixed and `snapshots` what was got). Newer pnpm puts a document of
//! its own packages before the one of the project; that one governs everything
//! (<https://github.com/pnpm/spec/tree/master/lockfile>).

use super::document::{Document, fault};
use super::network::{Draft, Lock, content};
use super::{Kind, Problem, below};
use crate::engine::tree::dir_of;

const NEEDS: &[&str] = &["dependencies", "optionalDependencies"];
const ASKED: &[&str] = &["dependencies", "devDependencies", "optionalDependencies"];

/// What the file says beside settings.
const LISTS: &[&str] = &[
    "importers",
    "packages",
    "snapshots",
    "specifiers",
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "dependenciesMeta",
    "catalogs",
    "time",
    "lockfileVersion",
];

/// Reads the file.
pub(super) fn read(path: &str, text: &str) -> Result<Lock, Problem> {
    let documents = Document::yaml(path, text)?;
    let home = dir_of(path);
    let mut draft = Draft::default();
    // What stands before the project's document is pnpm itself, which governs all.
    let Some((file, before)) = documents.split_last() else {
        return Err(fault(path, "this lockfile is empty"));
    };
    let version = file.text("lockfileVersion").unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    if !matches!(major, "5" | "6" | "7" | "9") {
        let message = format!("version `{version}` of pnpm's lockfile is not known");
        return Err(fault(path, &message));
    }
    packages(&mut draft, file);
    needs(&mut draft, file);
    importers(&mut draft, file, home);
    let settings = strip(file);
    let governing: Vec<Document> = before.iter().cloned().chain([settings]).collect();
    draft.salt(content(&Document::List(governing), &[]));
    Ok(draft.finish(path, Kind::Pnpm))
}

/// The settings of a document, without its lists.
fn strip(file: &Document) -> Document {
    let kept = file.entries().filter(|(key, _)| !LISTS.contains(key));
    Document::Map(
        kept.map(|(key, value)| (key.into(), value.clone()))
            .collect(),
    )
}

fn packages(draft: &mut Draft, file: &Document) {
    let marks = &["dev", "optional"];
    let fixed: std::collections::BTreeMap<&str, &Document> = file.sections(&["packages"]).collect();
    if file.get("snapshots").is_none() {
        for (key, entry) in &fixed {
            let (name, version) = parts(key, entry);
            let said = Document::List(vec![scalar(key), (*entry).clone()]);
            draft.package(key, name, version, content(&said, marks));
        }
        return;
    }
    for (key, got) in file.sections(&["snapshots"]) {
        let entry = fixed.get(without_peers(key)).copied().unwrap_or(got);
        let (name, version) = parts(key, entry);
        let said = Document::List(vec![scalar(key), entry.clone(), got.clone()]);
        draft.package(key, name, version, content(&said, marks));
    }
}

/// The peers that a package got are part of its key, and so of what it is.
fn scalar(key: &str) -> Document {
    Document::Scalar(key.into())
}

fn needs(draft: &mut Draft, file: &Document) {
    let section = match file.get("snapshots") {
        Some(_) => "snapshots",
        None => "packages",
    };
    for (key, entry) in file.sections(&[section]) {
        for (name, reference) in entry.sections(NEEDS) {
            if let Some(other) = reference.as_str().and_then(|text| find(draft, name, text)) {
                draft.need(key, other);
            }
        }
    }
}

fn importers(draft: &mut Draft, file: &Document, home: &str) {
    let own = file.get("importers").is_none().then_some((".", file));
    let listed = file.sections(&["importers"]);
    for (place, importer) in listed.chain(own) {
        let dir = below(home, place);
        draft.importer(&dir);
        for (name, asked) in importer.sections(ASKED) {
            let reference = asked.text("version").or_else(|| asked.as_str());
            if let Some(other) = reference.and_then(|text| find(draft, name, text)) {
                draft.import(&dir, name, other);
            }
        }
    }
}

/// The key that a reference means; `None` for links into the workspace.
fn find(draft: &Draft, name: &str, reference: &str) -> Option<String> {
    let ways = [
        reference.to_owned(),
        format!("{name}@{reference}"),
        format!("/{name}@{reference}"),
        format!("/{name}/{reference}"),
        format!("/{reference}"),
    ];
    ways.into_iter().find(|key| draft.has(key))
}

/// Name and version of a package by its key, or by its fields where it has them.
fn parts<'a>(key: &'a str, entry: &'a Document) -> (&'a str, &'a str) {
    let plain = without_peers(key);
    let plain = plain.strip_prefix('/').unwrap_or(plain);
    let split = match plain.get(1..).and_then(|rest| rest.rfind('@')) {
        // `@scope/a/1.0.0` has an `@` at its head only.
        Some(at) => plain.split_at_checked(at + 1),
        None => plain.rfind('/').and_then(|at| plain.split_at_checked(at)),
    };
    let (name, version) = split.unwrap_or((plain, ""));
    let version = version.trim_start_matches(['@', '/']);
    (
        entry.text("name").unwrap_or(name),
        entry.text("version").unwrap_or(version),
    )
}

/// The key of what is fixed: everything before the peers.
fn without_peers(key: &str) -> &str {
    let end = key.find('(').unwrap_or(key.len());
    let plain = key.get(..end).unwrap_or(key);
    // Version 5 writes peers after an underscore behind the version.
    match plain.rsplit_once('/') {
        Some((head, tail)) if plain.starts_with('/') => {
            let version = tail.split('_').next().unwrap_or_default();
            if version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains('@') {
                plain.get(..head.len() + 1 + version.len()).unwrap_or(plain)
            } else {
                plain
            }
        }
        _ => plain,
    }
}
