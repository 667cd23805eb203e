//! Directories with a manifest: the packages of a repository.
//!
//! A file belongs to the package of the nearest directory above it that has a
//! manifest. Nested packages are separate: a file never belongs to two.
//!
//! Only manifests are read here; lockfiles are [`lock`](super::lock)'s.

use super::tree::Snapshot;

/// Whose manifest it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// `pyproject.toml`, `setup.py`, `setup.cfg`
    Python,
    /// `package.json`
    Node,
    /// `go.mod`
    Go,
    /// `Cargo.toml` with a `[package]`
    Cargo,
    /// `build.gradle(.kts)`
    Gradle,
    /// `pom.xml`
    Maven,
    /// `CMakeLists.txt` at the top of a tree, `meson.build`
    Native,
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
}

/// The packages of one tree.
#[derive(Debug, Clone, Default)]
pub struct Packages {
    /// Sorted by directory.
    pub list: Vec<Package>,
}

impl Packages {
    /// Finds and reads the manifests of a snapshot.
    pub fn read(_snapshot: &Snapshot) -> Self {
        Self::default()
    }

    /// The directory of the nearest package above a path; `None` outside all.
    pub fn owner_dir(&self, _path: &str) -> Option<&str> {
        None
    }
}
