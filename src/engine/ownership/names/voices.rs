//! How a file speaks: code, recipes, the settings of a project, a manifest.
//!
//! The same word means more in code, which opens what it names, than in a manifest,
//! of which each part has a reader of its own. Parts that only packing and publishing
//! read are left out here.

use std::borrow::Cow;

use super::super::is_script;
use crate::engine::facts::{Language, could_name_a_path};
use crate::engine::tree::{Entry, base_name};

/// How much a file means by what it names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Voice {
    /// Code that runs: files, directories and globs.
    Code,
    /// Tool configuration and recipes, which name directories for the tool's own
    /// sake: data by path or base name only.
    Recipes,
    /// The settings of a project, which name files from their own directory.
    Project,
    /// A manifest whose builder does not open prose: as settings, without what is inert.
    Manifest,
}

/// Configuration written in a programming language speaks as recipes do.
pub(super) fn voice(entry: &Entry) -> Voice {
    let name = base_name(&entry.path);
    let is_config = name.contains(".config.")
        || name.starts_with('.')
        || name.ends_with(".gradle.kts")
        || matches!(
            name,
            "setup.py" | "noxfile.py" | "gulpfile.js" | "Gruntfile.js"
        );
    if is_config {
        Voice::Recipes
    } else {
        Voice::Code
    }
}

/// How the words of a text that is no source file are taken; `None` for data.
pub(super) fn written(entry: &Entry) -> Option<Voice> {
    match base_name(&entry.path) {
        "Makefile"
        | "GNUmakefile"
        | "makefile"
        | "justfile"
        | "Justfile"
        | ".justfile"
        | "Taskfile.yml"
        | "Taskfile.yaml"
        | "tox.ini"
        | "compose.yml"
        | "compose.yaml"
        | "docker-compose.yml"
        | "docker-compose.yaml" => Some(Voice::Recipes),
        "pyproject.toml" | "setup.cfg" => Some(Voice::Project),
        // Setuptools lists what it names, and opens it only to pack the sources.
        "package.json" | "Cargo.toml" | "pom.xml" | "MANIFEST.in" => Some(Voice::Manifest),
        _ if Language::of_path(&entry.path).is_none() && is_script(entry) => Some(Voice::Code),
        _ => None,
    }
}

/// The text of a manifest without the parts that only packing and publishing read.
pub(super) fn spoken<'t>(name: &str, text: &'t str) -> Cow<'t, str> {
    let is_packing: fn(&str) -> bool = match name {
        "pyproject.toml" => |head| {
            let tools = "towncrier codespell bumpversion commitizen semantic_release scriv typos";
            let mut tools = tools.split(' ');
            head.contains("sdist")
                || head == "[project.urls]"
                || tools.any(|tool| {
                    head.trim_matches(['[', ']'])
                        .starts_with(&format!("tool.{tool}"))
                })
        },
        "Cargo.toml" => |_| false,
        _ => return Cow::Borrowed(text),
    };
    let (mut kept, mut is_out, mut in_list) = (String::with_capacity(text.len()), false, false);
    for line in text.lines() {
        let clean = line.trim();
        if clean.starts_with('[') && !in_list && clean.ends_with(']') {
            is_out = is_packing(clean);
        }
        let key = clean.split('=').next().unwrap_or_default().trim();
        in_list |= name == "Cargo.toml" && matches!(key, "include" | "exclude");
        if !is_out && !in_list {
            kept.push_str(line);
            kept.push('\n');
        }
        in_list &= !clean.ends_with(']') && !clean.ends_with("],");
    }
    Cow::Owned(kept)
}

/// The words of a text that could name something, comments of `#` left out.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(|c: char| c.is_whitespace() || "\"'`(),;=:<>|&".contains(c)))
        .filter(|word| could_name_a_path(word))
}
