//! Reads a Go file: imports, embeds, generators, tests, literals.
//!
//! `import` is a reserved word, so wherever it stands it begins an import.

use super::{header, opened};
use crate::engine::facts::{Facts, Import, ImportKind};
use crate::engine::graph::scan::literals::Literals;
use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

/// The facts of a source.
pub(super) fn read(path: &str, source: &str) -> Facts {
    let mut reader = Reader {
        tokens: Scanner::new(Dialect::Go, source),
        facts: Facts::default(),
        literals: Literals::default(),
        comments: Vec::new(),
        is_test: path.ends_with("_test.go"),
    };
    reader.read();
    let mut facts = reader.facts;
    reader.literals.finish(&mut facts);
    opened::read(path, source, &mut facts);
    facts.broken =
        reader.tokens.is_broken() || facts.package.is_none() || !header::is_sound(path, source);
    facts
}

struct Reader<'a> {
    tokens: Scanner<'a>,
    facts: Facts,
    literals: Literals<'a>,
    /// Comments since the last code that was not an import: a cgo preamble.
    comments: Vec<Token<'a>>,
    is_test: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(token) = self.tokens.next() {
            match token.kind {
                Kind::Comment => self.comment(token),
                Kind::Word if token.text == "import" => self.imports(),
                Kind::Word if token.text == "package" && self.facts.package.is_none() => {
                    let name = self.tokens.next_if(|token| token.kind == Kind::Word);
                    self.facts.package = name.map(|token| token.text.into());
                }
                Kind::Word if token.text == "func" && token.is_first => self.function(),
                Kind::Text => self.literals.push(token.text, token.line),
                _ => {}
            }
            if token.kind != Kind::Comment {
                self.comments.clear();
            }
        }
    }

    fn comment(&mut self, comment: Token<'a>) {
        self.comments.push(comment);
        if let Some(patterns) = comment.text.strip_prefix("//go:embed") {
            for pattern in embed_patterns(patterns) {
                self.import(pattern, ImportKind::Embed, comment.line);
            }
        } else if let Some(command) = comment.text.strip_prefix("//go:generate") {
            for word in command.split_whitespace() {
                self.literals.push(word, comment.line);
                let value = word.split_once('=').map(|(_, value)| value);
                self.literals.push(value.unwrap_or_default(), comment.line);
            }
        }
    }

    fn imports(&mut self) {
        let is_group = self.tokens.next_if(|token| token.is("(")).is_some();
        while let Some(token) = self.tokens.next() {
            match token.kind {
                Kind::Comment => self.comment(token),
                Kind::Text => {
                    self.imported(token);
                    if !is_group {
                        return;
                    }
                }
                Kind::Punct if token.text == ")" => return,
                Kind::Word | Kind::Punct => {}
                Kind::Other => return,
            }
        }
    }

    fn imported(&mut self, token: Token<'a>) {
        let preamble = std::mem::take(&mut self.comments);
        if token.text == "C" {
            for comment in preamble {
                self.preamble(comment);
            }
        } else {
            self.import(token.text, ImportKind::Static, token.line);
        }
    }

    /// The C in front of `import "C"`: headers, and directories given to compilers.
    fn preamble(&mut self, comment: Token<'a>) {
        for (line, text) in (comment.line..).zip(comment.text.lines()) {
            let text = text.trim_start_matches(['/', '*']).trim();
            let Some(directive) = text.strip_prefix('#') else {
                continue;
            };
            let directive = directive.trim_start();
            if let Some(header) = directive.strip_prefix("include") {
                let mut parts = header.split('"');
                if let (Some(_), Some(name)) = (parts.next(), parts.next()) {
                    self.import(name, ImportKind::IncludeQuoted, line);
                }
            } else if let Some(flags) = directive.strip_prefix("cgo") {
                for flag in flags.split_whitespace() {
                    let flag = flag.trim_start_matches("-I").trim_start_matches("-L");
                    let flag = flag.trim_start_matches("${SRCDIR}");
                    self.literals.push(flag, line);
                }
            }
        }
    }

    /// After `func`: a test is a function whose name is `Test` and no small letter.
    fn function(&mut self) {
        let Some(name) = self.tokens.next_if(|token| token.kind == Kind::Word) else {
            return;
        };
        let is_run = ["Test", "Benchmark", "Example", "Fuzz"]
            .iter()
            .filter_map(|prefix| name.text.strip_prefix(prefix))
            .any(|rest| !rest.starts_with(char::is_lowercase));
        let is_called = self.tokens.peek().is_some_and(|token| token.is("("));
        if self.is_test && is_run && is_called && name.text != "TestMain" {
            self.facts.tests.push(name.text.into());
        }
    }

    fn import(&mut self, specifier: &str, kind: ImportKind, line: u32) {
        self.facts.imports.push(Import {
            specifier: specifier.into(),
            names: Vec::new(),
            kind,
            line,
        });
    }
}

/// Patterns stand apart by spaces and may be quoted as Go strings:
/// <https://pkg.go.dev/embed#hdr-Directives>.
fn embed_patterns(text: &str) -> Vec<&str> {
    let mut patterns = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let quote = rest
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '`'));
        let (pattern, after) = match quote {
            Some(quote) => {
                let inner = rest.get(1..).unwrap_or_default();
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        patterns.push(pattern);
        rest = after.trim_start();
    }
    patterns
}
