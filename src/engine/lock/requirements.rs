//! Reads requirement files: pins with markers and hashes, and the files they include.
//!
//! A compiled file says after each pin who asked for it (`# via`), which is a graph;
//! where a single pin does not, the file is flat. Lines that are no requirement
//! (options, paths, addresses) count as settings of the whole file.
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>)

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::document::{Document, fault, feed};
use super::imports::normal;
use super::network::{Draft, Lock, content};
use super::{Kind, Problem};
use crate::engine::packages::python::requirement_name;
use crate::engine::tree::{Snapshot, dir_of, join};

/// How many files one requirement file may include, through others.
const MAX_FILES: usize = 64;

/// Reads the file and what it includes.
///
/// `home` is the directory of the package that it belongs to.
pub(super) fn read(path: &str, home: &str, snapshot: &Snapshot) -> Result<Lock, Problem> {
    let mut pins: Vec<Pin> = Vec::new();
    let mut settings = Sha256::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut todo = vec![path.to_owned()];
    while let Some(next) = todo.pop() {
        if !seen.insert(next.clone()) {
            continue;
        }
        if seen.len() > MAX_FILES {
            return Err(fault(path, "this file includes more than 64 others"));
        }
        // A file that is not there is made while the job runs, or is an address.
        let Some(text) = snapshot.text(&next) else {
            feed(&mut settings, b'm', &next);
            continue;
        };
        for line in logical_lines(text) {
            match included(&line.text) {
                Some(file) => todo.extend(join(dir_of(&next), file)),
                None => match pin(line) {
                    Ok(pin) => pins.push(pin),
                    Err(other) => feed(&mut settings, b'o', &other),
                },
            }
        }
    }
    let mut draft = Draft::default();
    draft.salt(settings.finalize().into());
    if pins.iter().any(|pin| pin.via.is_empty()) {
        draft.flat();
    }
    connect(&mut draft, &pins, home);
    Ok(draft.finish(path, Kind::Requirements))
}

/// Adds the pins; who asked for one needs it, and what no pin asked for is direct.
fn connect(draft: &mut Draft, pins: &[Pin], home: &str) {
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, pin) in pins.iter().enumerate() {
        let said = content(&Document::Scalar(pin.text.as_str().into()), &[]);
        draft.package(&at.to_string(), &pin.name, &pin.version, said);
        by_name.entry(normal(&pin.name)).or_default().push(at);
    }
    for (at, pin) in pins.iter().enumerate() {
        let mut is_direct = true;
        for via in &pin.via {
            let parents = by_name.get(via).map_or(&[][..], Vec::as_slice);
            is_direct &= parents.is_empty();
            for parent in parents {
                draft.need(&parent.to_string(), at.to_string());
            }
        }
        if is_direct || pin.via.iter().any(|via| via.starts_with('-')) {
            draft.import(home, &normal(&pin.name), at.to_string());
        }
    }
}

struct Line {
    text: String,
    via: BTreeSet<String>,
}

struct Pin {
    name: String,
    version: String,
    text: String,
    via: BTreeSet<String>,
}

/// Lines with their continuations, each with who asked for it: the names behind
/// `# via`, on its own line or on the comment lines that follow.
fn logical_lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let (mut continues, mut is_via) = (false, false);
    for line in text.lines() {
        let (code, comment) = split_comment(line);
        if !code.is_empty() {
            let more = code.ends_with('\\');
            let code = code.trim_end_matches('\\').trim();
            match lines.last_mut().filter(|_| continues) {
                Some(last) => {
                    last.text.push(' ');
                    last.text.push_str(code);
                }
                None => lines.push(Line {
                    text: code.to_owned(),
                    via: BTreeSet::new(),
                }),
            }
            (continues, is_via) = (more, false);
        }
        let names = match comment
            .strip_prefix("via")
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
        {
            Some(names) => {
                is_via = true;
                names
            }
            None => comment,
        };
        if is_via && let Some(last) = lines.last_mut() {
            let names = names.split(',').map(str::trim);
            last.via
                .extend(names.filter(|name| !name.is_empty()).map(via));
        }
    }
    lines
}

/// A line before and behind its comment, both trimmed.
fn split_comment(line: &str) -> (&str, &str) {
    let starts = |(at, _): &(usize, &str)| {
        let head = line.get(..*at).unwrap_or_default();
        head.is_empty() || head.ends_with([' ', '\t'])
    };
    match line.match_indices('#').find(starts) {
        Some((at, _)) => {
            let (code, comment) = line.split_at(at);
            (code.trim(), comment.trim_start_matches('#').trim())
        }
        None => (line.trim(), ""),
    }
}

/// Who asked: a distribution, or `-r file` for a direct requirement.
fn via(name: &str) -> String {
    if name.starts_with('-') || name.contains(['(', '/']) {
        return name.to_owned();
    }
    normal(name)
}

/// The file that a line includes.
fn included(line: &str) -> Option<&str> {
    let (option, rest) = line.split_once([' ', '='])?;
    matches!(option, "-r" | "-c" | "--requirement" | "--constraint").then(|| rest.trim())
}

fn pin(line: Line) -> Result<Pin, String> {
    let name = requirement_name(&line.text);
    let rest = line.text.get(name.len()..).unwrap_or_default().trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras
            .split_once(']')
            .map_or("", |(_, rest)| rest)
            .trim_start(),
        None => rest,
    };
    let is_pin = rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', ';', '@', '-']);
    if name.is_empty() || !is_pin || line.text.starts_with(['-', '.', '/']) {
        return Err(line.text);
    }
    let version = rest.trim_start_matches(['=', ' ']);
    let end = version.find([' ', ';', ',']).unwrap_or(version.len());
    Ok(Pin {
        name: name.to_owned(),
        version: version.get(..end).unwrap_or_default().to_owned(),
        via: line.via,
        text: line.text,
    })
}
