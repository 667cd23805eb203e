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
use toml::{Table, Value};

use super::diff::Change;
use super::lock;
use super::ownership::{Class, Ownership, matcher};
use super::packages::Packages;
use super::plan::{ReasonId, RunEverything};
use super::policy::{self, Policy};
use super::tree::{Mode, dir_of};

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
    let always: Vec<(&str, Option<GlobMatcher>)> = policy
        .always_full
        .iter()
        .map(|glob| (glob.as_ref(), matcher(glob).ok()))
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
                add(ReasonId::AlwaysFull, &format!("{path} ({glob})"));
            }
        }
        let before = change.before.map(|_| base);
        let after = change.after.map(|_| merge);
        let mut sides = before.into_iter().chain(after);
        if let Some(why) = rule(path)
            && sides.clone().any(|side| !is_of_one_package(side, path))
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

/// The line of configuration that would give an unowned file an owner, for `why`.
pub fn owning_line(path: &str) -> String {
    let glob = match dir_of(path).split('/').next() {
        None | Some("") => path.to_owned(),
        Some(top) => format!("{top}/**"),
    };
    format!("owns: {{ \"{glob}\": PACKAGE_DIRECTORY }}")
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
}

/// The built-in rules; `None` when the embedded table is not one, which a test excludes.
static RULES: LazyLock<Option<Vec<Rule>>> =
    LazyLock::new(|| read_rules(include_str!("everything.toml")));

fn read_rules(text: &str) -> Option<Vec<Rule>> {
    let table: Table = text.parse().ok()?;
    let read = |file: &Value| {
        Some(Rule {
            glob: matcher(file.get("path")?.as_str()?).ok()?,
            why: file.get("why")?.as_str()?.into(),
        })
    };
    table.get("file")?.as_array()?.iter().map(read).collect()
}

/// What a path decides for everything, by the built-in rules.
fn rule(path: &str) -> Option<&'static str> {
    if lock::is_lockfile(path) {
        return None;
    }
    match RULES.as_ref() {
        None => Some("the built-in rules cannot be read"),
        Some(rules) => rules
            .iter()
            .find(|rule| rule.glob.is_match(path))
            .map(|rule| rule.why.as_ref()),
    }
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
            always_full: vec![glob.into()],
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
