//! Runners of scripts over packages: turbo, nx, lerna, `run-s`, `concurrently`.

use std::collections::BTreeSet;

use super::super::Never;
use super::super::programs::list;
use super::super::walk::{Invocation, Text, Walk};
use super::npm::manifest;
use crate::engine::globs::{self, Glob};
use crate::engine::packages::Ecosystem;
use crate::engine::shell::{Place, Word};
use crate::engine::tree::dir_of;
use crate::engine::yaml;

impl Walk<'_> {
    /// Programs that run others: `nyc CMD`, `run-s a b`, `concurrently "a" "b"`.
    pub(in crate::engine::inputs) fn node_carrier(&mut self, call: &Invocation, name: &str) {
        let words: Vec<&Word> = call.words.iter().skip(1).collect();
        let operands = words.iter().filter(|word| !word.text.starts_with('-'));
        let dir = call.dir().unwrap_or("").to_owned();
        match name {
            "run-s" | "run-p" | "npm-run-all" | "npm-run-all2" => {
                for word in operands {
                    let pattern = word.text.split(' ').next().unwrap_or_default();
                    for script in self.matching_scripts(&dir, pattern) {
                        self.run_named(call, &script, &call.other(&[]));
                    }
                }
            }
            "concurrently" => {
                for word in operands {
                    let text = word.text.trim_matches(['\'', '"']);
                    self.inline_text(call, &text.replacen("npm:", "npm run ", 1));
                }
            }
            "cross-env" | "c8" | "nyc" => self.covered(call, name),
            _ => {
                // `start-server-and-test SERVER URL TEST`
                let is_address =
                    |text: &str| text.contains("://") || text.chars().all(|c| c.is_ascii_digit());
                for word in operands.filter(|word| !is_address(&word.text)) {
                    if self.package_script(&dir, &word.text).is_some() {
                        self.run_named(call, &word.text, &call.other(&[]));
                    } else {
                        self.inline_text(call, &word.text);
                    }
                }
            }
        }
    }

    fn inline_text(&mut self, call: &Invocation, text: &str) {
        self.script(&Text {
            file: &call.origin.file,
            line: call.origin.line,
            text,
            place: call.place.clone(),
            arguments: None,
        });
    }

    /// The command behind the flags of a coverage tool, or behind variables.
    fn covered(&mut self, call: &Invocation, name: &str) {
        let values = list(
            "-r --reporter --reporter-dir -o --temp-directory --include -x --exclude -n --src",
        );
        let mut at = 1;
        while let Some(word) = call.words.get(at) {
            let text = word.text.as_ref();
            if text.starts_with('-') {
                at += if values.contains(&text) { 2 } else { 1 };
            } else if name == "cross-env" && text.contains('=') {
                self.assigned_among(call, std::slice::from_ref(word));
                at += 1;
            } else {
                break;
            }
        }
        let inner = call.without(at);
        let own = ["report", "check-coverage", "merge", "instrument"];
        if inner
            .words
            .first()
            .is_some_and(|word| !own.contains(&word.text.as_ref()))
        {
            self.program(&inner);
        }
    }

    /// `turbo run x`, `nx run-many -t x`, `lerna run x`: the script in every package.
    pub(in crate::engine::inputs) fn task_runner(&mut self, call: &Invocation, name: &str) {
        let texts = call.texts();
        let is_affected = |text: &&str| {
            matches!(*text, "affected" | "changed" | "--affected")
                || text.starts_with("affected:")
                || text.starts_with("--since")
        };
        if texts.iter().any(is_affected) {
            self.never(call, Never::ReadsHistory);
        }
        let files = list(
            "turbo.json nx.json lerna.json package.json **/project.json **/package.json **/turbo.json",
        );
        self.exact(call, files.into_iter().map(Glob::written).collect());
        self.declared_inputs(call);
        for file in ["turbo.json", "nx.json", "lerna.json"] {
            self.configured_in(call, file);
        }
        let mut projects = self.context.snapshot.tree.named("project.json");
        if name == "nx" && projects.next().is_some() {
            // Targets with executors of their own.
            return self.unknown_use(call);
        }
        let mut tasks = asked_tasks(&texts, name);
        tasks.extend(self.declared_needs());
        // The scripts of many packages call the runner again: the same tasks are the same scripts.
        let key = format!("tasks {name} {tasks:?} {}", self.variables_key());
        if !self.seen.insert(key) {
            return;
        }
        let list = self.context.packages.list.iter();
        let list = list.filter(|package| package.ecosystem == Ecosystem::Node);
        let dirs: Vec<Box<str>> = list.map(|package| package.dir.clone()).collect();
        let mut any = false;
        for task in &tasks {
            for dir in &dirs {
                let mut there = call.clone();
                there.place = Place::Inside(dir.clone());
                let script = self.package_script(dir, task);
                // The root's script of that name is usually the runner itself.
                let is_own = script.filter(|(text, _)| !(dir.is_empty() && text.contains(name)));
                if is_own.is_some() {
                    any = true;
                    self.run_named(&there, task, &call.other(&[]));
                }
            }
        }
        if !any {
            self.unknown_use(call);
        }
    }

    /// What `turbo.json` and `nx.json` declare as inputs of their tasks, on the top and in
    /// packages (<https://turborepo.dev/docs/reference/configuration#globaldependencies>,
    /// <https://nx.dev/reference/inputs>).
    fn declared_inputs(&mut self, call: &Invocation) {
        let (globs, is_open) = self.asked_once("declared", Self::declared_globs);
        if is_open {
            // What some file declares is not known.
            self.whole(call);
        }
        if !globs.is_empty() {
            self.exact(call, globs.to_vec());
        }
    }

    /// The globs of all declared inputs, and whether some file could not be read.
    fn declared_globs(&mut self) -> (Vec<Glob>, bool) {
        let tree = &self.context.snapshot.tree;
        let files = ["turbo.json", "turbo.jsonc", "nx.json", "project.json"];
        let files = files.iter().flat_map(|name| tree.named(name));
        let files: Vec<&str> = files.map(|(_, entry)| &*entry.path).collect();
        let list = self.context.packages.list.iter();
        let list = list.filter(|package| package.ecosystem == Ecosystem::Node);
        let dirs: BTreeSet<&str> = list.map(|package| &*package.dir).collect();
        let mut globs: BTreeSet<Glob> = BTreeSet::new();
        let mut is_open = false;
        for file in files {
            let Some(text) = self.text(file) else {
                continue;
            };
            let Some(root) = self.context.memo.commented_json(file, text) else {
                is_open = true;
                continue;
            };
            let own = dir_of(file);
            for (pattern, is_global) in declared(&root) {
                let (bases, rest) = match rooted(pattern) {
                    Some(rest) => (vec![""], rest),
                    None if is_global || !own.is_empty() => (vec![own], pattern),
                    None => (dirs.iter().copied().collect(), pattern),
                };
                let rest = rest.trim_start_matches("{projectRoot}/");
                let named = bases.iter().filter_map(|base| Glob::join(base, rest));
                globs.extend(named.flat_map(|glob| [glob.clone(), glob.and_below("**")]));
            }
        }
        (globs.into_iter().collect(), is_open)
    }

    /// Every task that another one depends on, by `turbo.json` and `nx.json`; `build`
    /// is one that Nx and Lerna assume.
    fn declared_needs(&mut self) -> Vec<String> {
        let mut tasks = vec!["build".to_owned()];
        for file in ["turbo.json", "nx.json"] {
            let Some(text) = self.text(file) else {
                continue;
            };
            let Some(root) = self.context.memo.commented_json(file, text) else {
                continue;
            };
            for key in ["tasks", "pipeline", "targetDefaults"] {
                for task in root
                    .get(key)
                    .and_then(yaml::Node::entries)
                    .unwrap_or_default()
                {
                    let needs = task.value.get("dependsOn").map(yaml::Node::words);
                    let names = needs.into_iter().flatten().map(|need| {
                        let name = need.trim_start_matches('^');
                        name.rsplit('#').next().unwrap_or(name).to_owned()
                    });
                    tasks.extend(names);
                }
            }
        }
        tasks.sort();
        tasks.dedup();
        tasks
    }

    pub(in crate::engine::inputs) fn matching_scripts(
        &mut self,
        dir: &str,
        pattern: &str,
    ) -> Vec<String> {
        let Ok(glob) = globs::compile_crossing(&Glob::written(pattern)) else {
            return vec![pattern.to_owned()];
        };
        let path = manifest(dir);
        let text = self.text(&path);
        let root = text.and_then(|text| self.context.memo.json(&path, text));
        let entries = root
            .as_ref()
            .and_then(|root| root.get("scripts")?.entries());
        let names: Vec<String> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.key.to_string())
            .filter(|name| glob.is_match(name))
            .collect();
        if names.is_empty() {
            vec![pattern.to_owned()]
        } else {
            names
        }
    }
}

/// Patterns of files that a runner of tasks is told its tasks read, and whether all of
/// them do.
fn declared(root: &yaml::Node) -> Vec<(&str, bool)> {
    const OF_ALL: &[&str] = &["globalDependencies", "globalDotEnv"];
    const OF_TASKS: &[&str] = &["dotEnv", "inputs", "namedInputs"];
    let mut found = Vec::new();
    let mut open = vec![(root, None)];
    while let Some((node, told)) = open.pop() {
        found.extend(node.as_str().zip(told));
        open.extend(node.items().into_iter().flatten().map(|it| (it, told)));
        for entry in node.entries().into_iter().flatten() {
            let is_of_all = OF_ALL.contains(&&*entry.key);
            let is_told = is_of_all || OF_TASKS.contains(&&*entry.key);
            open.push((&entry.value, told.or(is_told.then_some(is_of_all))));
        }
    }
    // What lies in the package itself is found by what its scripts run.
    let is_own = |it: &str| it.starts_with("{projectRoot}") && !it.contains("..");
    found.retain(|(it, _)| !it.starts_with(['!', '^']) && *it != "$TURBO_DEFAULT$" && !is_own(it));
    found
}

/// A pattern from the root of the repository, without what says so.
fn rooted(pattern: &str) -> Option<&str> {
    let roots = ["$TURBO_ROOT$/", "{workspaceRoot}/"];
    roots.iter().find_map(|root| pattern.strip_prefix(root))
}

/// The tasks on the command line.
fn asked_tasks(texts: &[&str], name: &str) -> Vec<String> {
    let own = ["run", "run-many", "affected", "exec"];
    let mut tasks: Vec<&str> = Vec::new();
    let mut words = texts.iter().skip(1);
    while let Some(text) = words.next() {
        match *text {
            "--" => break,
            "-t" | "--target" | "--targets" => tasks.extend(words.next()),
            "--scope" | "--filter" | "-p" | "--projects" | "--concurrency" | "--parallel" => {
                words.next();
            }
            text if text.starts_with("--target") => {
                tasks.extend(text.split_once('=').map(|(_, task)| task));
            }
            text if text.starts_with('-') || own.contains(&text) => {}
            // `nx run PROJECT:TASK`
            text if name == "nx" => tasks.push(text.split(':').nth(1).unwrap_or(text)),
            text => tasks.push(text),
        }
    }
    let tasks = tasks.into_iter().flat_map(|task| task.split(','));
    tasks.map(str::to_owned).collect()
}
