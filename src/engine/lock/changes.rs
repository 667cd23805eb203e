//! Which packages from outside changed, for people: `lodash 4.17.20 → 4.17.21`.
//!
//! Only for showing: what a change reaches is decided by slices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Digest, Lock, Locks};

/// One package that changed in one lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Changed {
    /// The lockfile's path.
    pub lockfile: Box<str>,
    /// The package.
    pub name: Box<str>,
    /// The versions before that are gone or changed; none for a new package.
    pub before: Vec<Box<str>>,
    /// The versions after that are new or changed; none for a removed package.
    pub after: Vec<Box<str>>,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (self.before.join(", "), self.after.join(", "));
        match (before.is_empty(), after.is_empty()) {
            (true, _) => write!(f, "{} {after} (new)", self.name),
            (_, true) => write!(f, "{} {before} (removed)", self.name),
            _ if before == after => {
                write!(f, "{} {after} (same version, other content)", self.name)
            }
            _ => write!(f, "{} {before} → {after}", self.name),
        }
    }
}

/// The packages that differ, by lockfile and name.
pub fn diff(base: &Locks, merge: &Locks) -> Vec<Changed> {
    let by_path = |locks| -> BTreeMap<Box<str>, BTreeMap<Box<str>, Versions>> {
        let list: &Locks = locks;
        let entry = |lock: &Lock| (lock.path.clone(), versions(lock));
        list.list.iter().map(entry).collect()
    };
    let (before, after) = (by_path(base), by_path(merge));
    let paths: BTreeSet<&Box<str>> = before.keys().chain(after.keys()).collect();
    let nothing = BTreeMap::new();
    let mut changed = Vec::new();
    for path in paths {
        let old = before.get(path).unwrap_or(&nothing);
        let new = after.get(path).unwrap_or(&nothing);
        let names: BTreeSet<&Box<str>> = old.keys().chain(new.keys()).collect();
        for name in names {
            let none = Versions::new();
            let (a, b) = (
                old.get(name).unwrap_or(&none),
                new.get(name).unwrap_or(&none),
            );
            if a != b {
                changed.push(Changed {
                    lockfile: path.clone(),
                    name: name.clone(),
                    before: only(a, b),
                    after: only(b, a),
                });
            }
        }
    }
    changed
}

type Versions = BTreeSet<(Box<str>, Digest)>;

fn versions(lock: &Lock) -> BTreeMap<Box<str>, Versions> {
    let mut found: BTreeMap<Box<str>, Versions> = BTreeMap::new();
    for package in &lock.packages {
        let known = found.entry(package.name.clone()).or_default();
        known.insert((package.version.clone(), package.content));
    }
    found
}

/// The versions of one side that the other does not have alike.
fn only(of: &Versions, other: &Versions) -> Vec<Box<str>> {
    let mut versions: Vec<Box<str>> = of
        .difference(other)
        .map(|(version, _)| version.clone())
        .collect();
    versions.dedup();
    versions
}
