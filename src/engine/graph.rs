//! Who reaches whom: files and coarser units, and the edges between them.
//!
//! A node is a file or a *unit* (a Go package, a crate, a Gradle module, the data
//! that a package owns). An edge says "the left needs the right". Some edges are
//! followed when the inputs of a job are computed, others only serve `why`,
//! ranking and `graph` ([`EdgeKind::closes`]): a crate is an input as a whole, so
//! that its `mod` edges explain and never decide.
//!
//! What cannot be resolved is kept: an unresolved specifier is reported, and a
//! construct that may load anything widens its file's reach. Nothing is guessed.

use std::collections::BTreeSet;

use super::facts::{Facts, Language, Reach, When};
use super::packages::Packages;
use super::tree::{FileId, Snapshot};

pub mod c;
mod computed;
pub mod document;
pub mod golang;
pub mod javascript;
pub mod jvm;
mod lines;
mod links;
pub(super) mod nesting;
mod opened;
mod places;
mod proto;
pub mod python;
pub mod rust;
pub(super) use links::follow as follow_links;
pub use widened::is_hidden;
#[cfg(test)]
pub(crate) mod sample;
pub mod scan;
mod widened;

/// A file or a unit: files first, in the order of their tree, then units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl From<FileId> for NodeId {
    fn from(file: FileId) -> Self {
        Self(file.0)
    }
}

/// Why one node needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// An import that runs.
    Import,
    /// An import that exists for types only.
    Type,
    /// Needed without being written: a parent `__init__.py`, a `conftest.py` above, a setup file.
    Implicit,
    /// Tool configuration that governs the file.
    Config,
    /// A string literal, glob or script names the file.
    Named,
    /// Compiled in: `include_str!`, `//go:embed`.
    Embed,
    /// A file belongs to a unit, or a unit consists of the file.
    Member,
    /// A unit depends on a unit: crate on crate, module on module, package on package.
    Dependency,
    /// The file's package owns the data file.
    Owned,
    /// A construct that cannot be resolved may reach it.
    Widened,
    /// The same, where only running code reaches it.
    Opened,
    /// Whoever builds the left runs the right: a build script, a macro that is code.
    Runs,
    /// A finer edge inside or between units; it explains and never decides.
    Detail,
}

impl EdgeKind {
    /// Whether the edge is followed when the inputs of a job are computed.
    pub fn closes(self) -> bool {
        !matches!(self, Self::Detail)
    }

    /// Whether a tool follows the edge that reads sources and runs none of them: a
    /// type checker or a linter opens no data that the code would open.
    fn is_checked(self) -> bool {
        matches!(
            self,
            Self::Import | Self::Type | Self::Implicit | Self::Config
        )
    }

    /// Whether the file itself asks for the edge in its own text.
    pub fn is_written(self) -> bool {
        matches!(self, Self::Import | Self::Type | Self::Detail | Self::Embed)
    }

    /// The word used in reasons and in `graph`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Type => "type",
            Self::Implicit => "implicit",
            Self::Config => "config",
            Self::Named => "named",
            Self::Embed => "embed",
            Self::Member => "member",
            Self::Dependency => "dependency",
            Self::Owned => "owned",
            Self::Widened => "widened",
            Self::Opened => "opened",
            Self::Runs => "runs",
            Self::Detail => "detail",
        }
    }
}

/// What is done with a node of the graph. The later ones do all that the earlier ones do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// A tool reads its source, and what that imports.
    Checked,
    /// A compiler reads it: nothing of it runs, but what it is built with does.
    Compiled,
    /// It runs.
    Run,
}

impl Use {
    /// What is then done with the node at the end of an edge; `None` for nothing.
    fn along(self, kind: EdgeKind) -> Option<Self> {
        match (self, kind) {
            (Self::Checked, kind) => kind.is_checked().then_some(self),
            (Self::Compiled, EdgeKind::Opened) => None,
            (Self::Compiled, EdgeKind::Runs) => Some(Self::Run),
            (Self::Compiled | Self::Run, kind) => kind.closes().then_some(self),
        }
    }
}

/// A group of files that is an input as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Shown to people: `go package ./api`, `crate engine`.
    pub name: Box<str>,
    /// Its directory (`""` is the root), by which a job can enter it; `None` for files
    /// that are only named together, wherever they lie.
    pub dir: Option<Box<str>>,
}

/// An import that should resolve inside the repository and does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    /// The importing file.
    pub from: FileId,
    /// As it is written.
    pub specifier: Box<str>,
}

/// A construct that may reach more than its literals say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Widening {
    /// The file that holds it.
    pub file: FileId,
    /// How far.
    pub reach: Reach,
    /// The construct.
    pub what: Box<str>,
    /// Its line, from 1.
    pub line: u32,
    /// When it reaches that far.
    pub when: When,
}

/// The finished graph of one tree.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    files: u32,
    units: Vec<Unit>,
    starts: Vec<u32>,
    targets: Vec<(NodeId, EdgeKind)>,
    /// Imports that should resolve here and do not.
    pub unresolved: Vec<Unresolved>,
    /// Constructs that widen a file's reach.
    pub widenings: Vec<Widening>,
    /// Which packages from outside a file imports, by their name in manifests
    /// and lockfiles; sorted by file.
    pub externals: Vec<(FileId, Box<str>)>,
}

impl Graph {
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.files as usize + self.units.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a node needs, sorted, without repeats.
    pub fn needs(&self, node: NodeId) -> &[(NodeId, EdgeKind)] {
        let index = node.0 as usize;
        let bound = |index: usize| {
            self.starts
                .get(index)
                .map_or(self.targets.len(), |start| *start as usize)
        };
        self.targets
            .get(bound(index)..bound(index + 1))
            .unwrap_or_default()
    }

    /// The file of a node; `None` for a unit.
    pub fn file(&self, node: NodeId) -> Option<FileId> {
        (node.0 < self.files).then_some(FileId(node.0))
    }

    /// The unit of a node; `None` for a file.
    pub fn unit(&self, node: NodeId) -> Option<&Unit> {
        self.units.get(node.0.checked_sub(self.files)? as usize)
    }

    /// Every unit.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Every edge.
    pub fn edges(&self) -> impl Iterator<Item = (NodeId, NodeId, EdgeKind)> {
        let nodes = u32::try_from(self.len()).unwrap_or(u32::MAX);
        (0..nodes).map(NodeId).flat_map(|from| {
            self.needs(from)
                .iter()
                .map(move |(to, kind)| (from, *to, *kind))
        })
    }

    /// What the names of external packages imported by a file are.
    pub fn externals_of(&self, file: FileId) -> impl Iterator<Item = &str> {
        let start = self.externals.partition_point(|(other, _)| *other < file);
        let rest = self.externals.get(start..).unwrap_or_default();
        rest.iter()
            .take_while(move |(other, _)| *other == file)
            .map(|(_, name)| name.as_ref())
    }

    /// Everything that the given nodes need to run, directly or not, with themselves.
    pub fn closure(&self, from: impl IntoIterator<Item = NodeId>) -> Closure {
        self.closure_for(from, Use::Run)
    }

    /// The same for another use.
    pub fn closure_for(&self, from: impl IntoIterator<Item = NodeId>, using: Use) -> Closure {
        let mut closure = Closure {
            parents: vec![Parent::Absent; self.len()],
            uses: vec![Use::Checked; self.len()],
        };
        self.grow(&mut closure, from, using);
        closure
    }

    /// Adds to a closure what more entry points need.
    pub fn grow(&self, closure: &mut Closure, from: impl IntoIterator<Item = NodeId>, using: Use) {
        let mut queue: std::collections::VecDeque<NodeId> = std::collections::VecDeque::new();
        for node in from {
            if closure.claim(node, Parent::Entry, using) {
                queue.push_back(node);
            }
        }
        while let Some(node) = queue.pop_front() {
            let using = closure.usage(node);
            for (to, kind) in self.needs(node) {
                if let Some(using) = using.along(*kind)
                    && closure.claim(*to, Parent::Node(node, *kind), using)
                {
                    queue.push_back(*to);
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    Absent,
    Entry,
    Node(NodeId, EdgeKind),
}

/// The nodes that some entry points need, each with the shortest way to it.
#[derive(Debug, Clone)]
pub struct Closure {
    parents: Vec<Parent>,
    /// What is done with each; of no meaning for those that are not needed.
    uses: Vec<Use>,
}

impl Closure {
    /// Whether the node is needed.
    pub fn contains(&self, node: NodeId) -> bool {
        self.parents
            .get(node.0 as usize)
            .is_some_and(|parent| *parent != Parent::Absent)
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        (0..)
            .map(NodeId)
            .zip(&self.parents)
            .filter(|(_, parent)| **parent != Parent::Absent)
            .map(|(node, _)| node)
    }

    /// The way from the node back to an entry point: the node first, then who
    /// needs it and how, up to the entry. Empty when the node is not needed.
    pub fn path(&self, node: NodeId) -> Vec<(NodeId, Option<EdgeKind>)> {
        let mut path = Vec::new();
        let mut current = node;
        loop {
            match self.parents.get(current.0 as usize) {
                None | Some(Parent::Absent) => return path,
                Some(Parent::Entry) => {
                    path.push((current, None));
                    return path;
                }
                Some(Parent::Node(parent, kind)) => {
                    path.push((current, Some(*kind)));
                    current = *parent;
                }
            }
        }
    }

    /// What is done with a node that is needed.
    fn usage(&self, node: NodeId) -> Use {
        let usage = self.uses.get(node.0 as usize).copied();
        usage.unwrap_or(Use::Run)
    }

    /// Whether the node is needed in a way that reads at that time.
    pub fn reads(&self, node: NodeId, when: When) -> bool {
        self.contains(node) && (when == When::Used || self.usage(node) != Use::Compiled)
    }

    /// Whether that is news: the node, or that more is done with it.
    fn claim(&mut self, node: NodeId, parent: Parent, using: Use) -> bool {
        let index = node.0 as usize;
        let (Some(slot), Some(usage)) = (self.parents.get_mut(index), self.uses.get_mut(index))
        else {
            return false;
        };
        if *slot == Parent::Absent {
            (*slot, *usage) = (parent, using);
            return true;
        }
        let is_more = *usage < using;
        *usage = using.max(*usage);
        is_more
    }
}

/// What every language's resolver writes into.
#[derive(Debug)]
pub struct Builder<'a> {
    /// The tree with its facts and texts.
    pub snapshot: &'a Snapshot,
    /// The packages of the tree.
    pub packages: &'a Packages,
    units: Vec<Unit>,
    edges: Vec<(NodeId, NodeId, EdgeKind)>,
    unresolved: BTreeSet<Unresolved>,
    widenings: BTreeSet<Widening>,
    externals: BTreeSet<(FileId, Box<str>)>,
}

impl<'a> Builder<'a> {
    /// An empty graph over a snapshot.
    pub fn new(snapshot: &'a Snapshot, packages: &'a Packages) -> Self {
        Self {
            snapshot,
            packages,
            units: Vec::new(),
            edges: Vec::new(),
            unresolved: BTreeSet::new(),
            widenings: BTreeSet::new(),
            externals: BTreeSet::new(),
        }
    }

    /// Adds a unit and returns its node.
    pub fn unit(&mut self, name: impl Into<Box<str>>, dir: impl Into<Box<str>>) -> NodeId {
        self.add(name.into(), Some(dir.into()))
    }

    /// Adds a unit of files that are named together, and returns its node. No job enters
    /// it: whoever names the files needs it.
    pub fn group(&mut self, name: impl Into<Box<str>>) -> NodeId {
        self.add(name.into(), None)
    }

    fn add(&mut self, name: Box<str>, dir: Option<Box<str>>) -> NodeId {
        let index = self.snapshot.tree.len() + self.units.len();
        self.units.push(Unit { name, dir });
        NodeId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Adds an edge; an edge to itself is dropped.
    pub fn edge(&mut self, from: impl Into<NodeId>, to: impl Into<NodeId>, kind: EdgeKind) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.edges.push((from, to, kind));
        }
    }

    /// Makes the files one unit: each needs the unit and the unit needs each.
    pub fn members(&mut self, unit: NodeId, files: impl IntoIterator<Item = FileId>) {
        for file in files {
            self.edge(file, unit, EdgeKind::Member);
            self.edge(unit, file, EdgeKind::Member);
        }
    }

    /// Records an import that should have resolved inside the repository.
    pub fn unresolved(&mut self, from: FileId, specifier: impl Into<Box<str>>) {
        self.unresolved.insert(Unresolved {
            from,
            specifier: specifier.into(),
        });
    }

    /// Records that a file imports a package from outside the repository.
    pub fn external(&mut self, from: FileId, package: impl Into<Box<str>>) {
        self.externals.insert((from, package.into()));
    }

    /// Records every construct of a file that may reach more than its literals say.
    pub fn widen_as(&mut self, file: FileId, facts: &Facts) {
        for dynamic in &facts.dynamic {
            self.widen(Widening {
                when: dynamic.when,
                file,
                reach: dynamic.reach,
                what: dynamic.what.clone(),
                line: dynamic.line,
            });
        }
    }

    /// Records a construct that may reach more than its literals say.
    pub fn widen(&mut self, widening: Widening) {
        self.widenings.insert(widening);
    }

    /// The finished graph.
    pub fn finish(mut self) -> Graph {
        self.edges.sort_unstable();
        self.edges.dedup();
        let files = u32::try_from(self.snapshot.tree.len()).unwrap_or(u32::MAX);
        let nodes = files as usize + self.units.len();
        let mut starts = vec![0_u32; nodes + 1];
        for (from, _, _) in &self.edges {
            if let Some(slot) = starts.get_mut(from.0 as usize + 1) {
                *slot += 1;
            }
        }
        let mut total = 0;
        for slot in &mut starts {
            total += *slot;
            *slot = total;
        }
        Graph {
            files,
            units: self.units,
            starts,
            targets: self
                .edges
                .into_iter()
                .map(|(_, to, kind)| (to, kind))
                .collect(),
            unresolved: self.unresolved.into_iter().collect(),
            widenings: self.widenings.into_iter().collect(),
            externals: self.externals.into_iter().collect(),
        }
    }
}

/// What a source file says, in its language. Never fails (see [`Facts::broken`]).
pub fn extract(language: Language, path: &str, source: &str) -> Facts {
    match language {
        Language::Python => python::extract(path, source),
        Language::JavaScript => javascript::extract(path, source),
        Language::Go => golang::extract(path, source),
        Language::Rust => rust::extract(path, source),
        Language::Java | Language::Kotlin => jvm::extract(path, source),
        Language::C => c::extract(path, source),
    }
}

/// Reads every language of a snapshot into one graph.
///
/// Ownership of data files and named files are added by
/// `ownership`, which needs the pipeline's policy.
pub fn build<'a>(snapshot: &'a Snapshot, packages: &'a Packages) -> Builder<'a> {
    let mut builder = Builder::new(snapshot, packages);
    follow_links(&mut builder);
    python::resolve(&mut builder);
    javascript::resolve(&mut builder);
    golang::resolve(&mut builder);
    rust::resolve(&mut builder);
    jvm::resolve(&mut builder);
    c::resolve(&mut builder);
    proto::resolve(&mut builder);
    opened::resolve(&mut builder);
    builder
}

#[cfg(test)]
mod laws {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// How many files the graphs of the laws have.
    const NODES: u32 = 8;

    type Edges = Vec<(u32, u32, bool)>;

    fn closed(edges: &Edges, from: &BTreeSet<u32>) -> BTreeSet<u32> {
        let paths: Vec<String> = (0..NODES).map(|index| format!("f{index}")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
        let snapshot = sample::snapshot(&files);
        let packages = Packages::read(&snapshot);
        let mut builder = Builder::new(&snapshot, &packages);
        for (one, other, closes) in edges {
            let kind = if *closes {
                EdgeKind::Import
            } else {
                EdgeKind::Detail
            };
            builder.edge(FileId(*one), NodeId(*other), kind);
        }
        let graph = builder.finish();
        let closure = graph.closure(from.iter().copied().map(NodeId));
        closure.nodes().map(|node| node.0).collect()
    }

    proptest! {
        #[test]
        fn closure_is_monotone_and_idempotent(
            edges in proptest::collection::vec((0..NODES, 0..NODES, any::<bool>()), 0..20),
            more in (0..NODES, 0..NODES),
            small in proptest::collection::btree_set(0..NODES, 0..4),
            added in proptest::collection::btree_set(0..NODES, 0..4),
        ) {
            let once = closed(&edges, &small);
            prop_assert!(once.is_superset(&small));
            prop_assert_eq!(&closed(&edges, &once), &once);
            let large: BTreeSet<u32> = small.union(&added).copied().collect();
            prop_assert!(closed(&edges, &large).is_superset(&once));
            let wider = [edges.clone(), vec![(more.0, more.1, true)]].concat();
            prop_assert!(closed(&wider, &small).is_superset(&once));
            // Nothing but what edges lead to.
            let steps = |seen: &BTreeSet<u32>| {
                let next = edges.iter().filter(|(one, _, closes)| *closes && seen.contains(one));
                next.map(|(_, other, _)| *other).chain(seen.iter().copied()).collect()
            };
            let mut walked: BTreeSet<u32> = small.clone();
            for _ in 0..NODES {
                walked = steps(&walked);
            }
            prop_assert_eq!(once, walked);
        }
    }
}
