//! One hash over everything that a job reads.
//!
//! Two executions with equal fingerprints read the same bytes under the same
//! names, took the same packages from outside and were defined alike. The inputs
//! are resolved afresh on each tree, so a new, deleted or shadowing file counts
//! although nobody edited a file that was there before.
//!
//! [`differences`] says the same without hashing, and names what differs: two
//! input sets have equal fingerprints exactly when it finds nothing.

use std::cmp::Ordering;

use sha2::{Digest as _, Sha256};

use super::inputs::InputSet;
use super::lock::LockSlices;
use super::tree::{FileId, Tree};

/// SHA-256 over the inputs of a job on one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes (path, mode, blob) of every input, the slices of lockfiles, and the
/// job's expanded definition. Every part carries its length, so that no two
/// different inputs are written alike.
pub fn of(tree: &Tree, inputs: &InputSet, definition: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(b"trimtab-fingerprint-1");
    part(definition.as_bytes());
    part(&(inputs.files.len() as u64).to_le_bytes());
    for file in &inputs.files {
        let entry = tree.entry(*file);
        part(entry.path.as_bytes());
        part(entry.mode.as_str().as_bytes());
        part(entry.blob.as_bytes());
    }
    for (path, digest) in &inputs.shapes {
        part(path.as_bytes());
        part(digest);
    }
    for ((lockfile, name), digest) in &inputs.slices {
        part(lockfile.as_bytes());
        part(name.as_bytes());
        part(digest);
    }
    Fingerprint(hash.finalize().into())
}

type Shapes = std::collections::BTreeMap<Box<str>, [u8; 32]>;

/// What makes two input sets different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// Inputs whose content or mode differs, or that exist on one tree only.
    pub edited: Vec<String>,
    /// Paths that are equal on both trees but are an input on one of them only.
    pub regrouped: Vec<String>,
    /// Slices of lockfiles that differ: (lockfile, external name).
    pub slices: Vec<(String, String)>,
}

impl Differences {
    /// Whether the two sets are equal.
    pub fn is_empty(&self) -> bool {
        self.edited.is_empty() && self.regrouped.is_empty() && self.slices.is_empty()
    }
}

/// Compares the inputs on the base with those on the merge.
pub fn differences(base: (&Tree, &InputSet), merge: (&Tree, &InputSet)) -> Differences {
    let mut found = Differences {
        slices: slice_differences(&base.1.slices, &merge.1.slices),
        edited: shape_differences(&base.1.shapes, &merge.1.shapes),
        regrouped: Vec::new(),
    };
    let (mut old, mut new) = (
        base.1.files.iter().copied().peekable(),
        merge.1.files.iter().copied().peekable(),
    );
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => base.0.path(*a).cmp(merge.0.path(*b)),
        };
        let left = if order.is_le() { old.next() } else { None };
        let right = if order.is_ge() { new.next() } else { None };
        let same = |file: FileId, there: &Tree, here: &Tree| {
            let entry = here.entry(file);
            there.find(&entry.path).map(|other| there.entry(other)) == Some(entry)
        };
        match (left, right) {
            (Some(a), Some(b)) if base.0.entry(a) == merge.0.entry(b) => {}
            (Some(a), None) if same(a, merge.0, base.0) => {
                found.regrouped.push(base.0.path(a).to_owned());
            }
            (None, Some(b)) if same(b, base.0, merge.0) => {
                found.regrouped.push(merge.0.path(b).to_owned());
            }
            (Some(a), _) => found.edited.push(base.0.path(a).to_owned()),
            (None, Some(b)) => found.edited.push(merge.0.path(b).to_owned()),
            (None, None) => {}
        }
    }
}

fn shape_differences(base: &Shapes, merge: &Shapes) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = base.keys().chain(merge.keys()).collect();
    let paths = paths.into_iter();
    let differing = paths.filter(|path| base.get(*path) != merge.get(*path));
    differing.map(ToString::to_string).collect()
}

fn slice_differences(base: &LockSlices, merge: &LockSlices) -> Vec<(String, String)> {
    let keys: std::collections::BTreeSet<_> = base.keys().chain(merge.keys()).collect();
    let differs = |key: &&(Box<str>, Box<str>)| base.get(*key) != merge.get(*key);
    keys.into_iter()
        .filter(differs)
        .map(|(lockfile, name)| (lockfile.to_string(), name.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::ids::ObjectId;
    use crate::engine::tree::{Entry, Mode};

    fn side(files: &[(String, u8, bool)]) -> (Tree, InputSet) {
        let entry = |(path, content, _): &(String, u8, bool)| Entry {
            path: path.as_str().into(),
            mode: Mode::File,
            blob: ObjectId::from_bytes(&[*content; 20]).unwrap(),
        };
        let tree = Tree::new(files.iter().map(entry).collect());
        let chosen = files
            .iter()
            .filter(|(_, _, input)| *input)
            .filter_map(|(path, _, _)| tree.find(path));
        let mut files: Vec<FileId> = chosen.collect();
        files.sort_unstable();
        files.dedup();
        (
            tree,
            InputSet {
                files,
                ..InputSet::default()
            },
        )
    }

    fn owned(files: &[(&str, u8, bool)]) -> Vec<(String, u8, bool)> {
        files
            .iter()
            .map(|(path, content, input)| ((*path).to_owned(), *content, *input))
            .collect()
    }

    #[test]
    fn edits_and_new_members_are_told_apart() {
        let base = side(&owned(&[
            ("a", 1, true),
            ("b", 1, true),
            ("c", 1, false),
            ("d", 1, true),
        ]));
        let merge = side(&owned(&[
            ("a", 2, true),
            ("b", 1, true),
            ("c", 1, true),
            ("e", 1, true),
        ]));
        let found = differences((&base.0, &base.1), (&merge.0, &merge.1));
        assert_eq!(found.edited, ["a", "d", "e"]);
        assert_eq!(found.regrouped, ["c"]);
    }

    #[test]
    fn a_definition_is_part_of_the_fingerprint() {
        let (tree, inputs) = side(&owned(&[("a", 1, true)]));
        assert_ne!(of(&tree, &inputs, "x"), of(&tree, &inputs, "y"));
    }

    proptest! {
        #[test]
        fn equal_fingerprints_are_no_differences(
            before in proptest::collection::vec(("[a-d]", 0_u8..3, any::<bool>()), 0..5),
            after in proptest::collection::vec(("[a-d]", 0_u8..3, any::<bool>()), 0..5),
        ) {
            let (base, merge) = (side(&before), side(&after));
            let equal = of(&base.0, &base.1, "d") == of(&merge.0, &merge.1, "d");
            prop_assert_eq!(equal, differences((&base.0, &base.1), (&merge.0, &merge.1)).is_empty());
        }
    }
}
