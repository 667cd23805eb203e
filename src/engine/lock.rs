//! Lockfiles as graphs of packages, and slices of them.
//!
//! A changed lockfile reaches only those who import what changed. So a lockfile
//! is never an input as a blob: the input is the *slice* reachable from an
//! external name, as a digest that is equal exactly when that part is equal. A
//! format that is not known has one slice: the whole file.

use std::collections::BTreeMap;

/// Digests by `(lockfile, external name)`.
pub type LockSlices = BTreeMap<(Box<str>, Box<str>), [u8; 32]>;
