//! One fast lexer for Go, Rust, Java, Kotlin, Groovy and C sources.
//!
//! What these languages say of their imports is a simple grammar over words,
//! strings and punctuation, as long as comments, raw strings and character
//! literals are told apart. This does just that, in one pass and without a tree.
//!
//! It is total: any text ends, every token lies after the one before it, and what
//! is never closed runs to the end of its line, or to the end of the file with
//! [`Scanner::is_broken`] set. It never interprets an escape.

use memchr::{memchr, memchr_iter, memchr2, memmem};

pub mod literals;

/// Whose comments and strings are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Raw strings between backquotes.
    Go,
    /// Nested comments, lifetimes, `r#"…"#`, strings over several lines.
    Rust,
    /// Text blocks.
    Java,
    /// Nested comments, templates inside strings, names between backquotes.
    Kotlin,
    /// Strings between single quotes, templates: build scripts of Gradle.
    Groovy,
    /// `R"x(…)x"`, digit separators, continued lines; C and C++.
    C,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word: a name or a keyword. A quoted name stands without its quotes.
    Word,
    /// A string without its delimiters.
    Text,
    /// A character literal, a lifetime or a number.
    Other,
    /// One character of punctuation.
    Punct,
    /// A comment with its marks.
    Comment,
}

/// A piece of source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text; see [`Kind`] for what is left out.
    pub text: &'a str,
    /// The line on which it starts, from 1.
    pub line: u32,
    /// The byte at which it starts, delimiters included.
    pub start: usize,
    /// Whether only white space and comments stand before it on its line.
    pub is_first: bool,
}

impl Token<'_> {
    /// Whether it is this word.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether it is this punctuation.
    pub fn is(&self, punct: &str) -> bool {
        self.kind == Kind::Punct && self.text == punct
    }
}

/// The tokens of a source, one after the other.
#[derive(Debug, Clone)]
pub struct Scanner<'a> {
    source: &'a str,
    at: usize,
    line: u32,
    is_fresh: bool,
    is_broken: bool,
    dialect: Dialect,
}

/// How deep strings may stand inside templates inside strings.
const MAX_TEMPLATES: u32 = 32;

impl<'a> Scanner<'a> {
    /// A scanner at the start of a source; a byte order mark is skipped.
    pub fn new(dialect: Dialect, source: &'a str) -> Self {
        let at = if source.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            source,
            at,
            line: 1,
            is_fresh: true,
            is_broken: false,
            dialect,
        }
    }

    /// Whether a comment or a string was met that is never closed.
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// The token after this point, which stays there.
    pub fn peek(&self) -> Option<Token<'a>> {
        self.clone().next()
    }

    /// The next token, taken only when it is wanted.
    pub fn next_if(&mut self, is_wanted: impl FnOnce(&Token<'a>) -> bool) -> Option<Token<'a>> {
        let mut ahead = self.clone();
        let token = ahead.next().filter(is_wanted)?;
        *self = ahead;
        Some(token)
    }

    /// What is left of the current line, without its end; a continued line goes on.
    pub fn rest_of_line(&mut self) -> &'a str {
        let start = self.at;
        let bytes = self.source.as_bytes();
        loop {
            let rest = bytes.get(self.at..).unwrap_or_default();
            self.at += memchr(b'\n', rest).unwrap_or(rest.len());
            let before = bytes.get(start..self.at).unwrap_or_default();
            let is_continued = before.ends_with(b"\\") || before.ends_with(b"\\\r");
            if !is_continued || self.at >= bytes.len() {
                return self.source.get(start..self.at).unwrap_or_default();
            }
            self.at += 1;
            self.line += 1;
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.source.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn starts(&self, at: usize, with: &[u8]) -> bool {
        let rest = self.source.as_bytes().get(at..).unwrap_or_default();
        rest.starts_with(with)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = self.source.as_bytes().get(self.at..).unwrap_or_default();
        let count = rest.iter().position(|byte| !wanted(*byte));
        self.at += count.unwrap_or(rest.len());
    }

    /// The kind of the token that starts with a byte, and its text's range.
    fn advance(&mut self, first: u8) -> (Kind, usize, usize) {
        let start = self.at;
        match first {
            b'/' if self.byte(start + 1) == b'/' => self.line_comment(),
            b'/' if self.byte(start + 1) == b'*' => self.block_comment(),
            b'"' => return self.string(start),
            b'\'' => return self.single_quote(),
            b'`' => return self.backquote(),
            b'0'..=b'9' => self.number(),
            _ if is_word_byte(first) => return self.word(),
            _ => {
                self.at += 1;
                return (Kind::Punct, start, self.at);
            }
        }
        let kind = if first == b'/' {
            Kind::Comment
        } else {
            Kind::Other
        };
        (kind, start, self.at)
    }

    fn line_comment(&mut self) {
        let rest = self.source.as_bytes().get(self.at..).unwrap_or_default();
        self.at += memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn block_comment(&mut self) {
        self.at += 2;
        let is_nested = matches!(self.dialect, Dialect::Rust | Dialect::Kotlin);
        let mut depth = 1_u32;
        let bytes = self.source.as_bytes();
        while depth > 0 {
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr2(b'*', b'/', rest) else {
                self.at = bytes.len();
                self.is_broken = true;
                return;
            };
            self.at += found;
            if self.starts(self.at, b"*/") {
                self.at += 2;
                depth -= 1;
            } else if is_nested && self.starts(self.at, b"/*") {
                self.at += 2;
                depth += 1;
            } else {
                self.at += 1;
            }
        }
    }

    fn number(&mut self) {
        loop {
            self.skip_while(|byte| is_word_byte(byte) || byte == b'.');
            let is_separated = self.dialect == Dialect::C
                && self.byte(self.at) == b'\''
                && self.byte(self.at + 1).is_ascii_alphanumeric();
            if !is_separated {
                return;
            }
            self.at += 1;
        }
    }

    fn word(&mut self) -> (Kind, usize, usize) {
        let start = self.at;
        self.skip_while(is_word_byte);
        let word = self.source.get(start..self.at).unwrap_or_default();
        let next = self.byte(self.at);
        match self.dialect {
            Dialect::Rust if next == b'"' || next == b'#' => match word {
                "r" | "br" | "cr" => return self.rust_raw(start),
                _ => {}
            },
            Dialect::C if next == b'"' => match word {
                "R" | "LR" | "uR" | "UR" | "u8R" => return self.c_raw(),
                _ => {}
            },
            _ => {}
        }
        (Kind::Word, start, self.at)
    }

    /// At the end of `r`: a raw string, or a raw name such as `r#type`.
    fn rust_raw(&mut self, start: usize) -> (Kind, usize, usize) {
        let after_word = self.at;
        self.skip_while(|byte| byte == b'#');
        let hashes = self.at - after_word;
        if self.byte(self.at) != b'"' {
            if hashes == 1 && is_word_byte(self.byte(self.at)) {
                let name = self.at;
                self.skip_while(is_word_byte);
                return (Kind::Word, name, self.at);
            }
            self.at = after_word;
            return (Kind::Word, start, after_word);
        }
        let close = format!("\"{}", "#".repeat(hashes));
        self.until(self.at + 1, close.as_bytes())
    }

    /// At the quote of `R"mark(…)mark"`.
    fn c_raw(&mut self) -> (Kind, usize, usize) {
        let bytes = self.source.as_bytes();
        let mark = bytes.get(self.at + 1..).unwrap_or_default();
        match mark.iter().take(17).position(|byte| *byte == b'(') {
            None => self.string(self.at),
            Some(length) => {
                let mark = mark.get(..length).unwrap_or_default();
                let close = [b")", mark, b"\""].concat();
                self.until(self.at + length + 2, &close)
            }
        }
    }

    /// A text from `inner` up to the first `close`.
    fn until(&mut self, inner: usize, close: &[u8]) -> (Kind, usize, usize) {
        let rest = self.source.as_bytes().get(inner..).unwrap_or_default();
        if let Some(found) = memmem::find(rest, close) {
            self.at = inner + found + close.len();
            (Kind::Text, inner, inner + found)
        } else {
            self.is_broken = true;
            self.at = self.source.len();
            (Kind::Text, inner.min(self.at), self.at)
        }
    }

    fn backquote(&mut self) -> (Kind, usize, usize) {
        let start = self.at;
        match self.dialect {
            Dialect::Go => self.until(start + 1, b"`"),
            Dialect::Kotlin => {
                let rest = self.source.as_bytes().get(start + 1..).unwrap_or_default();
                match memchr2(b'`', b'\n', rest) {
                    Some(length) if self.byte(start + 1 + length) == b'`' => {
                        self.at = start + length + 2;
                        (Kind::Word, start + 1, start + 1 + length)
                    }
                    _ => {
                        self.at += 1;
                        (Kind::Punct, start, self.at)
                    }
                }
            }
            _ => {
                self.at += 1;
                (Kind::Punct, start, self.at)
            }
        }
    }

    fn single_quote(&mut self) -> (Kind, usize, usize) {
        let start = self.at;
        match self.dialect {
            Dialect::Groovy => return self.string(start),
            Dialect::Rust => self.rust_quote(),
            _ => {
                self.quoted(start + 1, b'\'', 0);
            }
        }
        (Kind::Other, start, self.at)
    }

    /// A character literal or a lifetime: `'a'` is one, `'a` the other.
    fn rust_quote(&mut self) {
        let rest = self.source.get(self.at + 1..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            self.at += 1;
            return;
        };
        if first == '\\' {
            // The escaped character is skipped, so that `'\''` ends where it should.
            let escaped = self.at + 3;
            let rest = self.source.as_bytes().get(escaped..).unwrap_or_default();
            self.at = match memchr2(b'\'', b'\n', rest) {
                Some(found) if self.byte(escaped + found) == b'\'' => escaped + found + 1,
                _ => self.at + 2,
            };
        } else if self.byte(self.at + 1 + first.len_utf8()) == b'\'' {
            self.at += 2 + first.len_utf8();
        } else {
            self.at += 1;
            self.skip_while(is_word_byte);
        }
    }

    /// At a quote that opens a string, single or tripled.
    fn string(&mut self, open: usize) -> (Kind, usize, usize) {
        let quote = self.byte(open);
        let has_blocks = matches!(
            self.dialect,
            Dialect::Java | Dialect::Kotlin | Dialect::Groovy
        );
        let (inner, end) = if has_blocks && self.starts(open, &[quote; 3]) {
            (open + 3, self.block(open + 3, quote, 0))
        } else {
            (open + 1, self.quoted(open + 1, quote, 0))
        };
        (Kind::Text, inner.min(end), end)
    }

    /// Goes behind a string of one quote and returns where its text ends.
    fn quoted(&mut self, inner: usize, quote: u8, depth: u32) -> usize {
        let length = self.source.len();
        self.at = inner;
        while self.at < length {
            match self.byte(self.at) {
                byte if byte == quote => {
                    self.at += 1;
                    return self.at - 1;
                }
                b'\n' if self.dialect != Dialect::Rust => return self.at,
                b'\\' => self.at += 2,
                b'$' if self.has_template(quote) => self.template(depth),
                _ => self.at += 1,
            }
        }
        self.at = length;
        self.is_broken |= self.dialect == Dialect::Rust;
        length
    }

    /// Goes behind a string of three quotes and returns where its text ends.
    fn block(&mut self, inner: usize, quote: u8, depth: u32) -> usize {
        let length = self.source.len();
        self.at = inner;
        while self.at < length {
            match self.byte(self.at) {
                byte if byte == quote && self.starts(self.at, &[quote; 3]) => {
                    // Quotes before the last three belong to a Kotlin text.
                    while self.dialect == Dialect::Kotlin && self.byte(self.at + 3) == quote {
                        self.at += 1;
                    }
                    self.at += 3;
                    return self.at - 3;
                }
                b'\\' if self.dialect != Dialect::Kotlin => self.at += 2,
                b'$' if self.has_template(quote) => self.template(depth),
                _ => self.at += 1,
            }
        }
        self.at = length;
        self.is_broken = true;
        length
    }

    fn has_template(&self, quote: u8) -> bool {
        quote == b'"'
            && matches!(self.dialect, Dialect::Kotlin | Dialect::Groovy)
            && self.byte(self.at + 1) == b'{'
    }

    /// Goes behind `${…}`, whose code may hold strings with templates again.
    fn template(&mut self, depth: u32) {
        self.at += 2;
        if depth >= MAX_TEMPLATES {
            self.is_broken = true;
            return;
        }
        let mut braces = 1_u32;
        while self.at < self.source.len() {
            match self.byte(self.at) {
                b'{' => braces += 1,
                b'}' => braces -= 1,
                b'"' if self.starts(self.at, b"\"\"\"") => {
                    self.block(self.at + 3, b'"', depth + 1);
                    continue;
                }
                b'"' => {
                    self.quoted(self.at + 1, b'"', depth + 1);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if braces == 0 {
                return;
            }
        }
        self.is_broken = true;
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.source.as_bytes();
        loop {
            match bytes.get(self.at).copied()? {
                b'\n' => {
                    self.line += 1;
                    self.is_fresh = true;
                }
                b'\\' if self.dialect == Dialect::C && self.byte(self.at + 1) == b'\n' => {
                    self.line += 1;
                    self.at += 1;
                }
                b'\\' if self.dialect == Dialect::C && self.starts(self.at + 1, b"\r\n") => {
                    self.line += 1;
                    self.at += 2;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c | 0 => {}
                first => return Some(self.token(first)),
            }
            self.at += 1;
        }
    }
}

impl<'a> Scanner<'a> {
    fn token(&mut self, first: u8) -> Token<'a> {
        let (start, line, is_first) = (self.at, self.line, self.is_fresh);
        let (kind, from, to) = self.advance(first);
        self.at = self.at.min(self.source.len());
        let is_long = matches!(kind, Kind::Text | Kind::Comment | Kind::Other);
        let mut breaks = 0;
        if is_long {
            let raw = self.source.as_bytes().get(start..self.at);
            breaks = memchr_iter(b'\n', raw.unwrap_or_default()).count();
            self.line += u32::try_from(breaks).unwrap_or(u32::MAX);
        }
        self.is_fresh = kind == Kind::Comment && (is_first || breaks > 0);
        Token {
            kind,
            text: self.source.get(from..to).unwrap_or_default(),
            line,
            start,
            is_first,
        }
    }
}

/// Letters of every script count: no punctuation of these languages lies outside ASCII.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(dialect: Dialect, source: &str, expected: &[&str]) {
        let shown: Vec<String> = Scanner::new(dialect, source)
            .map(|token| match token.kind {
                Kind::Word | Kind::Punct => token.text.to_owned(),
                Kind::Text => format!("«{}»", token.text),
                Kind::Other => format!("~{}", token.text),
                Kind::Comment => format!("#{}", token.text.len()),
            })
            .collect();
        assert_eq!(shown, expected, "{source}");
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        check(
            Dialect::Rust,
            r"<'a> 'x' '\'' '\u{1f}' 'é' &'static str",
            &[
                "<",
                "~'a",
                ">",
                "~'x'",
                r"~'\''",
                r"~'\u{1f}'",
                "~'é'",
                "&",
                "~'static",
                "str",
            ],
        );
    }

    #[test]
    fn raw_strings_hold_quotes_of_their_language() {
        check(
            Dialect::Rust,
            r##"r#"a"b"# br"\" r#type b"x" c"y""##,
            &["«a\"b»", "«\\»", "type", "b", "«x»", "c", "«y»"],
        );
        check(Dialect::Go, "`a\"\nb` \"c\"", &["«a\"\nb»", "«c»"]);
        check(
            Dialect::C,
            "u8R\"x()\")x\" R\"(a\"b)\" 1'000'000 '\"'",
            &["«)\"»", "«a\"b»", "~1'000'000", "~'\"'"],
        );
        check(
            Dialect::Java,
            "\"\"\"\n a \"b\" \\\"\"\" c\"\"\" d",
            &["«\n a \"b\" \\\"\"\" c»", "d"],
        );
        check(Dialect::Kotlin, "\"\"\"a\\\"\"\"\" b", &["«a\\\"»", "b"]);
    }

    #[test]
    fn comments_nest_where_their_language_nests_them() {
        check(Dialect::Kotlin, "/* /* */ x */ y", &["#13", "y"]);
        check(Dialect::Java, "/* /* */ x // y\nz", &["#8", "x", "#4", "z"]);
    }

    #[test]
    fn a_template_may_hold_strings_with_templates() {
        check(
            Dialect::Kotlin,
            r#""a ${f("b ${c("}")}")} d" e"#,
            &[r#"«a ${f("b ${c("}")}")} d»"#, "e"],
        );
        check(
            Dialect::Groovy,
            "'a' \"$b\" '''c'''",
            &["«a»", "«$b»", "«c»"],
        );
    }

    #[test]
    fn an_open_string_ends_with_its_line() {
        check(
            Dialect::C,
            "don't\nx \"y\nz",
            &["don", "~'t", "x", "«y»", "z"],
        );
    }

    #[test]
    fn a_continued_line_is_one_line_and_counts_as_two() {
        let tokens: Vec<_> = Scanner::new(Dialect::C, "a \\\n b\nc").collect();
        let places: Vec<_> = tokens
            .iter()
            .map(|t| (t.text, t.line, t.is_first))
            .collect();
        assert_eq!(places, [("a", 1, true), ("b", 2, false), ("c", 3, true)]);
    }

    #[test]
    fn what_is_never_closed_is_broken() {
        for (dialect, source) in [
            (Dialect::Go, "`a"),
            (Dialect::Rust, "r#\"a\""),
            (Dialect::Java, "/* a"),
            (Dialect::Kotlin, "\"${\"${"),
        ] {
            let mut scanner = Scanner::new(dialect, source);
            while scanner.next().is_some() {}
            assert!(scanner.is_broken(), "{source}");
        }
    }

    fn any_dialect() -> impl Strategy<Value = Dialect> {
        prop::sample::select(vec![
            Dialect::Go,
            Dialect::Rust,
            Dialect::Java,
            Dialect::Kotlin,
            Dialect::Groovy,
            Dialect::C,
        ])
    }

    fn any_source() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "\"", "\"\"\"", "'", "''", "`", "//", "/*", "*/", "\\", "\n", "\r\n", "${", "}", "{",
            "r#", "r", "R\"", "(", ")", "#", "é", "x", "1'", "\u{feff}", " ", "\0", "use ", "mod ",
        ]);
        prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_token_lies_after_the_one_before_on_its_true_line(
            dialect in any_dialect(),
            source in any_source(),
        ) {
            let mut before = None;
            for token in Scanner::new(dialect, &source) {
                prop_assert!(before < Some(token.start));
                before = Some(token.start);
                let breaks = source[..token.start].matches('\n').count();
                prop_assert_eq!(token.line as usize, breaks + 1);
                prop_assert!(source[token.start..].contains(token.text));
            }
        }

        #[test]
        fn the_rest_of_a_line_ends(dialect in any_dialect(), source in any_source()) {
            let mut scanner = Scanner::new(dialect, &source);
            while let Some(token) = scanner.next() {
                let rest = scanner.rest_of_line();
                prop_assert!(source[token.start..].contains(rest));
            }
        }
    }
}
