//! Whether the server lives, whether it should get requests, and its numbers.

use anyhow::Context as _;
use axum::extract::State;
use http::header::CONTENT_TYPE;
use http::{HeaderName, StatusCode};

use super::Edge;
use super::error::WebError;
use crate::store::{Lane, TaskFilter};
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
        edge.metrics.add(Metric::StoreFaults, "probe", 1);
        let error = anyhow::Error::from(error);
        tracing::error!(error = format!("{error:#}"), "the store does not work");
        return Err(WebError::NotReady);
    }
    Ok("ready\n")
}

/// `GET /metrics`: the numbers, as Prometheus reads them.
pub(super) async fn metrics(
    State(edge): State<Edge>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], String), WebError> {
    let live = edge.store.tasks(TaskFilter::Live, COUNTED).await;
    let live = live
        .context("count the tasks")
        .map_err(WebError::Internal)?;
    let dead = edge.store.tasks(TaskFilter::Dead, COUNTED).await;
    let dead = dead
        .context("count the tasks")
        .map_err(WebError::Internal)?;
    for lane in Lane::ALL {
        let count = live.iter().filter(|task| task.task.lane() == lane).count();
        edge.metrics.set(Metric::Tasks, lane.as_str(), count as u64);
    }
    edge.metrics.set(Metric::Tasks, "dead", dead.len() as u64);
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((StatusCode::OK, kind, edge.metrics.render()))
}
