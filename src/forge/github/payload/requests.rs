//! What Trimtab sends to GitHub's interfaces.
//!
//! One function a body, each named after what it says; the documented shape stands
//! here and nowhere else. A field that would be empty is left out.

use serde_json::{Map, Value, json};

use crate::engine::ids::{ObjectId, RepoId};
use crate::forge::github::Purpose;
use crate::forge::proposals::{Description, NewFile, NewPull};
use crate::forge::{Annotation, AnnotationLevel, CheckRun, CheckStatus, Conclusion, Reaction};

/// A token for one repository; without one, for the list of repositories.
pub(crate) fn scope(purpose: Option<Purpose>, repo: Option<RepoId>) -> Value {
    let asked: &[(&str, &str)] = match purpose {
        Some(Purpose::Read) => &[("pull_requests", "read")],
        Some(Purpose::Comment) => &[("pull_requests", "write")],
        Some(Purpose::Check) => &[("checks", "write")],
        Some(Purpose::Clone) => &[("contents", "read")],
        Some(Purpose::Run) => &[("actions", "read")],
        Some(Purpose::Propose) => &[("contents", "write"), ("workflows", "write")],
        Some(Purpose::Settings) => &[("administration", "read")],
        None => &[],
    };
    let mut permissions = Map::new();
    for (permission, level) in [("metadata", "read")].iter().chain(asked) {
        permissions.insert((*permission).to_owned(), (*level).into());
    }
    let mut scope = Map::new();
    scope.insert("permissions".to_owned(), permissions.into());
    if let Some(RepoId(id)) = repo {
        scope.insert("repository_ids".to_owned(), json!([id]));
    }
    scope.into()
}

/// The text of a comment.
pub(crate) fn comment(body: &str) -> Value {
    json!({ "body": body })
}

/// A reaction to a comment.
pub(crate) fn reaction(reaction: Reaction) -> Value {
    let content = match reaction {
        Reaction::Eyes => "eyes",
        Reaction::ThumbsUp => "+1",
        Reaction::ThumbsDown => "-1",
        Reaction::Confused => "confused",
    };
    json!({ "content": content })
}

/// A reaction to anything that has a node id.
pub(crate) fn add_reaction(node: &str, reaction: Reaction) -> Value {
    let content = match reaction {
        Reaction::Eyes => "EYES",
        Reaction::ThumbsUp => "THUMBS_UP",
        Reaction::ThumbsDown => "THUMBS_DOWN",
        Reaction::Confused => "CONFUSED",
    };
    json!({
        "query": "mutation($subject: ID!, $content: ReactionContent!) { \
                  addReaction(input: {subjectId: $subject, content: $content}) \
                  { reaction { content } } }",
        "variables": {"subject": node, "content": content},
    })
}

/// A tree with the files of another one, but for some.
pub(crate) fn tree(base: ObjectId, files: &[NewFile]) -> Value {
    let entry = |file: &NewFile| {
        let mode = file.mode.as_str();
        json!({"path": file.path, "mode": mode, "type": "blob", "content": file.text})
    };
    let entries: Vec<Value> = files.iter().map(entry).collect();
    json!({"base_tree": base.to_string(), "tree": entries})
}

/// A commit; without an author, so that it is the app's and GitHub signs it.
pub(crate) fn commit(message: &str, tree: ObjectId, parents: &[ObjectId]) -> Value {
    let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
    json!({"message": message, "tree": tree.to_string(), "parents": parents})
}

/// A branch that does not exist yet.
pub(crate) fn new_branch(branch: &str, at: ObjectId) -> Value {
    json!({"ref": format!("refs/heads/{branch}"), "sha": at.to_string()})
}

/// A branch that moves forward.
pub(crate) fn moved_branch(to: ObjectId) -> Value {
    json!({"sha": to.to_string(), "force": false})
}

/// A pull inside one repository.
pub(crate) fn new_pull(pull: &NewPull) -> Value {
    json!({
        "title": pull.about.title,
        "body": pull.about.body,
        "head": pull.head,
        "base": pull.base,
    })
}

/// Title and description of a pull.
pub(crate) fn description(about: &Description) -> Value {
    json!({"title": about.title, "body": about.body})
}

/// A check run, new or changed.
pub(crate) fn check(check: &CheckRun) -> Value {
    let (status, conclusion) = match check.status {
        CheckStatus::Queued => ("queued", None),
        CheckStatus::InProgress => ("in_progress", None),
        CheckStatus::Completed(Conclusion::Success) => ("completed", Some("success")),
        CheckStatus::Completed(Conclusion::Neutral) => ("completed", Some("neutral")),
        CheckStatus::Completed(Conclusion::Failure) => ("completed", Some("failure")),
    };
    let annotations: Vec<Value> = check.annotations.iter().map(annotation).collect();
    let mut output = Map::new();
    output.insert("title".to_owned(), check.title.as_str().into());
    output.insert("summary".to_owned(), check.summary.as_str().into());
    insert(&mut output, "text", check.text.as_deref());
    if !annotations.is_empty() {
        output.insert("annotations".to_owned(), annotations.into());
    }
    let mut body = Map::new();
    body.insert("name".to_owned(), check.name.as_str().into());
    body.insert("head_sha".to_owned(), check.head.to_string().into());
    body.insert("status".to_owned(), status.into());
    insert(&mut body, "conclusion", conclusion);
    insert(&mut body, "external_id", check.external_id.as_deref());
    body.insert("output".to_owned(), output.into());
    body.into()
}

fn annotation(annotation: &Annotation) -> Value {
    let level = match annotation.level {
        AnnotationLevel::Notice => "notice",
        AnnotationLevel::Warning => "warning",
        AnnotationLevel::Failure => "failure",
    };
    json!({
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": annotation.end_line,
        "annotation_level": level,
        "message": annotation.message,
    })
}

fn insert(object: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}
