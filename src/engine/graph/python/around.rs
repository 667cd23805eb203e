//! What a tree offers beside its modules: `conftest.py`s, settings and programs by name.
//!
//! A test needs what lies above it without naming it, and a program that is started
//! by name may be one of the repository's own.

use rustc_hash::FxHashMap;

use super::manifest::Manifest;
use crate::engine::graph::Builder;
use crate::engine::tree::{FileId, base_name, dir_of};

/// Files that lie above a test and work on it, by their directory.
pub(super) struct Around<'a> {
    pub(super) conftests: FxHashMap<&'a str, FileId>,
    pub(super) configs: FxHashMap<&'a str, Vec<FileId>>,
}

impl<'a> Around<'a> {
    /// Finds them in a tree.
    pub(super) fn new(builder: &Builder<'a>, manifests: &[Manifest<'a>]) -> Self {
        let tree = &builder.snapshot.tree;
        let conftests = tree
            .iter()
            .filter(|(_, entry)| base_name(&entry.path) == "conftest.py")
            .map(|(file, entry)| (dir_of(&entry.path), file))
            .collect();
        let mut configs: FxHashMap<&'a str, Vec<FileId>> = FxHashMap::default();
        for manifest in manifests {
            configs.entry(manifest.dir).or_default().push(manifest.file);
        }
        Self { conftests, configs }
    }
}

/// What a program's name leads to.
pub(super) enum Program {
    /// The directory of the manifest and the module that it names.
    Module(Box<str>, Box<str>),
    /// The file that runs.
    File(FileId),
}

/// Programs and management commands by name, with the module or file that runs.
pub(super) fn programs(
    builder: &Builder<'_>,
    manifests: &[Manifest<'_>],
) -> FxHashMap<Box<str>, Vec<Program>> {
    let mut programs: FxHashMap<Box<str>, Vec<Program>> = FxHashMap::default();
    for manifest in manifests {
        for (name, module) in &manifest.programs {
            let program = Program::Module(manifest.dir.into(), module.as_str().into());
            programs
                .entry(name.as_str().into())
                .or_default()
                .push(program);
        }
    }
    for (file, entry) in builder.snapshot.tree.iter() {
        if dir_of(&entry.path).ends_with("management/commands")
            && let Some(name) = base_name(&entry.path).strip_suffix(".py")
        {
            programs
                .entry(name.into())
                .or_default()
                .push(Program::File(file));
        }
    }
    programs
}
