//! Reads Python's manifests: `pyproject.toml` of every builder, `setup.cfg`,
//! `setup.py`, `Pipfile` and requirement files.
//!
//! `setup.py` is a program: lists of literals are read, and anything else leaves
//! the requirements open.

use toml::{Table, Value};

use super::Declared;
use crate::engine::tree::{base_name, dir_of};

/// Whether a path is a requirement file: `requirements-dev.txt`,
/// `requirements/base.in`, `dev-requirements.txt`.
pub(crate) fn is_requirements(path: &str) -> bool {
    let name = base_name(path);
    let Some((stem, "txt" | "in")) = name.rsplit_once('.') else {
        return false;
    };
    stem.contains("requirements")
        || stem.starts_with("constraints")
        || base_name(dir_of(path)) == "requirements"
}

/// The distribution's name at the head of a requirement (PEP 508), as written.
pub(crate) fn requirement_name(requirement: &str) -> &str {
    let text = requirement.trim_start();
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// What a `pyproject.toml` declares.
pub(super) fn pyproject(text: &str) -> Declared {
    let Ok(manifest) = text.parse::<Table>() else {
        return Declared::unreadable();
    };
    let mut declared = Declared::default();
    let tool = |name: &str| manifest.get("tool").and_then(|tool| tool.get(name));
    let project = manifest.get("project");
    let poetry = tool("poetry");
    for (table, key) in [
        (project, "dependencies"),
        (project, "optional-dependencies"),
        (manifest.get("build-system"), "requires"),
        (tool("pdm"), "dev-dependencies"),
        (tool("uv"), "dev-dependencies"),
        (tool("hatch"), "envs"),
    ] {
        written(table.and_then(|table| table.get(key)), &mut declared);
    }
    written(manifest.get("dependency-groups"), &mut declared);
    for key in ["dependencies", "dev-dependencies"] {
        keyed(poetry.and_then(|table| table.get(key)), &mut declared);
    }
    let groups = poetry.and_then(|table| table.get("group"));
    for group in groups.and_then(Value::as_table).into_iter().flatten() {
        keyed(group.1.get("dependencies"), &mut declared);
    }
    declared.name = project
        .and_then(|table| table.get("name"))
        .or_else(|| poetry.and_then(|table| table.get("name")))
        .and_then(Value::as_str)
        .map(Box::from);
    let members = tool("uv").and_then(|uv| uv.get("workspace")?.get("members")?.as_array());
    let members = members.into_iter().flatten().filter_map(Value::as_str);
    declared.members.extend(members.map(Box::from));
    let dynamic = project.and_then(|table| table.get("dynamic")?.as_array());
    declared.open = dynamic.is_some_and(|fields| {
        fields
            .iter()
            .filter_map(Value::as_str)
            .any(|field| field.ends_with("dependencies"))
    });
    declared.weak = project.is_none()
        && poetry.is_none()
        && declared.requires.is_empty()
        && declared.members.is_empty();
    declared
}

/// Requirements written as strings, in lists and tables of any depth that TOML
/// could give; other values (`{include-group = "x"}`) name no requirement.
fn written(value: Option<&Value>, declared: &mut Declared) {
    let mut todo: Vec<&Value> = value.into_iter().collect();
    while let Some(value) = todo.pop() {
        match value {
            Value::Array(list) => {
                for item in list {
                    match item {
                        Value::String(text) => declared.require(requirement_name(text)),
                        other => todo.push(other),
                    }
                }
            }
            Value::Table(table) => todo.extend(table.values()),
            _ => {}
        }
    }
}

/// Requirements written as keys of a table (Poetry, Pipenv).
fn keyed(value: Option<&Value>, declared: &mut Declared) {
    let table = value.and_then(Value::as_table);
    for (name, _) in table.into_iter().flatten() {
        if name != "python" {
            declared.require(name);
        }
    }
}

/// What a `Pipfile` declares.
pub(super) fn pipfile(text: &str) -> Declared {
    let Ok(manifest) = text.parse::<Table>() else {
        return Declared::unreadable();
    };
    let mut declared = Declared::default();
    for (section, value) in &manifest {
        if !matches!(
            section.as_str(),
            "source" | "requires" | "scripts" | "pipenv"
        ) {
            keyed(Some(value), &mut declared);
        }
    }
    declared
}

/// What a `setup.cfg` declares.
pub(super) fn setup_cfg(text: &str) -> Declared {
    let mut declared = Declared {
        weak: true,
        ..Declared::default()
    };
    let (mut section, mut key) = (String::new(), String::new());
    for line in text.lines() {
        let trimmed = line.split(" #").next().unwrap_or_default().trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
            key.clear();
            declared.weak &= section != "metadata" && section != "options";
            continue;
        }
        let mut value = trimmed;
        if !line.starts_with([' ', '\t'])
            && let Some((left, right)) = trimmed.split_once(['=', ':'])
        {
            left.trim().clone_into(&mut key);
            value = right.trim();
        }
        match (section.as_str(), key.as_str()) {
            ("metadata", "name") => declared.name = Some(value.into()),
            ("options", "install_requires" | "setup_requires" | "tests_require")
            | ("options.extras_require", _) => {
                declared.open |= value.starts_with("file:");
                for item in value
                    .split(';')
                    .next()
                    .into_iter()
                    .flat_map(|v| v.split('\n'))
                {
                    declared.require(requirement_name(item));
                }
            }
            _ => {}
        }
    }
    declared
}

/// How many lists of one kind are read from a `setup.py`; a real one has a few.
const MAX_LISTS: usize = 16;

/// What a `setup.py` declares, as far as it is written in literals.
pub(super) fn setup_py(text: &str) -> Declared {
    let mut declared = Declared::default();
    for keyword in [
        "install_requires",
        "setup_requires",
        "tests_require",
        "extras_require",
    ] {
        for (count, (start, _)) in text.match_indices(keyword).enumerate() {
            if count == MAX_LISTS {
                declared.open = true;
                break;
            }
            let rest = text.get(start + keyword.len()..).unwrap_or_default();
            let Some(value) = rest.trim_start().strip_prefix('=') else {
                continue;
            };
            if !literal_list(value.trim_start(), &mut declared) {
                declared.open = true;
            }
        }
    }
    if let Some((_, rest)) = text
        .split_once("name=")
        .or_else(|| text.split_once("name ="))
    {
        let quoted = rest.trim_start();
        let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = quote.and_then(|quote| quoted.get(1..)?.split(quote).next());
        declared.name = inner.map(Box::from);
    }
    declared
}

/// Reads the strings of a bracketed literal; `false` when it holds anything else.
fn literal_list(text: &str, declared: &mut Declared) -> bool {
    let (mut depth, mut literal, mut rest) = (0_usize, true, text);
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return literal;
                }
            }
            '"' | '\'' => {
                let Some((word, after)) = rest.split_once(c) else {
                    return false;
                };
                if !after.trim_start().starts_with(':') {
                    declared.require(requirement_name(word));
                }
                rest = after;
            }
            '#' => rest = rest.split_once('\n').map_or("", |(_, after)| after),
            _ if depth == 0 => return false,
            _ => literal &= c.is_whitespace() || matches!(c, ',' | ':'),
        }
    }
    false
}

/// What a requirement file asks for; it never makes a package by itself.
pub(super) fn requirements(text: &str) -> Declared {
    let mut declared = Declared {
        weak: true,
        ..Declared::default()
    };
    for line in text.lines().map(str::trim) {
        if !line.starts_with(['#', '-', '.', '/']) {
            let name = requirement_name(line);
            let rest = line.get(name.len()..).unwrap_or_default();
            if !rest.starts_with("://") && !rest.starts_with('+') && !rest.starts_with('/') {
                declared.require(name);
            }
        }
    }
    declared
}
