//! What a job does not read, each beside what it must still read.

use super::*;
use crate::engine::facts::Language;
use crate::engine::{graph, ownership};

/// The files that a job reads, with everything that these need in the graph.
pub(super) fn closed(script: &str, files: &[(&str, &str)]) -> String {
    let mut snapshot = snapshot(files);
    for (index, (path, text)) in files.iter().enumerate() {
        if let Some(language) = Language::of_path(path) {
            let blob = ObjectId::from_bytes(&[u8::try_from(index).unwrap(); 20]).unwrap();
            let facts = graph::extract(language, path, text);
            snapshot.insert_facts(blob, language, Arc::new(facts));
        }
    }
    let packages = Packages::read(&snapshot);
    let policy = Policy::default();
    let inputs = infer_under(&policy, (&job(script), None), &snapshot);
    assert_eq!(faults(&inputs), "", "{script}");
    let mut builder = graph::build(&snapshot, &packages);
    ownership::link(&mut builder, &policy);
    let graph = builder.finish();
    let set = resolve::resolve(
        &inputs,
        &snapshot,
        &graph,
        &packages,
        &resolve::Lookup::default(),
    );
    let paths = set.files.iter().map(|file| snapshot.tree.path(*file));
    paths.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_condition_reads_only_files_it_asks_about() {
    check("[ $X != 3 ] && [ -f src/a.py ]", PYTHON, "src/a.py");
    check_fault("[[ -f $X ]]", PYTHON, "ci.yml:10 UnknownUse(\"[[ -f $X\")");
}

const CHECKED: &[(&str, &str)] = &[
    ("app.py", "import b\nopen('data.json')\n"),
    ("b.py", ""),
    ("data.json", "{}"),
    ("mypy.ini", "[mypy]\nstrict = True\n"),
];

#[test]
fn a_type_checker_reads_what_sources_import_and_not_what_they_open() {
    assert_eq!(closed("mypy app.py", CHECKED), "app.py b.py mypy.ini");
    assert_eq!(
        closed("python app.py", CHECKED),
        "app.py b.py data.json mypy.ini"
    );
}

#[test]
fn a_type_checker_with_plugins_runs_what_the_repository_holds() {
    let mut files = CHECKED.to_vec();
    files[3].1 = "[mypy]\nplugins = b\n";
    assert_eq!(
        closed("mypy app.py", &files),
        "app.py b.py data.json mypy.ini"
    );
}

fn linted(config: &str, files: &[(&str, &str)]) -> String {
    let mut all = vec![
        (".eslintrc.yml", config),
        ("README.md", ""),
        ("a.js", ""),
        ("conf.yml", ""),
        ("package.json", "{\"name\": \"x\"}"),
    ];
    all.extend(files);
    closed("npx eslint .", &all)
}

#[test]
fn a_linter_of_scripts_reads_other_kinds_only_when_it_is_told() {
    let plain = ".eslintrc.yml a.js package.json";
    assert_eq!(
        linted("root: true\nextends: eslint:recommended\n", &[]),
        plain
    );
    let all = ".eslintrc.yml README.md a.js package.json";
    assert_eq!(linted("plugins: [markdown]\n", &[]), all);
    let unknown = ".eslintrc.yml a.js conf.yml package.json";
    assert_eq!(linted("plugins: [yml]\n", &[]), unknown);
}

#[test]
fn a_preset_that_is_not_known_may_lint_every_kind() {
    let found = linted("extends: '@antfu'\n", &[]);
    assert_eq!(found, ".eslintrc.yml README.md a.js conf.yml package.json");
}

#[test]
fn rules_of_the_repository_itself_may_open_files() {
    let rules = [
        ("rules/index.js", "require('fs').readFileSync('list.txt')"),
        ("rules/list.txt", ""),
        ("rules/package.json", "{\"name\": \"eslint-plugin-own\"}"),
    ];
    assert!(linted("root: true\n", &rules).contains("list.txt"));
    assert!(!linted("root: true\n", &rules[..2]).contains("list.txt"));
}

fn hooked(config: &str) -> String {
    let files = [
        (".pre-commit-config.yaml", config),
        ("Makefile", ""),
        ("a.py", ""),
        ("docs/x.rst", ""),
        ("logo.png", ""),
    ];
    closed("pre-commit run --all-files", &files)
}

const SEEN: &str = "repos:\n- repo: https://github.com/pre-commit/pre-commit-hooks\n  hooks:\n";

#[test]
fn hooks_read_the_files_that_the_configuration_lets_through() {
    let config = format!("exclude: 'docs/|^ext/'\n{SEEN}  - id: trailing-whitespace\n");
    assert_eq!(
        hooked(&config),
        ".pre-commit-config.yaml Makefile a.py logo.png"
    );
    let config =
        format!("{SEEN}  - id: trailing-whitespace\n    exclude: ^docs/\n  - id: check-yaml\n");
    assert_eq!(
        hooked(&config),
        ".pre-commit-config.yaml Makefile a.py logo.png"
    );
    let config = format!("{SEEN}  - id: check-toml\n");
    assert_eq!(hooked(&config), ".pre-commit-config.yaml Makefile");
}

#[test]
fn a_hook_that_is_not_known_or_is_changed_reads_everything() {
    let all = ".pre-commit-config.yaml Makefile a.py docs/x.rst logo.png";
    for config in [
        format!("exclude: docs/\n{SEEN}  - id: frobnicate\n"),
        format!("exclude: docs/\n{SEEN}  - id: check-ast\n    types: [text]\n"),
        format!("exclude: docs/\n{SEEN}  - id: check-ast\n    entry: python x.py\n"),
        "exclude: docs/\nrepos:\n- repo: local\n  hooks:\n  - id: ruff\n".to_owned(),
        format!("exclude: 'doc(s|x)/'\n{SEEN}  - id: trailing-whitespace\n"),
        format!("exclude: 'd.cs/'\n{SEEN}  - id: trailing-whitespace\n"),
    ] {
        assert_eq!(hooked(&config), all, "{config}");
    }
}

const CRATE: &[(&str, &str)] = &[
    ("Cargo.toml", "[package]\nname = \"x\"\n"),
    ("benches/b.rs", ""),
    ("src/lib.rs", "mod a;"),
    ("src/a.rs", ""),
    ("tests/data.json", ""),
    ("tests/t.rs", ""),
];

#[test]
fn a_library_is_built_without_its_tests() {
    // Data belongs to the package, wherever it lies.
    let lean = "Cargo.toml src/a.rs src/lib.rs tests/data.json";
    assert_eq!(closed("cargo check", CRATE), lean);
    assert_eq!(closed("cargo hack check --each-feature", CRATE), lean);
    let all = "Cargo.toml benches/b.rs src/a.rs src/lib.rs tests/data.json tests/t.rs";
    for command in [
        "cargo test",
        "cargo check --all-targets",
        "cargo clippy --tests",
        "cargo hack test",
        "cargo bench",
    ] {
        assert_eq!(closed(command, CRATE), all, "{command}");
    }
}

#[test]
fn a_target_elsewhere_is_built_with_the_whole_crate() {
    let mut files = CRATE.to_vec();
    files[0].1 = "[package]\nname = \"x\"\n[lib]\npath = \"tests/t.rs\"\n";
    assert!(closed("cargo check", &files).contains("tests/t.rs"));
}

/// A crate whose program lies apart, with a test that is declared as well.
fn apart(manifest: &str, expected: &str) {
    let manifest = format!("[package]\nname = \"x\"\n{manifest}");
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("build.rs", "fn main() {}"),
        ("crates/core/main.rs", "mod app;"),
        ("crates/core/app.rs", ""),
        ("crates/core/it.rs", ""),
        ("crates/it.rs", ""),
        ("tests/data.json", ""),
        ("tests/tests.rs", "mod util;"),
        ("tests/util.rs", ""),
    ];
    assert_eq!(closed("cargo build", &files), expected, "{manifest}");
    assert_eq!(closed("cargo doc", &files), expected, "{manifest}");
    assert!(closed("cargo test", &files).contains("tests/util.rs"));
}

#[test]
fn a_program_that_lies_apart_is_built_without_its_tests() {
    let code = "Cargo.toml build.rs crates/core/app.rs crates/core/it.rs crates/core/main.rs \
                crates/it.rs";
    let lean = format!("{code} tests/data.json");
    let program = "[[bin]]\nname = \"x\"\npath = \"crates/core/main.rs\"\n";
    apart(program, &lean);
    apart(&format!("build = \"build.rs\"\n{program}"), &lean);
    apart(
        &format!("{program}[[test]]\nname = \"t\"\npath = \"tests/tests.rs\"\n"),
        &lean,
    );
    let all = format!("{lean} tests/tests.rs tests/util.rs");
    // Whose the files beside both are nobody knows.
    apart(
        &format!("{program}[[test]]\nname = \"t\"\npath = \"crates/core/it.rs\"\n"),
        &all,
    );
    apart(
        &format!("{program}[[bench]]\nname = \"t\"\npath = \"crates/it.rs\"\n"),
        &all,
    );
}

#[test]
fn a_target_that_cannot_be_told_from_tests_brings_the_whole_crate() {
    for manifest in [
        "[lib]\npath = \"../x/lib.rs\"\n",
        "[[bin]]\nname = \"x\"\npath = \"nowhere.rs\"\n",
        "[[bin]]\nname = \"x\"\npath = 3\n",
        "[[bin]]\nname = \"x\"\npath = \"benches/b.rs\"\n",
        "build = [\"a.rs\", \"b.rs\"]\n",
    ] {
        let manifest = format!("[package]\nname = \"x\"\n{manifest}");
        let mut files = CRATE.to_vec();
        files[0].1 = &manifest;
        let inputs = infer_in(&job("cargo check"), None, &files);
        assert!(
            reached(&inputs, &files).contains("tests/t.rs"),
            "{manifest}"
        );
    }
    // It belongs to another crate.
    let files = [
        (
            "Cargo.toml",
            "[package]\nname = \"x\"\n[[bin]]\nname = \"x\"\npath = \"y/src/main.rs\"\n",
        ),
        ("src/lib.rs", ""),
        ("tests/t.rs", ""),
        ("y/Cargo.toml", "[package]\nname = \"y\"\n"),
        ("y/src/main.rs", ""),
    ];
    assert!(closed("cargo check", &files).contains("tests/t.rs"));
}

const PACKED: &[(&str, &str)] = &[
    ("HISTORY.md", ""),
    ("MANIFEST.in", "include HISTORY.md\n"),
    ("pkg/__init__.py", ""),
    ("pyproject.toml", "[project]\nname = \"pkg\"\n"),
    ("tox.ini", "[testenv]\ncommands = pytest\n"),
];

#[test]
fn prose_that_is_packed_is_read_by_who_packs_it() {
    assert!(!closed("pip install .", PACKED).contains("HISTORY.md"));
    assert!(closed("python -m build", PACKED).contains("HISTORY.md"));
    assert!(closed("tox", PACKED).contains("HISTORY.md"));
    let mut files = PACKED.to_vec();
    files[4].1 = "[testenv]\npackage = wheel\ncommands = pytest\n";
    assert!(!closed("tox", &files).contains("HISTORY.md"));
}

const REACTOR: &[(&str, &str)] = &[
    ("README.md", ""),
    (
        "core/pom.xml",
        "<project><artifactId>core</artifactId><groupId>g</groupId></project>",
    ),
    ("core/src/main/java/A.java", "package g; class A {}"),
    ("core/src/test/java/T.java", "package g; class T {}"),
    (
        "extras/pom.xml",
        "<project><artifactId>extras</artifactId></project>",
    ),
    ("extras/src/main/java/E.java", "package g; class E {}"),
    (
        "native/pom.xml",
        "<project><artifactId>native</artifactId><dependencies><dependency>\
         <groupId>g</groupId><artifactId>core</artifactId></dependency></dependencies></project>",
    ),
    ("native/src/test/java/N.java", "package g; class N {}"),
    (
        "pom.xml",
        "<project><artifactId>all</artifactId><!-- spotless-maven-plugin --></project>",
    ),
];

#[test]
fn maven_builds_the_modules_that_are_named_and_what_they_need() {
    let core = "core/pom.xml core/src/main/java/A.java core/src/test/java/T.java";
    assert_eq!(
        closed("mvn clean test --projects core", REACTOR),
        format!("{core} pom.xml")
    );
    let native = "native/pom.xml native/src/test/java/N.java";
    assert_eq!(
        closed("mvn test -pl :native -am", REACTOR),
        format!("{core} {native} pom.xml")
    );
    let found = closed("mvn test -pl '!extras'", REACTOR);
    assert!(
        found.contains("N.java") && !found.contains("E.java"),
        "{found}"
    );
    let found = closed("mvn package -Dmaven.test.skip --projects=core", REACTOR);
    assert!(
        found.contains("A.java") && !found.contains("T.java"),
        "{found}"
    );
}

#[test]
fn every_module_is_built_when_a_name_is_not_found_or_dependents_are_asked_for() {
    for command in [
        "mvn test",
        "mvn test -pl nowhere",
        "mvn test -pl core -amd",
        "mvn test -pl $MODULES",
    ] {
        assert!(closed(command, REACTOR).contains("E.java"), "{command}");
    }
}

#[test]
fn a_formatter_of_maven_reads_prose_from_its_phase_on() {
    assert!(!closed("mvn test -pl core", REACTOR).contains("README.md"));
    assert!(closed("mvn verify -pl core", REACTOR).contains("README.md"));
    let mut files = REACTOR.to_vec();
    files[8].1 = "<project><artifactId>all</artifactId><plugin>spotless-maven-plugin<execution>\
         <phase>compile</phase></execution></plugin></project>";
    assert!(closed("mvn test -pl core", &files).contains("README.md"));
}

fn shapes(script: &str, files: &[(&str, &str)]) -> Vec<String> {
    let snapshot = snapshot(files);
    let packages = Packages::read(&snapshot);
    let graph = graph::Builder::new(&snapshot, &packages).finish();
    let inputs = infer_in(&job(script), None, files);
    let set = resolve::resolve(
        &inputs,
        &snapshot,
        &graph,
        &packages,
        &resolve::Lookup::default(),
    );
    set.shapes.keys().map(ToString::to_string).collect()
}

#[test]
fn manifests_of_what_is_not_built_are_read_for_their_shape() {
    let found = shapes("mvn test -pl core", REACTOR);
    assert_eq!(found, ["extras/pom.xml", "native/pom.xml", "pom.xml"]);
    assert_eq!(shapes("cargo fmt --check", CRATE), ["Cargo.toml"]);
    assert!(shapes("cargo build", CRATE).is_empty());
}

#[test]
fn a_manifest_that_cargo_fails_on_is_not_the_shape_of_one_that_it_reads() {
    let good = "[package]\nname = \"x\"\n[dependencies]\nserde = \"1\"\n";
    let shape_of = |manifest: &str| {
        let files = [("Cargo.toml", manifest), ("src/lib.rs", "")];
        let snapshot = snapshot(&files);
        let packages = Packages::read(&snapshot);
        let graph = graph::Builder::new(&snapshot, &packages).finish();
        let inputs = infer_in(&job("cargo fmt --check"), None, &files);
        let set = resolve::resolve(
            &inputs,
            &snapshot,
            &graph,
            &packages,
            &resolve::Lookup::default(),
        );
        set.shapes.get("Cargo.toml").copied()
    };
    assert_eq!(shape_of(good), shape_of(&good.replace("\"1\"", "\"1.2\"")));
    let bad = good.replace("\"1\"", "\"not a version\"");
    assert_ne!(shape_of(good), shape_of(&bad));
    let feature = format!("{good}[features]\nx = [\"dep:serde\"]\n");
    let optional = feature.replace("\"1\"", "{ version = \"1\", optional = true }");
    assert_ne!(shape_of(&feature), shape_of(&optional));
}

#[test]
fn a_module_at_the_front_of_the_path_hides_one_that_is_installed() {
    let files = [
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n",
        ),
        ("_pytest/__init__.py", ""),
        ("docs/yaml.py", ""),
        ("tests/test_a.py", ""),
        ("tests/yaml.py", ""),
        ("tools/check.py", ""),
        ("tools/json.py", ""),
        ("yaml.py", ""),
    ];
    check(
        "python -m pytest",
        &files,
        "_pytest/__init__.py pyproject.toml tests/test_a.py tests/yaml.py yaml.py",
    );
    check(
        "python tools/check.py",
        &files,
        "tools/check.py tools/json.py",
    );
}
