//! Whether Cargo finds the targets of a package.
//!
//! Cargo looks for every target of every member of a workspace before it builds any
//! of them (<https://doc.rust-lang.org/cargo/reference/cargo-targets.html>): a
//! package without a target, one whose declared target is not there, or two targets
//! of one name fail each command in the workspace. No content has a say in this, so
//! that it is told here once, and not by making every target an input of everyone.
//!
//! What Cargo would reject is told as a fault; to tell more is costly, never wrong.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::engine::tree::{Tree, join};

/// What keeps Cargo from loading the package, in words; `None` where nothing does.
pub(super) fn fault(manifest: &Table, tree: &Tree, dir: &str) -> Option<Box<str>> {
    let head = manifest
        .get("package")
        .or_else(|| manifest.get("project"))?
        .as_table()?;
    let package = Package {
        manifest,
        head,
        place: Place { tree, dir },
    };
    let found = package.library().or_else(|| {
        KINDS
            .iter()
            .find_map(|(kind, place)| package.targets(kind, place))
    });
    let fault = found.or_else(|| (!package.is_built()).then(|| "a target".to_owned()));
    fault.map(Into::into)
}

/// The tables of targets and the directories in which they are found.
const KINDS: &[(&str, &str)] = &[
    ("bin", "src/bin"),
    ("example", "examples"),
    ("test", "tests"),
    ("bench", "benches"),
];

struct Package<'a> {
    manifest: &'a Table,
    head: &'a Table,
    place: Place<'a>,
}

impl Package<'_> {
    fn name(&self) -> &str {
        text(self.head, "name").unwrap_or_default()
    }

    /// Packages without an edition, and those of 2015, may keep targets elsewhere.
    fn is_old(&self) -> bool {
        matches!(text(self.head, "edition"), None | Some("2015"))
            && self.head.get("edition").is_none_or(Value::is_str)
    }

    fn library(&self) -> Option<String> {
        let declared = self.manifest.get("lib")?.as_table()?;
        let path = text(declared, "path").unwrap_or("src/lib.rs");
        (!self.place.has(path) && !self.is_old()).then(|| path.to_owned())
    }

    /// Whether there is any target at all; one to test or to measure will do.
    fn is_built(&self) -> bool {
        let of_kind = |(kind, place): &(&str, &str)| {
            self.manifest.contains_key(*kind) || self.finds(kind) && !self.found(place).is_empty()
        };
        self.manifest.contains_key("lib")
            || self.place.has("src/lib.rs")
            || self.finds("bin") && self.place.has("src/main.rs")
            || KINDS.iter().any(of_kind)
    }

    /// Declared targets of a kind that are not there, or two of one name.
    fn targets(&self, kind: &str, place: &str) -> Option<String> {
        let listed = self.manifest.get(kind).and_then(Value::as_array);
        let mut declared = BTreeSet::new();
        for target in listed.into_iter().flatten().filter_map(Value::as_table) {
            let name = text(target, "name").unwrap_or_default();
            declared.insert(name);
            let is_there = match text(target, "path") {
                Some(path) => self.place.has(path),
                None => {
                    self.place.has(&format!("{place}/{name}.rs"))
                        || self.place.has(&format!("{place}/{name}/main.rs"))
                        || kind == "bin" && name == self.name() && self.place.has("src/main.rs")
                        || self.is_old()
                }
            };
            if !is_there {
                return Some(format!("the {kind} {name}"));
            }
        }
        let mut names = BTreeSet::new();
        if kind == "bin" && self.place.has("src/main.rs") {
            names.insert(self.name().to_owned());
        }
        let mut found = self.found(place).into_iter().filter(|_| self.finds(kind));
        let double =
            found.find(|name| !declared.contains(name.as_str()) && !names.insert(name.clone()));
        double.map(|name| format!("one {kind} {name}"))
    }

    /// Whether targets of a kind are looked for by themselves: `autotests = false`.
    fn finds(&self, kind: &str) -> bool {
        let key = match kind {
            "bench" => "autobenches".to_owned(),
            kind => format!("auto{kind}s"),
        };
        self.head.get(&key).and_then(Value::as_bool) != Some(false)
    }

    /// The names of the targets that Cargo finds in a directory, one for each place.
    fn found(&self, place: &str) -> Vec<String> {
        let Some(dir) = join(self.place.dir, place) else {
            return Vec::new();
        };
        let below = self.place.tree.under(&dir);
        let names = below.filter_map(|(_, entry)| {
            let path = entry.path.get(dir.len() + 1..)?;
            match path.split_once('/') {
                None => path.strip_suffix(".rs"),
                Some((name, rest)) => (rest == "main.rs").then_some(name),
            }
        });
        names.map(str::to_owned).collect()
    }
}

struct Place<'a> {
    tree: &'a Tree,
    dir: &'a str,
}

impl Place<'_> {
    /// Whether a file is there; a path that leaves the repository is not ours to judge.
    fn has(&self, path: &str) -> bool {
        join(self.dir, path).is_none_or(|path| self.tree.find(&path).is_some())
    }
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::{Entry, Mode};

    fn check(manifest: &str, files: &str, expected: Option<&str>) {
        let entry = |path: &str| Entry {
            path: format!("c/{path}").into(),
            mode: Mode::File,
            blob: ObjectId::from_bytes(&[1; 20]).unwrap(),
        };
        let tree = Tree::new(files.split_whitespace().map(entry).collect());
        let manifest = format!("[package]\nname = \"c\"\nedition = \"2021\"\n{manifest}");
        let found = fault(&manifest.parse().unwrap(), &tree, "c");
        assert_eq!(found.as_deref(), expected, "{manifest}{files}");
    }

    #[test]
    fn a_package_with_its_targets_has_no_fault() {
        check("", "src/lib.rs", None);
        check(
            "",
            "src/main.rs src/bin/d.rs tests/it/main.rs tests/a.rs tests/a/mod.rs",
            None,
        );
        check("", "src/bin/d/main.rs", None);
        check("[lib]\npath = \"lib.rs\"\n", "lib.rs", None);
        check(
            "[[bin]]\nname = \"c\"\n[[bench]]\nname = \"b\"\n",
            "src/main.rs benches/b.rs",
            None,
        );
        check(
            "[[test]]\nname = \"b\"\npath = \"../x.rs\"\n",
            "src/lib.rs ../x.rs",
            Some("the test b"),
        );
    }

    #[test]
    fn a_package_of_tests_or_benches_alone_has_no_fault() {
        check("", "tests/a.rs", None);
        check("[[bench]]\nname = \"b\"\npath = \"b.rs\"\n", "b.rs", None);
    }

    #[test]
    fn a_target_that_is_not_there_is_a_fault() {
        check("", "README.md", Some("a target"));
        check("autobins = false\n", "src/main.rs", Some("a target"));
        check("[lib]\nname = \"d\"\n", "src/main.rs", Some("src/lib.rs"));
        check(
            "[[bench]]\nname = \"b\"\n",
            "src/lib.rs",
            Some("the bench b"),
        );
        check("[[bin]]\nname = \"d\"\n", "src/main.rs", Some("the bin d"));
    }

    #[test]
    fn two_targets_of_one_name_are_a_fault() {
        check(
            "",
            "src/lib.rs tests/a.rs tests/a/main.rs",
            Some("one test a"),
        );
        check("", "src/main.rs src/bin/c.rs", Some("one bin c"));
        check(
            "autotests = false\n",
            "src/lib.rs tests/a.rs tests/a/main.rs",
            None,
        );
    }
}
