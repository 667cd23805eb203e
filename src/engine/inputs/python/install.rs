//! pip and the building of distributions.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::super::Input;
use super::super::named::parts;
use super::super::programs::{arguments, list};
use super::super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::packages::{Ecosystem, Package};
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{dir_of, join};

/// Flags of pip and uv that take the next word.
const VALUES: &str = "-i --index-url --extra-index-url -f --find-links -t --target --prefix --python -p \
    --upgrade-package -P -w --wheel-dir -d --dest --no-binary --only-binary --platform --python-version \
    --config-settings -C --group --resolution --index-strategy --extra --trusted-host --src --root --report \
    --cache-dir --exists-action --global-option --progress-bar --timeout --retries -o --output-file";

/// Flags whose value is a file or directory.
const PATHS: &str = "-r --requirement -c --constraint -e --editable --requirements --constraints \
    --build-constraint --override --overrides";

impl Walk<'_> {
    /// `pip`: installs from outside, from requirements files, and from directories.
    pub(in crate::engine::inputs) fn pip(&mut self, call: &Invocation) {
        let texts = call.texts();
        match texts.get(1).copied() {
            Some("install" | "wheel" | "download") => self.install(&call.without(1)),
            None => {}
            Some(_) => self.listed(call, "pip"),
        }
    }

    /// `pip install`: the words begin with the sub-command.
    pub(in crate::engine::inputs) fn install(&mut self, call: &Invocation) {
        let words = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(words, &list(VALUES), &list(PATHS));
        for word in &sorted.reads {
            self.requirement(call, word);
        }
        for word in &sorted.operands {
            let text = word.text.as_ref();
            let is_local = text.contains('/') || text.starts_with('.');
            if is_local
                && !text.contains("://")
                && !text.starts_with("git+")
                && !text.contains(" @ ")
            {
                self.requirement(call, word);
                let place = locate(&call.place, text.split('[').next().unwrap_or_default());
                if let Located::Inside(dir) = place {
                    self.wheel(call, &dir);
                }
            }
        }
        if sorted.has(&["--group"]) {
            let dir = call.dir().unwrap_or("").to_owned();
            self.packaging(call, &dir);
        }
    }

    /// A directory, a file of requirements or an archive.
    fn requirement(&mut self, call: &Invocation, word: &Word) {
        if word.unknown {
            return self.unknown_use(call);
        }
        let text = word.text.split('[').next().unwrap_or_default().trim();
        let is_list = [".txt", ".in", ".toml"]
            .iter()
            .any(|end| text.ends_with(end));
        match locate(&call.place, text) {
            Located::Inside(path) if self.has_dir(&path) && !word.glob => {
                self.packaging(call, &path);
            }
            Located::Inside(path) if is_list => self.requirements(call, &path, 0),
            Located::Inside(_) => {
                let word = Word {
                    text: text.into(),
                    ..word.clone()
                };
                self.read_path(call, &word);
            }
            Located::Outside => {}
            Located::Unknown => self.unknown_use(call),
        }
    }

    pub(in crate::engine::inputs) fn requirements(
        &mut self,
        call: &Invocation,
        path: &str,
        depth: u32,
    ) {
        self.exact(call, vec![Glob::path(path)]);
        self.add(
            call,
            Input::External {
                dir: dir_of(path).into(),
                name: "*".into(),
            },
        );
        let Some(text) = self.text(path).filter(|_| depth < 8) else {
            return;
        };
        for line in text.lines().map(str::trim) {
            let nested = ["-r ", "-c ", "--requirement ", "--constraint ", "-r", "-c"]
                .iter()
                .find_map(|flag| line.strip_prefix(flag));
            let editable = line
                .strip_prefix("-e ")
                .or_else(|| line.strip_prefix("--editable "))
                .or_else(|| line.starts_with('.').then_some(line));
            if let Some(next) = nested.and_then(|next| join(dir_of(path), next.trim())) {
                self.requirements(call, &next, depth + 1);
            } else if let Some(local) = editable {
                let local = local.split(['[', ' ', ';', '#']).next().unwrap_or_default();
                if let Located::Inside(dir) = locate(&call.place, local) {
                    self.packaging(call, &dir);
                }
            }
        }
    }

    /// What installing a directory reads, with the projects of the repository that it
    /// needs: they are built along, and their plugins are loaded.
    pub(in crate::engine::inputs) fn packaging(&mut self, call: &Invocation, dir: &str) {
        let mut open = vec![dir.to_owned()];
        let mut seen = BTreeSet::from([dir.to_owned()]);
        while let Some(dir) = open.pop() {
            self.packaging_of(call, &dir);
            let needed = self.local_projects(call, &dir).into_iter();
            open.extend(needed.filter(|dir| seen.insert(dir.clone())));
        }
    }

    fn packaging_of(&mut self, call: &Invocation, dir: &str) {
        let names = list("pyproject.toml setup.py setup.cfg MANIFEST.in hatch.toml hatch_build.py");
        self.entry(call, names.iter().map(|name| below(dir, name)).collect());
        // Backends pack the licences, and leave out what git ignores; a README that is
        // read has its name in the manifest, and these two are looked for without it.
        let packed = list(
            "LICEN[CS]E* COPYING* NOTICE* AUTHORS* LICENSES/** README README.txt .gitignore \
            .hgignore",
        );
        self.exact(call, packed.iter().map(|name| below(dir, name)).collect());
        self.add(
            call,
            Input::External {
                dir: dir.into(),
                name: "*".into(),
            },
        );
        let file = |name: &str| {
            if dir.is_empty() {
                name.to_owned()
            } else {
                format!("{dir}/{name}")
            }
        };
        let project = self.text(&file("pyproject.toml")).unwrap_or_default();
        let setup = self.text(&file("setup.py")).unwrap_or_default();
        let compiles = self
            .context
            .memo
            .is_compiled(dir, || is_compiled(project, setup));
        if compiles {
            self.add(
                call,
                Input::Tree {
                    dir: dir.into(),
                    extensions: Vec::new(),
                },
            );
        }
    }

    /// The projects of the repository that a project needs, by name or by path. A file
    /// that its manifests name by a path is read.
    fn local_projects(&mut self, call: &Invocation, dir: &str) -> Vec<String> {
        let packages = self.context.packages;
        let of_python = |it: &&Package| it.ecosystem == Ecosystem::Python;
        let own = packages.in_dir(dir).filter(of_python);
        let needs: BTreeSet<String> = own
            .flat_map(|it| &it.requires)
            .map(|it| plain(it))
            .collect();
        let all = packages.list.iter().filter(of_python);
        let named = all.filter(|it| {
            it.name
                .as_deref()
                .is_some_and(|it| needs.contains(&plain(it)))
        });
        let mut found: Vec<String> = named.map(|it| it.dir.to_string()).collect();
        let path = join(dir, "pyproject.toml").unwrap_or_default();
        let text = self.text(&path);
        let table = text.and_then(|text| self.context.memo.toml(&path, text));
        let mut named: Vec<String> = Vec::new();
        if let Some(table) = &table {
            named.extend(local_paths(table).iter().filter_map(|it| join(dir, it)));
        }
        for name in ["setup.cfg", "setup.py"] {
            let text = self.text(&join(dir, name).unwrap_or_default());
            let outside = text.into_iter().flat_map(parts);
            let outside = outside.filter(|it| it.starts_with("../"));
            named.extend(outside.filter_map(|it| join(dir, it)));
        }
        let manifests = ["pyproject.toml", "setup.py", "setup.cfg"];
        for path in named {
            let inside = |name: &&str| join(&path, name).is_some_and(|it| self.has_file(&it));
            if self.has_file(&path) {
                self.entry(call, vec![Glob::path(&path)]);
            } else if manifests.iter().any(inside) {
                found.push(path);
            } else if !path.is_empty() && self.has_dir(&path) {
                self.entry(call, vec![below(&path, "**/*.py")]);
            }
        }
        found
    }

    /// What a wheel holds: everything in the directories of the modules, prose too. An
    /// installation in place packs none of it.
    pub(in crate::engine::inputs) fn wheel(&mut self, call: &Invocation, dir: &str) {
        let roots = [Some(dir.to_owned()), join(dir, "src")];
        let tree = &self.context.snapshot.tree;
        let mut globs = Vec::new();
        for root in roots.into_iter().flatten() {
            let start = if root.is_empty() {
                String::new()
            } else {
                format!("{root}/")
            };
            let modules = tree.iter().filter_map(|(_, entry)| {
                let module = entry.path.strip_prefix(&*start)?;
                let module = module.strip_suffix("/__init__.py")?;
                (!module.contains('/')).then(|| format!("{start}{module}"))
            });
            globs.extend(modules.map(|module| below(&module, "**")));
        }
        if !globs.is_empty() {
            self.exact(call, globs);
        }
    }

    /// What a distribution of sources holds beside the sources.
    pub(in crate::engine::inputs) fn packed(&mut self, call: &Invocation, dir: &str) {
        let mut globs = Vec::new();
        for name in ["MANIFEST.in", "pyproject.toml"] {
            let path = join(dir, name).unwrap_or_default();
            let text = self.context.snapshot.text(&path).unwrap_or_default();
            for word in packed_words(text) {
                let Some(path) = join(dir, word) else {
                    continue;
                };
                if word.contains('*') {
                    globs.push(below(dir, &format!("**/{word}")));
                } else if self.has_file(&path) {
                    globs.push(Glob::path(&path));
                } else if !path.is_empty() && self.has_dir(&path) {
                    globs.push(below(&path, "**"));
                }
            }
        }
        let names = list("README* LICEN[CS]E* COPYING* NOTICE* AUTHORS*");
        globs.extend(names.iter().map(|name| below(dir, name)));
        self.exact(call, globs);
    }

    /// Building a distribution packs all sources.
    pub(in crate::engine::inputs) fn python_build(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &["-o", "--outdir", "-C", "--installer"], &[]);
        let here = Word::literal(".");
        let word = sorted.operands.first().unwrap_or(&here).clone();
        match locate(&call.place, &word.text) {
            Located::Inside(dir) if !word.unknown => {
                self.packaging(call, &dir);
                self.packed(call, &dir);
                self.add(
                    call,
                    Input::Tree {
                        dir,
                        extensions: vec!["py".into(), "pyi".into(), "toml".into(), "cfg".into()],
                    },
                );
            }
            _ => self.unknown_use(call),
        }
    }
}

/// The name of a distribution in the form in which it is compared
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
fn plain(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    let parts: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
    parts.join("-")
}

/// The paths that a manifest gives to its tools: of dependencies, of a file with the
/// version; and those of requirements by a local address.
fn local_paths(table: &Table) -> Vec<String> {
    const ADDRESSES: &[&str] = &["{root:uri}/", "${PROJECT_ROOT}/", "file:"];
    let mut found = Vec::new();
    let mut open: Vec<(&str, &Value)> = table.iter().map(|(key, it)| (key.as_str(), it)).collect();
    while let Some((key, value)) = open.pop() {
        match value {
            Value::String(text) if key == "path" => found.push(text.clone()),
            Value::String(text) => {
                let mut tails = ADDRESSES
                    .iter()
                    .filter_map(|it| Some(text.split_once(it)?.1));
                let tail = tails
                    .next()
                    .map(|it| it.split([';', ' ']).next().unwrap_or(it));
                found.extend(tail.map(str::to_owned));
            }
            Value::Array(items) => open.extend(items.iter().map(|it| (key, it))),
            Value::Table(table) => open.extend(table.iter().map(|(key, it)| (key.as_str(), it))),
            _ => {}
        }
    }
    found
}

/// The words of the parts of a manifest that say what is packed.
fn packed_words(text: &str) -> Vec<&str> {
    let mut is_in = !text.contains("[project]") && !text.contains("[tool.");
    let mut words = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') && line.ends_with(']') && !line.contains(['"', '\'']) {
            is_in = line.contains("sdist");
        } else if is_in {
            words.extend(line.split(|c: char| c.is_whitespace() || "\"'[],=".contains(c)));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the manifests of a package name a tool that compiles its sources.
fn is_compiled(project: &str, setup: &str) -> bool {
    let tools = list(
        "maturin mesonpy scikit setuptools_rust setuptools-rust cython Cython cffi \
        pybind11",
    );
    let mut lines = project
        .lines()
        .filter(|line| line.contains("requires") || line.contains("backend"));
    lines.any(|line| tools.iter().any(|tool| line.contains(tool)))
        || setup.contains("Extension(")
        || setup.contains("ext_modules")
        || setup.contains("cythonize")
}
