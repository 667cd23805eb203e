//! Files that are compiled in: literals, and paths that are put together.
//!
//! What of a path is not literal may be anything that fits the rest: a variable that a
//! build script or the settings set, or what a macro by example gets. A macro that other
//! crates get embeds from their directories, as the compiler counts from where a macro is
//! called.

use super::{ImportKind, Kind, MANIFEST_DIR, Reader, Token};
use crate::engine::facts::{Base, Dynamic, Reach};
use crate::engine::graph::places::{self, GAP, How, Place};

/// One part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    /// The directory of the package.
    Package,
    /// A directory of which only the run knows where in the repository it lies.
    Somewhere,
    /// What a build made, outside of the checkout.
    Made,
    /// A variable that nobody knows.
    Variable,
    /// Anything else.
    Unknown,
}

impl<'a> Part<'a> {
    /// A variable of Cargo, or of whoever starts it
    /// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html>).
    fn variable(name: &'a str) -> Self {
        const MADE: &[&str] = &[
            "OUT_DIR",
            "HOME",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_TMPDIR",
        ];
        const FILES: &[&str] = &["CARGO_BIN_", "CARGO_CDYLIB_", "CARGO_STATICLIB_"];
        match name {
            "CARGO_MANIFEST_DIR" => Self::Package,
            "CARGO_WORKSPACE_DIR" | "GITHUB_WORKSPACE" => Self::Somewhere,
            name if MADE.contains(&name) => Self::Made,
            name if FILES.iter().any(|start| name.starts_with(start)) => Self::Made,
            _ => Self::Variable,
        }
    }
}

impl<'a> Reader<'a> {
    /// After `include_str!`: a literal, or one joined to the crate's directory.
    pub(super) fn embed(&mut self, name: Token<'a>) {
        let Some(open) = self.next_if(|token| matches!(token.text, "(" | "[" | "{")) else {
            return;
        };
        if open.text == "{" {
            self.depth += 1;
        }
        if let Some(text) = self.next_if(|token| token.kind == Kind::Text) {
            self.literal(text);
            self.included(name, text.text);
            self.for_others(name, text.text);
            self.by_variable(text);
            let from_crate = matches!(name.text, "embed_migrations" | "migrate" | "include_dir");
            if from_crate && !text.text.starts_with('$') {
                self.import_from_crate(text.text, name.line);
            } else {
                self.import(text.text, ImportKind::Embed, name.line);
            }
            return;
        }
        let parts = self.parts();
        // What a build script wrote: its inputs are that script's.
        if parts.contains(&Part::Made) {
            return;
        }
        let text = text_of(&parts);
        self.included(name, &text);
        self.for_others(name, &text);
        if parts.is_empty() && matches!(name.text, "migrate" | "embed_migrations" | "refinery") {
            return;
        }
        self.embed_parts(name, &parts, &text);
    }

    fn embed_parts(&mut self, name: Token<'a>, parts: &[Part<'a>], text: &str) {
        let what = format!("{}!(…)", name.text);
        if parts.is_empty() || parts.contains(&Part::Unknown) {
            let reach = if text.contains("..") {
                Reach::Repository
            } else {
                Reach::Package
            };
            let found = Dynamic::used(reach, &what, name.line);
            return self.facts.dynamic.push(found);
        }
        let base = match parts.first() {
            Some(Part::Package) => Base::Manifest,
            Some(Part::Text(_)) => Base::Beside,
            _ => Base::Anywhere,
        };
        if text.contains(GAP) || base == Base::Anywhere {
            let place = Place::new(base, text);
            return places::say(&mut self.facts, &place, How::File, (&what, name.line));
        }
        match base {
            Base::Manifest => self.import_from_crate(text, name.line),
            _ => self.import(text, ImportKind::Embed, name.line),
        }
    }

    /// The parts of a path up to the end of the call, which is read again by others.
    fn parts(&self) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let (mut depth, mut variable) = (1_u32, None);
        for token in self.tokens.clone() {
            match (token.kind, token.text) {
                (Kind::Punct, "(" | "[" | "{") => depth += 1,
                (Kind::Punct, ")" | "]" | "}") => {
                    depth -= 1;
                    variable = variable.filter(|level| *level < depth);
                }
                (Kind::Word, "concat" | "std" | "core") => {}
                (Kind::Word, "env" | "option_env") => {
                    variable = Some(depth);
                    parts.push(Part::Variable);
                }
                // The name, or what is said where it is not set.
                (Kind::Text, text) if variable.is_some() => {
                    let name = parts.pop_if(|part| *part == Part::Variable);
                    parts.extend(name.map(|_| Part::variable(text)));
                }
                (Kind::Text, text) => parts.push(Part::Text(text)),
                (Kind::Word, _) => parts.push(Part::Unknown),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        parts
    }

    /// Code that is included from a file of another kind: nothing of it is read.
    fn included(&mut self, name: Token<'a>, path: &str) {
        let last = path.rsplit('/').next().unwrap_or_default();
        if name.text == "include" && last.contains('.') && !path.ends_with(".rs") {
            let found = Dynamic::used(Reach::Repository, "include!(…)", name.line);
            self.facts.dynamic.push(found);
        }
    }

    /// A path that begins with a variable: `$ASSETS/pages`.
    pub(super) fn by_variable(&mut self, text: Token<'a>) {
        let Some(rest) = text.text.strip_prefix('$') else {
            return;
        };
        let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
        if Part::variable(name.trim_matches(['{', '}'])) != Part::Variable {
            return;
        }
        if below.is_empty() {
            let found = Dynamic::used(Reach::Repository, text.text, text.line);
            self.facts.dynamic.push(found);
        } else {
            self.macros.give(text.text, text.line);
        }
    }

    /// What a macro embeds counts from its callers. What they give it alone is among their
    /// own literals.
    fn for_others(&mut self, name: Token<'a>, path: &str) {
        let Some(is_exported) = self.macros.defines() else {
            return;
        };
        let path = path.trim_start_matches(MANIFEST_DIR);
        if path.chars().any(char::is_alphanumeric) {
            let base = if is_exported {
                Base::Anywhere
            } else {
                Base::Package
            };
            let place = Place::new(base, format!("{GAP}/{}", path.trim_start_matches('/')));
            let what = format!("{}!(…) for others", name.text);
            let how = match name.text {
                "include_dir" | "migrate" | "embed_migrations" => How::Told,
                _ => How::File,
            };
            places::say(&mut self.facts, &place, how, (&what, name.line));
        }
    }
}

/// The literal parts of a path, with a gap for each of the others but the directory in
/// which it begins.
fn text_of(parts: &[Part<'_>]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Text(piece) => text.push_str(piece),
            Part::Package | Part::Somewhere if index == 0 => {}
            _ => text.push(GAP),
        }
    }
    text
}
