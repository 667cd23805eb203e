//! The endpoints of check runs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::http::{Incoming, Reply};
use super::json as shapes;
use super::model::{APP, Check, Level, Model};
use super::routes::{Answer, guard, invalid, not_found, page};

const READ: &[(&str, Level)] = &[("checks", Level::Read)];
const WRITE: &[(&str, Level)] = &[("checks", Level::Write)];
const CONCLUSIONS: &[&str] = &[
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
];

pub(super) fn list(model: &Model, request: &Incoming, repo: u64, sha: &str) -> Answer {
    guard(model, request, repo, READ)?;
    let is = |name: &str, value: &str| request.query.get(name).is_none_or(|want| want == value);
    let mut names = BTreeSet::new();
    let latest = request
        .query
        .get("filter")
        .is_none_or(|filter| filter == "latest");
    let items: Vec<Value> = model
        .checks
        .values()
        .rev()
        .filter(|check| check.repo == repo && check.head.to_string() == sha)
        .filter(|check| is("check_name", &check.name) && is("app_id", &check.app.to_string()))
        .filter(|check| names.insert((check.app, check.name.clone())) || !latest)
        .map(shapes::check)
        .collect();
    let (page, headers) = page(request, &items);
    Ok(Reply {
        status: 200,
        headers,
        body: json!({"total_count": items.len(), "check_runs": page}),
    })
}

pub(super) fn create(model: &mut Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, WRITE)?;
    let field = |name: &str| request.body[name].as_str().filter(|text| !text.is_empty());
    let name =
        field("name").ok_or_else(|| invalid("Invalid request. \"name\" wasn't supplied."))?;
    let sha = field("head_sha").ok_or_else(|| invalid("\"head_sha\" wasn't supplied."))?;
    if !model.repos[&repo].git.has(sha) {
        return Err(invalid(&format!("No commit found for SHA: {sha}")));
    }
    let check = Check {
        id: model.fresh_id(),
        repo,
        name: name.to_owned(),
        head: sha.parse().unwrap(),
        app: APP,
        status: "queued".to_owned(),
        conclusion: None,
        external_id: String::new(),
        title: String::new(),
        summary: String::new(),
        text: None,
        annotations: Vec::new(),
    };
    let check = changed(check, &request.body)?;
    let answer = shapes::check(&check);
    model.checks.insert(check.id, check);
    Ok(Reply::new(201, answer))
}

pub(super) fn update(model: &mut Model, request: &Incoming, repo: u64, id: &str) -> Answer {
    guard(model, request, repo, WRITE)?;
    let found = id.parse().ok().and_then(|id: u64| model.checks.get(&id));
    let check = found
        .filter(|check| check.repo == repo)
        .ok_or_else(not_found)?;
    if check.app != APP {
        return Err(Reply::fault(
            403,
            "Invalid app_id `4711` - check run can only be modified by the GitHub App that created it.",
        ));
    }
    let check = changed(check.clone(), &request.body)?;
    let answer = shapes::check(&check);
    model.checks.insert(check.id, check);
    Ok(Reply::new(200, answer))
}

fn changed(mut check: Check, body: &Value) -> Result<Check, Reply> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    check.name = text("name").unwrap_or(check.name);
    check.external_id = text("external_id").unwrap_or(check.external_id);
    if let Some(status) = text("status") {
        if !["queued", "in_progress", "completed"].contains(&status.as_str()) {
            return Err(invalid("Validation Failed: status"));
        }
        check.status = status;
    }
    check.conclusion = text("conclusion");
    if check.conclusion.is_some() {
        "completed".clone_into(&mut check.status);
    }
    let known = |conclusion: &String| CONCLUSIONS.contains(&conclusion.as_str());
    if check.status == "completed" && !check.conclusion.as_ref().is_some_and(known) {
        return Err(invalid("Validation Failed: conclusion"));
    }
    if body["output"].is_object() {
        describe(&mut check, &body["output"])?;
    }
    Ok(check)
}

fn describe(check: &mut Check, output: &Value) -> Result<(), Reply> {
    let text = |name: &str| output[name].as_str().map(str::to_owned);
    let required = |name: &str| {
        let missing = || invalid(&format!("Invalid request. \"{name}\" wasn't supplied."));
        text(name).ok_or_else(missing)
    };
    check.title = required("title")?;
    check.summary = required("summary")?;
    // Not documented; keeping it is the worse for us.
    check.text = text("text").or(check.text.take());
    let long = |text: &str| text.chars().count() > 65_535;
    if long(&check.summary) || check.text.as_deref().is_some_and(long) {
        return Err(invalid("Only 65535 characters are allowed"));
    }
    let empty = Vec::new();
    let annotations = output["annotations"].as_array().unwrap_or(&empty);
    if annotations.len() > 50 {
        return Err(invalid("No more than 50 annotations can be added"));
    }
    for annotation in annotations {
        for name in [
            "path",
            "start_line",
            "end_line",
            "annotation_level",
            "message",
        ] {
            if annotation[name].is_null() {
                return Err(invalid(&format!("An annotation lacks `{name}`")));
            }
        }
    }
    // They are added, never replaced.
    check.annotations.extend(annotations.iter().cloned());
    Ok(())
}
