//! What an import means: the files that its specifier and its names lead to.
//!
//! An absolute name is tried from every root that knows its first part: roots of
//! the importer's own package and of nobody in particular first, then foreign ones,
//! then any directory with a module of that name. Within one step every match
//! counts. A match that rests on a foreign root alone may as well be a package from
//! an index, so that the file is recorded to need both.

use super::super::calls::is_dotted;
use super::super::modules::{DirId, Walk};
use super::super::stdlib::is_stdlib;
use super::{Resolver, Site};
use crate::engine::facts::{Import, ImportKind, Language};
use crate::engine::graph::EdgeKind;
use crate::engine::tree::FileId;

/// What is looked for, and by whom.
#[derive(Clone, Copy)]
struct Wanted<'p> {
    site: Site<'p>,
    import: &'p Import,
    kind: EdgeKind,
}

/// What came of looking for an absolute name.
#[derive(Default)]
struct Sought {
    /// The whole name was found and has a file.
    found: bool,
    /// It was found where the importer certainly looks.
    sure: bool,
    /// The files of the longest part that was found.
    partial: Vec<FileId>,
}

impl Sought {
    fn is_nothing(&self) -> bool {
        !self.found && self.partial.is_empty()
    }
}

impl Resolver<'_, '_, '_> {
    pub(super) fn import(&mut self, site: Site<'_>, import: &Import) {
        let kind = match import.kind {
            ImportKind::Type => EdgeKind::Type,
            ImportKind::Program => return self.program(site, &import.specifier),
            _ => EdgeKind::Import,
        };
        if import.specifier.starts_with('.') {
            return self.relative(site, import, kind);
        }
        let sought = self.absolute(Wanted { site, import, kind });
        let top = import.specifier.split('.').next().unwrap_or_default();
        for file in &sought.partial {
            self.builder.edge(site.file, *file, kind);
        }
        let is_literal = import.kind == ImportKind::Dynamic;
        if sought.found {
            if !sought.sure && !is_stdlib(top) {
                self.builder.external(site.file, top);
            }
        } else if sought.partial.is_empty() {
            if !is_stdlib(top) && is_dotted(&import.specifier) {
                self.builder.external(site.file, top);
            }
        } else if !is_literal && !is_stdlib(top) {
            self.builder.unresolved(site.file, import.specifier.clone());
        }
    }

    /// `from ..a import b`, and relative names in dynamic imports.
    fn relative(&mut self, site: Site<'_>, import: &Import, kind: EdgeKind) {
        let rest = import.specifier.trim_start_matches('.');
        let ups = import.specifier.len() - rest.len() - 1;
        let mut base = Some(site.dir);
        for _ in 0..ups {
            base = base.and_then(|dir| self.modules.parent(dir));
        }
        let Some(base) = base else {
            return self.builder.unresolved(site.file, import.specifier.clone());
        };
        if rest.is_empty() {
            for file in self.modules.init(base).files() {
                self.builder.edge(site.file, file, kind);
            }
            let found = self.names(site, base, &import.names, kind);
            if found == 0 && self.modules.init(base).files().next().is_none() {
                self.builder.unresolved(site.file, import.specifier.clone());
            }
            return;
        }
        let walk = self.modules.walk(base, rest);
        let mut sought = Sought::default();
        if let Some(walk) = walk {
            self.accept(Wanted { site, import, kind }, walk, &mut sought);
        }
        for file in &sought.partial {
            self.builder.edge(site.file, *file, kind);
        }
        if !sought.found {
            self.builder.unresolved(site.file, import.specifier.clone());
        }
    }

    fn absolute(&mut self, wanted: Wanted<'_>) -> Sought {
        let Wanted { site, import, .. } = wanted;
        let top = import.specifier.split('.').next().unwrap_or_default();
        let mut sought = Sought::default();
        for dir in self.context(site.dir) {
            self.try_from(wanted, dir, &mut sought);
        }
        sought.sure = sought.found;
        let roots = self.modules.roots_of(top).to_vec();
        let is_near = |scope: &str| {
            scope.is_empty()
                || site
                    .path
                    .strip_prefix(scope)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        for root in roots.iter().filter(|root| is_near(root.scope)) {
            let before = std::mem::take(&mut sought.found);
            self.try_from(wanted, root.dir, &mut sought);
            sought.sure |= sought.found && root.is_sure;
            sought.found |= before;
        }
        if !sought.found {
            for root in roots.iter().filter(|root| !is_near(root.scope)) {
                self.try_from(wanted, root.dir, &mut sought);
            }
        }
        if !sought.found && !is_stdlib(top) {
            let mut dirs = self.modules.loose(top).to_vec();
            // A script in a package directory is started with that directory first.
            dirs.push(site.dir);
            for dir in dirs {
                self.try_from(wanted, dir, &mut sought);
            }
        }
        sought
    }

    fn try_from(&mut self, wanted: Wanted<'_>, root: DirId, sought: &mut Sought) {
        if let Some(walk) = self.modules.walk(root, &wanted.import.specifier) {
            self.accept(wanted, walk, sought);
            if sought.is_nothing() {
                // The name goes on in a namespace directory of a package.
                let specifier = &wanted.import.specifier;
                let top = specifier.split('.').next().unwrap_or_default();
                let first = self.modules.child(root, top).unwrap_or_default();
                sought.partial.extend(self.modules.files(first));
            }
        }
    }

    /// Adds the edges of a walk that went to its end; of another, keeps what it passed.
    fn accept(&mut self, wanted: Wanted<'_>, walk: Walk, sought: &mut Sought) {
        let Wanted { site, import, kind } = wanted;
        let specifier = import.specifier.trim_start_matches('.');
        let whole = specifier.split('.').count() == walk.parts;
        let files: Vec<FileId> = self.modules.files(walk.child).collect();
        if !whole {
            sought.partial.extend(files);
            return;
        }
        let mut found = files.len();
        for file in files {
            self.builder.edge(site.file, file, kind);
        }
        if let Some(dir) = walk.child.dir {
            found += self.names(site, dir, &import.names, kind);
        }
        sought.found |= found > 0;
    }

    /// The submodules among the names that are taken from a package.
    fn names(&mut self, site: Site<'_>, dir: DirId, names: &[Box<str>], kind: EdgeKind) -> usize {
        let mut found = 0;
        for name in names {
            match name.as_ref() {
                "*" => found += self.star(site, dir, kind),
                "**" => found += self.whole(site, dir, kind),
                name => {
                    if let Some(child) = self.modules.child(dir, name) {
                        for file in self.modules.files(child) {
                            self.builder.edge(site.file, file, kind);
                            found += 1;
                        }
                    }
                }
            }
        }
        found
    }

    /// `from package import *` takes the submodules that `__all__` names.
    fn star(&mut self, site: Site<'_>, dir: DirId, kind: EdgeKind) -> usize {
        let init = self.modules.init(dir).file;
        let facts = init.and_then(|init| self.builder.snapshot.facts(init));
        let mut found = 0;
        for name in facts.iter().flat_map(|facts| &facts.literals) {
            for file in self
                .modules
                .child(dir, name)
                .into_iter()
                .flat_map(|child| self.modules.files(child))
            {
                self.builder.edge(site.file, file, kind);
                found += 1;
            }
        }
        found
    }

    fn whole(&mut self, site: Site<'_>, dir: DirId, kind: EdgeKind) -> usize {
        let mut found = 0;
        for (file, entry) in self.builder.snapshot.tree.under(self.modules.path(dir)) {
            if Language::of_path(&entry.path) == Some(Language::Python) {
                self.builder.edge(site.file, file, kind);
                found += 1;
            }
        }
        found
    }

    /// The file's own directory, where no package claims it, and the directories of
    /// the `conftest.py`s above, which pytest puts on the path.
    fn context(&mut self, dir: DirId) -> Vec<DirId> {
        if let Some(context) = self.contexts.get(&dir) {
            return context.clone();
        }
        let mut context = Vec::new();
        let mut current = Some(dir);
        while let Some(above) = current {
            let in_package = self.modules.init(above).files().next().is_some();
            let has_conftest = self.around.conftests.contains_key(self.modules.path(above));
            if !in_package && (above == dir || has_conftest) {
                context.push(above);
            }
            current = self.modules.parent(above);
        }
        self.contexts.insert(dir, context.clone());
        context
    }
}
