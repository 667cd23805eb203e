//! How deep a source nests, before a recursive parser is let loose on it.
//!
//! Parsers and visitors of foreign text use the stack. Ordinary files need little;
//! a generated file may need much; a hostile one wants all of it. So the depth is
//! estimated by one pass over the bytes: shallow files run as they are, deep ones on
//! a larger stack, and those beyond any sense are not parsed at all.

use crate::engine::facts::{Dynamic, Facts, Reach, When};

/// Deeper than this, a larger stack is taken.
const SHALLOW: usize = 150;
/// Deeper than this, the file is not read.
const DEEPEST: usize = 6_000;
/// The larger stack, in bytes; only pages that are touched cost memory.
const LARGE_STACK: usize = 256 * 1024 * 1024;

/// Runs `read` on a stack that suffices for the source; `None` when the source
/// nests so deep that it is not read.
pub(in crate::engine) fn guarded<T>(source: &str, read: impl FnOnce() -> T) -> Option<T> {
    match depth(source.as_bytes()) {
        0..=SHALLOW => Some(read()),
        depth if depth <= DEEPEST => Some(stacker::grow(LARGE_STACK, read)),
        _ => None,
    }
}

/// Reads the facts of a source on a stack that suffices; of one that is not read it is
/// known that it may reach anything.
pub(super) fn facts(source: &str, read: impl FnOnce() -> Facts) -> Facts {
    guarded(source, read).unwrap_or_else(|| Facts {
        dynamic: vec![Dynamic {
            when: When::Used,
            reach: Reach::Repository,
            what: "a file that nests too deep to be read".into(),
            line: 1,
        }],
        broken: true,
        ..Facts::default()
    })
}

/// The largest sum of open brackets and of operators in one stretch without a
/// separator. Brackets in strings of one line and in line comments do not count.
fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut chain, mut deepest) = (0_usize, 0_usize, 0_usize);
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'(' | b'[' | b'{' => {
                open += 1;
                chain = 0;
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b',' | b';' => chain = 0,
            b'\n' if open == 0 => chain = 0,
            b'"' | b'\'' => rest = after_string(tail, *first),
            b'+' | b'-' | b'*' | b'%' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>' | b'!' | b'?'
            | b':' | b'.' | b'@' => chain += 1,
            b' ' if is_nesting_word(tail) => chain += 1,
            _ => continue,
        }
        deepest = deepest.max(open + chain);
    }
    deepest
}

/// Words that nest without a bracket: `not not x`, `else if`, `await await x`.
fn is_nesting_word(tail: &[u8]) -> bool {
    let words: &[&[u8]] = match tail.first() {
        Some(b'n') => &[b"not ", b"new "],
        Some(b'i') => &[b"if "],
        Some(b'a') => &[b"await "],
        Some(b't') => &[b"typeof "],
        Some(b'v') => &[b"void "],
        _ => &[],
    };
    words.iter().any(|word| tail.starts_with(word))
}

/// What follows a string of one line; everything, when it does not end on its line.
fn after_string(tail: &[u8], quote: u8) -> &[u8] {
    let mut rest = tail;
    loop {
        match rest {
            [b'\\', _, next @ ..] => rest = next,
            [b'\n', ..] | [] => return tail,
            [byte, next @ ..] if *byte == quote => return next,
            [_, next @ ..] => rest = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_and_chains() {
        let check = |source: &str, expected: usize| {
            assert_eq!(depth(source.as_bytes()), expected, "{source}");
        };
        check("f(a, [b, {c}])", 3);
        check("x = a + b + c\ny = d + e\n", 2);
        check("f(')', '(((')", 1);
        check("don't (a)", 1);
        check("x = not not y", 2);
    }

    #[test]
    fn a_source_deeper_than_any_sense_is_not_read() {
        assert_eq!(guarded(&"(".repeat(10_000), || 1), None);
        assert_eq!(guarded(&"(".repeat(1_000), || 1), Some(1));
        assert_eq!(guarded("", || 1), Some(1));
    }
}
