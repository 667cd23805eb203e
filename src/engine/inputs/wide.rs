//! What a tree-wide tool reads: files below its operands, and what governs them.
//!
//! An operand counts only where it names something of the tree: a word that does not
//! may be the value of a flag that the table does not know, and then the tool reads
//! its working directory. Configuration is read at, above and below each operand, and
//! with it the files that it names: plugins, rules and what it extends.

use super::Input;
use super::programs::{arguments, by_extension, refs};
use super::table::{Class, Command};
use super::walk::{Invocation, Walk, below};
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
    ".ts", ".mts", ".cts", ".txt",
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
        }
        self.named_among(call, &sorted.taken);
        let operands = sorted.operands.get(used..).unwrap_or_default();
        for word in operands {
            self.wide(call, command, word);
        }
        if !operands.iter().any(|word| self.is_operand(call, word)) {
            self.wide(call, command, &Word::literal("."));
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
            (Class::Follows, true) => self.entry(call, vec![globset::escape(&path).into()]),
            (Class::Checks, true) => {
                let glob = globset::escape(&path).into();
                self.check_files(call, &dir, vec![glob]);
            }
            (_, true) => self.exact(call, vec![globset::escape(&path).into()]),
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
        let names = |name: &str| command.config.iter().any(|known| **known == *name);
        let inner = self
            .context
            .snapshot
            .tree
            .under(dir)
            .map(|(_, entry)| &*entry.path);
        let inner =
            inner.filter(|path| names(base_name(path)) && !MANIFESTS.contains(&base_name(path)));
        found.extend(inner.map(str::to_owned));
        found.sort();
        found.dedup();
        for path in found {
            self.loaded(call, &path);
        }
        if !globs.is_empty() {
            self.exact(call, globs);
        }
    }

    /// What one file of configuration loads: its imports, and files that it names.
    fn loaded(&mut self, call: &Invocation, path: &str) {
        let Some(text) = self.text(path) else {
            return;
        };
        let is_code = [".js", ".cjs", ".mjs", ".ts", ".mts", ".cts", ".py"];
        let mut entries: Vec<Box<str>> = Vec::new();
        if is_code.iter().any(|ending| path.ends_with(ending)) {
            entries.push(globset::escape(path).into());
        }
        let words = text.split(|c: char| c.is_whitespace() || "\"'`,;=:()[]{}<>".contains(c));
        for word in words.filter(|word| LOADED.iter().any(|ending| word.ends_with(ending))) {
            let named = join(dir_of(path), word).filter(|named| self.has_file(named));
            entries.extend(named.map(|named| globset::escape(&named).into()));
        }
        entries.sort();
        entries.dedup();
        if !entries.is_empty() {
            self.entry(call, entries);
        }
    }
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
