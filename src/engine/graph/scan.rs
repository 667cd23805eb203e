//! Placeholder header: replaced by its slice.
