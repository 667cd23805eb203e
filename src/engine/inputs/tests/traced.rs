//! What commands of real projects were seen to use, and inference had left out.
//!
//! Each test is named after what a trace showed; `docs/soundness.md` has the runs.

use super::*;

#[test]
fn cargo_reads_the_settings_of_formatters_in_every_directory() {
    let files = &[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("src/.rustfmt.toml", ""),
        ("src/lib.rs", ""),
        ("sub/clippy.toml", ""),
        ("tests/rustfmt.toml", ""),
    ];
    // Of the manifest only the shape is read, and the linter's settings not at all.
    let expected = "src/.rustfmt.toml src/lib.rs tests/rustfmt.toml";
    check("cargo fmt --all --check", files, expected);
}

#[test]
fn pytest_leaves_out_what_looks_like_an_environment() {
    let files = &[
        ("docs/notes.txt", ""),
        ("sub/conda-meta/history", ""),
        ("sub/test_a.py", ""),
        ("venv/pyvenv.cfg", ""),
    ];
    check(
        "pytest sub",
        files,
        "sub/conda-meta/history sub/test_a.py venv/pyvenv.cfg",
    );
}

#[test]
fn an_installed_directory_packs_its_licences_and_leaves_out_what_git_ignores() {
    let files = &[
        (".gitignore", ""),
        ("AUTHORS.rst", ""),
        ("CHANGES.rst", ""),
        ("LICENSE.txt", ""),
        ("README.txt", ""),
        ("pyproject.toml", ""),
        ("sub/LICENSE", ""),
    ];
    let expected = ".gitignore AUTHORS.rst LICENSE.txt README.txt pyproject.toml";
    check("pip install -e .", files, expected);
}

#[test]
fn prettier_opens_every_file_of_a_directory() {
    let files = &[
        (".github/issue.png", ""),
        ("LICENSE", ""),
        ("package.json", ""),
        ("sub/.hg", ""),
    ];
    let script = "prettier --check --cache .";
    check(
        script,
        files,
        ".github/issue.png LICENSE package.json sub/.hg",
    );
}
