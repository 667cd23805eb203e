//! Files that are not code: owned, named, inert or unowned.
//!
//! Data has no imports, so that its place and its mentions must say who needs it.
//! *Owned*: the nearest package above; every job that reaches code of that package
//! needs all its data, through one unit per package. *Named*: some literal, glob or
//! script writes its path, base name or directory. *Inert*: prose, licences,
//! pictures under docs, CI files (compared by meaning elsewhere), as long as nothing
//! names them. *Unowned*: the rest; a change there runs everything. A repository with
//! at most one package has no other home for data than that package or its root.
//!
//! A doubt never makes a file inert: what is in no list here has an owner or none.

use globset::GlobMatcher;
use rustc_hash::{FxHashMap, FxHashSet};

use super::facts::Language;
use super::globs::{self, Glob, GlobFault};
use super::graph::{Builder, EdgeKind, Graph, NodeId};
use super::packages::{Ecosystem, Packages};
use super::plan::Diagnostic;
use super::policy::{self, Policy};
use super::sources::RUNNERS;
use super::tree::{Entry, FileId, Mode, Tree, base_name, dir_of};
use super::{lock, tree};

mod inert;
mod names;

/// What a path is to the jobs of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class<'a> {
    /// A source file of a known language: its edges say who needs it.
    Code,
    /// A lockfile: compared by slices, never as a blob.
    Lock,
    /// It belongs to the package of this directory (`""` is the root).
    Owned(&'a str),
    /// Nothing reads it, unless something names it: then the edges say who.
    Inert,
    /// No package owns it: a change runs everything, unless something names it.
    Unowned,
}

/// Who owns what, before names are known.
#[derive(Debug)]
pub struct Ownership<'a> {
    packages: &'a Packages,
    /// The owner of everything, where there is at most one package.
    sole: Option<&'a str>,
    /// `owns` of the configuration.
    owns: Vec<(GlobMatcher, &'a str)>,
}

impl<'a> Ownership<'a> {
    /// The owners by packages and configuration, and what is wrong with its globs.
    pub fn new(packages: &'a Packages, policy: &'a Policy) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut owns = Vec::new();
        for (glob, dir) in &policy.owns {
            match matcher(glob) {
                Ok(matcher) => owns.push((matcher, dir.trim_matches('/'))),
                Err(fault) => diagnostics.push(Diagnostic {
                    path: policy::FILE.to_owned(),
                    line: 0,
                    column: 0,
                    message: format!("`owns` has a glob that cannot be read: {fault}"),
                }),
            }
        }
        let sole = match packages.dir_count() {
            0 => Some(""),
            1 => packages.list.first().map(|package| package.dir.as_ref()),
            _ => None,
        };
        let ownership = Self {
            packages,
            sole,
            owns,
        };
        (ownership, diagnostics)
    }

    /// The class of a path that nothing names.
    pub fn classify(&self, path: &str) -> Class<'a> {
        if Language::of_path(path).is_some() {
            Class::Code
        } else if lock::is_lockfile(path) {
            Class::Lock
        } else if inert::is_inert(path) {
            Class::Inert
        } else {
            self.owner(path).map_or(Class::Unowned, Class::Owned)
        }
    }

    /// The package's directory that owns data at this path, whatever its kind.
    pub fn owner(&self, path: &str) -> Option<&'a str> {
        self.sole
            .or_else(|| self.packages.owner_dir(path))
            .or_else(|| self.named_owners(path).next())
    }

    fn named_owners<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.owns
            .iter()
            .filter(move |(glob, _)| glob.is_match(path))
            .map(|(_, dir)| *dir)
    }
}

/// The files that something names or embeds, in one graph.
#[derive(Debug, Clone, Default)]
pub struct Names(FxHashSet<FileId>);

impl Names {
    /// Reads them from a finished graph.
    pub fn of(graph: &Graph) -> Self {
        let named = graph
            .edges()
            .filter(|(_, _, kind)| matches!(kind, EdgeKind::Named | EdgeKind::Embed))
            .filter_map(|(_, to, _)| graph.file(to));
        Self(named.collect())
    }

    /// Whether a path of that graph's tree is named.
    pub fn contains(&self, tree: &Tree, path: &str) -> bool {
        tree.find(path).is_some_and(|file| self.0.contains(&file))
    }
}

/// Adds the edges of owned and named files to a graph.
pub fn link(builder: &mut Builder<'_>, policy: &Policy) {
    let packages = builder.packages;
    let (ownership, _) = Ownership::new(packages, policy);
    link_owned(builder, &ownership);
    names::link(builder, &ownership);
}

/// A glob over paths from the root; `*` stays inside a component.
pub(super) fn matcher(glob: &Glob) -> Result<GlobMatcher, GlobFault> {
    globs::compile(&Glob::written(glob.as_str().trim_start_matches('/')))
}

/// Whether a file is run as it stands: it needs its package's data as code does.
fn is_script(entry: &Entry) -> bool {
    const BUILDS: &[&str] = &["tox.ini", "meson.build", "CMakeLists.txt"];
    const ENDINGS: &[&str] = &[
        ".sh", ".bash", ".bats", ".mk", ".cmake", ".gradle", ".ps1", ".rb", ".pl", ".php",
    ];
    let name = base_name(&entry.path);
    RUNNERS.contains(&name)
        || BUILDS.contains(&name)
        || name.contains("Dockerfile")
        || name.contains("Containerfile")
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || entry.mode == Mode::Executable
}

/// One unit of data for each package: its code needs the unit, the unit needs the data.
fn link_owned(builder: &mut Builder<'_>, ownership: &Ownership<'_>) {
    let snapshot = builder.snapshot;
    let mut data = Data::default();
    for (file, entry) in snapshot.tree.iter() {
        let class = ownership.classify(&entry.path);
        let is_code = class == Class::Code;
        if let Some(dir) = ownership.owner(&entry.path)
            && (is_code || is_script(entry))
        {
            let unit = data.unit(builder, dir);
            builder.edge(file, unit, EdgeKind::Owned);
        }
        if let Class::Owned(dir) = class {
            let unit = data.unit(builder, dir);
            builder.edge(unit, file, EdgeKind::Owned);
            for dir in ownership.named_owners(&entry.path) {
                let unit = data.unit(builder, dir);
                builder.edge(unit, file, EdgeKind::Owned);
            }
        }
    }
    link_configured(builder, ownership, &mut data);
    link_workspaces(builder, &data);
}

/// The data units made so far, by directory.
#[derive(Default)]
struct Data<'a> {
    units: FxHashMap<&'a str, NodeId>,
    /// The same in the order they were made.
    order: Vec<(&'a str, NodeId)>,
}

impl<'a> Data<'a> {
    fn unit(&mut self, builder: &mut Builder<'_>, dir: &'a str) -> NodeId {
        *self.units.entry(dir).or_insert_with(|| {
            let name = if dir.is_empty() {
                "data of the root package".to_owned()
            } else {
                format!("data of {dir}")
            };
            let unit = builder.unit(name, dir);
            self.order.push((dir, unit));
            unit
        })
    }
}

/// Whether a path is of a kind that nothing reads unless something names it.
pub fn is_inert(path: &str) -> bool {
    inert::is_inert(path)
}

/// A directory that `owns` names need not have a manifest: all code below needs its data.
fn link_configured<'a>(builder: &mut Builder<'_>, ownership: &Ownership<'a>, data: &mut Data<'a>) {
    let snapshot = builder.snapshot;
    for (_, dir) in &ownership.owns {
        let unit = data.unit(builder, dir);
        for (file, entry) in snapshot.tree.under(dir) {
            if Language::of_path(&entry.path).is_some() || is_script(entry) {
                builder.edge(file, unit, EdgeKind::Owned);
            }
        }
    }
}

/// A member of a workspace is built under the manifests and settings above it.
fn link_workspaces(builder: &mut Builder<'_>, data: &Data<'_>) {
    let (snapshot, packages) = (builder.snapshot, builder.packages);
    for (dir, unit) in &data.order {
        for package in packages.in_dir(dir) {
            let mut above = *dir;
            while !above.is_empty() {
                above = dir_of(above);
                for name in workspace_files(package.ecosystem) {
                    let path = tree::join(above, name);
                    if let Some(file) = path.and_then(|path| snapshot.tree.find(&path)) {
                        builder.edge(*unit, file, EdgeKind::Config);
                    }
                }
            }
        }
    }
}

/// Files above a package that govern it, by its ecosystem.
fn workspace_files(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Python => &["pyproject.toml", "uv.toml", "setup.cfg", "pip.conf"],
        Ecosystem::Node => &[
            "package.json",
            "pnpm-workspace.yaml",
            "lerna.json",
            "rush.json",
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pnpmfile.cjs",
        ],
        Ecosystem::Go => &["go.work"],
        Ecosystem::Cargo => &["Cargo.toml", ".cargo/config.toml", ".cargo/config"],
        Ecosystem::Gradle => &[
            "build.gradle",
            "build.gradle.kts",
            "settings.gradle",
            "settings.gradle.kts",
            "gradle.properties",
            "gradle/libs.versions.toml",
        ],
        Ecosystem::Maven => &["pom.xml", ".mvn/maven.config", ".mvn/jvm.config"],
        Ecosystem::Native => &[],
    }
}

#[cfg(test)]
mod tests;
