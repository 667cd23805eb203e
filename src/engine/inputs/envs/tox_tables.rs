//! Tox's configuration in TOML, as the sections that its INI form has.
//!
//! Commands are lists of words; a word that is computed (`{ replace = ... }`) becomes
//! its default where it stands for the arguments of the command line, and stays
//! unknown otherwise.

use toml::{Table, Value};

use super::super::ini::{self, Sections, Setting};
use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START};

/// The sections in `pyproject.toml`; `None` when it does not configure tox.
pub(super) fn project(text: &str) -> Option<Sections> {
    let table = text.parse::<Table>().ok()?;
    let tox = table.get("tool")?.get("tox")?.as_table()?;
    if let Some(legacy) = tox.get("legacy_tox_ini").and_then(Value::as_str) {
        return Some(ini::sections(legacy));
    }
    Some(sections(tox))
}

/// The sections in `tox.toml`.
pub(super) fn file(text: &str) -> Option<Sections> {
    text.parse::<Table>().ok().map(|table| sections(&table))
}

fn sections(tox: &Table) -> Sections {
    let mut found = vec![("tox".to_owned(), settings(tox))];
    let base = tox.get("env_run_base").and_then(Value::as_table);
    found.extend(base.map(|base| ("testenv".to_owned(), settings(base))));
    let environments = tox.get("env").and_then(Value::as_table);
    for (name, value) in environments.into_iter().flatten() {
        let table = value.as_table();
        found.extend(table.map(|table| (format!("testenv:{name}"), settings(table))));
    }
    // `env_base.NAME` stands for environments by factors, as `NAME-{a,b}` does in INI
    // (<https://tox.wiki/en/latest/config.html>).
    let templates = tox.get("env_base").and_then(Value::as_table);
    for (name, value) in templates.into_iter().flatten() {
        let table = value.as_table();
        found.extend(table.map(|table| (format!("testenv:{name}-{{}}"), settings(table))));
    }
    found
}

fn settings(table: &Table) -> Vec<Setting> {
    let keys = [
        "change_dir",
        "deps",
        "commands",
        "commands_pre",
        "commands_post",
        "package",
        "no_package",
        "skip_install",
        "skipsdist",
        "base",
        "install_command",
        "set_env",
        "requires",
        "constraints",
    ];
    let values = keys.iter().filter_map(|key| {
        let value = table.get(*key)?;
        let text = match value {
            Value::Boolean(is_set) => is_set.to_string(),
            Value::Array(words) if *key == "install_command" => {
                words.iter().map(word).collect::<Vec<_>>().join(" ")
            }
            Value::Table(table) if *key == "set_env" => variables(table),
            Value::Array(list) => list.iter().map(line).collect::<Vec<_>>().join("\n"),
            other => line(other),
        };
        Some(((*key).to_owned(), text, 1))
    });
    values.collect()
}

/// Variables as lines of `NAME=VALUE`, and `file|FILE` for a file of them.
fn variables(table: &Table) -> String {
    let lines = table.iter().map(|(name, value)| match value {
        Value::String(text) if name == "file" => format!("file|{text}"),
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={}", word(other)),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// One command, or one dependency.
fn line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(words) => words.iter().map(word).collect::<Vec<_>>().join(" "),
        other => word(other),
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "'\\''")),
        Value::Table(table) => {
            let is_given = table.get("replace").and_then(Value::as_str) == Some("posargs");
            let default = table.get("default").and_then(Value::as_array);
            match default.filter(|_| is_given) {
                Some(words) => words.iter().map(word).collect::<Vec<_>>().join(" "),
                None if is_given => String::new(),
                None => format!("{UNKNOWN_START}a computed word{UNKNOWN_END}"),
            }
        }
        Value::Integer(number) => number.to_string(),
        _ => format!("{UNKNOWN_START}a computed word{UNKNOWN_END}"),
    }
}

/// How tox installs the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packaging {
    /// Not at all, or so that the sources are used where they lie.
    InPlace,
    /// As a wheel.
    Wheel,
    /// As a wheel made of a distribution of the sources.
    Sources,
}

/// How tox installs the project: from a distribution of its sources, unless it is told
/// otherwise for all environments
/// (<https://tox.wiki/en/stable/config.html#package>).
pub(super) fn packaging(sections: &Sections) -> Packaging {
    let value = |(key, value, _): &Setting| {
        let is_set = matches!(value.trim(), "true" | "True" | "1");
        match (key.as_str(), value.trim()) {
            ("package", "wheel") => Some(Packaging::Wheel),
            ("package", "editable" | "editable-legacy" | "skip") => Some(Packaging::InPlace),
            ("package", _) => Some(Packaging::Sources),
            ("skipsdist" | "no_package" | "skip_install", _) if is_set => Some(Packaging::InPlace),
            _ => None,
        }
    };
    let (mut for_all, mut for_some) = (Packaging::Sources, Packaging::InPlace);
    for (name, settings) in sections {
        let mut told = settings.iter().filter_map(value);
        if matches!(name.as_str(), "tox" | "testenv" | "tox:tox") {
            for_all = told.next_back().unwrap_or(for_all);
        } else if name.starts_with("testenv:") {
            for_some = told.fold(for_some, Packaging::more);
        }
    }
    for_all.more(for_some)
}

impl Packaging {
    /// The one that reads more.
    fn more(self, other: Self) -> Self {
        match (self, other) {
            (Self::Sources, _) | (_, Self::Sources) => Self::Sources,
            (Self::Wheel, _) | (_, Self::Wheel) => Self::Wheel,
            _ => Self::InPlace,
        }
    }
}
