//! npm, pnpm, yarn and bun: their sub-commands, filters and scripts.

use globset::GlobMatcher;

use super::super::programs::list;
use super::super::table;
use super::super::walk::{Invocation, Text, Walk, below};
use super::super::{Input, Never, OpaqueCause};
use crate::engine::globs::{self, Glob};
use crate::engine::packages::Ecosystem;
use crate::engine::shell::{Place, Word};
use crate::engine::tree::{dir_of, join};

/// Sub-commands after which flags are still the manager's.
const OWN: &[&str] = &[
    "run",
    "run-script",
    "exec",
    "dlx",
    "x",
    "test",
    "t",
    "install",
    "i",
    "ci",
    "add",
    "workspace",
    "workspaces",
    "foreach",
    "wsrun",
];

/// Scripts that an installation runs.
const INSTALL_HOOKS: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

impl Walk<'_> {
    /// A package manager: its flags, then a sub-command here or in other packages.
    pub(in crate::engine::inputs) fn manager(&mut self, call: &Invocation, name: &str) {
        let mut inner = call.without(1);
        let mut packages: Option<Vec<String>> = None;
        let mut at = 0;
        while let Some(word) = inner.words.get(at).cloned() {
            let (flag, value) = word.flag();
            let own = 1 + usize::from(value.is_none());
            let value = value.or_else(|| inner.words.get(at + 1).cloned());
            let mut end = at + 1;
            match flag {
                "--version" | "-v" => return,
                "--prefix" | "-C" | "--dir" | "--cwd" => {
                    if let Some(dir) = value {
                        inner.place = self.elsewhere(call, &dir);
                    }
                    end = at + own;
                }
                "--filter" | "-F" | "-w" | "--workspace" if flag != "-w" || name == "npm" => {
                    let value = value.map_or(String::new(), |word| word.text.into());
                    packages.get_or_insert_default().push(value);
                    end = at + own;
                }
                "-r" | "--recursive" | "--workspaces" | "-ws" | "--ws" => {
                    packages.get_or_insert_default().push("*".to_owned());
                }
                "--if-present" | "--" if at > 0 && name == "npm" => {
                    if flag == "--" {
                        break;
                    }
                    at += 1;
                    continue;
                }
                flag if flag.starts_with('-') => {}
                // The sub-command; flags of the manager may still follow. To npm, all
                // flags up to `--` are its own.
                sub if at == 0 && OWN.contains(&sub) => {
                    at = 1;
                    continue;
                }
                _ if at > 0 && name == "npm" && is_script(&inner) => {
                    at += 1;
                    continue;
                }
                _ => break,
            }
            inner.words.drain(at..end.min(inner.words.len()));
        }
        if name == "yarn" {
            yarn_workspaces(&mut inner, &mut packages);
        }
        match packages {
            None => self.sub_command(call, &inner, name),
            Some(filters) => self.in_packages(call, &inner, name, &filters),
        }
    }

    /// The same sub-command in each package that a filter means.
    fn in_packages(
        &mut self,
        call: &Invocation,
        inner: &Invocation,
        name: &str,
        filters: &[String],
    ) {
        let mut dirs: Vec<(Box<str>, bool)> = Vec::new();
        for filter in filters {
            let pattern = filter.trim_start_matches("...").trim_end_matches("...");
            let pattern = pattern.trim_end_matches('^');
            if pattern.contains('[') {
                // Packages that changed since a commit.
                self.never(call, Never::ReadsHistory);
                continue;
            }
            if pattern.starts_with('!') {
                // What is left out again only narrows.
                continue;
            }
            let found = self.packages_like(pattern);
            if found.is_empty() {
                let what = format!("package {pattern}");
                self.opaque(call, OpaqueCause::Missing(what.into()));
            }
            // With what it needs, or with who needs it: any of them may be meant.
            if pattern.len() < filter.len() {
                dirs.extend(self.packages_like("*").into_iter().map(|dir| (dir, true)));
            }
            let is_all = pattern.contains('*');
            dirs.extend(found.into_iter().map(|dir| (dir, is_all)));
        }
        if filters.iter().all(|filter| filter.starts_with('!')) {
            dirs.extend(self.packages_like("*").into_iter().map(|dir| (dir, true)));
        }
        let is_exec = inner
            .words
            .first()
            .is_some_and(|word| &*word.text == "exec");
        let own = ["run", "run-script"];
        let mut words = inner.words.iter().map(|word| word.text.as_ref());
        let script = words.find(|word| !own.contains(word)).unwrap_or_default();
        for (dir, is_all) in dirs {
            let mut there = inner.clone();
            there.place = Place::Inside(dir.clone());
            // A filter over many packages runs the script where there is one.
            if !is_all || is_exec || self.package_script(&dir, script).is_some() {
                self.sub_command(call, &there, name);
            }
        }
    }

    /// The directories of packages whose name or directory fits.
    fn packages_like(&self, pattern: &str) -> Vec<Box<str>> {
        let is_all = pattern == "*";
        let matchers = |globs: Vec<Glob>| -> Vec<GlobMatcher> {
            let globs = globs.iter().filter(|_| !is_all);
            globs
                .filter_map(|glob| globs::compile_crossing(glob).ok())
                .collect()
        };
        let path = pattern
            .trim_matches(['{', '}'])
            .trim_start_matches("./")
            .trim_end_matches('/');
        let by_name = matchers(vec![Glob::written(pattern)]);
        let by_path = matchers(Glob::readings(path));
        let list = self.context.packages.list.iter();
        let list = list.filter(|package| package.ecosystem == Ecosystem::Node);
        // pnpm takes a name without a scope for the one package that has it behind one.
        let scoped = format!("/{pattern}");
        let fits = list.filter(|package| {
            let fits =
                |globs: &[GlobMatcher], text: &str| globs.iter().any(|glob| glob.is_match(text));
            is_all
                || package
                    .name
                    .as_deref()
                    .is_some_and(|name| fits(&by_name, name) || name.ends_with(&scoped))
                || fits(&by_path, &package.dir)
        });
        fits.map(|package| package.dir.clone()).collect()
    }

    pub(in crate::engine::inputs) fn sub_command(
        &mut self,
        call: &Invocation,
        inner: &Invocation,
        name: &str,
    ) {
        let sub = inner
            .words
            .first()
            .map_or("", |word| &*word.text)
            .to_owned();
        let dir = inner.dir().unwrap_or("").to_owned();
        match sub.as_str() {
            "install" | "ci" | "i" | "clean-install" | "add" | "import" | "fetch" | "rebuild"
            | "update" | "link" | "prune" | "install-clean" => {
                self.node_install(inner, &dir);
            }
            "dedupe" => {
                self.node_install(inner, &dir);
                let locks = ["yarn.lock", "package-lock.json", "pnpm-lock.yaml"];
                self.exact(inner, locks.iter().map(|name| below(&dir, name)).collect());
            }
            "" if name == "yarn" => self.node_install(inner, &dir),
            "" => {}
            "run" | "run-script" | "rum" => self.run_script_word(&inner.without(1), true),
            "test" | "t" | "tst" => self.run_named(inner, "test", &inner.without(1)),
            "start" | "stop" | "restart" => self.run_named(inner, &sub, &inner.without(1)),
            "exec" | "dlx" | "x" | "create" if name != "bun" || sub == "x" => {
                self.downloaded(&inner.without(1));
            }
            "pack" => self.pack(inner, &dir),
            "publish" => self.never(call, Never::Delivers),
            "version" | "deploy" | "release" if self.package_script(&dir, &sub).is_none() => {
                self.never(call, Never::Delivers);
            }
            _ => {
                let known = table::command(name, &[&sub]).is_some_and(|(_, used)| used > 0);
                if known && self.package_script(&dir, &sub).is_none() {
                    return self.listed(call, name);
                }
                if name == "npm" {
                    return self.opaque(call, OpaqueCause::UnknownUse(format!("npm {sub}").into()));
                }
                self.run_script_word(inner, false);
            }
        }
    }

    /// An installation runs the packages' own install scripts.
    pub(in crate::engine::inputs) fn node_install(&mut self, call: &Invocation, dir: &str) {
        let names = list(
            "package.json .npmrc .yarnrc.yml .yarnrc pnpm-workspace.yaml .pnpmfile.cjs \
            patches/** .yarn/patches/**",
        );
        self.exact(call, names.iter().map(|name| below(dir, name)).collect());
        self.add(
            call,
            Input::External {
                dir: dir.into(),
                name: "*".into(),
            },
        );
        let members = self.workspace_members(dir);
        let manifests = members.iter().map(|member| below(member, "package.json"));
        self.exact(call, manifests.collect());
        if call
            .texts()
            .iter()
            .any(|text| text.contains("ignore-scripts"))
        {
            return;
        }
        for hook in INSTALL_HOOKS {
            if self.package_script(dir, hook).is_some() {
                self.run_named(call, hook, &call.other(&[]));
            }
        }
        for member in members {
            let mut there = call.other(&[]);
            there.place = Place::Inside(member.clone());
            for hook in INSTALL_HOOKS {
                if self.package_script(&member, hook).is_some() {
                    self.run_named(&there, hook, &there.clone());
                }
            }
        }
    }

    /// The members of the workspace at a directory: installing it links them, and runs
    /// their hooks.
    fn workspace_members(&self, dir: &str) -> Vec<Box<str>> {
        let list = &self.context.packages.list;
        let of_node = || list.iter().filter(|it| it.ecosystem == Ecosystem::Node);
        let settings = join(dir, "pnpm-workspace.yaml");
        let is_root = settings.is_some_and(|path| self.has_file(&path))
            || of_node().any(|it| *it.dir == *dir && !it.members.is_empty());
        let members = of_node().filter(|it| is_root && *it.dir != *dir);
        let members = members.filter(|it| dir.is_empty() || it.dir.starts_with(&format!("{dir}/")));
        members.map(|it| it.dir.clone()).collect()
    }

    /// `run NAME`; without `run`, a program of the packages is meant where there is no script.
    pub(in crate::engine::inputs) fn run_script_word(
        &mut self,
        call: &Invocation,
        only_scripts: bool,
    ) {
        let Some(name) = call.words.first().cloned() else {
            return;
        };
        if name.unknown {
            return self.unknown_use(call);
        }
        let Some(dir) = call.dir() else {
            return self.unknown_use(call);
        };
        if self.package_script(dir, &name.text).is_some() {
            let mut rest = call.without(1);
            rest.words.retain(|word| &*word.text != "--if-present");
            return self.run_named(call, &name.text, &rest);
        }
        if only_scripts && table::command(&name.text, &[]).is_none() {
            if call.texts().contains(&"--if-present") {
                return;
            }
            return self.opaque(
                call,
                OpaqueCause::Missing(format!("script {} of {}", name.text, manifest(dir)).into()),
            );
        }
        self.downloaded(call);
    }

    /// The text of a script and its line.
    pub(in crate::engine::inputs) fn package_script(
        &mut self,
        dir: &str,
        name: &str,
    ) -> Option<(String, u32)> {
        let path = manifest(dir);
        let text = self.text(&path)?;
        let root = self.context.memo.json(&path, text)?;
        let entry = root.get("scripts")?.entry(name)?;
        Some((entry.value.as_str()?.to_owned(), entry.line))
    }

    /// Packing takes what the manifest lists, after the scripts that make it.
    fn pack(&mut self, call: &Invocation, dir: &str) {
        self.exact(call, vec![below(dir, "**")]);
        for script in ["prepack", "prepare", "postpack"] {
            if self.package_script(dir, script).is_some() {
                self.run_named(call, script, &call.without(1));
            }
        }
    }

    /// The shell that `.npmrc` or `.yarnrc` puts in the place of the usual one
    /// (<https://docs.npmjs.com/cli/using-npm/config#script-shell>).
    fn script_shell(&mut self, call: &Invocation, dir: &str) {
        let above = std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)));
        for at in above {
            for name in [".npmrc", ".yarnrc"] {
                let Some(path) = join(at, name).filter(|path| self.has_file(path)) else {
                    continue;
                };
                let text = self.text(&path).unwrap_or_default();
                for line in text.lines() {
                    let line = line.trim().replace('"', "");
                    let Some(shell) = line.strip_prefix("script-shell") else {
                        continue;
                    };
                    let shell = shell.trim_start().trim_start_matches('=').trim();
                    self.exact(call, vec![Glob::path(&path)]);
                    for base in [dir, at] {
                        let own = join(base, shell).filter(|path| self.has_file(path));
                        self.entry(call, own.iter().map(|it| Glob::path(it)).collect());
                    }
                }
            }
        }
    }

    /// A script of `package.json` with its `pre` and `post`.
    pub(in crate::engine::inputs) fn run_named(
        &mut self,
        call: &Invocation,
        name: &str,
        rest: &Invocation,
    ) {
        let Some(dir) = call.dir().map(str::to_owned) else {
            return self.unknown_use(call);
        };
        let file = manifest(&dir);
        self.exact(call, vec![Glob::path(&file)]);
        self.script_shell(call, &dir);
        let mut any = false;
        for hook in [format!("pre{name}"), name.to_owned(), format!("post{name}")] {
            let Some((text, line)) = self.package_script(&dir, &hook) else {
                continue;
            };
            any = any || hook == name;
            let own: Vec<&Word> = rest
                .words
                .iter()
                .filter(|word| &*word.text != "--")
                .collect();
            let more = if hook == name {
                own.iter().map(|word| quoted(word)).collect::<String>()
            } else {
                String::new()
            };
            self.runs(call, &file);
            let key = format!("script {file} {hook} {more} {}", self.variables_key());
            if !self.seen.insert(key) {
                continue;
            }
            self.script(&Text {
                file: &file,
                line,
                text: &format!("{text}{more}"),
                place: call.place.clone(),
                arguments: None,
            });
        }
        if !any {
            self.opaque(
                call,
                OpaqueCause::Missing(format!("script {name} of {file}").into()),
            );
        }
    }
}

/// Whether words begin with the sub-command that runs a script.
fn is_script(call: &Invocation) -> bool {
    let first = call.words.first().map_or("", |word| &*word.text);
    ["run", "run-script", "test", "t"].contains(&first)
}

pub(super) fn manifest(dir: &str) -> String {
    if dir.is_empty() {
        "package.json".to_owned()
    } else {
        format!("{dir}/package.json")
    }
}

/// A word as it has to be written to be read again as one.
pub(super) fn quoted(word: &Word) -> String {
    if word.unknown {
        use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START};
        return format!(" {UNKNOWN_START}{}{UNKNOWN_END}", word.text);
    }
    if word.glob {
        return format!(" {}", word.text);
    }
    format!(" '{}'", word.text.replace('\'', "'\\''"))
}

/// Leaves out the flags before a sub-command: they only choose among packages.
fn drop_flags(words: &mut Vec<Word>) {
    const VALUES: &[&str] = &[
        "--include",
        "--exclude",
        "--from",
        "-j",
        "--jobs",
        "--since",
    ];
    while let Some(word) = words.first().filter(|word| word.text.starts_with('-')) {
        let takes = VALUES.contains(&word.text.as_ref()) && &*word.text != "--since";
        words.drain(..(1 + usize::from(takes)).min(words.len()));
    }
}

/// `yarn workspace NAME ...` and `yarn workspaces foreach run ...`.
fn yarn_workspaces(inner: &mut Invocation, packages: &mut Option<Vec<String>>) {
    match inner
        .words
        .first()
        .map(|word| word.text.to_string())
        .as_deref()
    {
        Some("workspace") => {
            let name = inner
                .words
                .get(1)
                .map_or(String::new(), |word| word.text.to_string());
            inner.words.drain(..2.min(inner.words.len()));
            inner.words.insert(0, Word::literal("run"));
            *packages = Some(vec![name]);
        }
        Some("workspaces" | "wsrun") => {
            let own = ["workspaces", "foreach", "wsrun"];
            inner
                .words
                .retain(|word| !own.contains(&word.text.as_ref()));
            drop_flags(&mut inner.words);
            *packages = Some(vec!["*".to_owned()]);
        }
        _ => {}
    }
}
