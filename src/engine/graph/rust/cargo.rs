//! Cargo's manifests: packages, who depends on whom by path, what is external.
//!
//! Every table of dependencies counts, optional and target-specific ones too:
//! features are not evaluated. A manifest that is not TOML makes a package whose
//! dependencies are unknown. The format:
//! <https://doc.rust-lang.org/cargo/reference/manifest.html>.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// One `Cargo.toml` with a `[package]`.
#[derive(Debug)]
pub(super) struct Package {
    /// Its directory.
    pub dir: String,
    /// Its manifest.
    pub manifest: FileId,
    /// Its name; the directory where it has none.
    pub name: String,
    /// The directory of its workspace, when that is another one.
    pub workspace: Option<String>,
    /// Declared paths of the library and binaries.
    pub code: Vec<String>,
    /// Paths of its build scripts, declared or where Cargo looks for one.
    pub scripts: Vec<String>,
    /// Whether it is a macro that runs while others are built.
    pub is_macro: bool,
    /// Declared paths of tests, benches and examples.
    pub tests: Vec<String>,
    /// What its code needs.
    pub needs: Dependencies,
    /// What only its tests need.
    pub dev: Dependencies,
    /// What its build scripts need.
    pub build: Dependencies,
    /// Whether the manifest could not be read.
    pub is_broken: bool,
    /// Directories of packages that stand in the place of external ones.
    patches: BTreeSet<String>,
}

/// What one side of a package depends on.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    /// Directories of packages of this tree.
    pub paths: BTreeSet<String>,
    /// Directories of packages of this tree that external ones may be built with.
    pub patches: BTreeSet<String>,
    /// Names of packages from outside.
    pub externals: BTreeSet<String>,
}

/// All packages of the tree, in the order of their directories.
pub(super) fn read(snapshot: &Snapshot) -> Vec<Package> {
    let mut manifests: BTreeMap<&str, Manifest> = BTreeMap::new();
    for (file, entry) in snapshot.tree.iter() {
        if base_name(&entry.path) == "Cargo.toml" {
            let text = snapshot.text(&entry.path).unwrap_or_default();
            let table = text.parse::<Table>().ok();
            manifests.insert(dir_of(&entry.path), Manifest { file, table });
        }
    }
    let tables = manifests.iter();
    let packages = tables.filter_map(|(dir, manifest)| package(dir, manifest, &manifests));
    let mut packages: Vec<Package> = packages.collect();
    apply_indirect_patches(&mut packages);
    packages
}

#[derive(Debug)]
struct Manifest {
    file: FileId,
    /// `None` when it is not TOML.
    table: Option<Table>,
}

type Manifests<'a> = BTreeMap<&'a str, Manifest>;

fn package(dir: &str, manifest: &Manifest, all: &Manifests<'_>) -> Option<Package> {
    let mut found = Package {
        dir: dir.to_owned(),
        manifest: manifest.file,
        name: dir.to_owned(),
        workspace: None,
        code: Vec::new(),
        scripts: Vec::new(),
        is_macro: false,
        tests: Vec::new(),
        needs: Dependencies::default(),
        dev: Dependencies::default(),
        build: Dependencies::default(),
        is_broken: false,
        patches: BTreeSet::new(),
    };
    let Some(table) = &manifest.table else {
        (found.is_broken, found.is_macro) = (true, true);
        return Some(found);
    };
    let head = table_in(table, "package").or_else(|| table_in(table, "project"))?;
    if let Some(name) = text_in(head, "name") {
        name.clone_into(&mut found.name);
    }
    let root = workspace_of(dir, head, all);
    let shared = root.and_then(|root| all.get(root)?.table.as_ref().map(|table| (root, table)));
    // A package without a workspace is the root of its own.
    let shared = shared.or(Some((dir, table)));
    found.workspace = root.filter(|root| *root != dir).map(ToOwned::to_owned);
    targets(&mut found, table, head);
    let inherited = shared.and_then(|(root, table)| {
        let shared = table_in(table_in(table, "workspace")?, "dependencies")?;
        Some((root, shared))
    });
    for (kind, entries) in dependency_tables(table) {
        let into = match kind {
            "dev" => &mut found.dev,
            "build" => &mut found.build,
            _ => &mut found.needs,
        };
        for (name, value) in entries {
            depend(into, dir, (name, value), inherited);
        }
    }
    let patches = shared.map(|(root, table)| patched(root, table));
    apply_patches(&mut found, &patches.unwrap_or_default());
    Some(found)
}

/// The nearest directory above whose manifest has a `[workspace]`.
fn workspace_of<'a>(dir: &'a str, head: &Table, all: &Manifests<'a>) -> Option<&'a str> {
    let is_root = |dir: &str| {
        let table = all.get(dir).and_then(|manifest| manifest.table.as_ref());
        table.is_some_and(|table| table.contains_key("workspace"))
    };
    if let Some(named) = text_in(head, "workspace").and_then(|path| join(dir, path)) {
        return all.get_key_value(named.as_str()).map(|(dir, _)| *dir);
    }
    super::ancestors(dir).find(|above| is_root(above))
}

fn targets(found: &mut Package, table: &Table, head: &Table) {
    let dir = found.dir.clone();
    let path_of = |target: &Table| text_in(target, "path").and_then(|path| join(&dir, path));
    let lib = table_in(table, "lib");
    found.code.extend(lib.and_then(path_of));
    found.is_macro = lib.is_some_and(is_macro);
    let scripts: Vec<&str> = match head.get("build") {
        Some(Value::String(path)) => vec![path],
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
        Some(Value::Boolean(false)) => Vec::new(),
        _ => vec!["build.rs"],
    };
    let scripts = scripts.iter().filter_map(|path| join(&dir, path));
    found.scripts.extend(scripts);
    for kind in ["bin", "test", "bench", "example"] {
        let listed = table.get(kind).and_then(Value::as_array);
        let paths = listed.into_iter().flatten().filter_map(Value::as_table);
        let into = if kind == "bin" {
            &mut found.code
        } else {
            &mut found.tests
        };
        into.extend(paths.filter_map(path_of));
    }
}

/// Whether a library is a macro that is code, or another plugin of the compiler
/// (<https://doc.rust-lang.org/cargo/reference/cargo-targets.html#the-proc-macro-field>).
fn is_macro(lib: &Table) -> bool {
    let is_set = |key: &&str| lib.get(*key).is_some_and(|it| it.as_bool() != Some(false));
    let types = lib.get("crate-type").or_else(|| lib.get("crate_type"));
    let is_one = |it: &Value| it.as_str() == Some("proc-macro");
    let mut listed = types.and_then(Value::as_array).into_iter().flatten();
    ["proc-macro", "proc_macro", "plugin"].iter().any(is_set)
        || types.is_some_and(is_one)
        || listed.any(is_one)
}

/// Every table of dependencies with its kind: `normal`, `build` or `dev`.
fn dependency_tables(table: &Table) -> Vec<(&'static str, &Table)> {
    const KEYS: &[(&str, &str)] = &[
        ("normal", "dependencies"),
        ("build", "build-dependencies"),
        ("build", "build_dependencies"),
        ("dev", "dev-dependencies"),
        ("dev", "dev_dependencies"),
    ];
    let targets = table_in(table, "target");
    let targets = targets.into_iter().flat_map(Table::values);
    let holders = std::iter::once(table).chain(targets.filter_map(Value::as_table));
    holders
        .flat_map(|holder| {
            KEYS.iter()
                .filter_map(move |(kind, key)| Some((*kind, table_in(holder, key)?)))
        })
        .collect()
}

fn depend(
    into: &mut Dependencies,
    dir: &str,
    (name, value): (&String, &Value),
    inherited: Option<(&str, &Table)>,
) {
    let Some(table) = value.as_table() else {
        into.externals.insert(name.clone());
        return;
    };
    let is_inherited = table.get("workspace").and_then(Value::as_bool) == Some(true);
    if is_inherited {
        if let Some((root, shared)) = inherited
            && let Some(value) = shared.get(name)
        {
            depend(into, root, (name, value), None);
        } else {
            into.externals.insert(name.clone());
        }
        return;
    }
    if let Some(path) = text_in(table, "path").and_then(|path| join(dir, path)) {
        into.paths.insert(path);
    } else {
        let real = text_in(table, "package").unwrap_or(name);
        into.externals.insert(real.to_owned());
    }
}

/// Directories of packages that a workspace puts in the place of external ones,
/// by name: `[patch.…]` and the older `[replace]`.
fn patched(root: &str, table: &Table) -> BTreeMap<String, String> {
    let sources = table_in(table, "patch").into_iter().flat_map(Table::values);
    let replaced = table_in(table, "replace");
    let entries = sources.filter_map(Value::as_table).chain(replaced);
    entries
        .flatten()
        .filter_map(|(name, value)| {
            let value = value.as_table()?;
            let dir = join(root, text_in(value, "path")?)?;
            let name = text_in(value, "package").unwrap_or(name);
            let name = name.split(':').next().unwrap_or_default();
            Some((name.to_owned(), dir))
        })
        .collect()
}

/// Packages that a patch replaces become packages of this tree.
fn apply_patches(found: &mut Package, patches: &BTreeMap<String, String>) {
    for side in [&mut found.needs, &mut found.dev, &mut found.build] {
        let named = side.externals.iter().filter_map(|name| patches.get(name));
        side.paths.extend(named.cloned());
        side.externals.retain(|name| !patches.contains_key(name));
    }
    found.patches = patches.values().cloned().collect();
}

/// A patch also holds for what external packages need, and which these are only
/// the lockfile knows: so everyone with an external package needs every patch. Cargo
/// refuses a circle of packages that are no dev-dependencies, so that a patch which
/// itself needs the package cannot be meant there
/// (<https://doc.rust-lang.org/cargo/reference/resolver.html#dev-dependency-cycles>).
fn apply_indirect_patches(packages: &mut [Package]) {
    let needs: BTreeMap<String, BTreeSet<String>> = packages
        .iter()
        .map(|package| {
            let paths = package.needs.paths.union(&package.build.paths);
            (package.dir.clone(), paths.cloned().collect())
        })
        .collect();
    for package in packages {
        let patches = &package.patches;
        let open = |dir: &&String| !reaches(&needs, dir, &package.dir);
        let sides = [
            (&mut package.needs, false),
            (&mut package.build, false),
            (&mut package.dev, true),
        ];
        for (side, is_dev) in sides {
            if !side.externals.is_empty() {
                let meant = patches.iter().filter(|dir| is_dev || open(dir));
                side.patches.extend(meant.cloned());
            }
        }
    }
}

/// Whether a package comes to another one along what is needed.
fn reaches(needs: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut open = vec![from];
    let mut done = BTreeSet::new();
    while let Some(dir) = open.pop() {
        if dir == to {
            return true;
        }
        if done.insert(dir) {
            open.extend(needs.get(dir).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

fn table_in<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    table.get(key).and_then(Value::as_table)
}

fn text_in<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}
