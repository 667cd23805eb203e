//! Scenarios: one binary.
