//! Workflows and configurations with faults.

use super::super::super::support::place::{Place, answer};
use super::FILES;

/// The plan where the pull brings this workflow.
fn with_workflow(text: &str) -> String {
    Place::with(FILES, &[(".github/workflows/more.yml", text)]).plan()
}

#[test]
fn workflow_that_cannot_be_read_is_told_and_runs_everything() {
    let bomb = (0..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, at| {
        text + &format!("a{0}: &a{0} [*a{1}, *a{1}, *a{1}]\n", at + 1, at)
    });
    let deep = format!("on: {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    let large = format!("on: push\n{}", "# padding\n".repeat(500_000));
    let cases = [
        ("broken", "on: [push\njobs: }\n"),
        ("bomb", &bomb),
        ("deep", &deep),
        ("large", &large),
        ("binary", "\0\u{1}\u{2}"),
        ("list", "- a\n- b\n"),
    ];
    for (name, text) in cases {
        let plan = with_workflow(text);
        assert!(
            plan.contains("warning: .github/workflows/more.yml:"),
            "{name}: {plan}"
        );
        assert!(plan.contains("everything runs:"), "{name}: {plan}");
        assert!(!plan.contains("skip "), "{name}: {plan}");
    }
}

#[test]
fn faults_of_the_configuration_have_a_line_and_a_column() {
    let place = Place::with(
        &[
            FILES,
            &[(".trimtab.yml", "mode: advise\nholdout: 300\ncolour: red\n")],
        ]
        .concat(),
        &[("docs/index.md", "# The shop\n")],
    );
    let plan = place.plan();
    for warning in [
        "`300`: this must be a whole number from 0 to 100",
        "the key `colour` is not known",
    ] {
        assert!(plan.contains(warning), "{plan}");
    }
}

#[test]
fn faults_of_the_configuration_that_a_pull_brings_are_told_as_its_own() {
    let hostile = "mode: advise\njobs: {'x`@team': {skip: never}}\n";
    let place = Place::with(FILES, &[(".trimtab.yml", hostile)]);
    let plan = place.plan();
    let warning =
        "warning: .trimtab.yml:2:8: after the merge: no job has an id that fits `x`@team`";
    assert!(plan.contains(warning), "{plan}");
    let args = ["plan", "--head", "topic", "--format", "markdown"];
    let comment = answer(&place.trimtab(&args).output().unwrap());
    let line = comment.lines().find(|line| line.starts_with("**Warning**"));
    let line = line.unwrap();
    assert!(line.contains("after the merge: no job has an id"), "{line}");
    assert!(!line.contains("@team"), "{line}");
    // What the base says is in force already.
    let place = Place::with(
        &[FILES, &[(".trimtab.yml", hostile)]].concat(),
        &[("a.md", "")],
    );
    assert!(
        !place.plan().contains("after the merge"),
        "{}",
        place.plan()
    );
}
