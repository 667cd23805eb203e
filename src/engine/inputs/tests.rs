//! Jobs and what they read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
mod understood;
mod versions;

use super::*;
use crate::engine::globs::Glob;
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::{Action, JobId, Step};
use crate::engine::tree::{Entry, Mode, Tree};

mod built;
mod compiled;
mod configured;
mod environment;
mod expressions;
mod hazards;
mod languages;
mod links;
mod makefiles;
mod modules;
mod names;
mod narrow;
mod recipes;
mod tools;
mod traced;

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let blob = |index: usize| ObjectId::from_bytes(&[u8::try_from(index).unwrap(); 20]).unwrap();
    let entries = files.iter().enumerate().map(|(index, (path, text))| Entry {
        path: (*path).into(),
        mode: if text.starts_with("-> ") {
            Mode::Symlink
        } else {
            Mode::File
        },
        blob: blob(index),
    });
    let tree = Tree::new(entries.collect()).following(|id| {
        let index = (0..files.len()).find(|index| blob(*index) == id)?;
        files.get(index)?.1.strip_prefix("-> ")
    });
    let mut snapshot = Snapshot::new(tree);
    for (index, (_, text)) in files.iter().enumerate() {
        snapshot.insert_text(blob(index), Arc::from(*text));
    }
    snapshot
}

fn job(script: &str) -> Job {
    Job {
        id: JobId("test".into()),
        name: "test".into(),
        caller: None,
        line: 3,
        file: "ci.yml".into(),
        needs: Vec::new(),
        condition: None,
        legs: Vec::new(),
        runner: vec!["ubuntu-latest".into()],
        env: BTreeMap::new(),
        directory: None,
        images: Vec::new(),
        steps: vec![Step {
            name: None,
            file: "ci.yml".into(),
            line: 9,
            condition: None,
            action: Action::Run {
                script: script.into(),
                shell: None,
                directory: None,
                env: BTreeMap::new(),
                line: 10,
            },
        }],
        limits: Vec::new(),
        definition: "".into(),
    }
}

fn uses(reference: &str, with: &[(&str, &str)]) -> Job {
    let mut job = job("");
    job.steps[0].action = Action::Use {
        reference: reference.into(),
        with: with
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
    };
    job
}

fn infer_in(job: &Job, leg: Option<&Leg>, files: &[(&str, &str)]) -> JobInputs {
    infer_under(&Policy::default(), (job, leg), &snapshot(files))
}

/// The same under a configuration.
fn infer_under(
    policy: &Policy,
    (job, leg): (&Job, Option<&Leg>),
    snapshot: &Snapshot,
) -> JobInputs {
    let context = Context {
        snapshot,
        packages: &Packages::read(snapshot),
        policy,
        event: None,
        memo: &Memo::default(),
    };
    infer(job, leg, &context)
}

/// What a job reads under these rules for jobs.
fn infer_by_rules(rules: &[(&str, JobPolicy)], script: &str, files: &[(&str, &str)]) -> JobInputs {
    let rules = rules.iter();
    let policy = Policy {
        jobs: rules
            .map(|(glob, rule)| ((*glob).into(), rule.clone()))
            .collect(),
        ..Policy::default()
    };
    infer_under(&policy, (&job(script), None), &snapshot(files))
}

/// Opaque causes, what is never skipped and missing texts, one line each.
fn faults(inputs: &JobInputs) -> String {
    let opaque = inputs
        .opaque
        .iter()
        .map(|it| format!("{}:{} {:?}", it.origin.file, it.origin.line, it.cause));
    let never = inputs
        .never
        .iter()
        .map(|(why, origin)| format!("{}:{} {why:?}", origin.file, origin.line));
    let missing = inputs
        .missing_texts
        .iter()
        .map(|path| format!("read {path}"));
    opaque
        .chain(never)
        .chain(missing)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The files that are entry points, read exactly or read below a tree.
fn reached(inputs: &JobInputs, files: &[(&str, &str)]) -> String {
    let snapshot = snapshot(files);
    let packages = Packages::read(&snapshot);
    let mut graph = crate::engine::graph::Builder::new(&snapshot, &packages);
    crate::engine::graph::follow_links(&mut graph);
    let graph = graph.finish();
    let set = resolve::resolve(
        inputs,
        &snapshot,
        &graph,
        &packages,
        &resolve::Lookup::default(),
    );
    let paths: Vec<&str> = set
        .files
        .iter()
        .map(|file| snapshot.tree.path(*file))
        .collect();
    paths.join(" ")
}

fn check(script: &str, files: &[(&str, &str)], expected: &str) {
    let inputs = infer_in(&job(script), None, files);
    assert_eq!(faults(&inputs), "", "{script}");
    assert_eq!(reached(&inputs, files), expected, "{script}");
}

fn check_fault(script: &str, files: &[(&str, &str)], expected: &str) {
    assert_eq!(
        faults(&infer_in(&job(script), None, files)),
        expected,
        "{script}"
    );
}

const PYTHON: &[(&str, &str)] = &[
    ("README.md", ""),
    (
        "pyproject.toml",
        "[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n[tool.hatch.envs.default.scripts]\ncheck = \"ruff check src\"\n",
    ),
    ("src/a.py", ""),
    ("sub/test_x.py", ""),
    ("tests/data.json", ""),
    ("tests/test_a.py", ""),
    ("tests/unit/test_b.py", ""),
];

#[test]
fn an_unknown_program_names_its_line() {
    check_fault(
        "ls\nfrobnicate --all",
        PYTHON,
        "ci.yml:11 UnknownProgram(\"frobnicate\")",
    );
    check_fault("$TOOL x", PYTHON, "ci.yml:10 Shell(\"$TOOL x\")");
}

#[test]
fn pytest_reads_its_test_paths_and_configuration() {
    check(
        "pytest",
        PYTHON,
        "pyproject.toml tests/test_a.py tests/unit/test_b.py",
    );
    check(
        "pytest tests/unit -x || true",
        PYTHON,
        "pyproject.toml tests/unit/test_b.py",
    );
    check("cd sub && pytest", PYTHON, "pyproject.toml sub/test_x.py");
    check(
        "python -m pytest -k 'a b' tests/test_a.py",
        PYTHON,
        "pyproject.toml tests/test_a.py",
    );
    check(
        "A=1 coverage run -m pytest \\\n  tests/unit",
        PYTHON,
        "pyproject.toml tests/unit/test_b.py",
    );
    check_fault(
        "pytest $WHERE",
        PYTHON,
        "ci.yml:10 UnknownUse(\"pytest $WHERE\")",
    );
}

#[test]
fn wrappers_run_what_they_wrap() {
    for wrapper in [
        "time",
        "sudo -E",
        "timeout -k 5 60",
        "env A=1",
        "xvfb-run -a",
        "bash -c 'ruff check src' #",
        "hatch run check #",
    ] {
        let script = format!("{wrapper} ruff check src");
        check(&script, PYTHON, "pyproject.toml src/a.py");
    }
}

#[test]
fn a_tree_wide_tool_reads_below_its_operands() {
    check("ruff check src", PYTHON, "pyproject.toml src/a.py");
    check(
        "codespell tests",
        PYTHON,
        "tests/data.json tests/test_a.py tests/unit/test_b.py",
    );
}

#[test]
fn readers_of_history_and_deliveries_are_never_skipped() {
    check_fault("git -C x log -1", PYTHON, "ci.yml:10 ReadsHistory");
    check_fault("twine upload dist/*", PYTHON, "ci.yml:10 Delivers");
    check_fault("trivy fs .", PYTHON, "ci.yml:10 Scans");
    let paths = infer_in(&uses("dorny/paths-filter@v3", &[]), None, PYTHON);
    assert_eq!(faults(&paths), "ci.yml:9 ReadsHistory");
}

#[test]
fn a_value_of_the_matrix_is_put_into_commands() {
    let mut job = job("pytest tests/${{ matrix.part }}");
    let leg = |part: &str| Leg {
        name: part.into(),
        values: [("part".into(), part.into())].into(),
        typed: BTreeSet::new(),
    };
    job.legs = vec![leg("unit"), leg("test_a.py")];
    let one = infer_in(&job, Some(&job.legs[0]), PYTHON);
    assert_eq!(reached(&one, PYTHON), "pyproject.toml tests/unit/test_b.py");
    let all = infer_in(&job, None, PYTHON);
    assert_eq!(
        reached(&all, PYTHON),
        "pyproject.toml tests/test_a.py tests/unit/test_b.py"
    );
}

#[test]
fn code_on_standard_input_is_read_for_its_imports() {
    check("python - <<'EOF'\nimport os\nEOF", PYTHON, "");
    check_fault(
        "python - <<'EOF'\nopen(x)\nEOF",
        PYTHON,
        "ci.yml:10 Reaches(\"open( in python code\")",
    );
}

const NODE: &[(&str, &str)] = &[
    ("README.md", ""),
    ("lib/a.test.js", ""),
    (
        "package.json",
        "{\"name\": \"x\", \"scripts\": {\n\"pretest\": \"node tools/gen.js\",\n\"test\": \"npm run unit\",\n\"unit\": \"vitest\",\n\"loop\": \"npm run loop\",\n\"odd\": \"whatever\"}}",
    ),
    ("tools/gen.js", ""),
];

#[test]
fn scripts_of_a_package_are_followed_with_their_pre_and_post() {
    check("npm test", NODE, "lib/a.test.js package.json tools/gen.js");
    check("npm run loop", NODE, "package.json");
    check_fault(
        "npm run odd",
        NODE,
        "package.json:6 UnknownProgram(\"whatever\")",
    );
    check_fault(
        "npm run nothing",
        NODE,
        "ci.yml:10 Missing(\"script nothing of package.json\")",
    );
}

const MAKE: &[(&str, &str)] = &[
    (
        "Makefile",
        "PY = python\n.PHONY: all\nall: gen test\ngen:\n\t@$(PY) tools/gen.py\ntest: all\n\tpytest tests\nbad:\n\t$(UNSET) x\n",
    ),
    ("tests/test_a.py", ""),
    ("tools/gen.py", ""),
];

#[test]
fn targets_are_followed_with_what_they_need_and_once() {
    check("make all", MAKE, "Makefile tests/test_a.py tools/gen.py");
    check("make", MAKE, "Makefile tests/test_a.py tools/gen.py");
    check_fault(
        "make nothing",
        MAKE,
        "ci.yml:10 Missing(\"target nothing of Makefile\")",
    );
    assert!(faults(&infer_in(&job("make bad"), None, MAKE)).starts_with("Makefile:9 Shell"));
}

#[test]
fn scripts_of_the_repository_are_walked_and_their_recursion_ends() {
    let files = &[
        ("ci/a.sh", "#!/bin/sh\n./ci/b.sh"),
        ("ci/b.sh", "#!/bin/sh\n./ci/a.sh\nunknown-thing"),
    ];
    check_fault(
        "./ci/a.sh",
        files,
        "ci/b.sh:3 UnknownProgram(\"unknown-thing\")",
    );
}

#[test]
fn a_foreign_shell_is_opaque_where_it_says_more_than_a_posix_one() {
    let mut job = job("foreach ($x in 1,2) { pytest $x }");
    job.runner = vec!["windows-latest".into()];
    assert_eq!(
        faults(&infer_in(&job, None, PYTHON)),
        "ci.yml:10 ForeignShell(\"pwsh\")"
    );
    if let Action::Run { script, .. } = &mut job.steps[0].action {
        *script = "pytest tests/unit".into();
    }
    assert_eq!(faults(&infer_in(&job, None, PYTHON)), "");
}

#[test]
fn an_unknown_action_is_opaque_and_a_known_one_runs_its_command() {
    let unknown = infer_in(&uses("nobody/thing@v1", &[]), None, PYTHON);
    assert_eq!(faults(&unknown), "ci.yml:9 UnknownAction(\"nobody/thing\")");
    let ruff = infer_in(
        &uses("astral-sh/ruff-action@v3", &[("src", "src")]),
        None,
        PYTHON,
    );
    assert_eq!(reached(&ruff, PYTHON), "pyproject.toml src/a.py");
    let push = infer_in(
        &uses("docker/build-push-action@v6", &[("push", "true")]),
        None,
        PYTHON,
    );
    assert_eq!(faults(&push), "ci.yml:9 Delivers");
}

#[test]
fn an_opaque_job_reads_everything() {
    let inputs = infer_in(&job("frobnicate"), None, MAKE);
    assert_eq!(
        reached(&inputs, MAKE),
        "Makefile tests/test_a.py tools/gen.py"
    );
}

#[test]
fn a_variable_for_later_steps_is_known_there() {
    let mut job = job("echo \"WHERE=unit\" >> $GITHUB_ENV");
    let mut second = job.steps[0].clone();
    if let Action::Run { script, .. } = &mut second.action {
        *script = "pytest tests/$WHERE".into();
    }
    job.steps.push(second);
    let inputs = infer_in(&job, None, PYTHON);
    assert_eq!(faults(&inputs), "");
    assert_eq!(
        reached(&inputs, PYTHON),
        "pyproject.toml tests/unit/test_b.py"
    );
}

#[test]
fn environments_of_tox_are_read_in_both_forms() {
    let ini = &[
        ("tests/test_a.py", ""),
        ("tests/test_b.py", ""),
        (
            "tox.ini",
            "[testenv]\ndeps = x\ncommands = pytest {posargs:tests/test_a.py}\n[testenv:lint]\ncommands = frobnicate\n",
        ),
    ];
    check("tox -e py39", ini, "tests/test_a.py tox.ini");
    check(
        "tox -e py39 -- tests/test_b.py",
        ini,
        "tests/test_b.py tox.ini",
    );
    check_fault("tox", ini, "tox.ini:5 UnknownProgram(\"frobnicate\")");
    let toml = &[
        ("tests/test_a.py", ""),
        (
            "tox.toml",
            "[env_run_base]\ncommands = [[\"pytest\", \"-v\", { replace = \"posargs\", default = [\"tests\"] }]]\n",
        ),
    ];
    check("tox -e py39", toml, "tests/test_a.py tox.toml");
}

#[test]
fn a_step_that_reads_the_text_of_the_pull_is_never_skipped() {
    let script = "echo '${{ github.event.pull_request.body }}' | cat";
    check_fault(script, PYTHON, "ci.yml:9 ReadsHistory");
}

#[test]
fn a_member_that_cargo_cannot_load_concerns_every_job_of_the_workspace() {
    let root = ("Cargo.toml", "[workspace]\nmembers = [\"*\"]\n");
    let a = (
        "a/Cargo.toml",
        "[package]\nname = \"a\"\nedition = \"2021\"\n",
    );
    let b = (
        "b/Cargo.toml",
        "[package]\nname = \"b\"\nedition = \"2021\"\n",
    );
    let (lib_a, lib_b) = (("a/src/lib.rs", ""), ("b/src/lib.rs", ""));
    let opaque = |script: &str, files: &[(&str, &str)]| {
        let inputs = infer_in(&job(script), None, files);
        let causes = inputs.opaque.iter().map(|opaque| opaque.cause.clone());
        causes.collect::<Vec<_>>()
    };
    assert_eq!(opaque("cargo test -p a", &[root, a, lib_a, b, lib_b]), []);
    let fault = OpaqueCause::Missing("a target of b/Cargo.toml".into());
    for script in ["cargo test -p a", "cd a && cargo test"] {
        let found = opaque(script, &[root, a, lib_a, b]);
        assert_eq!(found, std::slice::from_ref(&fault));
    }
    let apart = ("Cargo.toml", "[workspace]\nmembers = [\"a\"]\n");
    assert_eq!(opaque("cargo test -p a", &[apart, a, lib_a, b]), []);
}

#[test]
fn the_manifests_of_all_members_are_read_from_inside_one_of_them() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\n"),
        ("a/src/lib.rs", ""),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("b/src/lib.rs", ""),
    ];
    let inputs = infer_in(&job("cd a && cargo test"), None, &files);
    let reads_all = inputs.parts.iter().any(|(input, _)| {
        matches!(input, Input::Exact(globs) if globs.iter().any(|glob| glob.as_str() == "**/Cargo.toml"))
    });
    assert!(reads_all, "{:?}", inputs.parts);
}
