//! Lockfiles as graphs of packages, and slices of them.
//!
//! A changed lockfile reaches only those who import what changed. So a lockfile
//! is never an input as a blob: the input is the *slice* reachable from an
//! external name, as a digest that is equal exactly when that part is equal. A
//! format that is not known has one slice: the whole file.
//!
//! Three rules widen: a name that no lockfile of its ecosystem knows means all of
//! them; Go's sums say nothing of who needs whom and are one slice; what a manifest
//! asks for and nobody imports (tools, plugins, stubs) is reached by every job of
//! the package through [`Locks::tools_slice`].

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::packages::python::is_requirements;
use super::packages::{Ecosystem, Packages};
use super::plan::Diagnostic;
use super::tree::{Entry, Snapshot, base_name, dir_of};

mod cargo;
mod changes;
mod document;
mod golang;
mod imports;
mod network;
mod npm;
mod pnpm;
mod python;
mod requirements;
mod yarn;

pub use changes::{Changed, diff};
pub use network::{Lock, Locked};

/// Digests by `(lockfile, external name)`.
pub type LockSlices = BTreeMap<(Box<str>, Box<str>), Digest>;

/// SHA-256.
pub type Digest = [u8; 32];

/// Why a lockfile cannot be read.
type Problem = Diagnostic;

/// The format of a lockfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `Cargo.lock`
    Cargo,
    /// `go.sum`, `go.work.sum`
    Go,
    /// `package-lock.json`, `npm-shrinkwrap.json`
    Npm,
    /// `pnpm-lock.yaml`
    Pnpm,
    /// `yarn.lock`
    Yarn,
    /// `poetry.lock`
    Poetry,
    /// `uv.lock`
    Uv,
    /// `pdm.lock`
    Pdm,
    /// `Pipfile.lock`
    Pipfile,
    /// `requirements*.txt`
    Requirements,
}

impl Kind {
    /// The format of a path by its base name.
    pub fn of_path(path: &str) -> Option<Self> {
        Some(match base_name(path) {
            "Cargo.lock" => Self::Cargo,
            "go.sum" | "go.work.sum" => Self::Go,
            "package-lock.json" | "npm-shrinkwrap.json" => Self::Npm,
            "pnpm-lock.yaml" => Self::Pnpm,
            "yarn.lock" => Self::Yarn,
            "poetry.lock" => Self::Poetry,
            "uv.lock" => Self::Uv,
            "pdm.lock" => Self::Pdm,
            "Pipfile.lock" => Self::Pipfile,
            _ if is_requirements(path) => Self::Requirements,
            _ => return None,
        })
    }

    /// Whose packages it locks.
    pub fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Cargo => Ecosystem::Cargo,
            Self::Go => Ecosystem::Go,
            Self::Npm | Self::Pnpm | Self::Yarn => Ecosystem::Node,
            Self::Poetry | Self::Uv | Self::Pdm | Self::Pipfile | Self::Requirements => {
                Ecosystem::Python
            }
        }
    }

    fn normal(self, name: &str) -> Box<str> {
        match self.ecosystem() {
            Ecosystem::Python => imports::normal(name).into(),
            _ => name.into(),
        }
    }
}

/// Whether a path is a lockfile of a known format.
pub fn is_lockfile(path: &str) -> bool {
    Kind::of_path(path).is_some()
}

/// A part of the lockfiles that govern a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slice {
    /// The lockfile that was asked first; empty where none governs the directory.
    pub lockfile: Box<str>,
    /// Equal exactly when the part is equal.
    pub digest: Digest,
}

/// All lockfiles of a snapshot.
#[derive(Debug, Clone, Default)]
pub struct Locks {
    /// The lockfiles by path, the unreadable ones as a whole.
    pub list: Vec<Lock>,
    by_home: BTreeMap<(Ecosystem, Box<str>), Vec<usize>>,
    requires: BTreeMap<(Ecosystem, Box<str>), Vec<Box<str>>>,
    /// Python packages that compute what they require.
    open: BTreeSet<Box<str>>,
}

impl Locks {
    /// Reads every lockfile, and says which could not be read.
    ///
    /// The caller runs everything when an unreadable one changed.
    pub fn read(snapshot: &Snapshot, packages: &Packages) -> (Self, Vec<Diagnostic>) {
        Self::read_where(snapshot, packages, |_, _| true)
    }

    /// Reads for a comparison with another snapshot only: a lockfile that is equal
    /// there is not parsed, because every slice of it is equal too. Both sides of
    /// the comparison must be read so, each beside the other.
    pub fn read_beside(
        snapshot: &Snapshot,
        packages: &Packages,
        other: &Snapshot,
    ) -> (Self, Vec<Diagnostic>) {
        Self::read_where(snapshot, packages, |entry, kind| {
            let twin = other.tree.find(&entry.path);
            let is_equal = twin.is_some_and(|file| other.tree.entry(file).blob == entry.blob);
            // These two are read together with other files.
            !is_equal || matches!(kind, Kind::Requirements | Kind::Go)
        })
    }

    fn read_where(
        snapshot: &Snapshot,
        packages: &Packages,
        is_wanted: impl Fn(&Entry, Kind) -> bool,
    ) -> (Self, Vec<Diagnostic>) {
        let (mut locks, mut diagnostics) = (Self::default(), Vec::new());
        for (_, entry) in snapshot.tree.iter() {
            let Some(kind) = Kind::of_path(&entry.path) else {
                continue;
            };
            let home = home(&entry.path, kind, packages);
            let lock = if is_wanted(entry, kind) {
                read_one(entry, kind, home, (snapshot, packages)).unwrap_or_else(|fault| {
                    diagnostics.push(fault);
                    Lock::opaque(&entry.path, kind, entry.blob.as_bytes())
                })
            } else {
                Lock::opaque(&entry.path, kind, entry.blob.as_bytes())
            };
            let key = (kind.ecosystem(), Box::from(home));
            locks.by_home.entry(key).or_default().push(locks.list.len());
            locks.list.push(lock);
        }
        for package in &packages.list {
            let key = (package.ecosystem, package.dir.clone());
            locks.requires.insert(key, package.requires.clone());
            if package.ecosystem == Ecosystem::Python && !package.complete {
                locks.open.insert(package.dir.clone());
            }
        }
        (locks, diagnostics)
    }

    /// What a directory gets by an external name, in every ecosystem that knows it.
    ///
    /// `name` is an import or a package's name; `*` is all that the directory's
    /// manifests ask for.
    pub fn slice(&self, dir: &str, name: &str) -> Slice {
        self.slice_for(&[], dir, name)
    }

    /// The same for a name that files of some ecosystems import: where one of these does
    /// not know it, all of that one counts, whoever else knows such a name.
    pub fn slice_for(&self, importers: &[Ecosystem], dir: &str, name: &str) -> Slice {
        let ecosystems = [
            Ecosystem::Python,
            Ecosystem::Node,
            Ecosystem::Go,
            Ecosystem::Cargo,
        ];
        let mut found = Parts::default();
        let mut strangers = Vec::new();
        for ecosystem in ecosystems {
            if self.collect(ecosystem, dir, name, &mut found.parts) {
                found.known = true;
            } else {
                strangers.push(ecosystem);
            }
        }
        strangers.retain(|ecosystem| !found.known || importers.contains(ecosystem));
        for ecosystem in strangers {
            self.wholes(ecosystem, dir, &mut found.parts);
        }
        found.slice()
    }

    /// What a directory's manifests, and those above it, ask for and none of
    /// `imported` brings: tools, plugins, stubs of types. Pytest and its plugins
    /// always count.
    pub fn tools_slice(&self, dir: &str, imported: &BTreeSet<&str>) -> Slice {
        let mut found = Parts::default();
        let used: BTreeSet<String> = imported
            .iter()
            .flat_map(|name| imports::distributions(name).names)
            .collect();
        for ecosystem in [Ecosystem::Python, Ecosystem::Node] {
            let is_tool = |name: &str| match ecosystem {
                Ecosystem::Python => {
                    imports::is_plugin(name) || !used.contains(&imports::normal(name))
                }
                _ => !imported.contains(name),
            };
            let is_open = ecosystem == Ecosystem::Python
                && upward(dir).any(|above| self.open.contains(above));
            for lock in self.levels(ecosystem, dir).flatten() {
                let tools = self.tools(lock, dir, is_tool);
                // Of a lockfile that is not parsed nobody knows what it holds.
                if is_open || lock.packages.is_empty() {
                    found.parts.push((lock.path.clone(), lock.whole()));
                } else if !tools.is_empty() {
                    found
                        .parts
                        .push((lock.path.clone(), lock.reachable(&tools)));
                }
            }
        }
        found.slice()
    }

    /// The packages of a lockfile that the manifests at and above a directory ask for,
    /// those that are tools.
    fn tools(&self, lock: &Lock, dir: &str, is_tool: impl Fn(&str) -> bool) -> Vec<usize> {
        let mut tools = BTreeSet::new();
        for above in upward(dir) {
            let key = (lock.kind.ecosystem(), Box::from(above));
            let asked = self.requires.get(&key).into_iter().flatten();
            let asked = asked.map(AsRef::as_ref).chain(lock.asked(above));
            for name in asked.filter(|name| is_tool(name)) {
                let got = lock.imported(above, name).filter(|got| !got.is_empty());
                tools.extend(got.unwrap_or_else(|| lock.named(name)));
            }
        }
        tools.into_iter().collect()
    }

    /// Adds what is known of a name; `false` when no lockfile knows it.
    fn collect(
        &self,
        ecosystem: Ecosystem,
        dir: &str,
        name: &str,
        parts: &mut Vec<(Box<str>, Digest)>,
    ) -> bool {
        let mut known = false;
        for level in self.levels(ecosystem, dir) {
            for lock in level {
                if let Some(digest) = part(lock, dir, name) {
                    parts.push((lock.path.clone(), digest));
                    known = true;
                }
            }
            // A Python environment may be made of lockfiles at several heights.
            if known && ecosystem != Ecosystem::Python {
                break;
            }
        }
        known
    }

    fn wholes(&self, ecosystem: Ecosystem, dir: &str, parts: &mut Vec<(Box<str>, Digest)>) {
        for lock in self.levels(ecosystem, dir).flatten() {
            parts.push((lock.path.clone(), lock.whole()));
        }
    }

    /// The lockfiles of an ecosystem at and above a directory, nearest first.
    fn levels<'a>(
        &'a self,
        ecosystem: Ecosystem,
        dir: &'a str,
    ) -> impl Iterator<Item = Vec<&'a Lock>> + 'a {
        upward(dir).filter_map(move |above| {
            let found = self.by_home.get(&(ecosystem, above.into()))?;
            Some(found.iter().filter_map(|at| self.list.get(*at)).collect())
        })
    }
}

/// The parts of lockfiles that make one slice.
#[derive(Default)]
struct Parts {
    parts: Vec<(Box<str>, Digest)>,
    known: bool,
}

impl Parts {
    fn slice(self) -> Slice {
        let lockfile = self.parts.first().map(|(path, _)| path.clone());
        let mut hash = Sha256::new();
        for (path, digest) in &self.parts {
            document::feed(&mut hash, b'p', path);
            hash.update(digest);
        }
        Slice {
            lockfile: lockfile.unwrap_or_default(),
            digest: hash.finalize().into(),
        }
    }
}

/// A directory and those above it, to the root.
fn upward(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)))
}

/// A directory below another; `.` is the other itself.
fn below(home: &str, place: &str) -> String {
    super::tree::join(home, place).unwrap_or_else(|| place.to_owned())
}

/// The directory that a lockfile governs.
fn home<'a>(path: &'a str, kind: Kind, packages: &'a Packages) -> &'a str {
    let owner = match kind {
        Kind::Requirements => packages.owner_in(path, Ecosystem::Python),
        _ => None,
    };
    owner.map_or(dir_of(path), |package| package.dir.as_ref())
}

fn read_one(
    entry: &Entry,
    kind: Kind,
    home: &str,
    (snapshot, packages): (&Snapshot, &Packages),
) -> Result<Lock, Problem> {
    let path = entry.path.as_ref();
    let text = snapshot
        .text_of(entry.blob)
        .ok_or_else(|| document::fault(path, "this lockfile was not read"))?;
    match kind {
        Kind::Cargo => cargo::read(path, text, packages),
        Kind::Go => golang::read(path, text, snapshot),
        Kind::Npm => npm::read(path, text),
        Kind::Pnpm => pnpm::read(path, text),
        Kind::Yarn => yarn::read(path, text),
        Kind::Poetry | Kind::Uv | Kind::Pdm => python::listed(path, text, kind),
        Kind::Pipfile => python::pipfile(path, text),
        Kind::Requirements => requirements::read(path, home, snapshot),
    }
}

/// The part of one lockfile that a name means; `None` when it does not know the name.
fn part(lock: &Lock, dir: &str, name: &str) -> Option<Digest> {
    match lock.kind.ecosystem() {
        // A crate is one unit: all that it needs, whatever the name.
        Ecosystem::Cargo => lock.imported(dir, "*").map(|got| lock.reachable(got)),
        Ecosystem::Go => Some(lock.whole()),
        _ if name == "*" => Some(lock.whole()),
        Ecosystem::Python => {
            let origin = imports::distributions(name);
            let names = origin.names.iter();
            let mut got: Vec<usize> = names.flat_map(|name| lock.named(name)).copied().collect();
            got.extend(
                origin
                    .prefix
                    .iter()
                    .flat_map(|prefix| lock.prefixed(prefix)),
            );
            (!got.is_empty()).then(|| lock.reachable(&got))
        }
        _ => {
            let asked = upward(dir).find_map(|above| lock.imported(above, name));
            let got = asked.filter(|got| !got.is_empty());
            let got = got.unwrap_or_else(|| lock.named(name));
            (!got.is_empty()).then(|| lock.reachable(got))
        }
    }
}

#[cfg(test)]
mod tests;
