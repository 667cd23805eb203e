//! Where modules lie: a tree of directories and names, built once for a snapshot.
//!
//! A dotted name is walked part by part from a *root*, a directory from which
//! imports start. Every step is one look-up in a hash map; nothing is allocated.

use rustc_hash::{FxHashMap, FxHashSet};

use super::manifest::Manifest;
use crate::engine::tree::{FileId, Mode, Tree, base_name, dir_of};

/// A directory that holds Python files, at any depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DirId(u32);

/// What one name in a directory stands for.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Child {
    pub(super) dir: Option<DirId>,
    /// The `.py` file.
    pub(super) file: Option<FileId>,
    /// The `.pyi` file.
    pub(super) stub: Option<FileId>,
    /// A compiled module or its source: `.pyx`, `.so`, `.pyd`.
    native: Option<FileId>,
}

impl Child {
    /// The files of a module.
    pub(super) fn files(self) -> impl Iterator<Item = FileId> {
        [self.file, self.stub, self.native].into_iter().flatten()
    }

    fn has_file(self) -> bool {
        self.files().next().is_some()
    }
}

#[derive(Debug)]
struct Dir<'a> {
    path: &'a str,
    /// `__init__`, where there is one.
    init: Child,
    parent: Option<DirId>,
}

/// A directory from which imports start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root<'a> {
    pub(super) dir: DirId,
    /// The package whose root it is; its importers prefer it. `""` is everybody's.
    pub(super) scope: &'a str,
    /// Named by a manifest or by convention, not only by a package that lies there.
    pub(super) is_sure: bool,
}

/// How far a dotted name could be walked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    pub(super) child: Child,
    /// How many parts were found.
    pub(super) parts: usize,
}

/// The modules of a tree.
#[derive(Debug)]
pub(super) struct Modules<'a> {
    dirs: FxHashMap<&'a str, DirId>,
    list: Vec<Dir<'a>>,
    children: FxHashMap<(DirId, &'a str), Child>,
    roots: FxHashMap<&'a str, Vec<Root<'a>>>,
    /// Modules in directories that are neither package nor root, by name.
    loose: FxHashMap<&'a str, Vec<DirId>>,
}

impl<'a> Modules<'a> {
    /// Indexes a tree.
    pub(super) fn new(tree: &'a Tree, manifests: &[Manifest<'a>]) -> Self {
        let mut modules = Self {
            dirs: FxHashMap::default(),
            list: Vec::new(),
            children: FxHashMap::default(),
            roots: FxHashMap::default(),
            loose: FxHashMap::default(),
        };
        let mut named: Vec<(DirId, &'a str)> = Vec::new();
        for (file, entry) in tree.iter() {
            if let Some((stem, extension)) = module_name(&entry.path)
                && entry.mode != Mode::Submodule
            {
                let dir = modules.dir(dir_of(&entry.path), &mut named);
                modules.insert(dir, stem, extension, file);
                named.push((dir, stem));
            }
        }
        named.sort_unstable();
        named.dedup();
        modules.add_roots(&named, manifests);
        modules
    }

    /// The directory of a path that holds Python files.
    pub(super) fn dir_id(&self, path: &str) -> Option<DirId> {
        self.dirs.get(path).copied()
    }

    /// The path of a directory.
    pub(super) fn path(&self, dir: DirId) -> &'a str {
        self.list.get(dir.0 as usize).map_or("", |dir| dir.path)
    }

    /// The `__init__` of a directory.
    pub(super) fn init(&self, dir: DirId) -> Child {
        self.list
            .get(dir.0 as usize)
            .map_or(Child::default(), |dir| dir.init)
    }

    /// The directory above.
    pub(super) fn parent(&self, dir: DirId) -> Option<DirId> {
        self.list.get(dir.0 as usize)?.parent
    }

    /// One name in a directory.
    pub(super) fn child(&self, dir: DirId, name: &str) -> Option<Child> {
        self.children.get(&(dir, name)).copied()
    }

    /// The roots that know a top-level name.
    pub(super) fn roots_of(&self, name: &str) -> &[Root<'a>] {
        self.roots.get(name).map_or(&[], Vec::as_slice)
    }

    /// Directories with a module of that name that no root explains.
    pub(super) fn loose(&self, name: &str) -> &[DirId] {
        self.loose.get(name).map_or(&[], Vec::as_slice)
    }

    /// The files that stand for a child: its module files and, for a package, its `__init__`.
    pub(super) fn files(&self, child: Child) -> impl Iterator<Item = FileId> + use<'a> {
        let init = child.dir.map_or(Child::default(), |dir| self.init(dir));
        child.files().chain(init.files())
    }

    /// Walks a dotted name from a directory as far as it goes; `None` when not even
    /// its first part is there.
    pub(super) fn walk(&self, from: DirId, name: &str) -> Option<Walk> {
        let mut dir = Some(from);
        let mut walk: Option<Walk> = None;
        for part in name.split('.') {
            let Some(child) = dir.and_then(|dir| self.child(dir, part)) else {
                break;
            };
            dir = child.dir;
            walk = Some(Walk {
                child,
                parts: walk.map_or(1, |walk| walk.parts + 1),
            });
        }
        walk
    }

    fn dir(&mut self, path: &'a str, named: &mut Vec<(DirId, &'a str)>) -> DirId {
        if let Some(dir) = self.dirs.get(path) {
            return *dir;
        }
        // The chain of directories is as deep as the path, never deeper than git allows.
        let parent = (!path.is_empty()).then(|| self.dir(dir_of(path), named));
        let dir = DirId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Dir {
            path,
            init: Child::default(),
            parent,
        });
        self.dirs.insert(path, dir);
        if let Some(parent) = parent {
            let name = base_name(path);
            self.children.entry((parent, name)).or_default().dir = Some(dir);
            named.push((parent, name));
            if let Some(plain) = name.strip_suffix("-stubs") {
                self.children
                    .entry((parent, plain))
                    .or_default()
                    .dir
                    .get_or_insert(dir);
                named.push((parent, plain));
            }
        }
        dir
    }

    fn insert(&mut self, dir: DirId, stem: &'a str, extension: &str, file: FileId) {
        let child = if stem == "__init__" {
            match self.list.get_mut(dir.0 as usize) {
                Some(dir) => &mut dir.init,
                None => return,
            }
        } else {
            self.children.entry((dir, stem)).or_default()
        };
        let slot = match extension {
            "py" => &mut child.file,
            "pyi" => &mut child.stub,
            _ => &mut child.native,
        };
        *slot = Some(file);
    }

    fn add_roots(&mut self, named: &[(DirId, &'a str)], manifests: &[Manifest<'a>]) {
        let packages: FxHashSet<&str> = manifests
            .iter()
            .filter(|manifest| manifest.is_package)
            .map(|manifest| manifest.dir)
            .collect();
        let mut sure: FxHashSet<DirId> = FxHashSet::default();
        for path in ["", "src", "lib", "typings", "stubs"] {
            sure.extend(self.dir_id(path));
        }
        for manifest in manifests {
            let src = crate::engine::tree::join(manifest.dir, "src");
            if manifest.is_package {
                sure.extend(self.dir_id(manifest.dir));
                sure.extend(src.and_then(|path| self.dir_id(&path)));
            }
            sure.extend(manifest.roots.iter().filter_map(|path| self.dir_id(path)));
        }
        for (dir, name) in named {
            let Some(child) = self.child(*dir, name) else {
                continue;
            };
            let is_sure = sure.contains(dir);
            let is_package = child.dir.is_some_and(|dir| self.init(dir).has_file());
            let in_package = self.init(*dir).has_file();
            if is_sure || is_package && !in_package {
                let root = Root {
                    dir: *dir,
                    scope: scope_of(self.path(*dir), &packages),
                    is_sure,
                };
                self.roots.entry(name).or_default().push(root);
            } else if !in_package && child.has_file() {
                self.loose.entry(name).or_default().push(*dir);
            }
        }
    }
}

/// The nearest directory with a package's manifest, at or above.
fn scope_of<'a>(path: &'a str, packages: &FxHashSet<&str>) -> &'a str {
    let mut current = path;
    while !current.is_empty() && !packages.contains(current) {
        current = dir_of(current);
    }
    current
}

/// The module name and the extension of a path that can be imported.
fn module_name(path: &str) -> Option<(&str, &str)> {
    let (stem, extension) = base_name(path).rsplit_once('.')?;
    match extension {
        "py" | "pyi" => Some((stem, extension)),
        // `name.cpython-312-x86_64-linux-gnu.so`
        "pyx" | "so" | "pyd" => Some((stem.split('.').next()?, extension)),
        _ => None,
    }
}
