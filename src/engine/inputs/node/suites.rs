//! Test runners of JavaScript and the TypeScript compiler.

use super::super::Input;
use super::super::programs::{arguments, by_extension, list};
use super::super::table;
use super::super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, dir_of};

impl Walk<'_> {
    /// Test files by the runners' default patterns; every script of the directory when
    /// a configuration says which files are tests, or where they lie.
    pub(in crate::engine::inputs) fn script_tests(&mut self, call: &Invocation, dirs: &[&str]) {
        let rest = call.words.get(1..).unwrap_or_default();
        let values = list(
            "-t --testNamePattern --maxWorkers -w --reporter --reporters --project --shard \
            --timeout --retries -g --grep --workers -j --browser --pool --environment \
            --coverageReporters --coverage.reporter -R --outputFile --output-file --spec \
            --testTimeout --exclude --exit --mode --port --parallel --key --group --tag \
            --ci-build-id",
        );
        let paths = list(
            "-c --config --root --rootDir --dir -r --require --file --import --globalSetup \
            --setupFiles --config-file -C --workspace",
        );
        let sorted = arguments(rest, &values, &paths);
        let mut roots: Vec<Box<str>> = vec![call.dir().unwrap_or("").into()];
        for word in &sorted.reads {
            if word.unknown {
                return self.unknown_use(call);
            }
            self.run_path(call, word);
            if let Located::Inside(path) = locate(&call.place, &word.text) {
                self.configured_in(call, &path);
                roots.push(if self.has_dir(&path) {
                    path
                } else {
                    dir_of(&path).into()
                });
            }
        }
        // Operands filter; one that is not known can only narrow.
        for dir in roots {
            self.configured_by_name(call, &dir);
            self.script_tests_below(call, &dir, dirs);
        }
        for word in sorted.operands.iter().filter(|word| {
            !word.unknown && (word.glob || word.text.contains('/') || word.text.contains('.'))
        }) {
            self.run_path(call, word);
        }
    }

    fn script_tests_below(&mut self, call: &Invocation, dir: &str, dirs: &[&str]) {
        let script = table::extensions("script");
        let files = self.configurations(dir);
        let mut config = String::new();
        let mut all = false;
        for path in &files {
            let is_manifest = path.ends_with("package.json");
            let is_runner = !is_manifest && !path.contains("tsconfig") && !path.contains("abel");
            let text = self.context.snapshot.text(path);
            // A configuration that was not read may say anything.
            if is_runner && text.is_none() {
                self.context.memo.peek();
                all = true;
            }
            let says = text.filter(|text| is_runner || is_manifest && text.contains("\"jest\": {"));
            config.push_str(says.unwrap_or_default());
        }
        let paths = files.iter().map(|path| Glob::path(path));
        self.entry(call, paths.collect());
        let told = list(
            "testMatch testRegex include projects workspace roots rootDir root: dir: testDir spec files \
             globals preset extends mergeConfig",
        );
        if config.contains("../") || config.contains("'..'") {
            return self.entry(call, by_extension("", &script));
        }
        if all || told.iter().any(|word| config.contains(word)) {
            return self.entry(call, by_extension(dir, &script));
        }
        let usual = list(
            "**/*.test **/*.spec **/*.cy **/__tests__/**/* **/*_test **/*_spec **/*.e2e **/test",
        );
        let mut globs = vec![below(dir, "**/*.snap")];
        for extension in &script {
            let patterns = usual.iter().map(|pattern| format!("{pattern}.{extension}"));
            let folders = dirs.iter().map(|test| format!("{test}/**/*.{extension}"));
            globs.extend(patterns.chain(folders).map(|pattern| below(dir, &pattern)));
        }
        self.entry(call, globs);
    }

    /// Files of a directory that configure a test runner, or how scripts are compiled.
    fn configurations(&self, dir: &str) -> Vec<String> {
        let stems = list(
            "jest. vitest. vite.config .mocharc playwright.config cypress. ava.config karma.conf wdio. \
             .taprc jasmine package.json babel.config .babelrc tsconfig",
        );
        let files = self.context.snapshot.tree.in_dir(dir);
        let files = files.map(|(_, entry)| entry.path.to_string());
        let is_one = |path: &String| {
            let name = base_name(path);
            stems.iter().any(|stem| name.starts_with(stem))
        };
        files.filter(is_one).collect()
    }

    /// `tsc`: the scripts below its project, and the repository's when it leaves it.
    pub(in crate::engine::inputs) fn compiler(&mut self, call: &Invocation) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(
            rest,
            &list("--outDir --target --module --jsx --lib -t -m --moduleResolution"),
            &["-p", "--project"],
        );
        let mut projects: Vec<Word> = sorted.reads;
        projects.extend(sorted.operands);
        if projects.is_empty() {
            projects.push(Word::literal("."));
        }
        let mut kinds = table::extensions("script");
        kinds.push("json".into());
        for word in projects {
            let path = match locate(&call.place, &word.text) {
                Located::Inside(path) if !word.unknown => path,
                _ => return self.unknown_use(call),
            };
            let (dir, file) = if self.has_dir(&path) {
                (
                    path.clone(),
                    if path.is_empty() {
                        "tsconfig.json".to_owned()
                    } else {
                        format!("{path}/tsconfig.json")
                    },
                )
            } else {
                (dir_of(&path).into(), path.to_string())
            };
            let text = self.text(&file).unwrap_or_default();
            let leaves = text.lines().any(|line| {
                line.contains("../")
                    && !line.contains("extends")
                    && !line.contains("outDir")
                    && !line.contains("tsBuildInfo")
            });
            self.exact(call, vec![Glob::path(&file)]);
            self.configured_by_name(call, &dir);
            let root = if leaves { "" } else { dir.as_ref() };
            let mut sources = by_extension(root, &kinds);
            sources.push(Glob::path(&file));
            self.add(call, Input::Checked(sources));
        }
    }
}
