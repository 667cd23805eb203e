//! Which changed files make everything run, whatever any job reads.
//!
//! A toolchain file, a base image, a build script or a submodule decides how all
//! jobs behave, so that no job's own inputs would show it. The built-in list is
//! `everything.toml`; the configuration adds globs. Where one of several packages
//! owns such a file it is that package's data and nothing more.
//!
//! Only files speak here: an unknown base, a queue or a holdout are the planner's.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use globset::GlobMatcher;
use rustc_hash::FxHashMap;
use toml::{Table, Value};

use super::diff::Change;
use super::globs::Glob;
use super::lock;
use super::ownership::{Class, Ownership, matcher};
use super::packages::Packages;
use super::plan::{ReasonId, RunEverything};
use super::policy::{self, Policy};
use super::tree::{Mode, Tree, dir_of};

/// What one side of a change knows.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The packages of that tree.
    pub packages: &'a Packages,
    /// The owners of that tree.
    pub ownership: &'a Ownership<'a>,
}

/// Why everything runs for these changes: sorted, without repeats, empty when nothing
/// forces it. `is_named` says whether anything in either tree names a path.
///
/// Lockfiles are not judged here: whoever reads them knows whether they parse.
pub fn reasons(
    changes: &[Change],
    base: Side<'_>,
    merge: Side<'_>,
    policy: &Policy,
    is_named: impl Fn(&str) -> bool,
) -> Vec<RunEverything> {
    let always: Vec<(&Glob, Option<GlobMatcher>)> = policy
        .always_full
        .iter()
        .map(|glob| (glob, matcher(glob).ok()))
        .collect();
    let mut found = BTreeSet::new();
    for change in changes {
        let path = change.path.as_ref();
        let mut add = |id, subject: &str| {
            found.insert(RunEverything {
                id,
                subject: subject.to_owned(),
            });
        };
        if path == policy::FILE {
            add(ReasonId::GateEdited, path);
        }
        if is_submodule(change) {
            add(ReasonId::SubmoduleMoved, path);
            continue;
        }
        if is_link(change) {
            let why = "a symbolic link says what lies under its name";
            add(ReasonId::ToolchainFile, &format!("{path} ({why})"));
        }
        for (glob, matcher) in &always {
            // A glob that cannot be read may mean any path.
            if matcher.as_ref().is_none_or(|glob| glob.is_match(path)) {
                add(ReasonId::AlwaysFull, &format!("{path} ({})", glob.as_str()));
            }
        }
        let before = change.before.map(|_| base);
        let after = change.after.map(|_| merge);
        let mut sides = before.into_iter().chain(after);
        if let Some((why, is_of_all)) = rule(path)
            && (is_of_all || sides.clone().any(|side| !is_of_one_package(side, path)))
        {
            add(ReasonId::ToolchainFile, &format!("{path} ({why})"));
        } else if sides.any(|side| side.ownership.classify(path) == Class::Unowned)
            && !is_named(path)
        {
            add(ReasonId::UnownedFile, path);
        }
    }
    found.into_iter().collect()
}

/// An added path that some machine cannot check out, or not beside another: a name that
/// Windows refuses, or one that differs from another in case alone.
/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>
pub fn unportable(changes: &[Change], merge: &Tree) -> Option<String> {
    let added: Vec<&str> = changes
        .iter()
        .filter(|change| change.before.is_none() && change.after.is_some())
        .map(|change| change.path.as_ref())
        .collect();
    if let Some(path) = added.iter().find(|path| path.split('/').any(is_refused)) {
        return Some((*path).to_owned());
    }
    if added.is_empty() {
        return None;
    }
    // Each spelling by what it is without case; the second of them is `None`.
    let mut spellings: FxHashMap<String, Option<&str>> = FxHashMap::default();
    for (_, entry) in merge.iter() {
        for path in with_parents(&entry.path) {
            let known = spellings.entry(path.to_lowercase()).or_insert(Some(path));
            *known = known.filter(|known| *known == path);
        }
    }
    let is_doubled = |path: &str| spellings.get(&path.to_lowercase()) == Some(&None);
    let mut doubled = added
        .iter()
        .filter(|path| with_parents(path).any(is_doubled));
    doubled.next().map(|path| (*path).to_owned())
}

fn with_parents(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(dir, _)| dir))
}

/// Whether Windows refuses a component of a path.
fn is_refused(name: &str) -> bool {
    const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];
    let stem = name
        .split('.')
        .next()
        .unwrap_or(name)
        .trim_end()
        .to_ascii_lowercase();
    let port = stem
        .strip_prefix("com")
        .or_else(|| stem.strip_prefix("lpt"));
    let is_port = port.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']));
    let is_foreign = |c: char| c.is_control() || "<>:\"|?*".contains(c);
    // `\xNN` is our spelling of a byte that is no UTF-8.
    let is_apart = |rest: &str| !rest.starts_with('x');
    name.contains(is_foreign)
        || name.split('\\').skip(1).any(is_apart)
        || name.ends_with(['.', ' '])
        || is_port
        || DEVICES.contains(&stem.as_str())
}

/// The line of configuration that would give an unowned file an owner, for `why`.
pub fn owning_line(path: &str) -> String {
    let glob = match dir_of(path).split('/').next() {
        None | Some("") => Glob::path(path),
        Some(top) => Glob::below(top, "**"),
    };
    format!("owns: {{ \"{}\": PACKAGE_DIRECTORY }}", glob.as_str())
}

/// Whether a link changed that was there before: programs may see where it leads.
fn is_link(change: &Change) -> bool {
    let before = change.before.map(|side| side.mode);
    before == Some(Mode::Symlink)
}

fn is_submodule(change: &Change) -> bool {
    let sides = [change.before, change.after];
    change.path.as_ref() == ".gitmodules"
        || sides
            .iter()
            .flatten()
            .any(|side| side.mode == Mode::Submodule)
}

/// Whether one of several packages, other than the one at the root, owns the path.
fn is_of_one_package(side: Side<'_>, path: &str) -> bool {
    side.packages.dir_count() > 1
        && side
            .packages
            .owner_dir(path)
            .is_some_and(|dir| !dir.is_empty())
}

struct Rule {
    glob: GlobMatcher,
    why: Box<str>,
    /// Whether it holds inside a package as well.
    is_of_all: bool,
}

/// The built-in rules; `None` when the embedded table is not one, which a test excludes.
static RULES: LazyLock<Option<Vec<Rule>>> =
    LazyLock::new(|| read_rules(include_str!("everything.toml")));

fn read_rules(text: &str) -> Option<Vec<Rule>> {
    let table: Table = text.parse().ok()?;
    let read = |file: &Value| {
        Some(Rule {
            glob: matcher(&Glob::written(file.get("path")?.as_str()?)).ok()?,
            why: file.get("why")?.as_str()?.into(),
            is_of_all: file
                .get("of_all")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
        })
    };
    table.get("file")?.as_array()?.iter().map(read).collect()
}

/// What a path decides for everything, by the built-in rules, and whether it does so
/// inside a package as well.
fn rule(path: &str) -> Option<(&'static str, bool)> {
    if lock::is_lockfile(path) {
        return None;
    }
    let Some(rules) = RULES.as_deref() else {
        return Some(("the built-in rules cannot be read", true));
    };
    let mut fitting = rules.iter().filter(|rule| rule.glob.is_match(path));
    fitting.next().map(|rule| (&*rule.why, rule.is_of_all))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::diff;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::{Entry, Snapshot, Tree};

    const ONE: &[&str] = &["Cargo.toml", "src/main.rs"];
    const MANY: &[&str] = &["Cargo.toml", "a/Cargo.toml", "b/Cargo.toml"];
    const LOOSE: &[&str] = &["a/Cargo.toml", "b/Cargo.toml"];

    fn snapshot(paths: &[&str], moved: &[(&str, Mode)], version: u8) -> Snapshot {
        let blob = |version| ObjectId::from_bytes(&[version; 20]).unwrap();
        let entry = |path: &str, mode, blob| Entry {
            path: path.into(),
            mode,
            blob,
        };
        let kept = paths.iter().map(|path| entry(path, Mode::File, blob(1)));
        let moved = moved
            .iter()
            .map(|(path, mode)| entry(path, *mode, blob(version)));
        let mut snapshot = Snapshot::new(Tree::new(kept.chain(moved).collect()));
        snapshot.insert_text(blob(1), Arc::from("[package]\nname = \"x\"\n"));
        snapshot
    }

    fn run(paths: &[&str], moved: &[(&str, Mode)], policy: &Policy, named: &str) -> String {
        let (before, after) = (snapshot(paths, moved, 2), snapshot(paths, moved, 3));
        let changes = diff::between(&before.tree, &after.tree);
        let packages = Packages::read(&after);
        let (ownership, _) = Ownership::new(&packages, policy);
        let side = Side {
            packages: &packages,
            ownership: &ownership,
        };
        let found = reasons(&changes, side, side, policy, |path| path == named);
        let lines = found
            .iter()
            .map(|reason| format!("{} {}", reason.id.as_str(), reason.subject));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn check(paths: &[&str], moved: &str, expected: &str) {
        let found = run(paths, &[(moved, Mode::File)], &Policy::default(), "");
        assert_eq!(found, expected, "{moved}");
    }

    #[test]
    fn the_embedded_table_is_read() {
        assert!(RULES.as_ref().is_some_and(|rules| rules.len() > 40));
    }

    #[test]
    fn a_toolchain_file_at_the_root_runs_everything() {
        check(
            ONE,
            "rust-toolchain.toml",
            "toolchain-file rust-toolchain.toml (the Rust toolchain)",
        );
        check(MANY, ".nvmrc", "toolchain-file .nvmrc (the Node version)");
        check(
            MANY,
            "Dockerfile",
            "toolchain-file Dockerfile (the image at the root)",
        );
        check(
            LOOSE,
            "ci/.nvmrc",
            "toolchain-file ci/.nvmrc (the Node version)",
        );
        check(
            ONE,
            "gradle/wrapper/x.properties",
            "toolchain-file gradle/wrapper/x.properties (the Gradle wrapper)",
        );
    }

    #[test]
    fn a_toolchain_file_of_one_package_among_several_is_its_data() {
        check(MANY, "a/.nvmrc", "");
        check(MANY, "a/Dockerfile", "");
        check(
            &["a/Cargo.toml"],
            "a/.nvmrc",
            "toolchain-file a/.nvmrc (the Node version)",
        );
    }

    #[test]
    fn what_git_does_to_a_checkout_runs_everything_wherever_it_is_said() {
        let why = "(how git writes the files of a checkout)";
        let expected = format!("toolchain-file a/deep/.gitattributes {why}");
        check(MANY, "a/deep/.gitattributes", &expected);
        check(
            MANY,
            ".lfsconfig",
            "toolchain-file .lfsconfig (where git finds large files)",
        );
    }

    #[test]
    fn a_path_that_some_system_cannot_check_out_runs_everything() {
        let check = |added: &str, expected: Option<&str>| {
            let (before, after) = (
                snapshot(&["src/a.rs", "docs/x.md"], &[], 1),
                snapshot(&["src/a.rs", "docs/x.md"], &[(added, Mode::File)], 1),
            );
            let changes = diff::between(&before.tree, &after.tree);
            let found = unportable(&changes, &after.tree);
            assert_eq!(found.as_deref(), expected, "{added}");
        };
        for refused in [
            "docs/a:b.md",
            "docs/aux.md",
            "nul/x",
            "Com1.txt",
            "a./b",
            "a ",
        ] {
            check(refused, Some(refused));
        }
        for doubled in ["Src/b.rs", "docs/X.md", "DOCS/y.md"] {
            check(doubled, Some(doubled));
        }
        for fine in [
            "src/b.rs",
            "docs/auxiliary.md",
            "com10",
            ".aux",
            "docs/x.md.txt",
        ] {
            check(fine, None);
        }
    }

    #[test]
    fn an_unowned_file_runs_everything_unless_it_is_named() {
        check(LOOSE, "schemas/s.json", "unowned-file schemas/s.json");
        check(MANY, "schemas/s.json", "");
        check(LOOSE, "README.md", "");
        check(LOOSE, ".github/workflows/ci.yml", "");
        check(LOOSE, "Cargo.lock", "");
        let moved = [("schemas/s.json", Mode::File)];
        assert_eq!(run(LOOSE, &moved, &Policy::default(), "schemas/s.json"), "");
    }

    #[test]
    fn a_submodule_runs_everything() {
        check(ONE, ".gitmodules", "submodule-moved .gitmodules");
        let moved = [("a/vendor", Mode::Submodule)];
        assert_eq!(
            run(MANY, &moved, &Policy::default(), ""),
            "submodule-moved a/vendor"
        );
    }

    #[test]
    fn the_configuration_itself_runs_everything() {
        check(MANY, ".trimtab.yml", "gate-edited .trimtab.yml");
    }

    #[test]
    fn globs_of_always_full_are_added_and_a_broken_one_means_any_path() {
        let policy = |glob: &str| Policy {
            always_full: vec![Glob::written(glob)],
            ..Policy::default()
        };
        let moved = [("a/x.rs", Mode::File)];
        assert_eq!(
            run(MANY, &moved, &policy("a/**"), ""),
            "always-full a/x.rs (a/**)"
        );
        assert_eq!(run(MANY, &moved, &policy("b/**"), ""), "");
        assert_eq!(
            run(MANY, &moved, &policy("a["), ""),
            "always-full a/x.rs (a[)"
        );
    }

    #[test]
    fn the_owning_line_names_the_top_directory() {
        assert_eq!(
            owning_line("schemas/deep/s.json"),
            "owns: { \"schemas/**\": PACKAGE_DIRECTORY }"
        );
        assert_eq!(
            owning_line("s.json"),
            "owns: { \"s.json\": PACKAGE_DIRECTORY }"
        );
    }
}
