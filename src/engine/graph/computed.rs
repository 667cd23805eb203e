//! Finds paths that Go, Rust, Java and Kotlin compute, and what is opened or started by them.
//!
//! The tokens of a file are read as far as it takes to follow a path: literals, names,
//! calls, sums. Names stand for every value that the file gives them, whatever its scope.
//! Whoever lists or walks what only its callers know reaches its package; in Go, where a
//! package is the whole module to this, and in Java and Kotlin only a test does. Opening alone
//! does not: a package has its data anyway, and who writes a path that leaves its package
//! answers for it, wherever that is opened. So a path that is computed and climbs counts
//! as read where it stands, unless it only fills a variable of a function.
//!
//! The tables of what calls mean are the languages' own ([`Speech`]). It is total: any
//! tokens end, and what is nested too deep is read without its nesting.

use rustc_hash::FxHashMap;

use super::places::{self, GAP, How, Place, VALUES, bounded, concat, is_root, literal};
use super::scan::{Dialect, Kind, Scanner, Token};
use crate::engine::facts::{Base, Dynamic, Facts, Opened, Reach, When};

mod bindings;
mod commands;
mod expressions;
mod jvm;

use commands::Command;
pub(super) use expressions::PLAIN;

/// What a language calls its ways to read.
pub(super) trait Speech {
    /// Whose tokens are read.
    const DIALECT: Dialect;

    /// Whether what only callers know reaches the package of the file that lists it.
    const ANSWERS: bool;

    /// What a call means.
    fn meaning(call: &Call<'_, '_>) -> Meaning;

    /// Whether a word begins or joins statements, so that no expression begins with it.
    fn is_keyword(word: &str) -> bool;

    /// What a property stands for, by its name, the name before it, and of what it is one.
    fn property(_name: &str, _owner: &str, _value: &Value) -> Option<Value> {
        None
    }
}

/// A value, as far as paths go.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    /// Where it may lead; nowhere for what is made for the run.
    pub(super) places: Vec<Place>,
    /// Whether it is a literal as it stands, which the file's literals hold.
    pub(super) is_bare: bool,
    /// The command that it is, among the file's.
    command: Option<usize>,
    /// The number that it is.
    pub(super) number: Option<u8>,
    /// Whether it is all directories above its places.
    pub(super) is_ancestors: bool,
    /// Whether it only prints what it is given.
    pub(super) is_printer: bool,
    /// The words of a list, a gap for what is not known.
    words: Vec<String>,
}

impl Value {
    pub(super) fn unknown() -> Self {
        Self::at(vec![Place::unknown()])
    }

    pub(super) fn at(places: Vec<Place>) -> Self {
        Self {
            places,
            ..Self::default()
        }
    }

    /// All of some values.
    pub(super) fn list(items: &[Self]) -> Self {
        Self {
            places: bounded(items.iter().flat_map(|it| it.places.clone()).collect()),
            is_bare: items.iter().all(|item| item.is_bare),
            words: items.iter().flat_map(commands::texts).collect(),
            ..Self::default()
        }
    }

    /// All directories above it.
    pub(super) fn with_ancestors(&self) -> Self {
        Self {
            is_ancestors: true,
            ..self.clone()
        }
    }

    /// A literal.
    pub(super) fn literal(text: &str) -> Self {
        Self {
            places: written(text),
            is_bare: true,
            ..Self::default()
        }
    }

    /// Its text, where it is a literal.
    pub(super) fn text(&self) -> Option<&str> {
        match self.places.as_slice() {
            [place] if self.is_bare && place.base == Base::Working => Some(&place.text),
            _ => None,
        }
    }
}

/// One call as it stands.
pub(super) struct Call<'c, 'a> {
    /// The name, by its parts: `std`, `fs`, `read_dir`.
    pub(super) path: &'c [&'a str],
    /// What it is called on.
    pub(super) receiver: Option<&'c Value>,
    pub(super) arguments: &'c [Value],
    /// Whether it is a macro.
    pub(super) is_macro: bool,
}

impl<'a> Call<'_, 'a> {
    /// The last part of the name.
    pub(super) fn last(&self) -> &'a str {
        self.path.last().copied().unwrap_or_default()
    }

    /// The part before the last one.
    pub(super) fn owner(&self) -> &'a str {
        let at = self.path.len().checked_sub(2);
        at.and_then(|at| self.path.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// The places of an argument.
    pub(super) fn places(&self, index: usize) -> Vec<Place> {
        self.arguments
            .get(index)
            .map(|it| it.places.clone())
            .unwrap_or_default()
    }
}

/// What a call means.
pub(super) enum Meaning {
    /// A value, and nothing is read.
    Is(Value),
    /// Something at these places is read.
    Reads(Vec<Place>, How),
    /// The named files together, wherever they lie.
    Anywhere(&'static str),
    /// What its arguments lead to is written.
    Writes,
    /// A program and its words are put together; the first argument that counts.
    Starts(usize),
    /// The words of one or more texts are a command.
    Says,
    /// Packages of the language are loaded by the paths among its arguments.
    Loads,
    /// A command gets another word.
    Word,
    /// A command is told where it runs.
    Runs,
    /// A variable gets a part more, or one less.
    Grows(Value),
    /// Not known.
    Unknown,
}

/// Names of libraries that run the code they are given while others are built.
const STAGED: &[&str] = &["crabtime", "comptime"];

/// How deep brackets are followed.
const DEPTH: u32 = 100;

/// Reads what a source opens into its facts.
pub(super) fn read<S: Speech>(source: &str, facts: &mut Facts) {
    let tokens = Scanner::new(S::DIALECT, source).filter(|token| token.kind != Kind::Comment);
    let mut reader = Reader::<S> {
        tokens: tokens.collect(),
        at: 0,
        depth: 0,
        braces: 0,
        staged: u32::from(STAGED.iter().any(|it| source.contains(it))),
        known: FxHashMap::default(),
        commands: Vec::new(),
        passed: Vec::new(),
        function: "",
        listing: Vec::new(),
        records: false,
        facts,
        speech: std::marker::PhantomData,
    };
    // Names may be given their values below their use.
    for records in [false, true] {
        reader.at = 0;
        reader.braces = 0;
        reader.records = records;
        reader.commands.clear();
        while reader.token().is_some() {
            reader.step();
        }
    }
    reader.finish();
}

struct Reader<'a, 'f, S> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// How deep expressions and blocks stand in each other.
    depth: u32,
    /// How many blocks are open.
    braces: u32,
    /// How many calls of macros are open whose arguments may run while others are built.
    staged: u32,
    known: FxHashMap<&'a str, Named>,
    commands: Vec<Command>,
    /// What calls hand to functions of the file: their names, the place, the line.
    passed: Vec<(&'a str, Place, u32)>,
    /// The function that is being read.
    function: &'a str,
    /// The functions that list what only their calls know.
    listing: Vec<&'a str>,
    /// Whether what is read counts, or only what names stand for.
    records: bool,
    facts: &'f mut Facts,
    speech: std::marker::PhantomData<S>,
}

/// What a name stands for.
#[derive(Debug, Default)]
struct Named {
    places: Vec<Place>,
    command: Option<usize>,
    /// How many blocks were open where it got its value.
    braces: u32,
}

impl<'a, S: Speech> Reader<'a, '_, S> {
    fn token(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn ahead(&self, count: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + count).copied()
    }

    fn is_ahead(&self, count: usize, punct: &str) -> bool {
        self.ahead(count).is_some_and(|token| token.is(punct))
    }

    fn line(&self) -> u32 {
        self.token().map_or(0, |token| token.line)
    }

    /// Reads one piece of what stands between brackets.
    fn step(&mut self) {
        let Some(token) = self.token() else {
            return;
        };
        if self.binding(token) {
            return;
        }
        match token.kind {
            Kind::Word if S::is_keyword(token.text) => self.at += 1,
            Kind::Word | Kind::Text => {
                let line = token.line;
                let value = self.expression();
                self.used(&value, line);
            }
            Kind::Punct if matches!(token.text, "(" | "[") => {
                let line = token.line;
                let value = self.expression();
                self.used(&value, line);
            }
            Kind::Punct if token.text == "{" && self.depth > 0 => self.block(),
            Kind::Punct => {
                match token.text {
                    "{" => self.braces += 1,
                    "}" => self.braces = self.braces.saturating_sub(1),
                    _ => {}
                }
                self.at += 1;
            }
            Kind::Other | Kind::Comment => self.at += 1,
        }
    }

    /// A block inside of brackets.
    fn block(&mut self) {
        self.at += 1;
        if self.depth > DEPTH {
            return;
        }
        (self.depth, self.braces) = (self.depth + 1, self.braces + 1);
        while let Some(token) = self.token() {
            if token.is("}") {
                self.at += 1;
                break;
            }
            self.step();
        }
        (self.depth, self.braces) = (self.depth - 1, self.braces - 1);
    }

    /// A value stands where anything may be done with it.
    fn used(&mut self, value: &Value, line: u32) {
        if !value.is_bare {
            let climbing = value.places.iter().filter(|place| climbs(place));
            for place in climbing.cloned().collect::<Vec<_>>() {
                self.say(&place, How::Told, "a path that leaves its package", line);
            }
        }
    }

    fn bind(&mut self, name: &'a str, value: &Value) {
        let named = self.known.entry(name).or_default();
        named.command = value.command.or(named.command);
        named.braces = self.braces;
        if named.places.len() <= VALUES {
            named.places.extend(value.places.iter().cloned());
            named.places = bounded(std::mem::take(&mut named.places));
        }
    }

    /// A variable is changed where it stands: beside its binding for certain, in a block
    /// below it perhaps, and perhaps many times.
    fn grow(&mut self, name: &'a str, value: &Value, is_shorter: bool) {
        let Some(named) = self.known.get_mut(name).filter(|_| self.records) else {
            return;
        };
        if named.braces == self.braces {
            named.places.clone_from(&value.places);
            return;
        }
        let is_known = value.places.iter().any(|place| place.base != Base::Package);
        if is_shorter && is_known {
            named.places = vec![Place::anywhere()];
        } else {
            named.places.extend(value.places.iter().cloned());
            named.places = bounded(std::mem::take(&mut named.places));
        }
    }

    fn finish(&mut self) {
        for command in std::mem::take(&mut self.commands) {
            let before = (self.facts.dynamic.len(), self.facts.opened.len());
            self.command(&command);
            self.read_at_run(before);
        }
        for (name, place, line) in std::mem::take(&mut self.passed) {
            if self.listing.contains(&name) {
                self.reads(&place, How::Walk, "a directory that is passed on", line);
            }
        }
    }

    /// Puts what only running code reads into the facts.
    fn reads(&mut self, place: &Place, how: How, what: &str, line: u32) {
        let before = (self.facts.dynamic.len(), self.facts.opened.len());
        self.say(place, how, what, line);
        self.read_at_run(before);
    }

    /// What was put into the facts since then is read by running code alone.
    fn read_at_run(&mut self, (dynamic, opened): (usize, usize)) {
        if self.staged > 0 {
            return;
        }
        for it in self.facts.dynamic.iter_mut().skip(dynamic) {
            it.when = When::Run;
        }
        for it in self.facts.opened.iter_mut().skip(opened) {
            it.when = When::Run;
        }
    }

    /// Puts a reading into the facts.
    fn say(&mut self, place: &Place, how: How, what: &str, line: u32) {
        if !self.records {
            return;
        }
        let place = &settled(place);
        let is_here = place.base < Base::Package;
        let is_literal = !place.text.contains([GAP, '*', '?', '[', '{']);
        match how {
            _ if is_here && is_literal && how == How::File => {
                // A path outside, or what is no path at all.
                let is_outside = place.base == Base::Working && place.text.starts_with(['/', '~']);
                let pattern = places::pattern(&place.text);
                if !is_outside && !pattern.is_empty() && !place.text.contains("://") {
                    self.facts.opened.push(Opened {
                        when: When::Used,
                        base: place.base,
                        pattern: pattern.into(),
                        what: what.into(),
                        line,
                    });
                }
            }
            How::File | How::Told if place.base == Base::Package && is_vague(place) => {}
            // A directory, which nobody reads as a file.
            How::File if place.base == Base::Anywhere && place.text.is_empty() => {}
            How::List | How::Walk
                if !S::ANSWERS && place.base == Base::Package && is_vague(place) => {}
            How::Told if place.text.is_empty() && place.base == Base::Working => {}
            _ => places::say(self.facts, place, how, (what, line)),
        }
    }

    fn reach(&mut self, reach: Reach, what: &str, line: u32) {
        if self.records {
            let what = what.into();
            self.facts.dynamic.push(Dynamic {
                when: When::Used,
                reach,
                what,
                line,
            });
        }
    }

    /// What a name stands for.
    fn named(&self, name: &str) -> Value {
        match self.known.get(name) {
            Some(named) => Value {
                places: named.places.clone(),
                command: named.command,
                ..Value::default()
            },
            None if is_made_for_the_run(name) => Value::default(),
            None if is_root(name) => Value::at(vec![Place::anywhere()]),
            None => Value::unknown(),
        }
    }
}

/// Whether a name stands for what is made for the run.
pub(super) fn is_made_for_the_run(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("tmp") || name.starts_with("temp")
}

/// A literal's places, and whether it begins in the directory of its package.
fn written(text: &str) -> Vec<Place> {
    match text.strip_prefix("$CARGO_MANIFEST_DIR") {
        Some(below) => vec![Place::new(Base::Manifest, below)],
        None => literal(text),
    }
}

fn is_vague(place: &Place) -> bool {
    let mut parts = place.text.split('/');
    parts.all(|part| part.is_empty() || part == "." || part.chars().all(|c| c == GAP))
}

/// Whether a path leaves the directory in which it begins.
fn climbs(place: &Place) -> bool {
    let is_here = place.base < Base::Package;
    is_here && settled(place).text.starts_with("..")
}

/// A path without the steps that lead back to where it was.
fn settled(place: &Place) -> Place {
    let is_outside = place.base == Base::Working && place.text.starts_with(['/', '~']);
    if is_outside || !place.text.contains("..") {
        return place.clone();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in place.text.split('/') {
        match (part, parts.last().copied()) {
            ("" | ".", _) => {}
            // One step up from a name that may be long ends somewhere below.
            ("..", Some(last)) if last.contains(GAP) => {}
            ("..", Some(last)) if last != ".." => drop(parts.pop()),
            (part, _) => parts.push(part),
        }
    }
    let is_known = place.base < Base::Package;
    if is_known {
        return Place::new(place.base, parts.join("/"));
    }
    // What is above what nobody knows may be anything.
    let ups = parts.iter().take_while(|part| **part == "..").count();
    let base = if ups > 0 { Base::Anywhere } else { place.base };
    let below = parts.get(ups..).unwrap_or_default().join("/");
    Place::new(base, below)
}
