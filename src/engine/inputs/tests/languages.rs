//! What tests, build scripts and settings read beyond their package, in jobs.

use super::narrow::closed;

/// What a job reads in addition to a change of one file's text.
pub(super) fn more(script: &str, files: &[(&str, &str)], path: &str, text: &'static str) -> String {
    let before = closed(script, files);
    let mut files = files.to_vec();
    for file in &mut files {
        if file.0 == path {
            file.1 = text;
        }
    }
    let after = closed(script, &files);
    let old: Vec<&str> = before.split(' ').collect();
    let new = after.split(' ').filter(|path| !old.contains(path));
    new.collect::<Vec<_>>().join(" ")
}

const GO: &[(&str, &str)] = &[
    ("README.md", ""),
    ("a/a.go", "package a\n"),
    ("a/a_test.go", "package a\n"),
    ("a/docs/x.md", ""),
    ("b/b.go", "package b\n"),
    ("go.mod", "module ex.com/m\n"),
    (
        "web/package.json",
        "{\"name\": \"web\", \"scripts\": {\"a\": \"b\"}}",
    ),
    ("web/x.js", ""),
];

fn go(text: &'static str, expected: &str) {
    assert_eq!(
        more("go test ./a", GO, "a/a_test.go", text),
        expected,
        "{text}"
    );
}

#[test]
fn a_test_of_go_that_walks_the_module_reads_it() {
    go(
        "package a\nimport (\"path/filepath\"; \"testing\")\nfunc TestA(t *testing.T) { filepath.WalkDir(\"..\", nil) }\n",
        "README.md a/docs/x.md b/b.go web/package.json web/x.js",
    );
    go(
        "package a\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) { os.ReadDir(\"../b\") }\n",
        "b/b.go",
    );
    go(
        "package a\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) { os.ReadDir(\"docs\") }\n",
        "a/docs/x.md",
    );
}

#[test]
fn a_test_of_go_that_starts_go_reads_the_module() {
    go(
        "package a\nimport (\"os/exec\"; \"testing\")\nfunc TestA(t *testing.T) { c := exec.Command(\"go\", \"vet\", \"./...\"); c.Dir = \"..\" }\n",
        "README.md a/docs/x.md b/b.go web/package.json web/x.js",
    );
    go(
        "package a\nimport (\"golang.org/x/tools/go/packages\"; \"testing\")\nfunc TestA(t *testing.T) { packages.Load(nil, \"ex.com/m/...\") }\n",
        "b/b.go",
    );
}

#[test]
fn a_test_of_go_in_a_directory_made_for_the_run_reads_nothing_more() {
    go(
        "package a\nimport (\"os\"; \"testing\")\nfunc TestA(t *testing.T) { d := t.TempDir(); os.ReadDir(d) }\n",
        "",
    );
}

#[test]
fn packages_that_are_measured_are_tested_along() {
    for script in [
        "go test -coverpkg=./... ./a",
        "go test -coverpkg ./a,./b ./a",
    ] {
        assert!(closed(script, GO).contains("b/b.go"), "{script}");
    }
    assert!(!closed("go test -cover ./a", GO).contains("b/b.go"));
}

#[test]
fn a_switch_of_go_takes_no_package() {
    for script in [
        "go test -cover ./b",
        "go test -json ./b",
        "go vet -json ./b",
    ] {
        assert!(closed(script, GO).contains("b/b.go"), "{script}");
    }
}

#[test]
fn go_may_be_told_where_it_works_behind_its_command() {
    for script in [
        "go test -C b .",
        "go test -C=b .",
        "go -C b test ./...",
        "cd a && go test -C ../b ./...",
    ] {
        assert!(closed(script, GO).contains("b/b.go"), "{script}");
    }
    assert!(!closed("go test -C b .", GO).contains("a/a.go"));
}

#[test]
fn assembly_of_go_includes_headers() {
    let files = &[
        ("a/a.go", "package a\n"),
        (
            "a/f_amd64.s",
            "#include \"textflag.h\"\n#include \"../inc/a.h\"\n",
        ),
        ("go.mod", "module ex.com/m\n"),
        ("inc/a.h", ""),
        ("inc/b.h", ""),
    ];
    assert_eq!(
        closed("go build ./a", files),
        "a/a.go a/f_amd64.s go.mod inc/a.h"
    );
}

const RUST: &[(&str, &str)] = &[
    (".cargo/config.toml", ""),
    ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
    ("README.md", ""),
    (
        "a/Cargo.toml",
        "[package]\nname = \"a\"\nedition = \"2021\"\n",
    ),
    ("a/build.rs", "fn main() {}"),
    ("a/docs/x.md", ""),
    ("a/src/lib.rs", ""),
    ("a/tests/t.rs", ""),
    (
        "b/Cargo.toml",
        "[package]\nname = \"b\"\nedition = \"2021\"\n",
    ),
    ("b/src/lib.rs", ""),
    ("c/m.x", ""),
    ("c/r.sh", "cat c/data"),
    ("c/data", ""),
    (".config/nextest.toml", ""),
];

fn rust(path: &str, text: &'static str, expected: &str) {
    assert_eq!(
        more("cargo test -p a", RUST, path, text),
        expected,
        "{text}"
    );
}

#[test]
fn a_test_of_rust_that_walks_the_workspace_reads_it() {
    let all = "README.md a/docs/x.md b/src/lib.rs c/data c/m.x c/r.sh";
    rust(
        "a/tests/t.rs",
        "fn t() { for e in WalkDir::new(\"..\") {} }",
        all,
    );
    rust(
        "a/build.rs",
        "fn main() { fs::read_dir(\"../b/src\").unwrap(); }",
        "b/src/lib.rs",
    );
    rust(
        "a/build.rs",
        "fn main() { fs::read_dir(\"docs\").unwrap(); }",
        "a/docs/x.md",
    );
    rust(
        "a/tests/t.rs",
        "fn t() { fs::read_dir(env!(\"CARGO_MANIFEST_DIR\")).unwrap(); }",
        "",
    );
    rust(
        "a/tests/t.rs",
        "fn t() { WalkDir::new(env!(\"CARGO_MANIFEST_DIR\")); }",
        "a/docs/x.md",
    );
    rust(
        "a/src/lib.rs",
        "fn root() -> PathBuf { Path::new(env!(\"CARGO_MANIFEST_DIR\")).parent().unwrap().into() }",
        all,
    );
}

#[test]
fn a_test_of_rust_that_starts_cargo_reads_the_workspace() {
    rust(
        "a/tests/t.rs",
        "use process::Command;\nfn t() { Command::new(\"cargo\").args([\"build\", \"-p\", \"b\"]).status(); }",
        "README.md a/docs/x.md b/src/lib.rs c/data c/m.x c/r.sh",
    );
}

#[test]
fn runners_and_linker_scripts_of_cargo_are_read() {
    let runner = "[target.x86_64-unknown-linux-gnu]\nrunner = \"c/r.sh\"\n";
    assert!(more("cargo test -p a", RUST, ".cargo/config.toml", runner).contains("c/r.sh"));
    let script = "[build]\nrustflags = [\"-C\", \"link-arg=-Tc/m.x\"]\n";
    assert_eq!(
        more("cargo test -p a", RUST, ".cargo/config.toml", script),
        "c/m.x"
    );
    for setting in [
        "--config 'target.x86_64-unknown-linux-gnu.runner=\"c/r.sh\"'",
        "--config=target.x.runner='\"c/r.sh\"'",
    ] {
        let files = closed(&format!("cargo test -p a {setting}"), RUST);
        assert!(files.contains("c/r.sh"), "{setting}: {files}");
    }
    let files = closed("cargo --config c/m.x test -p a", RUST);
    assert!(files.contains("c/m.x"), "{files}");
}

#[test]
fn a_variable_of_cargo_may_be_a_path_from_its_settings() {
    let env = |value: &str| format!("[env]\nFOO = {{ value = \"{value}\", relative = true }}\n");
    for value in ["c/data", "./c/data", "b/../c/data"] {
        let text = env(value).leak();
        assert_eq!(
            more("cargo test -p a", RUST, ".cargo/config.toml", text),
            "c/data",
            "{value}"
        );
    }
    let whole = "c/data c/m.x c/r.sh";
    for text in [env("c").leak(), "[env.FOO]\nvalue = 'c'\nrelative = true\n"] {
        assert_eq!(
            more("cargo test -p a", RUST, ".cargo/config.toml", text),
            whole,
            "{text}"
        );
    }
    let plain = "[env]\nFOO = \"c\"\nBAR = { value = \"c\" }\n";
    assert_eq!(
        more("cargo test -p a", RUST, ".cargo/config.toml", plain),
        ""
    );
}

#[test]
fn scripts_that_set_up_tests_are_read() {
    let setup = "[scripts.setup.db]\ncommand = 'c/r.sh'\n";
    let found = more(
        "cargo nextest run -p a",
        RUST,
        ".config/nextest.toml",
        setup,
    );
    assert!(found.contains("c/r.sh"), "{found}");
}

#[test]
fn a_readme_that_is_compared_with_the_code_is_read() {
    assert!(closed("cargo rdme --check", RUST).contains("README.md"));
}

const NODE: &[(&str, &str)] = &[
    ("package.json", "{\"workspaces\": [\"pk/*\"]}"),
    ("pk/a/.babelrc", "{}"),
    ("pk/a/.npmrc", ""),
    (
        "pk/a/package.json",
        "{\"name\": \"a\", \"scripts\": {\"test\": \"mocha\"}, \"dependencies\": {\"zed\": \"file:../b\", \"yot\": \"workspace:b@*\", \"lin\": \"link:../b\"}}",
    ),
    ("pk/a/test/t.js", ""),
    ("pk/a/tsconfig.json", "{}"),
    ("pk/b/index.js", ""),
    (
        "pk/b/package.json",
        "{\"name\": \"b\", \"scripts\": {\"test\": \"mocha\"}}",
    ),
    ("pk/b/tsconfig.json", "{}"),
    ("tools/sh", ""),
];

fn node(path: &str, text: &'static str) -> String {
    more("cd pk/a && npm test", NODE, path, text)
}

#[test]
fn a_package_under_another_name_is_the_repositorys() {
    for source in ["require('zed')", "require('yot')", "require('lin')"] {
        assert_eq!(node("pk/a/test/t.js", source), "pk/b/index.js", "{source}");
    }
}

#[test]
fn an_environment_that_a_comment_names_counts_from_the_project() {
    let source = "/** @jest-environment ../b/index.js */";
    assert!(node("pk/a/test/t.js", source).contains("pk/b/index.js"));
}

#[test]
fn the_shell_of_scripts_is_read() {
    let shell = "script-shell = ../../tools/sh\n";
    assert!(!closed("cd pk/a && npm test", NODE).contains("tools/sh"));
    assert_eq!(node("pk/a/.npmrc", shell), "tools/sh");
}

#[test]
fn filters_with_what_is_needed_run_there_too() {
    for script in [
        "pnpm --filter 'a...' test",
        "pnpm --filter '...a' test",
        "yarn workspaces foreach -A run test",
        "yarn workspaces foreach --all -p -j 4 run test",
    ] {
        let files = closed(script, NODE);
        assert!(files.contains("pk/b/package.json"), "{script}: {files}");
    }
}

/// Whether a job reads some files, and not another one.
fn check_read(script: &str, files: &[(&str, &str)], expected: &[&str], other: &str) {
    let set = closed(script, files);
    let read: Vec<&str> = set.split(' ').collect();
    for file in expected {
        assert!(read.contains(file), "{script}: {file} in {set}");
    }
    assert!(!read.contains(&other), "{script}: {other} in {set}");
}

#[test]
fn the_modules_of_a_workspace_of_go_choose_versions_together() {
    let files = &[
        ("go.work", "go 1.22\n\nuse ./m\nuse (\n\t./o // other\n)\n"),
        ("m/go.mod", "module ex.com/m\n"),
        ("m/m.go", "package m\n"),
        ("o/go.mod", "module ex.com/o\n"),
        ("o/go.sum", ""),
        ("o/o.go", "package o\n"),
    ];
    check_read(
        "cd m && go test ./...",
        files,
        &["o/go.mod", "o/go.sum"],
        "o/o.go",
    );
}

#[test]
fn a_command_of_uv_in_a_member_reads_all_manifests_of_the_workspace() {
    let files = &[
        ("p/pyproject.toml", "[project]\nname = 'p'\nversion = '1'\n"),
        ("p/tests/test_p.py", ""),
        (
            "pyproject.toml",
            "[tool.uv.workspace]\nmembers = ['p', 'q']\n",
        ),
        ("q/pyproject.toml", "[project]\nname = 'q'\nversion = '1'\n"),
        ("q/src/q/x.py", ""),
        ("uv.lock", "version = 1\n"),
    ];
    let manifests = ["pyproject.toml", "q/pyproject.toml"];
    for script in [
        "cd p && uv run pytest",
        "cd p && uv sync --locked",
        "cd p/tests && uv run pytest",
    ] {
        check_read(script, files, &manifests, "q/src/q/x.py");
    }
}

#[test]
fn a_dependency_by_path_brings_its_plugins_along() {
    let by_uv =
        "[project]\nname = 'p'\ndependencies = ['q']\n[tool.uv.sources]\nq = {path = '../q'}\n";
    let by_poetry = "[tool.poetry]\nname = 'p'\n[tool.poetry.dependencies]\nq = {path = '../q'}\n";
    let by_address = "[project]\nname = 'p'\ndependencies = ['r @ file:../q']\n";
    for (script, manifest) in [
        ("cd p && uv run pytest tests", by_uv),
        ("cd p && poetry run pytest tests", by_poetry),
        ("pip install ./p && pytest p", by_address),
    ] {
        let files = &[
            ("p/pyproject.toml", manifest),
            ("p/tests/test_p.py", ""),
            (
                "q/pyproject.toml",
                "[project]\nname = 'q'\n[project.entry-points.pytest11]\nqp = 'q.plug'\n",
            ),
            ("q/src/q/__init__.py", ""),
            ("q/src/q/plug.py", ""),
            ("q/tests/test_q.py", ""),
        ];
        let expected = ["q/pyproject.toml", "q/src/q/plug.py"];
        check_read(script, files, &expected, "q/tests/test_q.py");
    }
}

#[test]
fn a_version_may_stand_outside_of_its_package() {
    let manifest = "[project]\nname = 'p'\n[tool.hatch.version]\npath = '../VERSION.py'\n";
    let files = &[
        ("OTHER.py", ""),
        ("VERSION.py", ""),
        ("p/pyproject.toml", manifest),
    ];
    check_read("pip install ./p", files, &["VERSION.py"], "OTHER.py");
}

#[test]
fn answers_of_a_database_are_compiled_into_crates() {
    let needs = "[package]\nname = \"a\"\nedition = \"2021\"\n[dependencies]\nsqlx = \"0.8\"\n";
    let mut files = RUST.to_vec();
    files.push((".sqlx/query-1.json", ""));
    files.sort_unstable();
    assert!(!closed("cargo test -p b", &files).contains(".sqlx"));
    for file in &mut files {
        if file.0 == "a/Cargo.toml" {
            file.1 = needs;
        }
    }
    check_read(
        "cargo test -p a",
        &files,
        &[".sqlx/query-1.json"],
        "README.md",
    );
}

#[test]
fn a_build_of_gradle_has_one_configuration() {
    let script = "dependencies { testImplementation project(\":c\").sourceSets.test.output }\n\
                  test { systemProperty \"d\", \"${rootProject.projectDir}/e/data\" }\n";
    let files = &[
        ("a/build.gradle", script),
        ("a/src/main/java/A.java", "class A {}\n"),
        ("c/build.gradle", "plugins { id 'java' }\n"),
        ("c/gradle.properties", ""),
        ("c/src/main/java/C.java", "class C {}\n"),
        ("c/src/test/java/CT.java", "class CT {}\n"),
        ("d/src/main/java/D.java", "class D {}\n"),
        ("e/data/x.txt", ""),
        ("settings.gradle", "include 'a', 'c', 'd'\n"),
    ];
    let expected = [
        "c/build.gradle",
        "c/gradle.properties",
        "c/src/main/java/C.java",
        "c/src/test/java/CT.java",
        "e/data/x.txt",
    ];
    let scripts = ["cd a && ../gradlew test", "gradle -p a test"];
    for script in scripts {
        check_read(script, files, &expected, "d/src/main/java/D.java");
    }
}

#[test]
fn go_that_builds_for_several_systems_builds_what_it_names() {
    let files = [
        ("README.md", ""),
        ("go.mod", "module example.org/x\n"),
        ("main.go", "package main\n"),
        ("p/p.go", "package p\n"),
    ];
    let gox = "gox -os=\"linux darwin\" -arch amd64 -parallel=2 -output=../bin/{{.Dir}}";
    let found = closed(gox, &files);
    assert_eq!(found, closed("go build", &files));
    assert!(
        found.contains("main.go") && !found.contains("README.md"),
        "{found}"
    );
    assert_eq!(
        closed("gox -tags x ./p", &files),
        closed("go build ./p", &files)
    );
    super::check_fault(
        "gox -gocmd=./go",
        &files,
        "ci.yml:10 UnknownUse(\"gox -gocmd=./go\")",
    );
}
