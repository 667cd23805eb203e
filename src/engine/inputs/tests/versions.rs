//! Commands that settle versions, or pack what is published.
//!
//! They read manifests and lockfiles as files, and not only what stands in them.

use super::*;

#[test]
fn what_settles_versions_reads_the_manifests_and_the_lockfile() {
    let cargo = &[
        ("Cargo.lock", ""),
        ("Cargo.toml", "[workspace]\nmembers = ['a']\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("a/src/lib.rs", ""),
    ];
    for script in [
        "cargo update --workspace --locked",
        "cargo fetch --locked",
        "cargo generate-lockfile",
        "cargo vendor --locked",
        "cd a; cargo update --locked",
        "cargo update --locked --manifest-path a/Cargo.toml",
    ] {
        check(script, cargo, "Cargo.lock Cargo.toml a/Cargo.toml");
    }
    let go = &[
        ("a.go", "package a\n"),
        ("go.mod", "module a\n"),
        ("go.sum", ""),
    ];
    for script in ["go mod verify", "go mod tidy -diff", "go mod download"] {
        check(script, go, "a.go go.mod go.sum");
    }
    let node = &[
        ("p/a/index.js", ""),
        ("p/a/package.json", "{\"name\": \"a\"}"),
        ("package.json", "{\"workspaces\": [\"p/*\"]}"),
        ("yarn.lock", ""),
    ];
    check("npm ci", node, "p/a/package.json package.json");
    check(
        "yarn dedupe --check",
        node,
        "p/a/package.json package.json yarn.lock",
    );
    let python = &[
        ("a/pyproject.toml", "[project]\nname = 'a'\n"),
        (
            "pyproject.toml",
            "[project]\nname = 'b'\n[tool.uv.workspace]\nmembers = ['a']\n",
        ),
        ("uv.lock", ""),
    ];
    check(
        "uv sync --locked",
        python,
        "a/pyproject.toml pyproject.toml",
    );
    for script in ["uv lock --check", "poetry check --lock"] {
        check(script, python, "a/pyproject.toml pyproject.toml uv.lock");
    }
}

#[test]
fn packing_takes_what_lies_there_and_runs_what_makes_it() {
    let files = &[
        ("a/README.md", ""),
        ("a/lib.js", ""),
        (
            "a/package.json",
            "{\"name\": \"a\", \"scripts\": {\"prepack\": \"node ../make.js\"}}",
        ),
        ("make.js", ""),
        ("other.js", ""),
    ];
    check(
        "cd a; npm pack",
        files,
        "a/README.md a/lib.js a/package.json make.js",
    );
}
