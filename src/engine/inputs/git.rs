//! `git`, as far as the table of commands cannot say what it does.

use super::OpaqueCause;
use super::walk::{Invocation, Walk};
use crate::engine::shell::{Located, locate};

/// Sub-commands that may bring other commits than the one at hand.
const MOVES: &[&str] = &[
    "checkout",
    "switch",
    "reset",
    "worktree",
    "pull",
    "merge",
    "read-tree",
];

impl Walk<'_> {
    /// `git`, whose `checkout` and `reset` bring other commits than the one at hand.
    pub(super) fn git(&mut self, call: &Invocation) {
        let mut words = call.words.iter().skip(1);
        let mut sub = "";
        while let Some(word) = words.next() {
            match word.text.as_ref() {
                "-C" | "-c" | "--git-dir" | "--work-tree" => drop(words.next()),
                text if text.starts_with('-') => {}
                text => {
                    sub = text;
                    break;
                }
            }
        }
        if MOVES.contains(&sub) {
            let mut is_new = false;
            for word in words {
                let text = word.text.as_ref();
                let is_path = matches!(locate(&call.place, text), Located::Inside(path) if self.has_file(&path) || self.has_dir(&path));
                if text == "--" {
                    break;
                }
                let is_plain = text.starts_with('-')
                    || matches!(text, "HEAD" | "." | "add" | "prune" | "list" | "remove");
                if !is_plain && !is_path && !is_new {
                    return self.opaque(call, OpaqueCause::UnknownUse(call.origin.what.clone()));
                }
                // `-b NAME` makes a branch of the commit at hand.
                is_new = matches!(text, "-b" | "-B" | "-c" | "-C" | "--orphan");
            }
        }
        self.listed(call, "git");
    }
}
