//! Whether a literal is content that is written or compared, and no path.
//!
//! A test of a tool that reads paths is full of literals such as `../..` that it
//! writes into a file or compares with. Such a literal leads nowhere. Only what the
//! call itself shows counts: its name, or the name of the parameter of a function of
//! the same file.
//!
//! A doubt makes it a path.

use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

/// Names of parameters that take content.
const CONTENT: &[&str] = &[
    "content", "contents", "text", "body", "data", "bytes", "expected", "want", "haystack",
];

/// A call that is open, and how many of its arguments have ended.
#[derive(Clone, Copy)]
struct Call<'a> {
    name: &'a str,
    ended: usize,
}

/// Whether the string that starts at a byte is content by the call around it.
pub(super) fn is_content(source: &str, start: usize) -> bool {
    let mut tokens = code(source);
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut last = "";
    while let Some(token) = tokens.next() {
        if token.start >= start {
            let is_last = tokens.next().is_some_and(|next| next.is(")"));
            return calls
                .last()
                .is_some_and(|call| takes_content(source, *call, is_last));
        }
        match (token.kind, token.text) {
            (Kind::Punct, "(" | "[" | "{") => {
                let name = if token.text == "(" { last } else { "" };
                calls.push(Call { name, ended: 0 });
            }
            (Kind::Punct, ")" | "]" | "}") => drop(calls.pop()),
            (Kind::Punct, ",") => {
                if let Some(call) = calls.last_mut() {
                    call.ended += 1;
                }
            }
            _ => {}
        }
        last = match token.kind {
            Kind::Word => token.text,
            // `assert_eq!(`
            Kind::Punct if token.text == "!" => last,
            _ => "",
        };
    }
    false
}

fn code(source: &str) -> impl Iterator<Item = Token<'_>> {
    Scanner::new(Dialect::Rust, source).filter(|token| token.kind != Kind::Comment)
}

fn takes_content(source: &str, call: Call<'_>, is_last: bool) -> bool {
    if matches!(call.name, "assert_eq" | "assert_ne") {
        return true;
    }
    let makes_file = call.name.starts_with("write") || call.name.starts_with("create");
    call.ended > 0
        && (makes_file && is_last
            || parameter(source, call).is_some_and(|name| CONTENT.contains(&name)))
}

/// The name of the parameter that the call fills, where this file defines the function.
fn parameter<'s>(source: &'s str, call: Call<'_>) -> Option<&'s str> {
    let mut tokens = code(source);
    while let Some(token) = tokens.next() {
        if token.is_word("fn") && tokens.next().is_some_and(|name| name.is_word(call.name)) {
            break;
        }
    }
    tokens.find(|token| token.is("("))?;
    let (mut depth, mut index, mut name) = (0_u32, 0, None);
    for token in tokens {
        match token.text {
            "(" | "[" | "{" | "<" if token.kind == Kind::Punct => depth += 1,
            ")" if depth == 0 && token.kind == Kind::Punct => break,
            ")" | "]" | "}" | ">" if token.kind == Kind::Punct => depth = depth.saturating_sub(1),
            "," if depth == 0 => index += 1,
            // A receiver is no argument of the call.
            "self" => return None,
            ":" if depth == 0 && index == call.ended => return name,
            text if token.kind == Kind::Word && depth == 0 => name = Some(text),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: bool) {
        let start = source.find("\"../..\"").unwrap();
        assert_eq!(is_content(source, start), expected, "{source}");
    }

    #[test]
    fn what_is_written_to_a_file_or_compared_is_no_path() {
        check("fn t() { fs::write(root.join(\"a\"), \"../..\"); }", true);
        check("fn t() { dir.create(\"a/commondir\", \"../..\"); }", true);
        check("fn t() { assert_eq!(clean(a), \"../..\"); }", true);
        let own = "fn wfile<P: AsRef<Path>>(path: P, contents: &str) {}\n";
        check(&format!("{own}fn t() {{ wfile(dir(), \"../..\"); }}"), true);
    }

    #[test]
    fn what_may_be_opened_is_a_path() {
        check("fn t() { Path::new(\"../..\"); }", false);
        check("fn t() { assert_eq!(walk(\"../..\"), 3); }", false);
        check("fn t() { join(root, \"../..\"); }", false);
        check("fn t() { fs::write(\"../..\", text); }", false);
        check("fn t() { create(\"a\", \"../..\", 3); }", false);
        check("const ROOT: &str = concat!(env!(\"D\"), \"../..\");", false);
        let own = "fn list(base: &Path, below: &str) {}\n";
        check(&format!("{own}fn t() {{ list(dir(), \"../..\"); }}"), false);
    }
}
