//! Go: packages of a directory, their tests, and who imports whom.
//!
//! A directory with Go files is one unit, its test files are a second one: who
//! imports a package does not need its tests, unless one of them keeps the go
//! command from reading the package at all. Build tags are not evaluated, so a
//! unit needs what any platform needs. An import is looked for where the go
//! command looks: the module's own packages, the modules of its workspace and its
//! local replacements, `vendor` directories above it; and, because a version of
//! another module may be built from this tree, in every module of the repository.
//!
//! Nothing is looked up outside: a module that is only required is an external.

use super::{Builder, EdgeKind, NodeId};
use crate::engine::facts::{Facts, ImportKind, Language};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of};

mod embed;
mod extract;
mod header;
mod modules;
mod opened;

use std::collections::{BTreeMap, BTreeSet};

use modules::{Found, Modules};
use rustc_hash::FxHashMap;

/// Reads a source file.
pub fn extract(path: &str, source: &str) -> Facts {
    extract::read(path, source)
}

/// Adds packages, their tests, and the edges between them.
pub fn resolve(builder: &mut Builder<'_>) {
    let dirs = package_dirs(builder.snapshot);
    if dirs.is_empty() {
        return;
    }
    let modules = Modules::read(builder);
    let units = declare(builder, &dirs);
    let mut resolver = Resolver {
        modules: &modules,
        units: &units,
        answers: FxHashMap::default(),
    };
    for (dir, package) in &dirs {
        let Some(unit) = units.get(dir).copied() else {
            continue;
        };
        resolver.connect(builder, dir, unit.code, &package.code);
        if let Some(tests) = unit.tests {
            builder.edge(tests, unit.code, EdgeKind::Dependency);
            resolver.connect(builder, dir, tests, &package.tests);
        }
    }
}

/// The files of one directory.
#[derive(Debug, Default)]
struct Package {
    code: Vec<FileId>,
    tests: Vec<FileId>,
}

/// The units of one directory.
#[derive(Debug, Clone, Copy)]
struct Units {
    code: NodeId,
    tests: Option<NodeId>,
}

fn package_dirs(snapshot: &Snapshot) -> BTreeMap<&str, Package> {
    let mut dirs: BTreeMap<&str, Package> = BTreeMap::new();
    for (file, entry) in snapshot.tree.iter() {
        if Language::of_path(&entry.path) == Some(Language::Go) {
            let package = dirs.entry(dir_of(&entry.path)).or_default();
            if entry.path.ends_with("_test.go") {
                package.tests.push(file);
            } else {
                package.code.push(file);
            }
        }
    }
    for (file, entry) in snapshot.tree.iter() {
        if is_compiled_along(&entry.path)
            && let Some(package) = dirs.get_mut(dir_of(&entry.path))
        {
            package.code.push(file);
        }
    }
    dirs
}

/// What the go command compiles beside Go: <https://pkg.go.dev/cmd/go#hdr-File_types>.
fn is_compiled_along(path: &str) -> bool {
    const EXTENSIONS: &[&str] = &[
        "c", "cc", "cpp", "cxx", "m", "h", "hh", "hpp", "hxx", "f", "F", "for", "f90", "s", "S",
        "sx", "swig", "swigcxx", "syso",
    ];
    base_name(path)
        .rsplit_once('.')
        .is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

fn declare<'a>(
    builder: &mut Builder<'a>,
    dirs: &BTreeMap<&'a str, Package>,
) -> FxHashMap<&'a str, Units> {
    let mut units: FxHashMap<&str, Units> = FxHashMap::default();
    for (dir, package) in dirs {
        let code = builder.unit(format!("go package ./{dir}"), *dir);
        builder.members(code, package.code.iter().copied());
        for file in in_the_way(builder.snapshot, package) {
            builder.edge(code, file, EdgeKind::Member);
        }
        let tests = (!package.tests.is_empty()).then(|| {
            let tests = builder.unit(format!("go tests ./{dir}"), *dir);
            builder.members(tests, package.tests.iter().copied());
            tests
        });
        units.insert(dir, Units { code, tests });
    }
    own_testdata(builder, &units);
    units
}

/// Test files that fail whoever imports the package: their head cannot be read, or
/// they belong to another package. <https://pkg.go.dev/go/build#MultiplePackageError>
fn in_the_way(snapshot: &Snapshot, package: &Package) -> Vec<FileId> {
    let declared = |file: &FileId| snapshot.facts(*file)?.package.as_deref();
    let names: BTreeSet<&str> = package.code.iter().filter_map(declared).collect();
    let fits = |file: &FileId| {
        let Some(facts) = snapshot.facts(*file).filter(|facts| !facts.broken) else {
            return false;
        };
        let name = facts.package.as_deref().unwrap_or_default();
        let tested = name.strip_suffix("_test").unwrap_or(name);
        names.iter().all(|own| *own == name || *own == tested)
    };
    let files = package.tests.iter().copied();
    files.filter(|file| !fits(file)).collect()
}

/// What lies in `testdata` is read by the tests beside it. The way is one-way:
/// Go files in there may also be packages of their own.
fn own_testdata(builder: &mut Builder<'_>, units: &FxHashMap<&str, Units>) {
    let snapshot = builder.snapshot;
    for (file, entry) in snapshot.tree.iter() {
        for (at, _) in entry.path.match_indices("testdata/") {
            let above = entry.path.get(..at).unwrap_or_default();
            if !above.is_empty() && !above.ends_with('/') {
                continue;
            }
            let owner = units.get(above.trim_end_matches('/'));
            if let Some(tests) = owner.and_then(|units| units.tests) {
                builder.edge(tests, file, EdgeKind::Member);
            }
        }
    }
}

struct Resolver<'m, 'a> {
    modules: &'m Modules<'a>,
    units: &'m FxHashMap<&'a str, Units>,
    /// What the imports of the module at hand are, by specifier.
    answers: FxHashMap<(usize, &'a str), Found>,
}

impl<'a> Resolver<'_, 'a> {
    fn connect(&mut self, builder: &mut Builder<'a>, dir: &str, unit: NodeId, files: &[FileId]) {
        let snapshot = builder.snapshot;
        let scope = self.modules.scope_of(dir);
        for config in self.modules.configs_of(scope) {
            builder.edge(unit, *config, EdgeKind::Config);
        }
        for file in files.iter().copied() {
            if is_assembly(snapshot.tree.path(file)) {
                include_all(builder, file, dir);
            }
            let Some(facts) = snapshot
                .facts(file)
                .filter(|_| snapshot.tree.path(file).ends_with(".go"))
            else {
                continue;
            };
            builder.widen_as(file, facts);
            for import in &facts.imports {
                match import.kind {
                    ImportKind::Embed => embed::connect(builder, file, dir, &import.specifier),
                    ImportKind::IncludeQuoted => {
                        include(builder, file, dir, &import.specifier);
                    }
                    _ => self.import(builder, (file, unit), scope, &import.specifier),
                }
            }
        }
    }

    fn import(
        &mut self,
        builder: &mut Builder<'a>,
        (file, unit): (FileId, NodeId),
        scope: usize,
        specifier: &'a str,
    ) {
        let (modules, units) = (self.modules, self.units);
        let found = self.answers.entry((scope, specifier)).or_insert_with(|| {
            modules.find(scope, specifier, |dir| {
                units.get(dir).map(|units| units.code)
            })
        });
        let outside = match &*found {
            Found::Packages(nodes, outside) => {
                for node in nodes.iter().copied() {
                    builder.edge(unit, node, EdgeKind::Dependency);
                    builder.edge(file, node, EdgeKind::Detail);
                }
                outside.as_deref()
            }
            Found::Outside(module) => Some(module.as_ref()),
            Found::Standard => None,
            Found::Missing => {
                builder.unresolved(file, specifier);
                None
            }
        };
        if let Some(module) = outside {
            builder.external(file, module);
        }
    }
}

fn is_assembly(path: &str) -> bool {
    path.ends_with(".s") || path.ends_with(".S")
}

/// The headers that assembly includes.
fn include_all(builder: &mut Builder<'_>, file: FileId, dir: &str) {
    let snapshot = builder.snapshot;
    let text = snapshot.text_of(snapshot.tree.entry(file).blob);
    for line in text.unwrap_or_default().lines() {
        let included = line.trim().strip_prefix('#').map(str::trim_start);
        let quoted = included.and_then(|it| it.strip_prefix("include")?.split('"').nth(1));
        if let Some(header) = quoted {
            include(builder, file, dir, header);
        }
    }
}

/// A header named by a cgo preamble or by assembly: beside the file, else wherever a path ends so.
fn include(builder: &mut Builder<'_>, file: FileId, dir: &str, specifier: &str) {
    let tree = &builder.snapshot.tree;
    let beside = crate::engine::tree::join(dir, specifier).and_then(|path| tree.find(&path));
    if let Some(header) = beside {
        builder.edge(file, header, EdgeKind::Import);
        return;
    }
    let wanted = specifier.trim_start_matches("../");
    for (header, entry) in tree.iter() {
        let above = entry.path.strip_suffix(wanted);
        if above.is_some_and(|above| above.is_empty() || above.ends_with('/')) {
            builder.edge(file, header, EdgeKind::Import);
        }
    }
}

#[cfg(test)]
mod tests;
