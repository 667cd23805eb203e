//! pytest: what it collects, and the files that govern it.

use super::super::Input;
use super::super::ini;
use super::super::named::expanded;
use super::super::programs::{arguments, by_extension, list};
use super::super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, dir_of, join};

/// Flags of pytest and its usual plugins that take the next word.
const VALUES: &str = "-k -m -n -p -o -W --maxfail --tb --durations --durations-min --cov-report \
    --cov-fail-under --junitxml --junit-xml --junit-prefix --timeout --timeout-method \
    --dist --numprocesses --reruns --reruns-delay --splits --group --basetemp \
    --log-level --log-cli-level --color --capture --import-mode --html --override-ini \
    --cov-context --maxprocesses --tx --ds --verbosity --pastebin -r \
    --hypothesis-profile --hypothesis-seed --randomly-seed --count --benchmark-json \
    --ignore --ignore-glob --deselect --confcutdir --asyncio-mode --anyio-mode --browser \
    --driver --shard-id --num-shards --store-durations --durations-path --doctest-glob \
    --cov";

/// Options with which pytest, or a plugin of it, collects prose.
const PROSE: &[&str] = &[
    "--doctest-glob",
    "--doctest-plus",
    "--doctest-rst",
    "--nbval",
    "--nbmake",
    "--markdown-docs",
    "--codeblocks",
    "--mdpytest",
    "--phmdoctest",
    "--sybil",
];

impl Walk<'_> {
    /// `pytest`, with everything that decides which files it collects.
    pub(in crate::engine::inputs) fn pytest(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &list(VALUES), &["-c", "--config-file", "--rootdir"]);
        if sorted.has(&["--version", "--help"]) {
            return;
        }
        for word in &sorted.reads {
            self.read_path(call, word);
        }
        let Some(dir) = call.dir().map(str::to_owned) else {
            return self.unknown_use(call);
        };
        if sorted
            .operands
            .iter()
            .any(|word| word.text.starts_with('@'))
        {
            // A file with more of the command line.
            return self.unknown_use(call);
        }
        let mut roots = Vec::new();
        for word in &sorted.operands {
            let path = word.text.split("::").next().unwrap_or_default();
            match (word.unknown, locate(&call.place, path)) {
                (false, Located::Inside(path)) => roots.push((path, word.glob)),
                (false, Located::Outside) => {}
                _ => return self.unknown_use(call),
            }
        }
        if sorted.has(&["--pyargs"]) {
            let modules = sorted
                .operands
                .iter()
                .map(|word| module_anywhere(&word.text));
            self.entry(call, modules.flatten().collect());
            roots.push((dir.as_str().into(), false));
        } else if roots.is_empty() {
            roots = self.configured_paths(&dir);
        }
        // By default pytest puts the directories of tests and of `conftest.py` first:
        // <https://docs.pytest.org/en/stable/explanation/pythonpath.html>.
        self.first_on_path(call, &dir);
        for (path, _) in roots
            .iter()
            .filter(|(path, _)| self.has_dir(path))
            .cloned()
            .collect::<Vec<_>>()
        {
            self.first_on_path(call, &path);
        }
        self.pytest_configuration(call, &dir);
        self.coverage_sources(call, rest);
        self.pytest_modules(call, &dir);
        let operands: Vec<&str> = sorted.operands.iter().map(|word| &*word.text).collect();
        let mut globs = self.collected(&dir, &operands, &roots);
        let flags = sorted.flags.iter().map(|word| word.text.as_ref());
        let options = self.pytest_options(&dir, &flags.collect::<Vec<_>>());
        for (path, _) in roots.iter().filter(|(path, _)| !path.contains('*')) {
            globs.extend(by_options(path, &options));
        }
        self.entry(call, globs);
    }

    /// The files that pytest takes by its default patterns, and those that are taken
    /// because the configuration says so.
    fn collected(&self, dir: &str, operands: &[&str], roots: &[(Box<str>, bool)]) -> Vec<Glob> {
        let mut globs = Vec::new();
        for (path, is_glob) in roots {
            if *is_glob {
                let told = expanded(dir, path).into_iter();
                globs.extend(told.flat_map(|glob| [glob.clone(), glob.and_below("**/*.py")]));
            } else if self.has_file(path) {
                globs.push(Glob::path(path));
            } else {
                let usual = [
                    "**/test_*.py",
                    "**/*_test.py",
                    "**/test*.txt",
                    "**/conftest.py",
                ];
                globs.extend(usual.iter().map(|pattern| below(path, pattern)));
            }
        }
        let context = self.context;
        let found = context.memo.pytest_files(context.snapshot, dir, operands);
        let paths = found.iter().map(|file| context.snapshot.tree.path(*file));
        let is_usual = |path: &str| {
            let base = base_name(path);
            base.starts_with("test_") && base.ends_with(".py") || base.ends_with("_test.py")
        };
        let unusual = paths.filter(|path| !is_usual(path));
        globs.extend(unusual.map(Glob::path));
        globs
    }

    /// Files that pytest reads as its configuration, from the directory upwards.
    pub(in crate::engine::inputs) fn pytest_configuration(&mut self, call: &Invocation, dir: &str) {
        let mut globs = Vec::new();
        let mut at = dir;
        loop {
            for name in list(
                "pytest.ini .pytest.ini pytest.toml pyproject.toml tox.ini setup.cfg \
                conftest.py .coveragerc",
            ) {
                globs.push(below(at, name));
            }
            if at.is_empty() {
                break;
            }
            at = dir_of(at);
        }
        // A directory that has one of these is taken for an environment and left out.
        let marks = ["**/pyvenv.cfg", "**/conda-meta/history"];
        globs.extend(marks.iter().map(|mark| below(dir, mark)));
        self.entry(call, globs);
    }

    /// `testpaths` of the configuration in force; the directory itself without them.
    pub(in crate::engine::inputs) fn configured_paths(
        &mut self,
        dir: &str,
    ) -> Vec<(Box<str>, bool)> {
        let words = self.pytest_setting(dir, "testpaths");
        let mut roots: Vec<(Box<str>, bool)> = words
            .iter()
            .filter_map(|word| {
                let path = join(dir, word)?;
                Some((path.as_str().into(), word.contains('*')))
            })
            .collect();
        let exists = roots
            .iter()
            .any(|(path, glob)| *glob || self.has_dir(path) || self.has_file(path));
        if !exists {
            // pytest falls back to the directory when none of them is there.
            roots = vec![(dir.into(), false)];
        }
        roots
    }

    pub(in crate::engine::inputs) fn pytest_options(
        &mut self,
        dir: &str,
        texts: &[&str],
    ) -> String {
        let mut options = self.pytest_setting(dir, "addopts").join(" ");
        options.push(' ');
        options.push_str(&texts.join(" "));
        options
    }

    /// The words of a setting in the first file that has pytest's section.
    pub(in crate::engine::inputs) fn pytest_setting(
        &mut self,
        dir: &str,
        key: &str,
    ) -> Vec<String> {
        for name in list("pytest.ini .pytest.ini pyproject.toml tox.ini setup.cfg") {
            let path = if dir.is_empty() {
                name.to_owned()
            } else {
                format!("{dir}/{name}")
            };
            let Some(text) = self.text(&path) else {
                continue;
            };
            if name == "pyproject.toml" {
                let Some(table) = self.context.memo.toml(&path, text) else {
                    continue;
                };
                let tool = table.get("tool").and_then(|tool| tool.get("pytest"));
                let Some(options) = tool.and_then(|tool| tool.get("ini_options")) else {
                    continue;
                };
                return match options.get(key) {
                    Some(toml::Value::Array(list)) => list
                        .iter()
                        .filter_map(|word| word.as_str().map(str::to_owned))
                        .collect(),
                    Some(toml::Value::String(text)) => {
                        text.split_whitespace().map(str::to_owned).collect()
                    }
                    _ => Vec::new(),
                };
            }
            let sections = ini::sections(text);
            let section = if name == "setup.cfg" {
                "tool:pytest"
            } else {
                "pytest"
            };
            if let Some(section) = sections.iter().find(|(name, _)| name == section) {
                let value = section.1.iter().find(|(name, ..)| name == key);
                return value.map_or(Vec::new(), |(_, value, _)| {
                    value.split_whitespace().map(str::to_owned).collect()
                });
            }
        }
        Vec::new()
    }

    /// Modules that pytest imports because it is told to: plugins, settings of Django.
    fn pytest_modules(&mut self, call: &Invocation, dir: &str) {
        let mut words = self.pytest_setting(dir, "addopts");
        words.extend(call.texts().into_iter().skip(1).map(str::to_owned));
        let mut modules: Vec<String> = self.pytest_setting(dir, "DJANGO_SETTINGS_MODULE");
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let inline = word
                .strip_prefix("-p")
                .or_else(|| word.strip_prefix("--ds="));
            match inline.filter(|name| !name.is_empty()) {
                Some(name) => modules.push(name.to_owned()),
                None if matches!(word.as_str(), "-p" | "--ds") => modules.extend(words.next()),
                None => {}
            }
        }
        let named = modules.iter().filter(|name| !name.starts_with("no:"));
        let globs: Vec<Glob> = named.flat_map(|name| module_anywhere(name)).collect();
        if !globs.is_empty() {
            self.entry(call, globs);
        }
    }

    /// Coverage also reports on files that no test imports.
    fn coverage_sources(&mut self, call: &Invocation, rest: &[Word]) {
        for (at, word) in rest.iter().enumerate() {
            let (flag, value) = word.flag();
            if flag == "--cov" {
                let value = value.as_ref().or(rest.get(at + 1));
                self.coverage_source(call, value.map_or("", |value| &*value.text));
            }
        }
    }

    /// All modules of a source that coverage reports on: a directory or a package.
    pub(in crate::engine::inputs) fn coverage_source(&mut self, call: &Invocation, source: &str) {
        let dir = call.dir().unwrap_or("");
        let path = join(dir, &source.replace('.', "/")).unwrap_or_default();
        let dirs = [
            join(dir, source).unwrap_or_default(),
            path.clone(),
            format!("src/{path}"),
        ];
        let found = dirs
            .into_iter()
            .find(|dir| !source.is_empty() && self.has_dir(dir));
        self.add(
            call,
            Input::Tree {
                dir: found.unwrap_or_else(|| dir.to_owned()).into(),
                extensions: vec!["py".into()],
            },
        );
    }
}

/// What options have pytest collect below a path, beside tests.
fn by_options(path: &str, options: &str) -> Vec<Glob> {
    let patterns = options.split_whitespace();
    let patterns = patterns.filter_map(|it| it.strip_prefix("--doctest-glob="));
    let patterns = patterns.map(|it| it.trim_matches(['\'', '"']));
    let patterns = patterns.map(|it| below(path, &format!("**/{it}")));
    let mut globs: Vec<Glob> = patterns.collect();
    if options.contains("--doctest-modules") {
        globs.push(below(path, "**/*.py"));
    }
    if PROSE.iter().any(|it| options.contains(it)) {
        let kinds = ["rst", "md", "txt", "ipynb"].map(Into::into);
        globs.extend(by_extension(path, &kinds));
    }
    globs
}

/// The files that a module may be, wherever the repository has it.
pub(in crate::engine::inputs) fn module_anywhere(module: &str) -> Vec<Glob> {
    let module = module.split("::").next().unwrap_or_default();
    let path = Glob::path(&module.replace('.', "/"));
    let path = path.as_str();
    let found = [format!("**/{path}/**/*.py"), format!("**/{path}.py")];
    found.map(Glob::written).into()
}
