//! The server's edge: what comes in over HTTP, and what is said back.
//!
//! A webhook is verified, stored and answered; everything else happens later, in a
//! task. Answers to strangers say what to do and never what went wrong inside.
//!
//! Nothing here decides anything about a pull.

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::watch;
use url::Url;

use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::Metrics;

mod body;
mod error;
mod health;
mod plan_api;
mod plans;
mod router;
mod serve;
pub mod socket;
mod webhook;

pub use body::Room;
pub use plan_api::Door;
pub use router::{metrics_router, router};
pub use serve::serve;

/// What every route may reach.
#[derive(Clone)]
pub struct Edge {
    /// Where deliveries are kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The numbers that `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// What a webhook may be signed with.
    pub secrets: Arc<[SecretString]>,
    /// The number of the app that deliveries have to be for.
    pub app: u64,
    /// The memory for the bodies of webhooks.
    pub room: Room,
    /// What opens `/metrics`; without it the public address does not serve them.
    pub metrics_token: Option<SecretString>,
    /// Where runs ask what they may skip.
    pub door: Door,
    /// Where repositories are, for links.
    pub forge_web: Url,
    /// Called when something was queued.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// True as soon as the server drains.
    pub draining: watch::Receiver<bool>,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("app", &self.app)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
