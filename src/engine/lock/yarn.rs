//! Reads `yarn.lock`: version 1, and the YAML of later versions.
//!
//! Both map descriptors (`a@^1.0.0, a@^1.2.0`) to one entry. Later versions hold the
//! workspaces too, each an importer; version 1 does not, so that there an importer
//! gets every version of the name that it asks for.
//! (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>)

use super::document::{Document, fault};
use super::network::{Draft, Lock, content};
use super::{Kind, Problem, below};
use crate::engine::tree::dir_of;

const NEEDS: &[&str] = &["dependencies", "optionalDependencies", "peerDependencies"];

/// Reads the file.
pub(super) fn read(path: &str, text: &str) -> Result<Lock, Problem> {
    let is_first = text
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with('#'))
        .any(|line| line.contains("yarn lockfile v1"));
    let file = if is_first {
        version_one(path, text)?
    } else {
        let mut documents = Document::yaml(path, text)?;
        documents.truncate(1);
        documents.pop().unwrap_or(Document::Map(Vec::new()))
    };
    let metadata = file.get("__metadata");
    if !is_first && metadata.is_none() {
        return Err(fault(
            path,
            "this yarn.lock has neither a version comment nor `__metadata`",
        ));
    }
    let mut draft = Draft::default();
    for (descriptors, entry) in entries(&file) {
        let name = descriptors.split(", ").next().map_or("", package_name);
        let version = entry.text("version").unwrap_or_default();
        draft.package(descriptors, name, version, content(entry, &[]));
    }
    let lookup = Lookup::new(&file);
    for (descriptors, entry) in entries(&file) {
        let workspace = entry
            .text("resolution")
            .and_then(|text| text.split_once("@workspace:"))
            .map(|(_, place)| below(dir_of(path), place));
        if let Some(dir) = &workspace {
            draft.importer(dir);
        }
        for (name, range) in entry.sections(NEEDS) {
            for other in lookup.find(name, range.as_str().unwrap_or_default()) {
                match &workspace {
                    Some(dir) => draft.import(dir, name, other),
                    None => draft.need(descriptors, other),
                }
            }
        }
    }
    draft.salt(
        metadata
            .map(|document| content(document, &[]))
            .unwrap_or_default(),
    );
    Ok(draft.finish(path, Kind::Yarn))
}

fn entries(file: &Document) -> impl Iterator<Item = (&str, &Document)> {
    file.entries().filter(|(key, _)| *key != "__metadata")
}

/// The name in a descriptor: `@a/b@npm:^1` gives `@a/b`.
fn package_name(descriptor: &str) -> &str {
    let at = descriptor.get(1..).and_then(|rest| rest.find('@'));
    at.and_then(|at| descriptor.get(..=at))
        .unwrap_or(descriptor)
}

/// Entries by descriptor and by name.
struct Lookup<'a> {
    exact: std::collections::BTreeMap<&'a str, &'a str>,
    named: std::collections::BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Lookup<'a> {
    fn new(file: &'a Document) -> Self {
        let mut lookup = Self {
            exact: std::collections::BTreeMap::new(),
            named: std::collections::BTreeMap::new(),
        };
        for (key, entry) in entries(file) {
            for descriptor in key.split(", ") {
                lookup.exact.insert(descriptor, key);
            }
            let is_local = entry.text("linkType") == Some("soft");
            if let Some(first) = key.split(", ").next().filter(|_| !is_local) {
                lookup
                    .named
                    .entry(package_name(first))
                    .or_default()
                    .push(key);
            }
        }
        lookup
    }

    /// The entry of a descriptor; where a resolution or a patch replaced it, every
    /// entry of the name.
    fn find(&self, name: &str, range: &str) -> Vec<&'a str> {
        let ways = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
        let exact = ways.iter().find_map(|way| self.exact.get(way.as_str()));
        let patched = |key: &&str| key.contains("@patch:");
        let all = self.named.get(name).map_or(&[][..], Vec::as_slice);
        match exact {
            // A patched package stands beside the one that it patches.
            Some(key) if !all.iter().any(patched) => vec![key],
            Some(key) => std::iter::once(*key)
                .chain(all.iter().copied().filter(|key| patched(key)))
                .collect(),
            None => all.to_vec(),
        }
    }
}

/// Version 1: keys end in a colon, fields are indented by two, their entries by four.
fn version_one(path: &str, text: &str) -> Result<Document, Problem> {
    let mut file: Vec<(Box<str>, Document)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let depth = line.len() - line.trim_start_matches(' ').len();
        let added = match (depth, trimmed.strip_suffix(':')) {
            (0, Some(key)) => {
                file.push((key.replace('"', "").into(), Document::Map(Vec::new())));
                Some(())
            }
            (2, Some(section)) => push(file.last_mut(), section, Document::Map(Vec::new())),
            (2, None) => pair(trimmed).and_then(|(key, value)| push(file.last_mut(), key, value)),
            (4, None) => pair(trimmed).and_then(|(key, value)| {
                let Document::Map(fields) = &mut file.last_mut()?.1 else {
                    return None;
                };
                push(fields.last_mut(), key, value)
            }),
            _ => None,
        };
        if added.is_none() {
            let mut fault = fault(path, "this line is not of a yarn.lock of version 1");
            fault.line = u32::try_from(number + 1).unwrap_or_default();
            return Err(fault);
        }
    }
    Ok(Document::Map(file))
}

fn push(to: Option<&mut (Box<str>, Document)>, key: &str, value: Document) -> Option<()> {
    match &mut to?.1 {
        Document::Map(fields) => {
            fields.push((key.trim_matches('"').into(), value));
            Some(())
        }
        Document::Scalar(_) | Document::List(_) => None,
    }
}

/// `key "value"`, either of them quoted or not.
fn pair(line: &str) -> Option<(&str, Document)> {
    let (key, value) = match line.strip_prefix('"') {
        Some(rest) => rest.split_once('"')?,
        None => line.split_once(' ')?,
    };
    let value = value.trim().trim_matches('"');
    Some((key, Document::Scalar(value.into())))
}
