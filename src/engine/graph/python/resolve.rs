//! From specifiers to files.
//!
//! An absolute name is tried from every root that knows its first part: roots of
//! the importer's own package and of nobody in particular first, then foreign ones,
//! then any directory with a module of that name. Within one step every match
//! counts. A match that rests on a foreign root alone may as well be a package from
//! an index, so that the file is recorded to need both.

use rustc_hash::FxHashMap;

use super::around::{Around, Program, programs};
use super::calls::is_dotted;
use super::discover::Pytest;
use super::manifest;
use super::modules::{DirId, Modules, Walk};
use super::stdlib::is_stdlib;
use crate::engine::facts::{Import, ImportKind, Language, Reach, When};
use crate::engine::graph::{Builder, EdgeKind, Widening};
use crate::engine::tree::{FileId, base_name, dir_of};

/// Adds the edges of Python.
pub fn resolve(builder: &mut Builder<'_>) {
    let snapshot = builder.snapshot;
    let is_python = |path: &str| Language::of_path(path) == Some(Language::Python);
    if !snapshot
        .tree
        .iter()
        .any(|(_, entry)| is_python(&entry.path))
    {
        return;
    }
    let manifests = manifest::read(snapshot);
    let mut resolver = Resolver {
        modules: Modules::new(&snapshot.tree, &manifests),
        around: Around::new(builder, &manifests),
        pytest: Pytest::new(&manifests),
        contexts: FxHashMap::default(),
        programs: programs(builder, &manifests),
        builder,
    };
    for (file, entry) in snapshot.tree.iter() {
        if is_python(&entry.path) {
            resolver.file(file, &entry.path);
        }
    }
    for manifest in &manifests {
        for module in &manifest.modules {
            resolver.by_name(manifest.file, manifest.dir, module, EdgeKind::Implicit);
        }
    }
}

struct Resolver<'b, 'a, 'm> {
    builder: &'b mut Builder<'a>,
    modules: Modules<'a>,
    around: Around<'a>,
    pytest: Pytest<'m>,
    /// Directories from which files of a directory import beside the roots.
    contexts: FxHashMap<DirId, Vec<DirId>>,
    programs: FxHashMap<Box<str>, Vec<Program>>,
}

/// Where an import stands.
#[derive(Clone, Copy)]
struct Site<'p> {
    file: FileId,
    path: &'p str,
    dir: DirId,
}

/// What is looked for, and by whom.
#[derive(Clone, Copy)]
struct Wanted<'p> {
    site: Site<'p>,
    import: &'p Import,
    kind: EdgeKind,
}

/// What came of looking for an absolute name.
#[derive(Default)]
struct Outcome {
    /// The whole name was found and has a file.
    found: bool,
    /// It was found where the importer certainly looks.
    sure: bool,
    /// The files of the longest part that was found.
    partial: Vec<FileId>,
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        !self.found && self.partial.is_empty()
    }
}

impl Resolver<'_, '_, '_> {
    fn file(&mut self, file: FileId, path: &str) {
        let Some(dir) = self.modules.dir_id(dir_of(path)) else {
            return;
        };
        let site = Site { file, path, dir };
        self.implicit(site);
        let Some(facts) = self.builder.snapshot.facts(file) else {
            return;
        };
        for import in &facts.imports {
            self.import(site, import);
        }
        for literal in &facts.literals {
            self.literal(site, literal);
        }
        for dynamic in &facts.dynamic {
            self.builder.widen(Widening {
                when: dynamic.when,
                file,
                reach: dynamic.reach,
                what: dynamic.what.clone(),
                line: dynamic.line,
            });
        }
        if facts.broken {
            self.builder.widen(Widening {
                when: When::Used,
                file,
                reach: Reach::Package,
                what: "a syntax error".into(),
                line: 1,
            });
        }
    }

    /// The packages that hold the file, one that hides it, and what works on a test.
    fn implicit(&mut self, site: Site<'_>) {
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

    fn import(&mut self, site: Site<'_>, import: &Import) {
        let kind = match import.kind {
            ImportKind::Type => EdgeKind::Type,
            ImportKind::Program => return self.program(site, &import.specifier),
            _ => EdgeKind::Import,
        };
        if import.specifier.starts_with('.') {
            return self.relative(site, import, kind);
        }
        let outcome = self.absolute(Wanted { site, import, kind });
        let top = import.specifier.split('.').next().unwrap_or_default();
        for file in &outcome.partial {
            self.builder.edge(site.file, *file, kind);
        }
        let is_literal = import.kind == ImportKind::Dynamic;
        if outcome.found {
            if !outcome.sure && !is_stdlib(top) {
                self.builder.external(site.file, top);
            }
        } else if outcome.partial.is_empty() {
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
        let mut outcome = Outcome::default();
        if let Some(walk) = walk {
            self.accept(Wanted { site, import, kind }, walk, &mut outcome);
        }
        for file in &outcome.partial {
            self.builder.edge(site.file, *file, kind);
        }
        if !outcome.found {
            self.builder.unresolved(site.file, import.specifier.clone());
        }
    }

    fn absolute(&mut self, wanted: Wanted<'_>) -> Outcome {
        let Wanted { site, import, .. } = wanted;
        let top = import.specifier.split('.').next().unwrap_or_default();
        let mut outcome = Outcome::default();
        for dir in self.context(site.dir) {
            self.try_from(wanted, dir, &mut outcome);
        }
        outcome.sure = outcome.found;
        let roots = self.modules.roots_of(top).to_vec();
        let is_near = |scope: &str| {
            scope.is_empty()
                || site
                    .path
                    .strip_prefix(scope)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        for root in roots.iter().filter(|root| is_near(root.scope)) {
            let before = std::mem::take(&mut outcome.found);
            self.try_from(wanted, root.dir, &mut outcome);
            outcome.sure |= outcome.found && root.is_sure;
            outcome.found |= before;
        }
        if !outcome.found {
            for root in roots.iter().filter(|root| !is_near(root.scope)) {
                self.try_from(wanted, root.dir, &mut outcome);
            }
        }
        if !outcome.found && !is_stdlib(top) {
            let mut dirs = self.modules.loose(top).to_vec();
            // A script in a package directory is started with that directory first.
            dirs.push(site.dir);
            for dir in dirs {
                self.try_from(wanted, dir, &mut outcome);
            }
        }
        outcome
    }

    fn try_from(&mut self, wanted: Wanted<'_>, root: DirId, outcome: &mut Outcome) {
        if let Some(walk) = self.modules.walk(root, &wanted.import.specifier) {
            self.accept(wanted, walk, outcome);
            if outcome.is_nothing() {
                // The name goes on in a namespace directory of a package.
                let specifier = &wanted.import.specifier;
                let top = specifier.split('.').next().unwrap_or_default();
                let first = self.modules.child(root, top).unwrap_or_default();
                outcome.partial.extend(self.modules.files(first));
            }
        }
    }

    /// Adds the edges of a walk that went to its end; of another, keeps what it passed.
    fn accept(&mut self, wanted: Wanted<'_>, walk: Walk, outcome: &mut Outcome) {
        let Wanted { site, import, kind } = wanted;
        let specifier = import.specifier.trim_start_matches('.');
        let whole = specifier.split('.').count() == walk.parts;
        let files: Vec<FileId> = self.modules.files(walk.child).collect();
        if !whole {
            outcome.partial.extend(files);
            return;
        }
        let mut found = files.len();
        for file in files {
            self.builder.edge(site.file, file, kind);
        }
        if let Some(dir) = walk.child.dir {
            found += self.names(site, dir, &import.names, kind);
        }
        outcome.found |= found > 0;
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

    /// A program of the repository, started by name.
    fn program(&mut self, site: Site<'_>, name: &str) {
        let Some(programs) = self.programs.get(name) else {
            return;
        };
        let mut modules: Vec<(Box<str>, Box<str>)> = Vec::new();
        for program in programs {
            match program {
                Program::File(file) => self.builder.edge(site.file, *file, EdgeKind::Named),
                Program::Module(dir, module) => modules.push((dir.clone(), module.clone())),
            }
        }
        for (dir, module) in modules {
            self.by_name(site.file, &dir, &module, EdgeKind::Named);
        }
    }

    /// A string that reads like `package.module.attribute` names its module.
    fn literal(&mut self, site: Site<'_>, literal: &str) {
        let target = literal
            .rsplit_once('=')
            .map_or(literal, |(_, target)| target);
        let target = target.split(':').next().unwrap_or(target);
        if memchr::memchr(b'.', target.as_bytes()).is_none() || !is_dotted(target) {
            return;
        }
        self.named(site.file, site.path, target, EdgeKind::Named);
    }

    /// The modules that a dotted name means to a manifest in a directory.
    fn by_name(&mut self, from: FileId, dir: &str, name: &str, kind: EdgeKind) {
        let path = format!("{dir}/");
        self.named(from, path.trim_start_matches('/'), name, kind);
    }

    /// The longest modules that a dotted name starts with, from near roots if any.
    fn named(&mut self, from: FileId, path: &str, name: &str, kind: EdgeKind) {
        let top = name.split('.').next().unwrap_or_default();
        let parts = name.split('.').count();
        let (mut near, mut far): (Vec<FileId>, Vec<FileId>) = (Vec::new(), Vec::new());
        for root in self.modules.roots_of(top) {
            let Some(walk) = self.modules.walk(root.dir, name) else {
                continue;
            };
            if walk.parts == 1 && !names_attribute(name, parts) {
                continue;
            }
            let is_near = root.scope.is_empty()
                || path
                    .strip_prefix(root.scope)
                    .is_some_and(|rest| rest.starts_with('/'));
            let files = if is_near { &mut near } else { &mut far };
            files.extend(self.modules.files(walk.child));
        }
        for file in if near.is_empty() { far } else { near } {
            self.builder.edge(from, file, kind);
        }
    }
}

/// Whether `module.rest` reads like an attribute rather than a file's name.
fn names_attribute(name: &str, parts: usize) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    parts == 1
        || parts <= 3
            && !matches!(
                last,
                "py" | "pyi"
                    | "txt"
                    | "md"
                    | "rst"
                    | "json"
                    | "toml"
                    | "yml"
                    | "yaml"
                    | "cfg"
                    | "ini"
                    | "html"
                    | "xml"
                    | "csv"
                    | "log"
                    | "sh"
                    | "js"
                    | "css"
                    | "zip"
                    | "gz"
                    | "com"
                    | "org"
                    | "net"
                    | "io"
                    | "db"
                    | "png"
                    | "svg"
            )
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    /// What the first file needs by the edges that it writes.
    fn check(files: &[(&str, &str)], expected: &[&str]) {
        check_kinds(
            files,
            &[EdgeKind::Import, EdgeKind::Type, EdgeKind::Named],
            expected,
        );
    }

    fn check_kinds(files: &[(&str, &str)], kinds: &[EdgeKind], expected: &[&str]) {
        let snapshot = sample::snapshot(files);
        let graph = sample::graph(&snapshot, &[resolve]);
        let found = sample::needs(&snapshot, &graph, files[0].0, kinds);
        assert_eq!(found, expected.join("\n"), "{files:?}");
    }

    #[test]
    fn packages_modules_and_stubs_are_found_from_the_root_and_from_src() {
        check(
            &[
                ("a.py", "import p.m\nfrom q import n, attr\nimport s"),
                ("p/__init__.py", ""),
                ("p/m.py", ""),
                ("src/q/__init__.py", ""),
                ("src/q/n.py", ""),
                ("s.pyi", ""),
            ],
            &[
                "import p/m.py",
                "import s.pyi",
                "import src/q/__init__.py",
                "import src/q/n.py",
            ],
        );
    }

    #[test]
    fn relative_imports_climb() {
        check(
            &[
                (
                    "p/a/b.py",
                    "from . import c\nfrom ..d import e\nfrom .. import f",
                ),
                ("p/__init__.py", ""),
                ("p/a/__init__.py", ""),
                ("p/a/c.py", ""),
                ("p/d.py", ""),
                ("p/f/__init__.py", ""),
            ],
            &[
                "import p/__init__.py",
                "import p/a/__init__.py",
                "import p/a/c.py",
                "import p/d.py",
                "import p/f/__init__.py",
            ],
        );
        check(&[("a.py", "from ... import x")], &["unresolved ..."]);
    }

    #[test]
    fn namespace_packages_need_no_init() {
        check(
            &[
                ("a.py", "from ns.deep import m\nimport ns.deep.n"),
                ("ns/deep/m.py", ""),
                ("ns/deep/n.py", ""),
            ],
            &["import ns/deep/m.py", "import ns/deep/n.py"],
        );
    }

    #[test]
    fn a_directory_of_the_same_name_does_not_hide_an_external_package() {
        check(
            &[("a.py", "import docker"), ("docker/build.py", "")],
            &["external docker"],
        );
        check(
            &[("a.py", "import yaml.x\nimport os.path"), ("b.py", "")],
            &["external yaml"],
        );
        check(
            &[
                ("src/a.py", "import requests"),
                ("pyproject.toml", ""),
                ("tests/data/requests/__init__.py", ""),
            ],
            &[
                "import tests/data/requests/__init__.py",
                "external requests",
            ],
        );
    }

    #[test]
    fn what_should_be_here_and_is_not_is_reported() {
        check(
            &[("a.py", "import p._version"), ("p/__init__.py", "")],
            &["import p/__init__.py", "unresolved p._version"],
        );
        check(
            &[("p/a.py", "from .gone import x"), ("p/__init__.py", "")],
            &["unresolved .gone"],
        );
    }

    #[test]
    fn siblings_and_conftest_directories_are_on_the_path_of_tests() {
        check(
            &[
                ("tests/unit/test_a.py", "import helper\nimport shared"),
                ("tests/unit/helper.py", ""),
                ("tests/conftest.py", ""),
                ("tests/shared.py", ""),
            ],
            &["import tests/shared.py", "import tests/unit/helper.py"],
        );
    }

    #[test]
    fn one_name_in_two_packages_means_the_importers_own() {
        let files = [
            ("a/tests/test_x.py", "import app"),
            ("a/pyproject.toml", ""),
            ("a/app/__init__.py", ""),
            ("b/pyproject.toml", ""),
            ("b/app/__init__.py", ""),
        ];
        check(&files, &["import a/app/__init__.py"]);
    }

    #[test]
    fn several_candidates_are_all_needed() {
        check(
            &[("x.py", "import m"), ("m.py", ""), ("src/m.py", "")],
            &["import m.py", "import src/m.py"],
        );
        check(
            &[("x.py", "import m"), ("tools/m.py", ""), ("jobs/m.py", "")],
            &["import jobs/m.py", "import tools/m.py", "external m"],
        );
    }

    #[test]
    fn declared_roots_count() {
        check(
            &[
                ("tests/test_a.py", "import m\nimport n"),
                (
                    "pyproject.toml",
                    "[tool.pytest.ini_options]\npythonpath = ['code']\n[tool.setuptools.packages.find]\nwhere = ['py']",
                ),
                ("code/m.py", ""),
                ("py/n.py", ""),
            ],
            &["import code/m.py", "import py/n.py"],
        );
    }

    #[test]
    fn inits_conftests_and_settings_are_needed_without_being_written() {
        check_kinds(
            &[
                ("p/tests/test_a.py", ""),
                ("conftest.py", ""),
                ("p/__init__.py", ""),
                ("p/tests/__init__.py", ""),
                ("p/tests/conftest.py", ""),
                ("pyproject.toml", ""),
                ("p/tox.ini", ""),
            ],
            &[],
            &[
                "implicit conftest.py",
                "implicit p/tests/__init__.py",
                "implicit p/tests/conftest.py",
                "config p/tox.ini",
                "config pyproject.toml",
            ],
        );
        check_kinds(
            &[("p/tests/__init__.py", ""), ("p/__init__.py", "")],
            &[],
            &["implicit p/__init__.py"],
        );
    }

    #[test]
    fn a_package_hides_the_module_of_its_name() {
        check_kinds(
            &[("tests/test_a.py", ""), ("tests/test_a/__init__.py", "")],
            &[],
            &["implicit tests/test_a/__init__.py"],
        );
    }

    #[test]
    fn a_module_hides_the_namespace_of_its_name() {
        let implicit =
            |files: &[(&str, &str)], expected: &[&str]| check_kinds(files, &[], expected);
        let x = ("ns/a/x.py", "");
        implicit(
            &[x, ("ns/a.py", ""), ("ns/c.py", "")],
            &["implicit ns/a.py"],
        );
        implicit(&[x, ("ns.py", "")], &["implicit ns.py"]);
        // A package with an `__init__` wins over the module.
        let package = ("ns/a/__init__.py", "");
        implicit(
            &[x, package, ("ns/a.py", "")],
            &["implicit ns/a/__init__.py"],
        );
    }

    #[test]
    fn entry_points_and_settings_lead_from_the_manifest_to_modules() {
        let manifest = "[project.entry-points.pytest11]\nplug = 'p.plugin'\n[tool.pytest.ini_options]\naddopts = '-q -p p.extra'\nDJANGO_SETTINGS_MODULE = 'p.settings'\n[project.scripts]\nprog = 'p.cli:main'\n";
        let files = [
            ("pyproject.toml", manifest),
            ("p/__init__.py", ""),
            ("p/plugin.py", ""),
            ("p/extra.py", ""),
            ("p/settings.py", ""),
            ("p/cli.py", ""),
        ];
        check_kinds(
            &files,
            &[],
            &[
                "implicit p/extra.py",
                "implicit p/plugin.py",
                "implicit p/settings.py",
            ],
        );
        let mut files = files.to_vec();
        files.insert(0, ("test_a.py", "subprocess.run(['prog', '-x'])"));
        check(&files, &["named p/cli.py"]);
        check_kinds(
            &[
                (
                    "setup.cfg",
                    "[options.entry_points]\ngroup =\n    x = p.plugin:X\n",
                ),
                ("p/__init__.py", ""),
                ("p/plugin.py", ""),
            ],
            &[],
            &["implicit p/plugin.py"],
        );
    }

    #[test]
    fn dotted_strings_name_modules_of_the_repository_only() {
        check(
            &[
                (
                    "a.py",
                    "MIDDLEWARE = ['p.m.Handler', 'django.x.Y', 'p.json', 'p:app']",
                ),
                ("p/__init__.py", ""),
                ("p/m.py", ""),
            ],
            &["named p/m.py"],
        );
        check(
            &[("a.py", "patch('p.func')"), ("p.py", "")],
            &["import p.py", "named p.py"],
        );
    }

    #[test]
    fn a_star_takes_the_submodules_that_all_names() {
        check(
            &[
                ("a.py", "from p import *"),
                ("p/__init__.py", "__all__ = ['one']"),
                ("p/one.py", ""),
                ("p/two.py", ""),
            ],
            &["import p/__init__.py", "import p/one.py"],
        );
    }

    #[test]
    fn installed_apps_are_needed_as_a_whole() {
        check(
            &[
                (
                    "settings.py",
                    "INSTALLED_APPS = ['polls', 'rest_framework']",
                ),
                ("polls/__init__.py", ""),
                ("polls/models.py", ""),
                ("polls/migrations/0001.py", ""),
            ],
            &[
                "import polls/__init__.py",
                "import polls/migrations/0001.py",
                "import polls/models.py",
                "external rest_framework",
            ],
        );
    }

    #[test]
    fn doubtful_constructs_and_broken_files_are_widened() {
        check(
            &[("a.py", "x = 1\nexec(x)")],
            &["widened exec(...):2 Package"],
        );
        check(&[("a.py", "def (:")], &["widened a syntax error:1 Package"]);
    }
}
