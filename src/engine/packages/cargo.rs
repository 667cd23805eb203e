//! Reads `Cargo.toml`.
//!
//! A workspace without a `[package]` is a package directory too: it owns the
//! files beside it that no member owns.

use toml::{Table, Value};

use super::Declared;
use crate::engine::tree::Tree;

mod targets;

/// What the `Cargo.toml` of a directory declares.
pub(super) fn cargo_toml(text: &str, tree: &Tree, dir: &str) -> Declared {
    let Ok(manifest) = text.parse::<Table>() else {
        return Declared::unreadable();
    };
    let mut declared = Declared {
        name: name(&manifest),
        is_workspace: manifest.contains_key("workspace"),
        fault: targets::fault(&manifest, tree, dir),
        ..Declared::default()
    };
    sections(&manifest, &mut declared);
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        for section in targets.values().filter_map(Value::as_table) {
            sections(section, &mut declared);
        }
    }
    if let Some(workspace) = manifest.get("workspace").and_then(Value::as_table) {
        let members = workspace.get("members").and_then(Value::as_array);
        let members = members.into_iter().flatten().filter_map(Value::as_str);
        declared.members.extend(members.map(Box::from));
    }
    declared
}

fn name(manifest: &Table) -> Option<Box<str>> {
    let package = manifest
        .get("package")
        .or_else(|| manifest.get("project"))?;
    package.get("name")?.as_str().map(Box::from)
}

/// Every dependency section, under the name of the package it really asks for.
fn sections(table: &Table, declared: &mut Declared) {
    for section in [
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
    ] {
        let Some(asked) = table.get(section).and_then(Value::as_table) else {
            continue;
        };
        for (key, value) in asked {
            let renamed = value.get("package").and_then(Value::as_str);
            declared.require(renamed.unwrap_or(key));
        }
    }
}
