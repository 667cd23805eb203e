//! Payloads of our own writing, each with the fields that GitHub documents.

use serde_json::{Value, json};

use super::*;

const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
const ZERO: &str = "0000000000000000000000000000000000000000";

/// A payload about a repository, with the given fields added.
fn payload(fields: Value) -> Value {
    let mut payload = json!({
        "installation": {"id": 7, "node_id": "MDIz"},
        "repository": {"id": 42, "full_name": "acme/shop", "default_branch": "main"},
        "sender": {"id": 5, "login": "ann", "type": "User"},
    });
    let Value::Object(fields) = fields else {
        panic!("fields are an object")
    };
    payload.as_object_mut().unwrap().extend(fields);
    payload
}

fn parse(name: &str, payload: &Value) -> Option<ForgeEvent> {
    event(name, "d-1", payload.to_string().as_bytes()).unwrap()
}

fn check(name: &str, fields: Value, expected: impl Into<Option<RepoEventKind>>) {
    let kind = parse(name, &payload(fields)).map(|event| match event {
        ForgeEvent::Repo(event) => event.kind,
        ForgeEvent::Installation(event) => panic!("{event:?}"),
    });
    assert_eq!(kind, expected.into(), "{name}");
}

fn check_pull(fields: Value, expected: Option<PullChange>) {
    let mut fields = fields;
    let pull = json!({"number": 3, "head": {"sha": HEAD}, "merged": fields["merged"]});
    fields["pull_request"] = pull;
    let expected = expected.map(|change| RepoEventKind::Pull {
        number: PullNumber(3),
        head: HEAD.parse().unwrap(),
        change,
    });
    check("pull_request", fields, expected);
}

fn ann() -> Author {
    Author {
        id: UserId(5),
        login: "ann".to_owned(),
        kind: AuthorKind::User,
    }
}

#[test]
fn envelope_names_forge_installation_and_repository() {
    let fields = json!({"ref": "refs/heads/main", "before": ZERO, "after": HEAD});
    let event = parse("push", &payload(fields)).unwrap();
    assert_eq!(event.delivery(), "d-1");
    assert_eq!(event.installation(), InstallationId(7));
    let ForgeEvent::Repo(event) = event else {
        panic!("{event:?}")
    };
    assert_eq!(event.repo.to_string(), "github/7/42");
    assert_eq!(
        (event.path.as_str(), event.default_branch.as_str()),
        ("acme/shop", "main")
    );
    assert_eq!(event.sender, ann());
}

#[test]
fn every_way_a_pull_changes_is_told_apart() {
    check_pull(json!({"action": "opened"}), Some(PullChange::Opened));
    check_pull(json!({"action": "reopened"}), Some(PullChange::Reopened));
    check_pull(json!({"action": "synchronize"}), Some(PullChange::Pushed));
    check_pull(
        json!({"action": "ready_for_review"}),
        Some(PullChange::Readied),
    );
    check_pull(
        json!({"action": "converted_to_draft"}),
        Some(PullChange::Drafted),
    );
    check_pull(
        json!({"action": "closed", "merged": true}),
        Some(PullChange::Merged),
    );
    check_pull(
        json!({"action": "closed", "merged": false}),
        Some(PullChange::Closed),
    );
    check_pull(json!({"action": "assigned"}), None);
}

#[test]
fn retargeting_is_told_from_another_title() {
    let base = json!({"action": "edited", "changes": {"base": {"ref": {"from": "main"}}}});
    check_pull(base, Some(PullChange::Retargeted));
    let title = json!({"action": "edited", "changes": {"title": {"from": "old"}}});
    check_pull(title, Some(PullChange::Edited));
}

#[test]
fn labels_are_named() {
    let label = json!({"name": "trimtab:full"});
    check_pull(
        json!({"action": "labeled", "label": label}),
        Some(PullChange::Labelled("trimtab:full".to_owned())),
    );
    check_pull(
        json!({"action": "unlabeled", "label": label}),
        Some(PullChange::Unlabelled("trimtab:full".to_owned())),
    );
}

/// A comment on pull 3, written by user 5; `patch` replaces fields.
fn comment(patch: Value) -> Value {
    let mut fields = json!({
        "action": "created",
        "issue": {"number": 3, "pull_request": {"url": "https://elsewhere.example/"}},
        "comment": {
            "id": 9,
            "body": "/trimtab status",
            "user": {"id": 5, "login": "ann", "type": "User"},
        },
    });
    let Value::Object(patch) = patch else {
        panic!("a patch is an object")
    };
    fields.as_object_mut().unwrap().extend(patch);
    fields
}

#[test]
fn new_comment_of_a_person_may_hold_a_command() {
    let expected = RepoEventKind::Comment {
        at: CommentRef {
            pull: PullNumber(3),
            id: CommentId(9),
            place: CommentPlace::Conversation,
        },
        author: ann(),
        body: "/trimtab status".to_owned(),
        head: None,
    };
    check("issue_comment", comment(json!({})), Some(expected));
}

#[test]
fn edits_bots_issues_and_other_senders_hold_no_command() {
    let bot = json!({"id": 5, "login": "ann[bot]", "type": "Bot"});
    let other = json!({"id": 6, "login": "bob", "type": "User"});
    let by = |user: &Value| json!({"comment": {"id": 9, "body": "/trimtab status", "user": user}});
    for patch in [
        json!({"action": "edited"}),
        json!({"action": "deleted"}),
        json!({"issue": {"number": 3}}),
        json!({"sender": other}),
        by(&bot),
        by(&other),
        by(&Value::Null),
    ] {
        check("issue_comment", comment(patch), None);
    }
}

#[test]
fn submitted_review_brings_its_head() {
    let fields = |body: Value| {
        json!({
            "action": "submitted",
            "pull_request": {"number": 3, "head": {"sha": HEAD}},
            "review": {
                "id": 8, "body": body, "commit_id": HEAD,
                "user": {"id": 5, "login": "ann", "type": "User"},
            },
        })
    };
    let expected = RepoEventKind::Comment {
        at: CommentRef {
            pull: PullNumber(3),
            id: CommentId(8),
            place: CommentPlace::Review,
        },
        author: ann(),
        body: "/trimtab run all".to_owned(),
        head: Some(HEAD.parse().unwrap()),
    };
    check(
        "pull_request_review",
        fields(json!("/trimtab run all")),
        Some(expected),
    );
    check("pull_request_review", fields(Value::Null), None);
}

#[test]
fn checks_are_asked_for_again_one_or_all() {
    let run = json!({"name": "trimtab", "head_sha": HEAD});
    let head: ObjectId = HEAD.parse().unwrap();
    let one = RepoEventKind::CheckRerequested {
        head,
        name: Some("trimtab".to_owned()),
    };
    let all = RepoEventKind::CheckRerequested { head, name: None };
    let button = RepoEventKind::CheckAction {
        head,
        name: "trimtab".to_owned(),
        action: "run-all".to_owned(),
    };
    check(
        "check_run",
        json!({"action": "rerequested", "check_run": run}),
        Some(one),
    );
    check(
        "check_suite",
        json!({"action": "rerequested", "check_suite": {"head_sha": HEAD}}),
        Some(all),
    );
    check(
        "check_run",
        json!({"action": "requested_action", "check_run": run, "requested_action": {"identifier": "run-all"}}),
        Some(button),
    );
    check(
        "check_run",
        json!({"action": "created", "check_run": run}),
        None,
    );
}

#[test]
fn branches_that_begin_and_end_have_one_commit_only() {
    let push = |before: &str, after: &str| json!({"ref": "refs/heads/a/b", "before": before, "after": after});
    let head = Some(HEAD.parse().unwrap());
    let expect = |before, after| {
        Some(RepoEventKind::Push {
            branch: "a/b".to_owned(),
            before,
            after,
        })
    };
    check("push", push(ZERO, HEAD), expect(None, head));
    check("push", push(HEAD, ZERO), expect(head, None));
    check("push", push(HEAD, HEAD), expect(head, head));
    let tag = json!({"ref": "refs/tags/v1", "before": ZERO, "after": HEAD});
    check("push", tag, None);
}

#[test]
fn installations_list_their_repositories() {
    let change = |name: &str, fields: Value| match parse(name, &payload(fields)) {
        Some(ForgeEvent::Installation(event)) => event.change,
        other => panic!("{other:?}"),
    };
    let list = json!([{"id": 1, "full_name": "acme/a"}, {"id": 2, "full_name": "acme/b"}]);
    assert_eq!(
        change(
            "installation",
            json!({"action": "created", "repositories": list})
        ),
        InstallationChange::Created(vec![RepoId(1), RepoId(2)])
    );
    assert_eq!(
        change(
            "installation_repositories",
            json!({"action": "removed", "repositories_added": [], "repositories_removed": list})
        ),
        InstallationChange::Removed(vec![RepoId(1), RepoId(2)])
    );
    assert_eq!(
        change("installation", json!({"action": "deleted"})),
        InstallationChange::Deleted
    );
}

#[test]
fn transferred_repository_is_announced() {
    let expected = RepoEventKind::Repository(RepositoryChange::Transferred);
    check(
        "repository",
        json!({"action": "transferred"}),
        Some(expected),
    );
    check("repository", json!({"action": "created"}), None);
}

#[test]
fn event_that_we_do_not_act_on_is_nothing() {
    assert_eq!(parse("star", &payload(json!({"action": "created"}))), None);
    assert_eq!(parse("ping", &json!({"zen": "Keep it simple."})), None);
}

#[test]
fn malformed_payload_is_an_error_that_names_the_event() {
    let without_head = payload(json!({"action": "opened", "pull_request": {"number": 3}}));
    let not_a_commit = payload(json!({"ref": "refs/heads/a", "before": "x", "after": HEAD}));
    for (name, body) in [
        ("pull_request", without_head.to_string()),
        ("push", not_a_commit.to_string()),
        ("push", String::new()),
        ("star", "{".to_owned()),
        ("star", "[1, 2]".to_owned()),
        ("push", "[".repeat(100_000)),
    ] {
        let fault = event(name, "d-1", body.as_bytes()).unwrap_err();
        assert_eq!(
            fault.to_string(),
            format!("the payload of `{name}` is malformed")
        );
    }
}
