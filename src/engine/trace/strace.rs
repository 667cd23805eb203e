//! One line of `strace -f -y`, as a call with its arguments and its outcome.
//!
//! With `-y` a handle carries its path, so that a relative name is resolved without
//! a table of open files. A call that another process interrupts comes in two
//! halves; whoever reads the log joins them.
//!
//! Nothing here knows which call uses a file.

use std::fmt::Write as _;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// A call and how it ended.
    Call(Call),
    /// The first half of a call.
    Unfinished {
        /// The process.
        process: u32,
        /// From the name of the call on.
        text: &'a str,
    },
    /// The second half of a call.
    Resumed {
        /// The process.
        process: u32,
        /// What follows the first half.
        text: &'a str,
    },
    /// A process is gone.
    Ended {
        /// The process.
        process: u32,
    },
    /// A signal, or an empty line.
    Other,
}

/// A call of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The process; 0 when the log holds only one.
    pub process: u32,
    /// Its name: `openat`.
    pub name: String,
    /// Its arguments in order.
    pub arguments: Vec<Argument>,
    /// The number it returned, if it fits: a child, a handle.
    pub value: Option<u32>,
    /// The path of the handle that it returned.
    pub path: Option<String>,
    /// The name of its error: `ENOENT`.
    pub error: Option<String>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A string, unescaped.
    Text(String),
    /// A handle of an open file or directory, with its path where it has one.
    Handle(Option<String>),
    /// Anything else, as written.
    Other(String),
}

/// Reads one line; `None` when it has no known form.
pub fn parse(line: &str) -> Option<Line<'_>> {
    let (process, rest) = process(line.trim_end());
    // `???( ) = ?` is a process that was killed before its call could be read.
    if rest.is_empty() || rest.starts_with("---") || rest.starts_with("???(") {
        return Some(Line::Other);
    }
    if rest.starts_with("+++") {
        return Some(Line::Ended { process });
    }
    if let Some(text) = rest.strip_suffix("<unfinished ...>") {
        return Some(Line::Unfinished { process, text });
    }
    if let Some(rest) = rest.strip_prefix("<... ") {
        let (_, text) = rest.split_once(" resumed>")?;
        return Some(Line::Resumed { process, text });
    }
    call(process, rest).map(Line::Call)
}

/// `12 open(`, `[pid 12] open(` or `open(`.
fn process(line: &str) -> (u32, &str) {
    let bare = line.strip_prefix("[pid ").map(str::trim_start);
    let text = bare.unwrap_or(line);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    match number.parse() {
        Ok(process) => (process, rest.trim_start_matches(']').trim_start()),
        Err(_) => (0, line.trim_start()),
    }
}

fn call(process: u32, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    let mut cursor = Cursor { rest };
    let arguments = cursor.arguments()?;
    let outcome = cursor.rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, after) = outcome.split_once(' ').unwrap_or((outcome, ""));
    let handle = Cursor { rest: outcome }.handle();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let fails = value == "-1" || value == "?" && after.starts_with("ERESTART");
    Some(Call {
        process,
        name: name.to_owned(),
        arguments,
        value: value.get(..digits).and_then(|digits| digits.parse().ok()),
        path: match handle {
            Some(Argument::Handle(path)) => path,
            _ => None,
        },
        error: fails.then(|| after.split(' ').next().unwrap_or_default().to_owned()),
    })
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    /// Up to and with the bracket that closes the call.
    fn arguments(&mut self) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches([' ', ',']);
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return Some(arguments);
            }
            let before = self.rest.len();
            arguments.push(self.argument()?);
            // A bracket that nothing opened would be met again and again.
            if self.rest.len() == before {
                return None;
            }
        }
    }

    fn argument(&mut self) -> Option<Argument> {
        if self.rest.starts_with('"') {
            return self.string().map(Argument::Text);
        }
        if let Some(handle) = self.handle() {
            return Some(handle);
        }
        self.other().map(Argument::Other)
    }

    /// `"a\tb"`, with an optional `...` behind it.
    fn string(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix('"')?;
        let text = self.until('"')?;
        self.rest = self.rest.trim_start_matches("...");
        Some(text)
    }

    /// `AT_FDCWD</a>`, `AT_FDCWD`, `3</a>`, `3<pipe:[7]>`; a bare number is none.
    fn handle(&mut self) -> Option<Argument> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = match self.rest.strip_prefix("AT_FDCWD") {
            Some(after) => after,
            None if digits > 0 => self.rest.get(digits..)?,
            None => return None,
        };
        let Some(path) = after.strip_prefix('<') else {
            if digits > 0 {
                return None;
            }
            self.rest = after;
            return Some(Argument::Handle(None));
        };
        self.rest = path;
        let path = self.until('>')?;
        // A file that was removed while it was open keeps its mark inside `<>`.
        self.rest = self.rest.trim_start_matches("(deleted)");
        Some(Argument::Handle(path.starts_with('/').then_some(path)))
    }

    /// Anything up to the comma or bracket that ends the argument, with strings,
    /// comments and nested brackets in it.
    fn other(&mut self) -> Option<String> {
        let mut depth = 0_u32;
        let mut text = String::new();
        loop {
            let c = self.rest.chars().next()?;
            match c {
                '"' => {
                    write!(text, "{:?}", self.string()?).ok()?;
                    continue;
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' | ',' if depth == 0 => return Some(text),
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            text.push(c);
            self.rest = self.rest.get(c.len_utf8()..)?;
        }
    }

    /// The text before `end`, unescaped; bytes that are not UTF-8 become `\xNN`.
    fn until(&mut self, end: char) -> Option<String> {
        let mut bytes = Vec::new();
        let mut chars = self.rest.char_indices();
        loop {
            let (at, c) = chars.next()?;
            if c == end {
                self.rest = self.rest.get(at + end.len_utf8()..)?;
                return Some(readable(&bytes));
            }
            if c != '\\' {
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                continue;
            }
            match chars.next()?.1 {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                'v' => bytes.push(0x0b),
                'f' => bytes.push(0x0c),
                first @ '0'..='7' => bytes.push(octal(first, &mut chars)),
                'x' => bytes.push(hexadecimal(&mut chars)?),
                other => bytes.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
    }
}

/// Up to three octal digits; strace writes fewer where none follows.
fn octal(first: char, chars: &mut std::str::CharIndices<'_>) -> u8 {
    let mut value = first.to_digit(8).unwrap_or_default();
    for _ in 0..2 {
        let next = chars.clone().next().and_then(|(_, c)| c.to_digit(8));
        let Some(digit) = next else { break };
        value = value * 8 + digit;
        chars.next();
    }
    u8::try_from(value & 0xff).unwrap_or_default()
}

fn hexadecimal(chars: &mut std::str::CharIndices<'_>) -> Option<u8> {
    let high = chars.next()?.1.to_digit(16)?;
    let low = chars.next()?.1.to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let digits = [byte >> 4, byte & 15];
            text.push_str("\\x");
            text.extend(digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: &str) {
        let text = match parse(line) {
            Some(Line::Call(call)) => {
                let outcome = call
                    .error
                    .or(call.path)
                    .or(call.value.map(|v| v.to_string()));
                format!(
                    "{} {} {:?} {:?}",
                    call.process, call.name, call.arguments, outcome
                )
            }
            other => format!("{other:?}"),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn a_call_has_process_name_arguments_and_outcome() {
        check(
            r#"4864  openat(AT_FDCWD</tmp>, "/etc/x", O_RDONLY|O_CLOEXEC) = 3</etc/x>"#,
            r#"4864 openat [Handle(Some("/tmp")), Text("/etc/x"), Other("O_RDONLY|O_CLOEXEC")] Some("/etc/x")"#,
        );
        check(
            r#"[pid  77] access("a", R_OK) = -1 ENOENT (No such file or directory)"#,
            r#"77 access [Text("a"), Other("R_OK")] Some("ENOENT")"#,
        );
        check(
            r#"chdir("/work")                    = 0"#,
            r#"0 chdir [Text("/work")] Some("0")"#,
        );
        check("9 exit_group(0) = ?", r#"9 exit_group [Other("0")] None"#);
    }

    #[test]
    fn nested_arguments_are_one() {
        check(
            r#"1 execve("/bin/sh", ["sh", "-c", "a, b)"...], 0x7ff /* 35 vars */) = 0"#,
            r#"1 execve [Text("/bin/sh"), Other("[\"sh\", \"-c\", \"a, b)\"]"), Other("0x7ff /* 35 vars */")] Some("0")"#,
        );
        check(
            r#"1 newfstatat(3</a>, "", {st_mode=S_IFREG|0644, ...}, AT_EMPTY_PATH) = 0"#,
            r#"1 newfstatat [Handle(Some("/a")), Text(""), Other("{st_mode=S_IFREG|0644, ...}"), Other("AT_EMPTY_PATH")] Some("0")"#,
        );
    }

    #[test]
    fn escaped_names_are_names() {
        check(
            r#"1 stat("\303\251\t\"\\\1772", 0x1) = 0"#,
            "1 stat [Text(\"é\\t\\\"\\\\\\u{7f}2\"), Other(\"0x1\")] Some(\"0\")",
        );
        check(
            r#"1 stat("\377", 0x1) = 0"#,
            r#"1 stat [Text("\\xff"), Other("0x1")] Some("0")"#,
        );
        check(
            r"1 fchdir(3</a\76b>) = 0",
            r#"1 fchdir [Handle(Some("/a>b"))] Some("0")"#,
        );
        check(
            "1 fchdir(3<pipe:[7]>) = 0",
            r#"1 fchdir [Handle(None)] Some("0")"#,
        );
    }

    #[test]
    fn halves_signals_and_ends_are_told_apart() {
        let half = r#"12 openat(AT_FDCWD</a>, "b", O_RDONLY <unfinished ...>"#;
        assert!(matches!(
            parse(half),
            Some(Line::Unfinished { process: 12, .. })
        ));
        assert_eq!(
            parse("12 <... openat resumed>) = 3</a/b>"),
            Some(Line::Resumed {
                process: 12,
                text: ") = 3</a/b>"
            })
        );
        assert_eq!(
            parse("12 --- SIGCHLD {si_signo=SIGCHLD} ---"),
            Some(Line::Other)
        );
        assert_eq!(
            parse("12 +++ exited with 0 +++"),
            Some(Line::Ended { process: 12 })
        );
        assert_eq!(parse("hello"), None);
    }

    #[test]
    fn a_process_killed_before_its_call_was_read_used_nothing() {
        assert_eq!(parse("2187 ???( )                = ?"), Some(Line::Other));
    }

    #[test]
    fn a_bracket_that_nothing_opened_ends_the_reading() {
        assert_eq!(parse("1 open(]) = 0"), None);
        assert_eq!(parse("1 open(\"a\"}, 1) = 0"), None);
    }

    proptest! {
        #[test]
        fn no_line_panics(line in r#"([0-9 ]{0,6}[a-z]{1,6}\()?["<>\\(){}\[\], =a-z0-9./-]{0,60}"#) {
            drop(parse(&line));
        }
    }
}
