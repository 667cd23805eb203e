//! Repositories of a few lines, and what is found in each.

use super::required::Reporter;
use super::*;
use crate::engine::doctor::{State, lines};
use crate::engine::history::run::Conclusion;
use crate::engine::ids::Timestamp;

const CI: &str = "name: CI\non:\n  push: {branches: [main]}\n  pull_request:\njobs:\n  unit:\n    runs-on: ubuntu-24.04\n    steps: [{run: a}]\n  lint:\n    runs-on: ubuntu-24.04\n    steps: [{run: a}]\n";
const MATRIX: &str = "name: CI\non: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    strategy: {matrix: {v: [1, 2]}}\n    steps: [{run: a}]\n";

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    let files = files.iter();
    files
        .map(|(name, text)| (format!(".github/workflows/{name}"), (*text).to_owned()))
        .collect()
}

/// The files rewritten, as the app 7 would have it.
fn rewritten(
    files: &BTreeMap<String, String>,
    required: Option<&[&str]>,
) -> BTreeMap<String, String> {
    let settings = Settings {
        app_id: Some("7".to_owned()),
        required: required.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
        ..Settings::default()
    };
    let done = rewrite_all(files, "main", &settings, None);
    done.files
        .into_iter()
        .map(|file| (file.path, file.rewrite.text))
        .collect()
}

fn requiring(by: Reporter, names: &[&str]) -> Vec<RequiredCheck> {
    let names = names.iter();
    names
        .map(|name| RequiredCheck {
            name: (*name).to_owned(),
            by,
        })
        .collect()
}

/// What is found of one sort, as lines.
fn found(
    files: &BTreeMap<String, String>,
    required: Option<&[RequiredCheck]>,
    check: Check,
) -> String {
    let repo = Repository {
        files,
        branch: "main",
        app: Some(7),
        required,
        history: None,
        runs: None,
    };
    sorted_out(&repo, check)
}

fn sorted_out(repo: &Repository<'_>, check: Check) -> String {
    let found = judge(repo);
    let of_it: Vec<Finding> = found.into_iter().filter(|it| it.check == check).collect();
    assert!(
        of_it
            .iter()
            .all(|it| it.remedy.is_none() == (it.state == State::Ok))
    );
    lines(&of_it)
}

#[test]
fn a_rewrite_is_well_as_long_as_it_is_what_would_be_written() {
    let files = rewritten(&files(&[("ci.yml", CI)]), None);
    let path = ".github/workflows/ci.yml";
    insta::assert_snapshot!(found(&files, None, Check::Rewrite), @"ok rewrite: 1 workflow is rewritten, as a rewrite would do it today");
    let with = |from: &str, to: &str| {
        let mut changed = files.clone();
        let text = files[path].replacen(from, to, 1);
        assert_ne!(text, files[path], "{from} stands in:\n{text}");
        changed.insert(path.to_owned(), text);
        changed
    };
    insta::assert_snapshot!(found(&with("timeout-minutes: 3", "timeout-minutes: 30"), None, Check::Rewrite), @"
    fault rewrite: .github/workflows/ci.yml does not hold the rewrite that it would get today: the workflows or what they need changed, or somebody edited it by hand
      -> `trimtab rewrite --diff` shows what would change, `trimtab rewrite --write` does it
    ");
    insta::assert_snapshot!(found(&with("# trimtab-end", "#"), None, Check::Rewrite), @"
    fault rewrite: .github/workflows/ci.yml was edited where its rewrite stands: it holds a mark of ours in a form that we do not write
      -> restore the lines between trimtab-begin and trimtab-end from its history, or take the mark out
    ");
    insta::assert_snapshot!(found(&with("TRIMTAB_APP_ID: \"7\"", "TRIMTAB_APP_ID: \"8\""), None, Check::Rewrite), @"
    fault rewrite: .github/workflows/ci.yml looks for plans of the app `8`, and this is 7: no plan is ever found
      -> `trimtab rewrite --write --app-id 7`
    ");
    insta::assert_snapshot!(found(&with("  pull_request:", "  pull_request:\n  workflow_call:"), None, Check::Rewrite), @"
    fault rewrite: .github/workflows/ci.yml is rewritten, and would not be any more: other workflows call it, and a plan job could make their runs invalid
      -> `trimtab rewrite --diff` shows what would change, `trimtab rewrite --write` does it
    ");
}

#[test]
fn nothing_rewritten_is_nothing_wrong() {
    let files = files(&[("ci.yml", CI)]);
    insta::assert_snapshot!(found(&files, None, Check::Rewrite), @"ok rewrite: no workflow is rewritten, so that every job runs");
    let none = BTreeMap::new();
    assert_eq!(found(&none, None, Check::Runner), "");
    insta::assert_snapshot!(found(&none, None, Check::Backstop), @"ok backstop: no workflow here starts on pulls");
}

#[test]
fn the_plan_job_needs_a_runner_that_is_there() {
    let runs_on = |label: &str| {
        let text = CI.replace("ubuntu-24.04", label);
        found(&files(&[("ci.yml", &text)]), None, Check::Runner)
    };
    insta::assert_snapshot!(runs_on("ubuntu-24.04"), @"ok runner: the plan job would ask for `ubuntu-latest`, and other jobs here run on GitHub's runners too");
    insta::assert_snapshot!(runs_on("ubuntu-latest"), @"ok runner: the plan job would ask for `ubuntu-latest`, which other jobs here run on");
    insta::assert_snapshot!(runs_on("[self-hosted, big]"), @"
    warning runner: the plan job would ask for `ubuntu-latest`, which no other job here runs on: where no runner has it, each run waits for a day
      -> make sure that a runner with this label is always there, or take one of your own: `trimtab rewrite --write --runner big`
    ");
    insta::assert_snapshot!(runs_on("${{ vars.RUNNER }}"), @"ok runner: the plan job would ask for `ubuntu-latest`; only a run can tell what other jobs here ask for");
    let text = CI.replace("ubuntu-24.04", "[self-hosted, big]");
    let done = rewritten(&files(&[("ci.yml", &text)]), None);
    insta::assert_snapshot!(found(&done, None, Check::Runner), @"
    warning runner: the plan job asks for `ubuntu-latest`, which no other job here runs on: where no runner has it, each run waits for a day
      -> make sure that a runner with this label is always there, or take one of your own: `trimtab rewrite --write --runner big`
    ");
    let matrix = "on: [push, pull_request]\njobs:\n  a:\n    strategy: {matrix: {os: [windows-2022]}}\n    runs-on: ${{ matrix.os }}\n    steps: [{run: a}]\n";
    insta::assert_snapshot!(found(&files(&[("ci.yml", matrix)]), None, Check::Runner), @"ok runner: the plan job would ask for `ubuntu-latest`, and other jobs here run on GitHub's runners too");
}

#[test]
fn jobs_that_run_on_pulls_alone_are_named() {
    insta::assert_snapshot!(found(&files(&[("ci.yml", CI)]), None, Check::Backstop), @"ok backstop: every job of a pull runs somewhere else too");
    let alone = CI.replace("  push: {branches: [main]}\n", "");
    insta::assert_snapshot!(found(&files(&[("ci.yml", &alone)]), None, Check::Backstop), @"
    warning backstop: 2 jobs of .github/workflows/ci.yml do not run in full apart from pulls, so that they are never skipped: `unit`, `lint`
      -> where they should be skipped, add `push: { branches: [main] }` to `on:` of .github/workflows/ci.yml
    ");
    let other = CI.replace("[main]", "[next]");
    insta::assert_snapshot!(found(&files(&[("ci.yml", &other)]), None, Check::Backstop), @"
    warning backstop: 2 jobs of .github/workflows/ci.yml do not run in full apart from pulls, so that they are never skipped: `unit`, `lint`
      -> where they should be skipped, let `on: push` and their conditions take in main
    ");
}

/// Event, branch, and jobs with how they ended.
type Ran<'a> = (&'a str, &'a str, &'a [(&'a str, Conclusion)]);

/// What is found of backstops with these runs.
fn with_runs(runs: &[Ran<'_>]) -> String {
    let runs: Vec<(Attempt, Vec<JobRun>)> = (1..)
        .zip(runs)
        .map(|(run, (event, branch, jobs))| {
            let jobs = jobs.iter().map(|(name, conclusion)| JobRun {
                run,
                attempt: 1,
                id: run,
                name: (*name).to_owned(),
                conclusion: *conclusion,
                created: Timestamp(run),
                started: Timestamp(run),
                ended: Timestamp(run),
                labels: Vec::new(),
                runner: None,
                steps: Vec::new(),
            });
            let attempt = Attempt {
                run,
                attempt: 1,
                pipeline: ".github/workflows/ci.yml".to_owned(),
                event: (*event).to_owned(),
                head: "0".repeat(40).parse().unwrap(),
                branch: Some((*branch).to_owned()),
                fork: false,
                pulls: Vec::new(),
                created: Timestamp(run),
                started: Timestamp(run),
                updated: Timestamp(run),
                conclusion: Some(Conclusion::Success),
            };
            (attempt, jobs.collect())
        })
        .collect();
    let files = files(&[("ci.yml", CI)]);
    let repo = Repository {
        files: &files,
        branch: "main",
        app: Some(7),
        required: None,
        history: None,
        runs: Some(&runs),
    };
    sorted_out(&repo, Check::Backstop)
}

#[test]
fn a_backstop_that_never_comes_is_told() {
    let both = [("unit", Conclusion::Success), ("lint", Conclusion::Failure)];
    insta::assert_snapshot!(with_runs(&[("push", "main", &both)]), @"ok backstop: every job of a pull runs somewhere else too, and was seen to");
    let one = [("unit", Conclusion::Success), ("lint", Conclusion::Skipped)];
    insta::assert_snapshot!(with_runs(&[("push", "main", &one), ("push", "main", &one)]), @"
    warning backstop: 1 job of .github/workflows/ci.yml ended in none of its last 2 runs apart from pulls: `lint`
      -> look at such a run; where they do not run on purpose, say `skip: never` for them in .trimtab.yml
    ");
    // What pulls, other branches and nobody started is no proof.
    for runs in [
        &[("pull_request", "topic", &both[..])][..],
        &[("push", "next", &both)],
        &[],
    ] {
        let found = with_runs(runs);
        assert!(
            found.contains("none of the last runs of the repository"),
            "{found}"
        );
    }
}

#[test]
fn a_required_check_that_can_never_report_is_a_fault() {
    let files = files(&[
        ("ci.yml", CI),
        (
            "release.yml",
            "name: R\non: push\njobs:\n  pack:\n    runs-on: x\n    steps: [{run: a}]\n",
        ),
    ]);
    let required = |by, names: &[&str]| {
        let required = requiring(by, names);
        found(&files, Some(&required), Check::Required)
    };
    insta::assert_snapshot!(required(Reporter::Actions, &[]), @"ok required: main requires no check of a workflow");
    insta::assert_snapshot!(required(Reporter::Actions, &["unit", "lint"]), @"ok required: 2 checks that main requires can report, whatever a plan says: `lint`, `unit`");
    insta::assert_snapshot!(required(Reporter::Actions, &["unti"]), @"
    fault required: the check `unti` is required of GitHub Actions, and no workflow here reports it: no pull can be merged
      -> require a check that pulls report, under the name that the job has when it runs
    ");
    insta::assert_snapshot!(required(Reporter::Anyone, &["DCO"]), @"
    warning required: the check `DCO` is required, and no workflow here reports it; unless another app does, no pull can be merged
      -> require a check that pulls report, under the name that the job has when it runs
    ");
    insta::assert_snapshot!(required(Reporter::Anyone, &["pack"]), @"
    fault required: the check `pack` is required, and pulls do not start .github/workflows/release.yml, which reports it; unless another app does, no pull can be merged
      -> require a check that pulls report, under the name that the job has when it runs
    ");
    insta::assert_snapshot!(required(Reporter::App(3), &["codecov/patch"]), @"ok required: 1 check that main requires can report, whatever a plan says: `codecov/patch`");
    insta::assert_snapshot!(required(Reporter::Anyone, &["trimtab"]), @"ok required: main requires no check of a workflow");
    insta::assert_snapshot!(required(Reporter::Anyone, &["trimtab ok / CI"]), @"
    fault required: the check `trimtab ok / CI` is required, and no workflow has the job that reports it: no pull can be merged
      -> `trimtab rewrite --write --required 'trimtab ok / CI'`, or require the checks of the jobs instead
    ");
    assert_eq!(found(&files, None, Check::Required), "");
}

#[test]
fn a_rewrite_for_other_required_checks_is_told_by_what_it_would_cost() {
    let done = rewritten(&files(&[("ci.yml", MATRIX)]), Some(&[]));
    let required = requiring(Reporter::Actions, &["test (1)"]);
    insta::assert_snapshot!(found(&done, Some(&required), Check::Required), @"
    fault required: the check `test (1)` is required, and does not report while a plan skips its job of .github/workflows/ci.yml: the pull then waits for ever
      -> require `trimtab ok / NAME OF THE WORKFLOW` in its place, or renew the rewrite: `trimtab rewrite --write --required 'test (1)'`
    ");
    let done = rewritten(&files(&[("ci.yml", CI)]), Some(&[]));
    let required = requiring(Reporter::Actions, &["unit"]);
    insta::assert_snapshot!(found(&done, Some(&required), Check::Required), @"
    warning required: .github/workflows/ci.yml was rewritten for other required checks than those of main
      -> `trimtab rewrite --write --required unit`
    ok required: 1 check that main requires can report, whatever a plan says: `unit`
    ");
    let done = rewritten(&files(&[("ci.yml", CI)]), Some(&["unit"]));
    insta::assert_snapshot!(found(&done, Some(&required), Check::Required), @"ok required: 1 check that main requires can report, whatever a plan says: `unit`");
    let sum = rewritten(&files(&[("ci.yml", MATRIX)]), Some(&["trimtab ok / CI"]));
    let required = requiring(Reporter::Anyone, &["trimtab ok / CI"]);
    insta::assert_snapshot!(found(&sum, Some(&required), Check::Required), @"ok required: 1 check that main requires can report, whatever a plan says: `trimtab ok / CI`");
}

#[test]
fn what_cannot_be_read_is_said_and_breaks_nothing() {
    let odd = files(&[
        ("ci.yml", "on: ["),
        ("empty.yml", ""),
        ("bomb.yml", "a: &a [x]\nb: *c\n"),
    ]);
    let told = found(
        &odd,
        Some(&requiring(Reporter::Actions, &["unit"])),
        Check::Workflow,
    );
    assert!(
        told.contains("warning workflow: .github/workflows/ci.yml: it cannot be read"),
        "{told}"
    );
    let filter = "on: [push, pull_request]\njobs:\n  changes:\n    runs-on: x\n    outputs: {py: '${{ steps.f.outputs.py }}'}\n    steps: [{id: f, uses: dorny/paths-filter@v3}]\n  test:\n    needs: changes\n    if: needs.changes.outputs.py == 'true'\n    runs-on: x\n    steps: [{run: a}]\n";
    let told = found(&files(&[("ci.yml", filter)]), None, Check::Workflow);
    assert!(
        told.starts_with("warning workflow: .github/workflows/ci.yml:7: test runs only when"),
        "{told}"
    );
}
