//! Words of a script: quotes, variables and substitutions.

use std::rc::Rc;

use super::{Parse, Parser, Part, RawWord};

/// Marks an expression of the forge that is not known; the caller puts its text
/// between this and [`UNKNOWN_END`].
pub(in crate::engine) const UNKNOWN_START: char = '\u{e000}';
/// Ends what [`UNKNOWN_START`] began.
pub(in crate::engine) const UNKNOWN_END: char = '\u{e001}';

/// The literal text of a word.
pub(in crate::engine::shell) fn plain(word: &RawWord) -> String {
    word.iter()
        .map(|part| match part {
            Part::Text { text, .. } => text.as_str(),
            _ => "",
        })
        .collect()
}

impl Parser {
    /// The next word; `None` at an operator or at the end of the line.
    pub(super) fn word(&mut self) -> Parse<Option<RawWord>> {
        let mut parts = Vec::new();
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                '(' if extended_glob(&parts) => self.extended_glob(&mut parts)?,
                '<' | '>' if self.peek_at(1) == Some('(') => {
                    self.at += 2;
                    parts.push(Part::Process(Rc::new(self.closed_list()?)));
                }
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\'' => self.single_quoted(&mut parts)?,
                '"' => self.double_quoted(&mut parts)?,
                '\\' => self.escaped(&mut parts),
                '$' | '`' | UNKNOWN_START => self.expansion(&mut parts, Quotes::None)?,
                _ => {
                    self.at += 1;
                    push(&mut parts, c, Quotes::None);
                }
            }
        }
        Ok((self.at > start).then_some(parts))
    }

    fn closed_list(&mut self) -> Parse<super::Node> {
        let body = self.list()?;
        self.blank_lines()?;
        if self.eat(")") {
            return Ok(body);
        }
        Err("`)` is missing".to_owned())
    }

    /// `@(a|b)` and its kin: nobody matches them here.
    fn extended_glob(&mut self, parts: &mut RawWord) -> Parse<()> {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            text.push(c);
            match c {
                ')' => {
                    if text.contains(['$', '`']) {
                        return Err("an expansion inside of a pattern".to_owned());
                    }
                    parts.push(Part::Unknown(text));
                    return Ok(());
                }
                '\n' => break,
                _ => {}
            }
        }
        Err("unexpected `(`".to_owned())
    }

    fn escaped(&mut self, parts: &mut RawWord) {
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some(c) => {
                self.at += 1;
                push(parts, c, Quotes::Double);
            }
            None => {}
        }
    }

    fn single_quoted(&mut self, parts: &mut RawWord) -> Parse<()> {
        self.at += 1;
        push_text(parts, "", Quotes::Double);
        loop {
            match self.peek() {
                None => return Err("a quote is not closed".to_owned()),
                Some('\'') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(UNKNOWN_START) => self.expansion(parts, Quotes::Double)?,
                Some(c) => {
                    self.at += 1;
                    push(parts, c, Quotes::Double);
                }
            }
        }
    }

    fn double_quoted(&mut self, parts: &mut RawWord) -> Parse<()> {
        self.at += 1;
        push_text(parts, "", Quotes::Double);
        loop {
            match self.peek() {
                None => return Err("a quote is not closed".to_owned()),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(c) => self.quoted(c, parts)?,
            }
        }
    }

    /// One character of a text in double quotes, with what it begins.
    fn quoted(&mut self, c: char, parts: &mut RawWord) -> Parse<()> {
        match c {
            '\\' => {
                self.at += 1;
                match self.peek() {
                    Some('\n') => {}
                    Some(c) if matches!(c, '$' | '`' | '"' | '\\') => {
                        push(parts, c, Quotes::Double);
                    }
                    Some(c) => {
                        push(parts, '\\', Quotes::Double);
                        push(parts, c, Quotes::Double);
                    }
                    None => return Ok(()),
                }
                self.at += 1;
            }
            '$' | '`' | UNKNOWN_START => self.expansion(parts, Quotes::Double)?,
            c => {
                self.at += 1;
                push(parts, c, Quotes::Double);
            }
        }
        Ok(())
    }

    /// The parts of a text that is expanded as if it stood in double quotes: a heredoc
    /// or arithmetic.
    pub(super) fn embedded(&mut self, text: &str, first_line: u32) -> Parse<RawWord> {
        self.deeper(|parser| {
            let mut inner = Self {
                chars: text.chars().collect(),
                at: 0,
                first_line,
                counted: (0, first_line),
                depth: parser.depth,
                pending: Vec::new(),
                heredocs: Vec::new(),
            };
            let mut parts = Vec::new();
            push_text(&mut parts, "", Quotes::Double);
            while let Some(c) = inner.peek() {
                inner.quoted(c, &mut parts)?;
            }
            if inner.heredocs.is_empty() {
                return Ok(parts);
            }
            Err("a heredoc inside of a text".to_owned())
        })
    }

    fn expansion(&mut self, parts: &mut RawWord, quotes: Quotes) -> Parse<()> {
        let quoted = quotes == Quotes::Double;
        if self.peek() == Some(UNKNOWN_START) {
            parts.push(Part::Unknown(self.until(UNKNOWN_END)?));
            return Ok(());
        }
        if self.peek() == Some('`') {
            let body = self.until('`')?;
            let inner = super::parse(&body.replace("\\`", "`"), self.line(), Vec::new());
            if let Some((_, what)) = inner.fault {
                return Err(what);
            }
            if !inner.heredocs.is_empty() {
                return Err("a heredoc inside of backticks".to_owned());
            }
            let body = Rc::new(inner.body);
            parts.push(Part::Command { body, quoted });
            return Ok(());
        }
        self.at += 1;
        match self.peek() {
            Some('(') if self.peek_at(1) == Some('(') => {
                let words = self.arithmetic()?;
                parts.push(Part::Arithmetic(words));
            }
            Some('(') => {
                self.at += 1;
                let body = Rc::new(self.closed_list()?);
                parts.push(Part::Command { body, quoted });
            }
            Some('{') => parts.push(self.braced(quoted)?),
            Some('\'') if !quoted => self.ansi_quoted(parts)?,
            Some('"') if !quoted => {}
            Some(c)
                if matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!') || c.is_ascii_digit() =>
            {
                self.at += 1;
                parts.push(variable(c.to_string(), String::new(), quoted));
            }
            _ => {
                let name = self.name();
                if name.is_empty() {
                    push(parts, '$', quotes);
                } else {
                    parts.push(variable(name, String::new(), quoted));
                }
            }
        }
        Ok(())
    }

    /// `${...}`; what follows the name stays text, balanced over braces.
    fn braced(&mut self, quoted: bool) -> Parse<Part> {
        self.at += 1;
        let mut text = String::new();
        let mut open = 1_u32;
        loop {
            let c = self.peek().ok_or("`}` is missing")?;
            self.at += 1;
            match c {
                '{' => open += 1,
                '}' => open -= 1,
                '\\' => {
                    text.push(c);
                    text.extend(self.peek());
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            if open == 0 {
                break;
            }
            text.push(c);
        }
        if text.contains("$(") || text.contains('`') {
            // A command inside of a default value: what it runs must be seen.
            return Err("a command inside of `${...}`".to_owned());
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let special = text.starts_with(['@', '*']);
        let end = if special {
            1
        } else {
            text.find(|c| !is_name(c)).unwrap_or(text.len())
        };
        let (name, suffix) = text.split_at_checked(end).unwrap_or((&text, ""));
        Ok(variable(name.to_owned(), suffix.to_owned(), quoted))
    }

    /// `$'...'`; escapes other than the usual ones are not read.
    fn ansi_quoted(&mut self, parts: &mut RawWord) -> Parse<()> {
        let written = self.until('\'')?;
        let mut text = String::new();
        let mut chars = written.chars();
        while let Some(c) = chars.next() {
            match (c, chars.clone().next()) {
                ('\\', Some('n')) => text.push('\n'),
                ('\\', Some('t')) => text.push('\t'),
                ('\\', Some('r')) => text.push('\r'),
                ('\\', Some(c)) if matches!(c, '\\' | '\'' | '"' | '?') => text.push(c),
                ('\\', _) => {
                    parts.push(Part::Unknown(written));
                    return Ok(());
                }
                (c, _) => {
                    text.push(c);
                    continue;
                }
            }
            chars.next();
        }
        push_text(parts, &text, Quotes::Double);
        Ok(())
    }

    /// Skips the character here and takes everything up to the end character.
    fn until(&mut self, end: char) -> Parse<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| format!("`{end}` is missing"))?;
            self.at += 1;
            if c == end {
                return Ok(text);
            }
            text.push(c);
            if c == '\\'
                && let Some(next) = self.peek()
            {
                text.push(next);
                self.at += 1;
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Double,
}

fn variable(name: String, suffix: String, quoted: bool) -> Part {
    Part::Variable {
        name,
        suffix,
        quoted,
    }
}

fn extended_glob(parts: &RawWord) -> bool {
    matches!(parts.last(), Some(Part::Text { text, quoted: false })
        if text.ends_with(['@', '?', '!', '+', '*']))
}

fn push(parts: &mut RawWord, c: char, quotes: Quotes) {
    push_text(parts, c.encode_utf8(&mut [0; 4]), quotes);
}

fn push_text(parts: &mut RawWord, more: &str, quotes: Quotes) {
    let is_quoted = quotes == Quotes::Double;
    if let Some(Part::Text { text, quoted }) = parts.last_mut()
        && *quoted == is_quoted
    {
        text.push_str(more);
        return;
    }
    parts.push(Part::Text {
        text: more.to_owned(),
        quoted: is_quoted,
    });
}
