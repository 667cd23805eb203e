//! HTTP in, HTTP out: who asks, what goes wrong on the way, and what is recorded.
//!
//! A request that no route knows, and one that lacks what the real forge insists on,
//! is recorded, so that the scenario fails at its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use trimtab::engine::policy::policy_hash;

use super::model::{FaultKind, Model, Request};
use super::{Shared, git, identity, routes};

/// The REST interface's path, as on a server of one's own.
pub(crate) const API: &str = "/api/v3";
const GRAPH: &str = "/api/graphql";

/// A request, taken apart.
pub(crate) struct Incoming {
    pub(crate) method: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    /// The bearer's token.
    pub(crate) token: String,
    pub(crate) body: Value,
    pub(crate) now: u64,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// A refusal in the forge's words.
    pub(crate) fn fault(status: u16, message: &str) -> Self {
        Self::new(status, json!({"message": message}))
    }
}

/// Begins to serve on a free port of this machine.
pub(super) async fn serve(shared: Arc<Shared>) -> SocketAddr {
    let router = Router::new().fallback(handle).with_state(shared);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn handle(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 32 * 1024 * 1024).await.unwrap();
    let path = parts.uri.path().to_owned();
    if path.contains(".git/") {
        return git::serve(&shared, &parts, body).await;
    }
    let line = format!("{} {}", parts.method, parts.uri);
    let fault = shared.model().take_fault(&line);
    let planned = matches!(fault, Some(FaultKind::Answer(..)));
    if let Some(FaultKind::Delay(time)) = fault {
        tokio::time::sleep(time).await;
    }
    let reply = match fault {
        Some(FaultKind::Answer(status, headers)) => Reply {
            headers,
            ..Reply::fault(status, "planned fault")
        },
        Some(FaultKind::LostAnswer) => {
            answer(&shared, &parts, &body);
            Reply::fault(502, "planned fault after the work was done")
        }
        Some(FaultKind::Delay(_)) | None => {
            identity::answer(&shared, &parts).unwrap_or_else(|| answer(&shared, &parts, &body))
        }
    };
    let mut reply = tagged(reply, &parts);
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(shared.now());
    let date = httpdate::fmt_http_date(moment);
    reply.headers.push(("date", date));
    let pace = shared.model().pace;
    tokio::time::sleep(pace).await;
    let unmatched = reply.status == 599;
    shared.model().requests.push(Request {
        line,
        status: reply.status,
        unmatched,
        planned,
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let response = response.header("content-type", "application/json; charset=utf-8");
    let body = match reply.status {
        304 => Body::empty(),
        _ => Body::from(reply.body.to_string()),
    };
    response.body(body).unwrap()
}

/// Gives the answer of a read its tag; who knows that tag gets nothing else.
fn tagged(mut reply: Reply, parts: &http::request::Parts) -> Reply {
    if parts.method != http::Method::GET || reply.status != 200 {
        return reply;
    }
    let hash = policy_hash(&reply.body.to_string());
    let tag = format!("W/\"{hash}\"");
    let known = parts.headers.get("if-none-match");
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        reply.status = 304;
    }
    reply.headers.push(("etag", tag));
    reply
}

fn answer(shared: &Arc<Shared>, parts: &http::request::Parts, body: &[u8]) -> Reply {
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    if header("user-agent").is_empty() {
        return Reply::fault(403, "Request forbidden by administrative rules.");
    }
    let graph = parts.uri.path() == GRAPH;
    // What a runner asks with is not ours to pin.
    let is_runner = header("user-agent").starts_with("curl/");
    if !graph && !is_runner && header("x-github-api-version") != "2022-11-28" {
        return Reply::fault(400, "The API version is not pinned.");
    }
    let below = parts.uri.path().strip_prefix(API);
    let path = if graph {
        "/graphql"
    } else {
        below.unwrap_or("/?")
    };
    let query = parts.uri.query().unwrap_or_default();
    let incoming = Incoming {
        method: parts.method.to_string(),
        segments: path.split('/').skip(1).map(str::to_owned).collect(),
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        token: header("authorization")
            .trim_start_matches("Bearer ")
            .to_owned(),
        body: serde_json::from_slice(body).unwrap_or_default(),
        now: shared.now(),
    };
    let mut model = shared.model();
    let mut reply = spend(&mut model, incoming.now)
        .unwrap_or_else(|| routes::answer(&mut model, &incoming).unwrap_or_else(|fault| fault));
    if let Some(quota) = model.quota {
        reply
            .headers
            .push(("x-ratelimit-remaining", quota.left.to_string()));
        reply
            .headers
            .push(("x-ratelimit-reset", quota.reset.to_string()));
    }
    if let ("POST", ["app", "hook", "deliveries", id, "attempts"], 202) = (
        incoming.method.as_str(),
        incoming
            .segments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice(),
        reply.status,
    ) {
        let again = Arc::clone(shared).redeliver(id.parse().unwrap());
        tokio::spawn(again);
    }
    reply
}

/// Takes one request from the quota; the refusal when none is left.
fn spend(model: &mut Model, now: u64) -> Option<Reply> {
    let quota = model.quota.as_mut()?;
    if quota.reset <= now {
        return None;
    }
    if quota.left == 0 {
        return Some(Reply::fault(
            403,
            "API rate limit exceeded for installation.",
        ));
    }
    quota.left -= 1;
    None
}
