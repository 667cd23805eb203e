//! Packages of the repository that configure a tool by their name.
//!
//! Linters, formatters, compilers and test runners load presets and plugins by name, and
//! the name may be a short one: `@x` of eslint is `@x/eslint-config`. Every text of a
//! configuration that may be the name of a package of this repository makes that
//! package an input, and so does what this package names or needs in turn.
//!
//! It only adds. A name that nothing here has is of a package from outside, which is a
//! matter of the lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::memo::{Asked, Kinds};
use super::super::programs::list;
use super::super::table::{self, Command};
use super::super::walk::{Invocation, Walk, below};
use super::super::wide::{is_code, words};
use crate::engine::globs::Glob;
use crate::engine::ownership::is_inert;
use crate::engine::packages::{Ecosystem, Package, Packages};
use crate::engine::tree::{Snapshot, base_name, dir_of, join};
use crate::engine::yaml::{self, Node};

/// Directories of packages.
pub(in crate::engine::inputs) type Dirs = BTreeSet<Box<str>>;
/// Directories of packages by the names that tools know them by.
pub(in crate::engine::inputs) type Names = BTreeMap<Box<str>, Dirs>;

/// What stands in the name of a package and may be left out of a configuration
/// (<https://eslint.org/docs/v8.x/use/configure/plugins#naming-convention>,
/// <https://babeljs.io/docs/options#name-normalization>).
const LEFT_OUT: &str = "eslint-config eslint-plugin prettier-config prettier-plugin babel-preset \
    babel-plugin jest-environment jest-runner jest-watch jest-preset vitest-environment \
    commitlint-config commitlint-plugin stylelint-config stylelint-plugin stylelint-processor \
    remark rehype retext karma mocha tslint textlint-rule nyc-config release-config \
    semantic-release oxlint-plugin gatsby-plugin gatsby-theme docusaurus-plugin \
    docusaurus-theme docusaurus-preset browserslist-config storybook-addon";

/// Keys of a `package.json` that configure no tool.
const OF_NPM: &str = "name version description keywords homepage bugs license author contributors \
    funding files main module exports types typings typesVersions browser source svelte bin man \
    directories repository scripts dependencies devDependencies peerDependencies \
    peerDependenciesMeta optionalDependencies dependenciesMeta bundleDependencies \
    bundledDependencies resolutions overrides pnpm workspaces engines os cpu libc private \
    publishConfig packageManager volta type sideEffects imports config unpkg jsdelivr readme \
    catalog catalogs installConfig devEngines";

/// Fields that say under which name a package is taken.
const FIELDS: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// Endings of files in which a package may name others.
const TEXTS: &[&str] = &[
    ".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".json", ".jsonc", ".json5", ".yml", ".yaml",
];

/// How many files a package may have whose texts are looked at: settings are small, and
/// what a larger one needs stands in its manifest.
const MOST: usize = 100;

impl Walk<'_> {
    /// The packages that configure a tool of the table, at, above and below a directory.
    pub(in crate::engine::inputs) fn configured(
        &mut self,
        call: &Invocation,
        command: &Command,
        dir: &str,
    ) {
        let mut names = command.config.iter();
        let mut kinds = command.extensions.iter();
        let reads_names =
            names.any(|name| **name == *"package.json") || kinds.any(|kind| **kind == *"js");
        if reads_names && !command.data {
            self.configured_by_name(call, dir);
        }
    }

    /// The packages of the repository that settings at, above and below a directory
    /// name, or the words of a command.
    pub(in crate::engine::inputs) fn configured_by_name(&mut self, call: &Invocation, dir: &str) {
        let names = self.own_names();
        if names.is_empty() {
            return;
        }
        let mut told = Dirs::new();
        for word in call.texts().iter().skip(1) {
            let parts = word.split(['=', ',', ':']).chain([*word]);
            parts.for_each(|part| look_up(&names, part, &mut told));
        }
        let key = told
            .iter()
            .fold(format!("at {dir}"), |key, dir| key + "\n" + dir);
        let inside = join(dir, "x").unwrap_or_default();
        self.take_packages(call, (&key, &inside), |walk| {
            let mut found = told;
            let mut open = walk.settings_around(dir);
            let mut seen: BTreeSet<String> = open.iter().cloned().collect();
            while let Some(path) = open.pop() {
                found.extend(walk.packages_in(&path, &names).iter().cloned());
                let extended = walk.extended_by(&path).into_iter();
                open.extend(extended.filter(|path| seen.insert(path.clone())));
            }
            (found, names)
        });
    }

    /// The packages that one file of settings names.
    pub(in crate::engine::inputs) fn configured_in(&mut self, call: &Invocation, path: &str) {
        let names = self.own_names();
        if names.is_empty() {
            return;
        }
        let key = format!("in {path}");
        self.take_packages(call, (&key, path), |walk| {
            ((*walk.packages_in(path, &names)).clone(), names)
        });
    }

    /// Adds the packages behind those that `find` gives for a key at a path.
    fn take_packages(
        &mut self,
        call: &Invocation,
        (key, path): (&str, &str),
        find: impl FnOnce(&mut Self) -> (Dirs, Rc<Names>),
    ) {
        let (globs, _) = self.asked_once(key, |walk| {
            let own = walk.context.packages.owner_dir(path);
            let own: Box<str> = own.unwrap_or_default().into();
            let (found, names) = find(walk);
            (walk.packages_behind(found, &names, &own), false)
        });
        if !globs.is_empty() {
            self.entry(call, globs.to_vec());
        }
    }

    /// The globs that `find` gives, which depend on the key alone and add nothing, and
    /// whether they may be any. The texts that it asks for are asked for each time.
    pub(super) fn asked_once(
        &mut self,
        key: &str,
        find: impl FnOnce(&mut Self) -> (Vec<Glob>, bool),
    ) -> (Rc<[Glob]>, bool) {
        let memo = self.context.memo;
        let asked = memo.asked(key, || {
            let outer = std::mem::take(&mut self.out.missing_texts);
            let (globs, is_open) = find(self);
            let missing = std::mem::replace(&mut self.out.missing_texts, outer);
            Asked {
                globs: globs.into(),
                is_open,
                missing: missing.into(),
            }
        });
        let missing = asked.missing.iter().cloned();
        self.out.missing_texts.extend(missing);
        (asked.globs, asked.is_open)
    }

    fn own_names(&self) -> Rc<Names> {
        let context = self.context;
        let read = || {
            names_of(context.packages, context.snapshot, |path, text| {
                context.memo.json(path, text)
            })
        };
        context.memo.own_names(read)
    }

    /// Files of settings at, above and below a directory.
    fn settings_around(&self, dir: &str) -> Vec<String> {
        let tree = &self.context.snapshot.tree;
        let inside = tree.span(dir);
        let is_above = |path: &str| {
            let at = dir_of(path);
            at.is_empty()
                || dir
                    .strip_prefix(at)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let files = self.context.memo.settings(|| {
            let all = tree.iter().filter(|(_, entry)| is_settings(&entry.path));
            all.map(|(file, _)| file).collect()
        });
        let paths = files.iter().map(|file| (file, tree.path(*file)));
        let around = paths.filter(|(file, path)| inside.contains(file) || is_above(path));
        around.map(|(_, path)| path.to_owned()).collect()
    }

    /// The packages that a file names.
    fn packages_in(&mut self, path: &str, names: &Names) -> Rc<Dirs> {
        let Some(text) = self.text(path) else {
            return Rc::default();
        };
        let memo = self.context.memo;
        memo.named_packages(path, || {
            let mut found = Dirs::new();
            for name in spoken(path, text) {
                look_up(names, &name, &mut found);
            }
            Rc::new(found)
        })
    }

    /// Globs of packages, of what these name, and of what their manifests need of the
    /// repository.
    fn packages_behind(&mut self, found: Dirs, names: &Names, own: &str) -> Vec<Glob> {
        let mut open: Vec<Box<str>> = found.iter().cloned().collect();
        let mut seen = found;
        let mut globs: BTreeSet<Glob> = BTreeSet::new();
        while let Some(dir) = open.pop() {
            if dir.is_empty() || *dir == *own {
                // Who configures itself has its scripts for that, and not its prose.
                let kinds = table::extensions("script").into_iter();
                let kinds = kinds.chain(["json".into()]);
                globs.extend(kinds.map(|kind| below(&dir, &format!("**/*.{kind}"))));
                continue;
            }
            let mut more = Dirs::new();
            for package in self.context.packages.in_dir(&dir) {
                let needs = package.requires.iter().filter_map(|name| names.get(name));
                more.extend(needs.flatten().cloned());
            }
            let held = self.context.memo.kinds(&dir, || self.kinds(&dir));
            globs.extend(held.globs.iter().cloned());
            let texts = held.texts.iter();
            for path in texts.filter(|_| held.texts.len() <= MOST) {
                more.extend(self.packages_in(path, names).iter().cloned());
            }
            open.extend(more.into_iter().filter(|dir| seen.insert(dir.clone())));
        }
        globs.into_iter().collect()
    }

    /// Globs of the files of a directory but for prose, and those that may name packages.
    fn kinds(&self, dir: &str) -> Kinds {
        let mut kinds = Kinds::default();
        let mut endings: BTreeSet<&str> = BTreeSet::new();
        for (_, entry) in self.context.snapshot.tree.under(dir) {
            let path = entry.path.as_ref();
            if is_inert(path) {
                continue;
            }
            match base_name(path).rsplit_once('.') {
                Some((_, ending)) => drop(endings.insert(ending)),
                None => drop(kinds.globs.insert(Glob::path(path))),
            }
            if TEXTS.iter().any(|end| path.ends_with(end)) {
                kinds.texts.push(path.to_owned());
            }
        }
        let endings = endings.into_iter();
        let globs = endings.map(|it| below(dir, &format!("**/*.{}", Glob::path(it).as_str())));
        kinds.globs.extend(globs);
        kinds
    }
}

/// Whether a file holds settings of a tool of Node.
fn is_settings(path: &str) -> bool {
    let name = base_name(path);
    let starts = |words: &'static str| list(words).iter().any(|word| name.starts_with(word));
    let is_run_commands = name.strip_prefix('.').is_some_and(|rest| {
        let stem = rest.split('.').next().unwrap_or(rest);
        stem.ends_with("rc")
    });
    name == "package.json"
        || is_run_commands
        || name.contains(".config.")
        || path.contains(".storybook/") && is_code(path)
        || (starts("tsconfig jsconfig") && name.ends_with(".json"))
        || starts(
            "jest. jest- vitest. karma.conf wdio. gatsby- angular.json nx.json turbo.json \
             lerna.json biome.json app.json tslint.json typedoc.json knip.json .size-limit \
             api-extractor.json .markdownlint .dependency-cruiser",
        )
}

/// The names of all packages with their short forms, and names by which manifests take
/// a package of the repository.
fn names_of(
    packages: &Packages,
    snapshot: &Snapshot,
    json: impl Fn(&str, &str) -> Option<Rc<Node>>,
) -> Names {
    let of_node = || {
        packages
            .list
            .iter()
            .filter(|it| it.ecosystem == Ecosystem::Node)
    };
    let mut names = Names::new();
    let mut add = |name: &str, dir: &str| {
        for alias in aliases(name) {
            names.entry(alias.into()).or_default().insert(dir.into());
        }
    };
    for package in of_node() {
        if let Some(name) = package.name.as_deref().filter(|name| !name.is_empty()) {
            add(name, &package.dir);
        }
    }
    for package in of_node() {
        let text = snapshot.text(&package.manifest);
        let Some(root) = text.and_then(|text| json(&package.manifest, text)) else {
            continue;
        };
        let entries = FIELDS.iter().filter_map(|field| root.get(field)?.entries());
        for entry in entries.flatten() {
            let version = entry.value.as_str().unwrap_or_default();
            if let Some(dir) = meant(package, version, of_node()) {
                add(&entry.key, &dir);
            }
        }
    }
    names
}

/// The package that a version in a manifest means, where it is no plain version.
fn meant<'p>(
    package: &Package,
    version: &str,
    mut all: impl Iterator<Item = &'p Package>,
) -> Option<Box<str>> {
    let (protocol, rest) = version.split_once(':').unwrap_or(("", version));
    let is_path = rest.starts_with("./") || rest.starts_with("../");
    match protocol {
        "file" | "link" | "portal" => {}
        "" | "workspace" if is_path => {}
        "workspace" | "npm" => {
            let at = rest.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
            let name = rest.get(..at);
            let found = all.find(|other| other.name.as_deref() == name)?;
            return Some(found.dir.clone());
        }
        _ => return None,
    }
    let dir = join(&package.dir, rest)?;
    let found = all.find(|other| *other.dir == *dir)?;
    Some(found.dir.clone())
}

/// A name, and the short forms of it.
fn aliases(name: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([name.to_owned()]);
    if let Some(rest) = name.strip_prefix("@types/") {
        all.insert(rest.to_owned());
    }
    let (scope, base) = match name.split_once('/') {
        Some((scope, base)) if scope.starts_with('@') => (scope, base),
        _ => ("", name),
    };
    for kind in list(LEFT_OUT) {
        match base.strip_prefix(kind) {
            Some("") if !scope.is_empty() => drop(all.insert(scope.to_owned())),
            Some(rest) if rest.starts_with('-') => {
                let rest = rest.trim_start_matches('-');
                let slash = if scope.is_empty() { "" } else { "/" };
                all.insert(format!("{scope}{slash}{rest}"));
            }
            _ => {}
        }
    }
    all.remove("");
    all
}

/// Adds the packages that a text may mean: by the name that it begins with, by its scope
/// alone, and all of a scope where the rest is computed.
fn look_up(names: &Names, text: &str, found: &mut Dirs) {
    let mut take = |name: &str| found.extend(names.get(name).into_iter().flatten().cloned());
    let Some((first, rest)) = text.split_once('/') else {
        return take(text);
    };
    if !first.starts_with('@') {
        return take(first);
    }
    take(first);
    let second = rest.split('/').next().unwrap_or(rest);
    take(&format!("{first}/{second}"));
    if second.is_empty() || second.contains('$') {
        let scope = format!("{first}/");
        let all = names.iter().filter(|(name, _)| name.starts_with(&scope));
        found.extend(all.flat_map(|(_, dirs)| dirs).cloned());
    }
}

/// The texts of a file of settings that may be names.
fn spoken(path: &str, text: &str) -> Vec<String> {
    let name = base_name(path);
    let plain = text.replace("\\/", "/");
    let is_compiler = name.starts_with("tsconfig") || name.starts_with("jsconfig");
    if name == "package.json" || is_compiler {
        let lines = plain
            .lines()
            .filter(|it| !it.trim_start().starts_with("//"));
        let clean = lines.collect::<Vec<_>>().join("\n").replace('\t', "  ");
        if let Ok(root) = yaml::parse(path, clean.trim_start_matches('\u{feff}')) {
            // What is mapped to a directory is followed to its files elsewhere.
            return if is_compiler {
                texts(&root, &[], &["paths"])
            } else {
                texts(&root, &list(OF_NPM), &[])
            };
        }
    }
    let is_quoted = is_code(path)
        || [".json", ".jsonc", ".json5"]
            .iter()
            .any(|it| name.ends_with(it));
    if !is_quoted {
        return words(&plain).map(str::to_owned).collect();
    }
    let pieces = plain.split(['"', '\'', '`']);
    let pieces = pieces.filter(|it| !it.is_empty() && !it.contains(char::is_whitespace));
    pieces.flat_map(words).map(str::to_owned).collect()
}

/// The keys and values of a document, but for some keys of the top and some of any
/// depth.
fn texts(root: &Node, of_top: &[&str], left: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    let mut open: Vec<&Node> = Vec::new();
    let top = root.entries().unwrap_or_default().iter();
    let told = top.filter(|it| !of_top.contains(&&*it.key));
    open.extend(told.map(|it| &it.value));
    while let Some(node) = open.pop() {
        all.extend(node.as_str().into_iter().flat_map(words).map(str::to_owned));
        open.extend(node.items().unwrap_or_default());
        for entry in node.entries().unwrap_or_default() {
            if !left.contains(&&*entry.key) {
                all.extend(words(&entry.key).map(str::to_owned));
                open.push(&entry.value);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_short_forms_that_tools_know() {
        let check = |name: &str, expected: &[&str]| {
            let all = aliases(name);
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            assert_eq!(all, expected);
        };
        check("@x/eslint-config", &["@x", "@x/eslint-config"]);
        check("@x/eslint-config-a", &["@x/a", "@x/eslint-config-a"]);
        check("eslint-plugin-a", &["a", "eslint-plugin-a"]);
        check("@types/a", &["@types/a", "a"]);
        check("eslint-config", &["eslint-config"]);
        check("b", &["b"]);
    }

    #[test]
    fn names_stand_in_the_texts_of_settings() {
        let check = |path: &str, text: &str, name: &str, expected: bool| {
            let found = spoken(path, text);
            assert_eq!(
                found.iter().any(|it| it == name),
                expected,
                "{path}: {found:?}"
            );
        };
        let manifest = "{\"jest\": {\"preset\": \"a\"}, \"dependencies\": {\"b\": \"1\"}}";
        check("package.json", manifest, "a", true);
        check("package.json", manifest, "b", false);
        let compiler =
            "{\n// c\n\"compilerOptions\": {\"types\": [\"a\"], \"paths\": {\"b\": [\"d\"]}}}";
        check("p/tsconfig.json", compiler, "a", true);
        check("p/tsconfig.json", compiler, "b", false);
        check(
            "x.config.js",
            "export default {test: ['a', \"plugin:@x/b/c\"]}",
            "a",
            true,
        );
        check(
            "x.config.js",
            "export default {test: 'plugin:@x/b/c'}",
            "@x/b/c",
            true,
        );
        check("x.config.js", "export default {test: 'a'}", "test", false);
        check(".eslintrc", "extends: a", "a", true);
        check(".eslintrc.json", "{\"extends\": \"@x\\/a\"}", "@x/a", true);
    }
}
