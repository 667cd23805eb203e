//! Gradle's builds: settings, modules, and who depends on whom.
//!
//! No script is run. What is fixed by convention plugins, by `subprojects`, or by
//! a script that is applied from elsewhere is taken to hold for every module of the
//! build, and a dependency that no literal names is taken to be on all of them.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::script::{self, Need, Scope, Script, Target};
use super::{Layout, Link, Part, Shared, ancestors};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// Adds every Gradle build of the tree.
pub(super) fn read(snapshot: &Snapshot, layout: &mut Layout) {
    let builds = find_builds(snapshot, layout);
    for (root, build) in &builds {
        let reader = Reader {
            snapshot,
            root,
            build,
            catalog: read_catalog(snapshot, root),
        };
        reader.read(layout);
    }
}

/// One build: what a settings file, or a lone build script, holds together.
#[derive(Debug, Default)]
struct Build {
    /// Directories by the path of their project.
    projects: BTreeMap<String, String>,
    /// Directories of included builds.
    included: Vec<String>,
}

struct Reader<'s> {
    snapshot: &'s Snapshot,
    root: &'s str,
    build: &'s Build,
    catalog: BTreeMap<String, Vec<String>>,
}

fn is_settings(path: &str) -> bool {
    matches!(base_name(path), "settings.gradle" | "settings.gradle.kts")
}

fn is_script(path: &str) -> bool {
    let name = base_name(path);
    (name.ends_with(".gradle") || name.ends_with(".gradle.kts")) && !is_settings(path)
}

fn find_builds(snapshot: &Snapshot, layout: &mut Layout) -> BTreeMap<String, Build> {
    let mut builds: BTreeMap<String, Build> = BTreeMap::new();
    let mut claimed: BTreeSet<String> = BTreeSet::new();
    for (file, entry) in snapshot.tree.iter() {
        if is_settings(&entry.path) {
            let root = dir_of(&entry.path).to_owned();
            let text = snapshot.text(&entry.path).unwrap_or_default();
            let settings = script::settings(&entry.path, text);
            let build = builds.entry(root.clone()).or_default();
            build.projects.insert(":".to_owned(), root.clone());
            let moved: BTreeMap<String, String> = settings.dirs.into_iter().collect();
            for path in settings.projects {
                let usual = path.replace(':', "/");
                let below = moved.get(&path).map_or(usual.as_str(), String::as_str);
                let below = below.trim_start_matches('/');
                match join(&root, below).filter(|dir| snapshot.tree.has_dir(dir)) {
                    Some(dir) => drop(build.projects.insert(path, dir)),
                    None => layout.unresolved.push((file, path)),
                }
            }
            let included = settings.builds.iter().filter_map(|dir| join(&root, dir));
            build.included.extend(included);
            claimed.extend(build.projects.values().cloned());
        }
    }
    claim_the_rest(snapshot, &mut builds, &claimed);
    for build in builds.values() {
        for (path, dir) in &build.projects {
            layout
                .modules
                .entry(dir.clone())
                .or_insert_with(|| path.clone());
        }
    }
    builds
}

/// A directory with a build script that no settings file names is a module of the
/// build above it, or a build of its own.
fn claim_the_rest(
    snapshot: &Snapshot,
    builds: &mut BTreeMap<String, Build>,
    claimed: &BTreeSet<String>,
) {
    for (_, entry) in snapshot.tree.iter() {
        let name = base_name(&entry.path);
        if !matches!(name, "build.gradle" | "build.gradle.kts") {
            continue;
        }
        let dir = dir_of(&entry.path);
        if claimed.contains(dir) {
            continue;
        }
        let above = ancestors(dir).find(|above| builds.contains_key(*above));
        let root = above.unwrap_or(dir).to_owned();
        let below = dir.get(root.len()..).unwrap_or_default();
        let path = format!(":{}", below.trim_matches('/').replace('/', ":"));
        let build = builds.entry(root).or_default();
        build.projects.entry(path).or_insert_with(|| dir.to_owned());
    }
}

/// External packages by the accessor of a version catalog, dots between words.
fn read_catalog(snapshot: &Snapshot, root: &str) -> BTreeMap<String, Vec<String>> {
    let path = join(root, "gradle/libs.versions.toml").unwrap_or_default();
    let text = snapshot.text(&path).unwrap_or_default();
    let table: Table = text.parse().unwrap_or_default();
    let section = |name: &str| {
        let section = table.get(name).and_then(Value::as_table);
        section.into_iter().flatten()
    };
    let accessor = |alias: &str| alias.replace(['-', '_'], ".");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (alias, value) in section("libraries") {
        if let Some(name) = library(value) {
            found.insert(accessor(alias), vec![name]);
        }
    }
    for (alias, value) in section("bundles") {
        let aliases = value.as_array().into_iter().flatten();
        let names = aliases
            .filter_map(Value::as_str)
            .filter_map(|alias| found.get(&accessor(alias)).cloned())
            .flatten()
            .collect();
        found.insert(format!("bundles.{}", accessor(alias)), names);
    }
    found
}

fn library(value: &Value) -> Option<String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let module = value.as_str().or_else(|| text("module"));
    if let Some(module) = module {
        let mut parts = module.split(':');
        return Some(format!("{}:{}", parts.next()?, parts.next()?));
    }
    Some(format!("{}:{}", text("group")?, text("name")?))
}

impl Reader<'_> {
    fn read(&self, layout: &mut Layout) {
        let shared = self.shared_files();
        for (project, dir) in &self.build.projects {
            for (file, path) in self.scripts_in(dir) {
                let text = self.snapshot.text(path).unwrap_or_default();
                let script = script::build(path, text);
                layout.configs.push((dir.clone(), file));
                self.take_applied(layout, dir, &script);
                self.take(layout, project, &script, &Scope::Own);
                self.take_externals(layout, file, &script);
            }
        }
        for file in &shared {
            self.take_shared(layout, *file);
        }
        layout.shared.push(Shared {
            label: format!("gradle build ./{}", self.root),
            dir: self.root.to_owned(),
            files: shared,
            modules: self.build.projects.values().cloned().collect(),
        });
    }

    /// Scripts that lie directly in a directory, whatever their name.
    fn scripts_in(&self, dir: &str) -> Vec<(FileId, &str)> {
        let files = self.snapshot.tree.under(dir);
        let skip = if dir.is_empty() { 0 } else { dir.len() + 1 };
        let is_direct = |path: &str| path.get(skip..).is_some_and(|rest| !rest.contains('/'));
        files
            .map(|(file, entry)| (file, entry.path.as_ref()))
            .filter(|(_, path)| is_script(path) && is_direct(path))
            .collect()
    }

    /// Everything that may decide for every module: the root's scripts and settings,
    /// properties above, `gradle/`, `buildSrc`, and included builds.
    fn shared_files(&self) -> Vec<FileId> {
        const NAMES: &[&str] = &["gradle.properties", "gradlew", "gradlew.bat", "lint.xml"];
        let tree = &self.snapshot.tree;
        let in_root = tree
            .in_dir(self.root)
            .filter(|(_, entry)| is_script(&entry.path) || is_settings(&entry.path));
        let mut files: Vec<FileId> = in_root.map(|(file, _)| file).collect();
        for above in ancestors(self.root) {
            let paths = NAMES.iter().filter_map(|name| join(above, name));
            files.extend(paths.filter_map(|path| tree.find(&path)));
        }
        let logic = ["gradle", "buildSrc", "build-logic"];
        let logic = logic.iter().filter_map(|name| join(self.root, name));
        for dir in logic.chain(self.build.included.iter().cloned()) {
            if dir != self.root && !self.root.starts_with(&format!("{dir}/")) {
                files.extend(tree.under(&dir).map(|(file, _)| file));
            }
        }
        files.sort_unstable();
        files.dedup();
        files
    }

    /// A shared script, or a source of the build's own plugins, may add to any module.
    fn take_shared(&self, layout: &mut Layout, file: FileId) {
        let path = self.snapshot.tree.path(file);
        if dir_of(path) == self.root || self.build.projects.values().any(|dir| dir == dir_of(path))
        {
            return;
        }
        if is_script(path) {
            let text = self.snapshot.text(path).unwrap_or_default();
            let script = script::build(path, text);
            self.take(layout, ":", &script, &Scope::Shared);
            self.take_externals(layout, file, &script);
        } else if let Some(facts) = self.snapshot.facts(file) {
            for literal in facts.literals.iter().filter(|text| text.starts_with(':')) {
                let need = Need {
                    scope: Scope::Shared,
                    target: Target::Path(literal.to_string()),
                    is_for_tests: false,
                    is_of_tests: false,
                };
                self.link(layout, ":", &need, &Scope::Shared);
            }
        }
    }

    fn take(&self, layout: &mut Layout, project: &str, script: &Script, own: &Scope) {
        for need in &script.needs {
            self.link(layout, project, need, own);
        }
    }

    fn take_applied(&self, layout: &mut Layout, dir: &str, script: &Script) {
        let tree = &self.snapshot.tree;
        for literal in &script.applied {
            let places = [join(dir, literal), join(self.root, literal)];
            let files = places.iter().flatten().filter_map(|path| tree.find(path));
            layout
                .configs
                .extend(files.map(|file| (dir.to_owned(), file)));
        }
    }

    fn take_externals(&self, layout: &mut Layout, file: FileId, script: &Script) {
        let literal = script.externals.iter().cloned();
        let listed = script.catalog.iter().filter_map(|accessor| {
            let mut key = accessor.as_str();
            loop {
                if let Some(names) = self.catalog.get(key) {
                    return Some(names.clone());
                }
                key = key.rsplit_once('.')?.0;
            }
        });
        let names = literal.chain(listed.flatten());
        layout.externals.extend(names.map(|name| (file, name)));
    }

    fn link(&self, layout: &mut Layout, project: &str, need: &Need, own: &Scope) {
        let scope = if need.scope == Scope::Own {
            own
        } else {
            &need.scope
        };
        let from: Vec<&String> = match scope {
            Scope::Own => self.build.projects.get(project).into_iter().collect(),
            Scope::Shared => self.build.projects.values().collect(),
            Scope::Of(path) => self.build.projects.get(path).into_iter().collect(),
        };
        let to: Vec<&String> = match &need.target {
            Target::All => self.build.projects.values().collect(),
            Target::Path(path) => self.find(path).into_iter().collect(),
            Target::Accessor(words) => match self.find_accessor(words) {
                Some(dir) => vec![dir],
                None => self.build.projects.values().collect(),
            },
            Target::Project(path) => {
                let below = [":", path.as_str()].concat();
                let relative = [project.trim_end_matches(':'), below.as_str()].concat();
                let found = self.find(path).or_else(|| self.find(&relative));
                match found.or_else(|| self.find(&below)) {
                    Some(dir) => vec![dir],
                    None => self.build.projects.values().collect(),
                }
            }
        };
        for (from, to) in from
            .iter()
            .flat_map(|from| to.iter().map(move |to| (from, to)))
        {
            let part = if need.is_for_tests {
                Part::Tests
            } else {
                Part::Code
            };
            let mut link = |target| {
                layout.links.insert(Link {
                    from: ((*from).clone(), part),
                    to: ((*to).clone(), target),
                });
            };
            link(Part::Code);
            if need.is_of_tests {
                link(Part::Tests);
            }
        }
    }

    /// The directory of a project's path, or of the project of a task's path.
    fn find(&self, path: &str) -> Option<&String> {
        let mut path = path;
        loop {
            if let Some(dir) = self.build.projects.get(path) {
                return Some(dir);
            }
            path = path.rsplit_once(':')?.0;
            if path.is_empty() {
                return None;
            }
        }
    }

    /// `projects.a.fooBar` is `:a:foo-bar`; what follows the project is left out.
    fn find_accessor(&self, words: &[String]) -> Option<&String> {
        let plain = |text: &str| -> String {
            let kept = text.chars().filter(char::is_ascii_alphanumeric);
            kept.flat_map(char::to_lowercase).collect()
        };
        let key = |parts: &[String]| parts.iter().map(|part| plain(part)).collect::<Vec<_>>();
        (1..=words.len()).rev().find_map(|length| {
            let wanted = key(words.get(..length)?).concat();
            let mut projects = self.build.projects.iter();
            let found = projects.find(|(path, _)| plain(path) == wanted);
            found.map(|(_, dir)| dir)
        })
    }
}
