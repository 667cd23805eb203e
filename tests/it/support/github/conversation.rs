//! The endpoints of comments, reviews and reactions.

use serde_json::{Value, json};

use super::http::{Incoming, Reply};
use super::json as shapes;
use super::model::{APP, BOT, Comment, Level, Model};
use super::routes::{Answer, guard, invalid, listed, not_found};

const READ: &[(&str, Level)] = &[("pull_requests", Level::Read), ("issues", Level::Read)];
const WRITE: &[(&str, Level)] = &[("pull_requests", Level::Write), ("issues", Level::Write)];
const REACTIONS: &[&str] = &[
    "+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes",
];

pub(super) fn list(model: &Model, request: &Incoming, repo: u64, number: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let here = |comment: &&Comment| comment.repo == repo && comment.pull.to_string() == number;
    let items: Vec<Value> = model
        .comments
        .values()
        .filter(here)
        .map(|comment| shapes::comment(model, comment))
        .collect();
    Ok(listed(request, &items))
}

pub(super) fn create(model: &mut Model, request: &Incoming, repo: u64, number: &str) -> Answer {
    guard(model, request, repo, WRITE)?;
    let pull: u64 = number.parse().map_err(|_fault| not_found())?;
    model.repos[&repo].pulls.get(&pull).ok_or_else(not_found)?;
    let body = text(request)?;
    let id = model.fresh_id();
    let comment = Comment {
        id,
        repo,
        pull,
        author: BOT,
        body,
        created: request.now,
        updated: request.now,
        edits: 0,
        app: Some(APP),
        reactions: Vec::new(),
        seen: false,
    };
    model.comments.insert(id, comment);
    Ok(Reply::new(
        201,
        shapes::comment(model, &model.comments[&id]),
    ))
}

pub(super) fn read(model: &Model, request: &Incoming, repo: u64, id: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let comment = &model.comments[&known(model, repo, id)?];
    Ok(Reply::new(200, shapes::comment(model, comment)))
}

pub(super) fn edit(model: &mut Model, request: &Incoming, repo: u64, id: &str) -> Answer {
    guard(model, request, repo, WRITE)?;
    let id = known(model, repo, id)?;
    let body = text(request)?;
    let comment = model.comments.get_mut(&id).unwrap();
    if comment.author != BOT {
        return Err(Reply::fault(403, "the bot may not edit what others wrote"));
    }
    comment.body = body;
    comment.updated = request.now;
    comment.edits += 1;
    comment.seen = false;
    Ok(Reply::new(
        200,
        shapes::comment(model, &model.comments[&id]),
    ))
}

pub(super) fn react(model: &mut Model, request: &Incoming, repo: u64, id: &str) -> Answer {
    guard(model, request, repo, WRITE)?;
    let id = known(model, repo, id)?;
    let content = request.body["content"].as_str().unwrap_or_default();
    if !REACTIONS.contains(&content) {
        return Err(invalid("Validation Failed"));
    }
    let reaction = (BOT, content.to_owned());
    let reactions = &mut model.comments.get_mut(&id).unwrap().reactions;
    let status = if reactions.contains(&reaction) {
        200
    } else {
        201
    };
    if status == 201 {
        reactions.push(reaction);
    }
    Ok(Reply::new(status, json!({"id": 1, "content": content})))
}

pub(super) fn review(model: &Model, request: &Incoming, repo: u64, id: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let review = id.parse().ok().and_then(|id: u64| model.reviews.get(&id));
    let review = review
        .filter(|review| review.repo == repo)
        .ok_or_else(not_found)?;
    Ok(Reply::new(200, shapes::review(model, review)))
}

/// The one GraphQL mutation that the bot needs: reviews take no reactions elsewhere.
pub(super) fn mutate(model: &mut Model, request: &Incoming) -> Answer {
    let query = request.body["query"].as_str().unwrap_or_default();
    if !query.contains("addReaction(input: {subjectId: $subject, content: $content})") {
        return Err(Reply::fault(599, "the fake GitHub knows no such query"));
    }
    let node = request.body["variables"]["subject"]
        .as_str()
        .unwrap_or_default();
    let id = node
        .strip_prefix("PRR_")
        .and_then(|id| id.parse().ok())
        .unwrap_or(0);
    let Some(repo) = model.reviews.get(&id).map(|review| review.repo) else {
        let fault = json!({"type": "NOT_FOUND", "message": "Could not resolve to a node"});
        return Ok(Reply::new(200, json!({"data": null, "errors": [fault]})));
    };
    guard(model, request, repo, WRITE)?;
    let content = request.body["variables"]["content"]
        .as_str()
        .unwrap_or_default();
    let reaction = (BOT, content.to_owned());
    let reactions = &mut model.reviews.get_mut(&id).unwrap().reactions;
    if !reactions.contains(&reaction) {
        reactions.push(reaction);
    }
    let data = json!({"addReaction": {"reaction": {"content": content}}});
    Ok(Reply::new(200, json!({"data": data})))
}

fn known(model: &Model, repo: u64, id: &str) -> Result<u64, Reply> {
    let id: u64 = id.parse().map_err(|_fault| not_found())?;
    let found = model
        .comments
        .get(&id)
        .filter(|comment| comment.repo == repo);
    found.map(|comment| comment.id).ok_or_else(not_found)
}

fn text(request: &Incoming) -> Result<String, Reply> {
    let body = request.body["body"]
        .as_str()
        .ok_or_else(|| invalid("Invalid request."))?;
    if body.trim().is_empty() {
        return Err(invalid("Validation Failed: body can't be blank"));
    }
    if body.chars().count() > 65_536 {
        return Err(invalid(
            "Validation Failed: body is too long (maximum is 65536 characters)",
        ));
    }
    Ok(body.to_owned())
}
