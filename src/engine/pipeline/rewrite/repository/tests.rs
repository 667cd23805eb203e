//! What workflows of one repository keep each other from, and what required checks do.

use super::*;
use crate::engine::pipeline::simulate::Report;

const JOBS: &str = "jobs:\n  unit:\n    runs-on: x\n    steps: [{run: a}]\n";

/// A matrix, what it needs, and a job beside them.
const MATRIX: &str = "name: CI\non: [pull_request, push]\njobs:\n  build:\n    runs-on: x\n    steps: [{run: a}]\n  test:\n    needs: build\n    strategy: {matrix: {v: [1, 2]}}\n    runs-on: x\n    steps: [{run: a}]\n  lint:\n    runs-on: x\n    steps: [{run: a}]\n";

fn requiring(checks: &[&str]) -> Settings {
    Settings {
        required: Some(checks.iter().map(|check| (*check).to_owned()).collect()),
        ..Settings::default()
    }
}

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let path = |name: &str| format!(".github/workflows/{name}");
    let files = files.iter();
    files
        .map(|(name, text)| (path(name), (*text).to_owned()))
        .collect()
}

fn done(of: &[(&str, &str)], settings: &Settings) -> Rewrites {
    rewrite_all(&files(of), "main", settings, None)
}

/// What is done, one line a job; then what holds of every rewrite.
fn check(of: &[(&str, &str)], settings: &Settings, expected: &[&str]) -> Rewrites {
    let done = done(of, settings);
    let mut lines = Vec::new();
    for file in &done.files {
        let name = file.path.rsplit('/').next().unwrap();
        let refused = file.rewrite.refused.iter();
        lines.extend(refused.map(|why| format!("{name}: {}", why.id())));
        lines.extend(file.rewrite.jobs.iter().map(|job| {
            let why = job.why.as_ref().map_or("gated", Refusal::id);
            format!("{name} {}: {why}", job.job)
        }));
    }
    assert_eq!(lines, expected);
    // A second run that is told nothing changes nothing, and undoing gives everything back.
    let written = done
        .files
        .iter()
        .map(|file| (file.path.clone(), file.rewrite.text.clone()));
    let again = rewrite_all(&written.collect(), "main", &Settings::default(), None);
    for (first, second) in done.files.iter().zip(&again.files) {
        assert!(!second.is_stale());
        assert_eq!(first.rewrite.text, second.rewrite.text);
        let undone = edit::undo(&second.rewrite.text);
        assert_eq!(undone.as_ref(), Some(&first.rewrite.original));
    }
    done
}

#[test]
fn a_patch_for_a_backstop_names_the_jobs_that_it_helps() {
    let of = |on: &str, jobs: &str| {
        let text = format!("on: {on}\njobs:\n{jobs}");
        done(&[("ci.yml", &text)], &Settings::default()).backstops
    };
    let job = |id: &str, condition: &str| {
        format!("  {id}:\n    runs-on: x\n{condition}    steps: [{{run: a}}]\n")
    };
    let pulls = "    if: github.event_name == 'pull_request'\n";
    let found = of(
        "pull_request",
        &format!("{}{}", job("Unit", ""), job("label", pulls)),
    );
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].jobs, ["Unit"]);
    insta::assert_snapshot!(found[0].diff, @r"
    --- a/.github/workflows/ci.yml
    +++ b/.github/workflows/ci.yml
    @@ -1,4 +1,7 @@
    -on: pull_request
    +on:
    +  pull_request:
    +  push:
    +    branches: [main]
     jobs:
       Unit:
         runs-on: x
    ");
    assert_eq!(of("pull_request", &job("label", pulls)), []);
    assert_eq!(of("[pull_request, push]", &job("unit", "")), []);
    assert_eq!(of("{pull_request: {}}", &job("unit", "")), []);
}

#[test]
fn a_job_that_runs_on_pulls_only_is_not_gated() {
    let on_both = format!("on: [pull_request, push]\n{JOBS}");
    let on_pulls = format!("on: pull_request\n{JOBS}");
    let elsewhere = format!("on:\n  pull_request:\n  push:\n    branches: [release]\n{JOBS}");
    check(
        &[
            ("a.yml", &on_both),
            ("b.yml", &on_pulls),
            ("c.yml", &elsewhere),
        ],
        &Settings::default(),
        &[
            "a.yml unit: gated",
            "b.yml unit: no-backstop",
            "c.yml unit: no-backstop",
        ],
    );
}

#[test]
fn a_rewrite_that_was_edited_by_hand_is_stale() {
    let text = format!("on: [pull_request, push]\n{JOBS}");
    let first = done(&[("a.yml", &text)], &Settings::default());
    let again = |text: &str| done(&[("a.yml", text)], &Settings::default()).files[0].is_stale();
    let written = first.files[0].rewrite.text.clone();
    assert!(!again(&written));
    assert!(again(&written.replace("'|unit|'", "'|units|'")));
    assert!(again(
        &written.replace("timeout-minutes: 3", "timeout-minutes: 30")
    ));
}

#[test]
fn a_matrix_is_not_gated_while_nobody_says_what_is_required() {
    check(
        &[("a.yml", MATRIX)],
        &Settings::default(),
        &[
            "a.yml build: gated",
            "a.yml test: required-unknown",
            "a.yml lint: gated",
        ],
    );
    check(
        &[("a.yml", MATRIX)],
        &requiring(&["lint", "build"]),
        &[
            "a.yml build: gated",
            "a.yml test: gated",
            "a.yml lint: gated",
        ],
    );
}

/// The lines of the job `trimtab-ok` that say what it looks at.
fn sums(text: &str) -> String {
    let at = text.find("  trimtab-ok:").unwrap();
    let end = text.find("# trimtab-end").unwrap();
    let lines = text[at..end].lines();
    let told = lines.filter(|line| {
        ["name:", "if:", "needs:"]
            .iter()
            .any(|key| line.contains(key))
    });
    told.map(str::trim_start).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_required_leg_is_summed_up_first_and_gated_once_the_sum_is_required() {
    let first = check(
        &[("a.yml", MATRIX)],
        &requiring(&["test (2)"]),
        &[
            "a.yml build: gated",
            "a.yml test: required-vanishes",
            "a.yml lint: gated",
        ],
    );
    insta::assert_snapshot!(sums(&first.files[0].rewrite.text), @r#"
    name: "trimtab ok / CI"
    if: "always()"
    needs: [trimtab-plan, build, test]
    - name: "the run was not cancelled"
    if: "cancelled()"
    - name: "build passed or was skipped by the plan"
    if: "always() && !(needs.build.result == 'success' || (needs.build.result == 'skipped' && contains(needs.trimtab-plan.outputs.skip, '|build|')))"
    - name: "test passed"
    if: "always() && !(needs.test.result == 'success')"
    "#);
    let second = check(
        &[("a.yml", &first.files[0].rewrite.text)],
        &requiring(&["trimtab ok / CI"]),
        &[
            "a.yml build: gated",
            "a.yml test: gated",
            "a.yml lint: gated",
        ],
    );
    let text = &second.files[0].rewrite.text;
    assert!(text.contains("needs: [trimtab-plan, build, test]\n"));
    let third = done(&[("a.yml", text)], &requiring(&[]));
    assert!(!third.files[0].rewrite.text.contains("trimtab-ok"));
}

#[test]
fn a_sum_that_is_required_from_the_start_is_of_all_jobs() {
    let done = check(
        &[("a.yml", MATRIX)],
        &requiring(&["trimtab ok / CI"]),
        &[
            "a.yml build: gated",
            "a.yml test: gated",
            "a.yml lint: gated",
        ],
    );
    assert!(
        done.files[0]
            .rewrite
            .text
            .contains("needs: [trimtab-plan, build, test, lint]\n")
    );
    assert!(done.findings.is_empty());
}

#[test]
fn a_sum_stands_alone_where_nothing_can_be_gated_yet() {
    let text = "name: CI\non: [pull_request, push]\njobs:\n  test:\n    strategy: {matrix: {v: [1]}}\n    runs-on: x\n    steps: [{run: a}]\n";
    let done = check(
        &[("a.yml", text)],
        &requiring(&["test (1)"]),
        &["a.yml test: required-vanishes"],
    );
    let text = &done.files[0].rewrite.text;
    assert!(text.contains("    needs: [test]\n") && !text.contains("trimtab-plan"));
}

#[test]
fn a_skip_of_the_workflow_itself_counts_as_passed_and_no_other_does() {
    let text = "name: CI\non: [pull_request, push]\njobs:\n  x:\n    if: github.actor != 'y'\n    runs-on: x\n    steps: [{run: a}]\n  a:\n    needs: x\n    runs-on: x\n    steps: [{run: a}]\n  b:\n    needs: a\n    strategy: {matrix: {v: [1]}}\n    runs-on: x\n    steps: [{run: a}]\n  c:\n    if: always()\n    needs: b\n    strategy: {matrix: {v: [1]}}\n    runs-on: x\n    steps: [{run: a}]\n";
    let settings = requiring(&["c (1)"]);
    let files = done(&[("a.yml", text)], &settings).files;
    // `c` runs whatever happens above it: nothing else is summed up with it.
    assert!(files[0].rewrite.text.contains("needs: [trimtab-plan, c]\n"));
    let files = done(&[("a.yml", text)], &requiring(&["b (1)"])).files;
    insta::assert_snapshot!(sums(&files[0].rewrite.text), @r#"
    name: "trimtab ok / CI"
    if: "always()"
    needs: [trimtab-plan, x, a, b]
    - name: "the run was not cancelled"
    if: "cancelled()"
    - name: "x passed or was skipped"
    if: "always() && !(needs.x.result == 'success' || needs.x.result == 'skipped')"
    - name: "a passed or was skipped"
    if: "always() && !(needs.a.result == 'success' || needs.a.result == 'skipped')"
    - name: "b passed or was skipped"
    if: "always() && !(needs.b.result == 'success' || needs.b.result == 'skipped')"
    "#);
}

#[test]
fn workflows_of_one_name_are_told_apart_by_their_paths() {
    let other = MATRIX.replace("lint", "docs");
    let twins = done(
        &[("a.yml", MATRIX), ("b.yml", &other)],
        &requiring(&["test (1)"]),
    );
    let name = |file: &FileRewrite| {
        file.rewrite
            .text
            .contains(&format!("\"trimtab ok / {}\"", file.path))
    };
    assert!(twins.files.iter().all(name));
    let computed = MATRIX.replace("name: CI", "name: CI ${{ github.ref }}");
    let alone = done(&[("a.yml", &computed)], &requiring(&[]));
    assert!(
        alone.files[0]
            .rewrite
            .text
            .contains("\"trimtab plan / .github/workflows/a.yml\"")
    );
}

#[test]
fn names_that_the_run_computes_are_treated_like_a_matrix() {
    let text = format!("on: [pull_request, push]\n{JOBS}")
        .replace("    runs-on", "    name: U ${{ github.ref }}\n    runs-on");
    check(
        &[("a.yml", &text)],
        &requiring(&["U 1"]),
        &["a.yml unit: required-vanishes"],
    );
    check(
        &[("a.yml", &text)],
        &requiring(&["V 1"]),
        &["a.yml unit: gated"],
    );
}

#[test]
fn a_job_that_brings_about_a_check_of_another_app_is_not_gated() {
    let text = "on: [pull_request, push]\njobs:\n  unit:\n    runs-on: x\n    steps: [{uses: codecov/codecov-action@v4}]\n  lint:\n    runs-on: x\n    steps: [{run: a}]\n  status:\n    permissions: {statuses: write}\n    runs-on: x\n    steps: [{run: a}]\n";
    let done = check(
        &[("a.yml", text)],
        &requiring(&["codecov/patch"]),
        &[
            "a.yml unit: required-elsewhere",
            "a.yml lint: gated",
            "a.yml status: required-elsewhere",
        ],
    );
    assert_eq!(done.findings[0].id, "never-reports");
}

#[test]
fn a_job_that_writes_deployments_is_not_gated() {
    let text = "on: [pull_request, push]\njobs:\n  site:\n    permissions: {deployments: write}\n    runs-on: x\n    steps: [{run: a}]\n";
    check(
        &[("a.yml", text)],
        &Settings::default(),
        &["a.yml site: deploys"],
    );
}

const HEARS: &str = "on:\n  workflow_run:\n    workflows: [ci]\n    types: [completed]\njobs:\n  say:\n    runs-on: x\n    steps: ";

#[test]
fn a_workflow_whose_end_starts_another_needs_a_job_that_runs_anyway() {
    let heard = format!("name: CI\non: [pull_request, push]\n{JOBS}");
    let hears = format!("{HEARS}[{{run: echo}}]\n");
    check(
        &[("a.yml", &heard), ("b.yml", &hears)],
        &Settings::default(),
        &["a.yml: listened-to", "b.yml: not-on-pulls"],
    );
    let with_another =
        format!("{heard}  live:\n    environment: x\n    runs-on: x\n    steps: [{{run: a}}]\n");
    check(
        &[("a.yml", &with_another), ("b.yml", &hears)],
        &Settings::default(),
        &[
            "a.yml unit: gated",
            "a.yml live: environment",
            "b.yml: not-on-pulls",
        ],
    );
    let below_a_condition =
        with_another.replace("  live:\n", "  live:\n    if: github.ref == 'x'\n");
    check(
        &[("a.yml", &below_a_condition), ("b.yml", &hears)],
        &Settings::default(),
        &["a.yml: listened-to", "b.yml: not-on-pulls"],
    );
}

#[test]
fn what_uploads_for_another_workflow_is_not_gated_and_the_rest_is() {
    let heard = format!(
        "name: CI\non: [pull_request, push]\n{JOBS}  size:\n    runs-on: x\n    steps: [{{uses: actions/upload-artifact@v4}}]\n"
    );
    for reader in [
        "uses: actions/download-artifact@v4",
        "run: ./fetch.sh",
        "run: gh run download",
        "uses: someone/something@v1",
    ] {
        let hears = format!("{HEARS}[{{{reader}}}]\n");
        check(
            &[("a.yml", &heard), ("b.yml", &hears)],
            &Settings::default(),
            &[
                "a.yml unit: gated",
                "a.yml size: artifacts-read",
                "b.yml: not-on-pulls",
            ],
        );
    }
    let hears = format!("{HEARS}[{{run: echo}}]\n");
    check(
        &[("a.yml", &heard), ("b.yml", &hears)],
        &Settings::default(),
        &["a.yml: listened-to", "b.yml: not-on-pulls"],
    );
}

#[test]
fn a_workflow_is_not_gated_for_less_than_the_plan_costs() {
    let text = format!("on: [pull_request, push]\n{JOBS}");
    let with = |seconds: u64| {
        let mut history = History::default();
        history.record(".github/workflows/a.yml", "unit", seconds);
        let done = rewrite_all(
            &files(&[("a.yml", &text)]),
            "main",
            &Settings::default(),
            Some(&history),
        );
        done.files[0].rewrite.refused.clone()
    };
    assert_eq!(with(60), Some(Refusal::NoSaving));
    assert_eq!(with(61), None);
}

#[test]
fn the_outlook_shows_what_a_plan_does_to_each_check() {
    let done = done(&[("a.yml", MATRIX)], &requiring(&["lint"]));
    let rows: Vec<String> = done.files[0]
        .checks
        .iter()
        .map(|row| {
            let reports = [row.before, row.all_run, row.all_skipped].map(Report::as_str);
            format!(
                "{}{}: {}",
                row.name,
                if row.required { "!" } else { "" },
                reports.join(", ")
            )
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    build: runs, runs, skipped
    lint!: runs, runs, skipped
    test: does not report, does not report, skipped
    test (1): runs, runs, does not report
    test (2): runs, runs, does not report
    trimtab plan / CI: does not report, runs, runs
    ");
}

#[test]
fn faults_around_required_checks_are_found() {
    let filtered = "name: CI\non:\n  push:\n  pull_request:\n    paths: [src/**]\njobs:\n  changes:\n    runs-on: x\n    outputs: {src: x}\n    steps: [{uses: dorny/paths-filter@v3}]\n  unit:\n    needs: changes\n    if: needs.changes.outputs.src == 'true'\n    runs-on: x\n    steps: [{run: a}]\n";
    let on_push = format!("on: push\n{}", JOBS.replace("unit", "night"));
    let done = done(
        &[("a.yml", filtered), ("b.yml", &on_push)],
        &requiring(&["unit", "night", "gone"]),
    );
    let lines: Vec<String> = done
        .findings
        .iter()
        .map(|it| format!("{}:{} {}: {}", it.path, it.line, it.id, it.message))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    :0 never-reports: the check `gone` is required, and no workflow here reports it; unless another app does, no pull can be merged
    .github/workflows/a.yml:0 paths-of-required: `paths:` keeps the whole workflow from starting, and its check `unit` is required: a pull that changes nothing there waits for it for ever
    .github/workflows/a.yml:11 filter-gate: unit runs only when `changes` says that src changed: when `changes` fails, it is skipped, and a skipped check counts as passed
    .github/workflows/b.yml:0 never-reports: the check `night` is required, and pulls do not start .github/workflows/b.yml, which reports it; unless another app does, no pull can be merged
    ");
}
