//! What a walk knows from one command of a job to the next.
//!
//! Each value has one part of the walk that fills it and one that asks it; none of them
//! is emptied before the job ends.

use std::collections::{BTreeMap, BTreeSet};

use super::Origin;

/// What earlier steps leave to later ones.
#[derive(Default)]
pub(super) struct Handed {
    /// Whether a step set variables that nobody knows.
    pub(super) is_open: bool,
    /// Variables that scripts inside of steps hand on; `*` for any.
    pub(super) floating: BTreeSet<Box<str>>,
}

/// What the job itself does with files.
#[derive(Default)]
pub(super) struct Touched {
    /// Files that well-known installers were fetched into.
    pub(super) installers: BTreeSet<Box<str>>,
    /// Files whose text says what runs, and where they do.
    pub(super) run: BTreeMap<Box<str>, Origin>,
    /// Files that are written, and directories that are copied to.
    pub(super) written: BTreeSet<Box<str>>,
}
