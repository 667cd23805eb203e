//! Python: who imports whom, found without running anything.
//!
//! A file says what it imports ([`extract()`]); where a module lies depends on the
//! tree: on packages, source roots, the test runner's path insertions and the
//! manifests ([`resolve()`]). Where several files could answer to one name, all of
//! them are needed. Needed without being written are every `__init__.py` above,
//! every `conftest.py` above a test, and the modules that entry points name.
//!
//! It never decides that an import is optional: one under `try` or in a function
//! counts like any other.

mod around;
mod calls;
pub mod discover;
mod extract;
mod manifest;
mod modules;
mod opened;
mod places;
mod resolve;
mod stdlib;

pub use extract::extract;
pub use resolve::resolve;
