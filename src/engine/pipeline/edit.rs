//! Edits of a workflow file that change no byte which they do not own.
//!
//! An edit adds whole lines or puts a line in place of others, and says so in the
//! file: a line that is ours ends in a mark, many stand between two, and what a line
//! replaced stands above it as a comment, letter for letter. So [`undo`] needs nothing
//! but the file, and gives back every byte. Whether an edit means what it should is [`verify()`]'s question:
//! YAML has anchors, and a line can mean more than it says.
//!
//! Nothing here knows what a gate is.

mod verify;

pub use verify::{Change, Unequal, verify};

/// The end of a line that is ours.
const MARK: &str = " # trimtab";

/// How the lines begin that edits make.
const LINES: &[&str] = &["needs: [", "if: \""];

/// The comments around a block of lines that are ours.
const BEGIN: &str = "# trimtab-begin: `trimtab rewrite` writes this and takes it away";
const END: &str = "# trimtab-end";

/// The beginning of a comment that holds a line as it was.
const WAS: &str = "# trimtab-was:";

/// A change of lines; lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Adds a line after this one.
    After {
        /// The line.
        line: usize,
        /// What is added, without its end.
        text: String,
    },
    /// Adds a block of lines after this one.
    Block {
        /// The line.
        line: usize,
        /// The block, each line with its end.
        text: String,
        /// By how many spaces the block is indented.
        indent: usize,
    },
    /// Puts one line in place of others.
    Instead {
        /// The first line that is replaced.
        first: usize,
        /// The last.
        last: usize,
        /// The new line, without its end.
        text: String,
    },
}

impl Edit {
    fn line(&self) -> usize {
        match self {
            Self::After { line, .. } | Self::Block { line, .. } => *line,
            Self::Instead { first, .. } => *first,
        }
    }
}

/// Whether a text already holds something that looks like a mark of ours.
pub fn is_marked(text: &str) -> bool {
    [MARK, WAS, BEGIN, END]
        .iter()
        .any(|mark| text.contains(mark))
}

/// The text with the edits made. Edits do not overlap; their order does not count,
/// but those after one line stand in the order given.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.line());
    let mut edits = edits.into_iter().peekable();
    let mut out = String::with_capacity(text.len() + 4096);
    let mut until = 0;
    for (number, line) in (1..).zip(lines(text)) {
        while let Some(Edit::Instead {
            last, text: new, ..
        }) =
            edits.next_if(|edit| matches!(edit, Edit::Instead { first, .. } if *first == number))
        {
            until = *last;
            push_was(&mut out, (text, number, *last), new);
            push(&mut out, new, end_of(line));
        }
        if number > until {
            out.push_str(line);
        }
        while let Some(edit) = edits.next_if(|edit| edit.line() == number) {
            match edit {
                Edit::After { text, .. } => push(&mut out, text, end_of(line)),
                Edit::Block { text, indent, .. } => {
                    push_block(&mut out, (text, *indent), end_of(line));
                }
                Edit::Instead { .. } => {}
            }
        }
    }
    out
}

/// A text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The text without our lines, and with what they replaced.
    pub original: String,
    /// Our lines alone, in order.
    pub ours: String,
}

/// Takes a text apart; `None` when its marks are not as we write them: a block that is
/// not closed or opened twice, a mark on a line that no edit of ours makes, a kept line
/// without the line that took its place, or any of these in a text without a block.
///
/// What is not certainly ours is never taken out of a file.
pub fn split(text: &str) -> Option<Parts> {
    let mut parts = Parts {
        original: String::with_capacity(text.len()),
        ours: String::new(),
    };
    let (mut in_block, mut blocks) = (false, 0);
    // The indentation of the kept lines before this one.
    let mut kept: Option<usize> = None;
    for line in lines(text) {
        let end = end_of(line);
        let body = line.strip_suffix(end).unwrap_or(line);
        let comment = body.trim_start_matches(' ');
        let indent = body.len() - comment.len();
        if kept.is_some_and(|kept| kept != indent || !is_line(comment) && !comment.starts_with(WAS))
        {
            return None;
        }
        kept = (!in_block && comment.starts_with(WAS)).then_some(indent);
        if comment == BEGIN || comment == END {
            let opens = comment == BEGIN;
            if opens == in_block {
                return None;
            }
            in_block = opens;
            blocks += usize::from(opens);
            parts.ours.push_str(line);
        } else if in_block {
            parts.ours.push_str(line);
        } else if let Some(was) = comment.strip_prefix(WAS) {
            parts.original.push_str(was);
            parts.original.push_str(end);
        } else if body.ends_with(MARK) {
            if !is_line(comment) {
                return None;
            }
            parts.ours.push_str(line);
        } else {
            parts.original.push_str(line);
        }
    }
    let is_ours = blocks == 1 || blocks == 0 && parts.original == text;
    (!in_block && kept.is_none() && is_ours).then_some(parts)
}

/// Whether an edit of ours makes such a line.
fn is_line(line: &str) -> bool {
    line.ends_with(MARK) && LINES.iter().any(|form| line.starts_with(form))
}

/// The text without our lines, and with what they replaced; see [`split`].
pub fn undo(text: &str) -> Option<String> {
    split(text).map(|parts| parts.original)
}

/// Lines with their ends.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
}

fn push_was(out: &mut String, (text, first, last): (&str, usize, usize), new: &str) {
    let indent = new.len() - new.trim_start_matches(' ').len();
    for old in lines(text).skip(first - 1).take(last + 1 - first) {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(WAS);
        out.push_str(old);
    }
}

fn push_block(out: &mut String, (text, indent): (&str, usize), end: &str) {
    let indent = " ".repeat(indent);
    let fences = [BEGIN].into_iter().chain(text.lines()).chain([END]);
    for line in fences {
        if !line.is_empty() {
            out.push_str(&indent);
            out.push_str(line);
        }
        out.push_str(end);
    }
}

fn push(out: &mut String, new: &str, end: &str) {
    out.push_str(new);
    out.push_str(MARK);
    out.push_str(end);
}

/// How a line ends: as its file does.
fn end_of(line: &str) -> &str {
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(line: usize, text: &str) -> Edit {
        Edit::After {
            line,
            text: text.to_owned(),
        }
    }

    fn instead(first: usize, last: usize, text: &str) -> Edit {
        Edit::Instead {
            first,
            last,
            text: text.to_owned(),
        }
    }

    fn check(text: &str, edits: &[Edit], expected: &str) {
        assert_eq!(apply(text, edits), expected);
        // A rewrite always has a block.
        let mut edits = edits.to_vec();
        if !edits.iter().any(|edit| matches!(edit, Edit::Block { .. })) {
            edits.push(block(1));
        }
        assert_eq!(undo(&apply(text, &edits)).as_deref(), Some(text));
    }

    fn block(line: usize) -> Edit {
        Edit::Block {
            line,
            text: "x:\n".to_owned(),
            indent: 2,
        }
    }

    #[test]
    fn added_and_replaced_lines_are_marked_and_taken_back() {
        check(
            "a:\n  b: 1 # x\n  c: >-\n    two\n    lines\n\n  d: 4\n",
            &[after(1, "  needs: [0]"), instead(3, 5, "  if: \"3\"")],
            "a:\n  needs: [0] # trimtab\n  b: 1 # x\n  # trimtab-was:  c: >-\n  # trimtab-was:    two\n  # trimtab-was:    lines\n  if: \"3\" # trimtab\n\n  d: 4\n",
        );
    }

    #[test]
    fn a_block_stands_between_two_comments() {
        let block = Edit::Block {
            line: 1,
            text: "x:\n  y: |\n\n    z\n".to_owned(),
            indent: 2,
        };
        check(
            "a:\n  b: 1\n",
            &[block],
            "a:\n  # trimtab-begin: `trimtab rewrite` writes this and takes it away\n  x:\n    y: |\n\n      z\n  # trimtab-end\n  b: 1\n",
        );
    }

    #[test]
    fn the_ends_of_lines_stay_those_of_the_file() {
        check(
            "a:\r\n  b: 1\r\n",
            &[after(1, "  needs: [0]"), instead(2, 2, "  if: \"2\"")],
            "a:\r\n  needs: [0] # trimtab\r\n  # trimtab-was:  b: 1\r\n  if: \"2\" # trimtab\r\n",
        );
    }

    #[test]
    fn a_mark_of_ours_in_a_foreign_text_is_seen() {
        assert!(is_marked("a: 1 # trimtab\n"));
        assert!(is_marked("# trimtab-was:x\n"));
        assert!(!is_marked("a: 1 # trim tab\n"));
    }

    #[test]
    fn what_is_not_certainly_ours_is_never_taken_out() {
        let block = format!("jobs:\n  {BEGIN}\n  x:\n  {END}\n  a: 1\n");
        assert_eq!(undo(&block).as_deref(), Some("jobs:\n  a: 1\n"));
        for broken in [
            block.replace(END, "# gone"),
            block.replace(BEGIN, "# gone"),
            format!("{block}{block}"),
            "- run: echo keep me # trimtab\n".to_owned(),
            "- run: |\n    # trimtab-was: nothing\n    echo\n".to_owned(),
            "- run: |\n    needs: [x] # trimtab\n".to_owned(),
            format!("{block}  # trimtab-was:  needs: x\n"),
            format!("{block}  # trimtab-was:  needs: x\n    needs: [y] # trimtab\n"),
        ] {
            assert_eq!(undo(&broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_comes_back(
            body in prop::collection::vec("[ a-z:#'\"|>{}éß]{0,12}(\r)?", 1..12),
            at in prop::collection::vec((0usize..12, 0usize..3, any::<bool>()), 0..4),
        ) {
            let text = body.join("\n") + "\n";
            prop_assume!(!is_marked(&text));
            let mut free = 1;
            let mut edits = Vec::new();
            let mut at = at;
            at.sort_unstable();
            for (line, more, adds) in at {
                let (first, last) = (line + 1, line + 1 + more);
                if first < free || last > body.len() {
                    continue;
                }
                free = last + 1;
                edits.push(if adds { after(first, "  needs: [y]") } else { instead(first, last, " if: \"w\"") });
            }
            edits.push(block(1));
            let edited = apply(&text, &edits);
            prop_assert_eq!(undo(&edited), Some(text));
        }
    }
}
