//! Placeholder header: replaced by its slice.

use super::Builder;
use crate::engine::facts::Facts;

/// Reads a source file.
pub fn extract(_path: &str, _source: &str) -> Facts {
    Facts::default()
}

/// Adds the edges of this language.
pub fn resolve(_builder: &mut Builder<'_>) {}
