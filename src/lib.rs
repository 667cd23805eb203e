//! Trimtab skips the CI jobs that a pull request cannot affect, and shows the
//! evidence for every skip.
//!
//! The map, from the inside out; each layer knows only those to its right:
//! `main → cli → web | worker → flow → {forge, store, repo, render} → engine`.
//! ARCHITECTURE.md draws it, and `tests/architecture.rs` keeps it.

pub mod cli;
pub mod clock;
pub mod config;
pub mod engine;
pub mod flow;
pub mod forge;
pub mod queue;
pub mod render;
pub mod repo;
pub mod signer;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod worker;
