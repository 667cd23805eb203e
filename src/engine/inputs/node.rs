//! Node's package managers, scripts and test runners.

mod configured;
mod lint;
mod npm;
mod suites;
mod tasks;

pub(super) use configured::{Dirs, Names};

use super::OpaqueCause;
use super::programs::{arguments, list};
use super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::dir_of;

/// Flags of node that load a module or a file first.
const LOADS: &[&str] = &[
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "--env-file",
];

/// What may stand behind the name of a module.
const ENDS: &[&str] = &[
    "",
    ".js",
    ".cjs",
    ".mjs",
    ".json",
    ".ts",
    "/index.js",
    "/index.ts",
];

/// What code says when it reads more than the names in it.
const REACHES: &[&str] = &[
    "readdir",
    "child_process",
    "glob",
    "eval(",
    "createRequire",
    "__dirname",
    "cwd(",
    "path.join",
    "path.resolve",
];

impl Walk<'_> {
    /// `node`, `npm`, `pnpm`, `yarn`, `npx`, `bun`.
    pub(super) fn node_program(&mut self, call: &Invocation, name: &str) {
        let options = self.variables.get("NODE_OPTIONS").cloned();
        if let Some(options) = options {
            self.assignment(call, "NODE_OPTIONS", &options);
        }
        match name {
            "node" | "tsx" | "ts-node" => self.node(&call.without(1)),
            "npx" | "bunx" | "pnpx" | "nlx" => self.downloaded(&call.without(1)),
            // `nr` of @antfu/ni: the script, through the project's own manager.
            "nr" => self.run_script_word(&call.without(1), true),
            "bun" if call.texts().get(1).is_some_and(|sub| sub.contains('.')) => {
                self.node(&call.without(1));
            }
            "bun" if call.texts().get(1) == Some(&"test") => self.script_tests(call, &[]),
            _ => {
                self.released(call, name);
                self.manager(call, name);
            }
        }
    }

    /// What decides which release of a manager runs, and where it finds packages: the
    /// nearest manifest that names one, and the map of packages that yarn has committed.
    fn released(&mut self, call: &Invocation, name: &str) {
        let Some(dir) = call.dir().map(str::to_owned) else {
            return;
        };
        let above =
            std::iter::successors(Some(&*dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)));
        let mut globs = Vec::new();
        for at in above {
            let manifest = self.text(&npm::manifest(at)).unwrap_or_default();
            if ["packageManager", "devEngines"]
                .iter()
                .any(|key| manifest.contains(key))
            {
                globs.push(below(at, "package.json"));
            }
            if name == "yarn" {
                globs.push(below(at, ".pnp.*"));
            }
        }
        if !globs.is_empty() {
            self.exact(call, globs);
        }
    }

    fn node(&mut self, call: &Invocation) {
        self.node_loads(call);
        let values =
            list("-C --conditions --test-reporter --test-reporter-destination --test-name-pattern");
        let mut at = 0;
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            let value = call.words.get(at + 1);
            let text = word.text.as_ref();
            if text == "-" {
                break;
            }
            if let Some((_, code)) = text
                .split_once('=')
                .filter(|(flag, _)| matches!(*flag, "--eval" | "--print"))
            {
                let mut code = Word::literal(code);
                code.unknown = word.unknown;
                return self.node_code(call, Some(&code));
            }
            match text {
                "-e" | "-p" | "--eval" | "--print" | "-pe" => return self.node_code(call, value),
                "--test" => return self.node_tests(&call.without(at + 1)),
                "--version" | "-v" => return,
                _ => {}
            }
            let takes = LOADS.contains(&text) || values.contains(&text);
            at += if takes { 2 } else { 1 };
        }
        let inner = call.without(at);
        let file = inner.words.first().filter(|word| &*word.text != "-");
        match (file.cloned(), &call.input) {
            (Some(file), _) => self.node_file(&inner, &file),
            (None, Some(code)) => self.node_code(call, Some(code)),
            (None, None) if call.piped => {
                self.opaque(call, OpaqueCause::Shell("code from a pipe".into()));
            }
            (None, None) => {}
        }
    }

    /// The words begin with the file.
    fn node_file(&mut self, call: &Invocation, file: &Word) {
        let path = match locate(&call.place, &file.text) {
            Located::Inside(path) if !file.unknown && !path.is_empty() => path,
            _ => return self.unknown_use(call),
        };
        if let Some((_, tool)) = path.rsplit_once("node_modules/") {
            // The program of a package, by its path.
            let tool = tool
                .trim_start_matches(".bin/")
                .split('/')
                .next()
                .unwrap_or_default();
            let mut inner = call.without(1);
            inner.words.insert(0, Word::literal(tool));
            return self.program(&inner);
        }
        let Some(found) = self.node_module(&path) else {
            return self.opaque(call, OpaqueCause::Missing(path));
        };
        self.run_entry(call, &found);
        let rest = call.words.get(1..).unwrap_or_default().to_vec();
        self.program_arguments(call, &rest);
    }

    /// The file that a path without its ending stands for.
    /// <https://nodejs.org/api/modules.html#all-together>
    fn node_module(&self, path: &str) -> Option<String> {
        let mut candidates = ENDS.iter().map(|end| format!("{path}{end}"));
        candidates.find(|path| self.has_file(path.trim_start_matches('/')))
    }

    /// Modules that flags load before the program, wherever the flags stand.
    fn node_loads(&mut self, call: &Invocation) {
        for (at, word) in call.words.iter().enumerate() {
            let (flag, value) = match word.text.split_once('=') {
                Some((flag, value)) => (flag, Some(Word::literal(value))),
                None => (word.text.as_ref(), call.words.get(at + 1).cloned()),
            };
            let Some(value) = value.filter(|_| LOADS.contains(&flag)) else {
                continue;
            };
            if word.unknown || value.unknown {
                self.unknown_use(call);
            } else {
                self.node_name(call, &value.text, &value.text);
            }
        }
    }

    /// One name in code or behind a flag: a module or a file, when it is local.
    fn node_name(&mut self, call: &Invocation, name: &str, code: &str) {
        let is_path = ["./", "../", "file:"].iter().any(|it| name.starts_with(it));
        let own = self.context.packages.list.iter();
        let is_own = own
            .filter_map(|package| package.name.as_deref())
            .any(|own| {
                let rest = name.strip_prefix(own);
                !own.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
        let is_alias = name.len() > 1 && name.starts_with('#') && !name.contains(' ');
        let is_dir = matches!(name, "." | "..")
            && (code == name || code.contains("require(") || code.contains("import"));
        if is_own || is_alias || is_dir || name.starts_with("file:") {
            return self.unknown_use(call);
        }
        match locate(&call.place, name) {
            Located::Inside(path) if !path.is_empty() => match self.node_module(&path) {
                Some(found) => self.entry(call, vec![Glob::path(&found)]),
                None if is_path => self.opaque(call, OpaqueCause::Missing(path)),
                None => {}
            },
            Located::Outside => {}
            _ if is_path => self.unknown_use(call),
            _ => {}
        }
    }

    fn node_code(&mut self, call: &Invocation, code: Option<&Word>) {
        let Some(code) = code.filter(|code| !code.unknown) else {
            return self.opaque(call, OpaqueCause::Shell(call.origin.what.clone()));
        };
        let reaches = REACHES.iter().any(|word| code.text.contains(word));
        let loads_unknown = ["require(", "import(", "Sync("].iter().any(|call| {
            let mut rest = code.text.split(call).skip(1);
            rest.any(|rest| !rest.trim_start().starts_with(['\'', '"']))
        });
        if reaches || loads_unknown {
            return self.opaque(call, OpaqueCause::Reaches(call.origin.what.clone()));
        }
        for name in code.text.split(['\'', '"', '`']) {
            self.node_name(call, name, &code.text);
        }
    }

    fn node_tests(&mut self, call: &Invocation) {
        let sorted = arguments(
            &call.words,
            &["--test-reporter", "--test-reporter-destination"],
            &[],
        );
        if sorted.operands.is_empty() {
            let globs =
                list("**/test/** **/*.test.* **/*-test.* **/*_test.* **/test-*.* **/test.*");
            let dir = call.dir().unwrap_or("").to_owned();
            return self.entry(call, globs.iter().map(|glob| below(&dir, glob)).collect());
        }
        for word in &sorted.operands {
            self.run_path(call, word);
        }
    }

    /// `npx TOOL`: its name may carry a version.
    pub(super) fn downloaded(&mut self, call: &Invocation) {
        let values = list("-p --package -c --call -w --workspace");
        let mut at = 0;
        while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
            if matches!(word.text.as_ref(), "-c" | "--call") {
                return self.unknown_use(call);
            }
            at += if values.contains(&word.text.as_ref()) {
                2
            } else {
                1
            };
        }
        let mut inner = call.without(at);
        if let Some(first) = inner.words.first_mut() {
            let text = first.text.clone();
            let (scope, name) = match text.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
                Some((scope, name)) => (Some(scope), name),
                None => (None, text.as_ref()),
            };
            let name = name.split('@').next().unwrap_or(name);
            let tool = match (scope, name) {
                (Some("playwright"), "test") => "playwright",
                (Some("biomejs"), "biome") => "biome",
                (Some(_), "cli") => scope.unwrap_or(name),
                _ => name,
            };
            first.text = tool.into();
        }
        self.program(&inner);
    }

    /// Test runners, the compiler and runners of tasks.
    pub(super) fn node_tool(&mut self, call: &Invocation, name: &str) {
        let texts = call.texts();
        if texts.iter().any(|text| {
            matches!(
                *text,
                "--version" | "--init" | "--showConfig" | "--clearCache"
            )
        }) {
            return;
        }
        match name {
            "tsc" | "tsd" => self.compiler(call),
            "turbo" | "nx" | "lerna" => self.task_runner(call, name),
            "playwright" | "cypress" => match texts.get(1).copied() {
                Some(
                    "install" | "install-deps" | "verify" | "cache" | "info" | "merge-reports"
                    | "show-report",
                ) => {}
                _ => self.script_tests(call, &list("e2e tests test cypress playwright")),
            },
            "mocha" | "ava" | "tap" | "uvu" | "jasmine" | "karma" | "wdio" => {
                self.script_tests(call, &["test", "tests", "spec"]);
            }
            _ => self.script_tests(call, &[]),
        }
    }
}
