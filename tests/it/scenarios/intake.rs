//! Webhooks: what is taken, what is refused, and what is done only once.

use trimtab::forge::github::payload::{DELIVERY_HEADER, EVENT_HEADER, TARGET_HEADER};
use trimtab::forge::github::signature::{SIGNATURE_HEADER, sign};

use super::super::support::bot::{BODY, Bot};
use super::super::support::github::FakeGithub;
use super::super::support::github::model::APP;
use super::{DOCS, shop};

/// A request as GitHub sends it, signed over `signed`.
fn webhook(bot: &Bot, event: &str, signed: &[u8]) -> http::request::Builder {
    http::Request::post(bot.url("/webhook/github").as_str())
        .header(EVENT_HEADER, event)
        .header(DELIVERY_HEADER, "d-1")
        .header(TARGET_HEADER, APP.to_string())
        .header(
            SIGNATURE_HEADER,
            sign(&FakeGithub::secret(), signed).unwrap(),
        )
}

#[tokio::test]
async fn what_is_not_signed_whole_or_well_formed_is_refused_and_not_stored() {
    let bot = Bot::start().await;
    let body = br#"{"action":"opened","installation":{"id":1}}"#;
    let url = bot.url("/webhook/github");
    let plain = || http::Request::post(url.as_str());
    let (status, _) = bot.ask(plain(), body).await;
    assert_eq!(status, 401, "unsigned");
    let (status, _) = bot.ask(webhook(&bot, "pull_request", b"{}"), body).await;
    assert_eq!(status, 401, "tampered");
    let huge = vec![b' '; BODY + 1];
    let (status, _) = bot.ask(webhook(&bot, "pull_request", &huge), &huge).await;
    assert_eq!(status, 413, "oversized");
    let deep = b"[".repeat(100_000);
    for malformed in [&body[..], b"", b"payload=x", b"\xff\xfe", b"[1", &deep] {
        let request = webhook(&bot, "pull_request", malformed);
        assert_eq!(bot.ask(request, malformed).await.0, 400, "malformed");
    }
    let (status, _) = bot.ask(webhook(&bot, "no such event", body), body).await;
    assert_eq!(status, 400, "no event");
    let (status, _) = bot.ask(webhook(&bot, "star", body), body).await;
    assert_eq!(status, 200, "nothing to do");
    let other = webhook(&bot, "pull_request", body);
    let other = other.header(TARGET_HEADER, "1");
    let mut headers = other.headers_ref().unwrap().clone();
    headers.insert(TARGET_HEADER, "1".parse().unwrap());
    let mut other = plain();
    *other.headers_mut().unwrap() = headers;
    assert_eq!(bot.ask(other, body).await.0, 401, "another app");
    let header = http::Request::post(url.as_str())
        .header(TARGET_HEADER, APP.to_string())
        .header(EVENT_HEADER, "pull_request")
        .header(SIGNATURE_HEADER, sign(&FakeGithub::secret(), body).unwrap());
    assert_eq!(bot.ask(header, body).await.0, 400, "no delivery id");
    assert_eq!(bot.store.dump().await.unwrap(), "");
    let page = bot.numbers().await;
    assert!(
        page.contains(r#"trimtab_deliveries_total{outcome="malformed"} 8"#),
        "{page}"
    );
    assert!(
        page.contains(r#"trimtab_deliveries_total{outcome="refused"} 4"#),
        "{page}"
    );
    bot.finish().await;
}

#[tokio::test]
async fn one_guid_is_processed_once() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    let payload = bot.github.state().deliveries.last().unwrap().clone();
    let body = payload.payload.to_string();
    let again = || {
        let request = webhook(&bot, "pull_request", body.as_bytes());
        let mut headers = request.headers_ref().unwrap().clone();
        headers.insert(DELIVERY_HEADER, payload.guid.parse().unwrap());
        let mut request = http::Request::post(bot.url("/webhook/github").as_str());
        *request.headers_mut().unwrap() = headers;
        request
    };
    bot.settle().await;
    let requests = bot.github.requests().len();
    assert_eq!(bot.ask(again(), body.as_bytes()).await.0, 200);
    bot.settle().await;
    assert_eq!(bot.github.requests().len(), requests, "nothing was asked");
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn health_says_whether_it_is_ready() {
    let bot = Bot::start().await;
    let ask = |path: &str| http::Request::get(bot.url(path).as_str());
    assert_eq!(bot.ask(ask("/healthz"), b"").await.0, 200);
    assert_eq!(bot.ask(ask("/readyz"), b"").await.0, 200);
    bot.drain.send_replace(true);
    assert_eq!(bot.ask(ask("/readyz"), b"").await.0, 503);
    assert_eq!(bot.ask(ask("/nowhere"), b"").await.0, 404);
    bot.finish().await;
}
