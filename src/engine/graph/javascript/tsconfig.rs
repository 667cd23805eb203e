//! What `tsconfig.json` says of module names: `paths` and `baseUrl`, through `extends`.
//!
//! A directory may hold several configurations (`tsconfig.spec.json`); all of them
//! count for the files below, because which one a tool takes is not known here.

use std::collections::BTreeMap;

use super::resolve::split_package;
use super::value::{Value, json};
use super::workspace::Workspace;
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// How often `extends` is followed, against circles.
const DEEPEST: usize = 16;

/// One entry of `paths`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alias {
    before: String,
    /// What follows the `*`; `None` when the pattern has none.
    after: Option<String>,
    /// Targets from the repository's root, with `*` kept.
    targets: Vec<String>,
}

impl Alias {
    /// A pattern with at most one `*`, with targets from the root.
    pub(super) fn new(pattern: &str, targets: Vec<String>) -> Self {
        match pattern.split_once('*') {
            Some((before, after)) => Self {
                before: before.to_owned(),
                after: Some(after.to_owned()),
                targets,
            },
            None => Self {
                before: pattern.to_owned(),
                after: None,
                targets,
            },
        }
    }

    /// The paths that a specifier stands for; none when the pattern does not fit.
    pub(super) fn apply(&self, specifier: &str) -> Vec<String> {
        let Some(after) = &self.after else {
            return if specifier == self.before {
                self.targets.clone()
            } else {
                Vec::new()
            };
        };
        let middle = specifier
            .strip_prefix(&self.before)
            .and_then(|rest| rest.strip_suffix(after.as_str()));
        let Some(middle) = middle else {
            return Vec::new();
        };
        self.targets
            .iter()
            .map(|target| target.replacen('*', middle, 1))
            .collect()
    }
}

/// What the configurations of one directory say together.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) aliases: Vec<Alias>,
    pub(super) bases: Vec<String>,
}

/// The configurations of a tree.
#[derive(Debug, Default)]
pub(super) struct Configs {
    scopes: BTreeMap<String, Scope>,
    /// Which configuration needs which, by `extends` and `references`.
    pub(super) links: Vec<(FileId, FileId)>,
}

impl Configs {
    /// Reads every `tsconfig*.json` and `jsconfig*.json`.
    pub(super) fn read(snapshot: &Snapshot, workspace: &Workspace) -> Self {
        let mut reader = Reader {
            snapshot,
            workspace,
            parsed: BTreeMap::new(),
            links: Vec::new(),
        };
        let is_config = |name: &str| {
            (name.starts_with("tsconfig") || name.starts_with("jsconfig"))
                && name.ends_with(".json")
        };
        let mut scopes: BTreeMap<String, Scope> = BTreeMap::new();
        for (_, entry) in snapshot.tree.iter() {
            if is_config(base_name(&entry.path)) {
                let dir = dir_of(&entry.path).to_owned();
                reader.add(
                    &entry.path,
                    &dir,
                    DEEPEST,
                    scopes.entry(dir.clone()).or_default(),
                );
            }
        }
        let mut links = reader.links;
        links.sort_unstable();
        links.dedup();
        Self { scopes, links }
    }

    /// The configurations that govern a directory, the nearest first.
    pub(super) fn above<'s>(&'s self, dir: &str) -> Vec<&'s Scope> {
        let mut scopes = Vec::new();
        let mut dir = dir;
        loop {
            scopes.extend(self.scopes.get(dir));
            if dir.is_empty() {
                return scopes;
            }
            dir = dir_of(dir);
        }
    }
}

struct Reader<'a> {
    snapshot: &'a Snapshot,
    workspace: &'a Workspace,
    parsed: BTreeMap<String, Option<Value>>,
    links: Vec<(FileId, FileId)>,
}

impl Reader<'_> {
    /// Adds what the file at `path` says; `leaf` is the directory that
    /// `${configDir}` stands for.
    fn add(&mut self, path: &str, leaf: &str, depth: usize, scope: &mut Scope) {
        let Some(config) = self.parse(path) else {
            return;
        };
        let dir = dir_of(path).to_owned();
        let place = |text: &str| match text.strip_prefix("${configDir}") {
            Some(rest) => join(leaf, rest.trim_start_matches('/')),
            None => join(&dir, text),
        };
        let base = config.text(&["compilerOptions", "baseUrl"]).and_then(place);
        for (pattern, targets) in config.entries(&["compilerOptions", "paths"]) {
            let from_base = |text: &str| match &base {
                Some(base) if !text.starts_with('$') => join(base, text),
                _ => place(text),
            };
            let targets = targets.texts().into_iter().filter_map(from_base).collect();
            scope.aliases.push(Alias::new(pattern, targets));
        }
        scope.bases.extend(base);
        if depth == 0 {
            return;
        }
        let extended = config
            .at(&["extends"])
            .map(Value::texts)
            .unwrap_or_default();
        let references = match config.at(&["references"]) {
            Some(Value::List(items)) => items
                .iter()
                .filter_map(|item| item.text(&["path"]))
                .collect(),
            _ => Vec::new(),
        };
        for (target, is_reference) in extended
            .iter()
            .map(|text| (*text, false))
            .chain(references.iter().map(|text: &&str| (*text, true)))
        {
            let Some(found) = self.locate(&dir, target) else {
                continue;
            };
            if let (Some(from), Some(to)) = (
                self.snapshot.tree.find(path),
                self.snapshot.tree.find(&found),
            ) {
                self.links.push((from, to));
            }
            // What a referenced project says holds for its own directory; only one
            // beside this file is another view of the same sources.
            if !is_reference || dir_of(&found) == dir {
                self.add(&found, leaf, depth - 1, scope);
            }
        }
    }

    fn locate(&self, dir: &str, target: &str) -> Option<String> {
        let path = if target.starts_with('.') {
            join(dir, target)?
        } else {
            self.in_package(dir, target)?
        };
        let candidates = [
            path.clone(),
            format!("{path}.json"),
            format!("{path}/tsconfig.json"),
        ];
        candidates
            .into_iter()
            .map(|path| path.trim_start_matches('/').to_owned())
            .find(|path| self.snapshot.tree.find(path).is_some())
    }

    /// A configuration of a package of the repository.
    fn in_package(&self, dir: &str, target: &str) -> Option<String> {
        let (name, below) = split_package(target);
        let linked = self.workspace.linked(dir, name);
        let package = linked.or_else(|| self.workspace.named(name).0.into_iter().next())?;
        let below = match below {
            "" => package.value.text(&["tsconfig"]).unwrap_or("tsconfig.json"),
            below => below,
        };
        join(&package.dir, below)
    }

    fn parse(&mut self, path: &str) -> Option<Value> {
        if let Some(known) = self.parsed.get(path) {
            return known.clone();
        }
        let value = self.snapshot.text(path).and_then(json);
        self.parsed.insert(path.to_owned(), value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_puts_the_middle_into_its_targets() {
        let check = |pattern: &str, specifier: &str, expected: &[&str]| {
            let alias = Alias::new(pattern, vec!["src/*".to_owned(), "gen/*.x".to_owned()]);
            assert_eq!(alias.apply(specifier), expected, "{pattern} {specifier}");
        };
        check("@/*", "@/a/b", &["src/a/b", "gen/a/b.x"]);
        check("*", "a", &["src/a", "gen/a.x"]);
        check("@/*/z", "@/a", &[]);
        check("@", "@", &["src/*", "gen/*.x"]);
        check("@", "@/a", &[]);
    }
}
