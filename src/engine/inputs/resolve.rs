//! From what a job reads to the files of one tree.
//!
//! Entry points are closed over the graph; exact parts are not. An opaque job, and one
//! that reaches a construct which may load anything, reads all files. The slices of
//! lockfiles are added by whoever reads lockfiles, from the closure's externals.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::{Input, InputSet, JobInputs, manifests};
use crate::engine::facts::Reach;
use crate::engine::globs::{self, Fitting, Glob};
use crate::engine::graph::{Closure, Graph, NodeId, Use, Widening, is_hidden};
use crate::engine::lock::LockSlices;
use crate::engine::ownership;
use crate::engine::packages::Packages;
use crate::engine::tree::{FileId, Snapshot, base_name};

/// What the jobs of one tree ask for, looked up once.
#[derive(Debug, Default)]
pub struct Lookup {
    fitting: Fitting,
    /// What each package owns, but for prose and the like.
    owned: OnceLock<FxHashMap<Box<str>, Vec<FileId>>>,
}

impl Lookup {
    /// Looks up every glob of some jobs.
    pub fn of<'j>(snapshot: &Snapshot, jobs: impl IntoIterator<Item = &'j JobInputs>) -> Self {
        let parts = jobs.into_iter().flat_map(|inputs| &inputs.parts);
        let globs = parts.flat_map(|(input, _)| match input {
            Input::Entry(globs)
            | Input::Checked(globs)
            | Input::Compiled(globs)
            | Input::Exact(globs)
            | Input::Shape(globs) => globs.as_slice(),
            _ => &[],
        });
        Self {
            fitting: Fitting::of(&snapshot.tree, globs),
            owned: OnceLock::new(),
        }
    }

    /// What globs fit, as far as it was looked up.
    pub fn fitting(&self) -> &Fitting {
        &self.fitting
    }

    fn owned(&self, dir: &str, snapshot: &Snapshot, packages: &Packages) -> &[FileId] {
        let owned = self.owned.get_or_init(|| {
            let mut owned: FxHashMap<Box<str>, Vec<FileId>> = FxHashMap::default();
            for (file, entry) in snapshot.tree.iter() {
                let owner = packages.owner_dir(&entry.path);
                if let Some(dir) = owner.filter(|_| !ownership::is_inert(&entry.path)) {
                    match owned.get_mut(dir) {
                        Some(files) => files.push(file),
                        None => drop(owned.insert(dir.into(), vec![file])),
                    }
                }
            }
            owned
        });
        owned.get(dir).map_or(&[], Vec::as_slice)
    }
}

/// The files that a job reads on a tree, sorted; all of them when it is opaque.
/// `lookup` may hold what its globs fit; the others are looked up here.
pub fn resolve(
    inputs: &JobInputs,
    snapshot: &Snapshot,
    graph: &Graph,
    packages: &Packages,
    lookup: &Lookup,
) -> InputSet {
    let is_unknown = !inputs.opaque.is_empty() || !inputs.missing_texts.is_empty();
    if is_unknown || names_closed_link(inputs, snapshot) {
        return everything(snapshot);
    }
    let fitting = &lookup.fitting;
    let closure = closure(inputs, snapshot, graph, lookup);
    let checked = graph.closure_for(checked(inputs, snapshot, fitting), Use::Checked);
    let mut chosen = vec![false; snapshot.tree.len()];
    let nodes = closure.nodes().chain(checked.nodes());
    for file in nodes.filter_map(|node| graph.file(node)) {
        mark(&mut chosen, file);
    }
    if !widen(closure, graph, snapshot, (packages, lookup), &mut chosen) {
        return everything(snapshot);
    }
    exact(inputs, snapshot, fitting, &mut chosen);
    let shapes = shapes(inputs, snapshot, (packages, fitting), &mut chosen);
    if !follow(snapshot, &mut chosen) {
        return everything(snapshot);
    }
    let files = (0..).map(FileId).zip(&chosen);
    InputSet {
        shapes,
        files: files
            .filter(|(_, chosen)| **chosen)
            .map(|(file, _)| file)
            .collect(),
        slices: LockSlices::new(),
    }
}

/// Whether a job names a path behind a link that leaves the repository.
fn names_closed_link(inputs: &JobInputs, snapshot: &Snapshot) -> bool {
    let tree = &snapshot.tree;
    let is_closed = |glob: &Glob| tree.is_closed(&glob.parts().0);
    let mut parts = inputs.parts.iter().map(|(input, _)| input);
    !tree.closed_links().is_empty()
        && parts.any(|input| match input {
            Input::Entry(globs)
            | Input::Checked(globs)
            | Input::Compiled(globs)
            | Input::Exact(globs)
            | Input::Shape(globs) => globs.iter().any(is_closed),
            Input::Unit(dir) | Input::Built(dir) | Input::Tree { dir, .. } => tree.is_closed(dir),
            Input::Except { .. } | Input::External { .. } => false,
        })
}

/// Adds what the links among the chosen files lead to; `false` when that may be anything.
fn follow(snapshot: &Snapshot, chosen: &mut [bool]) -> bool {
    let is_chosen = |chosen: &[bool], file: FileId| chosen.get(file.index()) == Some(&true);
    for (name, content) in snapshot.tree.linked() {
        if is_chosen(chosen, *name) {
            mark(chosen, *content);
        }
    }
    let mut closed = snapshot.tree.closed_links().iter();
    !closed.any(|link| is_chosen(chosen, *link))
}

/// What a job runs and compiles, closed over the graph.
pub fn closure(inputs: &JobInputs, snapshot: &Snapshot, graph: &Graph, lookup: &Lookup) -> Closure {
    let mut closure = graph.closure([]);
    let parts = || inputs.parts.iter().map(|(input, _)| input);
    let run = parts().filter_map(|input| match input {
        Input::Entry(globs) => Some(Named::Globs(globs)),
        Input::Unit(dir) => Some(Named::Unit(dir)),
        _ => None,
    });
    let compiled = parts().filter_map(|input| match input {
        Input::Compiled(globs) => Some(Named::Globs(globs)),
        Input::Built(dir) => Some(Named::Unit(dir)),
        _ => None,
    });
    let run = nodes(&run.collect::<Vec<_>>(), snapshot, graph, lookup);
    graph.grow(&mut closure, run, Use::Run);
    let compiled = nodes(&compiled.collect::<Vec<_>>(), snapshot, graph, lookup);
    graph.grow(&mut closure, compiled, Use::Compiled);
    closure
}

/// What an input names.
enum Named<'i> {
    Globs(&'i [Glob]),
    Unit(&'i str),
}

/// The nodes that some inputs name.
fn nodes(named: &[Named<'_>], snapshot: &Snapshot, graph: &Graph, lookup: &Lookup) -> Vec<NodeId> {
    let globs = named.iter().filter_map(|it| match it {
        Named::Globs(globs) => Some(globs.iter()),
        Named::Unit(_) => None,
    });
    let mut nodes = matched(globs.flatten(), snapshot, &lookup.fitting);
    let dirs = named.iter().filter_map(|it| match it {
        Named::Unit(dir) => Some(*dir),
        Named::Globs(_) => None,
    });
    let dirs: Vec<&str> = dirs.collect();
    let first = u32::try_from(snapshot.tree.len()).unwrap_or(u32::MAX);
    let last = u32::try_from(graph.len()).unwrap_or(u32::MAX);
    let units = (first..last).map(NodeId);
    nodes.extend(units.filter(|node| {
        let dir = graph.unit(*node).and_then(|unit| unit.dir.as_deref());
        dir.is_some_and(|dir| dirs.contains(&dir))
    }));
    nodes
}

/// The files that a job's tools read without running them.
pub fn checked(inputs: &JobInputs, snapshot: &Snapshot, fitting: &Fitting) -> Vec<NodeId> {
    let globs = inputs.parts.iter().filter_map(|(input, _)| match input {
        Input::Checked(globs) => Some(globs.iter()),
        _ => None,
    });
    matched(globs.flatten(), snapshot, fitting)
}

fn matched<'g>(
    globs: impl Iterator<Item = &'g Glob>,
    snapshot: &Snapshot,
    fitting: &Fitting,
) -> Vec<NodeId> {
    let mut chosen = vec![false; snapshot.tree.len()];
    for glob in globs {
        for file in files_of(glob, snapshot, fitting).iter() {
            mark(&mut chosen, *file);
        }
    }
    let files = (0..).map(NodeId).zip(&chosen);
    let files = files.filter(|(_, chosen)| **chosen);
    files.map(|(file, _)| file).collect()
}

fn everything(snapshot: &Snapshot) -> InputSet {
    InputSet {
        files: snapshot.tree.iter().map(|(file, _)| file).collect(),
        shapes: BTreeMap::new(),
        slices: LockSlices::new(),
    }
}

/// Adds what unresolved constructs may reach; `false` when that is everything.
///
/// A package that is reached so brings its own unresolved constructs along. Prose and
/// the like belong to it only where something names them.
fn widen(
    mut closure: Closure,
    graph: &Graph,
    snapshot: &Snapshot,
    (packages, lookup): (&Packages, &Lookup),
    chosen: &mut [bool],
) -> bool {
    let mut done: BTreeSet<(&str, bool)> = BTreeSet::new();
    loop {
        let Some(reached) = reached_packages(&closure, graph, snapshot, packages) else {
            return false;
        };
        let fresh: Vec<(&str, bool)> = reached.difference(&done).copied().collect();
        if fresh.is_empty() {
            break;
        }
        // What its package needs, it may need.
        let owned = |(dir, is_whole): &(&str, bool)| {
            let is_whole = *is_whole;
            let files = lookup.owned(dir, snapshot, packages).iter();
            files.filter(move |file| is_whole || !is_hidden(snapshot.tree.path(**file)))
        };
        let members = fresh.iter().flat_map(owned);
        let members = members.map(|file| NodeId::from(*file));
        graph.grow(&mut closure, members, Use::Run);
        done.extend(fresh);
    }
    if !done.is_empty() {
        for file in closure.nodes().filter_map(|node| graph.file(node)) {
            mark(chosen, file);
        }
    }
    true
}

/// The packages that a closure's unresolved constructs reach, and whether with their
/// hidden files; `None` for everything.
fn reached_packages<'p>(
    closure: &Closure,
    graph: &Graph,
    snapshot: &Snapshot,
    packages: &'p Packages,
) -> Option<BTreeSet<(&'p str, bool)>> {
    let package = |(widening, reach): (&Widening, Reach)| match reach {
        Reach::Repository => None,
        Reach::Package | Reach::Visible | Reach::Composed => packages
            .owner_dir(snapshot.tree.path(widening.file))
            .map(|dir| (dir, reach == Reach::Package)),
    };
    graph.widened(closure).into_iter().map(package).collect()
}

fn exact(inputs: &JobInputs, snapshot: &Snapshot, fitting: &Fitting, chosen: &mut [bool]) {
    let globs = inputs.parts.iter().filter_map(|(input, _)| match input {
        Input::Exact(globs) => Some(globs.iter()),
        _ => None,
    });
    for glob in globs.flatten() {
        for file in files_of(glob, snapshot, fitting).iter() {
            mark(chosen, *file);
        }
    }
    for kind in inputs.parts.iter().filter_map(|(input, _)| Kind::of(input)) {
        for (file, entry) in snapshot.tree.under(kind.dir) {
            if kind.fits(&entry.path) {
                mark(chosen, file);
            }
        }
    }
}

/// The files below a directory that have one of some endings, but for some.
struct Kind<'i> {
    dir: &'i str,
    extensions: &'i [Box<str>],
    except: Vec<globset::GlobMatcher>,
}

impl<'i> Kind<'i> {
    /// `None` for an input that does not go by kind.
    fn of(input: &'i Input) -> Option<Self> {
        let (dir, extensions, except) = match input {
            Input::Tree { dir, extensions } => (dir.as_ref(), extensions, &[][..]),
            Input::Except { extensions, except } => ("", extensions, except.as_slice()),
            _ => return None,
        };
        // A glob that cannot be read excepts nothing.
        let globs = except
            .iter()
            .filter_map(|glob| globs::compile_crossing(glob).ok());
        Some(Self {
            dir,
            extensions,
            except: globs.collect(),
        })
    }

    /// Whether a path below the directory is one of them.
    fn fits(&self, path: &str) -> bool {
        let is_left_out = self.except.iter().any(|glob| glob.is_match(path));
        !is_left_out && is_of_kind(path, self.extensions)
    }
}

/// The files that an input names itself, in order, before anything is closed over the
/// graph.
pub fn named(input: &Input, snapshot: &Snapshot, fitting: &Fitting) -> Vec<FileId> {
    match input {
        Input::Entry(globs)
        | Input::Checked(globs)
        | Input::Compiled(globs)
        | Input::Exact(globs)
        | Input::Shape(globs) => {
            let files = matched(globs.iter(), snapshot, fitting);
            files.into_iter().map(|node| FileId(node.0)).collect()
        }
        Input::Tree { .. } | Input::Except { .. } => {
            let kind = Kind::of(input);
            let files = kind.iter().flat_map(|kind| {
                let below = snapshot.tree.under(kind.dir);
                below.filter(|(_, entry)| kind.fits(&entry.path))
            });
            files.map(|(file, _)| file).collect()
        }
        Input::Unit(_) | Input::Built(_) | Input::External { .. } => Vec::new(),
    }
}

/// The shapes of manifests that are no inputs themselves; one that has none is read whole.
fn shapes(
    inputs: &JobInputs,
    snapshot: &Snapshot,
    (packages, fitting): (&Packages, &Fitting),
    chosen: &mut [bool],
) -> BTreeMap<Box<str>, [u8; 32]> {
    let globs = inputs.parts.iter().filter_map(|(input, _)| match input {
        Input::Shape(globs) => Some(globs.iter()),
        _ => None,
    });
    let mut shapes = BTreeMap::new();
    for file in matched(globs.flatten(), snapshot, fitting) {
        let file = FileId(file.0);
        if chosen.get(file.index()).copied().unwrap_or_default() {
            continue;
        }
        let entry = snapshot.tree.entry(file);
        if manifests::is_only_there(&entry.path) {
            shapes.insert(entry.path.clone(), Sha256::digest("").into());
            continue;
        }
        let text = snapshot.text_of(entry.blob);
        match text.and_then(|text| manifests::shape(&entry.path, text, packages)) {
            Some(shape) => drop(shapes.insert(entry.path.clone(), Sha256::digest(shape).into())),
            None => mark(chosen, file),
        }
    }
    shapes
}

/// Whether a path has one of the extensions; none of them means any path.
fn is_of_kind(path: &str, extensions: &[Box<str>]) -> bool {
    let extension = match base_name(path).rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => extension,
        Some((_, dotfile)) => {
            return extensions.is_empty()
                || extensions
                    .iter()
                    .any(|it| it.is_empty() || **it == *dotfile);
        }
        None => "",
    };
    extensions.is_empty() || extensions.iter().any(|known| **known == *extension)
}

fn mark(chosen: &mut [bool], file: FileId) {
    if let Some(slot) = chosen.get_mut(file.index()) {
        *slot = true;
    }
}

fn files_of<'f>(glob: &Glob, snapshot: &Snapshot, fitting: &'f Fitting) -> Cow<'f, [FileId]> {
    fitting.files(glob).map_or_else(
        || globs::fitting(&snapshot.tree, glob).into(),
        Cow::Borrowed,
    )
}
