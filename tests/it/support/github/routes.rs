//! The endpoints: what each demands, and what it answers from the state.
//!
//! An endpoint that the bot does not use is not here; asking for it fails the
//! scenario. The permissions stand in
//! <https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps>.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::http::{Incoming, Reply};
use super::model::{APP, CLIENT_ID, Installation, Level, Model, Permissions, Token};
use super::{changes, checks, conversation, json as shapes, key, rights, runs};

/// An answer, or a refusal.
pub(super) type Answer = Result<Reply, Reply>;

const READ_PULLS: &[(&str, Level)] = &[("pull_requests", Level::Read)];
const METADATA: &[(&str, Level)] = &[("metadata", Level::Read)];

/// Answers a request.
pub(super) fn answer(model: &mut Model, request: &Incoming) -> Answer {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["app", "installations", id, "access_tokens"]) => mint(model, request, id),
        ("GET", ["app", "installations"]) => installations(model, request),
        ("GET", ["app"]) => rights::app(request),
        ("GET", ["app", "hook", "deliveries"]) => deliveries(model, request),
        ("POST", ["app", "hook", "deliveries", id, "attempts"]) => again(model, request, id),
        ("GET", ["installation", "repositories"]) => repositories(model, request),
        ("POST", ["graphql"]) => conversation::mutate(model, request),
        (method, ["repos", owner, name, rest @ ..]) => {
            let repo = find(model, &format!("{owner}/{name}")).ok_or_else(not_found)?;
            in_repo(model, request, repo, method, rest)
        }
        _ => Err(unmatched()),
    }
}

fn in_repo(
    model: &mut Model,
    request: &Incoming,
    repo: u64,
    method: &str,
    rest: &[&str],
) -> Answer {
    match (method, rest) {
        ("GET", []) => {
            guard(model, request, repo, METADATA)?;
            Ok(Reply::new(200, shapes::repo(model, &model.repos[&repo])))
        }
        ("GET", ["pulls"]) => pulls(model, request, repo),
        ("POST", ["pulls"]) => changes::open(model, request, repo),
        ("PATCH", ["pulls", number]) => changes::describe(model, request, repo, number),
        ("GET", ["git", "ref", "heads", branch @ ..]) => {
            changes::reference(model, request, repo, &branch.join("/"))
        }
        ("GET", ["git", "commits", sha]) => changes::commit(model, request, repo, sha),
        ("POST", ["git", "trees"]) => changes::new_tree(model, request, repo),
        ("POST", ["git", "commits"]) => changes::new_commit(model, request, repo),
        ("POST", ["git", "refs"]) => changes::new_reference(model, request, repo),
        ("PATCH", ["git", "refs", "heads", branch @ ..]) => {
            changes::move_reference(model, request, repo, &branch.join("/"))
        }
        ("GET", ["rules", "branches", _]) => rules(model, request, repo),
        ("GET", ["branches", branch]) => branch_of(model, request, repo, branch),
        ("GET", ["installation"]) => rights::installation(model, request, repo),
        ("GET", ["actions", "permissions"]) => rights::actions(model, request, repo),
        ("GET", ["git", "trees", name]) => rights::tree(model, request, repo, name),
        ("GET", ["git", "blobs", name]) => rights::blob(model, request, repo, name),
        ("GET", ["actions", "runs", rest @ ..]) => runs::answer(model, request, repo, rest),
        ("GET", ["pulls", number]) => pull(model, request, repo, number),
        ("GET", ["pulls", _, "reviews", id]) => conversation::review(model, request, repo, id),
        ("GET", ["issues", number, "comments"]) => conversation::list(model, request, repo, number),
        ("POST", ["issues", number, "comments"]) => {
            conversation::create(model, request, repo, number)
        }
        ("GET", ["issues", "comments", id]) => conversation::read(model, request, repo, id),
        ("PATCH", ["issues", "comments", id]) => conversation::edit(model, request, repo, id),
        ("POST", ["issues", "comments", id, "reactions"]) => {
            conversation::react(model, request, repo, id)
        }
        ("GET", ["commits", sha, "check-runs"]) => checks::list(model, request, repo, sha),
        ("POST", ["check-runs"]) => checks::create(model, request, repo),
        ("PATCH", ["check-runs", id]) => checks::update(model, request, repo, id),
        ("GET", ["collaborators", login, "permission"]) => permission(model, request, repo, login),
        _ => Err(unmatched()),
    }
}

/// The repository with a path.
pub(super) fn find(model: &Model, path: &str) -> Option<u64> {
    let found = model.repos.values().find(|repo| model.path(repo) == path);
    found.map(|repo| repo.id)
}

/// Lets a token in that covers the repository and has one of the permissions.
pub(super) fn allow(
    model: &Model,
    token: &str,
    now: u64,
    repo: u64,
    any_of: &[(&str, Level)],
) -> Result<(), Reply> {
    let token = bearer(model, token, now)?;
    let reached = &model.installations[&token.installation].repos;
    let covers = token.repos.as_ref().is_none_or(|only| only.contains(&repo));
    if !reached.contains(&repo) || !covers {
        return Err(not_found());
    }
    let has = |&(name, level): &(&str, Level)| token.permissions.get(name) >= Some(&level);
    if !any_of.iter().any(has) {
        return Err(Reply::fault(403, "Resource not accessible by integration"));
    }
    let writes = any_of.iter().any(|&(_, level)| level == Level::Write);
    if writes && model.repos[&repo].archived {
        return Err(Reply::fault(
            403,
            "Repository was archived so is read-only.",
        ));
    }
    Ok(())
}

pub(super) fn guard(
    model: &Model,
    request: &Incoming,
    repo: u64,
    any_of: &[(&str, Level)],
) -> Result<(), Reply> {
    allow(model, &request.token, request.now, repo, any_of)
}

/// One page of a list, and the header that names the next one.
pub(super) fn page(
    request: &Incoming,
    items: &[Value],
) -> (Vec<Value>, Vec<(&'static str, String)>) {
    let number = |name: &str, default: usize| {
        let given = request.query.get(name).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let size = number("per_page", 30).min(100);
    let page = number("page", 1).max(1);
    let from = ((page - 1) * size).min(items.len());
    let to = (from + size).min(items.len());
    let more = to < items.len();
    let link = format!(
        "<https://url-of-a-header.invalid/?page={}>; rel=\"next\"",
        page + 1
    );
    let headers = if more { vec![("link", link)] } else { vec![] };
    (items[from..to].to_vec(), headers)
}

pub(super) fn listed(request: &Incoming, items: &[Value]) -> Reply {
    let (items, headers) = page(request, items);
    let body = items.into();
    Reply {
        status: 200,
        headers,
        body,
    }
}

pub(super) fn not_found() -> Reply {
    Reply::fault(404, "Not Found")
}

pub(super) fn invalid(message: &str) -> Reply {
    Reply::fault(422, message)
}

/// A status that nobody uses: the scenario fails for it.
fn unmatched() -> Reply {
    Reply::fault(599, "the fake GitHub has no such route")
}

fn bearer<'a>(model: &'a Model, token: &str, now: u64) -> Result<&'a Token, Reply> {
    let bad = || Reply::fault(401, "Bad credentials");
    let token = model
        .tokens
        .get(token)
        .filter(|it| it.ends > now)
        .ok_or_else(bad)?;
    let installation = model
        .installations
        .get(&token.installation)
        .ok_or_else(bad)?;
    if installation.suspended {
        return Err(Reply::fault(403, "This installation has been suspended"));
    }
    Ok(token)
}

/// Lets in who signed with the app's key, for at most ten minutes.
pub(super) fn app(request: &Incoming) -> Result<(), Reply> {
    let bad = |message: &str| Reply::fault(401, message);
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    let public = DecodingKey::from_rsa_der(key::public());
    let claims: Value = jsonwebtoken::decode(&request.token, &public, &rules)
        .map_err(|_fault| bad("A JSON web token could not be decoded"))?
        .claims;
    let (from, to) = (claims["iat"].as_u64(), claims["exp"].as_u64());
    let (Some(from), Some(to)) = (from, to) else {
        return Err(bad("Missing claims"));
    };
    if from > request.now || to <= request.now || to > request.now + 600 {
        return Err(bad("'Expiration time' claim ('exp') is out of range"));
    }
    let number = claims["iss"].as_str().and_then(|iss| iss.parse().ok());
    if claims["iss"] != CLIENT_ID && number != Some(APP) {
        return Err(bad("'Issuer' claim ('iss') must be an Integer"));
    }
    Ok(())
}

fn mint(model: &mut Model, request: &Incoming, id: &str) -> Answer {
    app(request)?;
    let id: u64 = id.parse().map_err(|_fault| not_found())?;
    let installation = model.installations.get(&id).ok_or_else(not_found)?;
    if installation.suspended {
        return Err(Reply::fault(403, "This installation has been suspended"));
    }
    let permissions = narrowed(installation, request)?;
    let repos = request.body["repository_ids"].as_array().map(|ids| {
        let ids = ids.iter().map(|id| id.as_u64().unwrap_or(0));
        ids.collect::<std::collections::BTreeSet<u64>>()
    });
    if repos
        .iter()
        .flatten()
        .any(|id| !installation.repos.contains(id))
    {
        return Err(invalid(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ));
    }
    let named = repos
        .iter()
        .flatten()
        .map(|id| shapes::repo(model, &model.repos[id]));
    let named: Vec<Value> = named.collect();
    let number = model.fresh_id();
    // The long form that began to be rolled out in 2026.
    let token = format!("ghs_{APP}_eyJ{number}.{}-_x", "a".repeat(300));
    let answer = json!({
        "token": token,
        "expires_at": shapes::time(request.now + 3_600),
        "permissions": shapes::permissions(&permissions),
        "repository_selection": "selected",
        "repositories": named,
    });
    let minted = Token {
        installation: id,
        repos,
        permissions,
        ends: request.now + 3_600,
    };
    model.tokens.insert(token, minted);
    Ok(Reply::new(201, answer))
}

/// The permissions that a token is asked for, no more than what was granted.
fn narrowed(installation: &Installation, request: &Incoming) -> Result<Permissions, Reply> {
    let mut permissions = Permissions::new();
    for (name, level) in request.body["permissions"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let level = if level == "write" {
            Level::Write
        } else {
            Level::Read
        };
        if installation.permissions.get(name) < Some(&level) {
            return Err(invalid(
                "The permissions requested are not granted to this installation.",
            ));
        }
        permissions.insert(name.clone(), level);
    }
    Ok(permissions)
}

fn installations(model: &Model, request: &Incoming) -> Answer {
    app(request)?;
    let items: Vec<Value> = model
        .installations
        .values()
        .map(|it| {
            json!({
                "id": it.id,
                "account": shapes::user(&model.users[&it.account]),
                "app_id": APP,
                "repository_selection": "selected",
                "permissions": shapes::permissions(&it.permissions),
                "suspended_at": it.suspended.then(|| shapes::time(request.now)),
            })
        })
        .collect();
    Ok(listed(request, &items))
}

fn repositories(model: &Model, request: &Incoming) -> Answer {
    let token = bearer(model, &request.token, request.now)?;
    let reached = model.installations[&token.installation].repos.iter();
    let covered = reached.filter(|id| token.repos.as_ref().is_none_or(|only| only.contains(id)));
    let items: Vec<Value> = covered
        .map(|id| shapes::repo(model, &model.repos[id]))
        .collect();
    let (page, headers) = page(request, &items);
    Ok(Reply {
        status: 200,
        headers,
        body: json!({"total_count": items.len(), "repositories": page}),
    })
}

fn deliveries(model: &Model, request: &Incoming) -> Answer {
    app(request)?;
    let before = request
        .query
        .get("cursor")
        .and_then(|it| it.strip_prefix("v1_"));
    let before: u64 = before.and_then(|it| it.parse().ok()).unwrap_or(u64::MAX);
    let newest = model.deliveries.iter().rev().filter(|it| it.id < before);
    let items: Vec<_> = newest.collect();
    let size = request
        .query
        .get("per_page")
        .and_then(|it| it.parse().ok())
        .unwrap_or(30);
    let shown = &items[..items.len().min(size)];
    let mut reply = Reply::new(200, shown.iter().map(|it| shapes::delivery(it)).collect());
    if let Some(last) = shown.last().filter(|_| shown.len() < items.len()) {
        let link = format!(
            "<https://url-of-a-header.invalid/?cursor=v1_{}>; rel=\"next\"",
            last.id
        );
        reply.headers.push(("link", link));
    }
    Ok(reply)
}

fn again(model: &Model, request: &Incoming, id: &str) -> Answer {
    app(request)?;
    let found = model.deliveries.iter().any(|it| it.id.to_string() == id);
    if found {
        Ok(Reply::new(202, json!({})))
    } else {
        Err(not_found())
    }
}

fn pulls(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, READ_PULLS)?;
    let repo = &model.repos[&repo];
    let all = request
        .query
        .get("state")
        .is_some_and(|state| state == "all");
    let pulls = repo.pulls.values().filter(|pull| all || pull.open);
    let items: Vec<Value> = pulls.map(|pull| shapes::pull(model, repo, pull)).collect();
    Ok(listed(request, &items))
}

fn pull(model: &Model, request: &Incoming, repo: u64, number: &str) -> Answer {
    guard(model, request, repo, READ_PULLS)?;
    let repo = &model.repos[&repo];
    let number: u64 = number.parse().map_err(|_fault| not_found())?;
    let pull = repo.pulls.get(&number).ok_or_else(not_found)?;
    Ok(Reply::new(200, shapes::pull(model, repo, pull)))
}

fn rules(model: &Model, request: &Incoming, repo: u64) -> Answer {
    guard(model, request, repo, METADATA)?;
    let [ruled, _] = &model.repos[&repo].required;
    let checks: Vec<Value> = ruled
        .iter()
        .map(|context| json!({"context": context, "integration_id": 15_368}))
        .collect();
    let parameters = json!({
        "strict_required_status_checks_policy": false,
        "required_status_checks": checks,
    });
    let source = json!({"ruleset_source_type": "Repository", "ruleset_id": 1});
    let others = model.repos[&repo].rules.iter();
    let others = others.map(|kind| json!({"type": kind, "source": source}));
    let mut rules: Vec<Value> = others.collect();
    rules.push(json!({"type": "deletion", "source": source}));
    if !checks.is_empty() {
        rules.push(json!({"type": "required_status_checks", "parameters": parameters}));
    }
    Ok(listed(request, &rules))
}

fn branch_of(model: &Model, request: &Incoming, repo: u64, branch: &str) -> Answer {
    guard(model, request, repo, &[("contents", Level::Read)])?;
    let [_, protected] = &model.repos[&repo].required;
    let tip = model.repos[&repo].git.tip(branch);
    let checks = json!({"enforcement_level": "everyone", "contexts": protected, "checks": []});
    let body = json!({
        "name": branch,
        "commit": {"sha": tip.to_string()},
        "protected": !protected.is_empty(),
        "protection": {"enabled": !protected.is_empty(), "required_status_checks": checks},
    });
    Ok(Reply::new(200, body))
}

fn permission(model: &Model, request: &Incoming, repo: u64, login: &str) -> Answer {
    guard(model, request, repo, METADATA)?;
    let user = model.users.values().find(|user| user.login == login);
    let user = user.ok_or_else(not_found)?;
    let role = model.repos[&repo]
        .roles
        .get(&user.id)
        .map_or("none", String::as_str);
    let coarse = match role {
        "maintain" => "write",
        "triage" => "read",
        role => role,
    };
    let body = json!({"permission": coarse, "role_name": role, "user": shapes::user(user)});
    Ok(Reply::new(200, body))
}
