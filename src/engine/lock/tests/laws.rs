//! Tests of [`Locks`]: what is widened, what is shown, and the law of slices.

use proptest::prelude::*;

use super::*;

#[test]
fn an_unreadable_lockfile_is_reported_and_taken_as_a_whole() {
    for (path, text) in [
        ("Cargo.lock", "[["),
        ("Cargo.lock", ""),
        ("go.sum", "a b\n"),
        ("package-lock.json", "{"),
        ("package-lock.json", "{}"),
        ("pnpm-lock.yaml", "lockfileVersion: '99.0'\n"),
        ("pnpm-lock.yaml", "a: [\n"),
        ("pnpm-lock.yaml", ""),
        ("yarn.lock", "what: is\n  this: file\n"),
        ("yarn.lock", "# yarn lockfile v1\na@1:\n      deep \"1\"\n"),
        ("poetry.lock", "x = 1\n"),
        ("uv.lock", "["),
        ("Pipfile.lock", "{}"),
    ] {
        let snapshot = snapshot(&[(path, text)]);
        let packages = Packages::read(&snapshot);
        let (locks, faults) = Locks::read(&snapshot, &packages);
        assert_eq!((locks.list.len(), faults.len()), (1, 1), "{path}: {text}");
        assert_eq!(faults[0].path, path);
        assert_eq!(locks.slice("", "a").lockfile.as_ref(), path);
    }
    let mut unread = snapshot(&[("uv.lock", "version = 1\n")]);
    unread = Snapshot::new(unread.tree);
    let (_, faults) = Locks::read(&unread, &Packages::default());
    assert_eq!(faults[0].message, "this lockfile was not read");
}

#[test]
fn without_a_lockfile_there_is_one_empty_slice() {
    let slice = read(&[("a.py", "")]).slice("", "requests");
    assert_eq!(slice, read(&[]).slice("x", "other"));
    assert_eq!(slice.lockfile.as_ref(), "");
}

#[test]
fn a_name_is_looked_up_in_the_ecosystem_of_the_importer() {
    let node = (
        "package-lock.json",
        r#"{"lockfileVersion": 3, "packages": {"node_modules/yaml": {"version": "1.0.0"}}}"#,
    );
    let python = (
        "uv.lock",
        "version = 1\n[[package]]\nname = \"other\"\nversion = \"1\"\n",
    );
    let newer = python.1.replace("\"1\"", "\"2\"");
    let (before, after) = (read(&[node, python]), read(&[node, ("uv.lock", &newer)]));
    assert_eq!(before.slice("", "yaml"), after.slice("", "yaml"));
    let python_slice = |locks: &Locks| locks.slice_for(&[Ecosystem::Python], "", "yaml");
    assert_ne!(python_slice(&before), python_slice(&after));
}

#[test]
fn an_equal_lockfile_is_not_parsed_for_a_comparison() {
    let files = &[NPM[0], ("x.txt", "1")];
    let (before, after) = (snapshot(files), snapshot(&[NPM[0], ("x.txt", "2")]));
    let packages = Packages::default();
    let (base, _) = Locks::read_beside(&before, &packages, &after);
    let (merge, _) = Locks::read_beside(&after, &packages, &before);
    assert!(base.list[0].packages.is_empty());
    for name in ["a", "unknown", "*"] {
        assert_eq!(base.slice("w", name), merge.slice("w", name));
    }
    assert_eq!(
        base.tools_slice("", &BTreeSet::new()),
        merge.tools_slice("", &BTreeSet::new())
    );
    assert_eq!(diff(&base, &merge), []);
}

#[test]
fn changed_packages_are_shown_with_their_versions() {
    let edited = YARN[0]
        .1
        .replace("version \"1.1.0\"", "version \"1.2.0\"")
        .replace("b2", "xx");
    let edited = edited + "\nnew@^1.0.0:\n  version \"1.0.0\"\n";
    let (before, after) = (read(YARN), read(&[("yarn.lock", &edited)]));
    let shown: Vec<String> = diff(&before, &after)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    @s/a 1.1.0 → 1.2.0
    b 2.0.0 (same version, other content)
    new 1.0.0 (new)
    ");
    let back: Vec<String> = diff(&after, &before)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(back[2], "new 1.0.0 (removed)");
}

#[test]
fn a_go_module_is_shown_once_for_its_two_sums() {
    let sums = |version: &str| {
        format!("example.org/a {version} h1:x=\nexample.org/a {version}/go.mod h1:y=\n")
    };
    let read = |version| read(&[("go.sum", sums(version).as_str())]);
    let shown = diff(&read("v1.0.0"), &read("v1.1.0"));
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0].to_string(), "example.org/a v1.0.0 → v1.1.0");
}

/// A random `Cargo.lock` of packages `p0` to `p7` behind one member, whose entry
/// asks for `p0`.
fn cargo_lock(edges: &[(usize, usize)], sums: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text =
        "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"p0\"]\n"
            .to_owned();
    for (at, sum) in sums.iter().enumerate() {
        let needs: BTreeSet<String> = edges
            .iter()
            .filter(|(from, to)| *from == at && *to < sums.len())
            .map(|(_, to)| format!("\"p{to}\""))
            .collect();
        let needs: Vec<String> = needs.into_iter().collect();
        write!(
            text,
            "[[package]]\nname = \"p{at}\"\nversion = \"1.0.0\"\nsource = \"registry+r\"\nchecksum = \"{sum}\"\ndependencies = [{}]\n",
            needs.join(", ")
        )
        .unwrap();
    }
    text
}

fn reached(edges: &[(usize, usize)], count: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::from([0]);
    loop {
        let more: BTreeSet<usize> = edges
            .iter()
            .filter(|(from, to)| seen.contains(from) && *to < count)
            .map(|(_, to)| *to)
            .collect();
        let before = seen.len();
        seen.extend(more);
        if seen.len() == before {
            return seen;
        }
    }
}

fn digest_of(text: &str) -> Slice {
    let manifest = ("Cargo.toml", "[package]\nname = \"app\"\n");
    read(&[("Cargo.lock", text), manifest]).slice("", "*")
}

proptest! {
    #[test]
    fn a_slice_changes_exactly_when_something_reachable_does(
        edges in proptest::collection::vec((0_usize..8, 0_usize..8), 0..16),
        sums in proptest::collection::vec(0_u8..9, 1..8),
        edited in 0_usize..8,
    ) {
        let edited = edited % sums.len();
        let mut other = sums.clone();
        other[edited] = 99;
        let before = digest_of(&cargo_lock(&edges, &sums));
        let after = digest_of(&cargo_lock(&edges, &other));
        let is_reached = reached(&edges, sums.len()).contains(&edited);
        prop_assert_eq!(before != after, is_reached);
    }

    #[test]
    fn the_order_of_a_lockfile_does_not_count(
        edges in proptest::collection::vec((0_usize..6, 0_usize..6), 0..12),
        sums in proptest::collection::vec(0_u8..9, 1..6),
    ) {
        let text = cargo_lock(&edges, &sums);
        let (head, packages) = text.split_once("[[package]]").unwrap();
        let mut parts: Vec<&str> = packages.split("[[package]]").collect();
        parts.reverse();
        let turned = format!("{head}[[package]]{}", parts.join("\n[[package]]"));
        prop_assert_eq!(digest_of(&text), digest_of(&turned));
    }

    #[test]
    fn no_lockfile_makes_the_reader_panic(text in "[\\[\\]{}()'\"=:,#@/\n\\-a-z<>/é ]{0,80}") {
        for path in [
            "Cargo.lock", "go.sum", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "poetry.lock",
            "uv.lock", "pdm.lock", "Pipfile.lock", "requirements.txt",
        ] {
            let snapshot = snapshot(&[(path, &text), ("go.mod", &text)]);
            let (locks, _) = Locks::read(&snapshot, &Packages::read(&snapshot));
            prop_assert_eq!(locks.slice("a/b", "x"), locks.slice("a/b", "x"));
        }
    }
}
