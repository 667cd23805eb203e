//! What the forge says of the app, its installations, and the rules of a repository.
//!
//! All of it follows from state: what the app's settings ask for, what an installation
//! granted, which rules hold, and what lies in git.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::http::{Incoming, Reply};
use super::model::{APP, Level, Model, SLUG};
use super::routes::{self, Answer, guard, not_found};
use super::{json as shapes, manifest};

const CONTENTS: &[(&str, Level)] = &[("contents", Level::Read)];

/// The app itself.
pub(super) fn app(request: &Incoming) -> Answer {
    routes::app(request)?;
    Ok(Reply::new(
        200,
        json!({
            "id": APP,
            "slug": SLUG,
            "permissions": shapes::permissions(&manifest::permissions()),
            "events": manifest::events(),
            "installations_count": 1,
        }),
    ))
}

/// The installation that reaches a repository.
pub(super) fn installation(model: &Model, request: &Incoming, repo: u64) -> Answer {
    routes::app(request)?;
    let found = model.installation_of(repo).ok_or_else(not_found)?;
    let mut events = manifest::events();
    events.retain(|name| !found.unheard.contains(name.as_str()));
    Ok(Reply::new(
        200,
        json!({
            "id": found.id,
            "account": shapes::user(&model.users[&found.account]),
            "app_id": APP,
            "app_slug": SLUG,
            "repository_selection": "selected",
            "permissions": shapes::permissions(&found.permissions),
            "events": events,
            "suspended_at": found.suspended.then(|| shapes::time(request.now)),
        }),
    ))
}

/// Which actions may be used.
pub(super) fn actions(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, &[("administration", Level::Read)])?;
    let enabled = model.repos[&repo].actions_enabled;
    Ok(Reply::new(
        200,
        json!({"enabled": enabled, "allowed_actions": "all", "sha_pinning_required": false}),
    ))
}

/// A tree by the name of a branch, or by its own.
pub(super) fn tree(model: &Model, request: &Incoming, repo: u64, name: &str) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let git = &model.repos[&repo].git;
    let flags = if request.query.contains_key("recursive") {
        &["-r", "-t"][..]
    } else {
        &[]
    };
    let listed = git.list(name, flags).ok_or_else(not_found)?;
    let entries = listed.lines().map(|line| {
        let (about, path) = line.split_once('\t').unwrap();
        let words: Vec<&str> = about.split_whitespace().collect();
        let size: Option<u64> = words[3].parse().ok();
        json!({"path": path, "mode": words[0], "type": words[1], "sha": words[2], "size": size})
    });
    let entries: Vec<Value> = entries.collect();
    Ok(Reply::new(
        200,
        json!({"sha": name, "tree": entries, "truncated": false}),
    ))
}

/// The content of a file by its name as an object.
pub(super) fn blob(model: &Model, request: &Incoming, repo: u64, name: &str) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let text = model.repos[&repo].git.text(name);
    // In lines, as the forge gives it.
    let letters = BASE64_STANDARD.encode(&text).into_bytes();
    let lines: Vec<&str> = letters
        .chunks(60)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    Ok(Reply::new(
        200,
        json!({"sha": name, "encoding": "base64", "size": text.len(), "content": lines.join("\n") + "\n"}),
    ))
}
