//! What a build script says to Cargo: paths to watch, which may be known or not, and
//! paths for the compiler.
//!
//! Whoever prints it is a build script or helps one, under whatever name. A path that is
//! computed may be any of the package: a watched file is one that the script reads.

use super::{Kind, Reader, Token};
use crate::engine::facts::{Dynamic, Reach};
use crate::engine::graph::scan::{Dialect, Scanner};

const MARK: &str = "rerun-if-changed";

impl<'a> Reader<'a> {
    /// A literal without the mark in front of a path that it watches.
    pub(super) fn watched(&mut self, token: Token<'a>) -> &'a str {
        let Some((head, rest)) = token.text.split_once(MARK) else {
            self.told(token);
            return token.text;
        };
        let mut only = token.text;
        for rest in std::iter::once(rest).chain(rest.split(MARK).skip(1)) {
            let end = rest.find(['\n', '\\']).unwrap_or(rest.len());
            let path = rest.get(..end).unwrap_or_default().strip_prefix('=');
            let is_known =
                |path: &&str| !path.is_empty() && (!path.contains('{') || self.is_constant(path));
            match path.filter(is_known) {
                Some(path) if matches!(head, "cargo:" | "cargo::") && only == token.text => {
                    only = path;
                }
                Some(path) => self.literals.push(path, token.line),
                None => self.watches(token.text, token.line),
            }
        }
        match only.split_once(MARK) {
            Some(("cargo:" | "cargo::", path)) => path.trim_start_matches('='),
            _ => only,
        }
    }

    /// What the compiler or its linker is told: `cargo:rustc-link-arg=-Tlink/x.ld`.
    fn told(&mut self, token: Token<'a>) {
        if !token.text.starts_with("cargo:") {
            return;
        }
        for part in token.text.split(['=', ',', ' ']).skip(1) {
            let attached = part.strip_prefix('-').and_then(|flag| flag.get(1..));
            self.literals.push(attached.unwrap_or(part), token.line);
        }
    }

    /// After a name: a function or a macro that makes Cargo watch what it is given.
    pub(super) fn watching(&mut self, name: Token<'a>) {
        if name.text != "rerun_if_changed" {
            return;
        }
        let end = name.start + name.text.len();
        let rest = self.source.get(end..).unwrap_or_default();
        let rest = rest.trim_start().trim_start_matches('!').trim_start();
        let Some(given) = rest.strip_prefix('(') else {
            return;
        };
        let text = given.trim_start().strip_prefix('"');
        let text = text.and_then(|text| text.split('"').next());
        if text.is_none_or(|text| text.contains('{')) {
            self.watches(name.text, name.line);
        }
    }

    fn watches(&mut self, what: &str, line: u32) {
        let found = Dynamic::used(Reach::Package, what, line);
        self.facts.dynamic.push(found);
    }

    /// Whether a text is a name in braces that the source gives one literal, which names a
    /// file and is among its literals anyway. Nothing else may have that name.
    fn is_constant(&self, text: &str) -> bool {
        let name = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let is_upper = |it: &&str| it.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let Some(name) = name.filter(is_upper) else {
            return false;
        };
        let tokens = Scanner::new(Dialect::Rust, self.source);
        let tokens: Vec<Token<'_>> = tokens.filter(|it| it.kind != Kind::Comment).collect();
        let mut words = tokens.iter().filter(|it| it.kind == Kind::Word);
        let is_plain = words.all(|it| !["mod", "macro_rules", "include"].contains(&it.text));
        let mut given = tokens.windows(2).filter(|pair| {
            matches!(pair, [named, next] if named.is_word(name)
                && (next.is("=") || next.is(":") || next.is("|") || next.is("@")))
        });
        let is_once = given.next().is_some() && given.next().is_none();
        let value = ["const", "static"].iter().find_map(|word| {
            let form = format!("{word} {name}: &str = \"");
            let (_, rest) = self.source.split_once(&form)?;
            Some(rest.split_once("\";")?.0)
        });
        let is_file = |value: &str| {
            let last = value.rsplit('/').next().unwrap_or_default();
            !value.contains(['\\', '"', '{', '\n']) && last.trim_start_matches('.').contains('.')
        };
        is_once && is_plain && value.is_some_and(is_file)
    }
}
