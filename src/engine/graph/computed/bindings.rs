//! Names that get values: variables, constants, parameters, what loops run over.

use super::{Kind, Place, Reader, Speech, Token, Value, is_made_for_the_run};
use crate::engine::graph::places::How;
use crate::engine::graph::scan::Dialect;

/// How many names one pattern may bind.
const NAMES: usize = 12;

impl<'a, S: Speech> Reader<'a, '_, S> {
    /// Reads what binds names; `false` when nothing of that kind begins here.
    pub(super) fn binding(&mut self, token: Token<'a>) -> bool {
        if token.kind != Kind::Word {
            return false;
        }
        match S::DIALECT {
            Dialect::Go => self.go_binding(token),
            Dialect::Java | Dialect::Kotlin => self.jvm_binding(token),
            _ => self.rust_binding(token),
        }
    }

    fn rust_binding(&mut self, token: Token<'a>) -> bool {
        match token.text {
            "let" => {
                self.at += 1;
                let names = self.pattern("=");
                self.assign(&names, true);
            }
            // Not `impl X for Y` and `for<'a>`.
            "for" => {
                self.at += 1;
                let names = self.pattern("in");
                self.assign(&names, true);
            }
            "const" | "static" if self.is_ahead(2, ":") => {
                self.at += 1;
                let names = self.pattern("=");
                self.assign(&names, false);
            }
            "fn" => {
                self.at += 1;
                self.function = self.token().map_or("", |name| name.text);
                self.parameters();
            }
            name if self.is_assignment(1) => {
                self.at += 2;
                self.assign(&[name], true);
            }
            _ => return false,
        }
        true
    }

    /// `name =`, but no comparison.
    pub(super) fn is_assignment(&self, count: usize) -> bool {
        self.is_ahead(count, "=")
            && !self.is_ahead(count + 1, "=")
            && !self.is_ahead(count + 1, ">")
    }

    /// The names of a pattern up to what ends it, which is taken. None where a statement
    /// or a block ends before.
    fn pattern(&mut self, end: &str) -> Vec<&'a str> {
        let (start, mut names, mut is_type) = (self.at, Vec::new(), false);
        for _ in 0..200 {
            let Some(token) = self.token() else {
                break;
            };
            self.at += 1;
            match (token.kind, token.text) {
                (Kind::Punct, "=") | (Kind::Word, "in") if token.text == end => return names,
                (Kind::Punct, ";") => break,
                (Kind::Punct, "{") if end == "in" => break,
                (Kind::Punct, ":") => is_type = end == "=",
                (Kind::Word, "mut" | "ref") => {}
                (Kind::Word, name) if !is_type && names.len() < NAMES => names.push(name),
                _ => {}
            }
        }
        self.at = start;
        Vec::new()
    }

    /// The names of parameters stand for what calls give.
    fn parameters(&mut self) {
        for _ in 0..60 {
            match self.token() {
                Some(token) if token.is("(") => break,
                Some(token) if matches!(token.text, "{" | ";" | "}") => return,
                Some(_) => self.at += 1,
                None => return,
            }
        }
        self.parameter_list();
    }

    fn parameter_list(&mut self) {
        let mut depth = 0_u32;
        while let Some(token) = self.token() {
            match (token.kind, token.text) {
                (Kind::Punct, "(" | "[") => depth += 1,
                (Kind::Punct, ")" | "]") => depth = depth.saturating_sub(1),
                (Kind::Word, name) => {
                    let is_named = S::DIALECT == Dialect::Go || self.is_ahead(1, ":");
                    if depth == 1 && is_named {
                        self.give(name);
                    }
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    pub(super) fn give(&mut self, name: &'a str) {
        let value = if is_made_for_the_run(name) {
            Value::default()
        } else {
            Value::at(vec![Place::unknown()])
        };
        self.bind(name, &value);
    }

    /// Reads a value and gives it to names.
    fn assign(&mut self, names: &[&'a str], is_local: bool) {
        let line = self.line();
        if !self.begins_expression() {
            return;
        }
        let value = self.expression();
        for name in names {
            self.bind(name, &value);
        }
        if !is_local {
            self.used(&value, line);
        }
    }

    fn go_binding(&mut self, token: Token<'a>) -> bool {
        match token.text {
            "func" => {
                self.at += 1;
                // The receiver, the name, the parameters.
                for _ in 0..2 {
                    if self.token().is_some_and(|it| it.is("(")) {
                        self.parameter_list();
                    } else if let Some(name) = self.token().filter(|it| it.kind == Kind::Word) {
                        self.function = name.text;
                        self.at += 1;
                    }
                }
                if self.token().is_some_and(|it| it.is("(")) {
                    self.parameter_list();
                }
                return true;
            }
            "Dir" if self.is_ahead(1, ":") && !self.is_ahead(2, "=") => {
                self.at += 2;
                self.told_directory();
                return true;
            }
            _ => {}
        }
        if S::is_keyword(token.text) {
            return false;
        }
        let Some((names, count)) = self.go_names() else {
            return false;
        };
        let (is_local, is_field) = (self.braces > 0, self.is_ahead(1, "."));
        self.at += count;
        while self
            .token()
            .is_some_and(|it| it.is_word("range") || it.is("*") || it.is("&"))
        {
            self.at += 1;
        }
        match names.as_slice() {
            [name, "Dir"] if is_field => {
                let line = self.line();
                let value = self.expression();
                let command = self.named(name).command;
                self.runs(command, &value, line);
            }
            [_, field] if is_field => self.go_assign(&[field], false),
            names => self.go_assign(names, is_local),
        }
        true
    }

    /// The first call of several results gives the first name, and the caller's file the
    /// second one.
    fn go_assign(&mut self, names: &[&'a str], is_local: bool) {
        let line = self.line();
        if !self.begins_expression() {
            return;
        }
        let is_caller = self.ahead(2).is_some_and(|it| it.is_word("Caller"));
        let is_loop = self.at > 0
            && self
                .tokens
                .get(self.at - 1)
                .is_some_and(|it| it.is_word("range"));
        let value = self.expression();
        for (index, name) in names.iter().enumerate() {
            let is_value = match index {
                0 => !(is_caller || is_loop && names.len() > 1),
                1 => is_caller || is_loop,
                _ => false,
            };
            if is_value {
                self.bind(name, &value);
            } else if *name != "_" {
                self.give(name);
            }
        }
        // More values stand behind commas: each is read, and may be the name's.
        let mut rest = names.iter().skip(1);
        while names.len() > 1 && self.token().is_some_and(|it| it.is(",")) {
            self.at += 1;
            if !self.begins_expression() {
                break;
            }
            let value = self.expression();
            if let Some(name) = rest.next() {
                self.bind(name, &value);
            }
        }
        if !is_local {
            self.used(&value, line);
        }
    }

    /// `a, b :=`, `a =`, `a string =` and `cmd.Dir =` with how many tokens they are.
    fn go_names(&self) -> Option<(Vec<&'a str>, usize)> {
        let mut names = Vec::new();
        let mut at = 0;
        loop {
            let word = self.ahead(at).filter(|it| it.kind == Kind::Word)?;
            names.push(word.text);
            at += 1;
            if self.is_ahead(at, ":") && self.is_ahead(at + 1, "=") {
                return Some((names, at + 2));
            }
            if self.is_assignment(at) {
                return Some((names, at + 1));
            }
            let is_typed = names.len() == 1
                && self.ahead(at).is_some_and(|it| it.is_word("string"))
                && self.is_assignment(at + 1);
            if is_typed {
                return Some((names, at + 2));
            }
            let is_joined = self.is_ahead(at, ",") || names.len() == 1 && self.is_ahead(at, ".");
            if !is_joined || names.len() >= NAMES {
                return None;
            }
            at += 1;
        }
    }

    /// `Dir: value` among the fields of something.
    fn told_directory(&mut self) {
        let line = self.line();
        if self.begins_expression() {
            let value = self.expression();
            for place in &value.places {
                self.say(place, How::Told, "a directory that a program is told", line);
            }
        }
    }

    /// Whether an expression may begin here.
    pub(super) fn begins_expression(&self) -> bool {
        self.token().is_some_and(|token| match token.kind {
            Kind::Word => !S::is_keyword(token.text),
            Kind::Text => true,
            Kind::Punct => matches!(token.text, "(" | "[" | "&" | "*"),
            Kind::Other | Kind::Comment => false,
        })
    }
}
