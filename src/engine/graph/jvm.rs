//! Java and Kotlin: the modules of Gradle and Maven, and who depends on whom.
//!
//! A module is two units, its code and its tests; its resources and the sources of
//! fixtures that it publishes belong to the code. Build files decide for whole
//! modules, and those of a build for all of its modules. Imports between files only
//! explain. Sources outside all modules are one unit together.
//!
//! No build script is run: see `gradle` and `maven` for what is widened instead.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::{Builder, EdgeKind, NodeId};
use crate::engine::facts::{Facts, Language};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of};

mod extract;
mod gradle;
mod maven;
mod opened;
mod packages;
mod script;

pub(super) use opened::{climbing, variable};

/// Reads a source file.
pub fn extract(path: &str, source: &str) -> Facts {
    extract::read(path, source)
}

/// Adds modules, their tests, and the edges between them.
pub fn resolve(builder: &mut Builder<'_>) {
    let mut layout = Layout::default();
    gradle::read(builder.snapshot, &mut layout);
    maven::read(builder.snapshot, &mut layout);
    let units = declare(builder, &layout);
    take_members(builder, &units);
    connect(builder, &layout, &units);
    packages::explain(builder);
}

/// The Java and Kotlin files below a directory (`""` is the root) in which a test
/// is defined.
pub fn files_with_tests(snapshot: &Snapshot, dir: &str) -> Vec<FileId> {
    let sources = snapshot
        .tree
        .under(dir)
        .filter(|(_, entry)| is_source(&entry.path));
    let has_tests = |file: &FileId| {
        snapshot
            .facts(*file)
            .is_some_and(|facts| !facts.tests.is_empty())
    };
    sources.map(|(file, _)| file).filter(has_tests).collect()
}

/// What the build files of a tree say, whatever the tool.
#[derive(Debug, Default)]
struct Layout {
    /// Modules by directory, each with the name that its tool gives it.
    modules: BTreeMap<String, String>,
    links: BTreeSet<Link>,
    /// Files that decide for one module, by its directory.
    configs: Vec<(String, FileId)>,
    shared: Vec<Shared>,
    externals: BTreeSet<(FileId, String)>,
    unresolved: Vec<(FileId, String)>,
}

/// One module depends on another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: (String, Part),
    to: (String, Part),
}

/// Files that decide for several modules.
#[derive(Debug)]
struct Shared {
    label: String,
    dir: String,
    files: Vec<FileId>,
    modules: Vec<String>,
}

/// One half of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Code,
    Tests,
}

#[derive(Debug, Clone, Copy)]
struct Units {
    code: NodeId,
    tests: NodeId,
}

impl Units {
    fn of(self, part: Part) -> NodeId {
        match part {
            Part::Code => self.code,
            Part::Tests => self.tests,
        }
    }
}

/// A directory, then every directory above it; the root `""` is last.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)))
}

/// Whether a path is a source that a JVM compiler reads, and no build script.
fn is_source(path: &str) -> bool {
    let is_ours = matches!(
        Language::of_path(path),
        Some(Language::Java | Language::Kotlin)
    );
    is_ours && !path.ends_with(".gradle.kts")
}

fn declare(builder: &mut Builder<'_>, layout: &Layout) -> FxHashMap<String, Units> {
    let mut units = FxHashMap::default();
    for (dir, name) in &layout.modules {
        let name = if name.trim_matches(':').is_empty() {
            format!("./{dir}")
        } else {
            name.clone()
        };
        let code = builder.unit(format!("module {name}"), dir.as_str());
        let tests = builder.unit(format!("module {name} tests"), dir.as_str());
        builder.edge(tests, code, EdgeKind::Dependency);
        units.insert(dir.clone(), Units { code, tests });
    }
    units
}

fn take_members(builder: &mut Builder<'_>, units: &FxHashMap<String, Units>) {
    let snapshot = builder.snapshot;
    let mut members: BTreeMap<NodeId, Vec<FileId>> = BTreeMap::new();
    let mut strays: Vec<FileId> = Vec::new();
    let mut last: (&str, Option<(&str, Units)>) = ("\0", None);
    for (file, entry) in snapshot.tree.iter() {
        let dir = dir_of(&entry.path);
        if last.0 != dir {
            let owner =
                ancestors(dir).find_map(|above| units.get(above).map(|units| (above, *units)));
            last = (dir, owner);
        }
        match last.1 {
            Some((module, units)) => {
                let below = entry.path.get(module.len()..).unwrap_or_default();
                if let Some(part) = part_of(below.trim_start_matches('/')) {
                    members.entry(units.of(part)).or_default().push(file);
                }
            }
            None if is_source(&entry.path) => strays.push(file),
            None => {}
        }
    }
    for (unit, files) in members {
        builder.members(unit, files);
    }
    if !strays.is_empty() {
        let unit = builder.unit("java and kotlin sources without a build file", "");
        builder.members(unit, strays);
    }
}

/// Which half of its module a file belongs to, by its path below the module.
///
/// A source set whose name has `test` in it is tests; `testFixtures` are published
/// to other modules and count as code. Outside `src` only sources are members.
fn part_of(below: &str) -> Option<Part> {
    let (first, rest) = below.split_once('/').unwrap_or(("", below));
    if first == "src" {
        let set = rest.split_once('/').map_or("", |(set, _)| set);
        let set = set.to_ascii_lowercase();
        let is_test = set.contains("test") && !set.contains("testfixtures");
        return Some(if is_test { Part::Tests } else { Part::Code });
    }
    let is_member = is_source(below)
        || [".groovy", ".scala"]
            .iter()
            .any(|ending| base_name(below).ends_with(ending));
    let part = match first {
        "test" | "tests" => Part::Tests,
        _ => Part::Code,
    };
    is_member.then_some(part)
}

fn connect(builder: &mut Builder<'_>, layout: &Layout, units: &FxHashMap<String, Units>) {
    let unit = |(dir, part): &(String, Part)| units.get(dir).map(|units| units.of(*part));
    for link in &layout.links {
        if let (Some(from), Some(to)) = (unit(&link.from), unit(&link.to)) {
            builder.edge(from, to, EdgeKind::Dependency);
        }
    }
    for (dir, file) in &layout.configs {
        if let Some(units) = units.get(dir) {
            builder.edge(units.code, *file, EdgeKind::Config);
        }
    }
    for shared in &layout.shared {
        let build = builder.unit(shared.label.as_str(), shared.dir.as_str());
        for file in &shared.files {
            builder.edge(build, *file, EdgeKind::Config);
        }
        for module in &shared.modules {
            if let Some(units) = units.get(module) {
                builder.edge(units.code, build, EdgeKind::Config);
            }
        }
    }
    for (file, name) in &layout.externals {
        builder.external(*file, name.as_str());
    }
    for (file, specifier) in &layout.unresolved {
        builder.unresolved(*file, specifier.as_str());
    }
    widen(builder);
}

fn widen(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    for (file, entry) in snapshot.tree.iter() {
        if !is_source(&entry.path) {
            continue;
        }
        if let Some(facts) = snapshot.facts(file) {
            builder.widen_as(file, facts);
        }
    }
}

#[cfg(test)]
mod tests;
