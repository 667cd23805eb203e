//! Tests of [`ownership`](super): who owns and who names which file.

use std::sync::Arc;

use super::*;
use crate::engine::facts::Facts;
use crate::engine::ids::ObjectId;
use crate::engine::tree::Snapshot;

mod prose;

/// A file with its literals (for code) or its text.
type File<'a> = (&'a str, &'a str);

fn blob(index: usize) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
    ObjectId::from_bytes(&bytes).unwrap()
}

fn snapshot(files: &[File<'_>]) -> Snapshot {
    let entries = files.iter().enumerate().map(|(index, (path, _))| Entry {
        path: (*path).into(),
        mode: Mode::File,
        blob: blob(index),
    });
    let mut snapshot = Snapshot::new(Tree::new(entries.collect()));
    for (index, (path, text)) in files.iter().enumerate() {
        if let Some(language) = Language::of_path(path) {
            let facts = Facts {
                literals: text.split_whitespace().map(Box::from).collect(),
                ..Facts::default()
            };
            snapshot.insert_facts(blob(index), language, Arc::new(facts));
        } else {
            snapshot.insert_text(blob(index), Arc::from(*text));
        }
    }
    snapshot
}

fn policy(owns: &[(&str, &str)]) -> Policy {
    Policy {
        owns: owns
            .iter()
            .map(|(glob, dir)| (Glob::written(*glob), (*dir).into()))
            .collect(),
        ..Policy::default()
    }
}

/// What a file needs, itself left out, in order.
fn needs(files: &[File<'_>], owns: &[(&str, &str)], from: &str) -> String {
    let snapshot = snapshot(files);
    let packages = Packages::read(&snapshot);
    let mut builder = Builder::new(&snapshot, &packages);
    link(&mut builder, &policy(owns));
    let graph = builder.finish();
    let start = snapshot.tree.find(from).unwrap();
    let closure = graph.closure([start.into()]);
    let files = closure.nodes().filter_map(|node| graph.file(node));
    let paths: Vec<&str> = files.map(|file| snapshot.tree.path(file)).collect();
    paths
        .into_iter()
        .filter(|path| *path != from)
        .collect::<Vec<_>>()
        .join(" ")
}

fn classes(files: &[File<'_>], owns: &[(&str, &str)], asked: &[&str]) -> String {
    let snapshot = snapshot(files);
    let packages = Packages::read(&snapshot);
    let policy = policy(owns);
    let mut builder = Builder::new(&snapshot, &packages);
    link(&mut builder, &policy);
    let names = Names::of(&builder.finish());
    let (ownership, faults) = Ownership::new(&packages, &policy);
    assert_eq!(faults, []);
    let class = |path: &&str| match ownership.classify(path) {
        Class::Inert | Class::Unowned if names.contains(&snapshot.tree, path) => "named".to_owned(),
        Class::Owned("") => "owned by .".to_owned(),
        Class::Owned(dir) => format!("owned by {dir}"),
        class => format!("{class:?}").to_lowercase(),
    };
    asked.iter().map(class).collect::<Vec<_>>().join(", ")
}

const TWO: &[File<'_>] = &[
    ("a/package.json", r#"{"name": "a"}"#),
    ("a/src/x.js", ""),
    ("a/data.json", ""),
    ("b/package.json", r#"{"name": "b"}"#),
    ("b/y.js", ""),
    ("b/z.yaml", ""),
    ("schemas/s.json", ""),
    ("README.md", ""),
];

#[test]
fn data_belongs_to_the_nearest_package_and_is_needed_by_its_code() {
    assert_eq!(needs(TWO, &[], "a/src/x.js"), "a/data.json a/package.json");
    assert_eq!(needs(TWO, &[], "b/y.js"), "b/package.json b/z.yaml");
}

#[test]
fn every_kind_of_file_has_one_class() {
    let asked = [
        "a/data.json",
        "a/src/x.js",
        "a/yarn.lock",
        "schemas/s.json",
        "README.md",
        "docs/a.png",
        "img/a.png",
        ".github/workflows/ci.yml",
        "LICENSE",
        "x.unknown",
        "a/LICENSE-MIT",
        "a/b.mdx",
    ];
    assert_eq!(
        classes(TWO, &[], &asked),
        "owned by a, code, lock, unowned, inert, inert, unowned, inert, inert, unowned, inert, owned by a"
    );
}

#[test]
fn the_configuration_gives_a_package_to_files_that_none_owns() {
    let owns = &[("schemas/**", "a")];
    assert_eq!(
        classes(TWO, owns, &["schemas/s.json", "other/s.json"]),
        "owned by a, unowned"
    );
    assert_eq!(
        needs(TWO, owns, "a/src/x.js"),
        "a/data.json a/package.json schemas/s.json"
    );
    assert_eq!(needs(TWO, owns, "b/y.js"), "b/package.json b/z.yaml");
}

#[test]
fn a_glob_of_the_configuration_that_is_no_glob_is_reported() {
    let policy = policy(&[("a[", "a")]);
    let packages = Packages::default();
    let (_, faults) = Ownership::new(&packages, &policy);
    assert_eq!(faults.len(), 1);
}

#[test]
fn with_one_package_the_root_owns_what_is_not_inert() {
    let files = &[
        ("app/pyproject.toml", "[project]\nname = \"a\"\n"),
        ("app/x.py", ""),
        ("conf/settings.yaml", ""),
        ("README.md", ""),
        ("tools/t.py", ""),
    ];
    assert_eq!(
        classes(files, &[], &["conf/settings.yaml", "README.md"]),
        "owned by app, inert"
    );
    assert_eq!(
        needs(files, &[], "tools/t.py"),
        "app/pyproject.toml conf/settings.yaml"
    );
    assert_eq!(
        classes(&[("x.py", ""), ("c.yaml", "")], &[], &["c.yaml"]),
        "owned by ."
    );
}

#[test]
fn prose_that_code_names_is_needed_by_it() {
    let files = &[
        (
            "pyproject.toml",
            "[project]\nname = \"a\"\nreadme = \"README.md\"\n",
        ),
        ("a.py", "docs/guide.md"),
        ("b.py", ""),
        ("docs/guide.md", ""),
        ("docs/other.md", ""),
        ("README.md", ""),
    ];
    assert_eq!(
        needs(files, &[], "a.py"),
        "README.md docs/guide.md pyproject.toml"
    );
    assert_eq!(needs(files, &[], "b.py"), "README.md pyproject.toml");
    assert_eq!(
        classes(files, &[], &["docs/guide.md", "docs/other.md", "README.md"]),
        "named, inert, named"
    );
}

#[test]
fn a_package_json_does_not_make_its_readme_an_input() {
    let files = &[
        (
            "package.json",
            r#"{"name": "a", "files": ["README.md", "dist"]}"#,
        ),
        ("a.js", ""),
        ("README.md", ""),
    ];
    assert_eq!(needs(files, &[], "a.js"), "package.json");
}

fn named(from: &str, literals: &str, others: &[&str], expected: &str) {
    let mut files = vec![
        ("p/package.json", r#"{"name": "p"}"#),
        ("q/package.json", r#"{"name": "q"}"#),
        (from, literals),
    ];
    files.extend(others.iter().map(|path| (*path, "")));
    let all = needs(&files, &[], from);
    let named: Vec<&str> = all
        .split(' ')
        .filter(|path| !path.ends_with("package.json"))
        .collect();
    assert_eq!(named.join(" "), expected, "{from}: {literals}");
}

#[test]
fn a_path_names_the_nearest_fitting_file_or_all() {
    let others = &[
        "q/src/data.json",
        "q/other/src/data.json",
        "z/x.json",
        "z/src/x.json",
    ];
    named(
        "q/src/t.js",
        "src/data.json",
        others,
        "q/other/src/data.json q/src/data.json",
    );
    named("p/t.js", "../z/x.json", others, "z/x.json");
    named("p/t.js", "/z/x.json", others, "z/x.json");
    named("p/t.js", "z/x.json", others, "z/x.json");
    named("p/t.js", "src/x.json", others, "z/src/x.json");
}

#[test]
fn a_base_name_names_every_data_file_of_that_name() {
    let others = &["z/conf.yaml", "q/conf.yaml", "z/.env"];
    named("p/t.js", "conf.yaml", others, "q/conf.yaml z/conf.yaml");
    named("p/t.js", "../.env", others, "z/.env");
}

#[test]
fn a_field_of_a_message_names_nothing_and_a_star_names_everything() {
    let others = &["z/data.json"];
    named("t.js", "{name}", others, "");
    named("t.js", "*", others, "z/data.json");
}

#[test]
fn brackets_in_a_literal_are_those_of_a_name_or_of_a_pattern() {
    let others = &["app/[slug]/p.tsx", "app/[slug]/x.json", "app/s/x.json"];
    named("t.js", "app/[slug]/p.tsx", others, "app/[slug]/p.tsx");
    let both = "app/[slug]/x.json app/s/x.json";
    named("t.js", "app/[slug]/x.json", others, both);
    named("t.js", "app/[slug]/*.json", others, both);
    named("t.js", "{{a}}/x.json", &["{{a}}/x.json"], "{{a}}/x.json");
}

#[test]
fn a_directory_names_everything_below() {
    let others = &[
        "p/test/fixtures/a/b.txt",
        "p/test/fixtures/c.js",
        "p/src/d.js",
        "z/api/e.js",
    ];
    named(
        "p/test/t.js",
        "fixtures",
        others,
        "p/test/fixtures/a/b.txt p/test/fixtures/c.js",
    );
    named(
        "p/test/t.js",
        "../src",
        others,
        "p/src/d.js p/test/fixtures/a/b.txt",
    );
    named("p/test/t.js", "src", others, "p/test/fixtures/a/b.txt");
    named(
        "p/t.js",
        "z/api",
        others,
        "p/test/fixtures/a/b.txt z/api/e.js",
    );
}

#[test]
fn a_plain_word_beside_a_test_names_its_directory() {
    let others = &["p/tests/inventory/a.js", "p/src/inventory/b.js"];
    named(
        "p/tests/t.js",
        "inventory",
        others,
        "p/tests/inventory/a.js",
    );
    named("p/src/t.js", "inventory", others, "");
}

#[test]
fn code_is_named_by_path_or_beside_the_file_or_in_test_data() {
    let others = &[
        "p/tests/data/sample.js",
        "p/src/sample.js",
        "q/tests/data/sample.js",
    ];
    named(
        "p/tests/t.js",
        "sample.js",
        others,
        "p/tests/data/sample.js",
    );
    named(
        "p/tests/t.js",
        "data/sample.js",
        others,
        "p/tests/data/sample.js",
    );
    named(
        "p/tests/t.js",
        "../src/sample.js",
        others,
        "p/src/sample.js",
    );
}

#[test]
fn a_glob_names_data_from_its_directory_or_in_the_package() {
    let others = &[
        "z/q/a.sql",
        "z/q/deep/b.sql",
        "z/c.txt",
        "p/m/d.sql",
        "p/README.md",
    ];
    named(
        "p/t.js",
        "../z/q/*.sql",
        others,
        "p/m/d.sql z/q/a.sql z/q/deep/b.sql",
    );
    named("p/t.js", "../z/{}.txt", others, "p/m/d.sql z/c.txt");
    named("p/t.js", "*.*", others, "p/m/d.sql");
    named("p/t.js", "*.md", others, "p/README.md p/m/d.sql");
}

#[test]
fn dots_and_slashes_alone_name_nothing() {
    named("p/src/t.js", "../.. ./ .. /// ./..", &["z/a.json"], "");
}

#[test]
fn a_lockfile_is_never_named_as_a_blob() {
    named("p/t.js", "yarn.lock", &["z/yarn.lock"], "");
}

#[test]
fn configuration_names_data_but_no_directories() {
    let others = &["z/api/e.js", "z/api/f.json"];
    named("p/jest.config.js", "../z/api", others, "");
    named(
        "p/jest.config.js",
        "../z/api/f.json",
        others,
        "z/api/f.json",
    );
}

#[test]
fn a_script_needs_the_data_of_its_package_and_what_it_names() {
    let files = &[
        ("p/package.json", r#"{"name": "p"}"#),
        ("p/conf.yaml", ""),
        ("q/package.json", r#"{"name": "q"}"#),
        ("p/run.sh", "# see ../z/no.txt\ncp ../z/yes.txt \"$OUT\"\n"),
        ("z/no.txt", ""),
        ("z/yes.txt", ""),
    ];
    assert_eq!(
        needs(files, &[], "p/run.sh"),
        "p/conf.yaml p/package.json z/yes.txt"
    );
}

#[test]
fn a_member_of_a_workspace_needs_the_manifest_above() {
    let files = &[
        (".npmrc", ""),
        ("package.json", r#"{"name": "root", "workspaces": ["p"]}"#),
        ("p/package.json", r#"{"name": "p"}"#),
        ("p/x.js", ""),
        ("Cargo.toml", "[workspace]\n"),
        ("other.json", ""),
    ];
    assert_eq!(
        needs(files, &[], "p/x.js"),
        ".npmrc p/package.json package.json"
    );
}

#[test]
fn fifty_thousand_files_and_many_literals_stay_within_bounds() {
    let paths: Vec<String> = (0..5_000)
        .map(|i| format!("p/d{}/f{i}.json", i % 100))
        .collect();
    let words: Vec<String> = (0..50)
        .map(|i| format!("index.js ./x/f{i}.json conf{i}"))
        .collect();
    let literals = words.join(" ");
    let sources: Vec<String> = (0..500).map(|i| format!("p/s{i}/index.js")).collect();
    let mut files: Vec<File<'_>> = paths.iter().map(|path| (path.as_str(), "")).collect();
    files.extend(
        sources
            .iter()
            .map(|path| (path.as_str(), literals.as_str())),
    );
    let snapshot = snapshot(&files);
    let packages = Packages::read(&snapshot);
    let mut builder = Builder::new(&snapshot, &packages);
    link(&mut builder, &Policy::default());
    let edges = builder.finish().edges().count();
    assert!(edges < 10 * files.len(), "{edges}");
}
