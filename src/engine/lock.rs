//! Lockfiles as graphs of packages, and slices of them.
//!
//! A changed lockfile reaches only those who import what changed. So a lockfile
//! is never an input as a blob: the input is the *slice* reachable from an
//! external name, as a digest that is equal exactly when that part is equal. A
//! format that is not known has one slice: the whole file.

use std::collections::BTreeMap;

use super::packages::python::is_requirements;
use super::tree::base_name;

/// Digests by `(lockfile, external name)`.
pub type LockSlices = BTreeMap<(Box<str>, Box<str>), [u8; 32]>;

/// Whether a path is a lockfile of a known format.
pub fn is_lockfile(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "Cargo.lock",
        "go.sum",
        "go.work.sum",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "poetry.lock",
        "uv.lock",
        "pdm.lock",
        "Pipfile.lock",
    ];
    NAMES.contains(&base_name(path)) || is_requirements(path)
}
