//! Who names which file: literals and scripts against the paths of the tree.
//!
//! A literal is looked up by its last component, so that the many that name nothing
//! cost one look-up each. Where a name fits several files, all are meant: which one
//! is opened is not decided here. A base name names data anywhere; it names *code*
//! only near the file or inside test data, because names such as `index.js` are
//! everywhere. A plain word names only directories of data at or above the file.
//!
//! A literal of dots and slashes alone (`../..`) is the start of a longer path and
//! names nothing.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Class, Ownership, base_name, dir_of};
use crate::engine::globs::{Glob, Pattern, Texts};
use crate::engine::graph::{Builder, EdgeKind, NodeId};
use crate::engine::tree::{self, FileId, Mode, Tree};

mod grams;
mod paths;
mod voices;

use grams::Grams;
use paths::{holds_data, is_at_or_above, is_test_data, relative, stem, without_fields};
use voices::{Voice, spoken, voice, words, written};

/// Adds an edge for every file, directory or glob that some file names.
pub(super) fn link(builder: &mut Builder<'_>, ownership: &Ownership<'_>) {
    let snapshot = builder.snapshot;
    let index = Index::new(&snapshot.tree, ownership);
    let mut linker = Linker {
        builder,
        index: &index,
        units: FxHashMap::default(),
        globs: FxHashMap::default(),
    };
    for (file, entry) in snapshot.tree.iter() {
        if entry.mode == Mode::Submodule {
            continue;
        }
        let mut from = Speaker {
            file,
            dir: dir_of(&entry.path),
            package: ownership.owner(&entry.path).unwrap_or_default(),
            voice: voice(entry),
            literals: snapshot.facts(file).map(|facts| &*facts.literals),
        };
        if let Some(facts) = snapshot.facts(file) {
            facts
                .literals
                .iter()
                .for_each(|literal| linker.literal(&from, literal));
        }
        if let Some(written) = written(entry)
            && let Some(text) = snapshot.text_of(entry.blob)
        {
            from.voice = written;
            let text = spoken(base_name(&entry.path), text);
            words(&text).for_each(|word| linker.literal(&from, word));
        }
    }
}

/// The file that names others.
struct Speaker<'a> {
    file: FileId,
    dir: &'a str,
    package: &'a str,
    voice: Voice,
    /// Of a source file; a script may be looking for any name.
    literals: Option<&'a [Box<str>]>,
}

impl Speaker<'_> {
    /// Whether some literal ends as the name of prose does.
    fn reads_prose(&self) -> bool {
        const ENDINGS: &[&str] = &["md", "mdx", "markdown", "rst", "adoc", "txt"];
        let is_prose = |literal: &str| ENDINGS.iter().any(|it| literal.ends_with(it));
        self.literals
            .is_none_or(|list| list.iter().any(|literal| is_prose(literal)))
    }
}

/// The tree by last component.
struct Index<'a> {
    tree: &'a Tree,
    /// Data by base name.
    data: FxHashMap<&'a str, Vec<FileId>>,
    /// Code by base name.
    code: FxHashMap<&'a str, Vec<FileId>>,
    /// Every directory.
    dirs: FxHashSet<&'a str>,
    /// The last components of directories.
    dir_names: FxHashSet<&'a str>,
    inert: FxHashSet<FileId>,
    /// What is no code, in order.
    plain: Vec<FileId>,
    /// The paths of what is no code, one a line.
    listing: String,
    /// Where the line of each of these begins.
    lines: Vec<usize>,
    grams: Grams,
}

impl<'a> Index<'a> {
    fn new(tree: &'a Tree, ownership: &Ownership<'_>) -> Self {
        let mut index = Self {
            tree,
            data: FxHashMap::default(),
            code: FxHashMap::default(),
            dirs: FxHashSet::default(),
            dir_names: FxHashSet::default(),
            inert: FxHashSet::default(),
            plain: Vec::new(),
            listing: String::new(),
            lines: Vec::new(),
            grams: Grams::of(""),
        };
        for (file, entry) in tree.iter() {
            let name = base_name(&entry.path);
            let class = ownership.classify(&entry.path);
            if class != Class::Code {
                index.plain.push(file);
                index.lines.push(index.listing.len());
                index.listing.extend([&*entry.path, "\n"]);
            }
            match class {
                Class::Code => index.code.entry(name).or_default().push(file),
                // A lockfile is an input as slices only.
                Class::Lock => {}
                class => {
                    index.data.entry(name).or_default().push(file);
                    if class == Class::Inert {
                        index.inert.insert(file);
                    }
                }
            }
            let mut dir = dir_of(&entry.path);
            while !dir.is_empty() && index.dirs.insert(dir) {
                index.dir_names.insert(base_name(dir));
                dir = dir_of(dir);
            }
        }
        index.grams = Grams::of(&index.listing);
        index
    }

    /// What is no code and has a text in its path, in order.
    fn plain_with(&self, text: &str) -> Vec<FileId> {
        if text.is_empty() {
            return self.plain.clone();
        }
        if !self.grams.may_hold(text) {
            return Vec::new();
        }
        let found = memchr::memmem::find_iter(self.listing.as_bytes(), text.as_bytes());
        let line = |at: usize| self.lines.partition_point(|start| *start <= at);
        let mut files: Vec<FileId> = found
            .filter_map(|at| self.plain.get(line(at).checked_sub(1)?).copied())
            .collect();
        files.dedup();
        files
    }

    /// Whether a file lies in an importable package of Python: it is installed.
    fn is_in_module(&self, file: FileId) -> bool {
        let dir = dir_of(self.tree.path(file));
        let marker = tree::join(dir, "__init__.py");
        marker.is_some_and(|path| self.tree.find(&path).is_some())
    }

    /// The files of one base name whose path ends as given: those at or above the
    /// speaker's directory if there are any, else all.
    fn fitting(&self, all: &[FileId], tail: &str, dir: &str) -> Vec<FileId> {
        let stem_of = |file: &FileId| stem(self.tree.path(*file), tail);
        let near = |file: &&FileId| stem_of(file).is_some_and(|stem| is_at_or_above(stem, dir));
        let found: Vec<FileId> = all.iter().filter(near).copied().collect();
        if found.is_empty() || !tail.contains('/') {
            all.iter()
                .filter(|file| stem_of(file).is_some())
                .copied()
                .collect()
        } else {
            found
        }
    }
}

/// What several files are named by together.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Group {
    Base(Box<str>),
    /// A directory, and whether with the prose of packages below it.
    Dir(Box<str>, bool),
    Glob(Box<str>, Box<str>, Voice),
}

/// A glob, and the files whose paths hold what it asks for.
struct Compiled {
    /// One of what it may mean.
    readings: Vec<Pattern>,
    candidates: Vec<FileId>,
}

struct Linker<'b, 'a, 'i> {
    builder: &'b mut Builder<'a>,
    index: &'i Index<'a>,
    units: FxHashMap<Group, Option<NodeId>>,
    /// Compiled globs; `None` where no path holds what a glob asks for.
    globs: FxHashMap<Box<str>, Option<Rc<Compiled>>>,
}

impl Linker<'_, '_, '_> {
    fn literal(&mut self, from: &Speaker<'_>, literal: &str) {
        let tail = relative(literal);
        let name = base_name(tail);
        if name.is_empty() {
            return;
        }
        if tail.contains(['*', '?', '[', '{']) {
            self.glob(from, literal);
        }
        // Brackets and braces may be those of a name: `app/[slug]/page.tsx`.
        if tail.contains(['*', '?']) {
            return;
        }
        if self.index.data.contains_key(name) {
            self.data(from, tail, name);
        }
        if from.voice == Voice::Code {
            if tail.contains(['/', '.']) && self.index.code.contains_key(name) {
                self.code(from, literal, tail, name);
            }
            if self.index.dir_names.contains(name) {
                self.directory(from, literal, tail);
            }
        }
    }

    /// Data by base name anywhere; by path near the file, else wherever the path fits.
    fn data(&mut self, from: &Speaker<'_>, tail: &str, name: &str) {
        let index = self.index;
        let all = index.data.get(name).map_or(&[][..], Vec::as_slice);
        let is_settings = matches!(from.voice, Voice::Project | Voice::Manifest);
        if is_settings
            && let Some(path) = tree::join(from.dir, tail)
            && let Some(file) = index.tree.find(&path)
        {
            return self.name(from, file);
        }
        match all {
            _ if tail.contains('/') => {
                let chosen = index.fitting(all, tail, from.dir);
                for file in chosen {
                    self.name(from, file);
                }
            }
            [file] => self.name(from, *file),
            _ if from.voice == Voice::Manifest => {}
            _ => self.prose_or_data(from, name, all),
        }
    }

    /// What several files share a base name: all of them; of prose only what lies in
    /// the speaker's package, or at or above the speaker.
    fn prose_or_data(&mut self, from: &Speaker<'_>, name: &str, all: &[FileId]) {
        let index = self.index;
        let is_near = |file: &&FileId| {
            let dir = dir_of(index.tree.path(**file));
            is_at_or_above(from.package, dir) || is_at_or_above(dir, from.dir) || is_test_data(dir)
        };
        let near: Vec<FileId> = all.iter().filter(is_near).copied().collect();
        let is_prose = all.iter().all(|file| index.inert.contains(file));
        if is_prose && !near.is_empty() && near.len() < all.len() {
            for file in near {
                self.name(from, file);
            }
        } else {
            self.group(from, Group::Base(name.into()), || all.to_vec());
        }
    }

    fn name(&mut self, from: &Speaker<'_>, file: FileId) {
        let is_meant = from.voice != Voice::Manifest
            || !self.index.inert.contains(&file)
            || self.index.is_in_module(file);
        if is_meant {
            self.builder.edge(from.file, file, EdgeKind::Named);
        }
    }

    /// Code by path near the file, by base name beside or above it, or in test data.
    fn code(&mut self, from: &Speaker<'_>, literal: &str, tail: &str, name: &str) {
        let index = self.index;
        let exact = tree::join(from.dir, literal).and_then(|path| index.tree.find(&path));
        if let Some(file) = exact {
            return self.builder.edge(from.file, file, EdgeKind::Named);
        }
        let all = index.code.get(name).map_or(&[][..], Vec::as_slice);
        let is_meant = |file: FileId| {
            let dir = dir_of(index.tree.path(file));
            let is_data = is_at_or_above(from.package, dir) && is_test_data(dir);
            tail.contains('/') || is_at_or_above(dir, from.dir) || is_data
        };
        for file in index.fitting(all, tail, from.dir) {
            if is_meant(file) {
                self.builder.edge(from.file, file, EdgeKind::Named);
            }
        }
    }

    /// A directory by path at or above the file; by a plain word only when it holds data.
    fn directory(&mut self, from: &Speaker<'_>, literal: &str, tail: &str) {
        let index = self.index;
        if literal.contains('/')
            && let Some(exact) = tree::join(from.dir, literal)
            && index.dirs.contains(exact.as_str())
        {
            return self.below(from, &exact);
        }
        let is_path = tail.contains('/');
        let mut above = Some(from.dir);
        while let Some(dir) = above {
            let path = tree::join(dir, tail).unwrap_or_default();
            let is_beside_test = dir == from.dir && is_test_data(dir);
            if index.dirs.contains(path.as_str()) && (is_path || holds_data(tail) || is_beside_test)
            {
                self.below(from, &path);
            }
            above = (!dir.is_empty()).then(|| dir_of(dir));
        }
    }

    /// Everything below a directory; the prose of packages below it only for speakers
    /// that name prose.
    fn below(&mut self, from: &Speaker<'_>, dir: &str) {
        let index = self.index;
        let packages = self.builder.packages;
        let reads_prose = from.reads_prose();
        self.group(from, Group::Dir(dir.into(), reads_prose), || {
            let is_foreign = |file: FileId, path: &str| {
                let owner = packages.owner_dir(path).unwrap_or_default();
                index.inert.contains(&file)
                    && owner.len() > dir.len()
                    && !is_test_data(dir_of(path))
            };
            let below = index.tree.under(dir);
            below
                .filter(|(file, entry)| reads_prose || !is_foreign(*file, &entry.path))
                .map(|(file, _)| file)
                .collect()
        });
    }

    /// Data that a glob fits: from its fixed directory, or anywhere in the package.
    fn glob(&mut self, from: &Speaker<'_>, literal: &str) {
        let index = self.index;
        let literal = literal.trim_start_matches('/');
        let cut = literal.find(['*', '?', '[', '{']).unwrap_or_default();
        let fixed = literal.get(..cut).and_then(|head| head.rsplit_once('/'));
        let Some((head, _)) = fixed else {
            return self.glob_below(from, from.package, literal);
        };
        let pattern = literal.get(head.len() + 1..).unwrap_or_default();
        let mut bases: Vec<String> = [from.dir, from.package, ""]
            .iter()
            .filter_map(|base| tree::join(base, head))
            .filter(|base| base.is_empty() || index.dirs.contains(base.as_str()))
            .collect();
        bases.sort();
        bases.dedup();
        for base in bases {
            self.glob_below(from, &base, pattern);
        }
    }

    /// Prose is named by a glob only where the glob ends as the file does, in code.
    fn glob_below(&mut self, from: &Speaker<'_>, base: &str, pattern: &str) {
        let index = self.index;
        let glob = without_fields(pattern);
        // `{name}` in a message is nothing but a field: it names no file. `*` is a real glob.
        if glob == "*" && pattern != "*" {
            return;
        }
        let known = self.globs.entry(pattern.into()).or_insert_with(|| {
            let readings = Glob::readings(&glob);
            // Most literals with a `*` are no globs at all: what they ask for is nowhere. The
            // last reading escapes most, and so asks for least.
            let texts = readings.last().map(Texts::of)?;
            let mut candidates = index.plain_with(texts.longest());
            candidates.retain(|file| texts.are_in(index.tree.path(*file)));
            if candidates.is_empty() {
                return None;
            }
            let anywhere = readings
                .iter()
                .map(|it| Glob::written(format!("**/{}", it.as_str())));
            let compiled: Result<Vec<Pattern>, _> = anywhere.map(|it| Pattern::new(&it)).collect();
            Some(Rc::new(Compiled {
                readings: compiled.ok()?,
                candidates,
            }))
        });
        let Some(glob) = known.clone() else {
            return;
        };
        let group = Group::Glob(base.into(), pattern.into(), from.voice);
        let voice = from.voice;
        self.group(from, group, || {
            let skip = if base.is_empty() { 0 } else { base.len() + 1 };
            let fits = |file: FileId, path: &str| {
                let ending = path.rsplit_once('.').map_or(path, |(_, ending)| ending);
                let may_be_meant = !index.inert.contains(&file)
                    || voice == Voice::Code && pattern.ends_with(ending);
                let below = path.get(skip..).unwrap_or_default();
                may_be_meant && glob.readings.iter().any(|it| it.is_match(below))
            };
            let span = index.tree.span(base);
            let start = glob.candidates.partition_point(|file| *file < span.start);
            let below = glob.candidates.iter().copied().skip(start);
            below
                .take_while(|file| *file < span.end)
                .filter(|file| fits(*file, index.tree.path(*file)))
                .collect()
        });
    }

    /// One group for what is named together, so that many speakers share its edges.
    fn group(&mut self, from: &Speaker<'_>, group: Group, files: impl FnOnce() -> Vec<FileId>) {
        let shown = match &group {
            Group::Base(name) => format!("files named {name}"),
            Group::Dir(dir, _) => format!("files below {dir}"),
            Group::Glob(base, pattern, _) if base.is_empty() => format!("files like {pattern}"),
            Group::Glob(base, pattern, _) => format!("files like {pattern} below {base}"),
        };
        let unit = if let Some(unit) = self.units.get(&group) {
            *unit
        } else {
            let files = files();
            let unit = (!files.is_empty()).then(|| self.builder.group(shown));
            for (unit, file) in unit
                .iter()
                .flat_map(|unit| files.iter().map(move |f| (*unit, *f)))
            {
                self.builder.edge(unit, file, EdgeKind::Named);
            }
            self.units.insert(group, unit);
            unit
        };
        if let Some(unit) = unit {
            self.builder.edge(from.file, unit, EdgeKind::Named);
        }
    }
}
