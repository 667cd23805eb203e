//! The embedded store, as commands open it.
//!
//! What a person can put right is said to them as such; the rest is a fault of ours.
//! Nothing here knows what lies in it.

use std::path::Path;

use super::Failure;
use crate::store::StoreError;
use crate::store::embedded::{self, Embedded};

/// Memory for the pages of a store that one command uses.
pub(super) const CACHE: u64 = 16 << 20;

/// Opens a store, with this much memory for its pages.
pub(super) fn open(dir: &Path, cache_bytes: u64) -> Result<Embedded, Failure> {
    let opened = embedded::open(dir, cache_bytes);
    opened.map(|opened| opened.store).map_err(failure)
}

/// Why a store does not open.
pub(super) fn failure(error: StoreError) -> Failure {
    match error {
        StoreError::InUse(_) | StoreError::Format { .. } => Failure::Expected(error.to_string()),
        error => anyhow::Error::from(error).context("open the store").into(),
    }
}
