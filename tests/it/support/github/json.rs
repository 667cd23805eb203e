//! What the fake GitHub says about its state, in the documented shapes.
//!
//! Fields that no decision rests on are given too, as far as the real forge's
//! examples have them, so that a reader that takes the wrong one shows. Every URL
//! leads nowhere: a bot that follows one of a payload fails.

use serde_json::{Value, json};

use super::model::Level;
use super::model::{
    APP, BOT, Check, Comment, Delivery, Model, Permissions, Pull, Repo, Review, SLUG, User,
};

/// A host that is reserved never to exist (RFC 2606).
const NOWHERE: &str = "https://url-of-a-payload.invalid";

/// Seconds since 1970 as GitHub writes them.
pub(crate) fn time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, in eras of 400 years; see the calendar of Howard Hinnant.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

pub(crate) fn user(user: &User) -> Value {
    json!({
        "login": user.login,
        "id": user.id,
        "node_id": format!("U_{}", user.id),
        "avatar_url": format!("{NOWHERE}/avatars/{}", user.id),
        "gravatar_id": "",
        "url": format!("{NOWHERE}/users/{}", user.login),
        "html_url": format!("{NOWHERE}/{}", user.login),
        "type": user.kind,
        "site_admin": false,
    })
}

pub(crate) fn repo(model: &Model, repo: &Repo) -> Value {
    let path = model.path(repo);
    json!({
        "id": repo.id,
        "node_id": format!("R_{}", repo.id),
        "name": repo.name,
        "full_name": path,
        "private": false,
        "owner": user(&model.users[&repo.owner]),
        "html_url": format!("{NOWHERE}/{path}"),
        "url": format!("{NOWHERE}/repos/{path}"),
        "clone_url": format!("{NOWHERE}/{path}.git"),
        "pulls_url": format!("{NOWHERE}/repos/{path}/pulls{{/number}}"),
        "statuses_url": format!("{NOWHERE}/repos/{path}/statuses/{{sha}}"),
        "description": null,
        "fork": false,
        "archived": repo.archived,
        "disabled": false,
        "default_branch": repo.default_branch,
    })
}

/// A repository in the list of an installation: slimmer than elsewhere.
pub(crate) fn listed_repo(model: &Model, repo: &Repo) -> Value {
    json!({
        "id": repo.id,
        "node_id": format!("R_{}", repo.id),
        "name": repo.name,
        "full_name": model.path(repo),
        "private": false,
    })
}

pub(crate) fn pull(model: &Model, of: &Repo, pull: &Pull) -> Value {
    let path = model.path(of);
    let end = |branch: &str, sha: &str, home: Option<&Repo>| {
        let owner = home.map_or(json!(null), |home| user(&model.users[&home.owner]));
        json!({
            "label": format!("{}:{branch}", owner["login"].as_str().unwrap_or("unknown")),
            "ref": branch,
            "sha": sha,
            "user": owner,
            "repo": home.map(|home| repo(model, home)),
        })
    };
    let labels: Vec<Value> = pull.labels.iter().map(|name| label(name)).collect();
    let head_repo = pull.head_repo.and_then(|id| model.repos.get(&id));
    let closed = (!pull.open).then(|| time(1_700_000_000));
    json!({
        "url": format!("{NOWHERE}/repos/{path}/pulls/{}", pull.number),
        "id": 50_000 + pull.number,
        "node_id": format!("PR_{}", pull.number),
        "html_url": format!("{NOWHERE}/{path}/pull/{}", pull.number),
        "diff_url": format!("{NOWHERE}/{path}/pull/{}.diff", pull.number),
        "number": pull.number,
        "state": if pull.open { "open" } else { "closed" },
        "locked": false,
        "title": pull.title,
        "user": user(&model.users[&pull.author]),
        "body": pull.body,
        "created_at": time(1_700_000_000),
        "updated_at": time(1_700_000_000),
        "closed_at": closed,
        "merged_at": if pull.merged { closed.clone() } else { None },
        "labels": labels,
        "draft": pull.draft,
        "head": end(&pull.head_ref, &pull.head.to_string(), head_repo),
        "base": end(&pull.base_ref, &pull.base.to_string(), Some(of)),
        "author_association": "NONE",
        "merged": pull.merged,
    })
}

pub(crate) fn label(name: &str) -> Value {
    json!({
        "id": 1,
        "node_id": "LA_1",
        "url": format!("{NOWHERE}/labels/1"),
        "name": name,
        "color": "ededed",
        "default": false,
    })
}

pub(crate) fn comment(model: &Model, comment: &Comment) -> Value {
    let path = model.path(&model.repos[&comment.repo]);
    json!({
        "url": format!("{NOWHERE}/repos/{path}/issues/comments/{}", comment.id),
        "html_url": format!("{NOWHERE}/{path}/pull/{}#issuecomment-{}", comment.pull, comment.id),
        "issue_url": format!("{NOWHERE}/repos/{path}/issues/{}", comment.pull),
        "id": comment.id,
        "node_id": format!("IC_{}", comment.id),
        "user": user(&model.users[&comment.author]),
        "created_at": time(comment.created),
        "updated_at": time(comment.updated),
        "author_association": "NONE",
        "body": comment.body,
        "performed_via_github_app": comment.app.map(|id| json!({"id": id, "slug": SLUG})),
    })
}

pub(crate) fn issue(model: &Model, of: &Repo, pull: &Pull) -> Value {
    let path = model.path(of);
    let url = format!("{NOWHERE}/repos/{path}/pulls/{}", pull.number);
    json!({
        "url": format!("{NOWHERE}/repos/{path}/issues/{}", pull.number),
        "id": 60_000 + pull.number,
        "number": pull.number,
        "title": pull.title,
        "user": user(&model.users[&pull.author]),
        "state": if pull.open { "open" } else { "closed" },
        "pull_request": {"url": url},
    })
}

pub(crate) fn review(model: &Model, review: &Review) -> Value {
    json!({
        "id": review.id,
        "node_id": format!("PRR_{}", review.id),
        "user": user(&model.users[&review.author]),
        "body": review.body,
        "commit_id": review.commit.to_string(),
        "submitted_at": time(1_700_000_000),
        "state": "commented",
        "author_association": "NONE",
    })
}

pub(crate) fn check(check: &Check) -> Value {
    json!({
        "id": check.id,
        "node_id": format!("CR_{}", check.id),
        "head_sha": check.head.to_string(),
        "external_id": check.external_id,
        "url": format!("{NOWHERE}/check-runs/{}", check.id),
        "status": check.status,
        "conclusion": check.conclusion,
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{NOWHERE}/check-runs/{}/annotations", check.id),
        },
        "name": check.name,
        "app": {"id": check.app, "slug": SLUG},
        // Empty for heads in a fork, so nobody may rest on it.
        "pull_requests": [],
    })
}

pub(crate) fn delivery(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": time(delivery.at),
        "redelivery": delivery.redelivery,
        "duration": 0.03,
        "status": if delivery.status == 202 { "OK" } else { "Failed" },
        "status_code": delivery.status,
        "event": delivery.event,
        "action": delivery.payload["action"],
        "installation_id": delivery.payload["installation"]["id"],
        "repository_id": delivery.payload["repository"]["id"],
        "throttled_at": null,
    })
}

pub(crate) fn permissions(permissions: &Permissions) -> Value {
    let level = |level: &Level| match level {
        Level::Read => "read",
        Level::Write => "write",
    };
    permissions
        .iter()
        .map(|(name, at)| (name.clone(), Value::from(level(at))))
        .collect()
}

/// The app's own user.
pub(crate) fn bot() -> User {
    User {
        id: BOT,
        login: format!("{SLUG}[bot]"),
        kind: "Bot",
    }
}

/// The part of a payload that says where it comes from.
pub(crate) fn envelope(model: &Model, of: u64, sender: u64) -> Value {
    let installation = model.installation_of(of).map(|it| it.id);
    json!({
        "repository": repo(model, &model.repos[&of]),
        "sender": user(&model.users[&sender]),
        "installation": {"id": installation, "node_id": format!("I_{APP}")},
    })
}

#[test]
fn times_are_written_as_github_writes_them() {
    assert_eq!(time(0), "1970-01-01T00:00:00Z");
    assert_eq!(time(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(time(1_795_251_661), "2026-11-21T09:01:01Z");
}
