//! The whole text of what is said of a rewrite.

use std::collections::BTreeMap;

use super::*;
use crate::engine::pipeline::rewrite::Settings;
use crate::engine::pipeline::rewrite::repository::rewrite_all;

const CI: &str = "\
name: CI
on: [pull_request, push]
jobs:
  unit:
    runs-on: x
    steps: [{run: a}]
  test:
    needs: unit
    strategy: {matrix: {v: [1, 2]}}
    runs-on: x
    steps: [{run: a}]
  deploy:
    needs: test
    environment: prod
    runs-on: x
    steps: [{run: a}]
";

const LINT: &str = "\
name: Lint
on: pull_request
jobs:
  lint:
    runs-on: x
    steps: [{run: a}]
";

fn rewrites(files: &[(&str, &str)], required: Option<&[String]>) -> Rewrites {
    let path = |name: &str| format!(".github/workflows/{name}");
    let files = files.iter();
    let files: BTreeMap<String, String> = files
        .map(|(name, text)| (path(name), (*text).to_owned()))
        .collect();
    let settings = Settings {
        app_id: Some("4711".to_owned()),
        required: required.map(<[String]>::to_vec),
        ..Settings::default()
    };
    rewrite_all(&files, "main", &settings, None)
}

fn of<'a>(rewrites: &'a Rewrites, required: Option<&'a [String]>) -> Rewriting<'a> {
    Rewriting {
        rewrites,
        branch: "main",
        app: 4_711,
        required,
    }
}

#[test]
fn a_description_says_what_is_gated_what_is_not_and_what_every_check_does() {
    let required = ["test (1)".to_owned(), "unit".to_owned()];
    let required = Some(required.as_slice());
    let rewrites = rewrites(&[("ci.yml", CI), ("lint.yml", LINT)], required);
    insta::assert_snapshot!(rewrite_pull(&of(&rewrites, required)).unwrap(), @r"
    1 job of 1 workflow is gated, 3 others are not.

    Each gated job gets the job `trimtab-plan` as a need and a condition that looks for its own name in the plan. Nothing is skipped by merging this: jobs are skipped only in the mode `enforce`, once the operator of the server has allowed it. Without a plan every job runs.

    Checks that `main` requires: `test (1)`, `unit`.

    ### `.github/workflows/ci.yml`

    Gated: `unit`

    | Check on a pull | before | when nothing is skipped | when all is skipped that may be |
    |---|---|---|---|
    | `test (1)` **required** | runs | runs | runs |
    | `unit` **required** | runs | runs | runs |
    | `deploy` | runs | runs | runs |
    | `test` | does not report | does not report | does not report |
    | `test (2)` | runs | runs | runs |
    | `trimtab ok / CI` | does not report | runs | runs |
    | `trimtab plan / CI` | does not report | runs | runs |

    | Not gated | Why | What would help |
    |---|---|---|
    | `test` | the check \`test (1)\` is required, and does not report while the job is skipped | require `trimtab ok / NAME OF THE WORKFLOW` in place of the checks of this job, then run this again |
    | `deploy` | it has an environment | – |

    ### `.github/workflows/lint.yml`

    | Not gated | Why | What would help |
    |---|---|---|
    | `lint` | it runs on pulls only, so that a skip would never be made good | let it run on pushes to the default branch too, by the name of that branch under `on: push: branches:` |

    <details><summary>A patch of .github/workflows/lint.yml that gives a backstop to lint</summary>

    It is not part of this pull: it changes when the workflow starts.

    ```diff
    --- a/.github/workflows/lint.yml
    +++ b/.github/workflows/lint.yml
    @@ -1,5 +1,8 @@
     name: Lint
    -on: pull_request
    +on:
    +  pull_request:
    +  push:
    +    branches: [main]
     jobs:
       lint:
         runs-on: x
    ```

    </details>

    Take it back at any time: `trimtab rewrite --undo` restores every byte, in a checkout and without the server. The rules are in Trimtab's `docs/pipelines.md`.
    ");
}

#[test]
fn a_description_says_that_it_does_not_know_what_is_required() {
    let rewrites = rewrites(&[("ci.yml", CI)], None);
    let text = rewrite_pull(&of(&rewrites, None)).unwrap();
    assert!(text.contains("requires could not be read"), "{text}");
    assert!(
        text.contains("| `test` | while it is skipped its checks do not report"),
        "{text}"
    );
}

#[test]
fn an_answer_carries_the_patch_and_the_commands() {
    let required = ["it's".to_owned()];
    let required = Some(required.as_slice());
    let one = "name: CI\non: [pull_request, push]\njobs:\n  unit:\n    runs-on: x\n    steps: [{run: '```'}]\n";
    let rewrites = rewrites(&[("ci.yml", one)], required);
    let text = rewrite_patch(&of(&rewrites, required), &NoPull::NotGranted);
    let (before, rest) = text.split_once("+  trimtab-plan:").unwrap();
    let (_, after) = rest.split_once("</details>").unwrap();
    insta::assert_snapshot!(format!("{before}...{after}"), @r#"
    1 job of 1 workflow is gated. I may not open a pull for it: the installation does not grant `contents: write` and `workflows: write`.

    <details><summary>The patch, 130 lines</summary>

    ````diff
    --- a/.github/workflows/ci.yml
    +++ b/.github/workflows/ci.yml
    @@ -1,6 +1,127 @@
     name: CI
     on: [pull_request, push]
     jobs:
    +  # trimtab-begin: `trimtab rewrite` writes this and takes it away
    +  # required checks: ["it's"]
    ...

    In a checkout of `main`:

    ```sh
    trimtab rewrite --write --app-id 4711 --required 'it'\''s'
    git commit --message "ci: Let Trimtab skip CI jobs that a pull cannot affect" -- .github
    ```
    "#);
}

#[test]
fn a_patch_that_a_comment_would_change_or_cut_is_not_shown() {
    let check = |text: &str| {
        let rewrites = rewrites(&[("ci.yml", text)], Some(&[]));
        assert!(rewrites.files[0].rewrite.key.is_some());
        let why = NoPull::NotAccepted("@team: no".to_owned());
        let answer = rewrite_patch(&of(&rewrites, Some(&[])), &why);
        assert!(!answer.contains("```diff"), "{answer}");
        assert!(answer.contains("trimtab rewrite --write --app-id 4711 --required ''"));
        assert!(answer.contains("did not accept a pull for it: `@team: no`."));
        assert!(answer.chars().count() < BUDGET);
    };
    check(&CI.replace('\n', "\r\n"));
    check(&format!("\u{feff}{CI}"));
    let job = |id| format!("  job{id}:\n    runs-on: x\n    steps: [{{run: a}}]\n");
    let jobs: Vec<String> = (0..800).map(job).collect();
    check(&format!(
        "on: [pull_request, push]\njobs:\n{}",
        jobs.concat()
    ));
}

#[test]
fn names_that_a_command_cannot_hold_are_left_out() {
    let rewrites = rewrites(&[("ci.yml", CI)], None);
    for names in [vec!["a\nrm -rf .".to_owned()], vec!["x".repeat(COMMAND)]] {
        let lines = commands(&of(&rewrites, Some(&names)));
        assert!(
            lines.starts_with("trimtab rewrite --write --app-id 4711\n"),
            "{lines}"
        );
    }
}

#[test]
fn a_description_stays_within_its_limit_and_nothing_in_it_acts() {
    let job = |id: usize| {
        format!(
            "  j{id}:\n    name: \"@team <img> | {}\"\n    runs-on: x\n    steps: [{{run: a}}]\n",
            "x".repeat(150)
        )
    };
    let text = format!(
        "name: \"@all | {}\"\non: pull_request\njobs:\n{}",
        "y".repeat(150),
        (0..20).map(job).collect::<String>()
    );
    let names: Vec<String> = (0..20).map(|file| format!("w{file}.yml")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), text.as_str()))
        .collect();
    let required: Vec<String> = (0..50).map(|id| format!("@check|{id}")).collect();
    let rewrites = rewrites(&files, Some(&required));
    let shown = rewrite_pull(&of(&rewrites, Some(&required))).unwrap();
    assert!(shown.chars().count() <= BUDGET, "{}", shown.chars().count());
    assert!(shown.contains("more workflows are not shown"));
    let outside: String = shown.split('`').step_by(2).collect();
    assert!(
        !outside.contains("@team") && !outside.contains("<img"),
        "{outside}"
    );
}
