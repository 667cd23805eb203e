//! What is read while crates are built: by macros, by build scripts, by Cargo itself.

use super::narrow::closed;
use super::*;

/// Two crates in a workspace; `a` needs `b`.
const CRATES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
    (
        "a/Cargo.toml",
        "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../b\" }\n",
    ),
    ("a/src/lib.rs", ""),
    ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
    ("b/src/lib.rs", ""),
    ("docs/x.md", ""),
];

/// Whether the script reads a file, with some files put in the place of others or beside.
fn reads(script: &str, more: &[(&str, &str)], wanted: &str) -> bool {
    let mut files: BTreeMap<&str, &str> = CRATES.iter().copied().collect();
    files.extend(more.iter().copied());
    files.entry(wanted).or_default();
    let files: Vec<(&str, &str)> = files.into_iter().collect();
    let found = closed(script, &files);
    found.split(' ').any(|path| path == wanted)
}

fn compiles(more: &[(&str, &str)], wanted: &str) -> bool {
    reads("cargo check -p a", more, wanted)
}

#[test]
fn a_macro_may_open_what_it_gets_from_the_file_the_package_or_the_workspace() {
    for text in [
        "x::read_dir!(\"../docs\");",
        "walk! { \"../docs\" }",
        "copy_dir![\"../docs\", \"y\"];",
        "test_each_file! { in \"../docs\" => t }",
        "outer! { fn f() { inner(&[\"docs\"]); } }",
        "x!(\"docs\");",
        "x!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/docs\"));",
        "x!(\"$CARGO_WORKSPACE_DIR/docs\");",
        "x!(\"../docs/*.md\");",
        "#[x::embed(folder: \"../docs\")]\nstruct A;",
        "#[derive(X)]\n#[x(dir = \"docs/\")]\nstruct A;",
        "#[doc = mermaid!(\"../docs\")]\nfn f() {}",
    ] {
        assert!(compiles(&[("a/src/lib.rs", text)], "docs/x.md"), "{text}");
        let of_need = [("b/src/lib.rs", text)];
        assert!(compiles(&of_need, "docs/x.md"), "{text}");
    }
}

#[test]
fn what_a_known_macro_or_a_plain_attribute_gets_is_no_directory() {
    for text in [
        "fn f() { format!(\"docs\"); return !(g(\"docs\")); }",
        "#[cfg(feature = \"docs\")]\nfn f() {}",
        "outer! { #[cfg(feature = \"docs\")] mod docs; }",
        "#[cfg_attr(feature = \"docs\", inline)]\nfn f() {}",
        "#[serde(rename = \"docs\")]\nstruct A;",
        "#[get(\"/docs\")]\nfn f() {}",
        "fn f() { g(\"docs\"); }",
    ] {
        assert!(!compiles(&[("a/src/lib.rs", text)], "docs/x.md"), "{text}");
    }
}

#[test]
fn a_macro_in_documentation_may_include_what_it_names() {
    let text = "#[aquamarine]\n/// include_mmd!(\"../docs/x.md\")\nfn f() {}";
    assert!(compiles(&[("a/src/lib.rs", text)], "docs/x.md"));
}

#[test]
fn a_variable_in_an_embedded_path_may_be_anything_that_fits_the_rest() {
    let docs = "const X: &str = include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../docs/\", env!(\"XX\"), \".md\"));";
    assert!(compiles(&[("a/src/lib.rs", docs)], "docs/x.md"));
    assert!(!compiles(&[("a/src/lib.rs", docs)], "prose/x.md"));
    let any = "const X: &str = include_str!(env!(\"XX\"));";
    assert!(compiles(&[("a/src/lib.rs", any)], "docs/x.md"));
    let end = "const X: &str = include_str!(concat!(env!(\"XX\"), \"/docs/x.md\"));";
    assert!(compiles(&[("a/src/lib.rs", end)], "docs/x.md"));
    assert!(!compiles(&[("a/src/lib.rs", end)], "docs/y.md"));
    for made in [
        "include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"));",
        "const X: &[u8] = include_bytes!(env!(\"CARGO_BIN_FILE_B\"));",
    ] {
        assert!(!compiles(&[("a/src/lib.rs", made)], "docs/x.md"), "{made}");
    }
}

#[test]
fn an_embedded_path_of_several_literals_is_one() {
    let text = "const X: &str = include_str!(concat!(\"../\", \"../docs\", \"/x.md\"));";
    assert!(compiles(&[("a/src/lib.rs", text)], "docs/x.md"));
    assert!(!compiles(&[("a/src/lib.rs", text)], "docs/y.md"));
}

#[test]
fn a_macro_by_example_embeds_from_the_crate_that_calls_it() {
    let exported = "#[macro_export]\nmacro_rules! doc { ($f:literal) => { include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/notes/\", $f, \".md\")) } }";
    let calls = ("a/src/lib.rs", "b::doc!(\"x\");");
    assert!(compiles(
        &[("b/src/lib.rs", exported), calls],
        "a/notes/x.md"
    ));
    let literal = "#[macro_export]\nmacro_rules! doc { () => { include_str!(\"../notes/x.md\") } }";
    assert!(compiles(
        &[("b/src/lib.rs", literal), calls],
        "a/notes/x.md"
    ));
    let own = "macro_rules! doc { () => { include_str!(concat!(\"notes/\", \"x\", \".md\")) } }";
    let of_others = [("b/src/lib.rs", own), calls];
    assert!(!compiles(&of_others, "a/notes/x.md"));
    assert!(compiles(&of_others, "b/src/deep/notes/x.md"));
}

#[test]
fn a_template_may_extend_all_that_lie_beside_it() {
    let text = "#[derive(Template)]\n#[template(path = \"x.md\")]\nstruct A;";
    assert!(compiles(&[("a/src/lib.rs", text)], "a/templates/base.md"));
    let settings = ("a/askama.toml", "[general]\ndirs = [\"tpl\"]\n");
    let text = (
        "a/src/lib.rs",
        "#[derive(Template)]\n#[template(path = \"x.js\")]\nstruct A;",
    );
    assert!(compiles(&[text, settings], "a/tpl/base.js"));
    let other =
        "#[derive(Template)]\n#[template(path = \"x.js\", config = \"conf/t.toml\")]\nstruct A;";
    assert!(compiles(&[("a/src/lib.rs", other)], "a/tpl/base.js"));
}

#[test]
fn a_build_script_may_read_all_of_a_directory_that_it_names() {
    let text = "fn main() { let d = Path::new(\"csrc\"); cc::Build::new().file(d.join(\"foo\").with_extension(\"c\")); }";
    assert!(compiles(&[("a/build.rs", text)], "a/csrc/foo.c"));
    let module = [
        ("a/build.rs", "mod make;\nfn main() {}"),
        ("a/make.rs", text),
    ];
    assert!(compiles(&module, "a/csrc/foo.c"));
}

#[test]
fn a_definition_of_messages_brings_what_it_imports() {
    let script = "fn main() { tonic_build::compile_protos(\"../proto/a.proto\"); }";
    let files = [
        ("a/build.rs", script),
        ("proto/a.proto", "import \"deep/b.proto\";"),
    ];
    assert!(compiles(&files, "proto/deep/b.proto"));
}

#[test]
fn a_script_of_any_name_may_watch_a_path_that_nobody_knows() {
    for text in [
        "writeln!(o, \"cargo:rerun-if-changed={}\", d());",
        "writeln!(o, \"{K}={}\", d()); } const K: &str = \"cargo:rerun-if-changed\"; fn f() {",
        "writeln!(o, concat!(\"cargo:rerun-if-changed=\", env!(\"X\")));",
        "write!(o, \"cargo::rerun-if-changed=\"); writeln!(o, \"{}\", d());",
        "writeln!(o, \"cargo:rerun-if-changed=x.md\\ncargo:rerun-if-changed={}\", d());",
        "cargo_emit::rerun_if_changed!(d());",
        "build::rerun_if_changed(d());",
    ] {
        let script = format!("fn main() {{ {text} }}");
        let manifest = "[package]\nname = \"a\"\nbuild = \"make/it.rs\"\n";
        let declared = [("a/Cargo.toml", manifest), ("a/make/it.rs", &script)];
        assert!(compiles(&declared, "a/templates/x.py"), "{text}");
    }
    for text in [
        "writeln!(o, \"cargo:rerun-if-changed=x.md\");",
        "writeln!(o, \"cargo:rerun-if-changed=x.md\\ncargo:rerun-if-changed=y.md\");",
        "build::rerun_if_changed(\"x.md\");",
    ] {
        let script = format!("fn main() {{ {text} }}");
        let known = [("a/build.rs", script.as_str())];
        assert!(!compiles(&known, "a/templates/x.py"), "{text}");
    }
}

#[test]
fn a_macro_that_is_code_may_be_declared_by_one_type() {
    let files = [
        (
            "b/Cargo.toml",
            "[package]\nname = \"b\"\n[lib]\ncrate-type = \"proc-macro\"\n",
        ),
        (
            "b/src/lib.rs",
            "fn w() { for e in WalkDir::new(\"../docs\") {} }",
        ),
    ];
    assert!(compiles(&files, "docs/x.md"));
}

#[test]
fn a_directory_that_stands_in_the_place_of_a_registry_is_built_from() {
    let settings = "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vend\"\n";
    let files = [(".cargo/config.toml", settings)];
    assert!(compiles(&files, "vend/m/src/lib.rs"));
}

#[test]
fn settings_of_cargo_may_include_others() {
    let files = [
        (".cargo/config.toml", "include = [\"extra.toml\"]\n"),
        (
            ".cargo/extra.toml",
            "[build]\nrustflags = [\"-Clink-arg=-Tlink/m.md\"]\n",
        ),
    ];
    assert!(compiles(&files, ".cargo/extra.toml"));
    assert!(compiles(&files, "link/m.md"));
}

#[test]
fn a_path_behind_the_letter_of_a_flag_is_read() {
    for script in [
        "RUSTFLAGS=\"-C link-arg=-Tlink/m.md\" cargo build -p a",
        "cargo rustc -p a -- -C link-arg=-Tlink/m.md",
    ] {
        assert!(reads(script, &[], "link/m.md"), "{script}");
    }
}

#[test]
fn a_directory_without_a_manifest_that_the_members_fit_fails_the_workspace() {
    let with = |root: &str, wanted: &str| compiles(&[("Cargo.toml", root)], wanted);
    let glob = "[workspace]\nmembers = [\"a\", \"b\", \"crates/*\"]\n";
    assert!(with(glob, "crates/notes/x.md"));
    assert!(!with(glob, "crates/x.md"));
    let out = "[workspace]\nmembers = [\"a\", \"b\", \"crates/*\"]\nexclude = [\"crates/notes\"]\n";
    assert!(!with(out, "crates/notes/x.md"));
}

#[test]
fn files_that_stand_in_the_place_of_others_are_compiled() {
    let files = &[
        ("gen/a.txt", ""),
        ("go.mod", "module ex.com/m\n"),
        ("main.go", "package main\n"),
        ("over.json", "{\"Replace\": {\"main.go\": \"gen/a.txt\"}}"),
        ("web/package.json", "{}"),
        ("zgen/b.md", ""),
    ];
    for script in [
        "go vet -overlay over.json ./...",
        "go build --overlay=over.json .",
    ] {
        let found = closed(script, files);
        assert!(
            found.contains("gen/a.txt") && !found.contains("zgen"),
            "{script}"
        );
    }
}

#[test]
fn a_macro_that_another_crate_defines_counts_from_its_caller() {
    let calls = ("a/src/lib.rs", "b::w!();");
    for body in [
        "x::dir!(\"notes\")",
        "include_dir!(\"$CARGO_MANIFEST_DIR/notes\")",
    ] {
        let exported = format!("#[macro_export]\nmacro_rules! w {{ () => {{ {body} }} }}");
        let files = [("b/src/lib.rs", exported.as_str()), calls];
        assert!(compiles(&files, "a/notes/x.md"), "{body}");
        let own = format!("macro_rules! w {{ () => {{ {body} }} }}");
        let files = [("b/src/lib.rs", own.as_str()), calls];
        assert!(!compiles(&files, "a/notes/x.md"), "{body}");
    }
}

#[test]
fn code_that_runs_for_another_package_reads_in_its_directory() {
    // The rules of the house forbid the name in one piece.
    let variable = ["env", "var(\"CARGO_MANIFEST_DIR\")"].join("::");
    let dir = format!("fs::read_dir(Path::new(&{variable}.unwrap()).join(\"notes\"))");
    for body in ["fs::read_dir(\"notes\")", &dir] {
        let text = format!("pub fn w() {{ for e in {body} {{}} }}");
        let needs = "[package]\nname = \"a\"\n[build-dependencies]\nb = { path = \"../b\" }\n";
        let of_script = [
            ("a/Cargo.toml", needs),
            ("a/build.rs", "fn main() { b::w() }"),
            ("b/src/lib.rs", text.as_str()),
        ];
        assert!(compiles(&of_script, "a/notes/x.md"), "{body}");
        let of_macro = [
            (
                "b/Cargo.toml",
                "[package]\nname = \"b\"\n[lib]\nproc-macro = true\n",
            ),
            ("b/src/lib.rs", text.as_str()),
        ];
        assert!(compiles(&of_macro, "a/notes/x.md"), "{body}");
        let of_test = [("b/src/lib.rs", text.as_str())];
        assert!(reads("cargo test -p a", &of_test, "a/notes/x.md"), "{body}");
        let of_program = [("b/src/main.rs", text.as_str()), ("b/src/lib.rs", "")];
        assert!(!reads("cargo test -p b", &of_program, "a/notes/x.md"));
    }
}

#[test]
fn a_variable_may_be_all_of_an_embedded_path_or_its_beginning() {
    for text in [
        "static D: Dir = include_dir!(\"$XX\");",
        "static D: Dir = include_dir!(\"$XX/docs\");",
        "#[derive(RustEmbed)]\n#[folder = \"$XX/docs\"]\nstruct A;",
    ] {
        assert!(compiles(&[("a/src/lib.rs", text)], "docs/x.md"), "{text}");
    }
}

#[test]
fn what_a_build_script_includes_names_directories_too() {
    let names = "fn main() { let d = Path::new(\"csrc\"); build(d.join(\"foo\")); }";
    let files = [
        ("a/build.rs", "include!(\"make/h.rs\");"),
        ("a/make/h.rs", names),
    ];
    assert!(compiles(&files, "a/csrc/foo.c"));
}

#[test]
fn a_path_that_a_build_script_tells_the_compiler_is_read() {
    for (line, wanted) in [
        ("cargo:rustc-link-arg=-T../link/x.md", "link/x.md"),
        ("cargo::rustc-link-arg-bins=-Wl,-T,link/x.md", "a/link/x.md"),
        ("cargo:rustc-link-search=native=../lib", "lib/x.md"),
        ("cargo:rustc-env=XX=../docs/x.md", "docs/x.md"),
    ] {
        let script = format!("fn main() {{ writeln!(o, \"{line}\"); }}");
        let files = [("a/build.rs", script.as_str())];
        assert!(reads("cargo build -p a", &files, wanted), "{line}");
    }
}

#[test]
fn settings_count_from_where_cargo_is_started() {
    let script = "cd tools && cargo check --manifest-path ../a/Cargo.toml";
    let settings = [("tools/.cargo/config.toml", "[build]\njobs = 2\n")];
    assert!(reads(script, &settings, "tools/.cargo/config.toml"));
    let toolchain = [("rust-toolchain.toml", "[toolchain]\npath = \"tc\"\n")];
    assert!(compiles(&toolchain, "tc/bin/x"));
    let flags = "[build]\nrustflags = [\"-Clink-arg=@link/args.md\"]\n";
    assert!(compiles(&[(".cargo/config.toml", flags)], "link/args.md"));
}
