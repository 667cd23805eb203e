//! What a job reads that compiles and runs nothing, beside jobs that run what they made.

use super::narrow::closed;

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
    ] {
        assert!(reads(script, "a/src/lib.rs", WALK), "{script}");
    }
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
    use super::*;
    let says = |reference: &str| {
        let mut made = job("cargo check");
        made.steps.extend(uses(reference, &[]).steps);
        let inputs = infer_in(&made, None, CRATES);
        let is_compiled = |input: &Input| matches!(input, Input::Compiled(_) | Input::Built(_));
        inputs.parts.iter().any(|(input, _)| is_compiled(input))
    };
    assert!(says("actions/checkout@v4"));
    assert!(says("dtolnay/rust-toolchain@master"));
    assert!(!says("actions/upload-artifact@v4"));
    assert!(!says("codecov/codecov-action@v5"));
}
