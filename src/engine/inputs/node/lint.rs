//! Linters: which kinds of file they look at, and whether they run any.
//!
//! A linter reads scripts, and another kind of file only where a plugin or a pattern
//! of its configuration says so. A configuration that is not there, cannot be read,
//! or builds on a preset that is not in the list here may mean every kind.

use super::super::Input;
use super::super::programs::list;
use super::super::table;
use super::super::walk::{Invocation, Walk};
use crate::engine::facts::ImportKind;
use crate::engine::globs::Glob;
use crate::engine::tree::base_name;
use crate::engine::yaml;

/// Words of a configuration, and the extensions of the files that they bring in.
const FAMILIES: &[(&str, &str)] = &[
    ("markdown", "md mdx markdown"),
    ("mdx", "md mdx markdown"),
    (".md", "md mdx markdown"),
    ("json", "json json5 jsonc"),
    ("yml", "yml yaml"),
    ("yaml", "yml yaml"),
    ("css", "css scss sass less styl"),
    ("html", "html hbs handlebars ejs pug"),
    ("graphql", "graphql gql"),
    ("svg", "svg"),
    ("wasm", "wasm"),
    ("glsl", "glsl"),
    (".txt", "txt"),
];

/// Modules that a configuration may build on without linting other kinds of file
/// than scripts; `*` ends a prefix. A plugin says by its name what else it reads.
const PLAIN: &str = "eslint eslint/* eslint:* @eslint/js @eslint/compat @eslint/eslintrc globals \
    typescript-eslint @typescript-eslint/* eslint-plugin-* plugin:* eslint-config-prettier prettier \
    standard eslint-config-standard* airbnb* eslint-config-airbnb* google semistandard neostandard \
    node:* path url fs";

impl Walk<'_> {
    /// What a linter reads, as its imports lead; closed like code that runs where a
    /// plugin of the repository may run.
    pub(in crate::engine::inputs) fn check_files(
        &mut self,
        call: &Invocation,
        dir: &str,
        globs: Vec<Glob>,
    ) {
        if self.has_plugins(call, dir) || self.has_rules(call) {
            self.entry(call, globs);
        } else {
            self.add(call, Input::Checked(globs));
        }
    }

    /// Whether the repository itself has rules for a linter of scripts, which run.
    fn has_rules(&self, call: &Invocation) -> bool {
        let program = call.words.first().map_or("", |word| base_name(&word.text));
        let is_rules =
            |name: &str| name.contains("eslint-plugin") || name.contains("eslint-config");
        let mut packages = self.context.packages.list.iter();
        let has_local = || {
            let mut files = self.context.snapshot.tree.iter();
            files.any(|(_, entry)| base_name(&entry.path).contains("local-rules"))
        };
        let rules = call.texts().join(" ");
        program.contains("lint")
            && program != "tslint"
            && (packages.any(|package| package.name.as_deref().is_some_and(is_rules))
                || self.context.memo.has_lint_rules(has_local)
                || rules.contains("rulesdir")
                || rules.contains("resolve-plugins"))
    }

    /// Whether the settings of a type checker load plugins, which run.
    fn has_plugins(&mut self, call: &Invocation, dir: &str) -> bool {
        let program = call.words.first().map_or("", |word| &*word.text);
        if !matches!(base_name(program), "mypy" | "dmypy" | "pylint") {
            return false;
        }
        let names = list(
            "pyproject.toml setup.cfg tox.ini mypy.ini .mypy.ini .pylintrc pylintrc \
             pylintrc.toml .pylintrc.toml",
        );
        let mut paths: Vec<String> = Vec::new();
        for at in [dir, ""] {
            let inside = names
                .iter()
                .filter_map(|name| crate::engine::tree::join(at, name));
            paths.extend(inside.filter(|path| self.has_file(path)));
        }
        let told = call.texts().join(" ");
        // A file named on the command line is not looked for here.
        says_plugins(&told)
            || told.contains("--config-file")
            || told.contains("--rcfile")
            || paths
                .iter()
                .any(|path| self.text(path).is_none_or(says_plugins))
    }

    /// The kinds of file that a linter looks at, out of all that it might.
    pub(in crate::engine::inputs) fn lint_kinds(
        &mut self,
        call: &Invocation,
        all: &[Box<str>],
    ) -> Vec<Box<str>> {
        let program = call.words.first().map_or("", |word| base_name(&word.text));
        if !matches!(program, "eslint" | "eslint_d") {
            return all.to_vec();
        }
        let Some(words) = self.lint_settings() else {
            return all.to_vec();
        };
        let told = format!("{words} {}", call.texts().join(" "));
        let script = table::extensions("script");
        let is_told = |kind: &str| {
            let families = FAMILIES.iter();
            let mut families = families.filter(|(_, kinds)| list(kinds).contains(&kind));
            families.any(|(word, _)| told.contains(word))
        };
        let all = all.iter();
        let meant = all.filter(|kind| script.contains(kind) || is_told(kind));
        meant.cloned().collect()
    }

    /// The texts of all settings of eslint; `None` when one of them may mean any kind.
    fn lint_settings(&mut self) -> Option<String> {
        let tree = &self.context.snapshot.tree;
        let is_one = |path: &str| {
            let name = base_name(path);
            name.starts_with(".eslintrc") || name.starts_with("eslint.config.")
        };
        let paths = self.context.memo.lint_settings(|| {
            let all = tree.iter().filter(|(_, entry)| is_one(&entry.path));
            all.map(|(file, _)| file).collect()
        });
        let mut words = String::new();
        for path in paths.iter().map(|file| tree.path(*file)) {
            let text = self.text(path)?;
            let modules = self.lint_modules(path, text)?;
            if !modules.iter().all(|module| is_plain(module)) {
                return None;
            }
            words.push_str(&without_file_names(text));
        }
        (!paths.is_empty()).then_some(words)
    }

    /// What a configuration builds on.
    fn lint_modules(&self, path: &str, text: &str) -> Option<Vec<String>> {
        let snapshot = self.context.snapshot;
        if base_name(path).starts_with("eslint.config.") {
            let facts = snapshot.facts(snapshot.tree.find(path)?)?;
            let is_known = |kind| {
                matches!(
                    kind,
                    ImportKind::Static | ImportKind::Type | ImportKind::Require
                )
            };
            if !facts.dynamic.is_empty() || !facts.imports.iter().all(|it| is_known(it.kind)) {
                return None;
            }
            return Some(
                facts
                    .imports
                    .iter()
                    .map(|it| it.specifier.to_string())
                    .collect(),
            );
        }
        if path.ends_with("js") || path.ends_with("ts") {
            return None;
        }
        let clean = text.trim_start_matches('\u{feff}').replace('\t', "  ");
        let root = yaml::parse(path, &clean).ok()?;
        let overrides = root.get("overrides").and_then(yaml::Node::items);
        let nodes = std::iter::once(&root).chain(overrides.unwrap_or_default());
        let modules = nodes.flat_map(|node| {
            let lists = ["extends", "plugins"]
                .iter()
                .filter_map(|key| node.get(key));
            lists.flat_map(yaml::Node::words).map(str::to_owned)
        });
        Some(modules.map(|name| plugin(&name)).collect())
    }
}

fn says_plugins(text: &str) -> bool {
    text.contains("plugins") || text.contains("init-hook")
}

/// A plugin's short name as its module.
fn plugin(name: &str) -> String {
    if list(PLAIN).contains(&name) || name.contains([':', '/', '-', '.']) || name.starts_with('@') {
        name.to_owned()
    } else {
        format!("eslint-plugin-{name}")
    }
}

fn is_plain(module: &str) -> bool {
    let is_plugin = module.contains("/eslint-plugin");
    is_plugin
        || list(PLAIN)
            .iter()
            .any(|known| match known.strip_suffix('*') {
                Some(start) => module.starts_with(start),
                None => module == *known,
            })
}

/// The text without the names of manifests, which say nothing of what is linted.
fn without_file_names(text: &str) -> String {
    [
        "package.json",
        "tsconfig.json",
        "package-lock.json",
        "$schema",
        "json.schemastore.org",
    ]
    .iter()
    .fold(text.to_owned(), |text, name| text.replace(name, ""))
}
