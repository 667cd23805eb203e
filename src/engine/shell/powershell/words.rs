//! Words of PowerShell: quotes, variables and what is computed inside of a word.

use super::{Read, Reader, unknown};
use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START};

impl Reader {
    /// One word up to a blank or an operator.
    pub(super) fn word(&mut self) -> Read<()> {
        let begin = self.at;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '|' | ')' | '}' | '>' => break,
                '&' if self.peek_at(1) == Some('&') => break,
                '`' if self.peek_at(1) == Some('\n') => break,
                '\'' => self.single_quoted()?,
                '"' => self.double_quoted()?,
                '$' => self.variable()?,
                '(' => self.grouped()?,
                '`' => {
                    self.at += 1;
                    self.out.push('\\');
                    self.take();
                }
                '\\' => {
                    self.at += 1;
                    self.out.push('/');
                }
                UNKNOWN_START => self.marked(),
                '{' | '&' | '<' => return Err(format!("`{c}` in a word")),
                _ => self.take(),
            }
        }
        if self.at == begin {
            return Err("a word is missing".to_owned());
        }
        Ok(())
    }

    /// What was not known before.
    fn marked(&mut self) {
        while let Some(c) = self.peek() {
            self.take();
            if c == UNKNOWN_END {
                return;
            }
        }
    }

    fn single_quoted(&mut self) -> Read<()> {
        self.take();
        while let Some(c) = self.peek() {
            match (c, self.peek_at(1)) {
                ('\'', Some('\'')) => {
                    self.at += 2;
                    self.out.push_str("'\\''");
                }
                ('\'', _) => {
                    self.take();
                    return Ok(());
                }
                ('\\', _) => {
                    self.at += 1;
                    self.out.push('/');
                }
                _ => self.take(),
            }
        }
        Err("a text without its end".to_owned())
    }

    fn double_quoted(&mut self) -> Read<()> {
        self.take();
        while let Some(c) = self.peek() {
            match (c, self.peek_at(1)) {
                ('"', Some('"')) => {
                    self.at += 2;
                    self.out.push_str("\\\"");
                }
                ('"', _) => {
                    self.take();
                    return Ok(());
                }
                ('`', Some('"' | '$' | '`')) => {
                    self.at += 1;
                    self.out.push('\\');
                    self.take();
                }
                ('`', _) => {
                    self.at += 2;
                    self.out.push_str(&unknown("escape"));
                }
                ('$', Some(next)) if next.is_alphabetic() || matches!(next, '(' | '{' | '_') => {
                    self.substituted()?;
                }
                ('$', _) => {
                    self.at += 1;
                    self.out.push_str("\\$");
                }
                ('\\', _) => {
                    self.at += 1;
                    self.out.push('/');
                }
                (UNKNOWN_START, _) => self.marked(),
                _ => self.take(),
            }
        }
        Err("a text without its end".to_owned())
    }

    /// A variable in a word; a member of it is computed.
    fn variable(&mut self) -> Read<()> {
        self.substituted()?;
        let is_member =
            self.peek() == Some('.') && self.peek_at(1).is_some_and(char::is_alphabetic);
        if is_member
            || matches!(self.peek(), Some('['))
            || self.peek() == Some(':') && self.peek_at(1) == Some(':')
        {
            while self.peek().is_some_and(|c| {
                c.is_alphanumeric() || matches!(c, '.' | '[' | ']' | ':' | '_' | '-')
            }) {
                self.at += 1;
            }
            if self.peek() == Some('(') {
                return Err("a method".to_owned());
            }
            self.out.push_str(&unknown("member"));
        }
        Ok(())
    }

    /// `$NAME`, `${NAME}`, `$env:NAME` or `$(...)`.
    fn substituted(&mut self) -> Read<()> {
        self.at += 1;
        if self.peek() == Some('(') {
            self.out.push('$');
            return self.grouped_here();
        }
        let (name, is_plain) = self.name();
        if !is_plain {
            return Err("a variable that is not read".to_owned());
        }
        self.out.push_str("${");
        self.out.push_str(&name);
        self.out.push('}');
        Ok(())
    }

    /// The name of a variable as the POSIX script has it: variables of the environment
    /// keep theirs, those of PowerShell know no case.
    pub(super) fn name(&mut self) -> (String, bool) {
        let braced = self.peek() == Some('{');
        self.at += usize::from(braced);
        let mut name = String::new();
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
        {
            if c == ':' && !(name.eq_ignore_ascii_case("env") && self.peek_at(1) != Some(':')) {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        if braced {
            if self.peek() != Some('}') {
                return (name, false);
            }
            self.at += 1;
        }
        let lower = name.to_lowercase();
        let is_plain = !name.is_empty() && name != "_" && !name.ends_with(':') && name.is_ascii();
        let name = match lower.strip_prefix("env:") {
            Some(name) if name == "path" || name.starts_with("github_") => name.to_uppercase(),
            Some(_) => name.get("env:".len()..).unwrap_or_default().to_owned(),
            None if matches!(lower.as_str(), "home" | "pwd") => lower.to_uppercase(),
            None => format!("ps_{lower}"),
        };
        (name, is_plain)
    }

    /// `(...)`: the output of commands, and perhaps a member of it; never known.
    fn grouped(&mut self) -> Read<()> {
        self.out.push('$');
        self.grouped_here()?;
        self.out.push_str(&unknown("value"));
        if self.peek() == Some('.') {
            while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '.') {
                self.at += 1;
            }
            if self.peek() == Some('(') {
                return Err("a method".to_owned());
            }
        }
        Ok(())
    }

    fn grouped_here(&mut self) -> Read<()> {
        self.take();
        self.statements(Some(')'))?;
        self.take();
        Ok(())
    }
}

/// The words of a list `A,B`, and of a flag with its value behind a colon, with blanks
/// between them. What is quoted or in parentheses stays together.
pub(super) fn apart(word: &str, is_flag: bool) -> String {
    let mut out = String::with_capacity(word.len());
    let (mut quote, mut depth, mut is_open) = (None, 0_u32, is_flag);
    let mut letters = word.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                out.push(c);
                out.extend(letters.next());
                continue;
            }
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('(' | '{', _) => depth += 1,
            (')' | '}', _) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_plain = quote.is_none() && depth == 0;
        match c {
            ',' if is_plain => out.push(' '),
            ':' if is_plain && is_open => {
                is_open = false;
                out.push(' ');
            }
            c => out.push(c),
        }
    }
    out
}
