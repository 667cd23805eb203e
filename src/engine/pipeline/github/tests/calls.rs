//! Called workflows and composite actions, expanded.

use super::*;

#[test]
fn a_called_workflow_becomes_jobs_with_needs_rewired() {
    let callee = "on:
  workflow_call:
    inputs:
      dir: {type: string, required: true}
      deep: {type: boolean, default: false}
      os: {type: string}
      later: {type: string}
    secrets: {TOKEN: {}}
jobs:
  one:
    runs-on: x
    steps: [{run: 'cd ${{ inputs.dir }} && make ${{ inputs.os }} ${{ inputs.later }} ${{ inputs.none }}'}]
  two:
    needs: one
    if: inputs.deep
    runs-on: x
    env: {T: '${{ secrets.token }}', U: '${{ secrets.OTHER }}'}
    steps: [run: b]
";
    let pipeline = workflow(
        "on: pull_request
jobs:
  pre: {runs-on: x, steps: [run: a]}
  mid:
    needs: [pre]
    if: github.event_name == 'push'
    strategy: {matrix: {os: [u, w]}}
    uses: ./.github/workflows/callee.yml
    with: {dir: web, os: '${{ matrix.os }}', later: '${{ needs.pre.outputs.x }}'}
    secrets: {TOKEN: '${{ secrets.DEPLOY_KEY }}'}
  post: {needs: mid, runs-on: x, steps: [run: c]}
  far: {uses: 'o/r/.github/workflows/x.yml@v1', needs: post}
",
        &[(".github/workflows/callee.yml", callee)],
    );
    insta::assert_snapshot!(show(&pipeline), @r#"
    pre
      3: $ a
    mid / one needs {pre} if {github.event_name == 'push'} legs {u; w}
      12: $ cd web && make ${{ matrix.os }} ${{ inputs.later }}
    mid / two needs {mid / one} if {(github.event_name == 'push') && (false)} legs {u; w}
      Secrets(["DEPLOY_KEY"])
      18: $ b
    post needs {mid / one; mid / two}
      11: $ c
    far needs {post}
      ForeignCall("o/r/.github/workflows/x.yml@v1")
    "#);
    assert_eq!(
        pipeline.files.join(" "),
        ".github/workflows/callee.yml .github/workflows/ci.yml"
    );
    assert_eq!(pipeline.jobs[1].caller, Some(JobId("mid".into())));
}

#[test]
fn calls_that_never_end_are_cut() {
    let text =
        "on: [pull_request, workflow_call]\njobs:\n  again: {uses: ./.github/workflows/ci.yml}\n";
    insta::assert_snapshot!(show(&workflow(text, &[])), @r"
    again
      CallDepth
    ");
    let missing = "on: push\njobs:\n  a: {uses: ./.github/workflows/none.yml}\n";
    insta::assert_snapshot!(show(&workflow(missing, &[])), @r#"
    a
      ForeignCall("./.github/workflows/none.yml")
    "#);
}

#[test]
fn calls_that_multiply_are_cut() {
    let jobs = |next: usize| -> String {
        let job = |job| format!("  j{job}: {{uses: ./.github/workflows/l{next}.yml}}\n");
        (0..9).map(job).collect::<Vec<_>>().concat()
    };
    let texts: Vec<(String, String)> = (1..9)
        .map(|level| {
            let path = format!(".github/workflows/l{level}.yml");
            (
                path,
                format!("on: workflow_call\njobs:\n{}", jobs(level + 1)),
            )
        })
        .collect();
    let others: Vec<(&str, &str)> = texts
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let pipeline = workflow(&format!("on: push\njobs:\n{}", jobs(1)), &others);
    assert!(pipeline.jobs.len() <= 2 * MAX_PARTS);
    assert!(pipeline.jobs.iter().any(|job| {
        job.limits
            .contains(&Limit::Unreadable("too many jobs".into()))
    }));
}

#[test]
fn a_composite_action_becomes_steps() {
    let setup = "inputs:
  version: {default: 3.12}
  target: {}
runs:
  using: composite
  steps:
    - run: pip install ${{ inputs.version }} ${{ inputs.target }}
      shell: bash
    - uses: ./.github/actions/inner/
      if: inputs.version == '3.12'
      with: {what: '${{ inputs.target }}'}
    - run: ${{ github.action_path }}/run.sh
      shell: bash
      working-directory: sub
";
    let inner = "inputs: {what: {required: true}}
runs: {using: composite, steps: [{run: 'echo ${{ inputs.what }}', shell: sh}]}
";
    let pipeline = workflow(
        "on: push
defaults: {run: {working-directory: web}}
jobs:
  a:
    runs-on: x
    steps:
      - uses: ./.github/actions/setup
        if: github.actor != 'x'
        env: {E: 1}
        with: {target: '${{ matrix.t }}'}
      - uses: ./tools/js
      - uses: ./nowhere
",
        &[
            (".github/actions/setup/action.yaml", setup),
            (".github/actions/inner/action.yml", inner),
            (
                "tools/js/action.yml",
                "runs: {using: node20, main: dist/index.js}",
            ),
        ],
    );
    insta::assert_snapshot!(show(&pipeline), @r#"
    a
      7: $ pip install 3.12 ${{ matrix.t }} if {github.actor != 'x'} in "" by bash {"E": "1", "GITHUB_ACTION_PATH": "${{ github.workspace }}/.github/actions/setup"}
      2: $ echo ${{ matrix.t }} if {(github.actor != 'x') && ('3.12' == '3.12')} in "" by sh {"E": "1", "GITHUB_ACTION_PATH": "${{ github.workspace }}/.github/actions/inner"}
      12: $ ${{ github.workspace }}/.github/actions/setup/run.sh if {github.actor != 'x'} in "sub" by bash {"E": "1", "GITHUB_ACTION_PATH": "${{ github.workspace }}/.github/actions/setup"}
      11: ./tools/js {}
      12: ./nowhere {}
    "#);
    assert_eq!(pipeline.files.len(), 4);
}

#[test]
fn what_is_called_is_part_of_the_definition() {
    let text = "on: push\njobs:\n  a: {runs-on: x, steps: [uses: ./act]}\n  b: {uses: ./.github/workflows/w.yml}\n";
    let definitions = |action: &str, callee: &str| {
        let files = [
            ("act/action.yml", action),
            (".github/workflows/w.yml", callee),
        ];
        let pipeline = workflow(text, &files);
        let found = pipeline.jobs.iter().map(|job| job.definition.clone());
        found.collect::<Vec<_>>()
    };
    let action = "runs: {using: composite, steps: [{run: a, shell: sh}]}";
    let callee = "on: workflow_call\njobs: {c: {runs-on: x, steps: [run: y]}}";
    let base = definitions(action, callee);
    assert_eq!(
        definitions(&format!("name: X\n{action}"), &format!("# z\n{callee}")),
        base
    );
    let changed = definitions(
        &action.replace("run: a", "run: b"),
        &callee.replace('y', "z"),
    );
    assert!(changed[0] != base[0] && changed[1] != base[1]);
}
