//! Everything that decides: pure and total.
//!
//! Values in, values out. The engine opens no file, asks no forge, reads no clock
//! and draws no random number; bad input becomes a diagnostic, never a panic. The
//! layers above read trees and blobs, and hand them in as a
//! [`Snapshot`](tree::Snapshot).
//!
//! The way of a pull: two snapshots ([`tree`]) → packages and graph
//! ([`packages`], [`graph`]) → pipelines ([`pipeline`]) → what each job reads
//! ([`inputs`]) → what the change reaches, and the plan ([`plan`]).

pub mod audit;
pub mod backstop;
pub mod command;
pub mod diff;
pub mod doctor;
pub mod everything;
pub mod facts;
pub mod fingerprint;
pub mod globs;
pub mod graph;
pub mod history;
pub mod ids;
pub mod impact;
mod ini;
pub mod inputs;
pub mod job_name;
pub mod lock;
pub mod ownership;
pub mod packages;
pub mod pipeline;
pub mod plan;
pub mod plan_line;
pub mod policy;
pub mod rollout;
pub mod shell;
pub mod side;
pub mod sources;
pub mod trace;
pub mod tree;
pub mod verdict;
pub mod why;
pub mod yaml;
