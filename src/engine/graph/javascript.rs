//! JavaScript and TypeScript: who imports whom, found without running anything.
//!
//! A file says what it imports ([`extract()`]); where a specifier leads depends on the
//! tree: on extensions, `package.json`, workspaces, `tsconfig.json` and the aliases
//! of test runners ([`resolve()`]). A package of the repository that names built files
//! is followed to their sources, because nothing is built when a plan is made.
//!
//! It never asks an installed `node_modules`: what is not in the tree is external.

mod aliases;
mod around;
mod calls;
pub mod discover;
mod extract;
mod files;
mod opened;
mod resolve;
mod tsconfig;
mod value;
mod workspace;

pub use extract::extract;
pub use resolve::resolve;
