//! Modules of a tree: `go.mod`, `go.work`, and where an import path leads.
//!
//! A scope is a module with all it may see; index 0 is the scope of files that lie
//! in no module. The format is line based: <https://go.dev/ref/mod#go-mod-file>.

use std::collections::BTreeSet;

use crate::engine::graph::{Builder, NodeId};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// All modules of a tree.
#[derive(Debug)]
pub(super) struct Modules<'a> {
    /// Sorted by directory, longest first, after the scope of no module.
    list: Vec<Module<'a>>,
    /// Directories that hold a `vendor` directory, deepest first.
    vendors: Vec<&'a str>,
}

/// Where an import leads.
#[derive(Debug)]
pub(super) enum Found {
    /// To packages of the tree; and to a module from outside, when the tree's
    /// packages belong to a module that is required by version.
    Packages(Vec<NodeId>, Option<Box<str>>),
    /// To a module from outside, by the name it is required under.
    Outside(Box<str>),
    /// To the standard library.
    Standard,
    /// Into an own module, which has no such package.
    Missing,
}

#[derive(Debug, Default)]
struct Module<'a> {
    dir: &'a str,
    path: &'a str,
    requires: Vec<&'a str>,
    /// Import path prefixes and the directories of this tree that replace them.
    replaces: Vec<(&'a str, String)>,
    configs: Vec<FileId>,
}

impl<'a> Modules<'a> {
    /// Reads every `go.mod` and `go.work` of the tree.
    pub(super) fn read(builder: &mut Builder<'a>) -> Self {
        let snapshot = builder.snapshot;
        let mut vendors = BTreeSet::new();
        let mut list: Vec<Module<'a>> = Vec::new();
        for (file, entry) in snapshot.tree.iter() {
            let roots = vendor_roots(&entry.path);
            if roots.clone().next().is_some() {
                vendors.extend(roots);
            } else if base_name(&entry.path) == "go.mod" {
                list.push(Module::read(snapshot, file, &entry.path));
            }
        }
        for (file, entry) in snapshot.tree.iter() {
            if base_name(&entry.path) == "go.work" {
                join_workspace(&mut list, snapshot, file, &entry.path);
            }
        }
        list.sort_by(|a, b| b.dir.len().cmp(&a.dir.len()).then(a.dir.cmp(b.dir)));
        list.insert(0, Module::default());
        let mut vendors: Vec<&str> = vendors.into_iter().collect();
        vendors.sort_by_key(|dir| std::cmp::Reverse(dir.len()));
        for module in &mut list {
            let path = prefixed(module.dir, "vendor/modules.txt");
            module.configs.extend(snapshot.tree.find(&path));
        }
        Self { list, vendors }
    }

    /// The scope of a directory: its module and the vendor directory it may see.
    pub(super) fn scope_of(&self, dir: &str) -> usize {
        let holds = |module: &Module<'_>| is_within(dir, module.dir);
        let index = self.list.iter().skip(1).position(holds);
        index.map_or(0, |index| index + 1)
    }

    /// The files that configure every package of a scope.
    pub(super) fn configs_of(&self, scope: usize) -> &[FileId] {
        self.list
            .get(scope)
            .map_or(&[], |module| module.configs.as_slice())
    }

    /// Where an import of a scope leads; `package` tells the unit of a directory.
    pub(super) fn find(
        &self,
        scope: usize,
        import: &str,
        package: impl Fn(&str) -> Option<NodeId>,
    ) -> Found {
        let Some(module) = self.list.get(scope) else {
            return Found::Standard;
        };
        let mut found: Vec<NodeId> = Vec::new();
        let mut longest = None;
        let own = Some((module.path, module.dir)).filter(|(path, _)| !path.is_empty());
        let replaced = module.replaces.iter();
        let replaced = replaced.map(|(path, dir)| (*path, dir.as_str()));
        for (path, dir) in own.into_iter().chain(replaced) {
            if let Some(below) = below(import, path) {
                longest = longest.max(Some(path.len()));
                found.extend(package(&prefixed(dir, below)));
            }
        }
        let is_local = !found.is_empty();
        let sees = |root: &&&str| is_within(module.dir, root) || is_within(root, module.dir);
        for root in self.vendors.iter().filter(sees) {
            found.extend(package(&prefixed(root, &format!("vendor/{import}"))));
        }
        if found.is_empty() {
            for other in self.list.iter().filter(|other| !other.path.is_empty()) {
                let dir = below(import, other.path).map(|below| prefixed(other.dir, below));
                found.extend(dir.and_then(|dir| package(&dir)));
            }
        }
        let outside = required(module, import)
            .filter(|name| !is_local && longest.is_none_or(|own| name.len() > own));
        let is_own = longest.is_some();
        found.sort_unstable();
        found.dedup();
        let is_standard = !import.split('/').next().unwrap_or_default().contains('.');
        match (found.is_empty(), outside) {
            (false, outside) => Found::Packages(found, outside.map(Into::into)),
            (true, Some(outside)) => Found::Outside(outside.into()),
            (true, None) if is_own => Found::Missing,
            (true, None) if is_standard => Found::Standard,
            (true, None) => Found::Outside(import.into()),
        }
    }
}

impl<'a> Module<'a> {
    fn read(snapshot: &'a Snapshot, file: FileId, path: &'a str) -> Self {
        let mut module = Self {
            dir: dir_of(path),
            configs: vec![file],
            ..Self::default()
        };
        for (verb, words) in directives(snapshot.text(path).unwrap_or_default()) {
            match (verb, words.as_slice()) {
                ("module", [name, ..]) => module.path = name,
                ("require", [name, ..]) => module.requires.push(name),
                ("replace", words) => module.replace(module.dir, words),
                _ => {}
            }
        }
        module
    }

    /// `old [version] => ./dir`; a replacement by another module stays external.
    fn replace(&mut self, dir: &str, words: &[&'a str]) {
        let arrow = words.iter().position(|word| *word == "=>");
        let target = arrow.and_then(|arrow| words.get(arrow + 1));
        if let (Some(old), Some(target)) = (words.first(), target)
            && target.starts_with('.')
            && let Some(target) = join(dir, target)
        {
            self.replaces.push((old, target));
        }
    }
}

/// Every module that a workspace uses sees every other one and its replacements.
fn join_workspace<'a>(
    list: &mut [Module<'a>],
    snapshot: &'a Snapshot,
    file: FileId,
    path: &'a str,
) {
    let root = dir_of(path);
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut shared = Module::default();
    for (verb, words) in directives(snapshot.text(path).unwrap_or_default()) {
        match (verb, words.as_slice()) {
            ("use", [dir, ..]) => used.extend(join(root, dir)),
            ("replace", words) => shared.replace(root, words),
            _ => {}
        }
    }
    let members = |module: &Module<'a>| used.contains(module.dir);
    let seen: Vec<(&str, String)> = list
        .iter()
        .filter(|module| members(module))
        .map(|module| (module.path, module.dir.to_owned()))
        .collect();
    let modules_txt = snapshot.tree.find(&prefixed(root, "vendor/modules.txt"));
    for module in list.iter_mut().filter(|module| members(module)) {
        module.replaces.extend(seen.iter().cloned());
        module.replaces.extend(shared.replaces.iter().cloned());
        module.configs.push(file);
        module.configs.extend(modules_txt);
    }
}

/// The directives of a file, blocks unfolded, comments and quotes taken off.
fn directives(text: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let mut block: Option<&str> = None;
    text.lines().filter_map(move |line| {
        let code = line.split("//").next().unwrap_or_default();
        let code = if line.trim_start().starts_with("//") {
            ""
        } else {
            code
        };
        let mut words = code
            .split_whitespace()
            .map(|word| word.trim_matches(['"', '`']));
        match block {
            Some(_) if code.trim() == ")" => {
                block = None;
                None
            }
            Some(verb) => Some((verb, words.collect::<Vec<_>>())).filter(|(_, w)| !w.is_empty()),
            None => {
                let verb = words.next()?;
                let words: Vec<&str> = words.collect();
                if words == ["("] {
                    block = Some(verb);
                    return None;
                }
                // `use(` without a space opens a block, too.
                if let Some(verb) = verb.strip_suffix('(') {
                    block = Some(verb);
                    return None;
                }
                Some((verb, words))
            }
        }
    })
}

/// The directories above a path that hold a `vendor` directory which holds the path.
fn vendor_roots(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.match_indices("vendor/").filter_map(|(at, _)| {
        let above = path.get(..at)?;
        above.strip_suffix('/').or(above.is_empty().then_some(""))
    })
}

fn is_within(dir: &str, above: &str) -> bool {
    above.is_empty()
        || dir
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What of an import path is below a module path.
fn below<'i>(import: &'i str, module: &str) -> Option<&'i str> {
    let rest = import.strip_prefix(module)?;
    if rest.is_empty() {
        return Some("");
    }
    rest.strip_prefix('/')
}

fn prefixed(dir: &str, below: &str) -> String {
    match (dir.is_empty(), below.is_empty()) {
        (true, _) => below.to_owned(),
        (_, true) => dir.to_owned(),
        _ => format!("{dir}/{below}"),
    }
}

fn required<'a>(module: &Module<'a>, import: &str) -> Option<&'a str> {
    let fits = |name: &&&str| below(import, name).is_some();
    let longest = module.requires.iter().filter(fits);
    longest.max_by_key(|name| name.len()).copied()
}
