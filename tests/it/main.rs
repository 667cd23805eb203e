//! Scenarios and contracts: one binary.
//!
//! A scenario drives the real program through its real edges: signed webhooks in,
//! HTTP to a stateful fake forge out, real git underneath. Nothing here reaches a
//! network or waits for a clock.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a scenario that cannot be set up has to stop"
)]

mod conformance;
mod forge;
mod pipelines;
mod scenarios;
mod support;
