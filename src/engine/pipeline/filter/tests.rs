//! Filters and conditions, against the tables of GitHub's manual.

use super::*;
use crate::engine::pipeline::github;

fn context() -> EventContext {
    EventContext {
        source: "feature/x".into(),
        labels: vec!["e2e".into()],
        repository: "o/r".into(),
        ..EventContext::sample()
    }
}

fn pipeline(text: &str) -> Pipeline {
    let files = [(".github/workflows/ci.yml", text)];
    github::read(&github::snapshot_of(&files)).swap_remove(0)
}

/// A pattern, names that it matches, and names that it does not.
const GLOBS: &[(&str, &str, &str)] = &[
    (
        "feature/*",
        "feature/my-branch feature/your-branch",
        "feature/a/b feature",
    ),
    (
        "feature/**",
        "feature/beta-a/my-branch feature/x",
        "x/feature/y",
    ),
    (
        "releases/mona-the-octocat",
        "releases/mona-the-octocat",
        "releases",
    ),
    ("*", "main releases", "all/the/branches"),
    ("**", "all/the/branches x", ""),
    (
        "*feature",
        "mona-feature feature ver-10-feature",
        "x/feature",
    ),
    ("v2*", "v2 v2.0 v2.9", "v3"),
    ("v[12].[0-9]+.[0-9]+", "v1.10.1 v2.0.0", "v3.0.0 v1.1"),
    ("*.jsx?", "page.js page.jsx", "a/page.js page.jsxx"),
    ("**.js", "index.js js/index.js src/js/app.js", "a.jsx"),
    ("docs/*", "docs/README.md docs/file.txt", "docs/a/b"),
    (
        "docs/**/*.md",
        "docs/README.md docs/mona/hello-world.md docs/a/markdown/file.md",
        "README.md docs/x.txt",
    ),
    (
        "**/docs/**",
        "docs/hello.md dir/docs/my-file.txt space/docs/plan/space.doc",
        "xdocs/a",
    ),
    (
        "**/README.md",
        "README.md js/README.md",
        "js/README.markdown xREADME.md",
    ),
    ("**/*src/**", "a/src/app.js my-src/code/js/app.js", "src2/x"),
    ("**/*-post.md", "my-post.md path/their-post.md", "post.md"),
    (
        "**/migrate-*.sql",
        "migrate-10909.sql db/sept/migrate-v1.sql",
        "db/migrate.sql",
    ),
    ("a\\*b", "a*b", "axb"),
    ("[a", "[a", "a"),
    ("é+", "é éé", "e"),
];

#[test]
fn globs_match_as_the_manual_says() {
    for (pattern, yes, no) in GLOBS {
        for name in yes.split(' ') {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for name in no.split_whitespace() {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}

fn check_start(on: &str, changed: &[&str], expected: Truth) {
    let text = format!("on: {on}\njobs: {{a: {{runs-on: x, steps: [run: y]}}}}\n");
    assert_eq!(
        starts(&pipeline(&text), &context(), changed),
        expected,
        "{on} {changed:?}"
    );
}

#[test]
fn a_pull_starts_what_its_filters_admit() {
    check_start("push", &["a"], Truth::No);
    check_start("[push, pull_request]", &[], Truth::Yes);
    check_start("{pull_request: {types: [labeled]}}", &[], Truth::No);
    check_start(
        "{pull_request: {types: [labeled, synchronize]}}",
        &[],
        Truth::Yes,
    );
    check_start("{pull_request: {branches: [main]}}", &[], Truth::Yes);
    check_start(
        "{pull_request: {branches: ['!main', '**']}}",
        &[],
        Truth::Yes,
    );
    check_start(
        "{pull_request: {branches: ['**', '!main']}}",
        &[],
        Truth::No,
    );
    check_start("{pull_request: {branches-ignore: ['ma*']}}", &[], Truth::No);
}

#[test]
fn a_pull_starts_what_its_paths_admit() {
    check_start(
        "{pull_request: {paths: ['src/**']}}",
        &["docs/a", "src/b/c"],
        Truth::Yes,
    );
    check_start(
        "{pull_request: {paths: ['src/**']}}",
        &["docs/a"],
        Truth::No,
    );
    check_start(
        "{pull_request: {paths: ['src/**', '!src/**/*.md']}}",
        &["src/a.md"],
        Truth::No,
    );
    check_start(
        "{pull_request: {paths: ['!src/x', 'src/**']}}",
        &["src/x"],
        Truth::Yes,
    );
    check_start(
        "{pull_request: {paths-ignore: ['docs/**']}}",
        &["docs/a"],
        Truth::No,
    );
    check_start(
        "{pull_request: {paths-ignore: ['docs/**']}}",
        &["docs/a", "b"],
        Truth::Yes,
    );
    check_start(
        "{pull_request_target: , pull_request: {paths: [x]}}",
        &["y"],
        Truth::Yes,
    );
    let many: Vec<&str> = std::iter::repeat_n("src/a", 400).collect();
    check_start("{pull_request: {paths: ['src/**']}}", &many, Truth::Unknown);
    check_start("{pull_request: {paths: ['lib/**']}}", &many, Truth::No);
}

#[test]
fn a_job_whose_condition_fails_or_whose_needs_fail_does_not_start() {
    let check = |condition: &str, expected: Truth| {
        let text = format!(
            "on: pull_request\njobs:\n  a: {{runs-on: x, if: \"{condition}\", steps: [run: y]}}\n  b: {{needs: a, runs-on: x, steps: [run: y]}}\n  c: {{needs: a, if: always(), runs-on: x, steps: [run: y]}}\n"
        );
        let pipeline = pipeline(&text);
        let context = context();
        let runs = |index: usize| runs(&pipeline, &pipeline.jobs[index], &Occasion::Pull(&context));
        assert_eq!(runs(0), expected, "{condition}");
        assert_eq!(runs(1), expected, "{condition}");
        assert_eq!(runs(2), Truth::Yes, "{condition}");
    };
    check("github.event_name == 'push'", Truth::No);
    check("github.ref == 'refs/heads/main'", Truth::No);
    check("startsWith(github.ref, 'refs/tags/')", Truth::No);
    check(
        "github.base_ref == 'main' && !github.event.pull_request.draft",
        Truth::Yes,
    );
    check(
        "contains(github.event.pull_request.labels.*.name, 'e2e')",
        Truth::Yes,
    );
    check(
        "contains(github.event.pull_request.labels.*.name, 'slow')",
        Truth::No,
    );
    check(
        "github.repository == 'o/r' && github.repository_owner == 'o'",
        Truth::Yes,
    );
    check(
        "github.event.pull_request.head.repo.full_name != github.repository",
        Truth::No,
    );
    check("github.event.pull_request.head.repo.fork", Truth::No);
    check("github.actor != 'dependabot[bot]'", Truth::Unknown);
    check("github.event.pull_request.user.login == 'ann'", Truth::Yes);
    check("needs.x.outputs.y == 'true'", Truth::Unknown);
    check("inputs.force == true", Truth::No);
    check("github.event.inputs.force", Truth::No);
    check("github.event.label.name == 'x'", Truth::No);
    check("vars.X", Truth::Unknown);
    check("this is no expression", Truth::Unknown);
    check("failure()", Truth::Unknown);
}

#[test]
fn a_fork_is_never_its_target() {
    let context = EventContext {
        fork: true,
        activity: "opened".into(),
        ..context()
    };
    let scope = Occasion::Pull(&context).scope();
    let truth = |text: &str| expression::condition(text, &scope);
    assert_eq!(
        truth("github.event.pull_request.head.repo.full_name == github.repository"),
        Truth::No
    );
    assert_eq!(
        truth("github.event.pull_request.head.repo.full_name == 'p/r'"),
        Truth::Unknown
    );
    assert_eq!(truth("github.actor == 'ann'"), Truth::Yes);
}

fn check_backstops(on: &str, condition: &str, expected: &str) {
    let text =
        format!("on: {on}\njobs:\n  a: {{runs-on: x, if: \"{condition}\", steps: [run: y]}}\n");
    let pipelines = [pipeline(&text)];
    let [pipeline] = &pipelines;
    let target = ("main", None);
    let found = backstops(&pipelines, pipeline, &pipeline.jobs[0], target, &context());
    assert_eq!(found.join("; "), expected, "{on} {condition}");
}

#[test]
fn backstops_are_named_with_what_may_keep_them() {
    let check = check_backstops;
    check("[pull_request, push]", "", "push to main");
    check("[pull_request]", "", "");
    check(
        "[pull_request, push, merge_group]",
        "",
        "merge queue; push to main",
    );
    check(
        "[pull_request, push]",
        "github.event_name == 'pull_request'",
        "",
    );
    check("[push]", "github.ref == 'refs/heads/main'", "push to main");
    check(
        "[push]",
        "vars.X",
        "push to main (when its condition holds)",
    );
    check("{push: {branches: [release]}}", "", "");
    check("{push: {tags: ['v*']}}", "", "");
    check(
        "{push: {branches: [main], tags: ['v*']}}",
        "",
        "push to main",
    );
    check(
        "{push: {branches: [main], paths: ['src/**']}}",
        "",
        "push to main (when its path filter matches)",
    );
    check(
        "{schedule: [{cron: '0 3 * * *'}]}",
        "",
        "schedule 0 3 * * *",
    );
    check(
        "{schedule: [{cron: '1'}, {cron: '2'}]}",
        "github.event.schedule == '2'",
        "schedule 2",
    );
    check(
        "{merge_group: }",
        "startsWith(github.ref, 'refs/heads/gh-readonly-queue/')",
        "merge queue",
    );
    check(
        "{merge_group: }",
        "github.event.pull_request.draft == false",
        "merge queue",
    );
}

#[test]
fn a_push_that_leaves_out_the_paths_or_a_script_is_no_backstop() {
    let check = |push: &str, steps: &str, expected: &str| {
        let text = format!(
            "on: {{pull_request: , push: {push}}}\njobs:\n  a: {{runs-on: x, steps: {steps}}}\n"
        );
        let pipelines = [pipeline(&text)];
        let [pipeline] = &pipelines;
        let target = ("main", Some(&["b.txt"][..]));
        let found = backstops(&pipelines, pipeline, &pipeline.jobs[0], target, &context());
        assert_eq!(found.join("; "), expected, "{push} {steps}");
    };
    let on_pulls = "if: \"github.event_name == 'pull_request'\"";
    check("", "[{run: y}]", "push to main");
    check("{paths: ['never/**']}", "[{run: y}]", "");
    check("{paths-ignore: ['**.txt']}", "[{run: y}]", "");
    check(
        "{paths: ['*.txt']}",
        "[{run: y}]",
        "push to main (when its path filter matches)",
    );
    check("", &format!("[{{run: x}}, {{run: y, {on_pulls}}}]"), "");
    check(
        "",
        &format!("[{{uses: a/b@v1, {on_pulls}}}, {{run: y}}]"),
        "push to main",
    );
}

#[test]
fn a_called_job_is_also_backed_by_another_caller() {
    let callee = "on: workflow_call\njobs: {t: {runs-on: x, steps: [run: y]}}";
    let caller = |on: &str| format!("on: {on}\njobs: {{c: {{uses: ./.github/workflows/t.yml}}}}\n");
    let files = [
        (".github/workflows/main.yml", caller("push")),
        (".github/workflows/pr.yml", caller("pull_request")),
    ];
    let mut all: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    all.push((".github/workflows/t.yml", callee));
    let pipelines = github::read(&github::snapshot_of(&all));
    let found = backstops(
        &pipelines,
        &pipelines[1],
        &pipelines[1].jobs[0],
        ("main", None),
        &context(),
    );
    assert_eq!(found, ["push to main, by .github/workflows/main.yml"]);
}
