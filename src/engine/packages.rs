//! Directories with a manifest: the packages of a repository.
//!
//! A file belongs to the package of the nearest directory above it that has a
//! manifest. Nested packages are separate: a file never belongs to two. Two sorts
//! of manifest are *weak*, because they also lie where no package begins
//! (`docs/requirements.txt`, a `pyproject.toml` that only configures tools): they
//! join the Python package above them, and make one only where there is none. A
//! manifest inside test data (`testdata/`, `fixtures/`) is data.
//!
//! Only manifests are read here; lockfiles are [`lock`](super::lock)'s. A manifest
//! that does not parse still makes its directory a package.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;

use super::facts::Language;
use super::tree::{Entry, Mode, Snapshot, base_name, dir_of};

mod cargo;
pub(crate) mod go;
mod jvm;
mod node;
pub(crate) mod python;

/// Whose manifest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// `pyproject.toml`, `setup.py`, `setup.cfg`, `Pipfile`, `requirements*.txt`
    Python,
    /// `package.json`
    Node,
    /// `go.mod`
    Go,
    /// `Cargo.toml`; a workspace without a `[package]` has no name
    Cargo,
    /// `build.gradle(.kts)`, `settings.gradle(.kts)`
    Gradle,
    /// `pom.xml`
    Maven,
    /// `CMakeLists.txt` at the top of a tree, `meson.build`
    Native,
}

impl Ecosystem {
    /// Whose packages files of a language import, where lockfiles hold them.
    pub fn of_language(language: Language) -> Option<Self> {
        match language {
            Language::Python => Some(Self::Python),
            Language::JavaScript => Some(Self::Node),
            Language::Go => Some(Self::Go),
            Language::Rust => Some(Self::Cargo),
            Language::Java | Language::Kotlin | Language::C => None,
        }
    }
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its directory; `""` is the root.
    pub dir: Box<str>,
    /// Whose manifest it has. A directory with two manifests is two packages.
    pub ecosystem: Ecosystem,
    /// The manifest's path.
    pub manifest: Box<str>,
    /// Its declared name, if any.
    pub name: Option<Box<str>>,
    /// Names of the packages it declares to need, of every kind (dev, optional,
    /// build), as written in the manifest; sorted, without repeats.
    pub requires: Vec<Box<str>>,
    /// Whether `requires` is all that it needs; `false` where a manifest computes
    /// it (`setup.py`) or does not parse.
    pub complete: bool,
    /// Globs or paths of the members of the workspace whose root it is, relative to `dir`.
    pub members: Vec<Box<str>>,
    /// Whether a workspace is declared there (Cargo).
    pub is_workspace: bool,
    /// What keeps the tool from loading it, and with it the whole workspace, for
    /// people: a target that is not there (Cargo).
    pub fault: Option<Box<str>>,
}

/// The packages of one tree.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    /// Sorted by directory, then by ecosystem.
    pub list: Vec<Package>,
    dirs: FxHashSet<Box<str>>,
}

/// What one manifest says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Declared {
    name: Option<Box<str>>,
    requires: BTreeSet<Box<str>>,
    members: Vec<Box<str>>,
    is_workspace: bool,
    fault: Option<Box<str>>,
    /// The manifest computes its requirements, or does not parse.
    open: bool,
    /// It says nothing that makes a package.
    weak: bool,
}

impl Declared {
    fn unreadable() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }

    fn require(&mut self, name: &str) {
        if !name.is_empty() {
            self.requires.insert(name.into());
        }
    }
}

impl Packages {
    /// Finds and reads the manifests of a snapshot.
    pub fn read(snapshot: &Snapshot) -> Self {
        let mut found = Found::default();
        for (_, entry) in snapshot.tree.iter() {
            if entry.mode != Mode::Submodule && !lies_in_data(dir_of(&entry.path)) {
                found.manifest(snapshot, entry);
            }
        }
        found.settle_weak();
        found.settle_native();
        let list: Vec<Package> = found.packages.into_values().collect();
        let dirs = list.iter().map(|package| package.dir.clone()).collect();
        Self { list, dirs }
    }

    /// The directory of the nearest package above a path; `None` outside all.
    pub fn owner_dir(&self, path: &str) -> Option<&str> {
        let mut dir = dir_of(path);
        loop {
            if let Some(found) = self.dirs.get(dir) {
                return Some(found);
            }
            if dir.is_empty() {
                return None;
            }
            dir = dir_of(dir);
        }
    }

    /// The nearest package above a path in one ecosystem.
    pub fn owner_in(&self, path: &str, ecosystem: Ecosystem) -> Option<&Package> {
        let dir = dir_of(path);
        std::iter::once(dir).chain(ancestors(dir)).find_map(|dir| {
            self.in_dir(dir)
                .find(|package: &&Package| package.ecosystem == ecosystem)
        })
    }

    /// The packages whose manifest lies in exactly this directory.
    pub fn in_dir<'a, 'd>(
        &'a self,
        dir: &'d str,
    ) -> impl Iterator<Item = &'a Package> + use<'a, 'd> {
        let start = self
            .list
            .partition_point(|package| package.dir.as_ref() < dir);
        let rest = self.list.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(move |package| package.dir.as_ref() == dir)
    }

    /// How many directories have a manifest.
    pub fn dir_count(&self) -> usize {
        self.dirs.len()
    }
}

/// Names of directories whose content is read as data, manifests included.
const DATA_DIRS: &[&str] = &[
    "testdata",
    "test-data",
    "test_data",
    "fixtures",
    "__fixtures__",
    "fixture",
    "test-fixtures",
    "test_fixtures",
    "snapshots",
    "__snapshots__",
    "node_modules",
];

/// Whether a directory is test data or lies in some.
fn lies_in_data(dir: &str) -> bool {
    dir.split('/').any(|part| DATA_DIRS.contains(&part))
}

type Key = (Box<str>, Ecosystem);

#[derive(Default)]
struct Found {
    packages: BTreeMap<Key, Package>,
    weak: Vec<(Box<str>, Box<str>, Declared)>,
    /// Native build files by directory.
    native: BTreeMap<Box<str>, Box<str>>,
}

impl Found {
    fn manifest(&mut self, snapshot: &Snapshot, entry: &Entry) {
        let path = entry.path.as_ref();
        let name = base_name(path);
        let text = || snapshot.text_of(entry.blob).unwrap_or_default();
        let (ecosystem, declared) = match name {
            "pyproject.toml" => (Ecosystem::Python, python::pyproject(text())),
            "setup.py" => (Ecosystem::Python, python::setup_py(text())),
            "setup.cfg" => (Ecosystem::Python, python::setup_cfg(text())),
            "Pipfile" => (Ecosystem::Python, python::pipfile(text())),
            "package.json" => (Ecosystem::Node, node::package_json(text())),
            "go.mod" => (Ecosystem::Go, go::go_mod(text())),
            "Cargo.toml" => (
                Ecosystem::Cargo,
                cargo::cargo_toml(text(), &snapshot.tree, dir_of(path)),
            ),
            "build.gradle" | "build.gradle.kts" => (Ecosystem::Gradle, jvm::build_gradle(text())),
            "settings.gradle" | "settings.gradle.kts" => {
                (Ecosystem::Gradle, jvm::settings_gradle(text()))
            }
            "pom.xml" => (Ecosystem::Maven, jvm::pom(text())),
            "CMakeLists.txt" | "meson.build" => {
                self.native.insert(dir_of(path).into(), path.into());
                return;
            }
            _ if python::is_requirements(path) => (Ecosystem::Python, python::requirements(text())),
            _ => return,
        };
        match (declared.weak, ecosystem) {
            (true, Ecosystem::Python) => {
                let dir = dir_of(path);
                let home = match base_name(dir) {
                    "requirements" => dir_of(dir),
                    _ => dir,
                };
                self.weak.push((home.into(), path.into(), declared));
            }
            (true, _) => {}
            (false, _) => self.add(dir_of(path), ecosystem, path, declared),
        }
    }

    /// Joins what several manifests of one directory say.
    fn add(&mut self, dir: &str, ecosystem: Ecosystem, manifest: &str, declared: Declared) {
        let package = self
            .packages
            .entry((dir.into(), ecosystem))
            .or_insert_with(|| Package {
                dir: dir.into(),
                ecosystem,
                manifest: manifest.into(),
                name: None,
                requires: Vec::new(),
                complete: true,
                members: Vec::new(),
                is_workspace: false,
                fault: None,
            });
        if rank(manifest) < rank(&package.manifest) {
            package.manifest = manifest.into();
        }
        package.name = package.name.take().or(declared.name);
        package.complete &= !declared.open;
        package.members.extend(declared.members);
        package.is_workspace |= declared.is_workspace;
        package.fault = package.fault.take().or(declared.fault);
        package.requires.extend(declared.requires);
        package.requires.sort();
        package.requires.dedup();
    }

    /// Gives every weak manifest to the Python package at or above it.
    fn settle_weak(&mut self) {
        let mut weak = std::mem::take(&mut self.weak);
        weak.sort_by_key(|(home, path, _)| (home.len(), path.clone()));
        for (home, path, declared) in weak {
            let is_package = |dir: &&str| {
                let key = (Box::from(*dir), Ecosystem::Python);
                self.packages.contains_key(&key)
            };
            let owner = std::iter::once(home.as_ref())
                .chain(ancestors(&home))
                .find(is_package)
                .unwrap_or(&home);
            self.add(owner, Ecosystem::Python, &path, declared);
        }
    }

    /// Only the top of a native build is a package: what lies below is part of it.
    fn settle_native(&mut self) {
        let native = std::mem::take(&mut self.native);
        for (dir, path) in &native {
            if !ancestors(dir).any(|above| native.contains_key(above)) {
                self.add(dir, Ecosystem::Native, path, Declared::default());
            }
        }
    }
}

/// The directories above a directory, from the nearest to the root.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir))).skip(1)
}

/// Which of several manifests of one directory stands for the package.
fn rank(manifest: &str) -> usize {
    const ORDER: &[&str] = &[
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "Pipfile",
        "build.gradle",
        "build.gradle.kts",
        "settings.gradle",
        "settings.gradle.kts",
    ];
    let name = base_name(manifest);
    ORDER
        .iter()
        .position(|other| *other == name)
        .unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests;
