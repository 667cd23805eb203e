//! What is said of each kind of subject, in full.

use super::*;
use crate::engine::graph::sample;
use crate::engine::ids::ObjectId;
use crate::engine::impact::never_words;
use crate::engine::plan::{Mode, Reason, ReasonId, RunEverything, SCHEMA, Verdict};
use crate::engine::policy::Policy;
use crate::engine::side::Survey;

const CI: &str = "\
on: pull_request
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@a309ff8b426b58ec0e2a45f0f869d46889d02405
      - run: python -m pytest tests
  lint:
    runs-on: ubuntu-latest
    steps: [{run: ruff check .}]
  all:
    runs-on: ubuntu-latest
    steps: [{run: frobnicate}, {run: cat docs/index.md}]
";

const LEGACY: &str = "\
on: pull_request
jobs:
  test: {runs-on: ubuntu-latest, steps: [{run: cat docs/index.md}]}
  asleep: {runs-on: ubuntu-latest, steps: [{run: cat docs/index.md}]}
";

const FILES: &[(&str, &str)] = &[
    (".github/workflows/ci.yml", CI),
    (".github/workflows/legacy.yml", LEGACY),
    ("pyproject.toml", "[project]\nname = 'shop'\n"),
    ("app/__init__.py", ""),
    ("app/tax.py", ""),
    (
        "tests/test_tax.py",
        "import app.tax\ndef test_rate(): pass\n",
    ),
    ("docs/index.md", "# Shop\n"),
];

fn side() -> Side {
    side_of(FILES)
}

fn side_of(files: &[(&str, &str)]) -> Side {
    let snapshot = sample::snapshot(files);
    let policy = Policy::default();
    let survey = Survey::of(&snapshot, &policy, None);
    Side::complete(snapshot, survey, &policy)
}

fn job(workflow: &str, id: &str, reason: Reason) -> JobPlan {
    let is_skip = reason.id == ReasonId::InputsEqual;
    JobPlan {
        workflow: format!(".github/workflows/{workflow}"),
        workflow_key: None,
        job: id.to_owned(),
        leg: None,
        verdict: if is_skip { Verdict::Skip } else { Verdict::Run },
        basis: None,
        reasons: vec![reason],
        counterfactual: "would be another".to_owned(),
        estimate: None,
        backstop: is_skip.then(|| "push to main".to_owned()),
        narrow: None,
        held_out: None,
    }
}

fn equal() -> Reason {
    Reason {
        id: ReasonId::InputsEqual,
        subject: "none of its 2 inferred inputs changed".to_owned(),
        path: Vec::new(),
    }
}

fn plan() -> Plan {
    let reason = |id, subject: &str, path: &[&str]| Reason {
        id,
        subject: subject.to_owned(),
        path: path.iter().map(|step| (*step).to_owned()).collect(),
    };
    let way = ["app/tax.py", "tests/test_tax.py"];
    let zero = ObjectId::from_bytes(&[0; 20]).unwrap();
    Plan {
        schema: SCHEMA.to_owned(),
        repository: "shop".to_owned(),
        pull: None,
        base: zero,
        head: zero,
        merge: zero,
        mode: Mode::Advise,
        policy_hash: String::new(),
        model: None,
        jobs: vec![
            job(
                "ci.yml",
                "test",
                reason(ReasonId::InputChanged, way[0], &way),
            ),
            job("ci.yml", "lint", equal()),
            job("ci.yml", "all", reason(ReasonId::Opaque, "ci.yml:14", &[])),
            job("legacy.yml", "test", equal()),
        ],
        run_everything: Vec::new(),
        diagnostics: Vec::new(),
    }
}

fn told(subject: &str) -> String {
    told_by(&plan(), &side(), subject)
}

fn told_by(plan: &Plan, side: &Side, subject: &str) -> String {
    match explain(plan, side, subject) {
        Explained::Told(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_is_told_with_its_reason_and_what_each_line_reads() {
    insta::assert_snapshot!(told("ci:test"), @"
    test of .github/workflows/ci.yml runs

      because     its input app/tax.py changed (input-changed)
                  app/tax.py → tests/test_tax.py
      otherwise   would be another

    It reads 4 of 7 files:

      .github/workflows/ci.yml:7  python -m pytest tests
          */__init__.py (1 file)
          pyproject.toml, and all it needs
          tests/**/test_*.py (1 file), and all it needs
          tests/*.py (1 file)

    A file that came to fit one of 14 more patterns would be read too.
    ");
    insta::assert_snapshot!(told("lint"), @"
    lint of .github/workflows/ci.yml is skipped

      because     none of its 2 inferred inputs changed (inputs-equal)
      otherwise   would be another
      runs again  push to main

    It reads 5 of 7 files:

      .github/workflows/ci.yml:10  ruff check .
          **/pyproject.toml (1 file)
          every *.py, *.pyi, *.ipynb and *.toml file, 1 more kind (5 files)
          that there are */*.py (3 files), not what they say

    A file that came to fit one of 7 more patterns would be read too.
    ");
}

#[test]
fn an_opaque_job_is_told_with_what_would_make_it_known() {
    insta::assert_snapshot!(told("all"), @r#"
    all of .github/workflows/ci.yml runs

      because     something changed, and it may read anything (opaque)
      otherwise   would be another

    It may read all 7 files, since it is not understood here:

      .github/workflows/ci.yml:13: unknown program frobnicate

    To make it known, name all that it reads in .trimtab.yml on the default branch, such as

      jobs:
        "all": { inputs: ["src/**", "tests/**"] }

    What is understood of it reads:

      .github/workflows/ci.yml:13  cat docs/index.md
          docs/index.md
    "#);
}

#[test]
fn jobs_with_one_id_are_told_apart() {
    let several = ["ci.yml:test", "legacy.yml:test"].map(str::to_owned);
    assert_eq!(
        explain(&plan(), &side(), "test"),
        Explained::Several(several.to_vec())
    );
    let text = told("legacy.yml:test");
    assert!(
        text.starts_with("test of .github/workflows/legacy.yml is skipped\n"),
        "{text}"
    );
    let names = ["ci.yml:test", "lint", "all", "legacy.yml:test"].map(str::to_owned);
    assert_eq!(
        explain(&plan(), &side(), "testing"),
        Explained::Nothing(names.to_vec())
    );
}

#[test]
fn a_job_that_does_not_start_is_told_too() {
    insta::assert_snapshot!(told("asleep"), @"
    asleep of .github/workflows/legacy.yml does not start for this pull

      because     an event, a filter or a condition of the workflow leaves it out

    It reads 1 of 7 files:

      .github/workflows/legacy.yml:4  cat docs/index.md
          docs/index.md
    ");
}

const SCAN: &str = "\
on: pull_request
jobs:
  scan:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@a309ff8b426b58ec0e2a45f0f869d46889d02405
      - uses: zizmorcore/zizmor-action@a309ff8b426b58ec0e2a45f0f869d46889d02405
  both:
    runs-on: ubuntu-latest
    steps: [{run: git log -1}, {run: cat docs/index.md}]
  release:
    if: github.ref == 'refs/heads/main'
    environment: shop
    runs-on: ubuntu-latest
    steps: [{run: cat docs/index.md}]
";

#[test]
fn a_job_that_is_never_skipped_is_told_with_why_and_what_its_other_lines_read() {
    let path = ".github/workflows/scan.yml";
    let side = side_of(&[(path, SCAN), ("docs/index.md", "# Shop\n")]);
    let mut plan = plan();
    plan.jobs = ["scan", "both"]
        .map(|id| {
            let (_, _, inputs) = side.survey.find(path, id).unwrap();
            let subject = never_words(inputs.never.first().unwrap());
            let path = Vec::new();
            let id_of = ReasonId::NeverSkipped;
            job(
                "scan.yml",
                id,
                Reason {
                    id: id_of,
                    subject,
                    path,
                },
            )
        })
        .into();
    insta::assert_snapshot!(told_by(&plan, &side, "scan"), @"
    scan of .github/workflows/scan.yml runs

      because     it is never skipped: it is a security scan (.github/workflows/scan.yml:7) (never-skipped)
      otherwise   would be another

    What the lines above read is not asked, since it is never skipped. No other line of it reads a file of the repository.
    ");
    insta::assert_snapshot!(told_by(&plan, &side, "both"), @"
    both of .github/workflows/scan.yml runs

      because     it is never skipped: it reads the history, or what the pull is called or labelled (.github/workflows/scan.yml:10) (never-skipped)
      otherwise   would be another

    It reads 1 of 2 files, and whatever the lines above read, which is not asked since it is never skipped:

      .github/workflows/scan.yml:10  cat docs/index.md
          docs/index.md
    ");
    insta::assert_snapshot!(told_by(&plan, &side, "release"), @"
    release of .github/workflows/scan.yml does not start for this pull

      because     an event, a filter or a condition of the workflow leaves it out
      elsewhere   it is never skipped: it deploys or publishes (.github/workflows/scan.yml:11)

    It reads 1 of 2 files, and whatever the lines above read, which is not asked since it is never skipped:

      .github/workflows/scan.yml:15  cat docs/index.md
          docs/index.md
    ");
}

#[test]
fn names_that_fill_a_line_are_folded_with_their_number() {
    let check = |length: usize, number: usize, expected: &str| {
        let names = vec!["x".repeat(length); number];
        let folded = inputs::folded(&names, "more pattern");
        let (short, long) = ("x".repeat(30), "x".repeat(80));
        let expected = expected.replace("SHORT", &short).replace("LONG", &long);
        assert_eq!(folded, expected);
    };
    check(30, 1, "SHORT");
    check(30, 3, "SHORT, SHORT, SHORT");
    check(30, 35, "SHORT, SHORT, SHORT and 32 more patterns");
    check(80, 2, "LONG and 1 more pattern");
    check(1, 5, "x, x, x, x and 1 more pattern");
}

#[test]
fn a_directory_is_told_with_how_much_of_it_each_job_reads() {
    insta::assert_snapshot!(told("app"), @"
    app/: 3 of the 4 jobs that this pull starts read files below it

      test, lint of .github/workflows/ci.yml
          all of its 2 files

      all of .github/workflows/ci.yml
          it is not understood, so it may read anything

    Not read by legacy.yml:test.

    Ask for one of its files to see by which way it is read.
    ");
    insta::assert_snapshot!(told("./tests/"), @"
    tests/: 3 of the 4 jobs that this pull starts read files below it

      test, lint of .github/workflows/ci.yml
          its one file

      all of .github/workflows/ci.yml
          it is not understood, so it may read anything

    Not read by legacy.yml:test.

    Ask for one of its files to see by which way it is read.
    ");
    assert!(
        told("docs").starts_with("docs/: 3 of the 4 jobs"),
        "{}",
        told("docs")
    );
    assert!(
        told(".").starts_with("the whole repository: every job"),
        "{}",
        told(".")
    );
    for unknown in ["", "/", "/app", "ap", "app/tax"] {
        let found = explain(&plan(), &side(), unknown);
        assert!(
            matches!(found, Explained::Nothing(_)),
            "{unknown}: {found:?}"
        );
    }
    let mut none = plan();
    none.jobs.clear();
    let text = told_by(&none, &side(), "docs");
    assert_eq!(text, "docs/: no job starts for this pull\n");
}

#[test]
fn a_file_is_told_with_the_lines_that_read_it() {
    insta::assert_snapshot!(told("app/tax.py"), @"
    app/tax.py: 3 of the 4 jobs that this pull starts read it

      test of .github/workflows/ci.yml
          app/tax.py → tests/test_tax.py
          .github/workflows/ci.yml:7  python -m pytest tests

      lint of .github/workflows/ci.yml
          .github/workflows/ci.yml:10  ruff check .

      all of .github/workflows/ci.yml
          it is not understood, so it may read anything

    Not read by legacy.yml:test.
    ");
    insta::assert_snapshot!(told("./docs/index.md"), @"
    docs/index.md: 3 of the 4 jobs that this pull starts read it

      lint of .github/workflows/ci.yml
          .github/workflows/ci.yml:10  ruff check .

      all of .github/workflows/ci.yml
          it is not understood, so it may read anything
          .github/workflows/ci.yml:13  cat docs/index.md

      test of .github/workflows/legacy.yml
          .github/workflows/legacy.yml:3  cat docs/index.md

    Not read by ci.yml:test.
    ");
}

#[test]
fn a_test_is_told_with_its_file() {
    let text = told("test_rate");
    assert!(
        text.starts_with("test_rate is a test of tests/test_tax.py\n\ntests/test_tax.py: "),
        "{text}"
    );
    assert_eq!(
        told("tests/test_tax.py::test_rate"),
        told("tests/test_tax.py")
    );
}

#[test]
fn what_makes_everything_run_is_told_of_its_file() {
    let mut plan = plan();
    plan.run_everything.push(RunEverything {
        id: ReasonId::ToolchainFile,
        subject: "pyproject.toml".to_owned(),
    });
    let Explained::Told(text) = explain(&plan, &side(), "pyproject.toml") else {
        panic!("it is a file")
    };
    let line = "  it changed, so everything runs: this file concerns every job: pyproject.toml (toolchain-file)\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn the_line_that_would_own_a_file_is_told() {
    let mut plan = plan();
    plan.run_everything.push(RunEverything {
        id: ReasonId::UnownedFile,
        subject: "pyproject.toml".to_owned(),
    });
    let text = told_by(&plan, &side(), "pyproject.toml");
    let line = "on the default branch: owns: { \"pyproject.toml\": PACKAGE_DIRECTORY }\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn numbers_are_grouped_and_counted() {
    assert_eq!(count(1, "file"), "1 file");
    assert_eq!(count(0, "file"), "0 files");
    assert_eq!(count(2809, "file"), "2,809 files");
    assert_eq!(count(1_234_567, "file"), "1,234,567 files");
}
