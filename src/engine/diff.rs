//! What differs between two trees.
//!
//! A change is a path with its entry before and after. A rename is a delete and
//! an add: [`Change::renamed_from`] only tells people and history about it.

use super::ids::ObjectId;
use super::tree::{Entry, Mode, Tree};

/// One side of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// The mode.
    pub mode: Mode,
    /// The blob.
    pub blob: ObjectId,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: Box<str>,
    /// Before; `None` when the path is new.
    pub before: Option<Side>,
    /// After; `None` when the path is gone.
    pub after: Option<Side>,
    /// For a new path: the deleted path whose content it continues.
    pub renamed_from: Option<Box<str>>,
}

/// The tree after some changes, sorted by path, to the tree before them.
pub fn apply(before: &Tree, changes: &[Change]) -> Tree {
    let mut entries = Vec::with_capacity(before.len() + changes.len());
    let mut rest = changes.iter().peekable();
    let added = |change: &Change| {
        change.after.map(|side| Entry {
            path: change.path.clone(),
            mode: side.mode,
            blob: side.blob,
        })
    };
    for (_, entry) in before.iter() {
        while let Some(change) = rest.next_if(|change| change.path < entry.path) {
            entries.extend(added(change));
        }
        match rest.next_if(|change| change.path == entry.path) {
            Some(change) => entries.extend(added(change)),
            None => entries.push(entry.clone()),
        }
    }
    entries.extend(rest.filter_map(added));
    Tree::new(entries)
}

/// The paths that differ, sorted.
pub fn between(before: &Tree, after: &Tree) -> Vec<Change> {
    let side = |entry: &Entry| Side {
        mode: entry.mode,
        blob: entry.blob,
    };
    let mut old = before.iter().map(|(_, entry)| entry).peekable();
    let mut new = after.iter().map(|(_, entry)| entry).peekable();
    let mut changes = Vec::new();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.path.cmp(&b.path),
        };
        let left = if order.is_le() { old.next() } else { None };
        let right = if order.is_ge() { new.next() } else { None };
        if left.map(side) != right.map(side)
            && let Some(entry) = left.or(right)
        {
            let path = entry.path.clone();
            changes.push(Change {
                path,
                before: left.map(side),
                after: right.map(side),
                renamed_from: None,
            });
        }
    }
    mark_exact_renames(&mut changes);
    changes
}

/// Pairs added paths with deleted ones of equal content, each at most once.
fn mark_exact_renames(changes: &mut [Change]) {
    let mut gone: Vec<(ObjectId, Box<str>)> = changes
        .iter()
        .filter(|change| change.after.is_none())
        .filter_map(|change| {
            change
                .before
                .map(|before| (before.blob, change.path.clone()))
        })
        .collect();
    gone.sort();
    for change in changes.iter_mut().filter(|change| change.before.is_none()) {
        let Some(after) = change.after else { continue };
        if let Some(index) = gone.iter().position(|(blob, _)| *blob == after.blob) {
            change.renamed_from = Some(gone.remove(index).1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob(content: u8) -> ObjectId {
        ObjectId::from_bytes(&[content; 20]).unwrap()
    }

    fn tree(files: &[(&str, u8)]) -> Tree {
        let entry = |(path, content): &(&str, u8)| Entry {
            path: (*path).into(),
            mode: Mode::File,
            blob: blob(*content),
        };
        Tree::new(files.iter().map(entry).collect())
    }

    fn check(before: &[(&str, u8)], after: &[(&str, u8)], expected: &str) {
        let line = |change: &Change| {
            let sign = match (change.before, change.after) {
                (None, _) => "+",
                (_, None) => "-",
                _ => "~",
            };
            let from = change
                .renamed_from
                .as_ref()
                .map_or(String::new(), |from| format!(" from {from}"));
            format!("{sign}{}{from}", change.path)
        };
        let lines: Vec<String> = between(&tree(before), &tree(after))
            .iter()
            .map(line)
            .collect();
        assert_eq!(lines.join(" "), expected);
    }

    #[test]
    fn added_deleted_and_changed_paths_are_told_apart() {
        check(
            &[("a", 1), ("b", 1), ("c", 1)],
            &[("a", 1), ("b", 2), ("d", 3)],
            "~b -c +d",
        );
    }

    #[test]
    fn a_rename_is_a_delete_and_an_add() {
        check(&[("old", 1)], &[("new", 1)], "+new from old -old");
    }

    #[test]
    fn one_deleted_path_is_the_origin_of_one_new_path_only() {
        check(&[("a", 1)], &[("b", 1), ("c", 1)], "-a +b from a +c");
    }

    proptest! {
        #[test]
        fn applying_a_diff_gives_the_other_tree(
            before in proptest::collection::btree_map("[a-c]{1,2}", 0_u8..4, 0..8),
            after in proptest::collection::btree_map("[a-c]{1,2}", 0_u8..4, 0..8),
        ) {
            let list = |map: &std::collections::BTreeMap<String, u8>| -> Tree {
                tree(&map.iter().map(|(path, content)| (path.as_str(), *content)).collect::<Vec<_>>())
            };
            let (old, new) = (list(&before), list(&after));
            prop_assert_eq!(apply(&old, &between(&old, &new)), new);
        }
    }
}
