//! What the settings of cargo and of its runners name: runners, linker scripts, scripts
//! that set up tests.
//!
//! A setting is not understood but searched for names of files: from the directory that
//! the setting counts from (<https://doc.rust-lang.org/cargo/reference/config.html#config-relative-paths>),
//! or from the root of the workspace, in which linkers and setup scripts run. What is
//! named may run, so that it is followed, and so is a file of settings that is included.

use super::super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Word, locate};
use crate::engine::tree::{dir_of, join};

impl Walk<'_> {
    /// The settings that a command is given.
    pub(super) fn cargo_settings(&mut self, call: &Invocation, words: &[Word]) {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, value) = match word.text.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word.text.as_ref(), None),
            };
            if !matches!(flag, "--config" | "--config-file" | "--tool-config-file") {
                continue;
            }
            let value = match value {
                Some(value) => Some(Word {
                    text: value.into(),
                    ..word.clone()
                }),
                None => words.next().cloned(),
            };
            if let Some(value) = value {
                self.cargo_setting(call, &value);
            }
        }
    }

    /// One setting: a file of settings, or `KEY=VALUE`.
    pub(super) fn cargo_setting(&mut self, call: &Invocation, word: &Word) {
        if word.unknown {
            return self.unknown_use(call);
        }
        let path = word
            .text
            .split_once(':')
            .map_or(&*word.text, |(_, path)| path);
        match locate(&call.place, path) {
            Located::Inside(path) if self.has_file(&path) => {
                let dir = dir_of(dir_of(&path)).to_owned();
                self.exact(call, vec![Glob::path(&path)]);
                self.settings_file(call, &path, &[&dir, dir_of(&path), ""]);
            }
            _ => {
                let dir = call.dir().unwrap_or_default().to_owned();
                self.named_by_settings(call, &word.text, &[&dir, ""]);
            }
        }
    }

    /// The settings that lie in and above a directory, and those of its workspace.
    pub(super) fn cargo_programs(&mut self, call: &Invocation, dir: &str, root: &str) {
        let above = std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| dir_of(dir)));
        for at in above {
            for name in [".cargo/config.toml", ".cargo/config"] {
                let path = join(at, name).unwrap_or_default();
                self.settings_file(call, &path, &[at, root]);
            }
            for name in ["rust-toolchain.toml", "rust-toolchain"] {
                let path = join(at, name).unwrap_or_default();
                let text = self.has_file(&path).then(|| self.text(&path)).flatten();
                for dir in values_of(text.unwrap_or_default(), "path") {
                    self.directory_by_setting(call, dir, &[at]);
                }
            }
        }
        let nextest = join(root, ".config/nextest.toml").unwrap_or_default();
        self.settings_file(call, &nextest, &[root]);
    }

    fn settings_file(&mut self, call: &Invocation, path: &str, bases: &[&str]) {
        if self.has_file(path)
            && let Some(text) = self.text(path)
        {
            self.hears_settings(text);
            self.named_by_settings(call, text, bases);
            self.included(call, (path, text), bases);
        }
    }

    /// Further files of settings, which are named from the directory of the first
    /// (<https://doc.rust-lang.org/cargo/reference/config.html#include>).
    fn included(&mut self, call: &Invocation, (path, text): (&str, &str), bases: &[&str]) {
        if !text.contains("include") {
            return;
        }
        let is_end = |c: char| c.is_whitespace() || "\"'=,[]{}()".contains(c);
        let names = text.split(is_end).filter(|word| word.ends_with(".toml"));
        for path in names.filter_map(|name| join(dir_of(path), name)) {
            let key = format!("settings {path} {}", bases.join(" "));
            if self.has_file(&path) && self.seen.insert(key) {
                self.exact(call, vec![Glob::path(&path)]);
                self.settings_file(call, &path, bases);
            }
        }
    }

    /// Files and directories that a text of settings names.
    fn named_by_settings(&mut self, call: &Invocation, text: &str, bases: &[&str]) {
        let is_end = |c: char| c.is_whitespace() || "\"'=,:@[]{}()".contains(c);
        let sources = ["directory", "local-registry"];
        let sources = sources.iter().flat_map(|key| values_of(text, key));
        for value in relative_values(text).chain(sources) {
            self.directory_by_setting(call, value, bases);
        }
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for word in lines.flat_map(|line| line.split(is_end)) {
            // `-Tmemory.x`, `-Llib`.
            let attached = word.strip_prefix('-').and_then(|flag| flag.get(1..));
            for name in [Some(word), attached].into_iter().flatten() {
                self.named_by_setting(call, name, bases);
            }
        }
    }

    /// A directory under a plain name.
    fn directory_by_setting(&mut self, call: &Invocation, name: &str, bases: &[&str]) {
        for path in bases.iter().filter_map(|base| join(base, name)) {
            if !path.is_empty() && self.has_dir(&path) {
                self.entry(call, vec![below(&path, "**")]);
            }
        }
    }

    fn named_by_setting(&mut self, call: &Invocation, name: &str, bases: &[&str]) {
        if name.is_empty() || name.starts_with('/') {
            return;
        }
        for path in bases.iter().filter_map(|base| join(base, name)) {
            if self.has_file(&path) {
                self.entry(call, vec![Glob::path(&path)]);
            } else if (name.contains('/')
                || join(&path, "Cargo.toml").is_some_and(|it| self.has_file(&it)))
                && !path.is_empty()
                && self.has_dir(&path)
            {
                self.entry(call, vec![below(&path, "**")]);
            }
        }
    }
}

/// The values of variables that are paths from the settings
/// (<https://doc.rust-lang.org/cargo/reference/config.html#env>).
fn relative_values(text: &str) -> impl Iterator<Item = &str> {
    let is_relative = text.contains("relative");
    values_of(text, "value").filter(move |_| is_relative)
}

/// The texts that are given to a key.
fn values_of<'t>(text: &'t str, key: &str) -> impl Iterator<Item = &'t str> {
    let after: Vec<&str> = text.split(key).skip(1).collect();
    after.into_iter().filter_map(|rest| {
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        rest.get(1..)?.split(quote).next()
    })
}
