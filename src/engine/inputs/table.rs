//! The embedded tables of programs and actions.
//!
//! `commands.toml` and `actions.toml` say of each known program and action what it
//! reads; their headers document every key. They are parsed once. A name that is
//! in no table is unknown: there is no default.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::{Table, Value};

/// What a program or an action does with the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing: its words are texts.
    Text,
    /// Nothing that could change a result, unless a word names a file.
    Neutral,
    /// It reads its operands as they are.
    Reads,
    /// Its operands run, or are copied to run.
    Runs,
    /// It reads files by extension.
    Tree,
    /// It reads files by extension, and what they need.
    Follows,
    /// It reads files by extension and what they import, and runs none of them.
    Checks,
    /// It reads the repository in ways that nobody follows.
    Whole,
    /// It reads commits, or the pull itself.
    History,
    /// It publishes or deploys.
    Delivers,
    /// A security scan.
    Scans,
    /// It runs the command that follows.
    Wrapper,
    /// It has sub-commands.
    Parent,
}

impl Class {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "neutral" => Self::Neutral,
            "reads" => Self::Reads,
            "runs" => Self::Runs,
            "tree" => Self::Tree,
            "follows" => Self::Follows,
            "checks" => Self::Checks,
            "whole" => Self::Whole,
            "history" => Self::History,
            "delivers" => Self::Delivers,
            "scans" => Self::Scans,
            "wrapper" => Self::Wrapper,
            "parent" => Self::Parent,
            _ => return None,
        })
    }
}

/// One program of the table.
#[derive(Debug, Clone)]
pub struct Command {
    /// What it does.
    pub class: Class,
    /// How many operands of a wrapper are its own.
    pub skip: usize,
    /// Flags that take the next word.
    pub values: Vec<Box<str>>,
    /// Flags whose value is read.
    pub paths: Vec<Box<str>>,
    /// Extensions that it reads; empty means all files.
    pub extensions: Vec<Box<str>>,
    /// Names of files that govern it.
    pub config: Vec<Box<str>>,
    /// Whether these files are data, so that it loads no package that they name.
    pub data: bool,
    /// Words that make it neutral.
    pub harmless: Vec<Box<str>>,
    /// Words that make it a reader of commits.
    pub history: Vec<Box<str>>,
    /// Words that make it read everything.
    pub whole: Vec<Box<str>>,
}

/// One action of the table.
#[derive(Debug, Clone)]
pub struct PublishedAction {
    /// What it does.
    pub class: Class,
    /// The script that it runs, with `{key}` for its inputs.
    pub run: Option<Box<str>>,
    /// The input that holds the directory of `run`.
    pub directory: Option<Box<str>>,
    /// Values of absent inputs.
    pub defaults: BTreeMap<Box<str>, Box<str>>,
    /// Inputs whose value names files that it reads.
    pub paths: Vec<Box<str>>,
    /// Extensions of a tree-wide action.
    pub extensions: Vec<Box<str>>,
    /// Inputs that make it a delivery.
    pub delivers: Vec<Box<str>>,
    /// Inputs that make it a reader of commits.
    pub history: Vec<Box<str>>,
    /// Inputs that make it read everything.
    pub whole: Vec<Box<str>>,
    /// Files that it reads without being told.
    pub config: Vec<Box<str>>,
}

/// The longest entry for a program and the words after it, and how many of the
/// words are its name.
pub fn command(program: &str, words: &[&str]) -> Option<(&'static Command, usize)> {
    let mut name = program.to_owned();
    let mut found = COMMANDS.get(&name).map(|command| (command, 0));
    for (index, word) in words.iter().take(2).enumerate() {
        name.push(' ');
        name.push_str(word);
        if let Some(command) = COMMANDS.get(&name) {
            found = Some((command, index + 1));
        }
    }
    found
}

/// The entry of an action by `owner/name` or `owner/name/path`, in any case.
pub fn action(name: &str) -> Option<&'static PublishedAction> {
    ACTIONS.get(&name.to_ascii_lowercase())
}

/// Reads the tables, which the first question does otherwise.
pub fn prepare() {
    LazyLock::force(&COMMANDS);
    LazyLock::force(&ACTIONS);
}

/// The extensions of a named set of `commands.toml`.
pub fn extensions(set: &str) -> Vec<Box<str>> {
    SETS.get(set).cloned().unwrap_or_default()
}

static COMMANDS_TOML: LazyLock<Table> =
    LazyLock::new(|| include_str!("commands.toml").parse().unwrap_or_default());

static SETS: LazyLock<BTreeMap<String, Vec<Box<str>>>> = LazyLock::new(|| {
    let sets = COMMANDS_TOML.get("sets").and_then(Value::as_table);
    let sets = sets.into_iter().flatten();
    sets.map(|(name, value)| (name.clone(), words(Some(value))))
        .collect()
});

static COMMANDS: LazyLock<BTreeMap<String, Command>> = LazyLock::new(|| {
    let mut commands = BTreeMap::new();
    for (entry, class) in entries(&COMMANDS_TOML, "command") {
        let list = |key| words(entry.get(key));
        let command = Command {
            class,
            skip: entry
                .get("skip")
                .and_then(Value::as_integer)
                .and_then(|skip| usize::try_from(skip).ok())
                .unwrap_or(0),
            values: list("values"),
            paths: list("paths"),
            extensions: expanded(&list("extensions")),
            config: list("config"),
            data: entry.get("data").and_then(Value::as_bool) == Some(true),
            harmless: list("harmless"),
            history: list("history"),
            whole: list("whole"),
        };
        for name in list("names") {
            commands.insert(name.into(), command.clone());
        }
    }
    commands
});

static ACTIONS: LazyLock<BTreeMap<String, PublishedAction>> = LazyLock::new(|| {
    let table: Table = include_str!("actions.toml").parse().unwrap_or_default();
    let mut actions = BTreeMap::new();
    for (entry, class) in entries(&table, "action") {
        let list = |key| words(entry.get(key));
        let text = |key| entry.get(key).and_then(Value::as_str).map(Into::into);
        let defaults = entry.get("defaults").and_then(Value::as_table);
        let action = PublishedAction {
            class,
            run: text("run"),
            directory: text("directory"),
            defaults: defaults
                .into_iter()
                .flatten()
                .filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into())))
                .collect(),
            paths: list("paths"),
            extensions: expanded(&list("extensions")),
            delivers: list("delivers"),
            history: list("history"),
            whole: list("whole"),
            config: list("config"),
        };
        for name in list("names") {
            actions.insert(name.to_ascii_lowercase(), action.clone());
        }
    }
    actions
});

fn entries<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = (&'a Table, Class)> {
    let list = table.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|value| {
        let entry = value.as_table()?;
        let class = entry.get("class").and_then(Value::as_str)?;
        Some((entry, Class::of(class)?))
    })
}

fn words(value: Option<&Value>) -> Vec<Box<str>> {
    let list = value.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|word| word.as_str().map(Into::into))
        .collect()
}

fn expanded(list: &[Box<str>]) -> Vec<Box<str>> {
    list.iter()
        .flat_map(|name| match SETS.get(name.as_ref()) {
            Some(set) => set.clone(),
            None => vec![name.clone()],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of both tables.
    const KEYS: &[&str] = &[
        "names",
        "class",
        "paths",
        "extensions",
        "config",
        "history",
        "whole",
    ];
    const OF_COMMANDS: &[&str] = &["skip", "values", "data", "harmless"];
    const OF_ACTIONS: &[&str] = &["run", "directory", "defaults", "delivers"];

    fn check_file(text: &str, key: &str, own: &[&str]) {
        let table: Table = text.parse().unwrap();
        let list = table[key].as_array().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for entry in list {
            let entry = entry.as_table().unwrap();
            let class = entry["class"].as_str().unwrap();
            assert!(Class::of(class).is_some(), "{class}");
            for key in entry.keys() {
                let mut known = KEYS.iter().chain(own);
                assert!(known.any(|known| known == key), "{key}");
                assert!(
                    text.contains(&format!("`{key}`")),
                    "{key} is not documented"
                );
            }
            for name in words(entry.get("names")) {
                assert!(names.insert(name.clone()), "{name} stands twice");
            }
        }
        assert_eq!(entries(&table, key).count(), list.len());
    }

    #[test]
    fn every_entry_of_the_tables_is_documented_and_stands_once() {
        check_file(include_str!("commands.toml"), "command", OF_COMMANDS);
        check_file(include_str!("actions.toml"), "action", OF_ACTIONS);
    }

    #[test]
    fn the_longest_name_of_a_program_wins() {
        let class = |program, words: &[&str]| command(program, words).map(|(c, n)| (c.class, n));
        assert_eq!(class("git", &["log", "-1"]), Some((Class::History, 1)));
        assert_eq!(class("git", &["unheard-of"]), Some((Class::Parent, 0)));
        assert_eq!(
            class("docker", &["buildx", "create"]),
            Some((Class::Neutral, 2))
        );
        assert_eq!(class("frobnicate", &[]), None);
    }

    #[test]
    fn an_action_is_found_in_any_case() {
        assert_eq!(
            action("Actions/Checkout").map(|a| a.class),
            Some(Class::Neutral)
        );
        assert!(action("nobody/nothing").is_none());
        assert!(ACTIONS.len() > 500);
    }
}
