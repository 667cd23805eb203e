//! Which file a path without an extension means.
//!
//! Files are indexed by their path without extension, so that one look-up gives every
//! candidate. A path that names a built `.js` also means the `.ts` beside it.

use rustc_hash::FxHashMap;

use crate::engine::tree::{FileId, Tree, base_name};

/// Extensions of modules that an import may leave out.
const MODULES: &[&str] = &[
    "ts", "tsx", "d.ts", "js", "jsx", "mts", "d.mts", "cts", "d.cts", "mjs", "cjs",
];
/// What is taken when no module has the name.
const OTHERS: &[&str] = &["json", "vue", "svelte", "node"];
/// Platforms that come between name and extension.
const PLATFORMS: &[&str] = &[".native", ".ios", ".android", ".web"];

/// The files of a tree that an import can mean.
#[derive(Debug)]
pub(super) struct Files<'a> {
    tree: &'a Tree,
    stems: FxHashMap<&'a str, Vec<(FileId, &'a str)>>,
    /// Whether the tree brings an own `node_modules`.
    pub(super) has_vendored: bool,
}

impl<'a> Files<'a> {
    /// Indexes a tree.
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut stems: FxHashMap<&'a str, Vec<(FileId, &'a str)>> = FxHashMap::default();
        let mut has_vendored = false;
        for (file, entry) in tree.iter() {
            if let Some((stem, extension)) = split(&entry.path) {
                stems.entry(stem).or_default().push((file, extension));
                has_vendored |= entry.path.contains("node_modules/");
            }
        }
        Self {
            tree,
            stems,
            has_vendored,
        }
    }

    /// The files that an import of this path means: a file, one with an extension
    /// left out or swapped; never a directory.
    pub(super) fn file(&self, path: &str) -> Vec<FileId> {
        let exact = self.tree.find(path);
        let mut found: Vec<FileId> = exact.into_iter().collect();
        if let Some((stem, extension)) = split(path) {
            let sources: &[&str] = match extension {
                "js" => &["ts", "tsx", "d.ts"],
                "jsx" => &["tsx", "d.ts"],
                "mjs" => &["mts", "d.mts"],
                "cjs" => &["cts", "d.cts"],
                _ => &[],
            };
            found.extend(self.with(stem, sources));
            if matches!(extension, "css" | "scss" | "less" | "json" | "graphql") && exact.is_some()
            {
                found.extend(self.tree.find(&format!("{path}.d.ts")));
            }
        }
        if found.is_empty() {
            found = self.with(path, MODULES);
        }
        if found.is_empty() {
            found = self.with(path, OTHERS);
        }
        for platform in PLATFORMS {
            if found.is_empty() && !path.is_empty() {
                found = self.with(&format!("{path}{platform}"), MODULES);
            }
        }
        found
    }

    /// The index of a directory.
    pub(super) fn index(&self, dir: &str) -> Vec<FileId> {
        let path = if dir.is_empty() {
            "index".to_owned()
        } else {
            format!("{dir}/index")
        };
        let found = self.with(&path, MODULES);
        if found.is_empty() {
            self.with(&path, OTHERS)
        } else {
            found
        }
    }

    fn with(&self, stem: &str, extensions: &[&str]) -> Vec<FileId> {
        let candidates = self.stems.get(stem).into_iter().flatten();
        candidates
            .filter(|(_, extension)| extensions.contains(extension))
            .map(|(file, _)| *file)
            .collect()
    }
}

/// A path without the extension of a module, and that extension.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let (stem, extension) = path.rsplit_once('.')?;
    if extension.contains('/') || base_name(path).starts_with('.') && base_name(stem).is_empty() {
        return None;
    }
    let declared = match extension {
        "ts" => stem.strip_suffix(".d").map(|stem| (stem, "d.ts")),
        "mts" => stem.strip_suffix(".d").map(|stem| (stem, "d.mts")),
        "cts" => stem.strip_suffix(".d").map(|stem| (stem, "d.cts")),
        _ => None,
    };
    Some(declared.unwrap_or((stem, extension)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::{Entry, Mode};

    fn check(paths: &[&str], asked: &str, expected: &[&str]) {
        let blob = ObjectId::from_bytes(&[1; 20]).unwrap();
        let entry = |path: &&str| Entry {
            path: (*path).into(),
            mode: Mode::File,
            blob,
        };
        let tree = Tree::new(paths.iter().map(entry).collect());
        let found = Files::new(&tree).file(asked);
        let found: Vec<&str> = found.iter().map(|file| tree.path(*file)).collect();
        assert_eq!(found, expected, "{asked}");
    }

    #[test]
    fn extensions_may_be_left_out_or_be_those_of_the_built_file() {
        let paths = [
            "a.ts",
            "b.d.ts",
            "b.js",
            "c.json",
            "d.test.ts",
            "e.tsx",
            "f.mts",
            "g.vue",
            "h.ios.js",
            "i.css",
        ];
        check(&paths, "a", &["a.ts"]);
        check(&paths, "a.js", &["a.ts"]);
        check(&paths, "b", &["b.d.ts", "b.js"]);
        check(&paths, "c", &["c.json"]);
        check(&paths, "d.test", &["d.test.ts"]);
        check(&paths, "e.jsx", &["e.tsx"]);
        check(&paths, "f.mjs", &["f.mts"]);
        check(&paths, "g", &["g.vue"]);
        check(&paths, "h", &["h.ios.js"]);
        check(&paths, "i.css", &["i.css"]);
        check(&paths, "i", &[]);
    }
}
