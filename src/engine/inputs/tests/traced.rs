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
fn a_wheel_holds_everything_beside_its_modules_and_one_in_place_nothing() {
    let files = &[
        ("docs/index.rst", ""),
        ("pyproject.toml", "[tool.flit.sdist]\ninclude = ['docs/']\n"),
        ("src/flask/__init__.py", ""),
        ("src/flask/sansio/README.md", ""),
        ("tests/test_a.py", ""),
    ];
    check(
        "pip install .",
        files,
        "pyproject.toml src/flask/__init__.py src/flask/sansio/README.md",
    );
    check("pip install -e .", files, "pyproject.toml");
}

#[test]
fn tox_packs_what_it_is_told_to() {
    let check = |settings: &str, expected: &str| {
        let project = format!(
            "[tool.flit.sdist]\ninclude = ['docs/']\n[tool.tox]\n{settings}\ncommands = []\n"
        );
        let files = &[
            ("docs/index.rst", ""),
            ("pyproject.toml", project.as_str()),
            ("src/a/__init__.py", ""),
        ];
        check("tox run", files, expected);
    };
    check(
        "[tool.tox.env_run_base]",
        "docs/index.rst pyproject.toml src/a/__init__.py",
    );
    check(
        "[tool.tox.env_run_base]\npackage = 'wheel'",
        "pyproject.toml src/a/__init__.py",
    );
    check(
        "[tool.tox.env_run_base]\nskip_install = true",
        "pyproject.toml",
    );
    check(
        "no_package = true\n[tool.tox.env_run_base]",
        "pyproject.toml",
    );
    check(
        "[tool.tox.env_run_base]\npackage = 'editable'\n[tool.tox.env.a]\npackage = 'wheel'",
        "pyproject.toml src/a/__init__.py",
    );
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
