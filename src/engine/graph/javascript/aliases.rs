//! Aliases of test runners and bundlers, and the files that their settings name.
//!
//! Only literal settings are read: `moduleNameMapper` of jest where its pattern is a
//! prefix or a whole name, and `resolve.alias` of vite and vitest. Aliases hold below
//! the directory of their configuration.

use super::tsconfig::Alias;
use super::value::{Value, exported, json};
use crate::engine::globs::Glob;
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// Settings of a test runner or bundler in one file.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) file: FileId,
    pub(super) dir: String,
    pub(super) runner: Runner,
    pub(super) value: Value,
    pub(super) aliases: Vec<Alias>,
}

/// Whose settings they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runner {
    /// <https://jestjs.io/docs/configuration>
    Jest,
    /// <https://vitest.dev/config/>, also within vite's
    Vitest,
    /// <https://mochajs.org/#configuring-mocha-nodejs>
    Mocha,
    /// `node --test`
    Node,
}

/// The settings of a tree, in order.
pub(super) fn read(snapshot: &Snapshot) -> Vec<Settings> {
    let mut all = Vec::new();
    for (file, entry) in snapshot.tree.iter() {
        let name = base_name(&entry.path);
        let runner = runner_of(name);
        if runner.is_none() && name != "package.json" {
            continue;
        }
        let Some(text) = snapshot.text_of(entry.blob) else {
            continue;
        };
        let value = if name.ends_with(".json") || name == ".mocharc" {
            json(text)
        } else {
            exported(name, text)
        };
        let value = value.unwrap_or(Value::Other);
        let dir = dir_of(&entry.path);
        match runner {
            Some(runner) => all.push(Settings::new(file, dir, runner, value)),
            None => {
                for (key, runner) in [
                    ("jest", Runner::Jest),
                    ("mocha", Runner::Mocha),
                    ("vitest", Runner::Vitest),
                ] {
                    if let Some(value) = value.at(&[key]) {
                        all.push(Settings::new(file, dir, runner, value.clone()));
                    }
                }
            }
        }
    }
    all
}

/// Whose settings a file of this name holds.
pub(super) fn runner_of(name: &str) -> Option<Runner> {
    let stems = [
        ("jest.config", Runner::Jest),
        ("vitest.config", Runner::Vitest),
        ("vitest.workspace", Runner::Vitest),
        ("vite.config", Runner::Vitest),
        (".mocharc", Runner::Mocha),
    ];
    stems
        .iter()
        .find(|(stem, _)| name.starts_with(stem))
        .map(|(_, runner)| *runner)
}

impl Settings {
    fn new(file: FileId, dir: &str, runner: Runner, value: Value) -> Self {
        let mut settings = Self {
            file,
            dir: dir.to_owned(),
            runner,
            value,
            aliases: Vec::new(),
        };
        settings.aliases = settings.read_aliases();
        settings
    }

    /// A text as a path from the root of the repository.
    pub(super) fn place(&self, text: &str) -> Option<String> {
        let (root, text) = self.rooted(text);
        join(&root, text)
    }

    /// A text as a glob over paths from the root of the repository.
    pub(super) fn glob(&self, text: &str) -> Option<Glob> {
        let (root, text) = self.rooted(text);
        Glob::join(&root, text)
    }

    /// The directory from which a text counts, and the text from there.
    fn rooted<'t>(&self, text: &'t str) -> (String, &'t str) {
        let text = text
            .strip_prefix("<rootDir>")
            .map_or(text, |rest| rest.trim_start_matches('/'));
        let root = self.value.text(&["rootDir"]);
        let root = root.and_then(|root| join(&self.dir, root));
        (root.unwrap_or_else(|| self.dir.clone()), text)
    }

    /// The texts at a key, on the top or below `test`.
    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        let below = self.value.at(&["test", key]).into_iter();
        let values = self.value.at(&[key]).into_iter().chain(below);
        values.flat_map(Value::texts).collect()
    }

    fn read_aliases(&self) -> Vec<Alias> {
        let mut aliases = Vec::new();
        for (pattern, target) in self.value.entries(&["moduleNameMapper"]) {
            let targets = target.texts();
            let targets = targets
                .iter()
                .filter_map(|text| self.place(&text.replace("$1", "*")));
            if let Some(pattern) = glob_of(pattern) {
                aliases.push(Alias::new(&pattern, targets.collect()));
            }
        }
        for path in [&["resolve", "alias"][..], &["test", "alias"][..]] {
            for (name, target) in self.value.entries(path) {
                aliases.extend(self.prefix(name, target));
            }
            let Some(Value::List(items)) = self.value.at(path) else {
                continue;
            };
            for item in items {
                let replaced = item.text(&["find"]).zip(item.at(&["replacement"]));
                aliases.extend(
                    replaced
                        .into_iter()
                        .flat_map(|(name, target)| self.prefix(name, target)),
                );
            }
        }
        aliases
    }

    /// Vite's alias: the name itself, or the name and what follows its slash.
    fn prefix(&self, name: &str, target: &Value) -> Vec<Alias> {
        let name = name.trim_start_matches('^').trim_end_matches('/');
        let mut targets: Vec<String> = Vec::new();
        for text in target.texts() {
            // A path that a call made of `__dirname` may have lost its leading dot.
            let text = text.trim_start_matches('/');
            targets.extend(self.place(text));
        }
        let below = targets.iter().map(|target| format!("{target}/*")).collect();
        vec![
            Alias::new(name, targets),
            Alias::new(&format!("{name}/*"), below),
        ]
    }
}

/// A regular expression that is a prefix with `(.*)`, or a whole name, as a pattern.
fn glob_of(regex: &str) -> Option<String> {
    let plain = regex
        .trim_start_matches('^')
        .trim_end_matches('$')
        .replace("\\/", "/")
        .replace("\\.", ".");
    let glob = plain.replace("(.*)", "*").replace("(.+)", "*");
    let is_plain = !glob.contains(['(', '[', '\\', '|', '+', '?', '^', '$']);
    (is_plain && glob.matches('*').count() <= 1).then_some(glob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_simple_patterns_are_taken_from_jest() {
        let check = |regex: &str, expected: Option<&str>| {
            assert_eq!(glob_of(regex).as_deref(), expected, "{regex}");
        };
        check("^@/(.*)$", Some("@/*"));
        check("^react$", Some("react"));
        check("^~\\/(.+)$", Some("~/*"));
        check("\\.(css|less)$", None);
    }
}
