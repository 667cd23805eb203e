//! The modes, by the names that people give them on the command line.
//!
//! What each means stands in their help; nothing here decides by one.

use clap::ValueEnum;

use crate::engine::plan::Mode;

/// How far Trimtab goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeName {
    /// Plans are recorded, and only the checks are written
    Observe,
    /// The comment is written too; every job runs
    Advise,
    /// Gated jobs of rewritten workflows are skipped
    Enforce,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Observe => Self::Observe,
            ModeName::Advise => Self::Advise,
            ModeName::Enforce => Self::Enforce,
        }
    }
}
