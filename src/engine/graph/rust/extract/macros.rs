//! Literals that a macro gets which nobody knows.
//!
//! A macro may open what it is given while the crate is built, from the file that calls
//! it, from its package or from the root of the workspace, in which the compiler runs. So
//! such a literal names every file and directory that it fits from the directories at and
//! above its file. An attribute that is not known is a macro as well.
//!
//! Macros that put their arguments where they stand are known by their names.

use std::collections::BTreeMap;

use super::{Kind, MANIFEST_DIR, Reader, Token};
use crate::engine::facts::{Base, Dynamic, Facts, Opened, Reach, When};
use crate::engine::graph::computed::PLAIN;

/// Macros that put texts together or look at them, beside those that only print.
const QUIET: &[&str] = &[
    "concat",
    "stringify",
    "env",
    "option_env",
    "cfg",
    "file",
    "compile_error",
    "json",
    "assert_matches",
    "debug_assert_ne",
];

/// Words that a negation and a bracket follow.
const KEYWORDS: &[&str] = &["if", "while", "match", "return", "in", "break"];

/// Attributes whose texts are no paths.
const PLAIN_ATTRIBUTES: &[&str] = &[
    "cfg",
    "doc",
    "serde",
    "derive",
    "allow",
    "warn",
    "deny",
    "forbid",
    "expect",
    "deprecated",
    "must_use",
    "inline",
    "repr",
    "ignore",
    "should_panic",
    "error",
    "arg",
    "clap",
    "command",
    "value",
    "structopt",
    "instrument",
    "link",
    "link_name",
    "link_section",
    "export_name",
    "rustc_on_unimplemented",
    "diagnostic",
    "on_unimplemented",
    "target_feature",
];

/// Where the templates of a crate lie that has no settings of its own for them
/// (<https://askama.readthedocs.io/en/stable/configuration.html>).
const TEMPLATES: &str = "templates/**";

/// Which brackets of macros are open, and what was given to them.
#[derive(Debug, Default)]
pub(super) struct Macros<'a> {
    /// How many brackets are open.
    brackets: u32,
    /// The brackets of macros that are not known.
    open: Vec<u32>,
    /// The brackets of definitions of macros, and whether other crates get them.
    defined: Vec<(u32, bool)>,
    /// The bracket of the attribute that is open; 0 for none.
    attribute: u32,
    is_plain_attribute: bool,
    is_template: bool,
    /// Whether the next literal is a condition.
    is_condition: bool,
    given: BTreeMap<&'a str, u32>,
    /// What macros that are defined for other crates give to others.
    passed: BTreeMap<&'a str, u32>,
    templates: Vec<u32>,
    /// Lines at which a template has settings in a file that nobody knows.
    configured: Vec<u32>,
}

impl<'a> Macros<'a> {
    /// Counts a token that opens or closes a bracket.
    pub(super) fn bracket(&mut self, token: Token<'_>) {
        if token.kind != Kind::Punct {
            return;
        }
        match token.text {
            "(" | "[" | "{" => self.brackets += 1,
            ")" | "]" | "}" => {
                let level = self.brackets;
                self.open.pop_if(|open| *open >= level);
                self.defined.pop_if(|(open, _)| *open >= level);
                self.brackets = level.saturating_sub(1);
            }
            _ => {}
        }
    }

    pub(super) fn brackets(&self) -> u32 {
        self.brackets
    }

    /// A name that may be called as a macro.
    pub(super) fn call(&mut self, name: Token<'_>, source: &str) {
        let end = name.start + name.text.len();
        let rest = source.get(end..).unwrap_or_default().trim_start();
        let is_call = rest
            .strip_prefix('!')
            .is_some_and(|rest| rest.trim_start().starts_with(['(', '[', '{']));
        let known = [PLAIN, QUIET, KEYWORDS];
        if is_call && !known.iter().any(|list| list.contains(&name.text)) {
            self.open.push(self.brackets + 1);
        }
    }

    /// After the name of a macro that is defined.
    pub(super) fn definition(&mut self, is_exported: bool) {
        self.defined.push((self.brackets + 1, is_exported));
    }

    /// Whether a macro is being defined, and if so, whether for other crates.
    pub(super) fn defines(&self) -> Option<bool> {
        self.defined.last().map(|(_, is_exported)| *is_exported)
    }

    /// After the name of an attribute whose bracket is open.
    pub(super) fn attribute(&mut self, name: &str, level: u32) {
        self.attribute = level;
        self.is_plain_attribute = PLAIN_ATTRIBUTES.contains(&name);
        self.is_template = name == "template";
        if !self.is_plain_attribute && self.brackets >= level {
            self.open.push(level);
        }
    }

    pub(super) fn end_of_attribute(&mut self) {
        self.attribute = 0;
        self.is_template = false;
    }

    /// Before a literal of an attribute: the name that it is given to.
    pub(super) fn assigned(&mut self, name: &str, line: u32) {
        self.is_condition = name == "feature" || name.starts_with("target_");
        match (self.is_template, name) {
            (true, "config") => self.configured.push(line),
            (true, _) => self.templates.push(line),
            (false, _) => {}
        }
    }

    /// A literal, wherever it stands.
    pub(super) fn literal(&mut self, text: &'a str, line: u32) {
        let is_condition = std::mem::take(&mut self.is_condition);
        let is_given = match self.open.last() {
            Some(open) if *open > self.attribute => true,
            // The path of a request is written so.
            Some(_) => !self.is_plain_attribute && !text.starts_with('/'),
            None => false,
        };
        if is_given && !is_condition {
            self.give(text, line);
        }
    }

    /// A literal that may name a file or a directory.
    pub(super) fn give(&mut self, text: &'a str, line: u32) {
        let below = text.strip_prefix(MANIFEST_DIR).or_else(|| {
            let variable = text.strip_prefix('$')?;
            variable.split_once('/').map(|(_, below)| below)
        });
        let path = below.unwrap_or(text).trim_matches('/');
        if !is_path(path) {
            return;
        }
        self.given.entry(path).or_insert(line);
        if self.defines() == Some(true) && !path.contains('*') {
            self.passed.entry(path).or_insert(line);
        }
    }

    /// Puts what was given into the facts of the source.
    pub(super) fn finish(self, facts: &mut Facts) {
        let given = (self.given.into_iter()).map(|(path, line)| (Base::Around, path.into(), line));
        let templates = self.templates.into_iter().take(1);
        let templates = templates.map(|line| (Base::Manifest, TEMPLATES.to_owned(), line));
        let passed = self.passed.into_iter().flat_map(|(path, line)| {
            let path = path.trim_start_matches("../").trim_start_matches("./");
            let patterns = [format!("**/{path}"), format!("**/{path}/**")];
            patterns.map(|pattern| (Base::Anywhere, pattern, line))
        });
        for (base, pattern, line) in given.chain(templates).chain(passed) {
            facts.opened.push(Opened {
                base,
                when: When::Used,
                pattern: pattern.into(),
                what: "a literal that a macro gets".into(),
                line,
            });
        }
        let configured = self.configured.into_iter();
        let what = "a template with settings of its own";
        let configured = configured.map(|line| Dynamic::used(Reach::Package, what, line));
        facts.dynamic.extend(configured);
    }
}

impl Reader<'_> {
    /// Macros in documentation that a macro over it runs: `/// include_mmd!("x.mmd")`.
    pub(super) fn read_documentation(&mut self) {
        let comments = (1..).zip(self.source.lines());
        for (number, line) in comments {
            let is_comment = ["///", "//!", "/*", "*"]
                .iter()
                .any(|mark| line.trim_start().starts_with(mark));
            if !is_comment {
                continue;
            }
            for call in line.split("include").skip(1) {
                let given = call
                    .split_once("!(")
                    .and_then(|(_, rest)| rest.trim_start().strip_prefix('"')?.split_once('"'));
                if let Some((text, _)) = given {
                    self.macros.give(text, number);
                }
            }
        }
    }
}

/// Whether a literal may be a path or a glob: short, without blanks and fields. A glob
/// begins with a directory, and nothing that goes down climbs again: most literals of
/// stars and dots are examples.
fn is_path(text: &str) -> bool {
    let clean =
        |c: char| !c.is_control() && !c.is_whitespace() && !"<>\"|\\{}()[]?^$;!:`'#&".contains(c);
    let mut below = text
        .split('/')
        .skip_while(|part| matches!(*part, "." | ".."));
    let is_fixed = below.next().is_some_and(|part| !part.contains('*'));
    let climbs = below.any(|part| part.starts_with('.') && part.ends_with('.'));
    (1..=200).contains(&text.len())
        && text.chars().all(clean)
        && text.chars().any(char::is_alphanumeric)
        && is_fixed
        && !climbs
}
