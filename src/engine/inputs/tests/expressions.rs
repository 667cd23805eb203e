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
    let text = format!("on: pull_request\njobs:\n  j:\n{job}");
    let pipelines = github::read(&github::snapshot_of(&[(
        ".github/workflows/ci.yml",
        text.as_str(),
    )]));
    let inputs = infer_in(&pipelines[0].jobs[0], None, TREE);
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
