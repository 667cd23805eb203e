//! What a tree-wide tool reads: files below its operands, and what governs them.
//!
//! An operand counts only where it names something of the tree: a word that does not
//! may be the value of a flag that the table does not know, and then the tool reads
//! its working directory. Configuration is read at, above and below each operand, and
//! with it the files that it names: plugins, rules and what it extends.

use std::collections::BTreeSet;

use super::Input;
use super::memo::Links;
use super::programs::{arguments, by_extension, refs};
use super::python::module_anywhere;
use super::table::{Class, Command};
use super::walk::{Invocation, Walk, below};
use crate::engine::globs::{Glob, compile_crossing};
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{base_name, dir_of, join};

/// Manifests below a directory are looked at for their names only at or above it.
const MANIFESTS: &[&str] = &[
    "package.json",
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
    "Cargo.toml",
    "go.mod",
];

/// Endings of files that configuration may load.
const LOADED: &[&str] = &[
    ".py", ".toml", ".cfg", ".ini", ".json", ".jsonc", ".yml", ".yaml", ".js", ".cjs", ".mjs",
    ".ts", ".mts", ".cts", ".txt", ".go",
];

/// Tools that judge imports by whether their modules are the project's own.
/// <https://docs.astral.sh/ruff/faq/#how-does-ruff-determine-which-of-my-imports-are-first-party-third-party-etc>
const SORTERS: &[&str] = &[
    "ruff",
    "isort",
    "usort",
    "ufmt",
    "flake8",
    "pylint",
    "reorder-python-imports",
    "import-linter",
    "lint-imports",
    "deptry",
];

impl Walk<'_> {
    /// The shell's checker follows what a script sources when it is asked to, on the
    /// command line or in its configuration.
    pub(super) fn shellcheck(&mut self, call: &Invocation) {
        for path in [".shellcheckrc", "shellcheckrc"] {
            let text = self.text(path).unwrap_or_default();
            if text.contains("external-sources") || text.contains("source-path") {
                self.whole(call);
            }
        }
        self.listed(call, "shellcheck");
    }

    /// A tree-wide tool; its name takes `used` operands.
    pub(super) fn tree_wide(&mut self, call: &Invocation, command: &Command, used: usize) {
        let rest = call.words.get(1..).unwrap_or_default();
        let sorted = arguments(rest, &refs(&command.values), &refs(&command.paths));
        for word in &sorted.reads {
            self.run_path(call, word);
            if let Located::Inside(path) = locate(&call.place, &word.text) {
                self.loaded(call, &path);
            }
        }
        self.named_among(call, &sorted.taken);
        self.named_among(call, &sorted.including());
        let operands = sorted.operands.get(used..).unwrap_or_default();
        for word in operands {
            self.wide(call, command, word);
        }
        if !operands.iter().any(|word| self.is_operand(call, word)) {
            self.wide(call, command, &Word::literal("."));
        }
        self.first_party(call);
    }

    /// Whether an import is one of the project's own depends on which modules there are,
    /// not on what they say.
    fn first_party(&mut self, call: &Invocation) {
        let name = call.words.first().map_or("", |word| &*word.text);
        if !SORTERS.contains(&name) {
            return;
        }
        let Some(mut at) = call.dir() else {
            return;
        };
        let mut globs = Vec::new();
        loop {
            let names = ["*.py", "*/*.py", "src/*.py", "src/*/*.py"];
            globs.extend(names.iter().map(|name| below(at, name)));
            if at.is_empty() {
                break;
            }
            at = dir_of(at);
        }
        self.add(call, Input::Shape(globs));
    }

    /// Modules of the repository that a configuration has its tool load.
    fn loaded_modules(&mut self, call: &Invocation, text: &str) {
        let name = call.words.first().map_or("", |word| &*word.text);
        let opens = match name {
            "flake8" | "pflake8" | "flakeheaven" | "flakehell" => "local-plugins",
            "pylint" => "init-hook",
            _ => "",
        };
        if !opens.is_empty() && text.contains(opens) {
            self.whole(call);
        }
        if !["pylint", "mypy", "dmypy"].contains(&name) {
            return;
        }
        for (at, key) in text.match_indices("plugins") {
            let value = text.get(at + key.len()..).unwrap_or_default();
            let globs: Vec<Glob> = words(value_of(value)).flat_map(module_anywhere).collect();
            if !globs.is_empty() {
                self.entry(call, globs);
            }
        }
    }

    /// Whether a word says what is read, in place of the working directory.
    fn is_operand(&self, call: &Invocation, word: &Word) -> bool {
        let path = match (word.unknown, locate(&call.place, fixed_part(&word.text))) {
            (true, _) | (_, Located::Unknown | Located::Outside) => return true,
            (_, Located::Inside(path)) => path,
        };
        self.has_file(&path) || self.has_dir(&path)
    }

    /// What is read below one operand.
    fn wide(&mut self, call: &Invocation, command: &Command, word: &Word) {
        let path = match (word.unknown, locate(&call.place, fixed_part(&word.text))) {
            (true, _) | (_, Located::Unknown) => return self.unknown_use(call),
            (_, Located::Outside) => return,
            (_, Located::Inside(path)) => path,
        };
        let is_file = self.has_file(&path);
        let dir: Box<str> = if is_file {
            dir_of(&path).into()
        } else {
            path.clone()
        };
        self.governed(call, command, &dir);
        match (command.class, is_file) {
            (Class::Follows, true) => self.entry(call, vec![Glob::path(&path)]),
            (Class::Checks, true) => {
                self.check_files(call, &dir, vec![Glob::path(&path)]);
            }
            (_, true) => self.exact(call, vec![Glob::path(&path)]),
            (Class::Follows, false) => {
                let globs = by_extension(&path, &command.extensions);
                self.entry(call, globs);
            }
            (Class::Checks, false) => {
                let kinds = self.lint_kinds(call, &command.extensions);
                self.check_files(call, &dir, by_extension(&path, &kinds));
            }
            (_, false) => self.add(
                call,
                Input::Tree {
                    dir: path,
                    extensions: command.extensions.clone(),
                },
            ),
        }
    }

    /// The configuration at, above and below a directory.
    pub(super) fn governed(&mut self, call: &Invocation, command: &Command, dir: &str) {
        let mut globs = Vec::new();
        let mut found = Vec::new();
        for name in &command.config {
            globs.push(below(dir, &format!("**/{name}")));
            let mut at = dir;
            loop {
                found.extend(join(at, name).filter(|path| self.has_file(path)));
                if at.is_empty() {
                    break;
                }
                at = dir_of(at);
                globs.push(below(at, name));
            }
        }
        let tree = &self.context.snapshot.tree;
        let below = tree.span(dir);
        let inner = command.config.iter();
        for name in inner.filter(|name| !MANIFESTS.contains(&&***name)) {
            let inner = tree.named(name).filter(|(file, _)| below.contains(file));
            found.extend(inner.map(|(_, entry)| entry.path.to_string()));
        }
        found.sort();
        found.dedup();
        for path in found {
            self.loaded(call, &path);
        }
        if !globs.is_empty() {
            self.exact(call, globs);
        }
        self.configured(call, command, dir);
    }

    /// What a file of configuration loads, and what that loads in turn: imports, files
    /// that are named, and what is extended.
    pub(super) fn loaded(&mut self, call: &Invocation, path: &str) {
        let mut seen = BTreeSet::from([path.to_owned()]);
        let mut open = vec![path.to_owned()];
        let mut entries = BTreeSet::new();
        while let Some(path) = open.pop() {
            let Some(text) = self.text(&path) else {
                continue;
            };
            if is_code(&path) {
                entries.insert(path.clone());
            }
            self.loaded_modules(call, text);
            if !MANIFESTS.contains(&base_name(&path)) {
                self.configured_in(call, &path);
            }
            let links = self.context.memo.links(&path, || self.links(&path, text));
            if links.is_open {
                self.whole(call);
            }
            // What a manifest or a module names is code of the project, and imports are
            // followed elsewhere; only what is extended is configuration for certain.
            let is_project = is_code(&path) || MANIFESTS.contains(&base_name(&path));
            let named = links.named.iter();
            let followed = named.filter(|named| !is_project || !is_code(named));
            for next in followed.chain(&links.extended) {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
            entries.extend(links.named.iter().chain(&links.extended).cloned());
        }
        let globs: Vec<Glob> = entries.iter().map(|path| Glob::path(path)).collect();
        if !globs.is_empty() {
            self.entry(call, globs);
        }
    }

    /// The files that a file of configuration says it extends.
    pub(super) fn extended_by(&mut self, path: &str) -> Vec<String> {
        let Some(text) = self
            .text(path)
            .filter(|_| !MANIFESTS.contains(&base_name(path)))
        else {
            return Vec::new();
        };
        let links = self.context.memo.links(path, || self.links(path, text));
        links.extended.clone()
    }

    /// What the text of a file of configuration leads to.
    fn links(&self, path: &str, text: &str) -> Links {
        let mut links = Links::default();
        let named: BTreeSet<&str> = words(text).collect();
        for word in named {
            links.named.extend(self.named(path, word));
            links.named.extend(self.rules(path, word));
        }
        for word in extended(text).into_iter().flat_map(words) {
            let found = self.extended_files(path, word);
            links.is_open |= found.is_empty() && is_relative(word);
            links.extended.extend(found);
        }
        links
    }

    /// The files that a word of a configuration may mean.
    fn named(&self, path: &str, word: &str) -> Vec<String> {
        let is_file_name = LOADED.iter().any(|ending| word.ends_with(ending));
        if is_file_name || is_relative(word) {
            self.fitting(path, word)
        } else {
            Vec::new()
        }
    }

    /// Rules in Go by a pattern, or behind a variable for the directory of a configuration
    /// (<https://golangci-lint.run/docs/linters/configuration/#gocritic>).
    fn rules(&self, path: &str, word: &str) -> Vec<String> {
        let word = word.trim_start_matches('/');
        if !word.ends_with(".go") || !base_name(path).starts_with(".golangci") {
            return Vec::new();
        }
        let tree = &self.context.snapshot.tree;
        let globs = [Glob::join(dir_of(path), word), Glob::join("", word)];
        let globs = globs.iter().flatten();
        let globs: Vec<_> = globs.filter_map(|it| compile_crossing(it).ok()).collect();
        let files = tree.iter().map(|(_, entry)| &*entry.path);
        let fitting = files.filter(|path| globs.iter().any(|glob| glob.is_match(path)));
        fitting.map(str::to_owned).collect()
    }

    /// The files that a word may mean where a configuration says what it extends: a
    /// package of the repository has its entry anywhere.
    fn extended_files(&self, path: &str, word: &str) -> Vec<String> {
        let mut found = self.fitting(path, word);
        let tree = &self.context.snapshot.tree;
        if let Some(dir) = join(dir_of(path), word).filter(|dir| !dir.is_empty())
            && self.has_file(&format!("{dir}/package.json"))
        {
            found.extend(tree.under(&dir).map(|(_, entry)| entry.path.to_string()));
        }
        found
    }

    /// The files that a word means beside a file: itself, with an ending, or an index.
    fn fitting(&self, path: &str, word: &str) -> Vec<String> {
        let Some(named) = join(dir_of(path), word).filter(|named| !named.is_empty()) else {
            return Vec::new();
        };
        let ends = |stem: &str| LOADED.iter().map(|end| format!("{stem}{end}")).collect();
        let mut all: Vec<String> = ends(&named);
        all.extend::<Vec<String>>(ends(&format!("{named}/index")));
        all.push(named);
        all.retain(|path| self.has_file(path));
        all
    }
}

/// The value behind a key: a list in brackets, or the line and those that go on with it.
fn value_of(text: &str) -> &str {
    let start = text.trim_start_matches([' ', '=', ':']);
    if let Some(list) = start.strip_prefix('[') {
        return list.split(']').next().unwrap_or_default();
    }
    let ends = |(at, _): &(usize, &str)| {
        let next = start.get(at + 1..).unwrap_or_default();
        !next.starts_with([' ', '\t'])
    };
    let end = start.match_indices('\n').find(ends);
    end.and_then(|(end, _)| start.get(..end)).unwrap_or(start)
}

pub(super) fn is_code(path: &str) -> bool {
    let endings = [".js", ".cjs", ".mjs", ".ts", ".mts", ".cts", ".py"];
    endings.iter().any(|ending| path.ends_with(ending))
}

fn is_relative(word: &str) -> bool {
    word.starts_with("./") || word.starts_with("../")
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\''
                    | '`'
                    | ','
                    | ';'
                    | '='
                    | ':'
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '{'
                    | '}'
                    | '<'
                    | '>'
            )
    };
    text.split(ends).filter(|word| !word.is_empty())
}

/// The values of every `extend` and `extends` in a configuration: a list in brackets, a
/// list of lines, or the rest of the line.
fn extended(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || "-_".contains(c);
    let mut values = Vec::new();
    for (at, key) in text.match_indices("extend") {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + key.len()..).unwrap_or_default();
        let after = after.strip_prefix('s').unwrap_or(after);
        if before.ends_with(is_name) || after.starts_with(is_name) {
            continue;
        }
        let is_mark = |c: char| " \t\"':=(".contains(c);
        let value = after.trim_start_matches(is_mark);
        let line = value.lines().next().unwrap_or_default();
        let listed = || value.lines().skip(1);
        let is_item = |line: &&str| {
            let line = line.trim_start();
            line.is_empty() || line.starts_with(['-', '#', '[', '"', '\''])
        };
        match value.trim_start().strip_prefix('[') {
            Some(list) => values.extend(list.split(']').next()),
            None if line.trim().is_empty() || line.starts_with('#') => {
                values.extend(listed().take_while(is_item));
            }
            None => values.push(line),
        }
    }
    values
}

/// The directory of a package pattern of Go, or of a glob.
fn fixed_part(text: &str) -> &str {
    let text = text.trim_end_matches("/...").trim_end_matches("...");
    let fixed = match text.find(['*', '?', '[', '{']) {
        Some(end) => text.get(..end).map_or("", dir_of),
        None => text,
    };
    if fixed.is_empty() { "." } else { fixed }
}
