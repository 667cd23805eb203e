//! Rust: crates, their tests, and who depends on whom by path.
//!
//! A package of Cargo is two units: its code, and what only its tests, benches and
//! examples need. Who depends on a crate does not need its tests. A build script is a
//! third: it runs where the code is only compiled, as macros do. Inside a crate
//! everything is needed together, so edges between modules explain and never
//! decide; a file that is compiled in from elsewhere does.
//!
//! Features and conditions are not evaluated, and Cargo.lock is not read here.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Builder, EdgeKind, NodeId};
use crate::engine::facts::{Facts, Import, ImportKind};
use crate::engine::tree::{FileId, Snapshot, Tree, dir_of, join};

mod cargo;
mod content;
mod examples;
mod extract;
mod modules;
mod opened;
mod scripts;
mod templates;

use cargo::{Dependencies, Package};

/// Reads a source file.
pub fn extract(_: &str, source: &str) -> Facts {
    extract::read(source)
}

/// Adds crates, their tests, and the edges between them.
pub fn resolve(builder: &mut Builder<'_>) {
    let packages = cargo::read(builder.snapshot);
    let mut crates = Crates::declare(builder, &packages);
    crates.take_members(builder, &packages);
    for index in 0..packages.len() {
        crates.connect(builder, index, &packages);
    }
    crates.connect_files(builder, &packages);
    scripts::connect(builder, &packages);
    for (package, units) in packages.iter().zip(&crates.units) {
        templates::connect(builder, units.code, package);
    }
}

/// The files below a directory (`""` is the root) in which a test is defined.
pub fn files_with_tests(snapshot: &Snapshot, dir: &str) -> Vec<FileId> {
    let sources = snapshot
        .tree
        .under(dir)
        .filter(|(_, entry)| entry.path.ends_with(".rs"));
    let has_tests = |file: &FileId| {
        snapshot
            .facts(*file)
            .is_some_and(|facts| !facts.tests.is_empty())
    };
    sources.map(|(file, _)| file).filter(has_tests).collect()
}

/// A directory, then every directory above it; the root `""` is last.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)))
}

/// Which part of its package a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Code,
    Tests,
    Script,
}

#[derive(Debug, Clone, Copy)]
struct Units {
    code: NodeId,
    tests: NodeId,
    /// Its build script, where it has one.
    script: Option<NodeId>,
}

/// The units of all packages, in the order of the packages.
struct Crates {
    units: Vec<Units>,
    by_dir: FxHashMap<String, usize>,
    by_name: FxHashMap<String, NodeId>,
    /// The package and the unit of each member.
    homes: FxHashMap<FileId, (usize, NodeId)>,
}

impl Crates {
    fn declare(builder: &mut Builder<'_>, packages: &[Package]) -> Self {
        let mut crates = Self {
            units: Vec::with_capacity(packages.len()),
            by_dir: FxHashMap::default(),
            by_name: FxHashMap::default(),
            homes: FxHashMap::default(),
        };
        for (index, package) in packages.iter().enumerate() {
            let dir = package.dir.as_str();
            let code = builder.unit(format!("crate {}", package.name), dir);
            let tests = builder.unit(format!("crate {} tests", package.name), dir);
            let kind = if package.is_macro {
                EdgeKind::Runs
            } else {
                EdgeKind::Dependency
            };
            builder.edge(tests, code, kind);
            let tree = &builder.snapshot.tree;
            let has_script = (package.scripts.iter()).any(|path| tree.find(path).is_some());
            let script = has_script.then(|| {
                let script = builder.group(format!("build script of {}", package.name));
                builder.edge(code, script, EdgeKind::Runs);
                script
            });
            crates.units.push(Units {
                code,
                tests,
                script,
            });
            crates.by_dir.insert(package.dir.clone(), index);
            let name = package.name.replace('-', "_");
            crates.by_name.entry(name).or_insert(code);
        }
        crates
    }

    fn take_members(&mut self, builder: &mut Builder<'_>, packages: &[Package]) {
        let snapshot = builder.snapshot;
        let mut members: BTreeMap<NodeId, Vec<FileId>> = BTreeMap::new();
        let mut last: (&str, Option<usize>) = ("\0", None);
        for (file, entry) in snapshot.tree.iter() {
            let dir = dir_of(&entry.path);
            if last.0 != dir {
                let owner = ancestors(dir).find_map(|above| self.by_dir.get(above).copied());
                last = (dir, owner);
            }
            let Some(index) = last.1 else { continue };
            let (Some(package), Some(units)) = (packages.get(index), self.units.get(index)) else {
                continue;
            };
            let unit = match side_of(&entry.path, package) {
                Some(Side::Code) => units.code,
                Some(Side::Tests) => units.tests,
                Some(Side::Script) => units.script.unwrap_or(units.code),
                None => continue,
            };
            self.homes.insert(file, (index, unit));
            members.entry(unit).or_default().push(file);
        }
        let macros: Vec<NodeId> = (packages.iter().zip(&self.units))
            .filter(|(package, _)| package.is_macro)
            .map(|(_, units)| units.code)
            .collect();
        let is_macro = |unit: &NodeId| macros.contains(unit);
        for (unit, files) in members {
            let is_code = |file: &FileId| snapshot.tree.path(*file).ends_with(".rs");
            let (code, data): (Vec<_>, Vec<_>) = files.into_iter().partition(is_code);
            // A macro runs in every build that has it, its own tests' first of all.
            if is_macro(&unit) {
                for file in &code {
                    builder.edge(*file, unit, EdgeKind::Runs);
                }
            }
            builder.members(unit, code);
            // Who reads the data of a crate's tests needs no more of them.
            for file in data {
                builder.edge(unit, file, EdgeKind::Member);
            }
        }
    }

    fn connect(&self, builder: &mut Builder<'_>, index: usize, packages: &[Package]) {
        let Some(package) = packages.get(index) else {
            return;
        };
        let Some(Units {
            code,
            tests,
            script,
        }) = self.units.get(index).copied()
        else {
            return;
        };
        for config in configs(builder.snapshot, package) {
            for unit in [Some(code), script].into_iter().flatten() {
                builder.edge(unit, config, EdgeKind::Config);
            }
        }
        for answer in answers(builder.snapshot, package) {
            builder.edge(code, answer, EdgeKind::Embed);
        }
        let macros = |dir: &String| match self.by_dir.get(dir).and_then(|at| packages.get(*at)) {
            Some(needed) if needed.is_macro => EdgeKind::Runs,
            _ => EdgeKind::Dependency,
        };
        for (unit, needs) in [(code, &package.needs), (tests, &package.dev)] {
            for dir in &needs.paths {
                self.depend(builder, (unit, package), dir, macros(dir));
            }
            self.depend_outside(builder, (unit, package), needs);
        }
        // Packages of a build script run as it does.
        for dir in &package.build.paths {
            self.depend(builder, (code, package), dir, EdgeKind::Runs);
            if let Some(script) = script {
                self.depend(builder, (script, package), dir, EdgeKind::Dependency);
            }
        }
        self.depend_outside(builder, (code, package), &package.build);
        if package.is_broken {
            for other in &self.units {
                builder.edge(code, other.code, EdgeKind::Runs);
            }
        }
        let scripts = (script.into_iter()).map(|script| (script, &package.scripts));
        let targets = [(code, &package.code), (tests, &package.tests)];
        for (unit, targets) in targets.into_iter().chain(scripts) {
            for target in targets {
                take_target(builder, unit, target, package);
            }
        }
    }

    /// A unit of a package depends on another package of the tree.
    fn depend(
        &self,
        builder: &mut Builder<'_>,
        (unit, package): (NodeId, &Package),
        dir: &str,
        kind: EdgeKind,
    ) {
        let needed = self.by_dir.get(dir).and_then(|at| self.units.get(*at));
        match needed {
            Some(needed) => builder.edge(unit, needed.code, kind),
            None => builder.unresolved(package.manifest, dir),
        }
    }

    /// What a unit takes from outside, which may be built with a patch of this tree.
    fn depend_outside(
        &self,
        builder: &mut Builder<'_>,
        (unit, package): (NodeId, &Package),
        needs: &Dependencies,
    ) {
        for dir in &needs.patches {
            self.depend(builder, (unit, package), dir, EdgeKind::Runs);
        }
        for name in &needs.externals {
            builder.external(package.manifest, name.as_str());
        }
    }

    fn connect_files(&self, builder: &mut Builder<'_>, packages: &[Package]) {
        let snapshot = builder.snapshot;
        for (file, entry) in snapshot.tree.iter() {
            if !entry.path.ends_with(".rs") {
                continue;
            }
            let Some(facts) = snapshot.facts(file) else {
                continue;
            };
            builder.widen_as(file, facts);
            let package = self
                .homes
                .get(&file)
                .and_then(|(index, _)| packages.get(*index));
            let place = modules::Place {
                file,
                path: &entry.path,
                package: package.map_or("", |package| package.dir.as_str()),
            };
            for import in &facts.imports {
                match import.kind {
                    ImportKind::Module => modules::declare(builder, place, import, |file| {
                        self.homes.get(&file).map(|(_, unit)| *unit)
                    }),
                    ImportKind::Embed => embed(builder, place, &import.specifier),
                    _ => {}
                }
            }
            modules::explain(builder, place, facts, |name| {
                self.by_name.get(name).copied()
            });
        }
    }
}

/// Everything below `src`, and every Rust file elsewhere, is code: a library may
/// lie beside its manifest.
fn side_of(path: &str, package: &Package) -> Option<Side> {
    let below = match package.dir.as_str() {
        "" => path,
        dir => path.strip_prefix(dir)?.strip_prefix('/')?,
    };
    let in_target = |target: &String| {
        let dir = dir_of(target);
        let is_apart = dir.len() > package.dir.len() && !dir.ends_with("/src") && dir != "src";
        is_apart
            && path
                .strip_prefix(dir)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let is_test = ["tests/", "benches/", "examples/"]
        .iter()
        .any(|dir| below.starts_with(dir));
    let in_src = below.starts_with("src/");
    if package.scripts.iter().any(|target| target == path) {
        Some(Side::Script)
    } else if package.code.iter().any(|target| target == path) {
        Some(Side::Code)
    } else if is_test || !in_src && package.tests.iter().any(in_target) {
        Some(Side::Tests)
    } else {
        (in_src || below.ends_with(".rs")).then_some(Side::Code)
    }
}

/// A target that is declared by path: the file, and the Rust files beside and below
/// it where these are not the package's own anyway.
fn take_target(builder: &mut Builder<'_>, unit: NodeId, target: &str, package: &Package) {
    let snapshot = builder.snapshot;
    let Some(file) = snapshot.tree.find(target) else {
        builder.unresolved(package.manifest, target);
        return;
    };
    builder.edge(unit, file, EdgeKind::Member);
    let dir = dir_of(target);
    let is_outside = !ancestors(dir).any(|above| above == package.dir);
    if is_outside {
        for (file, entry) in snapshot.tree.under(dir) {
            if entry.path.ends_with(".rs") {
                builder.edge(unit, file, EdgeKind::Member);
            }
        }
    }
}

/// The files that configure a package: manifests, and tools' settings above it.
fn configs(snapshot: &Snapshot, package: &Package) -> Vec<FileId> {
    const NAMES: &[&str] = &[
        ".cargo/config.toml",
        ".cargo/config",
        "rust-toolchain.toml",
        "rust-toolchain",
        "clippy.toml",
        ".clippy.toml",
        "rustfmt.toml",
        ".rustfmt.toml",
    ];
    let find = |dir: &str, name: &str| {
        let path = join(dir, name)?;
        snapshot.tree.find(&path)
    };
    let settings = ancestors(&package.dir)
        .flat_map(|dir| NAMES.iter().filter_map(move |name| find(dir, name)));
    let root = package
        .workspace
        .as_deref()
        .and_then(|dir| find(dir, "Cargo.toml"));
    std::iter::once(package.manifest)
        .chain(root)
        .chain(settings)
        .collect()
}

/// What the macros of sqlx read in place of a database, beside a crate that needs it or
/// above (<https://docs.rs/sqlx/latest/sqlx/macro.query.html#offline-mode>).
fn answers(snapshot: &Snapshot, package: &Package) -> Vec<FileId> {
    let needs = [&package.needs, &package.dev, &package.build];
    let mut names = needs.iter().flat_map(|needs| &needs.externals);
    if !names.any(|name| name.starts_with("sqlx")) {
        return Vec::new();
    }
    let tree = &snapshot.tree;
    let mut found = Vec::new();
    for dir in ancestors(&package.dir) {
        let answers = join(dir, ".sqlx").into_iter();
        found.extend(
            answers.flat_map(|dir| tree.under(&dir).map(|(file, _)| file).collect::<Vec<_>>()),
        );
        found.extend(join(dir, "sqlx-data.json").and_then(|path| tree.find(&path)));
    }
    found
}

/// The path of what is compiled into a file.
fn embedded_path(place: modules::Place<'_>, specifier: &str) -> Option<String> {
    let (base, below) = match specifier.strip_prefix(extract::MANIFEST_DIR) {
        Some(below) => (place.package, below.trim_start_matches('/')),
        None => (dir_of(place.path), specifier),
    };
    join(base, below)
}

/// The code that is compiled into a file.
fn embedded(tree: &Tree, place: modules::Place<'_>, import: &Import) -> Option<FileId> {
    let path = embedded_path(place, &import.specifier);
    tree.find(&path.filter(|path| path.ends_with(".rs"))?)
}

/// A file, or everything below a directory, that is compiled into a file.
fn embed(builder: &mut Builder<'_>, place: modules::Place<'_>, specifier: &str) {
    let tree = &builder.snapshot.tree;
    let path = embedded_path(place, specifier);
    let exact = path.as_deref().and_then(|path| tree.find(path));
    let mut found: Vec<FileId> = exact.into_iter().collect();
    if found.is_empty()
        && let Some(dir) = path.as_deref().filter(|path| !path.is_empty())
    {
        found.extend(tree.under(dir).map(|(file, _)| file));
    }
    if found.is_empty() {
        builder.unresolved(place.file, specifier);
    }
    for target in found {
        builder.edge(place.file, target, EdgeKind::Embed);
    }
}

#[cfg(test)]
mod tests;
