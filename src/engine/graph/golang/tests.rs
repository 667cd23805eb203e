//! Modules, vendors, tests and embeds of small Go repositories.

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
        .map(|import| format!("{}:{:?} {}", import.line, import.kind, import.specifier))
        .collect();
    let literals = facts.literals.join(" ");
    let tests = facts.tests.join(" ");
    format!(
        "{:?} broken={}\n{}\nliterals: {literals}\ntests: {tests}",
        facts.package,
        facts.broken,
        imports.join("\n")
    )
}

const SHOP: &[(&str, &str)] = &[
    (
        "go.mod",
        "module example.org/shop // main\n\nrequire (\n\texample.com/lib v1.2.0\n)\n",
    ),
    (
        "api/api.go",
        "package api\nimport (\n\"fmt\"\n\"example.org/shop/tax\"\n)\n",
    ),
    (
        "api/api_test.go",
        "package api_test\nimport \"example.org/shop/fake\"\n",
    ),
    ("api/testdata/in.txt", "x"),
    ("fake/fake.go", "package fake\n"),
    (
        "tax/tax.go",
        "package tax\nimport _ \"example.com/lib/x\"\n",
    ),
    ("tax/tax_windows.go", "package tax\n"),
    ("tax/tax_test.go", "package tax\n"),
    ("tax/asm_amd64.s", "TEXT"),
];

#[test]
fn a_file_says_what_it_imports_embeds_and_tests() {
    let source = r#"// import "not/this"
package api

/*
#cgo CFLAGS: -I${SRCDIR}/native/include
#include "native.h"
#include <stdio.h>
*/
import "C"
import (
	"fmt" // a comment
	x "example.org/x"
	. "example.org/dot"
)

//go:embed web/*.html "with space.txt" all:static
var files embed.FS

//go:generate mockgen -source=api.go

var s = `raw "import"` + "testdata/in.json"

func TestIt(t *testing.T) {}
func Testify() {}
func (s *Suite) TestMethod() {}
func ExampleX() {}
"#;
    insta::assert_snapshot!(facts_of("api/api_test.go", source), @r#"
    Some("api") broken=true
    6:IncludeQuoted native.h
    11:Static fmt
    12:Static example.org/x
    13:Static example.org/dot
    16:Embed web/*.html
    16:Embed with space.txt
    16:Embed all:static
    literals: -source=api.go /native/include CFLAGS: api.go mockgen native/include testdata/in.json
    tests: TestIt ExampleX
    "#);
}

#[test]
fn a_package_needs_what_it_imports_but_not_the_tests_of_that() {
    check(
        SHOP,
        "go package ./api",
        "api/api.go go.mod tax/asm_amd64.s tax/tax.go tax/tax_windows.go",
    );
}

#[test]
fn a_test_file_that_keeps_a_package_from_being_read_is_needed_by_its_importers() {
    for stray in ["package fault\n", "package tax )({\n", "func {\n"] {
        let stray = [("tax/stray_test.go", stray)];
        check(
            &[SHOP, &stray].concat(),
            "go package ./api",
            "api/api.go go.mod tax/asm_amd64.s tax/stray_test.go tax/tax.go tax/tax_test.go \
             tax/tax_windows.go",
        );
    }
}

#[test]
fn tests_need_their_package_their_data_and_their_own_imports() {
    check(
        SHOP,
        "api/api_test.go",
        "api/api.go api/api_test.go api/testdata/in.txt fake/fake.go go.mod \
         tax/asm_amd64.s tax/tax.go tax/tax_windows.go",
    );
}

#[test]
fn a_required_module_is_external_by_the_name_in_the_manifest() {
    let snapshot = sample::snapshot(SHOP);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(
        sample::externals(&snapshot, &graph),
        "tax/tax.go: example.com/lib"
    );
    assert_eq!(graph.unresolved, []);
}

#[test]
fn a_local_replacement_and_a_workspace_lead_into_the_tree() {
    check(
        &[
            (
                "a/go.mod",
                "module example.org/a\nrequire example.org/b v0.0.0\nreplace example.org/b => ../b\n",
            ),
            ("a/a.go", "package a\nimport \"example.org/b/sub\"\n"),
            ("b/go.mod", "module example.org/b\n"),
            ("b/sub/s.go", "package sub\n"),
        ],
        "a/a.go",
        "a/a.go a/go.mod b/go.mod b/sub/s.go",
    );
    check(
        &[
            ("go.work", "go 1.24\nuse (\n\t./a\n\t./b\n)\n"),
            ("a/go.mod", "module example.org/a\n"),
            ("a/a.go", "package a\nimport \"example.org/b\"\n"),
            ("b/go.mod", "module example.org/b\n"),
            ("b/b.go", "package b\n"),
        ],
        "a/a.go",
        "a/a.go a/go.mod b/b.go b/go.mod go.work",
    );
}

#[test]
fn a_vendored_package_is_needed_and_stays_external() {
    let files = [
        ("go.mod", "module m\nrequire example.com/lib v1.0.0\n"),
        ("vendor/modules.txt", "# x"),
        (
            "vendor/example.com/lib/l.go",
            "package lib\nimport \"example.com/dep\"\n",
        ),
        ("vendor/example.com/dep/d.go", "package dep\n"),
        ("m.go", "package m\nimport \"example.com/lib\"\n"),
    ];
    check(
        &files,
        "m.go",
        "go.mod m.go vendor/example.com/dep/d.go vendor/example.com/lib/l.go vendor/modules.txt",
    );
    let snapshot = sample::snapshot(&files);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert!(sample::externals(&snapshot, &graph).contains("m.go: example.com/lib"));
}

#[test]
fn a_module_required_by_version_may_still_be_built_from_the_tree() {
    let files = [
        (
            "a/go.mod",
            "module example.org/a\nrequire example.org/b v1.0.0\n",
        ),
        ("a/a.go", "package a\nimport \"example.org/b\"\n"),
        ("b/go.mod", "module example.org/b\n"),
        ("b/b.go", "package b\n"),
    ];
    check(&files, "a/a.go", "a/a.go a/go.mod b/b.go b/go.mod");
    let snapshot = sample::snapshot(&files);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(
        sample::externals(&snapshot, &graph),
        "a/a.go: example.org/b"
    );
}

#[test]
fn an_embedded_pattern_takes_files_and_whole_directories() {
    check(
        &[
            ("go.mod", "module m\n"),
            (
                "w/w.go",
                "package w\n//go:embed all:static *.html deep/*\nvar f embed.FS\n",
            ),
            ("w/static/a/.hidden", ""),
            ("w/x.html", ""),
            ("w/deep/dir/y.txt", ""),
            ("w/other.txt", ""),
        ],
        "go package ./w",
        "go.mod w/deep/dir/y.txt w/static/a/.hidden w/w.go w/x.html",
    );
}

#[test]
fn an_own_package_that_is_not_there_is_unresolved() {
    let files = [
        ("go.mod", "module example.org/m\n"),
        ("m.go", "package m\nimport \"example.org/m/generated\"\n"),
    ];
    let snapshot = sample::snapshot(&files);
    let graph = sample::graph(&snapshot, &[resolve]);
    assert_eq!(&*graph.unresolved[0].specifier, "example.org/m/generated");
}
