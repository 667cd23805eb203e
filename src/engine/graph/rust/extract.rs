//! Reads a Rust file: modules, uses, embedded files, tests, literals.
//!
//! Attributes are gathered until the item they stand on, so that `#[path]` finds
//! its `mod` and `#[test]` its `fn`. Conditional compilation is not evaluated.

use super::{content, opened};
use crate::engine::facts::{Facts, Import, ImportKind};
use crate::engine::graph::scan::literals::{Literals, climbs_far};
use crate::engine::graph::scan::{Dialect, Kind, Scanner, Token};

mod embeds;
mod macros;
mod watched;

use macros::Macros;

/// What an embedded path begins with when it counts from the crate's directory.
pub(super) const MANIFEST_DIR: &str = "$CARGO_MANIFEST_DIR";

/// The facts of a source.
pub(super) fn read(source: &str) -> Facts {
    let mut reader = Reader {
        tokens: Scanner::new(Dialect::Rust, source),
        source,
        facts: Facts::default(),
        literals: Literals::default(),
        modules: Vec::new(),
        depth: 0,
        attributes: Attributes::default(),
        macros: Macros::default(),
    };
    reader.read();
    reader.read_documentation();
    let mut facts = reader.facts;
    reader.macros.finish(&mut facts);
    reader.literals.finish(&mut facts);
    opened::read(source, &mut facts);
    facts.broken = reader.tokens.is_broken();
    facts
}

/// Macros whose first argument is a file that is compiled in.
const EMBEDS: &[&str] = &[
    "include",
    "include_str",
    "include_bytes",
    "include_dir",
    "include_bytes_aligned",
    "include_wgsl",
    "embed_migrations",
    "migrate",
    "refinery",
];

/// Attributes that make a function a test, by their last word.
const TESTS: &[&str] = &[
    "test",
    "rstest",
    "test_case",
    "case",
    "bench",
    "quickcheck",
    "wasm_bindgen_test",
    "gtest",
    "proptest",
];

/// More names than this in one file are not a program that people wrote.
const MAX_USES: usize = 20_000;

#[derive(Debug, Default)]
struct Attributes<'a> {
    paths: Vec<&'a str>,
    is_test: bool,
    /// Whether a macro by example goes to other crates.
    is_exported: bool,
}

struct Reader<'a> {
    tokens: Scanner<'a>,
    source: &'a str,
    facts: Facts,
    literals: Literals<'a>,
    /// Inline modules that are open, with the depth of their brace.
    modules: Vec<(&'a str, u32)>,
    depth: u32,
    attributes: Attributes<'a>,
    macros: Macros<'a>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Text => self.literal(token),
                Kind::Word => self.word(token),
                Kind::Punct => self.punct(token),
                Kind::Other | Kind::Comment => {}
            }
        }
    }

    /// The next token that is no comment.
    fn next(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.find(|token| token.kind != Kind::Comment)?;
        self.macros.bracket(token);
        Some(token)
    }

    fn next_if(&mut self, is_wanted: impl FnOnce(&Token<'a>) -> bool) -> Option<Token<'a>> {
        let mut ahead = self.tokens.clone();
        let token = ahead.find(|token| token.kind != Kind::Comment);
        let token = token.filter(is_wanted)?;
        self.tokens = ahead;
        self.macros.bracket(token);
        Some(token)
    }

    fn next_word(&mut self) -> Option<Token<'a>> {
        self.next_if(|token| token.kind == Kind::Word)
    }

    fn punct(&mut self, token: Token<'a>) {
        match token.text {
            "{" => self.depth += 1,
            "}" => {
                if self.modules.last().map(|(_, depth)| *depth) == Some(self.depth) {
                    self.modules.pop();
                }
                self.depth = self.depth.saturating_sub(1);
                self.attributes = Attributes::default();
            }
            ";" => self.attributes = Attributes::default(),
            "#" => {
                self.next_if(|token| token.is("!"));
                if self.next_if(|token| token.is("[")).is_some() {
                    self.attribute();
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, token: Token<'a>) {
        match token.text {
            "mod" => self.module(),
            "use" => self.uses(token.line),
            "extern" => {
                let is_crate = self.next_if(|token| token.is_word("crate")).is_some();
                if let Some(name) = is_crate.then(|| self.next_word()).flatten() {
                    self.import(name.text, ImportKind::Static, token.line);
                }
            }
            "fn" => self.function(),
            "macro_rules" => self.definition(),
            _ => self.embedding(token),
        }
    }

    fn literal(&mut self, token: Token<'a>) {
        let text = self.watched(token);
        self.macros.literal(text, token.line);
        if !(climbs_far(text) && content::is_content(self.source, token.start)) {
            self.literals.push(text, token.line);
        }
    }

    /// After `#[`: a test, a path, or a directory that a derive embeds.
    fn attribute(&mut self) {
        let mut depth = 1_u32;
        let mut last = "";
        let mut is_head = true;
        let mut assigned = "";
        let level = self.macros.brackets();
        while let Some(token) = self.next() {
            match token.kind {
                Kind::Word => {
                    last = token.text;
                    self.embedding(token);
                }
                Kind::Punct => {
                    match token.text {
                        "[" => depth += 1,
                        "]" => depth -= 1,
                        "=" => assigned = last,
                        "," => assigned = "",
                        _ => {}
                    }
                    if is_head && !matches!(token.text, ":") {
                        is_head = false;
                        self.attributes.is_test |= TESTS.contains(&last);
                        self.attributes.is_exported |= last == "macro_export";
                        self.macros.attribute(last, level);
                    }
                    if depth == 0 {
                        self.macros.end_of_attribute();
                        return;
                    }
                }
                Kind::Text => {
                    match assigned {
                        "path" => self.attributes.paths.push(token.text),
                        "folder" => {
                            self.by_variable(token);
                            self.import_from_crate(token.text, token.line);
                        }
                        _ => {}
                    }
                    self.macros.assigned(assigned, token.line);
                    self.literal(token);
                }
                Kind::Other | Kind::Comment => {}
            }
        }
    }

    /// After `mod`: a file to find, or an inline module.
    fn module(&mut self) {
        let Some(name) = self.next_word() else {
            return;
        };
        let paths = std::mem::take(&mut self.attributes).paths;
        if self.next_if(|token| token.is(";")).is_some() {
            let mut outer: Vec<&str> = self.modules.iter().map(|(name, _)| *name).collect();
            outer.push(name.text);
            self.facts.imports.push(Import {
                specifier: outer.join("/").into(),
                names: paths.into_iter().map(Into::into).collect(),
                kind: ImportKind::Module,
                line: name.line,
            });
        } else if self.next_if(|token| token.is("{")).is_some() {
            self.depth += 1;
            self.modules.push((name.text, self.depth));
        }
    }

    fn function(&mut self) {
        let is_test = std::mem::take(&mut self.attributes).is_test;
        if let Some(name) = self.next_word()
            && is_test
        {
            let mut path: Vec<&str> = self.modules.iter().map(|(name, _)| *name).collect();
            path.push(name.text);
            self.facts.tests.push(path.join("::").into());
        }
    }

    /// After `use`: the tree, one import for each of its leaves.
    fn uses(&mut self, line: u32) {
        let mut path: Vec<&str> = Vec::new();
        let mut groups: Vec<usize> = Vec::new();
        let mut is_renamed = false;
        while let Some(token) = self.next() {
            match (token.kind, token.text) {
                (Kind::Word, "as") => is_renamed = true,
                (Kind::Word, _) if is_renamed => {}
                (Kind::Word, "self") if !groups.is_empty() => path.push(""),
                (Kind::Word, name) => path.push(name),
                (Kind::Punct, ":") => {}
                (Kind::Punct, "*") => path.push("*"),
                (Kind::Punct, "{") if groups.len() < 64 => {
                    groups.push(path.len());
                }
                (Kind::Punct, end @ ("," | "}" | ";")) => {
                    let base = groups.last().copied().unwrap_or(0);
                    if path.len() > base {
                        self.leaf(&path, line);
                        path.truncate(base);
                    }
                    is_renamed = false;
                    match end {
                        ";" => return,
                        "}" => {
                            groups.pop();
                            path.truncate(groups.last().copied().unwrap_or(0));
                            if groups.is_empty() {
                                self.next_if(|token| token.is(";"));
                                return;
                            }
                        }
                        _ => {}
                    }
                }
                // `use<'a>` in a type, or a macro's own grammar.
                _ => return,
            }
        }
    }

    fn leaf(&mut self, path: &[&str], line: u32) {
        let words: Vec<&str> = path
            .iter()
            .copied()
            .filter(|word| !word.is_empty())
            .collect();
        if self.facts.imports.len() < MAX_USES {
            self.import(&words.join("::"), ImportKind::Static, line);
        }
    }

    fn embedding(&mut self, name: Token<'a>) {
        if EMBEDS.contains(&name.text) && self.next_if(|token| token.is("!")).is_some() {
            return self.embed(name);
        }
        self.watching(name);
        self.macros.call(name, self.source);
    }

    /// After `macro_rules`: the macro that is defined.
    fn definition(&mut self) {
        let is_exported = std::mem::take(&mut self.attributes).is_exported;
        if self.next_if(|token| token.is("!")).is_some() && self.next_word().is_some() {
            self.macros.definition(is_exported);
        }
    }

    fn import_from_crate(&mut self, path: &str, line: u32) {
        let path = path
            .trim_start_matches(MANIFEST_DIR)
            .trim_start_matches('/');
        let specifier = format!("{MANIFEST_DIR}/{path}");
        self.import(&specifier, ImportKind::Embed, line);
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
