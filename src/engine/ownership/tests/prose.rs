//! Prose and settings: what names a file, and what only packs or lists it.

use super::*;

#[test]
fn a_project_names_files_from_its_own_directory() {
    let files = [
        ("setup.cfg", "long_description = file: README.rst"),
        ("README.rst", ""),
        ("examples/pyproject.toml", "[project]\nname = 'e'"),
        ("examples/README.rst", ""),
    ];
    assert_eq!(needs(&files, &[], "setup.cfg"), "README.rst");
    // Without one there, any may be meant.
    let files = [files[0], files[2], files[3]];
    assert_eq!(needs(&files, &[], "setup.cfg"), "examples/README.rst");
}

#[test]
fn what_is_only_packed_or_published_is_not_named() {
    let files = [
        (
            "pyproject.toml",
            "[project]\nname = 'x'\nreadme = 'README.md'\n[tool.flit.sdist]\ninclude = [\n  'CHANGES.md',\n]\n[tool.x]\nfile = 'USAGE.md'\n",
        ),
        ("CHANGES.md", ""),
        ("README.md", ""),
        ("USAGE.md", ""),
    ];
    assert_eq!(needs(&files, &[], "pyproject.toml"), "README.md USAGE.md");
    let files = [
        (
            "Cargo.toml",
            "[package]\nname = 'x'\nexclude = [\n  'bench/run',\n]\nbuild = 'gen.json'\n",
        ),
        ("bench/run", ""),
        ("gen.json", ""),
    ];
    let found = needs(&files, &[], "Cargo.toml");
    assert!(
        found.contains("gen.json") && !found.contains("bench/run"),
        "{found}"
    );
}

#[test]
fn setuptools_lists_prose_and_installs_that_of_modules() {
    let files = [
        ("MANIFEST.in", "include HISTORY.md pkg/USAGE.md"),
        ("HISTORY.md", ""),
        ("pkg/USAGE.md", ""),
        ("pkg/__init__.py", ""),
    ];
    assert_eq!(needs(&files, &[], "MANIFEST.in"), "pkg/USAGE.md");
}

const WALKED: &[File<'_>] = &[
    ("package.json", "{\"name\": \"r\"}"),
    ("packages/a/README.md", ""),
    ("packages/a/package.json", "{\"name\": \"a\"}"),
    ("packages/a/test/fixtures/in.md", ""),
    ("packages/a/x.json", ""),
    ("scripts/list.js", "../packages"),
    ("scripts/prose.js", "../packages .md"),
];

#[test]
fn a_directory_of_packages_leaves_their_prose_out_unless_prose_is_named() {
    let found = needs(WALKED, &[], "scripts/list.js");
    assert!(
        found.contains("packages/a/x.json") && found.contains("fixtures/in.md"),
        "{found}"
    );
    assert!(!found.contains("README.md"), "{found}");
    assert!(needs(WALKED, &[], "scripts/prose.js").contains("README.md"));
}

#[test]
fn prose_by_its_base_name_is_that_of_the_package_or_above() {
    let files = [
        ("README.md", ""),
        ("a/README.md", ""),
        ("a/package.json", "{\"name\": \"a\"}"),
        ("a/src/zip.js", "README.md"),
        ("b/README.md", ""),
        ("b/package.json", "{\"name\": \"b\"}"),
        ("package.json", "{\"name\": \"r\"}"),
        ("scripts/check.js", "README.md"),
    ];
    let found = needs(&files, &[], "a/src/zip.js");
    assert!(
        found.contains("a/README.md") && !found.contains("b/README.md"),
        "{found}"
    );
    let found = needs(&files, &[], "scripts/check.js");
    assert!(
        found.contains("a/README.md") && found.contains("b/README.md"),
        "{found}"
    );
}
