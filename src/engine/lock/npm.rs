//! Reads `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
//!
//! A package is known by the place where it is installed, and finds what it needs as
//! Node does: in `node_modules` beside it or above. Version 1 nests what the later
//! ones list by place, so that it is listed first
//! (<https://docs.npmjs.com/cli/configuring-npm/package-lock-json>).

use super::document::{Document, fault};
use super::network::{Draft, Lock, content};
use super::{Kind, Problem, below};
use crate::engine::tree::dir_of;

/// Marks that depend on who needs a package, not on the package.
const MARKS: &[&str] = &["dev", "optional", "devOptional", "peer", "extraneous"];

const NEEDS: &[&str] = &[
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "requires",
];

/// Reads the file.
pub(super) fn read(path: &str, text: &str) -> Result<Lock, Problem> {
    let file = Document::json(path, text)?;
    let home = dir_of(path);
    let mut draft = Draft::default();
    if let Some(places) = file.get("packages") {
        by_place(&mut draft, places, home);
    } else if file.get("lockfileVersion").is_some() {
        nested(&mut draft, &file, home);
    } else {
        return Err(fault(
            path,
            "this lockfile has no `packages` and no version",
        ));
    }
    Ok(draft.finish(path, Kind::Npm))
}

fn by_place(draft: &mut Draft, places: &Document, home: &str) {
    let is_link = |entry: &Document| entry.text("link") == Some("true");
    for (place, entry) in places.entries() {
        if let Some(name) = installed_name(place)
            && !is_link(entry)
        {
            let name = entry.text("name").unwrap_or(name);
            let version = entry.text("version").unwrap_or_default();
            draft.package(place, name, version, content(entry, MARKS));
        }
    }
    for (place, entry) in places.entries() {
        if installed_name(place).is_some() {
            for (name, _) in entry.sections(NEEDS) {
                if let Some(other) = find(draft, place, name) {
                    draft.need(place, other);
                }
            }
            continue;
        }
        let dir = below(home, place);
        draft.importer(&dir);
        let asked = entry
            .sections(NEEDS)
            .chain(entry.sections(&["devDependencies"]));
        for (name, _) in asked {
            if let Some(other) = find(draft, place, name) {
                draft.import(&dir, name, other);
            }
        }
    }
}

/// What version 1 nests, as a list of places.
fn nested(draft: &mut Draft, file: &Document, home: &str) {
    let mut todo: Vec<(String, &Document)> = vec![(String::new(), file)];
    let mut places: Vec<(String, &Document)> = Vec::new();
    while let Some((place, entry)) = todo.pop() {
        for (name, inner) in entry.sections(&["dependencies"]) {
            let inner_place = at(&place, name);
            let version = inner.text("version").unwrap_or_default();
            let without: Vec<&str> = MARKS.iter().copied().chain(["dependencies"]).collect();
            draft.package(&inner_place, name, version, content(inner, &without));
            places.push((inner_place.clone(), inner));
            todo.push((inner_place, inner));
        }
    }
    for (place, entry) in places {
        for (name, _) in entry.sections(&["requires"]) {
            if let Some(other) = find(draft, &place, name) {
                draft.need(&place, other);
            }
        }
    }
    // Everything at the top can be imported; what the manifest asks for is not recorded.
    draft.importer(home);
    for (name, _) in file.sections(&["dependencies"]) {
        draft.import(home, name, at("", name));
    }
}

fn at(place: &str, name: &str) -> String {
    below(place, &format!("node_modules/{name}"))
}

/// The name by which a place is imported; `None` for a directory of the repository.
fn installed_name(place: &str) -> Option<&str> {
    match place.rsplit_once("node_modules/") {
        Some((_, name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

/// Where Node finds a package when asked from a place.
fn find(draft: &Draft, place: &str, name: &str) -> Option<String> {
    let mut dir = place;
    loop {
        let candidate = at(dir, name);
        if draft.has(&candidate) {
            return Some(candidate);
        }
        if dir.is_empty() {
            return None;
        }
        dir = dir_of(dir);
    }
}
