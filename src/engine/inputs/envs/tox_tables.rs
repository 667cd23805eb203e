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
    let mut found = Vec::new();
    let base = tox.get("env_run_base").and_then(Value::as_table);
    found.extend(base.map(|base| ("testenv".to_owned(), settings(base))));
    let environments = tox.get("env").and_then(Value::as_table);
    for (name, value) in environments.into_iter().flatten() {
        let table = value.as_table();
        found.extend(table.map(|table| (format!("testenv:{name}"), settings(table))));
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
    ];
    let values = keys.iter().filter_map(|key| {
        let value = table.get(*key)?;
        let text = match value {
            Value::Array(list) => list.iter().map(line).collect::<Vec<_>>().join("\n"),
            other => line(other),
        };
        Some(((*key).to_owned(), text, 1))
    });
    values.collect()
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

/// Whether tox installs the project from a distribution of its sources, as it does
/// unless it is told otherwise (<https://tox.wiki/en/stable/config.html#package>).
pub(super) fn packs_sources(sections: &Sections) -> bool {
    let for_all = ["tox", "testenv", "tox:tox"];
    let sections = sections
        .iter()
        .filter(|(name, _)| for_all.contains(&name.as_str()));
    let settings = sections.flat_map(|(_, settings)| settings);
    let mut others = settings.filter(|(key, value, _)| {
        let is_set = matches!(value.trim(), "true" | "True" | "1");
        match key.as_str() {
            "package" => matches!(
                value.trim(),
                "wheel" | "editable" | "editable-legacy" | "skip"
            ),
            "skipsdist" | "no_package" | "skip_install" => is_set,
            _ => false,
        }
    });
    others.next().is_none()
}
