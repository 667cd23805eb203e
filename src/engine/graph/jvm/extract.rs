//! Reads a Java or Kotlin file: its package, imports, tests and literals.
//!
//! Tests are named `Class.method`, nested classes with dots between them.

use crate::engine::facts::{Facts, Import, ImportKind};
use crate::engine::graph::scan::literals::Literals;
use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

/// The facts of a source.
pub(super) fn read(path: &str, source: &str) -> Facts {
    let dialect = if path.ends_with(".java") {
        Dialect::Java
    } else {
        Dialect::Kotlin
    };
    let mut reader = Reader {
        tokens: Scanner::new(dialect, source),
        is_kotlin: dialect == Dialect::Kotlin,
        facts: Facts::default(),
        literals: Literals::default(),
        classes: Vec::new(),
        opening: None,
        depth: 0,
        is_test: false,
        is_test_case: false,
    };
    reader.read();
    let mut facts = reader.facts;
    reader.literals.finish(&mut facts);
    facts.broken = reader.tokens.is_broken();
    super::opened::read(path, source, &mut facts);
    facts
}

/// Annotations that make a method a test: JUnit 4 and 5, `TestNG`, jqwik.
const TESTS: &[&str] = &[
    "Test",
    "ParameterizedTest",
    "RepeatedTest",
    "TestFactory",
    "TestTemplate",
    "Theory",
    "Property",
];

struct Reader<'a> {
    tokens: Scanner<'a>,
    is_kotlin: bool,
    facts: Facts,
    literals: Literals<'a>,
    /// Classes that are open, with the depth of their brace.
    classes: Vec<(&'a str, u32)>,
    /// A class whose brace is still to come.
    opening: Option<&'a str>,
    depth: u32,
    /// Whether the next method is a test.
    is_test: bool,
    /// Whether methods named `test…` are tests, as in JUnit 3.
    is_test_case: bool,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let mut before = "";
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Text => self.literals.push(token.text, token.line),
                Kind::Word => self.word(token, before),
                Kind::Punct => self.punct(token),
                Kind::Other | Kind::Comment => {}
            }
            before = token.text;
        }
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.tokens.find(|token| token.kind != Kind::Comment)
    }

    fn next_if(&mut self, is_wanted: impl FnOnce(&Token<'a>) -> bool) -> Option<Token<'a>> {
        let mut ahead = self.tokens.clone();
        let token = ahead.find(|token| token.kind != Kind::Comment);
        let token = token.filter(is_wanted)?;
        self.tokens = ahead;
        Some(token)
    }

    fn punct(&mut self, token: Token<'a>) {
        match token.text {
            "{" => {
                self.depth += 1;
                if let Some(name) = self.opening.take() {
                    self.classes.push((name, self.depth));
                }
            }
            "}" => {
                if self.classes.last().map(|(_, depth)| *depth) == Some(self.depth) {
                    self.classes.pop();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            "@" => self.annotation(),
            _ => {}
        }
    }

    fn word(&mut self, token: Token<'a>, before: &str) {
        match token.text {
            "package" if self.facts.package.is_none() && token.is_first => {
                self.facts.package = self.dotted().map(|(name, _)| name.into());
            }
            "import" if !self.is_kotlin || token.is_first => self.import(token.line),
            "class" | "object" | "interface" | "record" | "enum"
                if !matches!(before, "." | ":") =>
            {
                if let Some(name) = self.next_if(|token| token.kind == Kind::Word) {
                    self.class(name);
                }
            }
            "extends" => {
                let parent = self.tokens.peek();
                self.is_test_case |= parent.is_some_and(|token| token.text.ends_with("TestCase"));
            }
            "fun" if self.is_kotlin => {
                let name = self.next_if(|token| token.kind == Kind::Word);
                if let (true, Some(name)) = (self.is_test, name) {
                    self.test(name.text);
                }
            }
            name => {
                let is_spec = self.is_kotlin && name.ends_with("Spec");
                if let (true, Some(class)) = (is_spec, self.opening) {
                    self.facts.tests.push(class.into());
                }
                let is_named = self.is_test_case && before == "void" && name.starts_with("test");
                if (self.is_test || is_named) && !self.is_kotlin && self.is_called() {
                    self.test(name);
                }
            }
        }
    }

    fn is_called(&self) -> bool {
        self.tokens.peek().is_some_and(|token| token.is("("))
    }

    /// A class under `@Test` has a test in each of its methods (`TestNG`).
    fn class(&mut self, name: Token<'a>) {
        // `enum class Name` and `data object Name` have one more word.
        let name = match name.text {
            "class" | "object" => self.next_if(|token| token.kind == Kind::Word),
            _ => Some(name),
        };
        self.opening = name.map(|name| name.text);
        if let (true, Some(name)) = (std::mem::take(&mut self.is_test), name) {
            self.facts.tests.push(name.text.into());
        }
    }

    fn test(&mut self, method: &str) {
        self.is_test = false;
        let classes = self.classes.iter().map(|(name, _)| *name);
        let path: Vec<&str> = classes.chain([method]).collect();
        self.facts.tests.push(path.join(".").into());
    }

    /// After `@`: its name, and its arguments, which are no methods.
    fn annotation(&mut self) {
        let Some((name, _)) = self.dotted() else {
            return;
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        self.is_test |= TESTS.contains(&last);
        if self.next_if(|token| token.is("(")).is_none() {
            return;
        }
        let mut depth = 1_u32;
        while depth > 0 {
            let Some(token) = self.next() else { return };
            match (token.kind, token.text) {
                (Kind::Text, text) => self.literals.push(text, token.line),
                (Kind::Punct, "(") => depth += 1,
                (Kind::Punct, ")") => depth -= 1,
                _ => {}
            }
        }
    }

    /// After `import`: `a.b.C`, `static a.b.C.d`, `a.b.*`, `a.b.C as D`.
    fn import(&mut self, line: u32) {
        if !self.is_kotlin {
            self.next_if(|token| token.is_word("static"));
            self.next_if(|token| token.is_word("module"));
        }
        if let Some((specifier, is_all)) = self.dotted() {
            self.facts.imports.push(Import {
                specifier: specifier.into(),
                names: is_all.then(|| "*".into()).into_iter().collect(),
                kind: ImportKind::Static,
                line,
            });
        }
    }

    /// Words with dots between them, and whether `.*` follows.
    fn dotted(&mut self) -> Option<(String, bool)> {
        let first = self.next_if(|token| token.kind == Kind::Word)?;
        let mut name = first.text.to_owned();
        while self.next_if(|token| token.is(".")).is_some() {
            if self.next_if(|token| token.is("*")).is_some() {
                return Some((name, true));
            }
            let Some(part) = self.next_if(|token| token.kind == Kind::Word) else {
                break;
            };
            name.push('.');
            name.push_str(part.text);
        }
        Some((name, false))
    }
}
