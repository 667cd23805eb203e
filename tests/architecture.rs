//! The architecture, as tests: what the documents promise, the tree keeps.
//!
//! Every rule is a function from text to faults, tried on a bad sample beside it,
//! so that a rule that stopped to bite fails too. The real tree is read from disk
//! in each run; nothing is generated and nothing is remembered.
//!
//! No rule here may look at what the program does: behaviour belongs to the tests
//! beside the code and to `tests/it`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its own tree has to stop"
)]

#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/layers.rs"]
mod layers;
#[path = "architecture/settings.rs"]
mod settings;
#[path = "architecture/shape.rs"]
mod shape;
#[path = "architecture/source.rs"]
mod source;
