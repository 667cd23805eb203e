//! Crates, workspaces, modules and embeds of small Rust repositories.

use super::*;
use crate::engine::graph::sample;

fn check(files: &[(&str, &str)], from: &str, expected: &str) {
    let snapshot = sample::snapshot(files);
    let graph = sample::graph(&snapshot, &[resolve]);
    let found = sample::reached(&snapshot, &graph, from);
    assert_eq!(found.replace('\n', " "), expected);
}

fn facts_of(path: &str, source: &str) -> String {
    let facts = extract(path, source);
    let imports: Vec<String> = facts
        .imports
        .iter()
        .map(|import| {
            let names = import.names.join(",");
            format!(
                "{}:{:?} {} {names}",
                import.line, import.kind, import.specifier
            )
        })
        .collect();
    let dynamic: Vec<&str> = facts.dynamic.iter().map(|dynamic| &*dynamic.what).collect();
    let shown = format!(
        "{}\nliterals: {}\ntests: {}\ndynamic: {}",
        imports.join("\n"),
        facts.literals.join(" "),
        facts.tests.join(" "),
        dynamic.join(" ")
    );
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    lines.join("\n")
}

const SHOP: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.dependencies]\n\
         tax = { path = \"crates/tax\" }\nserde = \"1\"\n",
    ),
    ("Cargo.lock", ""),
    ("rust-toolchain.toml", ""),
    (
        "crates/api/Cargo.toml",
        "[package]\nname = \"shop-api\"\n[dependencies]\ntax = { workspace = true }\n\
         serde.workspace = true\n[dev-dependencies]\nfake = { path = \"../fake\" }\n",
    ),
    ("crates/api/src/lib.rs", "mod web;\nuse tax::Rate;\n"),
    ("crates/api/src/web.rs", "use crate::missing;\n"),
    ("crates/api/src/query.sql", ""),
    ("crates/api/tests/it.rs", "mod support;\n"),
    ("crates/api/tests/support/mod.rs", ""),
    ("crates/fake/Cargo.toml", "[package]\nname = \"fake\"\n"),
    ("crates/fake/src/lib.rs", ""),
    ("crates/tax/Cargo.toml", "[package]\nname = \"tax\"\n"),
    ("crates/tax/src/lib.rs", ""),
    ("crates/tax/tests/t.rs", ""),
];

#[test]
fn a_file_says_its_modules_uses_embeds_and_tests() {
    let source = r#"
//! mod not_this;
use std::{fs, collections::{BTreeMap as Map, *}, io::{self, Read}};
pub(crate) use crate::a::b;
extern crate alloc;
mod plain;
#[cfg_attr(unix, path = "unix.rs")]
mod platform;
fn f() -> impl Iterator + use<'_> { include_str!("../data/x.sql") }
const B: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/", "y.bin"));
include!(concat!(env!("OUT_DIR"), "/generated.rs"));
static D: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");
#[derive(RustEmbed)]
#[folder = "web/dist"]
struct Assets;
macro_rules! m { ($x:ident) => { mod $x; } }
include!(somewhere!());
#[cfg(test)]
mod tests {
    use super::*;
    mod support;
    #[test]
    fn it_works() { let c = 'x'; }
    #[tokio::test(flavor = "multi_thread")]
    async fn it_waits() {}
    #[cfg(test)]
    fn helper() {}
}
"#;
    insta::assert_snapshot!(facts_of("src/lib.rs", source), @r"
    3:Static std::fs
    3:Static std::collections::BTreeMap
    3:Static std::collections::*
    3:Static std::io
    3:Static std::io::Read
    4:Static crate::a::b
    5:Static alloc
    6:Module plain
    8:Module platform unix.rs
    9:Embed ../data/x.sql
    10:Embed $CARGO_MANIFEST_DIR/assets/y.bin
    12:Embed $CARGO_MANIFEST_DIR/templates
    14:Embed $CARGO_MANIFEST_DIR/web/dist
    20:Static super::*
    21:Module tests/support
    literals: $CARGO_MANIFEST_DIR/templates ../data/x.sql /assets/ /generated.rs CARGO_MANIFEST_DIR OUT_DIR assets/ generated.rs multi_thread unix.rs web/dist y.bin
    tests: tests::it_works tests::it_waits
    dynamic: include!(…)
    ");
}

#[test]
fn a_build_script_names_what_it_watches() {
    let source = "fn main() { println!(\"cargo:rerun-if-changed=proto/a.proto\");\n\
                  println!(\"cargo::rerun-if-changed={}\", p); }";
    insta::assert_snapshot!(facts_of("build.rs", source), @r"

    literals: proto/a.proto
    tests:
    dynamic: cargo::rerun-if-changed={}
    ");
}

#[test]
fn a_build_script_may_name_what_it_watches_by_a_constant() {
    let says = |bound: &str| {
        let text = "println!(\"cargo:rerun-if-changed={X}\");";
        let facts = facts_of("build.rs", &format!("{bound}\nfn main() {{ {text} }}"));
        facts.contains("rerun-if-changed")
    };
    assert!(!says("const X: &str = \"a.xml\";"));
    assert!(!says("static X: &str = \"a/b.xml\";"));
    assert!(says("const X: &str = \".\";"));
    assert!(says("mod m { const X: &str = \"a.xml\"; }"));
    assert!(says("const X: &str = concat!(\"a\", \".xml\");"));
    assert!(says("const X: &str = \"a.xml\"; fn f() { let X = g(); }"));
    assert!(says(""));
}

#[test]
fn a_crate_needs_its_dependencies_but_neither_their_tests_nor_its_own() {
    check(
        SHOP,
        "crate shop-api",
        "Cargo.toml crates/api/Cargo.toml crates/api/src/lib.rs crates/api/src/query.sql \
         crates/api/src/web.rs crates/tax/Cargo.toml crates/tax/src/lib.rs rust-toolchain.toml",
    );
}

#[test]
fn tests_need_the_crate_and_what_only_they_depend_on() {
    check(
        SHOP,
        "crates/api/tests/it.rs",
        "Cargo.toml crates/api/Cargo.toml crates/api/src/lib.rs crates/api/src/query.sql \
         crates/api/src/web.rs crates/api/tests/it.rs crates/api/tests/support/mod.rs \
         crates/fake/Cargo.toml crates/fake/src/lib.rs crates/tax/Cargo.toml \
         crates/tax/src/lib.rs rust-toolchain.toml",
    );
}

#[test]
fn an_inherited_dependency_is_external_for_the_package_that_inherits() {
    let snapshot = sample::snapshot(SHOP);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(
        sample::externals(&snapshot, &graph),
        "crates/api/Cargo.toml: serde"
    );
    assert_eq!(graph.unresolved, []);
}

#[test]
fn optional_target_build_and_renamed_dependencies_count() {
    check(
        &[
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[target.'cfg(unix)'.dependencies]\n\
                 x = { package = \"b\", path = \"../b\", optional = true }\n\
                 [build-dependencies]\nc = { path = \"../c\" }\n",
            ),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ("c/Cargo.toml", "[package]\nname = \"c\"\n"),
            ("c/src/lib.rs", ""),
        ],
        "crate a",
        "a/Cargo.toml b/Cargo.toml c/Cargo.toml c/src/lib.rs",
    );
}

#[test]
fn a_patch_is_needed_by_whoever_needs_anything_from_outside() {
    check(
        &[
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\n[workspace]\n[dependencies]\nhyper = \"1\"\n\
                 [patch.crates-io]\ntokio = { path = \"forks/tokio\" }\n",
            ),
            ("forks/tokio/Cargo.toml", "[package]\nname = \"tokio\"\n"),
        ],
        "crate a",
        "Cargo.toml forks/tokio/Cargo.toml",
    );
}

#[test]
fn a_manifest_that_does_not_parse_needs_every_crate() {
    check(
        &[
            ("a/Cargo.toml", "[package\nname"),
            ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ],
        "crate a",
        "a/Cargo.toml b/Cargo.toml",
    );
}

#[test]
fn a_library_may_lie_beside_its_manifest_and_a_target_elsewhere() {
    check(
        &[
            (
                "a/Cargo.toml",
                "[package]\nname = \"a\"\n[lib]\npath = \"lib.rs\"\n",
            ),
            ("a/lib.rs", "mod m;"),
            ("a/m.rs", ""),
            ("a/notes.txt", ""),
        ],
        "crate a",
        "a/Cargo.toml a/lib.rs a/m.rs",
    );
    check(
        &[
            (
                "b/Cargo.toml",
                "[package]\nname = \"b\"\n[lib]\npath = \"../shared/lib.rs\"\n",
            ),
            ("shared/lib.rs", "mod m;"),
            ("shared/m.rs", ""),
        ],
        "crate b",
        "b/Cargo.toml shared/lib.rs shared/m.rs",
    );
}

#[test]
fn a_module_or_an_embed_outside_its_crate_is_needed() {
    check(
        &[
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            (
                "a/src/lib.rs",
                "#[path = \"../../shared/x.rs\"]\nmod x;\n\
                 #![doc = include_str!(\"../../README.md\")]\n",
            ),
            ("README.md", ""),
            ("shared/x.rs", ""),
            ("shared/y.rs", ""),
        ],
        "crate a",
        "README.md a/Cargo.toml a/src/lib.rs shared/x.rs",
    );
}

#[test]
fn modules_and_uses_explain_which_file_is_meant() {
    let snapshot = sample::snapshot(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("src/lib.rs", "mod a;\nmod gone;"),
        ("src/a.rs", "mod b;\nuse self::b::Thing;"),
        ("src/a/b.rs", "use crate::a::f;\nuse super::super::c::g;"),
        ("src/c/mod.rs", ""),
    ]);
    let graph = sample::graph(&snapshot, &[resolve]);
    insta::assert_snapshot!(sample::edges(&snapshot, &graph, EdgeKind::Detail), @r"
    src/a.rs -> src/a/b.rs
    src/a/b.rs -> src/a.rs
    src/a/b.rs -> src/c/mod.rs
    src/lib.rs -> src/a.rs
    ");
    assert_eq!(&*graph.unresolved[0].specifier, "mod gone");
}

#[test]
fn files_with_a_test_are_listed_below_a_directory() {
    let snapshot = sample::snapshot(&[
        ("a/src/lib.rs", "#[test] fn t() {}"),
        ("a/src/other.rs", "fn t() {}"),
        ("b/tests/t.rs", "#[test] fn t() {}"),
    ]);
    let paths: Vec<&str> = files_with_tests(&snapshot, "a")
        .into_iter()
        .map(|file| snapshot.tree.path(file))
        .collect();
    assert_eq!(paths, ["a/src/lib.rs"]);
}

#[test]
fn who_reads_the_data_of_a_crates_tests_needs_no_crate() {
    check(
        &[
            ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("a/src/lib.rs", ""),
            ("a/tests/data.txt", ""),
            ("a/tests/t.rs", ""),
        ],
        "a/tests/data.txt",
        "a/tests/data.txt",
    );
}

#[test]
fn a_patch_that_needs_the_package_itself_is_needed_by_its_tests_alone() {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\n[patch.crates-io]\nutil = { path = \"util\" }\nmacros = { path = \"macros\" }\n",
        ),
        (
            "core/Cargo.toml",
            "[package]\nname = \"core\"\n[dependencies]\nlibc = \"1\"\n[dev-dependencies]\nrand = \"1\"\n",
        ),
        ("core/src/lib.rs", ""),
        ("core/tests/t.rs", ""),
        ("macros/Cargo.toml", "[package]\nname = \"macros\"\n"),
        (
            "util/Cargo.toml",
            "[package]\nname = \"util\"\n[dependencies]\ncore = { path = \"../core\" }\n",
        ),
    ];
    check(
        &files,
        "core/src/lib.rs",
        "Cargo.toml core/Cargo.toml core/src/lib.rs macros/Cargo.toml",
    );
    check(
        &files,
        "core/tests/t.rs",
        "Cargo.toml core/Cargo.toml core/src/lib.rs core/tests/t.rs macros/Cargo.toml util/Cargo.toml",
    );
}
