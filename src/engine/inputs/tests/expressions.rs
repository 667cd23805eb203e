//! What the expressions of steps read, and what containers are given of the checkout.

use super::*;
use crate::engine::pipeline::github;

const TREE: &[(&str, &str)] = &[
    ("a.txt", ""),
    ("b.txt", ""),
    (
        "ci/compose.yml",
        "services: {}\nconfigs: {z: {file: ../q/x.env}}\n",
    ),
    ("ci/.env", ""),
    ("lib/x.py", ""),
    ("p/Dockerfile", ""),
    ("q/data.json", ""),
    ("q/x.env", ""),
];

/// The job of a workflow: its faults, then what it reads.
fn check(job: &str, expected: &str) {
    check_with(&[], job, expected);
}

/// The same beside other files of the pipeline.
fn check_with(others: &[(&str, &str)], job: &str, expected: &str) {
    let text = format!("on: pull_request\njobs:\n  j:\n{job}");
    let mut files = vec![(".github/workflows/ci.yml", text.as_str())];
    files.extend(others);
    let pipelines = github::read(&github::snapshot_of(&files));
    let pipeline = pipelines.iter().find(|it| it.path.ends_with("ci.yml"));
    let inputs = infer_in(&pipeline.unwrap().jobs[0], None, TREE);
    let never = inputs
        .never
        .iter()
        .map(|(why, origin)| format!("{why:?} {}", origin.what));
    let opaque = inputs
        .opaque
        .iter()
        .map(|it| format!("opaque {}", it.origin.what));
    let found: Vec<String> = never.chain(opaque).collect();
    let found = match found.as_slice() {
        [] => reached(&inputs, TREE),
        found => found.join("; "),
    };
    assert_eq!(found, expected, "{job}");
}

#[test]
fn files_whose_digest_an_expression_takes_are_read() {
    check(
        "    steps:\n    - run: echo ${{ hashfiles('b.txt', '!a.txt', 'lib') }}\n",
        "b.txt lib/x.py",
    );
    check(
        "    env: {K: \"${{ hashFiles('b.txt') }}\"}\n    steps:\n    - run: 'true'\n",
        "b.txt",
    );
    check(
        "    steps:\n    - if: hashFiles('b.txt') != ''\n      run: cat a.txt\n",
        "a.txt b.txt",
    );
    check(
        "    steps:\n    - run: echo ${{ hashFiles(env.LIST) }}\n",
        "opaque hashFiles(env.LIST) }}",
    );
    // The key of a cache decides what is fetched again, and nothing else.
    check(
        "    steps:\n    - uses: actions/cache@v4\n      with: {path: x, key: \"${{ hashFiles('b.txt') }}\"}\n    - run: cat a.txt\n",
        "a.txt",
    );
}

#[test]
fn a_job_that_reads_what_changes_of_a_pull_is_never_skipped() {
    check(
        "    steps:\n    - run: test \"${{ github.event.pull_request.additions }}\" -lt 500\n",
        "ReadsHistory pull_request.additions",
    );
    check(
        "    steps:\n    - run: echo \"$GITHUB_HEAD_REF\" | grep -q fix\n",
        "ReadsHistory github_head_ref",
    );
    check(
        "    steps:\n    - run: cat a.txt # ${{ github.event.pull_request.number }}\n",
        "a.txt",
    );
}

#[test]
fn a_shell_that_is_told_more_than_the_script_is_not_understood() {
    let step = |shell: &str| format!("    steps:\n    - run: cat a.txt\n      shell: {shell}\n");
    for bare in [
        "bash",
        "bash -leo pipefail {0}",
        "/bin/sh -e {0}",
        "bash --noprofile --norc {0}",
    ] {
        check(&step(bare), "a.txt");
    }
    for told in [
        "bash -c 'source b.txt; source {0}'",
        "ci/bash {0}",
        "bash --init-file b.txt -i {0}",
    ] {
        check(&step(&format!("\"{told}\"")), "opaque cat a.txt");
    }
}

#[test]
fn what_a_container_is_given_of_the_checkout_is_not_understood() {
    let volume = "    services:\n      db:\n        image: x\n        volumes: [\"${{ github.workspace }}/b.txt:/x\"]\n";
    check(
        &format!("{volume}    steps:\n    - run: cat a.txt\n"),
        "opaque a container gets ${{ github.workspace }}/b.txt:/x",
    );
    let options = "    container:\n      image: x\n      options: --cpus 1 --env-file b.txt\n";
    check(
        &format!("{options}    steps:\n    - run: cat a.txt\n"),
        "opaque a container gets --env-file",
    );
    let machine = "    container:\n      image: x\n      volumes: [\"/var/run/docker.sock:/s\", \"data:/d\"]\n";
    check(
        &format!("{machine}    steps:\n    - run: cat a.txt\n"),
        "a.txt",
    );
}

#[test]
fn a_build_reads_what_it_is_told_of() {
    for flag in [
        "--build-context q=q",
        "--secret id=x,src=q/data.json",
        "-f q/data.json",
    ] {
        let inputs = infer_in(&job(&format!("docker build {flag} p")), None, TREE);
        let found = reached(&inputs, TREE);
        assert_eq!(faults(&inputs), "", "{flag}");
        assert!(
            found.contains("p/Dockerfile") && found.contains("q/data.json"),
            "{flag}: {found}"
        );
    }
    let inputs = infer_in(&job("docker compose -f ci/compose.yml up -d"), None, TREE);
    assert_eq!(reached(&inputs, TREE), "ci/.env ci/compose.yml q/x.env");
}

/// A step of a job with this matrix.
fn check_leg(matrix: &str, step: &str, expected: &str) {
    check(
        &format!("    strategy: {{matrix: {matrix}}}\n    steps:\n    - {step}\n"),
        expected,
    );
}

#[test]
fn values_of_a_matrix_are_put_in_with_their_properties() {
    for matrix in [
        "{c: [{f: b.txt}, {f: lib/x.py}]}",
        "{include: [{c: {f: b.txt}}, {c: {f: lib/x.py}}]}",
    ] {
        check_leg(matrix, "run: cat ${{ matrix.c.f }}", "b.txt lib/x.py");
        check_leg(
            matrix,
            "{run: cat $F, env: {F: '${{ matrix.c.f }}'}}",
            "b.txt lib/x.py",
        );
        let json = "run: cat ${{ fromJSON(toJSON(matrix.c)).f }}";
        check_leg(matrix, json, "b.txt lib/x.py");
    }
    let dir = "{run: cat x.py, working-directory: '${{ matrix.p.dir }}'}";
    check_leg("{p: [{dir: lib}]}", dir, "lib/x.py");
    let build = "run: docker build ${{ matrix.s.path }}";
    check_leg("{s: [{path: q}]}", build, "q/data.json q/x.env");
    check_leg(
        "{p: [{cmd: cat b.txt}]}",
        "run: '${{ matrix.p.cmd }}'",
        "b.txt",
    );
    let list = "{l: [[a.txt, b.txt]]}";
    check_leg(list, "run: cat ${{ join(matrix.l, ' ') }}", "a.txt b.txt");
    check_leg(list, "run: cat ${{ matrix.l[1] }}", "b.txt");
}

#[test]
fn truths_and_numbers_of_a_matrix_are_no_texts() {
    let guarded = |condition: &str| format!("{{if: \"{condition}\", run: cat b.txt}}");
    for (matrix, condition) in [
        ("{slow: [true]}", "matrix.slow == true"),
        ("{slow: [true]}", "matrix.slow"),
        ("{skip: [false]}", "matrix.skip == false"),
        ("{skip: [false]}", "${{ !matrix.skip }}"),
        (
            "{x: [1], include: [{x: 1, skip: false}]}",
            "matrix.skip == false",
        ),
        ("{v: [0]}", "${{ !matrix.v }}"),
        ("{p: [{slow: true, name: x}]}", "matrix.p.slow"),
        ("{p: [{slow: true, name: x}]}", "matrix.p.name == 'x'"),
        ("{v: [3.10]}", "matrix.v == '3.1'"),
        ("{v: ['${{ github.event.action }}']}", "matrix.v == 'b'"),
        (
            "{p: [{v: '${{ github.event.action }}'}]}",
            "matrix.p.v == 'b'",
        ),
    ] {
        check_leg(matrix, &guarded(condition), "b.txt");
    }
    for (matrix, condition) in [
        ("{skip: [false]}", "matrix.skip"),
        ("{v: ['true']}", "matrix.v == true"),
        ("{x: [a]}", "matrix.other"),
    ] {
        check_leg(matrix, &guarded(condition), "");
    }
    let choice = "run: cat ${{ matrix.x && 'a.txt' || 'b.txt' }}";
    check_leg("{x: [false]}", choice, "b.txt");
    check_leg("{x: ['false']}", choice, "a.txt");
}

#[test]
fn common_matrices_stay_understood() {
    check_leg(
        "{os: [ubuntu-latest], python-version: [3.9, \"3.10\"], include: [{os: ubuntu-latest, extra: b.txt}]}",
        "run: cat a.txt ${{ matrix.extra }} # ${{ matrix.python-version }} ${{ matrix.os }}",
        "a.txt b.txt",
    );
    check_leg(
        "{python-version: [3.12], coverage: [true]}",
        "run: cat ${{ matrix.coverage && 'a' || 'b' }}.txt && echo py${{ matrix.python-version }}",
        "a.txt",
    );
}

#[test]
fn an_action_of_the_repository_is_handed_texts() {
    let action = (
        "act/action.yml",
        "inputs: {slow: {}}\nruns:\n  using: composite\n  steps:\n  - {shell: bash, if: \"inputs.slow == 'true'\", run: cat a.txt}\n  - {shell: bash, if: inputs.slow, run: cat b.txt}\n",
    );
    let job = |matrix: &str, given: &str| {
        format!(
            "    strategy: {{matrix: {matrix}}}\n    steps:\n    - {{uses: ./act, with: {{slow: \"{given}\"}}}}\n"
        )
    };
    let plain = "${{ matrix.slow }}";
    check_with(&[action], &job("{slow: [true]}", plain), "a.txt b.txt");
    // The text `false` counts as true.
    check_with(&[action], &job("{slow: [false]}", plain), "b.txt");
    let compared = "${{ matrix.slow == 'x' }}";
    check_with(&[action], &job("{slow: [x]}", compared), "a.txt b.txt");
    let negated = "${{ !matrix.slow }}";
    check_with(&[action], &job("{slow: [false]}", negated), "a.txt b.txt");
}

#[test]
fn a_called_workflow_is_handed_what_it_declares() {
    let called = |kind: &str, condition: &str| {
        format!(
            "on: {{workflow_call: {{inputs: {{v: {{type: {kind}}}}}}}}}\njobs:\n  x:\n    steps:\n    - {{if: \"{condition}\", run: cat b.txt}}\n"
        )
    };
    let check_call = |matrix: &str, given: &str, kind: &str, condition: &str, expected: &str| {
        let text = called(kind, condition);
        let job = format!(
            "    strategy: {{matrix: {matrix}}}\n    uses: ./.github/workflows/c.yml\n    with: {{v: \"{given}\"}}\n"
        );
        check_with(&[(".github/workflows/c.yml", &text)], &job, expected);
    };
    let plain = "${{ matrix.v }}";
    check_call("{v: [true]}", plain, "boolean", "inputs.v == true", "b.txt");
    check_call("{v: [false]}", plain, "boolean", "inputs.v", "");
    check_call(
        "{v: [true]}",
        plain,
        "string",
        "inputs.v == 'true'",
        "b.txt",
    );
    let json = "${{ toJSON(matrix.v) }}";
    check_call(
        "{v: [{f: x}]}",
        json,
        "string",
        "fromJSON(inputs.v).f == 'x'",
        "b.txt",
    );
}

/// The faults of a job with an event of this repository.
fn check_event(repository: &str, step: &str, expected: &str) {
    let text = format!("on: pull_request\njobs:\n  j:\n    steps:\n    - {step}\n");
    let path = ".github/workflows/ci.yml";
    let pipelines = github::read(&github::snapshot_of(&[(path, text.as_str())]));
    let snapshot = snapshot(TREE);
    let event = EventContext {
        source: "".into(),
        author: "somebody".into(),
        repository: repository.into(),
        ..EventContext::sample()
    };
    let context = Context {
        snapshot: &snapshot,
        packages: &Packages::read(&snapshot),
        policy: &Policy::default(),
        event: Some(&event),
        memo: &Memo::default(),
    };
    let inputs = infer(&pipelines[0].jobs[0], None, &context);
    let found = match inputs.opaque.as_slice() {
        [] => reached(&inputs, TREE),
        [opaque, ..] => format!("{:?}", opaque.cause),
    };
    assert_eq!(found, expected, "{repository} {step}");
}

#[test]
fn who_pushes_and_a_name_that_nobody_told_are_unknown() {
    let guarded = |condition: &str| format!("{{if: \"{condition}\", run: cat b.txt}}");
    for condition in ["github.actor == 'me'", "github.actor != 'somebody'"] {
        check_event("o/p", &guarded(condition), "b.txt");
    }
    check_event("o/p", &guarded("github.head_ref == 'next'"), "b.txt");
    let named = guarded("github.repository == 'o/p'");
    check_event("o/p", &named, "b.txt");
    check_event("o/other", &named, "");
    check_event("directory", &named, "b.txt");
    let other = "{uses: actions/checkout@v4, with: {repository: o/p, path: here}}";
    check_event("o/z", other, "");
    check_event("directory", other, "UnknownUse(\"checkout of o/p\")");
}

#[test]
fn the_template_of_an_image_build_is_the_repository() {
    let build = |with: &str| format!("{{uses: docker/build-push-action@v6, with: {{{with}}}}}");
    check_event(
        "o/p",
        &build("context: '{{defaultContext}}:q'"),
        "q/data.json q/x.env",
    );
    check_event(
        "o/p",
        &build("context: '{{ defaultContext }}:p'"),
        "p/Dockerfile",
    );
    check_event(
        "o/p",
        &build("context: '{{other}}:q'"),
        "UnknownUse(\"docker/build-push-action with a template\")",
    );
    let tags = build("context: q, tags: 'x:{{y}}'");
    check_event("o/p", &tags, "q/data.json q/x.env");
    check_event("o/p", &build("context: 'https://github.com/o/z.git'"), "");
    check_event(
        "o/p",
        &build("context: 'https://github.com/o/p.git#main:q'"),
        "UnknownUse(\"docker build https://github.com/o/p.git#main:q\")",
    );
}

#[test]
fn the_file_beside_a_recipe_that_says_what_is_left_out_is_read() {
    let inputs = infer_in(&job("docker build -f ci/D q"), None, TREE);
    let is_read = |input: &Input| matches!(input, Input::Exact(globs) if globs.contains(&Glob::path("ci/D.dockerignore")));
    assert!(inputs.parts.iter().any(|(input, _)| is_read(input)));
}

#[test]
fn a_job_whose_configured_inputs_fit_no_file_is_not_understood() {
    for globs in [&["none/**", "x"][..], &[]] {
        let rule = JobPolicy {
            inputs: Some(globs.iter().map(|glob| Glob::written(*glob)).collect()),
            ..JobPolicy::default()
        };
        let inputs = infer_by_rules(&[("test", rule)], "true", TREE);
        let what = format!("any file that fits its `inputs` ({})", globs.join(", "));
        let fault = format!(".trimtab.yml:0 Missing({what:?})");
        assert_eq!(faults(&inputs), fault);
    }
}
