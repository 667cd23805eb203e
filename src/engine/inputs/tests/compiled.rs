//! What a job reads that compiles and runs nothing, beside jobs that run what they made.

use super::narrow::closed;
use super::*;

/// Two crates: `a` needs `b`, and a macro, a library and a script that run in its build.
const CRATES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\", \"b\", \"g\", \"m\"]\n",
    ),
    ("README.md", ""),
    (
        "a/Cargo.toml",
        "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../b\" }\n\
         m = { path = \"../m\" }\n[build-dependencies]\ng = { path = \"../g\" }\n",
    ),
    ("a/build.rs", "fn main() {}"),
    ("a/src/lib.rs", ""),
    ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
    ("b/src/lib.rs", ""),
    ("g/Cargo.toml", "[package]\nname = \"g\"\n"),
    ("g/src/lib.rs", ""),
    (
        "m/Cargo.toml",
        "[package]\nname = \"m\"\n[lib]\nproc-macro = true\n",
    ),
    ("m/src/lib.rs", ""),
    ("docs/x.md", ""),
];

const WALK: &str = "fn w() { for e in WalkDir::new(\"../docs\") {} }";

/// Whether the script reads the prose that the file walks.
fn reads(script: &str, path: &str, text: &'static str) -> bool {
    let mut files = CRATES.to_vec();
    for file in &mut files {
        if file.0 == path {
            file.1 = text;
        }
    }
    closed(script, &files).contains("docs/x.md")
}

#[test]
fn what_code_opens_when_it_runs_is_no_input_of_who_compiles_it() {
    for path in ["a/src/lib.rs", "b/src/lib.rs"] {
        for script in [
            "cargo check",
            "cargo build --release",
            "cargo clippy --all-targets",
            "cargo doc --no-deps",
            "rustup update && cargo hack check",
            "cargo check -p a",
        ] {
            assert!(!reads(script, path, WALK), "{script} {path}");
        }
        assert!(reads("cargo test", path, WALK), "{path}");
        assert!(reads("cargo run -p a", path, WALK), "{path}");
    }
}

#[test]
fn what_runs_in_a_build_reads_what_it_opens() {
    for path in ["a/build.rs", "g/src/lib.rs", "m/src/lib.rs"] {
        assert!(reads("cargo check -p a", path, WALK), "{path}");
    }
    assert!(!reads("cargo check -p b", "a/build.rs", WALK));
}

#[test]
fn what_a_build_script_declares_as_a_module_runs_with_it() {
    let mut files = CRATES.to_vec();
    files[3].1 = "#[path = \"src/walk.rs\"]\nmod walk;\nfn main() { walk::w() }";
    files.push(("a/src/walk.rs", WALK));
    files.sort_unstable();
    assert!(closed("cargo check -p a", &files).contains("docs/x.md"));
}

#[test]
fn a_declared_build_script_runs_wherever_it_lies() {
    let mut files = CRATES.to_vec();
    files[2].1 = "[package]\nname = \"a\"\nbuild = \"make/it.rs\"\n";
    files.push(("a/make/it.rs", WALK));
    files.sort_unstable();
    assert!(closed("cargo check -p a", &files).contains("docs/x.md"));
}

#[test]
fn a_patch_may_be_what_something_from_outside_is_built_with() {
    let mut files = CRATES.to_vec();
    files[0].1 = "[workspace]\nmembers = [\"a\"]\n[patch.crates-io]\nb = { path = \"b\" }\n";
    files[2].1 = "[package]\nname = \"a\"\n[dependencies]\nserde = \"1\"\n";
    files[6].1 = WALK;
    assert!(closed("cargo check -p a", &files).contains("docs/x.md"));
}

#[test]
fn what_is_embedded_is_compiled() {
    let embeds = "const X: &str = include_str!(\"../../docs/x.md\");";
    assert!(reads("cargo check", "b/src/lib.rs", embeds));
    let computed =
        "const X: &str = include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../docs/x.md\"));";
    assert!(reads("cargo check", "b/src/lib.rs", computed));
    let handed_on = "load!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../docs/\"));";
    assert!(reads("cargo check", "b/src/lib.rs", handed_on));
}

#[test]
fn a_job_that_does_anything_else_may_run_what_it_made() {
    for script in [
        "cargo build\ncp target/debug/a ~/.cargo/bin/jq\njq . x.json",
        "cargo build\ncargo test -p a",
        "cargo build\nrg x",
        "cargo build\ngit submodule foreach x",
        "cargo build\ngit config core.hooksPath x",
        "cargo build\nsudo apt-get install ./target/debian/a.deb",
        "cargo hack --workspace --skip c test",
        "cargo hack --target-dir build test",
        "cargo hack check --each-feature\ncargo hack --features build test",
        "cargo build --target-dir ~/bin",
        "cargo build --artifact-dir /usr/local/bin -Zunstable-options\ndate",
        "cargo build\nexport PATH=\"$PWD/target/debug:$PATH\"\ndate",
        "cargo build\nPATH=$PWD/target/debug:$PATH which x",
        "cargo build\necho $PWD/target/debug >> $GITHUB_PATH",
        "cargo build\nRUSTC_WRAPPER=$PWD/target/debug/a cargo check",
        "cargo build\nexport RUSTDOC=target/debug/a\ncargo doc",
        "cargo build\nexport RUSTFLAGS=\"-C linker=a\"\ncargo check",
        "cargo build\ncargo check --config \"build.rustc-wrapper='target/debug/a'\"",
        "cargo build\nrustup toolchain link mine target\ncargo +mine check",
        "CARGO_ALIAS_CLIPPY='run -p a' cargo clippy",
        "cargo rustdoc -p b -- --test",
        "cargo build\necho BASH_ENV=ci/x.sh >> $GITHUB_ENV",
    ] {
        let files = CRATES.to_vec();
        assert!(!is_compiled(&job(script), &files), "{script}");
    }
}

/// Whether what a job compiles does not count as run.
fn is_compiled(job: &Job, files: &[(&str, &str)]) -> bool {
    let inputs = infer_in(job, None, files);
    let is_compiled = |input: &Input| matches!(input, Input::Compiled(_) | Input::Built(_));
    inputs.parts.iter().any(|(input, _)| is_compiled(input))
}

#[test]
fn quiet_commands_and_variables_start_nothing_that_was_built() {
    for script in [
        "rustup toolchain install stable --profile minimal\ncargo +stable check --locked",
        "sudo apt-get update\nsudo apt-get install -y musl-tools\ncargo build --release",
        "cargo clippy --all-targets --all-features -- -D warnings",
        "cargo fmt --check\ncargo doc --no-deps\ngit diff --exit-code",
        "export RUSTFLAGS=\"-D warnings\"\ncargo check",
        "cargo hack check --each-feature --no-dev-deps",
    ] {
        assert!(is_compiled(&job(script), CRATES), "{script}");
    }
}

#[test]
fn an_alias_or_a_program_in_the_settings_of_cargo_may_be_what_runs() {
    for settings in [
        "[alias]\nclippy = \"run -p a\"\n",
        "[build]\nrustc-wrapper = \"target/debug/a\"\n",
        "[target.x86_64-unknown-linux-gnu]\nlinker = \"target/debug/a\"\n",
        "include = [\"more.toml\"]\n",
    ] {
        let mut files = vec![(".cargo/config.toml", settings)];
        files.extend(CRATES);
        assert!(!is_compiled(&job("cargo clippy"), &files), "{settings}");
    }
}

#[test]
fn another_shell_or_a_machine_that_stays_may_run_what_was_built() {
    let with = |shell: Option<&str>, runner: &str| {
        let mut made = job("cargo check");
        if let Action::Run { shell: named, .. } = &mut made.steps[0].action {
            *named = shell.map(Into::into);
        }
        made.runner = vec![runner.into()];
        is_compiled(&made, CRATES)
    };
    assert!(with(None, "ubuntu-latest"));
    assert!(with(Some("bash"), "ubuntu-latest"));
    assert!(!with(Some("python"), "ubuntu-latest"));
    assert!(!with(None, "self-hosted"));
}

#[test]
fn what_another_job_may_get_counts_as_run() {
    let (built, mut later) = (job("cargo build"), uses("actions/cache@v4", &[]));
    later.id = JobId("later".into());
    assert!(!is_handed_on(&built, &[built.clone(), later.clone()]));
    later.needs = vec![built.id.clone()];
    assert!(is_handed_on(&built, &[built.clone(), later.clone()]));
    later.steps = job("echo").steps;
    assert!(!is_handed_on(&built, &[built.clone(), later]));
}

#[test]
fn a_macro_runs_in_the_build_of_its_own_tests() {
    for script in [
        "cargo check -p m --all-targets",
        "cargo clippy --all-targets",
        "cargo hack check --all-targets",
    ] {
        let mut files = CRATES.to_vec();
        files[10].1 = WALK;
        files.push(("m/tests/t.rs", "use m::*;"));
        files.sort_unstable();
        assert!(closed(script, &files).contains("docs/x.md"), "{script}");
    }
}

#[test]
fn a_macro_that_only_tests_need_runs_where_tests_are_compiled() {
    let mut files = CRATES.to_vec();
    files[2].1 = "[package]\nname = \"a\"\n[dev-dependencies]\nm = { path = \"../m\" }\n";
    files[10].1 = WALK;
    for script in ["cargo clippy --all-targets", "cargo check --tests"] {
        assert!(closed(script, &files).contains("docs/x.md"), "{script}");
    }
}

#[test]
fn a_macro_may_run_the_code_that_it_is_given() {
    for text in [
        "comptime! { fs::read_dir(Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"../docs\")) }",
        "staged! { fs::read_dir(Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"../docs\")) }",
        "#[crabtime::function]\nfn f() { fs::read_dir(Path::new(env!(\"CARGO_MANIFEST_DIR\")).join(\"../docs\")) }",
    ] {
        assert!(reads("cargo check", "b/src/lib.rs", text), "{text}");
    }
}

#[test]
fn code_that_is_included_from_a_file_of_another_kind_may_read_anything() {
    assert!(reads(
        "cargo check",
        "b/src/lib.rs",
        "include!(\"walk.inc\");"
    ));
    let partly = "const X: &str = include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../docs/\", stringify!(x), \".md\"));";
    assert!(reads("cargo check", "b/src/lib.rs", partly));
}

#[test]
fn a_package_without_a_workspace_may_be_patched() {
    let files = &[
        (
            "Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n[patch.crates-io]\nb = { path = \"vend/b\" }\n",
        ),
        ("src/lib.rs", ""),
        ("vend/b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("vend/b/src/lib.rs", ""),
    ];
    assert!(closed("cargo check", files).contains("vend/b/src/lib.rs"));
}

#[test]
fn what_go_code_opens_is_no_input_of_who_compiles_it() {
    let files = &[
        (
            "a/a_test.go",
            "package a\nimport (\"path/filepath\"; \"testing\")\nfunc TestA(t *testing.T) { filepath.WalkDir(\"..\", nil) }\n",
        ),
        ("a/a.go", "package a\n"),
        ("docs/x.md", ""),
        ("go.mod", "module ex.com/m\n"),
    ];
    assert!(!closed("go vet ./...", files).contains("docs/x.md"));
    assert!(!closed("go build ./...", files).contains("docs/x.md"));
    assert!(closed("go test ./...", files).contains("docs/x.md"));
    assert!(closed("go vet ./... && go test ./...", files).contains("docs/x.md"));
}

#[test]
fn a_step_that_hands_on_what_was_made_counts_as_running_it() {
    let says = |reference: &str| {
        let mut made = job("cargo check");
        made.steps.extend(uses(reference, &[]).steps);
        is_compiled(&made, CRATES)
    };
    assert!(says("actions/checkout@v4"));
    assert!(says("dtolnay/rust-toolchain@master"));
    assert!(says("Swatinem/rust-cache@v2"));
    assert!(!says("actions/upload-artifact@v4"));
    assert!(!says("codecov/codecov-action@v5"));
}

#[test]
fn a_program_of_go_that_was_built_may_be_started_by_go() {
    let files = &[("a/a.go", "package a\n"), ("go.mod", "module ex.com/m\n")];
    for script in [
        "go build -o bin/tool ./a\ngo vet -vettool=$PWD/bin/tool ./...",
        "go build -o /usr/local/bin/date ./a\ndate",
        "go build --o=x ./a",
        "go build -toolexec=x ./...",
        "GOFLAGS=-vettool=x go vet ./...",
        "CC=bin/tool go build ./...",
        "go env -w CC=bin/tool\ngo build ./...",
    ] {
        assert!(!is_compiled(&job(script), files), "{script}");
    }
    assert!(is_compiled(
        &job("go vet ./...\nCGO_ENABLED=0 go build ./..."),
        files
    ));
}
