//! Expressions: literals, names, chains of calls, and sums of them.

use super::{Base, Call, DEPTH, Kind, Meaning, Place, Reader, Speech, Value, is_root};
use crate::engine::graph::places::{concat, join};
use crate::engine::graph::scan::Dialect;

/// Macros that put their arguments where they stand; others may run them while the crate
/// is built.
pub(in crate::engine::graph) const PLAIN: &[&str] = &[
    "println",
    "eprintln",
    "print",
    "eprint",
    "panic",
    "write",
    "writeln",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "format",
    "format_args",
    "vec",
    "matches",
    "dbg",
    "todo",
    "unreachable",
    "unimplemented",
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "bail",
    "anyhow",
    "ensure",
];

/// What of a chain was read: its value, and the name that it ends with.
struct Chain<'a> {
    value: Value,
    path: Vec<&'a str>,
    /// Whether there is a value before the name's last part.
    has_receiver: bool,
}

impl Value {
    /// What only prints what it is given.
    pub(in crate::engine::graph) fn printer() -> Self {
        Self {
            is_printer: true,
            ..Self::default()
        }
    }
}

impl<'a, S: Speech> Reader<'a, '_, S> {
    /// Reads an expression; takes one token at least.
    pub(super) fn expression(&mut self) -> Value {
        let mut value = self.chain();
        while self.is_sum() {
            let is_joined = self.is_ahead(0, "/");
            self.at += 1;
            if let Some(token) = self.token().filter(|it| it.kind == Kind::Other) {
                self.at += 1;
                value = sum(&value, &character(token.text));
                continue;
            }
            if !self.begins_expression() {
                return Value::unknown();
            }
            let right = self.chain();
            value = if is_joined {
                Value::at(join(&value.places, &right.places))
            } else {
                sum(&value, &right)
            };
        }
        value
    }

    /// `+`, or Kotlin's `/` between paths.
    fn is_sum(&self) -> bool {
        let is_sign =
            self.is_ahead(0, "+") || S::DIALECT == Dialect::Kotlin && self.is_ahead(0, "/");
        is_sign && !self.is_ahead(1, "=") && !self.is_ahead(1, "+")
    }

    fn chain(&mut self) -> Value {
        while self
            .token()
            .is_some_and(|it| it.is("&") || it.is("*") || it.is_word("mut") || Self::is_new(it))
        {
            self.at += 1;
        }
        let Some(token) = self.token() else {
            return Value::unknown();
        };
        let mut chain = Chain {
            value: Value::unknown(),
            path: Vec::new(),
            has_receiver: false,
        };
        match (token.kind, token.text) {
            (Kind::Text, text) => {
                self.at += 1;
                chain.value = if Self::is_jvm() {
                    self.jvm_text(text)
                } else {
                    Value::literal(text)
                };
            }
            (Kind::Word, name) => {
                self.at += 1;
                chain.path.push(name);
                chain.value = self.named(name);
            }
            (Kind::Punct, "(") => chain.value = one(self.arguments(")")),
            (Kind::Punct, "[") => chain.value = self.list(),
            (Kind::Other, text) => {
                self.at += 1;
                chain.value.number = text.parse().ok();
            }
            _ => {
                self.at += 1;
                return chain.value;
            }
        }
        while self.goes_on(&mut chain) {}
        chain.value
    }

    /// `new` of Java, which says nothing.
    fn is_new(token: super::Token<'a>) -> bool {
        S::DIALECT == Dialect::Java && token.is_word("new")
    }

    /// Whether `[]` stands here behind.
    fn is_array(&self) -> bool {
        let is = |count: usize, punct: &str| {
            let at = self.at.checked_sub(count);
            let token = at.and_then(|at| self.tokens.get(at));
            token.is_some_and(|token| token.is(punct))
        };
        is(1, "]") && is(2, "[")
    }

    /// Reads one more part of a chain.
    fn goes_on(&mut self, chain: &mut Chain<'a>) -> bool {
        let Some(token) = self.token().filter(|it| it.kind == Kind::Punct) else {
            return false;
        };
        match token.text {
            "?" => self.at += 1,
            "!" if S::DIALECT == Dialect::Kotlin && self.is_ahead(1, "!") => self.at += 2,
            // The items of a new array.
            "{" if self.is_array() && S::DIALECT == Dialect::Java => {
                chain.value = Value::list(&self.arguments("}"));
                chain.path.clear();
            }
            "." if self.ahead(1).is_some_and(|it| it.kind == Kind::Word) => self.member(chain),
            // An assertion of a type.
            "." if self.is_ahead(1, "(") => {
                self.at += 1;
                self.arguments(")");
            }
            ":" if self.is_ahead(1, ":") && S::DIALECT == Dialect::Rust => self.segment(chain),
            "(" if !chain.path.is_empty() => self.call(chain, false),
            "[" if !chain.has_receiver || !chain.path.is_empty() => {
                self.arguments("]");
                chain.path.clear();
            }
            "!" if S::DIALECT == Dialect::Rust && !chain.path.is_empty() => {
                let is_macro = ["(", "[", "{"].iter().any(|open| self.is_ahead(1, open));
                if !is_macro {
                    return false;
                }
                self.at += 1;
                self.call(chain, true);
            }
            _ => return false,
        }
        true
    }

    /// `.name`
    fn member(&mut self, chain: &mut Chain<'a>) {
        self.at += 1;
        let name = self.token().map_or("", |token| token.text);
        self.at += 1;
        if name == "await" {
            return;
        }
        let owner = chain.path.last().copied().unwrap_or_default();
        chain.has_receiver = true;
        chain.path.push(name);
        let is_called = self.is_ahead(0, "(") || self.is_ahead(0, ":") && self.is_ahead(2, "<");
        if !is_called {
            // A field: nobody knows, but by its name.
            let is_own = matches!(chain.path.first(), Some(&"self" | &"this"));
            let known = self.known.contains_key(name) && is_own;
            let property = S::property(name, owner, &chain.value).filter(|_| !known);
            chain.value = if let Some(property) = property {
                property
            } else if known || is_root(name) {
                self.named(name)
            } else if chain.value.places.is_empty() {
                Value::default()
            } else {
                Value::unknown()
            };
        }
    }

    /// `::name`, or `::<types>`, which say nothing.
    fn segment(&mut self, chain: &mut Chain<'a>) {
        self.at += 2;
        match self.token() {
            Some(token) if token.kind == Kind::Word => {
                chain.path.push(token.text);
                chain.value = Value::unknown();
                chain.has_receiver = false;
                self.at += 1;
            }
            Some(token) if token.is("<") => {
                let mut depth = 0_u32;
                for _ in 0..60 {
                    match self.token() {
                        Some(token) if token.is("<") => depth += 1,
                        Some(token) if token.is(">") => depth = depth.saturating_sub(1),
                        Some(token) if matches!(token.text, ";" | "{") => return,
                        Some(_) => {}
                        None => return,
                    }
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, chain: &mut Chain<'a>, is_macro: bool) {
        let line = self.line();
        let close = match self.token().map(|token| token.text) {
            Some("[") => "]",
            Some("{") => "}",
            _ => ")",
        };
        let is_staged = is_macro && chain.path.last().is_some_and(|name| !PLAIN.contains(name));
        self.staged += u32::from(is_staged);
        let arguments = self.arguments(close);
        self.staged -= u32::from(is_staged);
        let receiver = chain.has_receiver.then(|| chain.value.clone());
        let call = Call {
            path: &chain.path,
            receiver: receiver.as_ref(),
            arguments: &arguments,
            is_macro,
        };
        let what = format!("{}(...)", call.last());
        let meaning = S::meaning(&call);
        let variable = chain.path.first().copied();
        let variable = variable.filter(|_| chain.path.len() == 2);
        // A function of the file, or a method of its types.
        let own = chain.path.last().copied().filter(|_| !is_macro);
        chain.value = match meaning {
            Meaning::Is(value) => value,
            Meaning::Grows(value) => {
                if let Some(name) = variable {
                    self.grow(name, &value, arguments.is_empty());
                }
                Value::unknown()
            }
            Meaning::Reads(places, how) => {
                if how != super::How::File && places.iter().any(is_given) {
                    self.listing.push(self.function);
                }
                for place in &places {
                    self.reads(place, how, &what, line);
                }
                Value::default()
            }
            Meaning::Anywhere(name) => {
                let place = Place::new(Base::Anywhere, name);
                self.reads(&place, super::How::File, &what, line);
                Value::unknown()
            }
            Meaning::Writes => Value::default(),
            Meaning::Unknown => self.mixed(receiver.as_ref(), &arguments, own, line),
            meaning => self.started(&meaning, receiver, arguments, (&what, line)),
        };
        chain.has_receiver = true;
        chain.path.clear();
    }

    /// What has to do with programs.
    fn started(
        &mut self,
        meaning: &Meaning,
        receiver: Option<Value>,
        arguments: Vec<Value>,
        (what, line): (&str, u32),
    ) -> Value {
        match meaning {
            Meaning::Starts(first) => {
                return self.starts(arguments.get(*first..).unwrap_or_default(), line);
            }
            Meaning::Loads => return self.loads(&arguments, what, line),
            Meaning::Says => return self.says(&arguments, line),
            Meaning::Word => self.word(receiver.as_ref(), &arguments, line),
            Meaning::Runs => {
                let command = receiver.as_ref().and_then(|it| it.command);
                let given = arguments.into_iter().next().unwrap_or_default();
                self.runs(command, &given, line);
            }
            _ => {}
        }
        receiver.unwrap_or_default()
    }

    /// What an unknown call gives: as far away as what it is given.
    fn mixed(
        &mut self,
        receiver: Option<&Value>,
        arguments: &[Value],
        own: Option<&'a str>,
        line: u32,
    ) -> Value {
        let given = receiver.into_iter().chain(arguments);
        let mut places = given.clone().flat_map(|value| &value.places);
        let is_far = places.any(|place| place.blurred().base == Base::Anywhere);
        for value in given {
            self.used(value, line);
        }
        for place in arguments.iter().flat_map(|value| value.places.iter()) {
            if place.base == Base::Working && is_up(&place.text) {
                self.say(place, super::How::Told, "a directory above", line);
                continue;
            }
            let is_known = place.base < Base::Package && !place.text.is_empty();
            if let Some(name) = own.filter(|_| is_known && self.records)
                && self.passed.len() < 2_000
            {
                self.passed.push((name, place.clone(), line));
            }
        }
        Value::at(vec![if is_far {
            Place::somewhere()
        } else {
            Place::unknown()
        }])
    }

    /// `[a, b]`, `[]string{a, b}`: all of them.
    fn list(&mut self) -> Value {
        let mut items = self.arguments("]");
        let is_typed = self.token().is_some_and(|it| it.kind == Kind::Word);
        if S::DIALECT == Dialect::Go && is_typed && self.is_ahead(1, "{") {
            self.at += 1;
            items = self.arguments("}");
        }
        Value::list(&items)
    }

    /// What stands between brackets, by commas; begins at the bracket that opens.
    pub(super) fn arguments(&mut self, close: &str) -> Vec<Value> {
        self.at += 1;
        let mut all = Vec::new();
        if self.depth > DEPTH {
            return all;
        }
        self.depth += 1;
        while let Some(token) = self.token() {
            if token.kind == Kind::Punct {
                match token.text {
                    text if text == close => {
                        self.at += 1;
                        break;
                    }
                    // At another bracket something was not read as it is meant: these go on.
                    "," | ";" | ")" | "]" | "}" => {
                        self.at += 1;
                        continue;
                    }
                    _ => {}
                }
            }
            all.push(self.argument(close));
        }
        self.depth -= 1;
        all
    }

    fn argument(&mut self, close: &str) -> Value {
        let line = self.line();
        let is_number = self.token().is_some_and(|it| it.kind == Kind::Other);
        let is_binding = self.token().is_some_and(|it| self.binding(it));
        let value = if is_binding {
            Value::unknown()
        } else if self.begins_expression() || is_number {
            self.expression()
        } else {
            self.step();
            Value::unknown()
        };
        let mut is_whole = true;
        while let Some(token) = self.token() {
            if token.kind == Kind::Punct && (token.text == close || matches!(token.text, "," | ";"))
            {
                break;
            }
            if token.kind == Kind::Punct && matches!(token.text, ")" | "]" | "}") {
                break;
            }
            is_whole &= token.is(".");
            self.step();
        }
        if is_whole {
            return value;
        }
        self.used(&value, line);
        Value::unknown()
    }
}

/// A character or a number behind a text.
fn character(text: &str) -> Value {
    match text {
        "'/'" => Value::literal("/"),
        _ => Value::unknown(),
    }
}

/// Whether a text is one step up; more of them count among the file's literals.
fn is_up(text: &str) -> bool {
    text.trim_end_matches('/') == ".."
}

/// Whether only calls know it.
fn is_given(place: &Place) -> bool {
    place.base == Base::Package && place.text.is_empty()
}

fn one(values: Vec<Value>) -> Value {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value,
        _ => Value::unknown(),
    }
}

/// The sum of two texts.
fn sum(left: &Value, right: &Value) -> Value {
    Value {
        places: concat(&left.places, &right.places, &mut false),
        is_bare: left.is_bare && right.is_bare,
        ..Value::default()
    }
}
