//! Where a command runs when its directory was reached through a symbolic link.
//!
//! A shell remembers the name by which it entered a directory, and every program that
//! it starts sees where the directory lies. So `cd LINK && cat ../x` reads beside the
//! directory that the link leads to. A word that goes up behind a link on its own is
//! not followed: its command may read anything.

use std::borrow::Cow;

use super::OpaqueCause;
use super::walk::{Invocation, Walk};
use crate::engine::shell::{Place, Word};
use crate::engine::tree::{Tree, join};

impl Walk<'_> {
    /// The place without links.
    pub(super) fn real_place(&self, place: Place) -> Place {
        let tree = &self.context.snapshot.tree;
        match place {
            Place::Inside(dir) => Place::Inside(tree.real_dir(&dir).map_or(dir, Into::into)),
            place => place,
        }
    }

    /// Whether a path is a name that a link makes.
    pub(super) fn is_linked(&self, path: &str) -> bool {
        let tree = &self.context.snapshot.tree;
        tree.find(path)
            .is_some_and(|file| tree.behind(file).is_some())
    }

    /// A script that a link leads to and that asks where it lies: the answer differs from
    /// the name that started it, and paths beside either may be meant.
    pub(super) fn refuse_asking_where_it_lies(
        &mut self,
        call: &Invocation,
        path: &str,
        text: &str,
    ) {
        let mut questions = [
            "readlink", "realpath", "pwd -P", "cd -P", "set -P", "physical",
        ]
        .iter();
        if self.is_linked(path) && questions.any(|it| text.contains(it)) {
            let what = "where a linked script lies".into();
            self.opaque(call, OpaqueCause::UnknownUse(what));
        }
    }

    /// The command where it really runs.
    pub(super) fn really<'c>(&mut self, call: &'c Invocation) -> Cow<'c, Invocation> {
        let tree = &self.context.snapshot.tree;
        if tree.linked().is_empty() && tree.closed_links().is_empty() {
            return Cow::Borrowed(call);
        }
        let place = self.real_place(call.place.clone());
        let dir = match &place {
            Place::Inside(dir) => dir.as_ref(),
            Place::Outside | Place::Unknown => "",
        };
        let is_lost = |word: &Word| goes_up_behind_a_link(tree, dir, &word.text);
        let leaves = call.dir().is_some_and(|dir| tree.is_closed(dir));
        if leaves || call.words.iter().any(is_lost) {
            let what = "a path behind a symbolic link".into();
            self.opaque(call, OpaqueCause::UnknownUse(what));
        }
        if place == call.place {
            return Cow::Borrowed(call);
        }
        let mut moved = call.clone();
        moved.place = place;
        Cow::Owned(moved)
    }
}

/// Whether a word, or the value of a flag, is a path with `..` behind a link, or one
/// behind a link that leads nowhere known.
fn goes_up_behind_a_link(tree: &Tree, dir: &str, word: &str) -> bool {
    let is_break = |c: char| matches!(c, '=' | ':' | ',' | '@') || c.is_whitespace();
    let leads_away = !tree.closed_links().is_empty();
    word.split(is_break).any(|path| {
        let ups = path.match_indices("..").map(|(at, _)| at);
        let mut heads = ups.filter_map(|at| join(dir, path.get(..at)?));
        heads.any(|head| tree.real_dir(&head).is_some())
            || leads_away && join(dir, path).is_some_and(|path| tree.is_closed(&path))
    })
}
