//! Settings that name packages, files and rules of the repository.
//!
//! Each line is a job with the file of settings, what it must read by that, and what it
//! must not.

use super::tools::{TREE, sees};
use super::*;

/// Whether a job is understood and reads one file, and not another one.
fn check_between(script: &str, files: &[(&str, &str)], file: &str, other: &str) {
    let inputs = infer_in(&job(script), None, files);
    assert_eq!(faults(&inputs), "", "{script}");
    assert!(sees(&inputs, files, file), "{script} does not read {file}");
    assert!(!sees(&inputs, files, other), "{script} reads {other}");
}

const WORKSPACE: &[(&str, &str)] = &[
    (
        "package.json",
        "{\"name\": \"top\", \"workspaces\": [\"pk/*\"]}",
    ),
    (
        "pk/a/package.json",
        "{\"name\": \"a\", \"scripts\": {\"lint\": \"eslint src\"}}",
    ),
    ("pk/a/src/x.js", ""),
    ("pk/a/src/x.test.js", ""),
    (
        "pk/a/tsconfig.json",
        "{\"compilerOptions\": {\"types\": [\"b\"], \"paths\": {\"other\": [\"./x\"]}}}",
    ),
    ("pk/b/index.d.ts", ""),
    ("pk/b/package.json", "{\"name\": \"b\"}"),
    ("pk/base/i.js", ""),
    ("pk/base/package.json", "{\"name\": \"@x/base\"}"),
    ("pk/cfg/i.js", "module.exports = {extends: ['@x/base']}"),
    ("pk/cfg/package.json", "{\"name\": \"@x/eslint-config\"}"),
    ("pk/cfg/react.js", ""),
    ("pk/jp/jest-preset.js", ""),
    ("pk/jp/package.json", "{\"name\": \"@x/jest-preset\"}"),
    ("pk/other/i.js", ""),
    ("pk/other/package.json", "{\"name\": \"other\"}"),
    ("pk/pc/i.json", "{}"),
    ("pk/pc/package.json", "{\"name\": \"@y/prettier-config\"}"),
    ("pk/pl/i.js", ""),
    (
        "pk/pl/package.json",
        "{\"name\": \"@x/eslint-plugin-internal\"}",
    ),
];

const ESLINT: &str = "cd pk/a && npx eslint src";
const PRETTIER: &str = "cd pk/a && npx prettier --check .";
const RC: &str = "pk/a/.eslintrc.json";

/// A job, a file with its text, and a file that counts by that.
const NAMED: &[(&str, &str, &str, &str)] = &[
    (ESLINT, RC, "{\"extends\": [\"@x\"]}", "pk/cfg/i.js"),
    (ESLINT, RC, "{\"extends\": [\"@x\"]}", "pk/base/i.js"),
    (
        ESLINT,
        RC,
        "{\"extends\": \"@x/eslint-config/react.js\"}",
        "pk/cfg/react.js",
    ),
    (
        ESLINT,
        RC,
        "{\"extends\": [\"plugin:@x/internal/rec\"]}",
        "pk/pl/i.js",
    ),
    (
        ESLINT,
        ".eslintrc.js",
        "module.exports = {extends: ['@x/eslint-config']}",
        "pk/cfg/i.js",
    ),
    (
        ESLINT,
        ".eslintrc.yml",
        "extends:\n  - '@x'\n",
        "pk/cfg/i.js",
    ),
    (
        "npm run lint -w a",
        RC,
        "{\"extends\": [\"@x\"]}",
        "pk/cfg/i.js",
    ),
    (
        "npx turbo run lint --filter=a",
        RC,
        "{\"extends\": [\"@x\"]}",
        "pk/cfg/i.js",
    ),
    (
        PRETTIER,
        ".prettierrc",
        "\"@y/prettier-config\"\n",
        "pk/pc/i.json",
    ),
    (
        "cd pk/a && npx jest",
        "pk/a/jest.config.js",
        "module.exports = {preset: '@x/jest-preset'}",
        "pk/jp/jest-preset.js",
    ),
    (
        "cd pk/a && npx jest --preset=@x/jest-preset",
        ".x",
        "",
        "pk/jp/jest-preset.js",
    ),
    ("cd pk/a && npx tsc", ".x", "", "pk/b/index.d.ts"),
];

#[test]
fn a_package_that_configures_a_tool_by_its_name_is_read() {
    for &(script, path, text, file) in NAMED {
        let mut files = WORKSPACE.to_vec();
        files.push((path, text));
        files.sort_unstable();
        check_between(script, &files, file, "pk/other/i.js");
    }
    let mut files = WORKSPACE.to_vec();
    files[0].1 = "{\"prettier\": \"@y/prettier-config\", \"devDependencies\": {\"other\": \"*\"}}";
    check_between(PRETTIER, &files, "pk/pc/i.json", "pk/other/i.js");
}

#[test]
fn what_a_runner_of_tasks_declares_is_read() {
    let mut files = WORKSPACE.to_vec();
    files.extend([
        ("cfg/x.txt", ""),
        ("docs/guide.md", ""),
        ("shared/s.txt", ""),
        (
            "turbo.json",
            "{\"globalDependencies\": [\"cfg/**\"], \"tasks\": {\"lint\": \
             {\"inputs\": [\"$TURBO_DEFAULT$\", \"../../shared/**\"]}}}",
        ),
    ]);
    for file in ["cfg/x.txt", "shared/s.txt"] {
        check_between("npx turbo run lint", &files, file, "docs/guide.md");
    }
}

#[test]
fn rules_in_go_belong_to_the_linter_of_go() {
    let files = [
        (
            ".golangci.yml",
            "linters:\n  settings:\n    gocritic:\n      settings:\n        ruleguard:\n          \
             rules: 'rules/r.go,${base-path}/more/*.go'\n",
        ),
        ("a/a.go", "package a\n"),
        ("b/b.go", "package b\n"),
        ("go.mod", "module ex.com/m\n"),
        ("more/m.go", "package m\n"),
        ("rules/r.go", "package r\n"),
    ];
    for file in ["rules/r.go", "more/m.go"] {
        check_between("golangci-lint run ./a", &files, file, "b/b.go");
    }
}

#[test]
fn settings_of_every_name_are_read() {
    let mut files = TREE.to_vec();
    files.extend([
        (".pnp.cjs", ""),
        (
            "package.json",
            "{\"packageManager\": \"yarn@4.0.0\", \"scripts\": {\"go\": \"true\"}}",
        ),
        (
            "pylintrc.toml",
            "[tool.pylint.main]\nload-plugins = ['q.qq']\n",
        ),
        (
            "sub/package.json",
            "{\"volta\": {\"extends\": \"../package.json\"}}",
        ),
    ]);
    for (script, file) in [
        ("pylint p", "pylintrc.toml"),
        ("pylint p", "q/qq.py"),
        ("yarn go", ".pnp.cjs"),
        ("cd sub && yarn --version", "package.json"),
    ] {
        check_between(script, &files, file, "b.txt");
    }
    let setup = uses(
        "actions/setup-node@v4",
        &[("node-version-file", "sub/package.json")],
    );
    assert!(sees(
        &infer_in(&setup, None, &files),
        &files,
        "package.json"
    ));
}

#[test]
fn a_rule_for_many_jobs_hides_nothing_that_another_rule_says() {
    let rule = |inputs: Option<&str>, skip| JobPolicy {
        inputs: inputs.map(|glob| vec![Glob::written(glob)]),
        exact: true,
        skip,
    };
    let rules = [
        ("te*", rule(None, Skip::Auto)),
        ("*", rule(Some("sub/**"), Skip::Auto)),
        ("test", rule(Some("src/**"), Skip::Never)),
    ];
    let inputs = infer_by_rules(&rules, "frobnicate", PYTHON);
    assert_eq!(reached(&inputs, PYTHON), "sub/test_x.py");
    assert_eq!(faults(&inputs), ".trimtab.yml:0 IsConfigured");
}

#[test]
fn configured_inputs_replace_inferred_ones() {
    let rule = JobPolicy {
        inputs: Some(vec![Glob::written("sub/**")]),
        exact: true,
        skip: Skip::Auto,
    };
    let inputs = infer_by_rules(&[("te*", rule)], "frobnicate", PYTHON);
    assert_eq!(reached(&inputs, PYTHON), "sub/test_x.py");
}
