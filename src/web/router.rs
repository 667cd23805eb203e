//! Which path leads where.

use axum::Router;
use axum::routing::{get, post};

use super::{Edge, health, webhook};

/// All routes of the server.
pub fn router(edge: Edge) -> Router {
    Router::new()
        .route("/webhook/github", post(webhook::github))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .with_state(edge)
}
