//! `trimtab replay`: sends a saved webhook to a server on this machine, signed.
//!
//! It goes in by the front door, as the forge's own would, and never to another
//! machine: a signature made here must not leave it.

use std::path::PathBuf;

use anyhow::Context as _;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use url::{Host, Url};

use super::{Failure, Terminal};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Hook;
use crate::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER, TARGET_HEADER};
use crate::forge::github::signature::{SIGNATURE_HEADER, sign};

/// Arguments of `trimtab replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A JSON file with {"event": NAME, "payload": BODY}, or with the body alone and --event
    file: PathBuf,
    /// The event's name, when the file holds the body alone
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The delivery's id; a new one if it is left out
    #[arg(long, value_name = "ID")]
    delivery: Option<String>,
    /// The server, on this machine
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/webhook/github"
    )]
    to: Url,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if !is_local(&args.to) {
        let to = &args.to;
        return Err(Failure::Expected(format!(
            "{to} is no plain http address of this machine: a signature must not leave it, so give --to an address on 127.0.0.1, ::1 or localhost"
        )));
    }
    let hook = Hook::from_env().map_err(|fault| Failure::Expected(fault.to_string()))?;
    let (event, body) = read(args)?;
    let delivery = args.delivery.clone().unwrap_or_else(|| {
        let now = SystemClock.timestamp().0;
        format!("replay-{now}")
    });
    let signature = sign(&hook.secret, &body).context("sign the body")?;
    let request = Request::post(args.to.as_str())
        .header("content-type", "application/json")
        .header(EVENT_HEADER, event)
        .header(DELIVERY_HEADER, &delivery)
        .header(TARGET_HEADER, hook.app_id)
        .header(SIGNATURE_HEADER, signature)
        .body(Full::new(axum::body::Bytes::from(body)))
        .map_err(|fault| Failure::Expected(format!("the request cannot be made: {fault}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let (status, text) = runtime.block_on(send(request, &args.to))?;
    if !status.is_success() {
        let text = super::plan::clean(text.trim());
        let hint = if status == http::StatusCode::UNAUTHORIZED {
            "; WEBHOOK_SECRET and APP_ID must be those of the server"
        } else {
            ""
        };
        return Err(Failure::Expected(format!(
            "the server refused it with {status}: {text}{hint}"
        )));
    }
    terminal.answer(&format!("{delivery}: {status}\n"));
    Ok(())
}

async fn send(
    request: Request<Full<axum::body::Bytes>>,
    to: &Url,
) -> Result<(http::StatusCode, String), Failure> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.map_err(|_silent| {
        Failure::Expected(format!(
            "no server answers at {to}: start one with `trimtab serve`, or name it with --to"
        ))
    })?;
    let status = answer.status();
    let text = answer.into_body().collect().await;
    let text = text.context("read the answer")?.to_bytes();
    Ok((status, String::from_utf8_lossy(&text).into_owned()))
}

/// The event's name and the body.
fn read(args: &Args) -> Result<(String, Vec<u8>), Failure> {
    let path = args.file.display();
    let text = std::fs::read(&args.file).map_err(|error| {
        Failure::Expected(format!(
            "cannot read {path}: {error}; give a file with a saved webhook"
        ))
    })?;
    if let Some(event) = &args.event {
        return Ok((event.clone(), text));
    }
    let saved: Value = serde_json::from_slice(&text).map_err(|error| {
        Failure::Expected(format!(
            "{path} is not JSON: {error}; save the webhook as the forge sent it"
        ))
    })?;
    match (
        saved.get("event").and_then(Value::as_str),
        saved.get("payload"),
    ) {
        (Some(event), Some(payload)) => Ok((event.to_owned(), payload.to_string().into_bytes())),
        _ => Err(Failure::Expected(format!(
            "{path} does not say its event: name it, as in --event pull_request, or wrap the body as {{\"event\": NAME, \"payload\": BODY}}"
        ))),
    }
}

fn is_local(to: &Url) -> bool {
    let host = match to.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    host && to.scheme() == "http"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(to: &str, expected: bool) {
        assert_eq!(is_local(&to.parse().unwrap()), expected, "{to}");
    }

    #[test]
    fn a_signature_does_not_leave_this_machine() {
        check("http://127.0.0.1:8080/webhook/github", true);
        check("http://[::1]:8080/", true);
        check("http://localhost/", true);
        check("https://127.0.0.1/", false);
        check("http://127.0.0.1.example.org/", false);
        check("http://10.0.0.1/", false);
        check("ftp://localhost/", false);
    }
}
