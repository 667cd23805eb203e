//! Takes a webhook: verified over its raw bytes, durable, and only then answered.
//!
//! GitHub gives an answer ten seconds and does not repeat a delivery by itself
//! (<https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>),
//! so nothing but verifying and storing happens here. What is not signed is not
//! parsed, and what does not parse is not stored.

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderMap, StatusCode};

use super::Edge;
use super::error::WebError;
use crate::engine::ids::ForgeKind;
use crate::forge::event::ForgeEvent;
use crate::forge::github::payload::{self, DELIVERY_HEADER, EVENT_HEADER, TARGET_HEADER};
use crate::forge::github::signature::{SIGNATURE_HEADER, is_signature, is_signed};
use crate::store::{Accepted, DeliveryId, NewDelivery, Scope};
use crate::telemetry::Metric;

/// `POST /webhook/github`: 202 when it is stored, 200 when there is nothing to do.
pub(super) async fn github(
    State(edge): State<Edge>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, WebError> {
    let started = edge.clock.timestamp();
    let taken = take(&edge, &headers, body).await;
    let outcome = match &taken {
        Ok(taken) => taken.word(),
        Err(WebError::Malformed | WebError::BadHeader(_)) => "malformed",
        Err(WebError::Internal(_)) => "failed",
        Err(_) => "refused",
    };
    edge.metrics.add(Metric::Deliveries, outcome, 1);
    let taken = taken?;
    let took = edge.clock.timestamp().since(started);
    edge.metrics
        .observe(Metric::DeliverySeconds, taken.word(), took);
    Ok(match taken {
        Taken::Stored(Accepted::New | Accepted::Again) => {
            (edge.wake)();
            StatusCode::ACCEPTED
        }
        Taken::Stored(Accepted::Done) | Taken::Ignored => StatusCode::OK,
    })
}

/// What became of a delivery.
enum Taken {
    Stored(Accepted),
    /// Trimtab does not act on it.
    Ignored,
}

impl Taken {
    fn word(&self) -> &'static str {
        match self {
            Self::Stored(Accepted::New) => "new",
            Self::Stored(Accepted::Again) => "again",
            Self::Stored(Accepted::Done) => "done",
            Self::Ignored => "ignored",
        }
    }
}

async fn take(edge: &Edge, headers: &HeaderMap, body: Body) -> Result<Taken, WebError> {
    let signature = text(headers, SIGNATURE_HEADER).ok_or(WebError::BadSignature)?;
    // Whoever cannot have signed the body does not get to send it.
    if !is_signature(signature) {
        return Err(WebError::BadSignature);
    }
    let body = edge.room.read(headers, body).await?;
    if !is_signed(&edge.secrets, signature, &body.bytes) {
        return Err(WebError::BadSignature);
    }
    let target = text(headers, TARGET_HEADER).ok_or(WebError::BadHeader(TARGET_HEADER))?;
    if target.parse() != Ok(edge.app) {
        return Err(WebError::OtherApp);
    }
    let id = text(headers, DELIVERY_HEADER).and_then(DeliveryId::parse);
    let id = id.ok_or(WebError::BadHeader(DELIVERY_HEADER))?;
    let name = text(headers, EVENT_HEADER).filter(|name| is_event(name));
    let name = name.ok_or(WebError::BadHeader(EVENT_HEADER))?;
    let event = payload::event(name, id.as_str(), &body.bytes).map_err(|fault| {
        let error = anyhow::Error::from(fault);
        tracing::warn!(delivery = %id, error = format!("{error:#}"), "a payload is malformed");
        WebError::Malformed
    })?;
    let Some(event) = event else {
        return Ok(Taken::Ignored);
    };
    let delivery = NewDelivery {
        id,
        scope: scope(&event),
        event: name.to_owned(),
        body: body.bytes,
    };
    let accepted = edge.store.accept(delivery, edge.clock.timestamp()).await;
    let accepted = accepted
        .context("store the delivery")
        .map_err(WebError::Internal)?;
    Ok(Taken::Stored(accepted))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Events are named in small letters, digits and underscores: `projects_v2_item`.
fn is_event(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

fn scope(event: &ForgeEvent) -> Scope {
    match event {
        ForgeEvent::Repo(event) => Scope::from(event.repo),
        ForgeEvent::Installation(event) => Scope {
            forge: ForgeKind::Github,
            installation: Some(event.installation),
            repo: None,
        },
    }
}
