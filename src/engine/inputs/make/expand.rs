//! Variables of make: `$(NAME)` by what the makefile and the command line say.
//!
//! Expansion is bounded in depth, in steps and in length: a makefile that doubles its
//! variables ends as unknown.

use super::{Rules, patterns};
use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START};

/// How long a text may be, in bytes.
pub(super) const TEXT: usize = 64 * 1024;

/// How deep calls of the shell may stand in each other.
const NESTED: u32 = 12;

/// What `$@` and `$*` are in a rule.
pub(super) type Own<'o> = Option<(&'o str, &'o str)>;

/// The text with `$(NAME)` replaced; what is not known is marked. `$$` stays.
pub(super) fn expanded(text: &str, rules: &Rules, own: Own<'_>, depth: u32) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if !rules.spend(1) || out.len() > TEXT {
            rules.give_up();
            return marked("…");
        }
        let close = match after.chars().next() {
            Some('(') => ')',
            Some('{') => '}',
            Some('$') => {
                out.push_str("$$");
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            Some(c) => {
                match value(rules, own, c.encode_utf8(&mut [0; 4])) {
                    Some(known) => out.push_str(known),
                    None => out.push_str(&marked(&format!("${c}"))),
                }
                rest = after.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            None => break,
        };
        let inner = after.get(1..).unwrap_or_default();
        let Some((name, tail)) = balanced(inner, close) else {
            out.push_str(&marked(inner));
            return out;
        };
        rest = tail;
        out.push_str(&reference(name, rules, own, depth));
    }
    out.push_str(rest);
    out
}

/// What `$(NAME)` stands for.
fn reference(name: &str, rules: &Rules, own: Own<'_>, depth: u32) -> String {
    let is_deep = depth >= 12;
    let inner = |text: &str| expanded(text, rules, own, depth + 1);
    // A name that is put together, and words that are rewritten.
    let computed = (name.contains('$') && !is_deep).then(|| inner(name));
    let name = computed.as_deref().unwrap_or(name);
    let known = |name: &str| value(rules, own, name).map(inner);
    if !is_deep && let Some(words) = patterns::rewritten(name, known) {
        return words;
    }
    match (name, value(rules, own, name)) {
        ("MAKE", _) => "make".to_owned(),
        ("CURDIR" | "PWD", _) => ".".to_owned(),
        ("AT" | "Q" | "V", None) => String::new(),
        // Messages while the file is read: nothing stands for them, but for what they ask.
        (name, _) if is_message(name) => {
            if name.contains(UNKNOWN_START) {
                marked(name)
            } else {
                String::new()
            }
        }
        (_, Some(value)) if !is_deep => inner(value),
        // A variable that nobody sets is empty, unless the environment has it:
        // then it is whoever calls make that must be known.
        (name, value) => {
            let asks = |text: &str| text.contains("(shell") || text.contains("{shell");
            let used = used(name).and_then(|name| self::value(rules, own, name));
            if is_deep {
                let mut texts = [Some(name), value, used].into_iter().flatten();
                if texts.any(asks) {
                    rules.give_up();
                }
                return marked(name);
            }
            match used.map(inner) {
                Some(used) => marked(&format!("{name} {used}")),
                None => marked(name),
            }
        }
    }
}

/// Whether a call only prints something.
fn is_message(call: &str) -> bool {
    let name = call.split(char::is_whitespace).next().unwrap_or_default();
    ["info", "warning"].contains(&name) && name.len() < call.len()
}

/// Whether a text that was expanded sets variables or rules anew.
pub(super) fn evaluates(text: &str) -> bool {
    let mut calls = text.split(UNKNOWN_START).skip(1);
    calls.any(|call| call.trim_start().starts_with("eval"))
}

/// The variable whose words a reference rewrites, or that it calls as a function.
fn used(name: &str) -> Option<&str> {
    let called = name
        .strip_prefix("call ")
        .map(|call| call.split(',').next());
    let rewritten = || name.split_once(':').map(|(name, _)| name);
    called.flatten().or_else(rewritten).map(str::trim)
}

fn value<'v>(rules: &'v Rules, own: Own<'v>, name: &str) -> Option<&'v str> {
    match (name, own) {
        ("@", Some((goal, _))) => Some(goal),
        ("*", Some((_, stem))) => Some(stem),
        _ => rules.variables.get(name).map(String::as_str),
    }
}

/// A text that nobody knows.
pub(super) fn marked(text: &str) -> String {
    format!("{UNKNOWN_START}{text}{UNKNOWN_END}")
}

/// A text that was expanded, and what it asks the shell for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Each call of `$(shell ...)`, those inside of others as substitutions of the shell.
    pub(super) commands: Vec<String>,
    /// The text with these calls as substitutions of the shell.
    pub(super) text: String,
}

/// What a text that was expanded asks the shell for; calls are marked in it.
pub(super) fn asked(text: &str, depth: u32) -> Asked {
    let mut asked = Asked::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(UNKNOWN_START) {
        asked.text.push_str(before);
        let (inner, tail) = closed(after);
        rest = tail;
        let call = inner.trim_start().strip_prefix("shell");
        let is_call = |call: &&str| call.starts_with(char::is_whitespace);
        let call = call.filter(is_call).filter(|call| !call.trim().is_empty());
        if depth >= NESTED {
            // What lies so deep is a command that nobody knows.
            asked.commands.push(marked(&plain(inner)));
            asked.text.push_str(&marked(&plain(inner)));
        } else if let Some(call) = call {
            let command = self::asked(call, depth + 1).text;
            // With a blank, since `$((` would begin arithmetic.
            asked.text.push_str("$( ");
            asked.text.push_str(command.trim());
            asked.text.push(')');
            asked.commands.push(command);
        } else {
            asked
                .commands
                .extend(self::asked(inner, depth + 1).commands);
            if !is_message(inner) {
                asked.text.push_str(&marked(&plain(inner)));
            }
        }
    }
    asked.text.push_str(rest);
    asked
}

/// What stands before the end of a mark that was opened, marks inside of it included, and
/// what stands behind it.
fn closed(text: &str) -> (&str, &str) {
    let mut open = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            UNKNOWN_START => open += 1,
            UNKNOWN_END => open -= 1,
            _ => continue,
        }
        if open == 0 {
            let behind = text.get(at + c.len_utf8()..);
            return (
                text.get(..at).unwrap_or_default(),
                behind.unwrap_or_default(),
            );
        }
    }
    (text, "")
}

/// The text with marks that do not stand in each other.
pub(super) fn flat(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(UNKNOWN_START) {
        let (inner, tail) = closed(after);
        out.push_str(before);
        if !is_message(inner) {
            out.push_str(&marked(&plain(inner)));
        }
        rest = tail;
    }
    out + rest
}

/// A text without marks.
fn plain(text: &str) -> String {
    text.replace([UNKNOWN_START, UNKNOWN_END], "")
}

/// What stands in calls of a function of make in a text, in either kind of brackets.
pub(super) fn calls<'t>(text: &'t str, function: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    for (opener, close) in [("$(", ')'), ("${", '}')] {
        for rest in text.split(opener).skip(1) {
            let inner = rest.trim_start().strip_prefix(function);
            let Some(inner) = inner.filter(|it| it.starts_with(char::is_whitespace)) else {
                continue;
            };
            found.push(balanced(inner, close).map_or(inner, |(inner, _)| inner));
        }
    }
    found
}

fn balanced(text: &str, close: char) -> Option<(&str, &str)> {
    let opener = if close == ')' { '(' } else { '{' };
    let mut open = 1_u32;
    for (at, c) in text.char_indices() {
        if c == opener {
            open += 1;
        } else if c == close {
            open -= 1;
        }
        if open == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}
