//! What the command line says to a person who begins with it.

use super::super::support::place::{Place, answer, refusal};
use super::WORKFLOW;

const LEGACY: &str = "\
on: [pull_request, push]
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cat docs/old.md
";

/// Two workflows with one job's id in common.
const FILES: &[(&str, &str)] = &[
    (".github/workflows/ci.yml", WORKFLOW),
    (".github/workflows/legacy.yml", LEGACY),
    ("docs/index.md", "# Shop\n"),
    ("docs/old.md", "# Old\n"),
    ("shop/__init__.py", ""),
    ("shop/tax.py", "RATE = 0.2\n"),
    ("tests/test_tax.py", "from shop import tax\n"),
];

fn place() -> Place {
    Place::with(FILES, &[("docs/old.md", "# Older\n")])
}

#[test]
fn on_the_default_branch_there_is_nothing_to_plan() {
    let place = place();
    let output = place.trimtab(&["plan"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(5), Vec::new()));
    let said = String::from_utf8(output.stderr).unwrap();
    let tip = place.git(&["rev-parse", "--short=7", "main"]);
    assert_eq!(
        said,
        format!(
            "trimtab: nothing to plan: head and base are both {tip} (merge base with main), so no file differs; check out the branch of a pull (what is not committed is not seen), or name other commits with --head and --base\n"
        )
    );
    // What a job reads can be asked all the same.
    let why = place.trimtab(&["why", "docs"]).output().unwrap();
    assert!(answer(&why).starts_with("docs of .github/workflows/ci.yml is skipped\n"));
}

const LABELLED: &str = "\
on:
  push: {branches: [main]}
  pull_request: {types: [opened, synchronize, labeled]}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cat a/x.txt
  e2e:
    needs: build
    if: github.event_name == 'push' || github.event.action == 'labeled'
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: cat b/x.txt
";

#[test]
fn a_job_that_a_label_may_start_later_keeps_what_it_needs() {
    let files = &[
        (".github/workflows/ci.yml", LABELLED),
        ("a/x.txt", "1\n"),
        ("b/x.txt", "1\n"),
    ];
    let plan = Place::with(files, &[("b/x.txt", "2\n")]).plan();
    assert!(plan.contains("run   build  needed-by: e2e"), "{plan}");
    assert!(
        plan.contains("run   e2e    input-changed: b/x.txt"),
        "{plan}"
    );
}

#[test]
fn the_plan_says_which_commit_it_compares_with() {
    let place = place();
    place.commit("main", &[("shop/tax.py", "RATE = 0.3\n")]);
    let output = place
        .trimtab(&["plan", "--head", "topic"])
        .output()
        .unwrap();
    let note =
        "note: main has moved on since; the bot compares with its tip, as `--base main` does\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), note);
    assert!(
        answer(&output).contains(" (merge base with main)\n"),
        "{output:?}"
    );
    let args = ["plan", "--head", "topic", "--base", "main"];
    let output = place.trimtab(&args).output().unwrap();
    assert!(answer(&output).contains(" (main)\n"), "{output:?}");
    assert_eq!(output.stderr, b"");
}

#[test]
fn jobs_of_one_id_are_asked_for_by_their_workflow() {
    let place = place();
    let plan = place.plan();
    insta::assert_snapshot!(plan.lines().skip(2).collect::<Vec<_>>().join("\n"), @"
      skip  ci.yml:test      inputs-equal: none of its 3 inferred inputs changed
      skip  docs             inputs-equal: its one inferred input did not change
      run   legacy.yml:test  input-changed: docs/old.md

    The whole chain for one job: trimtab why JOB
    ");
    let said = refusal(
        &place
            .trimtab(&["why", "test", "--head", "topic"])
            .output()
            .unwrap(),
    );
    assert_eq!(
        said,
        "several workflows have a job `test`; ask for one of them: `trimtab why ci.yml:test`, `trimtab why legacy.yml:test`"
    );
    let args = ["why", "legacy.yml:test", "--head", "topic"];
    insta::assert_snapshot!(answer(&place.trimtab(&args).output().unwrap()), @"
    test of .github/workflows/legacy.yml runs

      because     its input docs/old.md changed (input-changed)
      otherwise   would be skipped if that had not changed
      runs again  push to main

    It reads 1 of 7 files:

      .github/workflows/legacy.yml:7  cat docs/old.md
          docs/old.md
    ");
}

const MATRIX: &str = "\
name: CI
on: [pull_request, push]
jobs:
  test:
    strategy: {matrix: {v: [1, 2]}}
    runs-on: x
    steps: [{run: a}]
  lint:
    runs-on: x
    steps: [{run: a}]
";

#[test]
fn a_reason_that_holds_of_several_jobs_is_told_once() {
    let twice = MATRIX.replace("  lint:\n", "  lint:\n    strategy: {matrix: {v: [3]}}\n");
    let files = [(".github/workflows/ci.yml", twice.as_str())];
    let place = Place::with(&files, &[("README.md", "# Shop\n")]);
    place.git(&["reset", "--quiet", "--hard"]);
    let output = place.trimtab(&["rewrite", "--diff"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let line =
        "note: .github/workflows/ci.yml: test, lint are left: while it is skipped its checks";
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_rewrite_says_which_required_check_would_vanish_and_writes_what_stands_for_it() {
    let path = ".github/workflows/ci.yml";
    let place = Place::with(&[(path, MATRIX)], &[("README.md", "# Shop\n")]);
    place.git(&["reset", "--quiet", "--hard"]);
    let run = |args: &[&str]| {
        let args = [&["rewrite"], args].concat();
        let output = place.trimtab(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        (answer(&output), String::from_utf8(output.stderr).unwrap())
    };
    let (_, unsaid) = run(&[]);
    assert!(
        unsaid.contains("test is left: while it is skipped its checks do not report"),
        "{unsaid}"
    );

    let write = ["--write", "--app-id", "7", "--required", "test (1)"];
    let (diff, said) = run(&[&write[..], &["--diff"]].concat());
    assert!(
        said.contains("test is left: the check `test (1)` is required"),
        "{said}"
    );
    assert!(
        said.contains("note:   test (1) (required): runs | runs | runs\n"),
        "{said}"
    );
    assert!(diff.contains("+    name: \"trimtab ok / CI\"\n"), "{diff}");

    let (diff, said) = run(&["--write", "--required", "trimtab ok / CI"]);
    assert_eq!(diff, "");
    assert!(
        said.contains("note: wrote .github/workflows/ci.yml\n"),
        "{said}"
    );
    assert!(
        said.contains("note:   test (2): runs | runs | does not report\n"),
        "{said}"
    );
    assert!(said.contains("2 jobs of 1 workflow gated"), "{said}");
    assert!(
        run(&["--check"])
            .0
            .starts_with("every rewrite is what it should be")
    );
    let rewritten = std::fs::read(place.dir.join(path)).unwrap();
    let (diff, said) = run(&["--undo"]);
    assert_eq!(diff, "");
    assert_eq!(
        said,
        "note: wrote .github/workflows/ci.yml\nnote: 1 workflow is again as it was before it was rewritten\n"
    );
    assert_eq!(place.git(&["status", "--porcelain"]), "");
    std::fs::write(place.dir.join(path), rewritten).unwrap();
    let (diff, _) = run(&["--undo", "--diff"]);
    assert!(diff.contains("-    name: \"trimtab ok / CI\"\n"), "{diff}");
    assert_eq!(place.git(&["status", "--porcelain"]), "");
    let (_, said) = run(&["--undo"]);
    assert!(said.contains("nothing to take back"), "{said}");
}

#[test]
fn an_address_for_links_that_leads_nowhere_is_refused() {
    let place = place();
    let args = [
        "plan",
        "--head",
        "topic",
        "--format",
        "markdown",
        "--link-base",
    ];
    let run = |address: &str| {
        let args = [&args[..], &[address]].concat();
        place.trimtab(&args).output().unwrap()
    };
    for address in [
        "nope",
        "",
        "javascript:alert(1)",
        "https://bot.example/?a=b",
    ] {
        let output = run(address);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let remedy = "must be an address such as `https://bot.example`: http or https";
        assert!(
            said.contains("--link-base <URL>") && said.contains(remedy),
            "{said}"
        );
    }
    let comment = answer(&run("https://bot.example/ci/"));
    assert!(
        comment.contains("](https://bot.example/ci/plans/"),
        "{comment}"
    );
}

#[test]
fn a_history_that_knows_some_jobs_tells_what_is_known() {
    let place = place();
    let history = |jobs: &str| {
        let file = place.cache.join("history.json");
        std::fs::create_dir_all(&place.cache).unwrap();
        let text = format!(r#"{{"schema": "trimtab.history/1", "jobs": [{jobs}]}}"#);
        std::fs::write(&file, text).unwrap();
        let args = [
            "plan",
            "--head",
            "topic",
            "--history",
            file.to_str().unwrap(),
        ];
        let output = place.trimtab(&args).output().unwrap();
        let title = answer(&output).lines().next().unwrap().to_owned();
        (title, String::from_utf8(output.stderr).unwrap())
    };
    let docs = r#"{"workflow": ".github/workflows/ci.yml", "job": "docs", "seconds": [620]}"#;
    let (title, said) = history(docs);
    assert_eq!(
        title,
        "CI plan: 1 of 3 jobs needed · would save about 10 min net (1 of 2 skipped jobs known)"
    );
    assert_eq!(said, "");
    let runs = r#"{"workflow": ".github/workflows/legacy.yml", "job": "test", "seconds": [620]}"#;
    let (title, said) = history(runs);
    assert_eq!(title, "CI plan: 1 of 3 jobs needed");
    assert_eq!(
        said,
        "note: the history has no duration of a skipped job, so that no saving is told\n"
    );
}
