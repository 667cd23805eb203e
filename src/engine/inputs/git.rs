//! `git`, as far as the table of commands cannot say what it does.
//!
//! What it reads of the working tree is a matter of paths; what it reads of commits is
//! one only for the commit at hand. Any other commit, and a copy of the repository, is
//! never taken for paths.

use std::borrow::Cow;

use super::Never;
use super::walk::{Invocation, Walk, below};
use crate::engine::globs::Glob;
use crate::engine::shell::{Located, Place, UNKNOWN_START, Word, locate};

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

/// Sub-commands whose operands may be commits.
const OF_COMMITS: &[&str] = &["rev-parse", "archive", "cat-file", "ls-tree"];

/// Names of the commit at hand.
const AT_HAND: &[&str] = &[
    "",
    "HEAD",
    "@",
    "$GITHUB_SHA",
    "${GITHUB_SHA}",
    "$CI_COMMIT_SHA",
];

impl Walk<'_> {
    /// `git`, whose `checkout` and `reset` bring other commits than the one at hand.
    pub(super) fn git(&mut self, call: &Invocation) {
        let call = &*there(call);
        let at = sub_command(call);
        let sub = call.words.get(at).map_or("", |word| &*word.text).to_owned();
        let rest = call.words.get(at + 1..).unwrap_or_default();
        if MOVES.contains(&sub.as_str()) && self.moves(call, rest) {
            return self.unknown_use(call);
        }
        match sub.as_str() {
            "ls-files" if self.prints_names(call) => return,
            "apply" | "am" => self.whole(call),
            "clone" if !is_from_elsewhere(call, rest) => self.whole(call),
            "restore" if rest.iter().any(is_source) => return self.unknown_use(call),
            sub if OF_COMMITS.contains(&sub) => self.of_commits(call, rest),
            _ => {}
        }
        self.files_of_commit(call);
        self.listed(call, "git");
    }

    /// Whether a sub-command brings another commit.
    fn moves(&self, call: &Invocation, rest: &[Word]) -> bool {
        let mut is_new = false;
        for word in rest {
            let text = word.text.as_ref();
            let is_path = matches!(locate(&call.place, text), Located::Inside(path) if self.has_file(&path) || self.has_dir(&path));
            if text == "--" {
                return false;
            }
            let is_plain = text.starts_with('-')
                || matches!(text, "HEAD" | "." | "add" | "prune" | "list" | "remove");
            if !is_plain && !is_path && !is_new {
                return true;
            }
            // `-b NAME` makes a branch of the commit at hand.
            is_new = matches!(text, "-b" | "-B" | "-c" | "-C" | "--orphan");
        }
        false
    }

    /// Operands that may be commits: the one at hand has the files of the tree, any
    /// other one is history.
    fn of_commits(&mut self, call: &Invocation, rest: &[Word]) {
        let values = ["-o", "--output", "--prefix", "--format", "--git-path"];
        let mut before = "";
        for word in rest.iter().take_while(|word| &*word.text != "--") {
            let text = word.text.as_ref();
            let is_value = values.contains(&before);
            before = text;
            if is_value || text.starts_with('-') {
                continue;
            }
            let (commit, path) = text.split_once(':').unwrap_or((text, ""));
            if commit == "HEAD^{tree}" {
                self.whole(call);
            } else if is_at_hand(commit) {
                if text.contains(':') && (path.is_empty() || word.unknown) {
                    self.whole(call);
                }
            } else if !["blob", "tree", "zip", "tar"].contains(&text) && !self.is_path(call, text) {
                self.never(call, Never::ReadsHistory);
            }
        }
    }

    fn is_path(&self, call: &Invocation, text: &str) -> bool {
        matches!(locate(&call.place, text), Located::Inside(path) if self.has_file(&path) || self.has_dir(&path))
    }

    /// Files that words name, from here and behind `COMMIT:`, which counts from the root.
    fn files_of_commit(&mut self, call: &Invocation) {
        let root = Place::Inside("".into());
        for word in call.words.iter().skip(1) {
            let parts = super::named::parts(&word.text);
            let mut globs = Vec::new();
            for part in parts {
                for place in [&call.place, &root] {
                    if let Located::Inside(path) = locate(place, part)
                        && !path.is_empty()
                    {
                        let is_dir = word.text.contains(':') && self.has_dir(&path);
                        if self.names_file(&path) {
                            globs.push(Glob::path(&path));
                        } else if is_dir {
                            globs.push(below(&path, "**"));
                        }
                    }
                }
            }
            if !globs.is_empty() {
                self.exact(call, globs);
            }
        }
    }
}

/// The command in the directory that `-C` says, without that flag.
fn there(call: &Invocation) -> Cow<'_, Invocation> {
    let mut moved = Cow::Borrowed(call);
    while let Some(at) = own_flag(&moved, "-C") {
        let call = moved.to_mut();
        if let Some(dir) = call.words.get(at + 1).cloned() {
            call.place = call.place.enter(&dir);
        }
        let end = call.words.len().min(at + 2);
        call.words.drain(at..end);
    }
    moved
}

/// Where a flag of git itself stands, in front of the sub-command.
fn own_flag(call: &Invocation, flag: &str) -> Option<usize> {
    let own = call.words.get(..sub_command(call))?;
    own.iter().position(|word| &*word.text == flag)
}

/// The position of the sub-command.
fn sub_command(call: &Invocation) -> usize {
    let mut at = 1;
    while let Some(word) = call.words.get(at).filter(|word| word.text.starts_with('-')) {
        let takes = ["-C", "-c", "--git-dir", "--work-tree", "--namespace"];
        at += if takes.contains(&&*word.text) { 2 } else { 1 };
    }
    at
}

/// Whether a clone brings another repository: one of its words is an address that is
/// fully known, and none is a path that may be this one.
fn is_from_elsewhere(call: &Invocation, rest: &[Word]) -> bool {
    let mut operands = rest.iter().filter(|word| !word.text.starts_with('-'));
    let is_here = |word: &Word| {
        word.text.starts_with("file:")
            || locate(&call.place, &word.text) == Located::Inside("".into())
    };
    let is_address = |word: &Word| {
        let text = word.text.as_ref();
        // A token in front of the name may be anything.
        let mut tail = text.rsplit('/').take(2);
        let is_known = tail.all(|part| !part.contains(['$', '`', UNKNOWN_START]));
        (text.contains("://") || text.contains('@') && text.contains(':')) && is_known
    };
    !rest.iter().any(is_here) && operands.any(is_address)
}

/// Whether a word of `git restore` names another commit.
fn is_source(word: &Word) -> bool {
    let text = word.text.as_ref();
    let is_short = text.starts_with("-s") && !text.starts_with("-sHEAD");
    is_short || text.starts_with("--so") && !text.ends_with("=HEAD")
}

/// Whether a name is the one of the commit that the job runs on.
fn is_at_hand(commit: &str) -> bool {
    let is_hash = commit.contains("github.sha") || commit.contains("GITHUB_SHA");
    AT_HAND.contains(&commit) || is_hash && !commit.contains(['^', '~'])
}
