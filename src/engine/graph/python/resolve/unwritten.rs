//! What a file needs without saying so: the packages that hold it, what hides it, and what
//! pytest loads around a test.

use super::super::modules::DirId;
use super::{Resolver, Site};
use crate::engine::graph::EdgeKind;
use crate::engine::tree::{base_name, dir_of};

impl Resolver<'_, '_, '_> {
    /// The packages that hold the file, one that hides it, and what works on a test.
    pub(super) fn implicit(&mut self, site: Site<'_>) {
        // A package wins over a module of its name, so it decides what the module says
        // to whoever imports it by name, and pytest does.
        let stem = site.path.strip_suffix(".py").unwrap_or(site.path);
        let tree = &self.builder.snapshot.tree;
        if let Some(package) = tree.find(&format!("{stem}/__init__.py")) {
            self.builder.edge(site.file, package, EdgeKind::Implicit);
        }
        let is_init = base_name(site.path).starts_with("__init__.");
        let mut dir = if is_init {
            self.modules.parent(site.dir)
        } else {
            Some(site.dir)
        };
        while let Some(current) = dir {
            let mut any = false;
            for init in self.modules.init(current).files() {
                self.builder.edge(site.file, init, EdgeKind::Implicit);
                any = true;
            }
            if !any {
                self.hiding(site, current);
            }
            // What lies above is needed by that `__init__` in turn.
            dir = if any {
                None
            } else {
                self.modules.parent(current)
            };
        }
        if base_name(site.path) == "conftest.py" || self.pytest.is_test(site.path) {
            self.around_test(site);
        }
    }

    /// A module wins over a directory of its name without an `__init__`
    /// (<https://peps.python.org/pep-0420/#specification>).
    fn hiding(&mut self, site: Site<'_>, dir: DirId) {
        let name = base_name(self.modules.path(dir));
        let beside = self.modules.parent(dir);
        let child = beside.and_then(|beside| self.modules.child(beside, name));
        for file in child.unwrap_or_default().files() {
            self.builder.edge(site.file, file, EdgeKind::Implicit);
        }
    }

    fn around_test(&mut self, site: Site<'_>) {
        let mut dir = dir_of(site.path);
        loop {
            if let Some(conftest) = self.around.conftests.get(dir) {
                self.builder.edge(site.file, *conftest, EdgeKind::Implicit);
            }
            for config in self.around.configs.get(dir).into_iter().flatten() {
                self.builder.edge(site.file, *config, EdgeKind::Config);
            }
            if dir.is_empty() {
                return;
            }
            dir = dir_of(dir);
        }
    }
}
