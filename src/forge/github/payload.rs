//! GitHub's webhook payloads, as far as Trimtab reads them.
//!
//! Each struct holds only the fields that something is decided on; everything else
//! in a payload is skipped, and fields that GitHub adds later do no harm
//! ([events and payloads](https://docs.github.com/en/webhooks/webhook-events-and-payloads)).
//! An event that Trimtab does not act on is `None`; an event that it does act on but
//! whose payload does not have the documented shape is an error.
//!
//! No URL of a payload is read: what is asked next is asked at the configured
//! address.

pub(super) mod answers;
pub(super) mod examined;
pub(super) mod identity;
pub(super) mod requests;
pub(super) mod runs;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::engine::ids::{
    ForgeKind, InstallationId, ObjectId, PullNumber, RepoId, RepoKey, UserId,
};
use crate::forge::event::{
    ForgeEvent, InstallationChange, InstallationEvent, PullChange, RepoEvent, RepoEventKind,
    RepositoryChange,
};
use crate::forge::{Author, AuthorKind, CommentId, CommentPlace, CommentRef};

/// The header that names the event.
pub const EVENT_HEADER: &str = "x-github-event";
/// The header that identifies the delivery; a redelivery carries the same value.
pub const DELIVERY_HEADER: &str = "x-github-delivery";
/// The header with the number of the app that the delivery is for.
pub const TARGET_HEADER: &str = "x-github-hook-installation-target-id";

/// The payload does not have the shape that GitHub documents.
#[derive(Debug, thiserror::Error)]
#[error("the payload of `{event}` is malformed")]
pub struct MalformedPayload {
    /// The event's name, bounded in length.
    pub event: String,
    /// Where it stops making sense.
    #[source]
    pub source: serde_json::Error,
}

/// Reads the delivery of an event; `None` when there is nothing to do about it.
///
/// `name` and `delivery` are the values of [`EVENT_HEADER`] and [`DELIVERY_HEADER`].
/// A payload without an installation did not come to an app and is `None`.
pub fn event(
    name: &str,
    delivery: &str,
    body: &[u8],
) -> Result<Option<ForgeEvent>, MalformedPayload> {
    read(name, delivery, body).map_err(|source| MalformedPayload {
        event: name.chars().take(64).collect(),
        source,
    })
}

fn read(name: &str, delivery: &str, body: &[u8]) -> serde_json::Result<Option<ForgeEvent>> {
    let head: Head = serde_json::from_slice(body)?;
    let Some(installation) = head.installation.as_ref().map(|it| InstallationId(it.id)) else {
        return Ok(None);
    };
    let action = head.action.as_deref().unwrap_or_default();
    let change = match name {
        "installation" => installation_change(action, body)?,
        "installation_repositories" => repositories_change(action, body)?,
        _ => return read_repo(name, delivery, &head, installation, body),
    };
    Ok(change.map(|change| {
        ForgeEvent::Installation(InstallationEvent {
            delivery: delivery.to_owned(),
            installation,
            change,
        })
    }))
}

fn read_repo(
    name: &str,
    delivery: &str,
    head: &Head,
    installation: InstallationId,
    body: &[u8],
) -> serde_json::Result<Option<ForgeEvent>> {
    let action = head.action.as_deref().unwrap_or_default();
    let kind = match name {
        "pull_request" => pull(action, body)?,
        "issue_comment" => issue_comment(action, body)?,
        "pull_request_review" => review(action, body)?,
        "check_run" => check_run(action, body)?,
        "check_suite" => check_suite(action, body)?,
        "push" => push(body)?,
        "workflow_run" => workflow_run(action, body)?,
        "workflow_job" => workflow_job(action, body)?,
        "repository" => repository_change(action).map(RepoEventKind::Repository),
        _ => None,
    };
    let Some(kind) = kind else { return Ok(None) };
    let Origin { repository, sender } = serde_json::from_slice(body)?;
    Ok(Some(ForgeEvent::Repo(RepoEvent {
        delivery: delivery.to_owned(),
        repo: RepoKey {
            forge: ForgeKind::Github,
            installation,
            repo: RepoId(repository.id),
        },
        path: repository.full_name,
        default_branch: repository.default_branch,
        sender: sender.into(),
        kind,
    })))
}

/// What every payload may have.
#[derive(Deserialize)]
struct Head {
    action: Option<String>,
    installation: Option<Id>,
}

/// What every payload about a repository has.
#[derive(Deserialize)]
struct Origin {
    repository: Repository,
    sender: Account,
}

#[derive(Deserialize)]
struct Repository {
    id: u64,
    full_name: String,
    default_branch: String,
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub(super) id: u64,
}

/// A user, a bot or an organization.
#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) id: u64,
    pub(super) login: String,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

impl From<Account> for Author {
    fn from(account: Account) -> Self {
        Self {
            id: UserId(account.id),
            login: account.login,
            kind: match account.kind.as_str() {
                "User" => AuthorKind::User,
                "Bot" => AuthorKind::Bot,
                _ => AuthorKind::Other,
            },
        }
    }
}

fn pull(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        pull_request: Pull,
        label: Option<Label>,
        changes: Option<Changes>,
    }
    #[derive(Deserialize)]
    struct Label {
        name: String,
    }
    #[derive(Deserialize)]
    struct Changes {
        base: Option<serde::de::IgnoredAny>,
    }

    let payload: Payload = detail(body)?;
    let label = payload.label.map(|label| label.name);
    let change = match action {
        "opened" => PullChange::Opened,
        "reopened" => PullChange::Reopened,
        "synchronize" => PullChange::Pushed,
        "ready_for_review" => PullChange::Readied,
        "converted_to_draft" => PullChange::Drafted,
        "edited" if payload.changes.is_some_and(|it| it.base.is_some()) => PullChange::Retargeted,
        "edited" => PullChange::Edited,
        // A label that was deleted everywhere is no longer named.
        "labeled" => PullChange::Labelled(label.unwrap_or_default()),
        "unlabeled" => PullChange::Unlabelled(label.unwrap_or_default()),
        "closed" if payload.pull_request.merged == Some(true) => PullChange::Merged,
        "closed" => PullChange::Closed,
        _ => return Ok(None),
    };
    Ok(Some(RepoEventKind::Pull {
        number: PullNumber(payload.pull_request.number),
        head: payload.pull_request.head.sha,
        change,
    }))
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: Commit,
    merged: Option<bool>,
}

#[derive(Deserialize)]
struct Commit {
    sha: ObjectId,
}

#[derive(Deserialize)]
struct Sender {
    sender: Account,
}

fn issue_comment(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        issue: Issue,
        comment: Written,
    }
    #[derive(Deserialize)]
    struct Issue {
        number: u64,
        pull_request: Option<serde::de::IgnoredAny>,
    }

    if action != "created" {
        return Ok(None);
    }
    let Payload { issue, comment } = detail(body)?;
    if issue.pull_request.is_none() {
        return Ok(None);
    }
    let at = CommentRef {
        pull: PullNumber(issue.number),
        id: CommentId(comment.id),
        place: CommentPlace::Conversation,
    };
    Ok(written(at, comment, &detail(body)?))
}

fn review(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        pull_request: Pull,
        review: Written,
    }

    if action != "submitted" {
        return Ok(None);
    }
    let payload: Payload = detail(body)?;
    let at = CommentRef {
        pull: PullNumber(payload.pull_request.number),
        id: CommentId(payload.review.id),
        place: CommentPlace::Review,
    };
    Ok(written(at, payload.review, &detail(body)?))
}

/// A comment or a review.
#[derive(Deserialize)]
struct Written {
    id: u64,
    /// Empty in a review that only approves.
    body: Option<String>,
    /// Nobody, when the account was deleted.
    user: Option<Account>,
    /// The head that a review looked at.
    commit_id: Option<ObjectId>,
}

/// Only what a person wrote, sent by that person, can hold a command.
fn written(at: CommentRef, text: Written, by: &Sender) -> Option<RepoEventKind> {
    let author = Author::from(text.user?);
    let own = author.id == UserId(by.sender.id);
    let body = text.body.filter(|body| !body.is_empty())?;
    (own && author.kind == AuthorKind::User).then_some(RepoEventKind::Comment {
        at,
        author,
        body,
        head: text.commit_id,
    })
}

fn check_run(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        check_run: Check,
        requested_action: Option<Requested>,
    }
    #[derive(Deserialize)]
    struct Check {
        name: String,
        head_sha: ObjectId,
    }
    #[derive(Deserialize)]
    struct Requested {
        identifier: String,
    }

    let payload: Payload = detail(body)?;
    let Check { name, head_sha } = payload.check_run;
    Ok(match (action, payload.requested_action) {
        ("rerequested", _) => Some(RepoEventKind::CheckRerequested {
            head: head_sha,
            name: Some(name),
        }),
        ("requested_action", Some(Requested { identifier })) => Some(RepoEventKind::CheckAction {
            head: head_sha,
            name,
            action: identifier,
        }),
        _ => None,
    })
}

fn check_suite(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        check_suite: Suite,
    }
    #[derive(Deserialize)]
    struct Suite {
        head_sha: ObjectId,
    }

    if action != "rerequested" {
        return Ok(None);
    }
    let payload: Payload = detail(body)?;
    Ok(Some(RepoEventKind::CheckRerequested {
        head: payload.check_suite.head_sha,
        name: None,
    }))
}

fn workflow_run(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        workflow_run: Ended,
    }
    #[derive(Deserialize)]
    struct Ended {
        id: u64,
        run_attempt: Option<u32>,
    }

    if action != "completed" {
        return Ok(None);
    }
    let Ended { id, run_attempt } = detail::<Payload>(body)?.workflow_run;
    Ok(Some(RepoEventKind::RunEnded {
        run: id,
        attempt: run_attempt.unwrap_or(1),
    }))
}

/// A job that has not ended says nothing that its end does not say too.
fn workflow_job(action: &str, body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        workflow_job: runs::JobShape,
    }

    if action != "completed" {
        return Ok(None);
    }
    let job = detail::<Payload>(body)?.workflow_job.ended();
    Ok(job.map(|job| RepoEventKind::JobEnded(Box::new(job))))
}

fn push(body: &[u8]) -> serde_json::Result<Option<RepoEventKind>> {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(rename = "ref")]
        name: String,
        before: ObjectId,
        after: ObjectId,
    }

    let payload: Payload = detail(body)?;
    Ok(payload
        .name
        .strip_prefix("refs/heads/")
        .map(|branch| RepoEventKind::Push {
            branch: branch.to_owned(),
            before: existing(payload.before),
            after: existing(payload.after),
        }))
}

/// GitHub writes all zeros for "no commit".
fn existing(id: ObjectId) -> Option<ObjectId> {
    id.as_bytes().iter().any(|&byte| byte != 0).then_some(id)
}

fn repository_change(action: &str) -> Option<RepositoryChange> {
    match action {
        "renamed" => Some(RepositoryChange::Renamed),
        "transferred" => Some(RepositoryChange::Transferred),
        "deleted" => Some(RepositoryChange::Deleted),
        "archived" => Some(RepositoryChange::Archived),
        "unarchived" => Some(RepositoryChange::Unarchived),
        "edited" | "publicized" | "privatized" => Some(RepositoryChange::Edited),
        _ => None,
    }
}

fn installation_change(
    action: &str,
    body: &[u8],
) -> serde_json::Result<Option<InstallationChange>> {
    #[derive(Deserialize)]
    struct Payload {
        #[serde(default)]
        repositories: Vec<Id>,
    }

    Ok(match action {
        "created" => {
            let payload: Payload = detail(body)?;
            Some(InstallationChange::Created(ids(&payload.repositories)))
        }
        "deleted" => Some(InstallationChange::Deleted),
        "suspend" => Some(InstallationChange::Suspended),
        "unsuspend" => Some(InstallationChange::Unsuspended),
        "new_permissions_accepted" => Some(InstallationChange::PermissionsAccepted),
        _ => None,
    })
}

fn repositories_change(
    action: &str,
    body: &[u8],
) -> serde_json::Result<Option<InstallationChange>> {
    #[derive(Deserialize)]
    struct Payload {
        repositories_added: Vec<Id>,
        repositories_removed: Vec<Id>,
    }

    let payload: Payload = detail(body)?;
    Ok(match action {
        "added" => Some(InstallationChange::Added(ids(&payload.repositories_added))),
        "removed" => Some(InstallationChange::Removed(ids(
            &payload.repositories_removed
        ))),
        _ => None,
    })
}

fn ids(list: &[Id]) -> Vec<RepoId> {
    list.iter().map(|it| RepoId(it.id)).collect()
}

fn detail<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body)
}

#[cfg(test)]
mod tests;
