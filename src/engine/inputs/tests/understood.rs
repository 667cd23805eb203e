//! Forms that are understood, each with what must stay opaque.

use super::tools::sees;
use super::*;
use crate::engine::pipeline::Limit;

fn on(runner: &str, script: &str) -> String {
    let mut job = job(script);
    job.runner = vec![runner.into()];
    let inputs = infer_in(&job, None, PYTHON);
    let faults = faults(&inputs);
    if faults.is_empty() {
        reached(&inputs, PYTHON)
    } else {
        faults
    }
}

#[test]
fn powershell_runs_the_same_programs() {
    let script = "if ($env:A -eq 'b') {\n  Set-Location sub\n  pytest\n}\n";
    assert_eq!(on("windows-latest", script), "pyproject.toml sub/test_x.py");
    let script = "$env:A = 'tests/unit'\npytest $env:A";
    assert_eq!(
        on("windows-latest", script),
        "pyproject.toml tests/unit/test_b.py"
    );
    // A function of PowerShell is no program, and a method may do anything.
    assert_eq!(
        on("windows-latest", "ls\n[IO.File]::Copy('a', 'b')"),
        "ci.yml:11 ForeignShell(\"pwsh\")"
    );
    assert_eq!(
        on("windows-latest", "pytest (Get-Content list.txt)"),
        "ci.yml:10 UnknownUse(\"pytest $(…)value\")"
    );
}

#[test]
fn a_script_of_windows_is_not_read_as_a_posix_one() {
    let files = &[("build.ps1", "pytest"), ("build.cmd", "pytest")];
    check_fault("./build.ps1", files, "ci.yml:10 ForeignShell(\"ps1\")");
    check_fault("./build.cmd", files, "ci.yml:10 ForeignShell(\"cmd\")");
}

#[test]
fn a_machine_that_is_not_known_may_have_either_shell() {
    let matrix = "${{ matrix.os }}";
    assert_eq!(on(matrix, "pytest sub"), "pyproject.toml sub/test_x.py");
    assert_eq!(
        on(matrix, "for x in a; do pytest sub; done"),
        "ci.yml:10 ForeignShell(\"pwsh\")"
    );
}

#[test]
fn a_matrix_of_the_run_matters_only_where_a_command_reads_it() {
    let of = |script: &str| {
        let mut job = job(script);
        job.limits = vec![Limit::DynamicMatrix];
        let inputs = infer_in(&job, None, PYTHON);
        faults(&inputs)
    };
    assert_eq!(of("echo ${{ matrix.x }}\npytest sub"), "");
    assert_eq!(
        of("pytest ${{ matrix.x }}"),
        "ci.yml:10 UnknownUse(\"pytest matrix.x\")"
    );
    assert_eq!(
        of("cd ${{ matrix.x }}\npytest"),
        "ci.yml:11 UnknownUse(\"pytest\")"
    );
    assert_eq!(
        of("${{ matrix.x }} sub"),
        "ci.yml:10 Shell(\"matrix.x sub\")"
    );
}

#[test]
fn an_expression_of_few_values_is_read_with_each() {
    check(
        "pytest ${{ inputs.x && 'sub' || 'tests/unit' }}",
        PYTHON,
        "pyproject.toml sub/test_x.py tests/unit/test_b.py",
    );
    check_fault(
        "pytest ${{ inputs.x || 'tests/unit' }}",
        PYTHON,
        "ci.yml:10 UnknownUse(\"pytest inputs.x || 'tests/unit'\")",
    );
}

#[test]
fn an_installer_is_known_by_its_address() {
    check("curl -sSf https://sh.rustup.rs | sh -s -- -y", PYTHON, "");
    check(
        "curl https://sh.rustup.rs -sSf --output rustup.sh\nsh rustup.sh -y",
        PYTHON,
        "",
    );
    check_fault(
        "curl https://example.com/x.sh | sh",
        PYTHON,
        "ci.yml:10 Shell(\"a script from a pipe\")",
    );
    check_fault(
        "curl https://example.com/x.sh -o x.sh\nsh x.sh",
        PYTHON,
        "ci.yml:11 Missing(\"x.sh\")",
    );
    // A file of the repository stands where the installer would be written to.
    check_fault(
        "curl https://sh.rustup.rs -o run.sh\nsh run.sh",
        &[("run.sh", "frob")],
        "ci.yml:11 Shell(\"run.sh, which the job writes\")\nrun.sh:1 UnknownProgram(\"frob\")",
    );
}

#[test]
fn what_is_extracted_is_not_read() {
    check("tar xzf /tmp/x.tgz -C $DIR", PYTHON, "");
    check("curl https://x.org/y | tar zxf - -C $DIR", PYTHON, "");
    check_fault(
        "tar czf /tmp/x.tgz $DIR",
        PYTHON,
        "ci.yml:10 UnknownUse(\"tar czf /tmp/x.tgz $DIR\")",
    );
}

#[test]
fn names_from_a_pipe_are_those_below_its_roots() {
    check(
        "find tests/unit -name '*.py' | sort | xargs wc -l",
        PYTHON,
        "tests/unit/test_b.py",
    );
    check("wc -l sub/test_x.py | xargs", PYTHON, "sub/test_x.py");
    check_fault(
        "find sub | sed s/a/b/ | xargs wc -l",
        PYTHON,
        "ci.yml:10 UnknownUse(\"xargs wc -l\")",
    );
}

#[test]
fn a_container_reads_all_of_its_mounts() {
    check(
        "docker run --rm -v \"$PWD/tests/unit:/x\" -e A=$B some/image run $X",
        PYTHON,
        "tests/unit/test_b.py",
    );
    check("docker run -v cache:/x some/image", PYTHON, "");
    check(
        "docker --context x run --mount type=bind,source=./sub,target=/x image",
        PYTHON,
        "sub/test_x.py",
    );
    for script in ["docker run -v $X:/x image", "docker run $ARGS image"] {
        let inputs = infer_in(&job(script), None, PYTHON);
        assert_eq!(inputs.opaque.len(), 1, "{script}");
    }
}

const NODE: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"workspaces": ["a", "b"], "scripts": {"t": "npm run t --workspaces --if-present", "u": "npm run u -w b"}}"#,
    ),
    (
        "a/package.json",
        r#"{"name": "@s/a", "scripts": {"t": "node a.js", "only": "node a.js"}}"#,
    ),
    ("a/a.js", ""),
    (
        "b/package.json",
        r#"{"name": "@s/b", "scripts": {"u": "node b.js"}}"#,
    ),
    ("b/b.js", ""),
];

#[test]
fn flags_of_npm_behind_the_script_are_its_own() {
    check("npm run t", NODE, "a/a.js a/package.json package.json");
    check(
        "npm run only --workspace @s/a",
        NODE,
        "a/a.js a/package.json",
    );
    check_fault(
        "npm run missing",
        NODE,
        "ci.yml:10 Missing(\"script missing of package.json\")",
    );
}

#[test]
fn pnpm_finds_a_package_without_its_scope() {
    check("pnpm --filter a only", NODE, "a/a.js a/package.json");
    check_fault(
        "pnpm --filter c only",
        NODE,
        "ci.yml:10 Missing(\"package c\")",
    );
}

#[test]
fn a_pattern_rule_of_make_knows_its_target() {
    let files = &[
        (
            "Makefile",
            "F_a = tests/unit\nt-%:\n\tpytest ${F_${@:t-%=%}}\nu-%:\n\tpytest $*\n",
        ),
        ("tests/unit/test_b.py", ""),
        ("sub/test_x.py", ""),
    ];
    check("make t-a", files, "Makefile tests/unit/test_b.py");
    check("make u-sub", files, "Makefile sub/test_x.py");
    check_fault("make t-b", files, "Makefile:3 UnknownUse(\"pytest F_b\")");
    check_fault(
        "make x",
        files,
        "ci.yml:10 Missing(\"target x of Makefile\")",
    );
}

#[test]
fn a_colon_in_a_message_of_make_begins_no_rule() {
    let text = "ifeq (, $(shell which x))\n$(warning no x, run: curl -sfL https://x.sh | sh)\n\
        endif\ndefault: all\nall:\n\tpytest tests\n";
    let files = &[("Makefile", text), ("tests/test_a.py", "")];
    check("make", files, "Makefile tests/test_a.py");
}

#[test]
fn a_tool_whose_settings_are_data_loads_no_package_that_they_name() {
    let manifest = |name: &str| format!("{{\"name\": \"{name}\"}}");
    let top = "{\"workspaces\": [\"pk/*\"], \"simple-git-hooks\": {\"pre-commit\": \"own\"}}";
    let own = manifest("own");
    let files: &[(&str, &str)] = &[
        ("package.json", top),
        ("pk/own/a.js", ""),
        ("pk/own/package.json", &own),
        ("puppeteer.config.mjs", "import './where.mjs'"),
        ("where.mjs", ""),
    ];
    let hooks = "package.json pk/own/package.json";
    check("npx simple-git-hooks", files, hooks);
    let settings = format!("{hooks} puppeteer.config.mjs where.mjs");
    check("node node_modules/puppeteer/install.mjs", files, &settings);
    check("npx puppeteer browsers install", files, &settings);
    let all = infer_in(&job("npx browserslist"), None, files);
    assert!(sees(&all, files, "pk/own/a.js"));
}

#[test]
fn a_variable_that_tox_sets_for_some_environments_has_few_values() {
    let tox = |command: &str| {
        format!(
            "[testenv]\nsetenv =\n  A=sub\n  cov: RUN=coverage run -m\ncommands =\n  {command}\n"
        )
    };
    let text = tox("{env:RUN:} pytest {env:A}");
    let files: &[(&str, &str)] = &[("tox.ini", &text), ("sub/test_x.py", "")];
    check("tox", files, "sub/test_x.py tox.ini");
    let text = tox("pytest {env:PYTHON_THING:sub}");
    check_fault(
        "tox",
        &[("tox.ini", &text)],
        "tox.ini:5 UnknownUse(\"pytest env:PYTHON_THING:sub\")",
    );
}
