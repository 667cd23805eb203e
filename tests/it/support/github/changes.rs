//! The endpoints that change a repository: objects, branches and pulls.
//!
//! Objects are written into the real repository; a branch is only moved where the real
//! forge would move it, and a commit that touches a workflow needs the permission for it.

use serde_json::{Value, json};
use trimtab::engine::ids::ObjectId;

use super::http::{Incoming, Reply};
use super::json as shapes;
use super::model::{BOT, Level, Model, Pull};
use super::routes::{Answer, allow, guard, invalid, not_found};

const CONTENTS: &[(&str, Level)] = &[("contents", Level::Write)];
const READ: &[(&str, Level)] = &[("contents", Level::Read)];
const WORKFLOWS: &[(&str, Level)] = &[("workflows", Level::Write)];
const PULLS: &[(&str, Level)] = &[("pull_requests", Level::Write)];

/// The most characters of a pull's description.
const BODY: usize = 65_536;

pub(super) fn reference(model: &Model, request: &Incoming, repo: u64, branch: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let git = &model.repos[&repo].git;
    let tip = git.find(&format!("refs/heads/{branch}"));
    Ok(Reply::new(200, pointed(branch, tip.ok_or_else(not_found)?)))
}

fn pointed(branch: &str, at: ObjectId) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"),
        "object": {"type": "commit", "sha": at.to_string()},
    })
}

pub(super) fn commit(model: &Model, request: &Incoming, repo: u64, sha: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let git = &model.repos[&repo].git;
    let tree = git.find(&format!("{sha}^{{tree}}")).ok_or_else(not_found)?;
    Ok(Reply::new(
        200,
        json!({"sha": sha, "tree": {"sha": tree.to_string()}}),
    ))
}

pub(super) fn new_tree(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let git = &model.repos[&repo].git;
    let base = text(&request.body["base_tree"])?;
    if git.kind(base).as_deref() != Some("tree") {
        return Err(invalid("base_tree is not a valid tree oid"));
    }
    let entries = request.body["tree"].as_array().into_iter().flatten();
    let mut files = Vec::new();
    for entry in entries {
        if entry["type"] != "blob" {
            return Err(invalid("tree.type is not supported"));
        }
        let (path, mode) = (text(&entry["path"])?, text(&entry["mode"])?);
        files.push((path, mode, text(&entry["content"])?));
    }
    if files.is_empty() {
        return Err(invalid("Invalid tree info"));
    }
    Ok(made(git.tree(base, &files)))
}

pub(super) fn new_commit(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let git = &model.repos[&repo].git;
    let (message, tree) = (
        text(&request.body["message"])?,
        text(&request.body["tree"])?,
    );
    if git.kind(tree).as_deref() != Some("tree") {
        return Err(invalid("Tree SHA does not exist"));
    }
    let mut parents = Vec::new();
    for parent in request.body["parents"].as_array().into_iter().flatten() {
        let parent = text(parent)?;
        if !git.has(parent) {
            return Err(invalid(
                "Parent SHA does not exist or is not a commit object",
            ));
        }
        parents.push(parent);
    }
    Ok(made(git.commit_tree(
        tree,
        &parents,
        (message, request.now),
    )))
}

fn made(id: ObjectId) -> Reply {
    Reply::new(201, json!({"sha": id.to_string()}))
}

pub(super) fn new_reference(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let git = &model.repos[&repo].git;
    let name = text(&request.body["ref"])?;
    let branch = name.strip_prefix("refs/heads/");
    let branch = branch.ok_or_else(|| invalid("Reference name must start with 'refs/'"))?;
    let to = target(model, request, repo)?;
    if git.find(name).is_some() {
        return Err(invalid("Reference already exists"));
    }
    git.branch(branch, to);
    Ok(Reply::new(201, pointed(branch, to)))
}

pub(super) fn move_reference(
    model: &mut Model,
    request: &Incoming,
    repo: u64,
    branch: &str,
) -> Answer {
    guard(model, request, repo, CONTENTS)?;
    let to = target(model, request, repo)?;
    let of = model.repos.get_mut(&repo).unwrap();
    let from = of.git.find(&format!("refs/heads/{branch}"));
    let from = from.ok_or_else(|| invalid("Reference does not exist"))?;
    assert_eq!(request.body["force"], false, "the bot never forces");
    if !of.git.leads_to(from, to) {
        return Err(invalid("Update is not a fast forward"));
    }
    of.git.branch(branch, to);
    of.follow(branch);
    Ok(Reply::new(200, pointed(branch, to)))
}

/// The commit that a branch is to name. One that touches a workflow is let in only with
/// the permission for that.
fn target(model: &Model, request: &Incoming, repo: u64) -> Result<ObjectId, Reply> {
    let of = &model.repos[&repo];
    let sha = text(&request.body["sha"])?;
    if !of.git.has(sha) {
        return Err(invalid("Object does not exist"));
    }
    let to: ObjectId = sha.parse().unwrap();
    let base = of.git.tip(&of.default_branch);
    if of.git.differs(base, to, ".github/workflows") {
        allow(model, &request.token, request.now, repo, WORKFLOWS)?;
    }
    Ok(to)
}

pub(super) fn open(model: &mut Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, PULLS)?;
    let body = &request.body;
    let (head, base) = (text(&body["head"])?, text(&body["base"])?);
    let of = &model.repos[&repo];
    let tips = [head, base].map(|branch| of.git.find(&format!("refs/heads/{branch}")));
    let [Some(head_at), Some(base_at)] = tips else {
        return Err(invalid("Validation Failed"));
    };
    let owner = &model.users[&of.owner].login;
    let is_it = |it: &&Pull| it.open && it.head_ref == head && it.base_ref == base;
    if of.pulls.values().any(|it| is_it(&it)) {
        let message = format!("A pull request already exists for {owner}:{head}.");
        return Err(invalid(&message));
    }
    if of.git.leads_to(head_at, base_at) {
        let message = format!("No commits between {base} and {head}");
        return Err(invalid(&message));
    }
    let number = of.pulls.keys().max().map_or(1, |last| last + 1);
    let pull = Pull {
        number,
        title: text(&body["title"])?.to_owned(),
        body: described(body)?,
        author: BOT,
        open: true,
        merged: false,
        draft: false,
        labels: [].into(),
        head: head_at,
        head_ref: head.to_owned(),
        head_repo: Some(repo),
        base: base_at,
        base_ref: base.to_owned(),
    };
    of.git.pull_refs(number, head_at, base_at);
    let of = model.repos.get_mut(&repo).unwrap();
    of.pulls.insert(number, pull);
    Ok(Reply::new(201, shown(model, repo, number)))
}

pub(super) fn describe(model: &mut Model, request: &Incoming, repo: u64, number: &str) -> Answer {
    guard(model, request, repo, PULLS)?;
    let number: u64 = number.parse().map_err(|_fault| not_found())?;
    let (title, body) = (text(&request.body["title"])?, described(&request.body)?);
    let of = model.repos.get_mut(&repo).unwrap();
    let pull = of.pulls.get_mut(&number).ok_or_else(not_found)?;
    title.clone_into(&mut pull.title);
    pull.body = body;
    Ok(Reply::new(200, shown(model, repo, number)))
}

fn described(body: &Value) -> Result<String, Reply> {
    let body = text(&body["body"])?;
    if body.chars().count() > BODY {
        return Err(invalid("body is too long (maximum is 65536 characters)"));
    }
    Ok(body.to_owned())
}

fn shown(model: &Model, repo: u64, number: u64) -> Value {
    let of = &model.repos[&repo];
    shapes::pull(model, of, &of.pulls[&number])
}

fn text(value: &Value) -> Result<&str, Reply> {
    value.as_str().ok_or_else(|| invalid("Invalid request."))
}
