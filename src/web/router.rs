//! Which path leads where.

use axum::Router;
use axum::routing::{get, post};

use super::{Edge, health, plan_api, plans, webhook};

/// The routes of the public address. Numbers are among them only behind a token.
pub fn router(edge: Edge) -> Router {
    let mut router = Router::new()
        .route("/webhook/github", post(webhook::github))
        .route("/plans/{head}", get(plans::lead))
        .route("/api/v1/plan", get(plan_api::plan))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready));
    if edge.metrics_token.is_some() {
        router = router.route("/metrics", get(health::metrics));
    }
    router.with_state(edge)
}

/// The routes of the operator's address.
pub fn metrics_router(edge: Edge) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .with_state(edge)
}
