//! What a rewrite does with each form of a workflow; the names say the hazard.

use super::*;

fn rewritten(text: &str) -> Rewrite {
    rewrite("ci.yml", text, &Around::default(), &Settings::default())
}

/// What is done with each job, one a line; then what has to hold of every rewrite.
fn check(text: &str, expected: &[&str]) {
    let done = rewritten(text);
    let lines: Vec<String> = match &done.refused {
        Some(why) => vec![format!("refused: {why}")],
        None => done.jobs.iter().map(line).collect(),
    };
    assert_eq!(lines, expected);
    assert_eq!(edit::undo(&done.text).as_deref(), Some(text));
    let again = rewritten(&done.text);
    assert_eq!(again.text, done.text, "a second rewrite changes nothing");
}

fn line(disposition: &Disposition) -> String {
    let what = match disposition.what {
        Done::Gated => "gated",
        Done::Restated => "restated",
        Done::Left => "left",
    };
    let why = disposition
        .why
        .as_ref()
        .map(Refusal::id)
        .unwrap_or_default();
    format!("{} {what} {why}", disposition.job)
        .trim_end()
        .to_owned()
}

/// The lines that are ours outside of the plan job.
fn ours(text: &str) -> String {
    let text = rewritten(text).text;
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.ends_with("# trimtab"))
        .collect();
    lines.join("\n")
}

fn jobs(body: &str) -> String {
    format!("on: [pull_request, push]\njobs:\n{body}")
}

const S: &str = "    runs-on: x\n    steps: [{run: a}]\n";

#[test]
fn a_job_gets_a_need_and_a_condition_and_nothing_else() {
    let text = jobs(&format!(
        "  unit:\n{S}  lint: # fast\n    needs: unit # because\n    if: github.actor != 'b\\o\"t'\n{S}"
    ));
    check(&text, &["unit gated", "lint gated"]);
    insta::assert_snapshot!(ours(&text), @r#"
        needs: [trimtab-plan] # trimtab
        if: "!cancelled() && !contains(needs.trimtab-plan.outputs.skip, '|unit|')" # trimtab
        needs: [trimtab-plan, unit] # trimtab
        if: "!cancelled() && !contains(needs.trimtab-plan.outputs.skip, '|lint|') && needs.unit.result == 'success' && (github.actor != 'b\\o\"t')" # trimtab
    "#);
    assert!(
        rewritten(&text)
            .text
            .contains("    # trimtab-was:    needs: unit # because\n")
    );
}

#[test]
fn needs_in_every_form_are_kept() {
    for needs in [
        "[a, b]",
        "\n      - a\n      - b # two",
        "\n    - a\n    - b",
        "[\n      a,\n      b\n    ]",
    ] {
        let text = jobs(&format!("  a:\n{S}  b:\n{S}  c:\n    needs: {needs}\n{S}"));
        check(&text, &["a gated", "b gated", "c gated"]);
        assert!(
            ours(&text).contains("    needs: [trimtab-plan, a, b] # trimtab"),
            "{needs}"
        );
    }
}

#[test]
fn conditions_in_every_form_are_kept() {
    let cases = [
        ("${{ github.ref == 'x' }}", "(github.ref == 'x')"),
        ("'github.ref == ''x'''", "(github.ref == 'x')"),
        (
            ">-\n      github.ref == 'x' &&\n      true",
            "(github.ref == 'x' && true)",
        ),
        ("true", "(true)"),
    ];
    for (written, kept) in cases {
        let text = jobs(&format!("  a:\n    if: {written}\n{S}"));
        check(&text, &["a gated"]);
        assert!(
            ours(&text).contains(&format!(" && {kept}\" # trimtab")),
            "{written}: {}",
            ours(&text)
        );
    }
    for blank in ["", "''", "null"] {
        let text = jobs(&format!("  a:\n    if: {blank}\n{S}"));
        check(&text, &["a gated"]);
        assert!(ours(&text).ends_with("'|a|')\" # trimtab"), "{blank}");
    }
}

#[test]
fn a_condition_that_ignores_outcomes_is_kept_whole() {
    let text = jobs(&format!(
        "  a:\n{S}  b:\n    needs: a\n    if: always()\n{S}"
    ));
    check(&text, &["a gated", "b gated"]);
    assert!(ours(&text).contains(
        "if: \"!contains(needs.trimtab-plan.outputs.skip, '|b|') && (always())\" # trimtab"
    ));
}

#[test]
fn a_deployment_below_a_gate_asks_for_its_needs_by_name() {
    let text = jobs(&format!(
        "  build:\n{S}  deploy:\n    needs: build\n    environment: prod\n{S}"
    ));
    check(&text, &["build gated", "deploy restated environment"]);
    assert!(
        ours(&text).contains("if: \"!cancelled() && needs.build.result == 'success'\" # trimtab")
    );
}

#[test]
fn a_notice_of_failure_takes_the_gates_above_it_away() {
    let text = jobs(&format!(
        "  a:\n{S}  unit:\n    needs: a\n{S}  notify:\n    needs: unit\n    if: failure()\n{S}  other:\n{S}"
    ));
    check(
        &text,
        &[
            "a left seen-below",
            "unit left seen-below",
            "notify left asks-status",
            "other gated",
        ],
    );
}

#[test]
fn a_job_that_looks_at_all_its_needs_gets_no_further_one() {
    for uses in [
        "    if: always() && !contains(needs.*.result, 'failure')\n",
        "    env: {ALL: '${{ toJSON(needs) }}'}\n",
        "    outputs: {x: '${{ needs[matrix.a].result }}'}\n",
    ] {
        let text = jobs(&format!("  a:\n{S}  b:\n    needs: a\n{uses}{S}"));
        let done = rewritten(&text);
        assert_eq!(done.jobs[1].why, Some(Refusal::OpenNeeds), "{uses}");
        assert_ne!(done.jobs[1].what, Done::Gated);
    }
    let text = jobs(&format!(
        "  a:\n{S}  b:\n    needs: a\n    env: {{X: '${{{{ needs.a.outputs.x }}}}'}}\n{S}"
    ));
    check(&text, &["a gated", "b gated"]);
}

#[test]
fn a_status_function_above_is_not_restated() {
    let text = jobs(&format!(
        "  x:\n{S}  a:\n    needs: x\n    if: always()\n{S}  b:\n    needs: a\n{S}"
    ));
    check(
        &text,
        &[
            "x left seen-below",
            "a left seen-below",
            "b left status-above",
        ],
    );
}

#[test]
fn conditions_that_mean_something_else_are_refused() {
    let cases = [
        ("x ${{ true }}", "embedded-expression"),
        ("|\n      ${{ true }}", "block-expression"),
        ("github.ref ==", "unparsable"),
        ("success()", "asks-status"),
    ];
    for (condition, why) in cases {
        let text = jobs(&format!("  a:\n    if: {condition}\n{S}"));
        check(&text, &[&format!("a left {why}")]);
    }
}

#[test]
fn a_job_that_is_not_a_block_of_its_own_is_left() {
    check(&jobs("  a: {runs-on: x}\n"), &["a left format"]);
    check(
        &jobs(&format!("  a: &a\n{S}  b: *a\n")),
        &["a left format", "b left format"],
    );
    check(
        &format!(
            "x: &x\n  runs-on: x\n{}",
            jobs("  a:\n    <<: *x\n    steps: []\n")
        ),
        &["a left format"],
    );
    check(
        &jobs(&format!("  a:\n    if: &c true\n{S}")),
        &["a left format"],
    );
}

#[test]
fn an_anchor_deeper_in_a_job_does_not_matter_and_one_around_jobs_does() {
    check(
        &jobs(
            "  a:\n    runs-on: x\n    steps: &s [{run: a}]\n  b:\n    runs-on: x\n    steps: *s\n",
        ),
        &["a gated", "b gated"],
    );
    let text = format!("on: pull_request\njobs: &j\n  a:\n{S}copy: *j\n");
    check(&text, &["refused: `jobs` is not written as a block"]);
}

#[test]
fn workflows_that_a_plan_job_could_break_are_refused() {
    let body = format!("jobs:\n  a:\n{S}");
    check(
        &format!("on: [pull_request, workflow_call]\n{body}"),
        &["refused: other workflows call it, and a plan job could make their runs invalid"],
    );
    check(
        &format!("on: push\n{body}"),
        &["refused: it does not run on `pull_request`"],
    );
    check(
        &format!("on:\n  pull_request:\n  pull_request_target:\n{body}"),
        &["refused: it also runs on pull_request_target"],
    );
    check(
        &format!("on: pull_request\njobs:\n  trimtab-plan:\n{S}"),
        &["refused: it has a job `trimtab-plan` or `trimtab-ok` that is not ours"],
    );
    check(
        &format!("on: pull_request\njobs:\n  a:\n{S}  A:\n{S}"),
        &["refused: two job ids differ only in case"],
    );
    check(
        &format!("on: pull_request\njobs:\n  a:\n    needs: z\n{S}"),
        &["refused: it cannot be read: no job is called `z`"],
    );
    let around = Around {
        listeners: vec!["release.yml".to_owned()],
        ..Around::default()
    };
    let done = rewrite(
        "ci.yml",
        &jobs(&format!("  a:\n{S}")),
        &around,
        &Settings::default(),
    );
    assert_eq!(
        done.refused,
        Some(Refusal::ListenedTo("release.yml".to_owned()))
    );
}

#[test]
fn a_file_with_a_mark_that_we_did_not_write_is_left_alone() {
    let foreign = jobs("  a:\n    runs-on: x\n    steps:\n      - run: echo keep me # trimtab\n");
    let cut = rewritten(&jobs(&format!("  a:\n{S}")))
        .text
        .replace("  # trimtab-end\n", "");
    for text in [foreign, cut] {
        let done = rewritten(&text);
        assert_eq!(done.refused, Some(Refusal::Marked));
        assert_eq!(
            (done.text.as_str(), done.original.as_str()),
            (&*text, &*text)
        );
    }
}

#[test]
fn a_rewrite_with_a_line_that_lost_its_mark_is_left_alone() {
    let whole = rewritten(&jobs(&format!("  a:\n{S}"))).text;
    let line = whole.lines().find(|line| line.contains("needs:")).unwrap();
    let damaged = whole.replace(line, line.trim_end_matches(" # trimtab"));
    assert_ne!(damaged, whole);
    let done = rewritten(&damaged);
    assert_eq!(done.refused, Some(Refusal::Edited));
    // Taking the rest back would leave a need behind that no job has.
    assert_eq!(done.original, damaged);
    assert_eq!(done.text, damaged);
}

#[test]
fn a_second_rewrite_keeps_runner_app_and_server_unless_told_otherwise() {
    let settings = Settings {
        runner: Some("mine".to_owned()),
        app_id: Some("77".to_owned()),
        server: Some("https://bot.example".to_owned()),
        required: None,
    };
    let text = jobs(&format!("  a:\n{S}"));
    let first = rewrite("ci.yml", &text, &Around::default(), &settings);
    assert!(
        first.text.contains("TRIMTAB_APP_ID: \"77\"") && first.text.contains("runs-on: \"mine\"")
    );
    let asked = "PLAN_URL: \"https://bot.example/api/v1/plan\"";
    assert!(first.text.contains(asked) && first.text.contains("id-token: write"));
    assert_eq!(rewritten(&first.text).text, first.text);
    let without = Settings {
        server: Some(String::new()),
        ..Settings::default()
    };
    let without = rewrite("ci.yml", &first.text, &Around::default(), &without).text;
    assert!(!without.contains("PLAN_URL: \"") && !without.contains("id-token"));
}

#[test]
fn blocked_jobs_are_refused_and_still_restated() {
    let blocked = BTreeMap::from([("b".to_owned(), Refusal::NoBackstop)]);
    let around = Around {
        blocked,
        ..Around::default()
    };
    let text = jobs(&format!("  a:\n{S}  b:\n    needs: a\n{S}"));
    let done = rewrite("ci.yml", &text, &around, &Settings::default());
    let lines: Vec<String> = done.jobs.iter().map(line).collect();
    assert_eq!(lines, ["a gated", "b restated no-backstop"]);
}

#[test]
fn bytes_around_an_edit_stay() {
    let text = jobs(&format!("  unit:\n{S}\n  # last\n"));
    check(&text.replace('\n', "\r\n"), &["unit gated"]);
    check(&format!("\u{feff}{text}"), &["unit gated"]);
    check(&text.replace("jobs:", "\"jobs\": # all"), &["unit gated"]);
    check(&text.replace("  unit:", "  'unit' :"), &["unit gated"]);
    let wide = "on: pull_request\njobs:\n        unit:\n            runs-on: x\n            steps:\n            - run: a";
    check(wide, &["unit gated"]);
}

#[test]
fn a_condition_at_the_very_end_without_a_line_end_is_refused() {
    let text = "on: pull_request\njobs:\n  a:\n    runs-on: x\n    if: true";
    let done = rewritten(text);
    assert!(
        matches!(done.refused, Some(Refusal::Unequal(_))),
        "{:?}",
        done.refused
    );
    assert_eq!(done.text, text);
}

#[test]
fn a_gate_that_github_would_not_take_is_refused() {
    let deep = format!("{}true{}", "(".repeat(46), ")".repeat(46));
    check(
        &jobs(&format!("  a:\n    if: {deep}\n{S}")),
        &["a left too-long"],
    );
    let term = format!("github.ref == '{}'", "a".repeat(1000));
    let long = vec![term; 20].join(" || ");
    check(
        &jobs(&format!("  a:\n    if: {long}\n{S}")),
        &["a left too-long"],
    );
}

#[test]
fn the_plan_job_has_no_action_and_reads_as_a_job() {
    let done = rewritten(&jobs(&format!("  unit:\n{S}")));
    let root = yaml::parse("ci.yml", &done.text).unwrap();
    let plan = root.get("jobs").unwrap().get(PLAN_JOB).unwrap();
    let steps = plan.get("steps").unwrap().items().unwrap();
    assert_eq!(steps.len(), 1);
    assert!(steps[0].get("uses").is_none());
    let script = steps[0].get("run").unwrap().as_str().unwrap();
    assert_eq!(script, include_str!("../../../../templates/plan_step.sh"));
    assert!(!script.contains("${{"));
    let env = steps[0].get("env").unwrap();
    let key = done.key.unwrap();
    assert_eq!(
        env.get("TRIMTAB_WORKFLOW").unwrap().as_str(),
        Some(key.as_str())
    );
}
