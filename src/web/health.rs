//! Whether the server lives, whether it should get requests, and its numbers.

use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, StatusCode};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::Edge;
use super::error::WebError;
use crate::engine::ids::Timestamp;
use crate::store::{Lane, Task, TaskFilter, TaskState};
use crate::telemetry::Metric;

/// More tasks than this are not counted one by one.
const COUNTED: usize = 10_000;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store takes writes, and the server does not drain.
pub(super) async fn ready(State(edge): State<Edge>) -> Result<&'static str, WebError> {
    if *edge.draining.borrow() {
        return Err(WebError::NotReady);
    }
    if let Err(error) = edge.store.probe(edge.clock.timestamp()).await {
        let error = anyhow::Error::from(error);
        tracing::error!(error = format!("{error:#}"), "the store does not work");
        return Err(WebError::NotReady);
    }
    Ok("ready\n")
}

/// `GET /metrics`: the numbers, as Prometheus reads them. They tell how much is
/// going on, and are not for everybody.
pub(super) async fn metrics(
    State(edge): State<Edge>,
    headers: HeaderMap,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], String), WebError> {
    if !may_read(&edge, &headers) {
        return Err(WebError::NoToken);
    }
    let live = edge.store.tasks(TaskFilter::Live, COUNTED).await;
    let live = live
        .context("count the tasks")
        .map_err(WebError::Internal)?;
    let dead = edge.store.tasks(TaskFilter::Dead, COUNTED).await;
    let dead = dead
        .context("count the tasks")
        .map_err(WebError::Internal)?;
    for lane in Lane::ALL {
        let here = || live.iter().filter(move |task| task.task.lane() == lane);
        let count = here().count() as u64;
        edge.metrics.set(Metric::Tasks, lane.as_str(), count);
        let now = edge.clock.timestamp();
        let waited = here().map(|task| overdue(task, now)).max();
        let seconds = waited.unwrap_or_default().as_secs();
        edge.metrics
            .set(Metric::TaskLagSeconds, lane.as_str(), seconds);
    }
    edge.metrics.set(Metric::Tasks, "dead", dead.len() as u64);
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((StatusCode::OK, kind, edge.metrics.render()))
}

/// How long a task has waited beyond the moment at which it was due.
fn overdue(task: &Task, now: Timestamp) -> Duration {
    match task.state {
        TaskState::Waiting { due } => now.since(due),
        TaskState::Leased { .. } | TaskState::Dead { .. } => Duration::ZERO,
    }
}

fn may_read(edge: &Edge, headers: &HeaderMap) -> bool {
    let Some(token) = &edge.metrics_token else {
        return true;
    };
    let given = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    let given = given.and_then(|given| given.strip_prefix(b"Bearer "));
    given.is_some_and(|given| given.ct_eq(token.expose_secret().as_bytes()).into())
}
