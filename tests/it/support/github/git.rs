//! Git over HTTP: the real `git http-backend` behind a check of the token.

use std::process::Stdio;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::request::Parts;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Shared;
use super::model::{Level, Request};
use super::routes;

/// Answers a request below `/OWNER/NAME.git/`.
pub(super) async fn serve(shared: &Arc<Shared>, parts: &Parts, body: Bytes) -> Response {
    let response = match root(shared, parts) {
        Some(root) => backend(&root, parts, body).await,
        None => Response::builder().status(401).body(Body::empty()).unwrap(),
    };
    shared.model().requests.push(Request {
        line: format!("{} {}", parts.method, parts.uri),
        status: response.status().as_u16(),
        unmatched: false,
        planned: false,
    });
    response
}

/// The directory of the repository and the rest of the path, if the token lets in.
fn root(shared: &Shared, parts: &Parts) -> Option<(String, String)> {
    let (path, rest) = parts.uri.path().split_once(".git/")?;
    let header = parts.headers.get("authorization")?.to_str().ok()?;
    let login = BASE64_STANDARD
        .decode(header.strip_prefix("Basic ")?)
        .ok()?;
    let login = String::from_utf8(login).ok()?;
    let token = login.strip_prefix("x-access-token:")?;
    let model = shared.model();
    let id = routes::find(&model, path.trim_start_matches('/'))?;
    let now = shared.clock.unix_seconds();
    routes::allow(&model, token, now, id, &[("contents", Level::Read)]).ok()?;
    let dir = model.repos[&id].git.dir().to_str()?.to_owned();
    Some((dir, format!("/{rest}")))
}

async fn backend((dir, rest): &(String, String), parts: &Parts, body: Bytes) -> Response {
    let header = |name: &str| {
        let value = parts.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
            .to_owned()
    };
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROJECT_ROOT", dir)
        .env("PATH_INFO", rest)
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&body).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap().stdout;
    let end = output.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response
        .body(Body::from(output[end + 4..].to_vec()))
        .unwrap()
}
