//! What Python code opens, lists and walks by paths that it computes.
//!
//! A literal alone is looked up as one of the file's literals. Everything else is kept
//! until the whole file was seen, because names may be bound below their use.

use ruff_python_ast::{Expr, ExprCall, FStringPart};
use ruff_text_size::{Ranged, TextSize};
use rustc_hash::FxHashMap;

use super::places::{Bound, Names};
use crate::engine::facts::{Base, Dynamic, Facts, Opened, Reach, When};
use crate::engine::graph::places::{self, GAP, Place, pattern};

/// How a path is read.
#[derive(Debug, Clone, Copy)]
enum How<'a> {
    /// As in any language.
    Plain(places::How),
    /// What a glob fits there, at any depth or not.
    Glob(Option<&'a Expr>, bool),
    /// A program lists the repository that it lies in.
    Whole,
    /// A path is put together, for a reader that may be any; a text of which no part is
    /// known may be anything but a path.
    Written { is_text: bool },
}

const FILE: How<'static> = How::Plain(places::How::File);
const LIST: How<'static> = How::Plain(places::How::List);
const WALK: How<'static> = How::Plain(places::How::Walk);
const RUN: How<'static> = How::Plain(places::How::Run);
const TOLD: How<'static> = How::Plain(places::How::Told);

/// One reading of a path.
#[derive(Debug)]
struct Reading<'a> {
    path: Path<'a>,
    how: How<'a>,
    what: String,
    at: TextSize,
}

#[derive(Debug)]
enum Path<'a> {
    Computed(&'a Expr),
    /// A word of a command, said in a directory.
    Word(String, Option<&'a Expr>),
}

/// What one file reads, in the making.
#[derive(Debug, Default)]
pub(super) struct Openings<'a> {
    pub(super) names: Names<'a>,
    readings: Vec<Reading<'a>>,
    /// What is put on the path of modules.
    searched: Vec<&'a Expr>,
    /// Where a module is imported by a computed name.
    loads: Vec<TextSize>,
    /// The parameters of functions by name, and what calls give them by position.
    functions: FxHashMap<&'a str, Vec<Vec<&'a str>>>,
    calls: Vec<(&'a str, &'a [Expr])>,
}

/// How many computed paths of one file are told apart.
const MOST: usize = 1_000;
/// How many calls of a function are looked at.
const GIVEN: usize = 50;

impl<'a> Openings<'a> {
    /// Reads one call.
    pub(super) fn call(&mut self, call: &'a ExprCall, name: Option<&str>, last: &str) {
        let first = call.arguments.args.first();
        if let Expr::Name(function) = call.func.as_ref()
            && first.is_some()
        {
            self.calls
                .push((function.id.as_str(), &call.arguments.args));
        }
        let how = match (name.unwrap_or_default(), last) {
            ("os.listdir" | "os.scandir", _) => LIST,
            (
                "os.walk"
                | "os.fwalk"
                | "shutil.copytree"
                | "shutil.make_archive"
                | "compileall.compile_dir",
                _,
            ) => WALK,
            (
                "open" | "io.open" | "codecs.open" | "builtins.open" | "os.open" | "aiofiles.open"
                | "glob.glob" | "glob.iglob" | "glob" | "shutil.copy" | "shutil.copy2"
                | "shutil.copyfile" | "shutil.move" | "os.link" | "os.symlink" | "runpy.run_path"
                | "linecache.getlines" | "tokenize.open" | "configparser.read",
                _,
            ) => FILE,
            (
                "importlib.util.spec_from_file_location"
                | "importlib.machinery.SourceFileLoader"
                | "imp.load_source",
                _,
            ) => {
                return self.add(call.arguments.args.get(1), FILE, last, call);
            }
            ("sys.path.insert", _) => return self.searched.extend(call.arguments.args.get(1)),
            ("sys.path.append" | "sys.path.extend" | "site.addsitedir", _) => {
                return self.searched.extend(first);
            }
            _ => return self.method(call, last),
        };
        let is_archive = name == Some("shutil.make_archive");
        let path = if is_archive {
            call.arguments.args.get(2)
        } else {
            first
        };
        let path = path.or_else(|| {
            call.arguments
                .keywords
                .first()
                .map(|keyword| &keyword.value)
        });
        self.add(path, how, name.unwrap_or(last), call);
    }

    fn method(&mut self, call: &'a ExprCall, last: &str) {
        let Expr::Attribute(method) = call.func.as_ref() else {
            return;
        };
        let receiver = Some(method.value.as_ref());
        let first = call.arguments.args.first();
        match last {
            "read_text" | "read_bytes" => self.add(receiver, FILE, last, call),
            "open" if self.is_path(&method.value) => self.add(receiver, FILE, last, call),
            "iterdir" | "listdir" => self.add(receiver, LIST, last, call),
            "walk" | "visit" if self.is_path(&method.value) => self.add(receiver, WALK, last, call),
            "glob" => self.add(receiver, How::Glob(first, false), last, call),
            "rglob" => self.add(receiver, How::Glob(first, true), last, call),
            _ => {}
        }
    }

    /// Whether a value reads like a path, and not like an archive or a browser.
    fn is_path(&self, value: &'a Expr) -> bool {
        match value {
            Expr::BinOp(_) => true,
            Expr::Call(_) | Expr::Name(_) | Expr::Attribute(_) | Expr::Subscript(_) => {
                let places = self.names.places(value);
                places.iter().any(|it| {
                    !it.text.is_empty() || matches!(it.base, Base::Beside | Base::Working)
                })
            }
            _ => false,
        }
    }

    fn add(&mut self, path: Option<&'a Expr>, how: How<'a>, what: &str, call: &'a ExprCall) {
        if let Some(path) = path {
            self.readings.push(Reading {
                path: Path::Computed(path),
                how,
                what: format!("{what}(...)"),
                at: call.start(),
            });
        }
    }

    /// What is put on the path of modules by an assignment.
    pub(super) fn searches(&mut self, value: &'a Expr) {
        self.searched.push(value);
    }

    /// A module is imported by a computed name.
    pub(super) fn loads(&mut self, at: TextSize) {
        self.loads.push(at);
    }

    /// A word of a command that is started, in the directory `cwd`.
    pub(super) fn word(&mut self, word: &str, cwd: Option<&'a Expr>, what: &str, at: TextSize) {
        let value = word.split_once('=').map_or(word, |(_, value)| value);
        let is_plain = |c: char| c.is_alphanumeric() || "./_-*?[]+@".contains(c);
        if value.starts_with('-') || value.is_empty() || !value.chars().all(is_plain) {
            return;
        }
        self.readings.push(Reading {
            path: Path::Word(value.to_owned(), cwd),
            how: TOLD,
            what: format!("{what}(...)"),
            at,
        });
    }

    /// A program that is not known runs in the directory `cwd`.
    pub(super) fn runs(&mut self, cwd: &'a Expr, what: &str, at: TextSize) {
        self.readings.push(Reading {
            path: Path::Computed(cwd),
            how: RUN,
            what: format!("{what}(...)"),
            at,
        });
    }

    /// An argument of a program that is no literal.
    pub(super) fn told(&mut self, argument: &'a Expr, what: &str, call: &'a ExprCall) {
        self.add(Some(argument), TOLD, what, call);
    }

    /// A program lists the files of the repository, in the directory `cwd`.
    pub(super) fn whole(&mut self, cwd: Option<&'a Expr>, what: &str, at: TextSize) {
        self.readings.push(Reading {
            path: Path::Word(String::new(), cwd),
            how: How::Whole,
            what: format!("{what}(...)"),
            at,
        });
    }

    /// Binds the names of a target.
    pub(super) fn bind(&mut self, target: &'a Expr, bound: Bound<'a>) {
        self.names.bind(target, bound);
    }

    /// An expression that may put a path together: who reads it need not be known.
    pub(super) fn written(&mut self, expr: &'a Expr) {
        let is_path = match expr {
            Expr::BinOp(_) => true,
            Expr::Call(call) => {
                let name = self.names.called(&call.func).unwrap_or_default();
                matches!(name.rsplit('.').next(), Some("join" | "Path" | "joinpath"))
                    && call.arguments.args.len() > 1
            }
            Expr::FString(text) => {
                let mut pieces = text.value.iter().flat_map(|part| match part {
                    FStringPart::Literal(text) => vec![text.as_str()],
                    FStringPart::FString(text) => {
                        let literals = text.elements.iter().filter_map(|it| it.as_literal());
                        literals.map(|it| it.value.as_ref()).collect()
                    }
                });
                let is_prose = |piece: &str| piece.contains(char::is_whitespace);
                pieces.clone().any(|piece| piece.contains('/')) && !pieces.any(is_prose)
            }
            _ => false,
        };
        if is_path {
            self.readings.push(Reading {
                path: Path::Computed(expr),
                how: How::Written {
                    is_text: matches!(expr, Expr::FString(_)),
                },
                what: "a path that is put together".to_owned(),
                at: expr.start(),
            });
        }
    }

    /// Puts what all of it comes to into the facts of the file.
    pub(super) fn finish(mut self, facts: &mut Facts, line: &mut dyn FnMut(TextSize) -> u32) {
        self.give();
        if let Some(at) = self.loads.first().copied() {
            for value in std::mem::take(&mut self.searched) {
                for place in self.names.places(value) {
                    let climbs = place.base == Base::Anywhere || place.text.contains("..");
                    if place.base != Base::Package && climbs {
                        facts.opened.push(Opened {
                            when: When::Used,
                            base: place.base,
                            pattern: pattern(&format!("{}/**/*.py", place.text)).into(),
                            what: "sys.path".into(),
                            line: line(at),
                        });
                    }
                }
            }
        }
        // What is read for certain goes before what is only put together.
        let (written, read): (Vec<_>, Vec<_>) = self
            .readings
            .iter()
            .partition(|reading| matches!(reading.how, How::Written { .. }));
        for reading in read.into_iter().chain(written) {
            for place in self.places(&reading.path) {
                self.say(reading, &place, line(reading.at), facts);
            }
        }
    }

    /// Hands the arguments of calls in this file to the parameters of its functions.
    fn give(&mut self) {
        for (name, arguments) in std::mem::take(&mut self.calls) {
            for parameters in self.functions.get(name).into_iter().flatten() {
                for (parameter, argument) in parameters.iter().zip(arguments) {
                    let bound = self.names.bound.entry(parameter).or_default();
                    if bound.len() < GIVEN {
                        bound.push(Bound::Value(argument));
                    }
                }
            }
        }
    }

    /// Keeps the parameters of a function, which its calls bind.
    pub(super) fn function(&mut self, name: &'a str, parameters: Vec<&'a str>) {
        self.functions.entry(name).or_default().push(parameters);
    }

    fn places(&self, path: &Path<'a>) -> Vec<Place> {
        match path {
            Path::Computed(value) => self.names.places(value),
            Path::Word(word, None) => vec![Place {
                base: Base::Working,
                text: word.clone(),
            }],
            Path::Word(word, Some(cwd)) => {
                let mut places = self.names.places(cwd);
                for place in &mut places {
                    place.text = format!("{}/{word}", place.text);
                }
                places
            }
        }
    }

    fn say(&self, reading: &Reading<'a>, place: &Place, line: u32, facts: &mut Facts) {
        let said = (reading.what.as_str(), line);
        let how = match reading.how {
            How::Plain(how) => how,
            How::Written { is_text } => {
                let is_vague = pattern(&place.text)
                    .split('/')
                    .all(|part| matches!(part, "" | "*" | "**"));
                let is_gap = place.text.contains(GAP);
                let is_here = matches!(place.base, Base::Beside | Base::Working | Base::Manifest);
                // It leaves what nobody knows, so its reader may know less than it says.
                let climbs = !is_here && place.end().is_some();
                if facts.opened.len() > MOST {
                    return facts.dynamic.push(Dynamic {
                        when: When::Used,
                        reach: Reach::Repository,
                        what: "too many paths that are put together".into(),
                        line,
                    });
                }
                let is_said = !is_vague || place.base == Base::Anywhere && !is_text;
                if climbs || is_gap && is_said {
                    let mut found = Facts::default();
                    places::say(&mut found, place, places::How::File, said);
                    found.opened.retain(|new| {
                        let is_known =
                            |it: &Opened| it.base == new.base && it.pattern == new.pattern;
                        !facts.opened.iter().any(is_known)
                    });
                    let reaches = |it: &Dynamic| it.reach == Reach::Repository;
                    found.dynamic.retain(|_| !facts.dynamic.iter().any(reaches));
                    facts.opened.append(&mut found.opened);
                    facts.dynamic.append(&mut found.dynamic);
                }
                return;
            }
            How::Whole => {
                return facts.dynamic.push(Dynamic {
                    when: When::Used,
                    reach: Reach::Repository,
                    what: reading.what.as_str().into(),
                    line,
                });
            }
            How::Glob(glob, is_deep) => {
                for place in self.globs(place, glob, is_deep) {
                    places::say(facts, &place, places::How::File, said);
                }
                return;
            }
        };
        places::say(facts, place, how, said);
    }

    /// What a glob asks for in a place.
    fn globs(&self, place: &Place, glob: Option<&'a Expr>, is_deep: bool) -> Vec<Place> {
        let found = glob.map(|glob| self.names.places(glob)).unwrap_or_default();
        let texts = found.iter().map(|found| match found.base {
            Base::Working => found.text.as_str(),
            _ => "**",
        });
        let mut texts: Vec<&str> = texts.collect();
        if texts.is_empty() {
            texts.push("**");
        }
        let deep = if is_deep { "**/" } else { "" };
        let under = |text: &&str| {
            let glob = format!("{deep}{text}").replace("**/**", "**");
            let text = format!("{}/{glob}", place.text);
            Place {
                base: place.base,
                text: text.trim_start_matches('/').to_owned(),
            }
        };
        texts.iter().map(under).collect()
    }
}
