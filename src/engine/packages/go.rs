//! Reads `go.mod`.
//!
//! The grammar is line based: a directive, or a block of them in parentheses
//! (<https://go.dev/ref/mod#go-mod-file>).

use super::Declared;

/// What a `go.mod` declares.
pub(super) fn go_mod(text: &str) -> Declared {
    let mut declared = Declared::default();
    for (directive, rest) in directives(text) {
        let first = rest.split_whitespace().next().unwrap_or_default();
        let first = first.trim_matches(['"', '`']);
        match directive {
            "module" => declared.name = Some(first.into()),
            "require" | "tool" => declared.require(first),
            _ => {}
        }
    }
    declared
}

/// Every directive with what follows it, blocks unfolded and comments dropped.
pub(crate) fn directives(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut block: Option<&str> = None;
    text.lines().filter_map(move |line| {
        let line = line.split("//").next().unwrap_or_default().trim();
        if line == ")" {
            block = None;
            return None;
        }
        if let Some(directive) = block {
            return (!line.is_empty()).then_some((directive, line));
        }
        let (directive, rest) = line.split_once([' ', '\t', '('])?;
        if line.ends_with('(') {
            block = Some(directive.trim_end_matches('('));
            return None;
        }
        Some((directive, rest.trim()))
    })
}
