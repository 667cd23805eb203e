//! Where a path leads that Python code computes, as far as one file tells.
//!
//! A path is a beginning and a text in which a mark stands for what is not known. Names
//! are put back to every value that the file gives them, whatever its scope: too many
//! values only widen. What a test runner or `tempfile` makes for the run is nobody's.

use std::cell::Cell;

use ruff_python_ast::{
    Expr, ExprCall, ExprFString, FStringPart, InterpolatedStringElement, Number, Operator,
};
use rustc_hash::FxHashMap;

use crate::engine::facts::Base;
use crate::engine::graph::places::{GAP, Place, SELF, bounded, concat, is_root, join, literal};

/// How deep expressions are followed.
const DEPTH: u32 = 12;
/// How many times a name may be bound.
const BINDINGS: usize = 60;
/// How many expressions are read for all paths of a file, and for one path.
const STEPS: (u32, u32) = (200_000, 1_000);

/// What a name was bound to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound<'a> {
    /// To this value.
    Value(&'a Expr),
    /// To each part of this value.
    Part(&'a Expr),
    /// To something that calls decide.
    Given,
    /// To a fixture: what a test runner gives by this name.
    Fixture,
}

/// Everything that names of one file are bound to.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// Names and attributes.
    pub(super) bound: FxHashMap<&'a str, Vec<Bound<'a>>>,
    /// What imported names stand for, dotted.
    pub(super) imported: FxHashMap<&'a str, String>,
    /// How many expressions were read for all paths, and for this one.
    steps: Cell<(u32, u32)>,
}

impl<'a> Names<'a> {
    /// Binds the names of a target.
    pub(super) fn bind(&mut self, target: &'a Expr, bound: Bound<'a>) {
        match target {
            Expr::Name(name) => self.bound.entry(&name.id).or_default().push(bound),
            Expr::Attribute(attribute) => {
                self.bound.entry(&attribute.attr).or_default().push(bound);
            }
            Expr::Tuple(list) => list.elts.iter().for_each(|it| self.bind(it, part(bound))),
            Expr::List(list) => list.elts.iter().for_each(|it| self.bind(it, part(bound))),
            Expr::Starred(inner) => self.bind(&inner.value, bound),
            _ => {}
        }
    }

    /// The places that a value may be; none for what is made for the run.
    pub(super) fn places(&self, value: &'a Expr) -> Vec<Place> {
        self.steps.set((self.steps.get().0, 0));
        self.read(value, 0)
    }

    /// Counts an expression; whether there were too many.
    fn is_too_long(&self) -> bool {
        let (all, one) = self.steps.get();
        self.steps.set((all + 1, one + 1));
        all >= STEPS.0 || one >= STEPS.1
    }

    /// What an expression is called, dotted, with imported names put back to what they
    /// stand for.
    pub(super) fn called(&self, expr: &Expr) -> Option<String> {
        let mut parts = Vec::new();
        let mut current = expr;
        loop {
            match current {
                Expr::Attribute(attribute) => {
                    parts.push(attribute.attr.as_str());
                    current = &attribute.value;
                }
                Expr::Name(name) => {
                    let head = name.id.as_str();
                    parts.push(self.imported.get(head).map_or(head, String::as_str));
                    parts.reverse();
                    return Some(parts.join("."));
                }
                _ => return None,
            }
        }
    }

    fn read(&self, value: &'a Expr, depth: u32) -> Vec<Place> {
        // What stands there says all of itself, however long the rest was read.
        if let Expr::StringLiteral(text) = value {
            return literal(text.value.to_str());
        }
        if self.is_too_long() {
            return vec![Place::somewhere()];
        }
        if depth > DEPTH {
            return vec![Place::unknown()];
        }
        let depth = depth + 1;
        match value {
            Expr::FString(text) => self.formatted(text, depth),
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                let left = self.read(&sum.left, depth);
                concat(&left, &self.read(&sum.right, depth), &mut false)
            }
            Expr::BinOp(path) if path.op == Operator::Div => {
                let left = self.read(&path.left, depth);
                join(&left, &self.read(&path.right, depth))
            }
            Expr::BinOp(filled) if filled.op == Operator::Mod => match filled.left.as_ref() {
                Expr::StringLiteral(text) => literal(&percent(text.value.to_str())),
                _ => vec![Place::unknown()],
            },
            Expr::Call(call) => self.call(call, depth),
            Expr::Attribute(attribute) => {
                self.attribute(value, &attribute.value, &attribute.attr, depth)
            }
            Expr::Subscript(item) => self.item(&item.value, &item.slice, depth),
            Expr::Name(name) => self.name(&name.id, depth),
            Expr::If(choice) => {
                let mut all = self.read(&choice.body, depth);
                all.extend(self.read(&choice.orelse, depth));
                bounded(all)
            }
            Expr::BoolOp(choice) => self.each(&choice.values, depth),
            Expr::Named(named) => self.read(&named.value, depth),
            Expr::Starred(inner) => self.read(&inner.value, depth),
            Expr::Await(inner) => self.read(&inner.value, depth),
            Expr::List(list) => self.each(&list.elts, depth),
            Expr::Tuple(list) => self.each(&list.elts, depth),
            Expr::ListComp(list) => self.read(&list.elt, depth),
            Expr::Generator(list) => self.read(&list.elt, depth),
            Expr::SetComp(list) => self.read(&list.elt, depth),
            _ => vec![Place::unknown()],
        }
    }

    fn formatted(&self, text: &'a ExprFString, depth: u32) -> Vec<Place> {
        let mut all = vec![Place::new(Base::Working, "")];
        let mut is_first = true;
        for part in &text.value {
            let elements = match part {
                FStringPart::Literal(part) => {
                    all = concat(&all, &literal(part.as_str()), &mut is_first);
                    continue;
                }
                FStringPart::FString(part) => &part.elements,
            };
            for element in elements {
                let next = match element {
                    InterpolatedStringElement::Literal(text) => literal(&text.value),
                    InterpolatedStringElement::Interpolation(inner) => {
                        self.read(&inner.expression, depth)
                    }
                };
                all = concat(&all, &next, &mut is_first);
            }
        }
        all
    }

    fn each(&self, values: &'a [Expr], depth: u32) -> Vec<Place> {
        bounded(values.iter().flat_map(|it| self.read(it, depth)).collect())
    }

    fn name(&self, name: &'a str, depth: u32) -> Vec<Place> {
        if name == "__file__" {
            return vec![Place::new(Base::Beside, SELF)];
        }
        let Some(bound) = self.bound.get(name) else {
            return if is_made_for_the_run(name) {
                Vec::new()
            } else if is_root(name) {
                vec![Place::anywhere()]
            } else {
                vec![Place::unknown()]
            };
        };
        let each = bound.iter().take(BINDINGS).flat_map(|bound| match bound {
            Bound::Value(value) | Bound::Part(value) => self.read(value, depth),
            Bound::Given | Bound::Fixture if is_made_for_the_run(name) => Vec::new(),
            Bound::Fixture if is_root(name) => vec![Place::anywhere()],
            Bound::Given | Bound::Fixture => vec![Place::unknown()],
        });
        let mut all: Vec<Place> = each.collect();
        if bound.len() > BINDINGS {
            all.push(Place::anywhere());
        }
        bounded(all)
    }

    fn attribute(&self, whole: &Expr, value: &'a Expr, name: &'a str, depth: u32) -> Vec<Place> {
        match name {
            "parent" | "dirpath" => {
                return self.read(value, depth).iter().map(Place::parent).collect();
            }
            "path" | "strpath" | "_path" | "filename" => return self.read(value, depth),
            "rootpath" | "rootdir" | "startpath" => return vec![Place::new(Base::Working, "")],
            "name" => {
                let inner = self.read(value, depth);
                // A temporary file is known by its name.
                return if inner.is_empty() {
                    inner
                } else {
                    vec![Place::unknown()]
                };
            }
            "stem" | "suffix" => return vec![Place::unknown()],
            _ => {}
        }
        match self.called(whole).as_deref() {
            Some("os.curdir") => return vec![Place::new(Base::Working, ".")],
            Some("os.pardir") => return vec![Place::new(Base::Working, "..")],
            Some("os.sep" | "os.path.sep") => return vec![Place::new(Base::Working, "/")],
            Some(dotted) if is_made_for_the_run(dotted) => return Vec::new(),
            _ => {}
        }
        match value {
            Expr::Name(owner) if matches!(owner.id.as_str(), "self" | "cls") => {
                self.name(name, depth)
            }
            _ if is_root(name) => vec![Place::anywhere()],
            _ => vec![Place::unknown()],
        }
    }

    fn item(&self, value: &'a Expr, at: &'a Expr, depth: u32) -> Vec<Place> {
        if let Expr::Attribute(parents) = value
            && parents.attr.as_str() == "parents"
        {
            let ups = match at {
                Expr::NumberLiteral(number) => match &number.value {
                    Number::Int(ups) => ups.as_u8().filter(|ups| *ups < 30),
                    _ => None,
                },
                _ => None,
            };
            let mut places = self.read(&parents.value, depth);
            let Some(ups) = ups else {
                return places.iter().map(|_| Place::anywhere()).collect();
            };
            for _ in 0..=ups {
                places = places.iter().map(Place::parent).collect();
            }
            return places;
        }
        if let Expr::StringLiteral(name) = at
            && name.value.to_str() == "GITHUB_WORKSPACE"
        {
            return vec![Place::anywhere()];
        }
        // A part of what is known is one of its parts.
        self.read(value, depth)
    }

    fn call(&self, call: &'a ExprCall, depth: u32) -> Vec<Place> {
        let arguments = &call.arguments.args;
        let first = || arguments.first().map(|it| self.read(it, depth));
        let named = self.called(&call.func).unwrap_or_default();
        let last = match call.func.as_ref() {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => named.rsplit('.').next().unwrap_or_default(),
        };
        if is_made_for_the_run(&named) {
            return Vec::new();
        }
        match (named.as_str(), last) {
            ("os.getcwd" | "os.getcwdb", _) | (_, "cwd") => {
                return vec![Place::new(Base::Working, "")];
            }
            ("os.path.join" | "posixpath.join", _)
            | (_, "Path" | "PurePath" | "PosixPath" | "PurePosixPath" | "UPath") => {
                let mut all = vec![Place::new(Base::Working, "")];
                for (index, argument) in arguments.iter().enumerate() {
                    let next = self.read(argument, depth);
                    all = if index == 0 { next } else { join(&all, &next) };
                }
                return all;
            }
            (_, "dirname") => {
                return first()
                    .unwrap_or_default()
                    .iter()
                    .map(Place::parent)
                    .collect();
            }
            (_, "abspath" | "realpath" | "normpath" | "expanduser" | "expandvars" | "normcase")
                if !arguments.is_empty() =>
            {
                return first().unwrap_or_default();
            }
            (
                "str" | "os.fspath" | "list" | "sorted" | "set" | "tuple" | "iter" | "reversed"
                | "enumerate",
                _,
            ) => {
                return first().unwrap_or_default();
            }
            ("glob.glob" | "glob.iglob" | "os.walk" | "os.scandir", _)
            | (_, "iterdir" | "glob" | "rglob" | "iglob" | "home") => return Vec::new(),
            ("os.listdir", _) => return vec![Place::unknown()],
            ("open" | "io.open", _) => return first().unwrap_or_default(),
            _ => {}
        }
        match call.func.as_ref() {
            Expr::Attribute(method) => self.method(call, &method.value, last, depth),
            _ => vec![self.mixed(call, depth)],
        }
    }

    fn method(&self, call: &'a ExprCall, receiver: &'a Expr, name: &str, depth: u32) -> Vec<Place> {
        let of_receiver = || self.read(receiver, depth);
        match name {
            "resolve" | "absolute" | "expanduser" | "as_posix" | "relative_to" | "strip"
            | "rstrip" | "lower" | "decode" | "__enter__" | "removesuffix" | "rename" => {
                of_receiver()
            }
            "joinpath" | "join" | "ensure" | "mkdir"
                if !matches!(receiver, Expr::StringLiteral(_)) =>
            {
                let mut all = of_receiver();
                for argument in &call.arguments.args {
                    all = join(&all, &self.read(argument, depth));
                }
                all
            }
            "with_name" | "with_suffix" | "with_stem" => {
                let gap = [Place::new(Base::Working, GAP.to_string())];
                let dirs: Vec<Place> = of_receiver().iter().map(Place::parent).collect();
                join(&dirs, &gap)
            }
            "format" => match receiver {
                Expr::StringLiteral(text) => literal(&braces(text.value.to_str())),
                _ => vec![Place::unknown()],
            },
            _ if of_receiver().is_empty() => Vec::new(),
            _ => vec![self.mixed(call, depth)],
        }
    }

    /// What a call may give that nobody knows: it may pass on what it was given.
    fn mixed(&self, call: &'a ExprCall, depth: u32) -> Place {
        if self.shows_the_root(call) {
            return Place::anywhere();
        }
        let mut given = call
            .arguments
            .args
            .iter()
            .flat_map(|it| self.read(it, depth));
        let climbs = |place: Place| place.blurred().base == Base::Anywhere;
        if given.any(climbs) {
            Place::anywhere()
        } else {
            Place::unknown()
        }
    }

    /// `git rev-parse --show-toplevel`, and functions that are named for it.
    fn shows_the_root(&self, call: &ExprCall) -> bool {
        let mut words = Vec::new();
        for argument in &call.arguments.args {
            super::calls::strings_in(argument, &mut words);
        }
        let named = self.called(&call.func).unwrap_or_default();
        let last = named.rsplit('.').next().unwrap_or_default();
        words.iter().any(|word| word.contains("--show-toplevel"))
            || is_root(last) && !self.bound.contains_key(last)
    }
}

fn part(bound: Bound<'_>) -> Bound<'_> {
    match bound {
        Bound::Value(value) => Bound::Part(value),
        other => other,
    }
}

/// A text for `%`, with gaps.
fn percent(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        out.push(GAP);
        if chars.as_str().starts_with('(') {
            // The name of the value.
            chars.by_ref().find(|c| *c == ')');
        }
        chars
            .by_ref()
            .find(|c| c.is_ascii_alphabetic() || *c == '%');
    }
    out
}

/// A text for `format`, with gaps.
fn braces(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        out.push(GAP);
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    out + rest
}

/// Fixtures and functions whose paths are new directories.
fn is_made_for_the_run(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "tmp", "temp", "testdir", "pytester", "mkdtemp", "mkstemp", "isolated",
    ];
    if name.starts_with("tempfile.") {
        return true;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let begins = |word: &str| {
        let beginning = last.get(..word.len());
        beginning.is_some_and(|it| it.eq_ignore_ascii_case(word))
    };
    let is_one = |part: &str| WORDS.iter().any(|word| part.eq_ignore_ascii_case(word));
    let names = WORDS.iter().any(|word| begins(word)) || last.split('_').skip(1).any(is_one);
    names && !begins("template") && !begins("temper")
}
