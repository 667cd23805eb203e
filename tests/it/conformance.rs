//! GitHub's own examples, from its package `@octokit/webhooks-examples`.
//!
//! They say what the real forge sends, independently of us: the adapter has to read
//! every one, and the fake forge may not send a field that the real one does not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::{Value, json};
use trimtab::clock::ManualClock;
use trimtab::forge::event::{ForgeEvent, RepoEventKind};
use trimtab::forge::github::payload::event;
use trimtab::forge::github::signature::{is_signed, sign};

use super::support::github::FakeGithub;
use super::support::github::runs::Ran;
use super::support::repo::Edit;

/// Documented, but in no example: written to an issue, about a title, without a text,
/// sent to an app, or newer than the package.
const DOCUMENTED: &[&str] = &[
    "installation.installation.permissions.merge_queues: string",
    "issue_comment.issue.pull_request.url: string",
    "pull_request.changes.base.ref.from: string",
    "pull_request_review.review.body: string",
    "workflow_run.installation.id: number",
    "workflow_run.installation.node_id: string",
];

const PACKAGE: &str = "target/conformance/node_modules/@octokit/webhooks-examples";

/// Name and payload of every example of github.com, or of an older server.
pub(crate) fn examples(of: &str) -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    install(root);
    let path = root.join(PACKAGE).join(of).join("index.json");
    let text = std::fs::read_to_string(path).unwrap();
    let events: Vec<Value> = serde_json::from_str(&text).unwrap();
    let named = events.into_iter().flat_map(|of_one| {
        let name = of_one["name"].as_str().unwrap().to_owned();
        let examples = of_one["examples"].as_array().unwrap().clone();
        examples
            .into_iter()
            .map(move |payload| (name.clone(), payload))
    });
    named.collect()
}

/// Installs the packages where they are not there yet: one test at a time, in whichever process.
pub(crate) fn install(root: &Path) {
    let target = root.join("target");
    std::fs::create_dir_all(&target).unwrap();
    let lock = std::fs::File::create(target.join("conformance.lock")).unwrap();
    lock.lock().unwrap();
    let setup = root.join("tests/conformance/setup.sh");
    let output = std::process::Command::new("bash").arg(setup).output();
    let output =
        output.unwrap_or_else(|fault| panic!("install bash, then run the tests again: {fault}"));
    assert!(
        output.status.success(),
        "GitHub's packages could not be installed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The example as an app gets it: many were recorded by a webhook without an app.
pub(crate) fn as_sent_to_an_app(mut payload: Value) -> Value {
    if payload["installation"].is_null() {
        payload["installation"] = json!({"id": 7, "node_id": "MDIz"});
    }
    payload
}

fn word(event: Option<ForgeEvent>) -> String {
    let event = match event {
        None => return "nothing".to_owned(),
        Some(ForgeEvent::Installation(event)) => return format!("{:?}", event.change),
        Some(ForgeEvent::Repo(event)) => event.kind,
    };
    match event {
        RepoEventKind::Pull { change, .. } => format!("pull {change:?}"),
        RepoEventKind::Comment { at, .. } => format!("comment in a {:?}", at.place),
        RepoEventKind::CheckRerequested { name, .. } => {
            format!(
                "check rerequested, {}",
                if name.is_some() { "one" } else { "all" }
            )
        }
        RepoEventKind::CheckAction { .. } => "check action".to_owned(),
        RepoEventKind::RunEnded { attempt, .. } => format!("attempt {attempt} ended"),
        RepoEventKind::JobEnded(job) => format!("job ended: {}", job.conclusion.as_str()),
        RepoEventKind::Push { .. } => "push".to_owned(),
        RepoEventKind::Repository(change) => format!("repository {change:?}"),
    }
}

#[test]
fn every_example_is_read() {
    let examples = examples("api.github.com");
    assert_eq!(examples.len(), 329);
    for (name, payload) in examples {
        event(&name, "d-1", payload.to_string().as_bytes()).unwrap();
    }
}

#[test]
fn examples_of_older_servers_are_read_too() {
    for of in ["ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35"] {
        for (name, payload) in examples(of) {
            let payload = as_sent_to_an_app(payload).to_string();
            event(&name, "d-1", payload.as_bytes()).unwrap();
        }
    }
}

#[test]
fn examples_mean_what_they_say() {
    let mut meanings: BTreeMap<String, u32> = BTreeMap::new();
    for (name, payload) in examples("api.github.com") {
        let action = payload["action"].as_str().unwrap_or("-").to_owned();
        let payload = as_sent_to_an_app(payload).to_string();
        let meaning = word(event(&name, "d-1", payload.as_bytes()).unwrap());
        if meaning != "nothing" {
            *meanings
                .entry(format!("{name} {action}: {meaning}"))
                .or_default() += 1;
        }
    }
    let table: Vec<String> = meanings
        .iter()
        .map(|(line, n)| format!("{n} {line}"))
        .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    1 check_run requested_action: check action
    2 check_run rerequested: check rerequested, one
    2 check_suite rerequested: check rerequested, all
    2 installation created: Created([RepoId(186853002)])
    2 installation deleted: Deleted
    1 installation new_permissions_accepted: PermissionsAccepted
    1 installation suspend: Suspended
    1 installation unsuspend: Unsuspended
    2 installation_repositories added: Added([RepoId(186853007)])
    1 installation_repositories removed: Removed([RepoId(1296269)])
    2 pull_request closed: pull Closed
    3 pull_request converted_to_draft: pull Drafted
    2 pull_request labeled: pull Labelled("bug")
    4 pull_request opened: pull Opened
    3 pull_request ready_for_review: pull Readied
    2 pull_request reopened: pull Reopened
    1 pull_request synchronize: pull Pushed
    2 pull_request unlabeled: pull Unlabelled("bug")
    2 push -: push
    2 repository edited: repository Edited
    2 repository privatized: repository Edited
    3 repository publicized: repository Edited
    1 repository renamed: repository Renamed
    3 repository transferred: repository Transferred
    1 workflow_job completed: job ended: failure
    1 workflow_job completed: job ended: success
    3 workflow_run completed: attempt 1 ended
    "#);
}

#[test]
fn only_untouched_examples_are_signed() {
    let secret: SecretString = "of the conformance test".into();
    for (name, payload) in examples("api.github.com") {
        let mut body = payload.to_string().into_bytes();
        let header = sign(&secret, &body).unwrap();
        assert!(
            is_signed(std::slice::from_ref(&secret), &header, &body),
            "{name}"
        );
        let middle = body.len() / 2;
        body[middle] ^= 1;
        assert!(
            !is_signed(std::slice::from_ref(&secret), &header, &body),
            "{name}"
        );
    }
}

/// Every path of a value with the kind of what stands there; what is null may be
/// anything.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                shape(field, &format!("{path}.{name}"), into);
            }
        }
        Value::Array(items) => {
            for item in items {
                shape(item, &format!("{path}[]"), into);
            }
        }
        Value::Null => {}
        Value::Bool(_) => drop(into.insert(format!("{path}: boolean"))),
        Value::Number(_) => drop(into.insert(format!("{path}: number"))),
        Value::String(_) => drop(into.insert(format!("{path}: string"))),
    }
}

#[tokio::test]
async fn fake_forge_sends_only_what_the_real_one_sends() {
    let clock = Arc::new(ManualClock::at(1_795_251_661));
    let github = FakeGithub::start(clock).await;
    let repo = github.add_repo("acme/shop", &[Edit::Write("a.py", "")]);
    let edits = [Edit::Write("a.py", "x = 2\n")];
    let pull = github.open_fork_pull(repo, ("ann", "topic"), &edits).await;
    let label = |pull: &mut super::support::github::model::Pull| {
        pull.labels.insert("trimtab:full".to_owned());
    };
    github
        .change_pull(repo, pull, ("ann", "labeled"), label)
        .await;
    github
        .change_pull(repo, pull, ("ann", "edited"), |_| ())
        .await;
    github.comment(repo, pull, "ann", "/trimtab help").await;
    github.review(repo, pull, "ann", "/trimtab help").await;
    github.push_branch(repo, ("ann", "main"), &edits).await;
    let run = github.start_run(repo, pull);
    github
        .finish_run(repo, run, &[Ran("test", "success", 60)])
        .await;
    github.announce_installation(repo, "created").await;

    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, payload) in examples("api.github.com") {
        shape(&payload, "", real.entry(name).or_default());
    }
    let mut invented = BTreeSet::new();
    for delivery in &github.state().deliveries {
        let mut ours = BTreeSet::new();
        shape(&delivery.payload, "", &mut ours);
        let of_event = ours.difference(&real[&delivery.event]);
        invented.extend(of_event.map(|path| format!("{}{path}", delivery.event)));
    }
    let invented: Vec<String> = invented.into_iter().collect();
    assert_eq!(invented, DOCUMENTED);
    github.finish();
}
