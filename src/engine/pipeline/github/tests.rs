//! What the reader makes of workflow files, each of them a hazard.

use std::fmt::Write as _;

use super::*;
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::{Action, Step};
use crate::engine::tree::{Entry, Mode, Tree};

/// A snapshot of files with their texts.
pub(crate) fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let blob = |index: usize| ObjectId::from_bytes(&[u8::try_from(index).unwrap(); 20]).unwrap();
    let entry = |(index, (path, _)): (usize, &(&str, &str))| Entry {
        path: (*path).into(),
        mode: Mode::File,
        blob: blob(index),
    };
    let entries = files.iter().enumerate().map(entry).collect();
    let mut snapshot = Snapshot::new(Tree::new(entries));
    for (index, (_, text)) in files.iter().enumerate() {
        snapshot.insert_text(blob(index), (*text).into());
    }
    snapshot
}

/// One workflow, with the files beside it.
fn workflow(text: &str, others: &[(&str, &str)]) -> Pipeline {
    let files = [&[(".github/workflows/ci.yml", text)], others].concat();
    let mut pipelines = read(&snapshot(&files));
    let index = pipelines
        .iter()
        .position(|pipeline| pipeline.path.ends_with("/ci.yml"));
    pipelines.swap_remove(index.unwrap())
}

/// Every job on a line, with its steps and limits under it.
fn show(pipeline: &Pipeline) -> String {
    let mut out = String::new();
    for fault in &pipeline.diagnostics {
        writeln!(out, "! {}:{} {}", fault.path, fault.line, fault.message).unwrap();
    }
    for job in &pipeline.jobs {
        let needs: Vec<String> = job.needs.iter().map(ToString::to_string).collect();
        let legs: Vec<&str> = job.legs.iter().map(|leg| leg.name.as_ref()).collect();
        write!(out, "{}", job.id).unwrap();
        for (label, text) in [
            ("needs", needs.join("; ")),
            (
                "if",
                job.condition.as_deref().unwrap_or_default().to_owned(),
            ),
            ("legs", legs.join("; ")),
        ] {
            if !text.is_empty() {
                write!(out, " {label} {{{text}}}").unwrap();
            }
        }
        writeln!(out).unwrap();
        for limit in &job.limits {
            writeln!(out, "  {limit:?}").unwrap();
        }
        for step in &job.steps {
            writeln!(out, "  {}", show_step(step)).unwrap();
        }
    }
    out
}

fn show_step(step: &Step) -> String {
    let condition = step.condition.as_deref().unwrap_or_default();
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(" if {{{condition}}}")
    };
    match &step.action {
        Action::Run {
            script,
            directory,
            line,
            env,
            shell,
        } => {
            let text = script.trim_end().replace('\n', "; ");
            let extra: Vec<String> = [
                directory.as_ref().map(|dir| format!("in {dir:?}")),
                shell.as_ref().map(|shell| format!("by {shell}")),
                (!env.is_empty()).then(|| format!("{env:?}")),
            ]
            .into_iter()
            .flatten()
            .collect();
            format!("{line}: $ {text}{condition} {}", extra.join(" "))
                .trim_end()
                .to_owned()
        }
        Action::Use { reference, with } => {
            format!("{}: {reference} {with:?}{condition}", step.line)
        }
    }
}

mod calls;

const HEAD: &str = "on: pull_request\njobs:\n";

#[test]
fn triggers_are_read_in_every_shape() {
    let check = |on: &str, expected: &str| {
        let pipeline = workflow(
            &format!("{on}\njobs: {{a: {{runs-on: x, steps: [run: y]}}}}\n"),
            &[],
        );
        let shown: Vec<String> = pipeline
            .triggers
            .iter()
            .map(|trigger| {
                let mut text = format!("{:?}", trigger.event);
                for (name, patterns) in [
                    ("branches", &trigger.branches),
                    ("tags", &trigger.tags),
                    ("paths", &trigger.paths),
                ] {
                    if !patterns.globs.is_empty() {
                        let sign = if patterns.ignore { " but " } else { " " };
                        write!(text, " {name}{sign}{}", patterns.globs.join(",")).unwrap();
                    }
                }
                if !trigger.types.is_empty() {
                    write!(text, " types {}", trigger.types.join(",")).unwrap();
                }
                text
            })
            .collect();
        assert_eq!(shown.join("; "), expected, "{on}");
    };
    check("on: push", "Push");
    check(
        "'on': [push, pull_request, fork]",
        "Push; Pull; Other(\"fork\")",
    );
    check(
        "on:\n  push:\n  merge_group:\n  pull_request_target: {types: labeled}",
        "Push; Queue; PullTarget types labeled",
    );
    check(
        "on: {pull_request: {branches: [main, 'v*'], paths-ignore: docs/**}}",
        "Pull branches main,v* paths but docs/**",
    );
    check(
        "on: {push: {branches-ignore: [x], tags: ['v*'], paths: ['a', '!b']}}",
        "Push branches but x tags v* paths a,!b",
    );
    check(
        "on: {schedule: [{cron: '0 3 * * *'}, {cron: 1 2 3 4 5}]}",
        "Schedule types 0 3 * * *,1 2 3 4 5",
    );
    let pipeline = workflow(
        "on: {workflow_call: {}, workflow_run: {workflows: [CI, Docs]}}\njobs: {}\n",
        &[],
    );
    assert!(pipeline.callable);
    assert_eq!(pipeline.listens_to, ["CI".into(), "Docs".into()]);
}

#[test]
fn steps_know_their_lines_directories_and_variables() {
    let pipeline = workflow(
        "on: push
env: {A: 1, B: '${{ matrix.x }}'}
defaults: {run: {shell: bash, working-directory: ./web/}}
jobs:
  a:
    runs-on: [self-hosted, x]
    env: {A: 2}
    container: node:20
    services: {db: {image: postgres}, r: {image: redis}}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0, python-version: 3.10}
      - run: |
          one
          two
      - {name: N, run: three, working-directory: ../lib, shell: sh, env: {C: true}}
",
        &[],
    );
    insta::assert_snapshot!(show(&pipeline), @r#"
    a
      11: actions/checkout@v4 {"fetch-depth": "0", "python-version": "3.1"}
      14: $ one; two by bash
      16: $ three in "../lib" by sh {"C": "true"}
    "#);
    let job = &pipeline.jobs[0];
    assert_eq!(job.directory.as_deref(), Some("web"));
    assert_eq!(
        format!("{:?}", job.env),
        r#"{"A": "2", "B": "${{ matrix.x }}"}"#
    );
    assert_eq!(job.runner, ["self-hosted".into(), "x".into()]);
    assert_eq!(job.images.join(" "), "node:20 postgres redis");
}

#[test]
fn conditions_lose_their_braces_but_not_their_meaning() {
    let check = |written: &str, expected: Option<&str>| {
        let text = format!("{HEAD}  a:\n    if: {written}\n    runs-on: x\n    steps: [run: y]\n");
        let pipeline = workflow(&text, &[]);
        assert_eq!(pipeline.jobs[0].condition.as_deref(), expected, "{written}");
    };
    check("github.ref == 'x'", Some("github.ref == 'x'"));
    check("${{ always() }}", Some("always()"));
    check("${{ a }} && b", Some("format('{0} && b', a)"));
    check("|\n      ${{ a }}\n", Some("format('{0}\n', a)"));
    check(">-\n      a &&\n      b\n", Some("a && b"));
    check("false", Some("false"));
    check("", None);
    check("''", None);
}

#[test]
fn a_matrix_expands_as_github_expands_it() {
    let check = |matrix: &str, expected: &str| {
        let text = format!(
            "{HEAD}  a:\n    strategy: {{matrix: {matrix}}}\n    runs-on: x\n    steps: [run: y]\n"
        );
        let pipeline = workflow(&text, &[]);
        let job = &pipeline.jobs[0];
        let legs: Vec<&str> = job.legs.iter().map(|leg| leg.name.as_ref()).collect();
        let dynamic = job.limits.contains(&Limit::DynamicMatrix);
        let shown = if dynamic {
            "dynamic".to_owned()
        } else {
            legs.join(" | ")
        };
        assert_eq!(shown, expected, "{matrix}");
    };
    check(
        "{os: [u, w], v: [3.10, '3.10']}",
        "u, 3.1 | u, 3.10 | w, 3.1 | w, 3.10",
    );
    check("{os: [u, w], exclude: [{os: w}]}", "u");
    check(
        "{os: [u], v: [1, 2], exclude: [{os: u, v: 2}, {os: z}]}",
        "u, 1",
    );
    // The example of the manual, word for word.
    check(
        "{fruit: [apple, pear], animal: [cat, dog], include: [{color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]}",
        "apple, cat, pink, circle | apple, dog, green, circle | pear, cat, pink | pear, dog, green | banana | banana, cat",
    );
    check("{include: [{a: 1}, {a: 2, b: x}]}", "1 | 2, x");
    check("{cfg: [{n: x, os: [u, w]}, {n: y}]}", "x, u, w | y");
    check("{cfg: [{n: x}, {n: y}], exclude: [{cfg: {n: y}}]}", "x");
    check("'${{ fromJSON(needs.a.outputs.m) }}'", "dynamic");
    check("{v: '${{ fromJSON(needs.a.outputs.m) }}'}", "dynamic");
    check("{v: '${{ fromJSON(''[1, 2]'') }}'}", "1 | 2");
    check("{v: ['${{ github.x }}', b]}", "${{ github.x }} | b");
    check(
        "{v: [a], include: '${{ fromJSON(needs.a.outputs.m) }}'}",
        "dynamic",
    );
    check("{v: []}", "dynamic");
    check("{v: [a], exclude: [{v: a}]}", "dynamic");
    check(
        "{a: &l [1,2,3,4,5,6,7,8,9], b: *l, c: *l, d: *l}",
        "dynamic",
    );
}

#[test]
fn a_matrix_beyond_githubs_limits_is_not_read_and_that_is_said() {
    let check = |matrix: &str, is_read: bool| {
        let text = format!(
            "{HEAD}  a:\n    strategy: {{matrix: {matrix}}}\n    runs-on: x\n    steps: [run: y]\n"
        );
        let pipeline = workflow(&text, &[]);
        let limits = &pipeline.jobs[0].limits;
        let is_unread = limits.iter().any(|it| matches!(it, Limit::Unreadable(_)));
        assert_eq!(!is_unread, is_read, "{matrix}");
        assert_eq!(pipeline.diagnostics.is_empty(), is_read, "{matrix}");
    };
    let list = |count: usize, item: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..count).map(item).collect();
        items.join(", ")
    };
    let values = list(256, &|at| at.to_string());
    check(&format!("{{a: [{values}]}}"), true);
    check(&format!("{{a: [{values}, 256]}}"), false);
    check(&format!("{{a: [{values}], b: [1, 2, 3, 4, 5]}}"), false);
    let new_keys = |count| list(count, &|at| format!("{{k{at}: 1}}"));
    check(
        &format!("{{a: [{values}], include: [{}]}}", new_keys(60)),
        true,
    );
    check(
        &format!("{{a: [{values}], include: [{}]}}", new_keys(3000)),
        false,
    );
    check(
        &format!("{{a: [{values}], include: [{}]}}", new_keys(200)),
        false,
    );
    let keys = |count| list(count, &|at| format!("k{at}: [1]"));
    check(&format!("{{{}}}", keys(64)), true);
    check(&format!("{{{}}}", keys(65)), false);
    let nested = list(5000, &|at| at.to_string());
    check(&format!("{{a: [{values}], b: [[{nested}]]}}"), false);
}

#[test]
fn legs_keep_the_types_of_their_values() {
    let text = format!(
        "{HEAD}  a:\n    name: n ${{{{ matrix.p.n }}}} ${{{{ matrix.x && 'on' || 'off' }}}}\n    strategy: {{matrix: {{p: [{{n: 1, m: 'a\"b'}}], v: [3.10, '3.10'], x: [false]}}}}\n    runs-on: x\n    steps: [run: y]\n"
    );
    let pipeline = workflow(&text, &[]);
    let shown: Vec<String> = (pipeline.jobs[0].legs.iter())
        .map(|leg| format!("{:?} {:?}", leg.values, leg.typed))
        .collect();
    assert_eq!(
        shown,
        [
            r#"{"p": "{\"n\":1,\"m\":\"a\\\"b\"}", "v": "3.1", "x": "false"} {"p", "v", "x"}"#,
            r#"{"p": "{\"n\":1,\"m\":\"a\\\"b\"}", "v": "3.10", "x": "false"} {"p", "x"}"#,
        ]
    );
}

#[test]
fn what_delivers_is_told_from_what_reports() {
    let pipeline = workflow(
        "on: push
permissions: {contents: write, checks: write, id-token: write}
jobs:
  own: {permissions: {contents: read}, runs-on: x, steps: [run: y]}
  above: {runs-on: x, steps: [run: y]}
  deploy: {environment: {name: prod, url: x}, permissions: {id-token: write}, runs-on: x, steps: [run: '${{ secrets.KEY }} ${{ secrets.GITHUB_TOKEN }}']}
  all: {permissions: write-all, runs-on: x, steps: [{run: y, env: {A: '${{ toJSON(secrets) }}'}}]}
",
        &[],
    );
    insta::assert_snapshot!(show(&pipeline), @r#"
    own
      4: $ y
    above
      Reports("checks")
      Writes("contents")
      Reports("id-token")
      5: $ y
    deploy
      Environment("prod")
      Writes("id-token")
      Secrets(["KEY"])
      6: $ ${{ secrets.KEY }} ${{ secrets.GITHUB_TOKEN }}
    all
      Writes("write-all")
      Secrets(["*"])
      7: $ y {"A": "${{ toJSON(secrets) }}"}
    "#);
}

#[test]
fn the_definition_ignores_spelling_and_sees_meaning() {
    let definition = |text: &str| {
        let pipeline = workflow(&format!("{HEAD}{text}"), &[]);
        assert_eq!(pipeline.diagnostics, []);
        pipeline.jobs[0].definition.clone()
    };
    let base = definition(
        "  a: {runs-on: x, needs: [], env: {A: \"1\"}, steps: [{run: make, name: N}]}\n",
    );
    let same = [
        "  a:\n    # why\n    steps:\n      - run: 'make'\n    env: {A: '1'}\n    needs: []\n    runs-on: \"x\"\n",
        "  a:\n    runs-on: x\n    needs: []\n    env: {A: '1'}\n    steps:\n      - run: |-\n          make\n        name: Other\n",
    ];
    for text in same {
        assert_eq!(definition(text), base, "{text}");
    }
    let different = [
        "  a: {runs-on: y, needs: [], env: {A: '1'}, steps: [run: make]}\n",
        "  a: {runs-on: x, needs: [], env: {A: 1}, steps: [run: make]}\n",
        "  a: {runs-on: x, needs: [], env: {A: '1'}, steps: [{run: make, continue-on-error: true}]}\n",
        "  a: {runs-on: x, needs: [], env: {A: '1'}, if: false, steps: [run: make]}\n",
        "  a: {runs-on: x, needs: [], env: {A: '1'}, steps: [{run: make}, {run: more}]}\n",
    ];
    for text in different {
        assert_ne!(definition(text), base, "{text}");
    }
    let spelled = |condition: &str| {
        definition(&format!(
            "  a: {{runs-on: x, if: \"{condition}\", steps: [run: make]}}\n"
        ))
    };
    assert_eq!(spelled("${{ github.x }}"), spelled("github.x"));
}

#[test]
fn what_cannot_be_read_is_said_and_leaves_no_half_pipeline() {
    let check = |text: &str, expected: &str| assert_eq!(show(&workflow(text, &[])), expected);
    check(
        "on: push\njobs: {a: [}\n",
        "! .github/workflows/ci.yml:2 this is not YAML: while parsing a node, did not find expected node content\n",
    );
    check(
        "- a\n",
        "! .github/workflows/ci.yml:1 this file must hold a mapping\n",
    );
    check(
        "on: push\n",
        "! .github/workflows/ci.yml:0 `jobs` must be a mapping of jobs\n",
    );
    check(
        "on: push\njobs: {}\n",
        "! .github/workflows/ci.yml:0 this workflow has no jobs\n",
    );
    check(
        "on: push\njobs: {a: 1}\n",
        "! .github/workflows/ci.yml:2 a job must be a mapping\na\n  Unreadable(\"a\")\n",
    );
    check(
        "on: push\njobs: {a: {needs: b, runs-on: x, steps: [{}]}}\n",
        "! .github/workflows/ci.yml:2 a step needs `run` or `uses`\n! .github/workflows/ci.yml:2 job `a` needs `b`, which does not exist\na\n  Unreadable(\"step\")\n",
    );
}

#[test]
fn steps_that_run_at_once_are_steps() {
    let text = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - parallel:\n          - run: y\n          - uses: o/r@v1\n      - wait-all:\n      - run: z\n  b: {uses: $/.github/workflows/none.yml}\n";
    insta::assert_snapshot!(show(&workflow(text, &[])), @r#"
    a
      7: $ y
      8: o/r@v1 {}
      10: $ z
    b
      ForeignCall("$/.github/workflows/none.yml")
    "#);
}

#[test]
fn anchors_are_read_as_if_written_out() {
    let text = "on: push\njobs:\n  a:\n    runs-on: &r x\n    steps: &s\n      - run: y\n  b: {runs-on: *r, steps: *s}\n";
    insta::assert_snapshot!(show(&workflow(text, &[])), @r"
    a
      6: $ y
    b
      6: $ y
    ");
}
