//! How Java and Kotlin give values to names, and texts with names in them.
//!
//! Java has no word before a variable: a name behind a type and before `=`, `:`, `,` or
//! `)` is one, and before `(` it is a method that is declared.

use super::{Base, Kind, Place, Reader, Speech, Token, Value, concat, literal};
use crate::engine::graph::jvm::{climbing, variable};
use crate::engine::graph::places::{GAP, is_root};
use crate::engine::graph::scan::Dialect;

/// How many words of a type are read.
const TYPE: usize = 40;

impl<'a, S: Speech> Reader<'a, '_, S> {
    pub(super) fn is_jvm() -> bool {
        matches!(S::DIALECT, Dialect::Java | Dialect::Kotlin)
    }

    pub(super) fn jvm_binding(&mut self, token: Token<'a>) -> bool {
        let name = token.text;
        match name {
            "fun" if S::DIALECT == Dialect::Kotlin => {
                self.at += 1;
                self.declared_function();
                return true;
            }
            "TempDir" if self.is_behind(1, "@") => return self.made_directory(),
            "this" if self.is_ahead(1, ".") && self.is_assignment(3) => {
                let field = self.ahead(2).map_or("", |it| it.text);
                self.at += 4;
                self.jvm_assign(field);
                return true;
            }
            name if S::is_keyword(name) => return false,
            _ => {}
        }
        if self.is_assignment(1) {
            self.at += 2;
            self.jvm_assign(name);
            return true;
        }
        match S::DIALECT {
            Dialect::Kotlin => self.kotlin_binding(name),
            _ => self.java_binding(name),
        }
    }

    fn java_binding(&mut self, name: &'a str) -> bool {
        if !self.is_behind_type() {
            return false;
        }
        if self.is_ahead(1, "(") {
            self.at += 1;
            self.function = name;
            return true;
        }
        if self.is_ahead(1, ":") && !self.is_ahead(2, ":") {
            self.at += 2;
            self.jvm_assign(name);
            return true;
        }
        if self.is_ahead(1, ",") || self.is_ahead(1, ")") {
            self.at += 1;
            self.give(name);
            return true;
        }
        false
    }

    fn kotlin_binding(&mut self, name: &'a str) -> bool {
        if self.ahead(1).is_some_and(|it| it.is_word("in")) {
            self.at += 2;
            self.jvm_assign(name);
            return true;
        }
        let is_typed = self.is_ahead(1, ":") && !self.is_ahead(2, ":") && !self.is_behind_class();
        if !is_typed {
            return false;
        }
        for count in 2..TYPE {
            let Some(token) = self.ahead(count) else {
                break;
            };
            if token.is("=") && self.is_assignment(count) {
                self.at += count + 1;
                self.jvm_assign(name);
                return true;
            }
            let ends = token.is_first || token.kind == Kind::Punct;
            if ends && !matches!(token.text, "<" | ">" | "?" | "." | "*" | ",") {
                break;
            }
        }
        if !self.known.contains_key(name) {
            self.give(name);
        }
        self.at += 2;
        true
    }

    /// Behind `fun`: the name, which may stand behind a type.
    fn declared_function(&mut self) {
        for _ in 0..TYPE {
            match self.token() {
                Some(token) if token.kind == Kind::Word => self.function = token.text,
                Some(token) if matches!(token.text, "." | "<" | ">" | "," | "?" | ":") => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// `@TempDir Path dir`, `@TempDir lateinit var dir: Path`: made for the run.
    fn made_directory(&mut self) -> bool {
        let mut last = None;
        for count in 1..TYPE {
            match self.ahead(count) {
                Some(token) if token.kind == Kind::Word => last = Some((token.text, count)),
                Some(token) if matches!(token.text, "<" | ">" | "@" | ".") => {}
                _ => break,
            }
        }
        let Some((name, count)) = last else {
            return false;
        };
        self.bind(name, &Value::default());
        self.at += count + 1;
        true
    }

    /// A value behind `=`: of a variable, a field, or an argument by its name.
    fn jvm_assign(&mut self, name: &'a str) {
        let line = self.line();
        let is_argument = self.tokens.get(self.at.saturating_sub(3));
        let is_argument = is_argument.is_some_and(|it| it.is("(") || it.is(","));
        let value = if self.is_ahead(0, "{") && S::DIALECT == Dialect::Java {
            Value::list(&self.arguments("}"))
        } else if self.begins_expression() {
            self.expression()
        } else {
            return;
        };
        self.bind(name, &value);
        if self.braces < 2 || is_argument {
            self.used(&value, line);
        }
    }

    /// A literal, with what Kotlin fills in.
    pub(super) fn jvm_text(&self, text: &str) -> Value {
        if S::DIALECT == Dialect::Kotlin && text.contains('$') {
            return self.template(text);
        }
        climbing(text).map_or_else(|| Value::literal(text), Value::at)
    }

    fn template(&self, text: &str) -> Value {
        let (mut all, mut is_first) = (vec![Place::new(Base::Working, "")], true);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            if !before.is_empty() {
                all = concat(&all, &literal(before), &mut is_first);
            }
            let (code, behind) = if let Some(inner) = after.strip_prefix('{') {
                inner.split_once('}').unwrap_or((inner, ""))
            } else {
                let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
                after.split_at(end.unwrap_or(after.len()))
            };
            all = concat(&all, &self.filled(code), &mut is_first);
            rest = behind;
        }
        if !rest.is_empty() {
            all = concat(&all, &literal(rest), &mut is_first);
        }
        let is_gap = |place: &Place| place.text.chars().all(|c| c == GAP);
        if all.iter().any(|place| !is_gap(place)) || all.is_empty() {
            Value::at(all)
        } else {
            Value::unknown()
        }
    }

    /// What a piece of code between `${` and `}` stands for.
    fn filled(&self, code: &str) -> Vec<Place> {
        let code = code.trim();
        if code.contains("user.dir") {
            return variable("user.dir").places;
        }
        let last = code.rsplit('.').next().unwrap_or_default();
        let last = last.trim_end_matches("()");
        if last != code && is_root(last) {
            return vec![Place::anywhere()];
        }
        self.named(code).places
    }

    fn is_behind(&self, count: usize, punct: &str) -> bool {
        let at = self.at.checked_sub(count);
        let token = at.and_then(|at| self.tokens.get(at));
        token.is_some_and(|token| token.is(punct))
    }

    fn is_behind_class(&self) -> bool {
        let at = self.at.checked_sub(1);
        let token = at.and_then(|at| self.tokens.get(at));
        token.is_some_and(|token| matches!(token.text, "class" | "object" | "interface"))
    }

    fn is_behind_type(&self) -> bool {
        let at = self.at.checked_sub(1);
        let Some(token) = at.and_then(|at| self.tokens.get(at)) else {
            return false;
        };
        match token.kind {
            Kind::Word => token.text == "void" || !S::is_keyword(token.text) && token.text != "new",
            Kind::Punct => matches!(token.text, ">" | "]"),
            _ => false,
        }
    }
}
