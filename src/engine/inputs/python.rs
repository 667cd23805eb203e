//! Python's interpreter, installers and test runners.

mod install;
mod projects;
mod pytest;

pub(super) use pytest::module_anywhere;

use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use super::{Never, OpaqueCause};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, dir_of};

/// Modules of the standard library, or of every environment, that read nothing here.
const HARMLESS_MODULES: &[&str] = &[
    "venv",
    "ensurepip",
    "site",
    "sysconfig",
    "platform",
    "timeit",
    "virtualenv",
    "http.server",
    "this",
    "webbrowser",
    "certifi",
    "pyperf",
];

/// Scripts that find what they run by themselves: everything below them is theirs.
const FINDERS: &[&str] = &[
    "manage.py",
    "runtests.py",
    "run_tests.py",
    "runtest.py",
    "test.py",
    "tests.py",
    "setup.py",
    "run-tests.py",
    "noxfile.py",
    "conftest.py",
    "tasks.py",
    "dev.py",
];

impl Walk<'_> {
    /// `python FILE`, `python -m MODULE`, `python -c CODE`, `python < CODE`.
    pub(super) fn python(&mut self, call: &Invocation) {
        let mut at = 1;
        while let Some(word) = call.words.get(at) {
            match word.text.as_ref() {
                "-m" => return self.python_module(&call.without(at + 1)),
                "-c" => {
                    let code = call.words.get(at + 1);
                    return match code.filter(|code| !code.unknown) {
                        Some(code) => self.python_code(call, &code.text.clone()),
                        None => self.opaque(call, OpaqueCause::Shell(call.origin.what.clone())),
                    };
                }
                "-" => break,
                "-X" | "-W" => at += 2,
                "--version" | "-V" | "-VV" => return,
                text if text.starts_with('-') => at += 1,
                _ => return self.python_file(&call.without(at)),
            }
        }
        match &call.input {
            Some(code) if code.unknown => {
                self.opaque(call, OpaqueCause::Shell(call.origin.what.clone()));
            }
            Some(code) => self.python_code(call, &code.text.clone()),
            None if call.piped => self.opaque(call, OpaqueCause::Shell("code from a pipe".into())),
            None => {}
        }
    }

    /// The modules of a directory that comes first on Python's path: any of them hides a
    /// module of the same name from every package that is installed, and what those
    /// import is not known.
    /// <https://docs.python.org/3/library/sys_path_init.html>
    fn first_on_path(&mut self, call: &Invocation, dir: &str) {
        self.exact(call, vec![below(dir, "*.py"), below(dir, "*/__init__.py")]);
    }

    fn python_file(&mut self, call: &Invocation) {
        let Some(file) = call.words.first() else {
            return;
        };
        let path = match locate(&call.place, &file.text) {
            Located::Inside(path) if !file.unknown => path,
            _ => return self.unknown_use(call),
        };
        let base = base_name(&path);
        if base == "setup.py"
            && call
                .texts()
                .iter()
                .any(|text| matches!(*text, "upload" | "register"))
        {
            self.never(call, Never::Delivers);
        }
        if !self.has_file(&path) && !self.has_dir(&path) {
            return self.opaque(call, OpaqueCause::Missing(path));
        }
        if FINDERS.contains(&base) || self.has_dir(&path) {
            let dir = if self.has_dir(&path) {
                &path
            } else {
                dir_of(&path)
            };
            self.entry(call, vec![below(dir, "**/*.py")]);
        }
        if self.has_file(&path) {
            self.run_entry(call, &path);
        }
        self.entry(call, vec![Glob::path(&path)]);
        self.first_on_path(call, dir_of(&path));
        let rest = call.words.get(1..).unwrap_or_default().to_vec();
        self.program_arguments(call, &rest);
    }

    /// `python -m`: the words begin with the module.
    fn python_module(&mut self, call: &Invocation) {
        let Some(module) = call.words.first().filter(|word| !word.unknown) else {
            return self.unknown_use(call);
        };
        if let Some(dir) = call.dir().map(str::to_owned) {
            self.first_on_path(call, &dir);
        }
        let name = module.text.clone();
        match name.as_ref() {
            "unittest" | "xmlrunner" => return self.unittest(call),
            "build" => return self.python_build(call),
            "compileall" | "json.tool" | "tarfile" | "zipfile" | "doctest" | "cProfile"
            | "profile" | "trace" | "pdb" | "timeit" | "tabnanny" | "py_compile" => {
                for word in call
                    .words
                    .iter()
                    .skip(1)
                    .filter(|word| !word.text.starts_with('-'))
                {
                    self.run_path(call, word);
                }
                return;
            }
            module if HARMLESS_MODULES.contains(&module) => return,
            _ => {}
        }
        if let Some(globs) = self.module_globs(call, &name) {
            self.entry(call, globs);
            let rest = call.words.get(1..).unwrap_or_default().to_vec();
            return self.program_arguments(call, &rest);
        }
        self.program(call);
    }

    /// The files that a module of the repository may be, from the working directory.
    fn module_globs(&self, call: &Invocation, module: &str) -> Option<Vec<Glob>> {
        let dir = call.dir()?;
        let path = module.replace('.', "/");
        for root in ["", "src", "lib", "python"] {
            let base =
                crate::engine::tree::join(dir, format!("{root}/{path}").trim_start_matches('/'))?;
            if self.has_file(&format!("{base}.py")) {
                return Some(vec![Glob::path(&format!("{base}.py"))]);
            }
            if !base.is_empty() && self.has_file(&format!("{base}/__init__.py"))
                || self.has_file(&format!("{base}/__main__.py"))
            {
                return Some(vec![
                    below(&base, "__init__.py"),
                    below(&base, "__main__.py"),
                ]);
            }
        }
        None
    }

    /// Code on the command line: the modules it names; more than that is opaque.
    pub(super) fn python_code(&mut self, call: &Invocation, code: &str) {
        let mut imports = Vec::new();
        for line in code.lines().flat_map(|line| line.split(';')) {
            let line = line.trim_start();
            if let Some(rest) = line.strip_prefix("import ") {
                imports.extend(
                    rest.split(',')
                        .filter_map(|name| name.split_whitespace().next()),
                );
            } else if let Some(rest) = line.strip_prefix("from ") {
                imports.extend(rest.split_whitespace().next());
            }
        }
        let reaches = list(
            "open( exec( eval( glob walk( listdir Path( subprocess os.system __import__ \
            import_module runpy check_output",
        );
        if let Some(found) = reaches.iter().find(|found| code.contains(**found)) {
            return self.opaque(
                call,
                OpaqueCause::Reaches(format!("{found} in python code").into()),
            );
        }
        for module in imports {
            let whole = self.module_globs(call, module);
            let top = module.split('.').next().unwrap_or(module);
            if let Some(globs) = whole.or_else(|| self.module_globs(call, top)) {
                self.entry(call, globs);
            } else if self.defines(top) {
                // A package of the repository that lies elsewhere.
                self.entry(call, module_anywhere(top));
            }
        }
    }

    fn defines(&self, module: &str) -> bool {
        let (package, file) = (format!("/{module}/__init__.py"), format!("/{module}.py"));
        let mut entries = self.context.snapshot.tree.iter();
        entries.any(|(_, entry)| entry.path.ends_with(&package) || entry.path.ends_with(&file))
    }

    fn unittest(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let values =
            list("-s -p -t -k --start-directory --pattern --top-level-directory -o --output");
        let value = |names: [&str; 2]| {
            let at = rest
                .iter()
                .position(|word| names.contains(&word.text.as_ref()))?;
            rest.get(at + 1)
        };
        let sorted = arguments(rest, &values, &[]);
        let mut operands = sorted.operands.iter();
        let first = operands.next();
        let is_discovery = first.is_none_or(|word| &*word.text == "discover");
        let (start, pattern) = if is_discovery {
            let start = value(["-s", "--start-directory"]).or_else(|| operands.next());
            let pattern = value(["-p", "--pattern"]).or_else(|| operands.next());
            (
                start.cloned(),
                pattern.map_or("test*.py".into(), |word| word.text.clone()),
            )
        } else {
            (None, "*.py".into())
        };
        if !is_discovery {
            for word in &sorted.operands {
                if let Some(globs) = self.module_globs(call, &word.text) {
                    self.entry(call, globs);
                } else {
                    // A class or a method of a module, or a file.
                    let parent = word.text.rsplit_once('.').map_or("", |(parent, _)| parent);
                    let globs = self.module_globs(call, parent);
                    match globs {
                        Some(globs) => self.entry(call, globs),
                        None => {
                            self.entry(call, vec![below(call.dir().unwrap_or(""), "**/*.py")]);
                        }
                    }
                }
            }
            return;
        }
        let start = start.unwrap_or_else(|| Word::literal("."));
        match locate(&call.place, &start.text) {
            Located::Inside(dir) if !start.unknown => {
                let globs = vec![
                    below(&dir, &format!("**/{pattern}")),
                    below(&dir, "**/__init__.py"),
                ];
                self.entry(call, globs);
            }
            _ => self.unknown_use(call),
        }
    }
}
