//! Packages of the repository by name, and what their manifests export.
//!
//! `exports`, `main` and their kin name built files. Where the tree does not hold
//! them, the source that such a build is made of is looked for under the same name.

use std::collections::BTreeMap;

use super::files::Files;
use super::value::{Value, json};
use crate::engine::globs::{self, Glob};
use crate::engine::tree::{FileId, Snapshot, base_name, dir_of, join};

/// One `package.json`.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) dir: String,
    pub(super) manifest: FileId,
    pub(super) value: Value,
    /// Whether a workspace lists its directory, or it is the root's.
    is_member: bool,
}

/// Every `package.json` of a tree.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    packages: Vec<Package>,
    by_name: BTreeMap<String, Vec<usize>>,
    by_dir: BTreeMap<String, usize>,
}

/// Fields of a manifest that name its entry.
const ENTRIES: &[&str] = &[
    "types", "typings", "source", "module", "main", "browser", "svelte",
];

impl Workspace {
    /// Reads them.
    pub(super) fn read(snapshot: &Snapshot) -> Self {
        let mut workspace = Self::default();
        for (file, entry) in snapshot.tree.iter() {
            if base_name(&entry.path) != "package.json" {
                continue;
            }
            let value = snapshot
                .text_of(entry.blob)
                .and_then(json)
                .unwrap_or(Value::Other);
            let index = workspace.packages.len();
            let dir = dir_of(&entry.path).to_owned();
            if let Some(name) = value.text(&["name"]) {
                workspace
                    .by_name
                    .entry(name.to_owned())
                    .or_default()
                    .push(index);
            }
            workspace.by_dir.insert(dir.clone(), index);
            let is_member = dir.is_empty();
            workspace.packages.push(Package {
                dir,
                manifest: file,
                value,
                is_member,
            });
        }
        workspace.mark_members(snapshot);
        workspace
    }

    /// The package of the nearest directory above.
    pub(super) fn owner(&self, dir: &str) -> Option<&Package> {
        let mut dir = dir;
        loop {
            if let Some(index) = self.by_dir.get(dir) {
                return self.packages.get(*index);
            }
            if dir.is_empty() {
                return None;
            }
            dir = dir_of(dir);
        }
    }

    /// The package in exactly this directory.
    pub(super) fn at(&self, dir: &str) -> Option<&Package> {
        self.packages.get(*self.by_dir.get(dir)?)
    }

    /// The packages of a name, and whether one of them certainly is what the name means.
    pub(super) fn named(&self, name: &str) -> (Vec<&Package>, bool) {
        let indexes = self.by_name.get(name).into_iter().flatten();
        let packages: Vec<&Package> = indexes
            .filter_map(|index| self.packages.get(*index))
            .collect();
        let members: Vec<&Package> = packages
            .iter()
            .copied()
            .filter(|package| package.is_member)
            .collect();
        if members.is_empty() {
            (packages, false)
        } else {
            (members, true)
        }
    }

    /// The package that a manifest at or above a directory takes under a name, which may
    /// be another one than its own: `file:../b`, `link:../b`, `workspace:b@*`.
    pub(super) fn linked(&self, dir: &str, name: &str) -> Option<&Package> {
        const FIELDS: &[&str] = &[
            "dependencies",
            "devDependencies",
            "optionalDependencies",
            "peerDependencies",
        ];
        let mut at = dir;
        loop {
            let owner = self.owner(at)?;
            let declared = FIELDS.iter().find_map(|it| owner.value.text(&[it, name]));
            if let Some(found) = declared.and_then(|it| self.meant(&owner.dir, it)) {
                return Some(found);
            }
            if owner.dir.is_empty() {
                return None;
            }
            at = dir_of(&owner.dir);
        }
    }

    /// The package of the repository that a version in a manifest means.
    fn meant(&self, dir: &str, version: &str) -> Option<&Package> {
        let (protocol, rest) = version.split_once(':').unwrap_or(("", version));
        match protocol {
            "file" | "link" | "portal" => self.at(&join(dir, rest)?),
            "workspace" if rest.starts_with('.') => self.at(&join(dir, rest)?),
            // `workspace:name@range`; a range alone is of the name itself.
            "workspace" | "npm" => {
                let at = rest.char_indices().skip(1).find(|(_, c)| *c == '@')?.0;
                self.named(rest.get(..at)?).0.into_iter().next()
            }
            "" if rest.starts_with("./") || rest.starts_with("../") => self.at(&join(dir, rest)?),
            _ => None,
        }
    }

    /// Whether some manifest declares to need this package.
    pub(super) fn declares(&self, name: &str) -> bool {
        ["devDependencies", "dependencies"].iter().any(|field| {
            self.packages
                .iter()
                .any(|package| package.value.at(&[field, name]).is_some())
        })
    }

    fn mark_members(&mut self, snapshot: &Snapshot) {
        let mut globs = Vec::new();
        for package in &self.packages {
            let listed = package.value.at(&["workspaces"]);
            let listed = listed.map(Value::texts).unwrap_or_default();
            globs.extend(
                listed
                    .into_iter()
                    .filter_map(|glob| member_glob(&package.dir, glob)),
            );
        }
        for (_, entry) in snapshot.tree.iter() {
            let dir = dir_of(&entry.path);
            let Some(text) = snapshot.text_of(entry.blob) else {
                continue;
            };
            match base_name(&entry.path) {
                "pnpm-workspace.yaml" => {
                    let listed = listed_in_yaml(text);
                    globs.extend(listed.into_iter().filter_map(|glob| member_glob(dir, glob)));
                }
                "lerna.json" => {
                    let listed = json(text);
                    let listed = listed.as_ref().and_then(|value| value.at(&["packages"]));
                    let listed = listed.map(Value::texts).unwrap_or_default();
                    globs.extend(listed.into_iter().filter_map(|glob| member_glob(dir, glob)));
                }
                _ => {}
            }
        }
        for package in &mut self.packages {
            package.is_member |= globs.iter().any(|glob| glob.is_match(&package.dir));
        }
    }
}

impl Package {
    /// The files that a subpath of the package means; `""` is the package itself.
    pub(super) fn resolve(&self, subpath: &str, files: &Files<'_>) -> Vec<FileId> {
        let key = if subpath.is_empty() {
            ".".to_owned()
        } else {
            format!("./{subpath}")
        };
        let mut targets: Vec<String> = match self.value.at(&["exports"]) {
            Some(exports) => mapped(exports, &key),
            None => Vec::new(),
        };
        if subpath.is_empty() {
            for field in ENTRIES {
                targets.extend(self.value.text(&[field]).map(str::to_owned));
            }
        } else {
            targets.push(subpath.to_owned());
        }
        let mut found: Vec<FileId> = targets
            .iter()
            .flat_map(|target| self.source_of(target, files))
            .collect();
        if found.is_empty() {
            let names: &[String] = &if subpath.is_empty() {
                vec!["src".to_owned(), String::new(), "lib".to_owned()]
            } else {
                vec![
                    format!("src/{subpath}"),
                    format!("lib/{subpath}"),
                    format!("src/exports/{subpath}"),
                ]
            };
            for name in names {
                if found.is_empty() {
                    found = self.beside(name, files);
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The files that a `#name` of `imports` means inside the package.
    pub(super) fn internal(&self, specifier: &str, files: &Files<'_>) -> Vec<FileId> {
        let targets = self
            .value
            .at(&["imports"])
            .map(|imports| mapped(imports, specifier));
        let targets = targets.unwrap_or_default();
        targets
            .iter()
            .flat_map(|target| self.source_of(target, files))
            .collect()
    }

    /// Packages from outside that `imports` puts in the place of a `#name`.
    pub(super) fn internal_externals(&self, specifier: &str) -> Vec<String> {
        let targets = self
            .value
            .at(&["imports"])
            .map(|imports| mapped(imports, specifier));
        targets
            .unwrap_or_default()
            .into_iter()
            .filter(|target| !target.starts_with('.'))
            .collect()
    }

    fn beside(&self, name: &str, files: &Files<'_>) -> Vec<FileId> {
        let Some(path) = join(&self.dir, name) else {
            return Vec::new();
        };
        let found = if name.is_empty() {
            Vec::new()
        } else {
            files.file(&path)
        };
        if found.is_empty() {
            files.index(&path)
        } else {
            found
        }
    }

    /// The file of a target, or the source that it is built from.
    pub(super) fn source_of(&self, target: &str, files: &Files<'_>) -> Vec<FileId> {
        let target = target.trim_start_matches("./");
        let found = self.beside(target, files);
        if !found.is_empty() {
            return found;
        }
        let target = target.trim_end_matches('/');
        let plain = [".d.ts", ".d.mts", ".d.cts", ".js", ".mjs", ".cjs"];
        let stem = plain
            .iter()
            .find_map(|end| target.strip_suffix(end))
            .unwrap_or(target);
        let mut rest = Some(stem);
        // `dist/esm/a.js` may be built from `src/esm/a`, `src/a`, `esm/a` or `a`.
        while let Some((_, below)) = rest.and_then(|rest| rest.split_once('/')) {
            for source in [
                format!("src/{below}"),
                below.to_owned(),
                format!("lib/{below}"),
            ] {
                let found = self.beside(&source, files);
                if !found.is_empty() {
                    return found;
                }
            }
            rest = Some(below);
        }
        Vec::new()
    }
}

/// The targets that an `exports` or `imports` gives to a key, under any condition
/// (<https://nodejs.org/api/packages.html#subpath-patterns>).
fn mapped(map: &Value, key: &str) -> Vec<String> {
    let is_sugar = match map {
        Value::Map(entries) => !entries.iter().any(|(name, _)| name.starts_with(['.', '#'])),
        _ => true,
    };
    if is_sugar {
        let texts = if key == "." { map.texts() } else { Vec::new() };
        return texts.into_iter().map(str::to_owned).collect();
    }
    if let Some(exact) = map.at(&[key]) {
        return exact.texts().into_iter().map(str::to_owned).collect();
    }
    let mut targets = Vec::new();
    for (pattern, value) in map.entries(&[]) {
        let (before, after) = match pattern.split_once('*') {
            Some(parts) => parts,
            None if pattern.ends_with('/') => (pattern.as_str(), ""),
            None => continue,
        };
        let middle = key
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        if let Some(middle) = middle {
            let texts = value.texts().into_iter();
            targets.extend(texts.map(|text| {
                if text.ends_with('/') {
                    format!("{text}{middle}")
                } else {
                    text.replace('*', middle)
                }
            }));
        }
    }
    targets
}

fn member_glob(dir: &str, glob: &str) -> Option<globset::GlobMatcher> {
    if glob.starts_with('!') {
        return None;
    }
    globs::compile(&Glob::join(dir, glob)?).ok()
}

/// The items of `packages:`, which is all that a workspace file lists.
fn listed_in_yaml(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut listed = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if let Some(item) = content.strip_prefix('-') {
            if inside {
                let item = item.split(" #").next().unwrap_or(item);
                listed.push(item.trim().trim_matches(['"', '\'']));
            }
        } else if let Some(rest) = content.strip_prefix("packages:") {
            inside = true;
            let flow = rest.trim().trim_matches(['[', ']']).split(',');
            listed.extend(
                flow.map(|item| item.trim().trim_matches(['"', '\'']))
                    .filter(|item| !item.is_empty()),
            );
        } else {
            inside = false;
        }
    }
    listed
}
