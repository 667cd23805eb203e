//! Programs that code starts: their words, and where they run.

use super::{How, Place, Reader, Speech, Value};
use crate::engine::facts::{Base, Reach};
use crate::engine::graph::places::{GAP, join};

/// A command in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Command {
    /// The program first; a gap for what is not known.
    words: Vec<String>,
    /// Where it runs, where that is said.
    directory: Option<Vec<Place>>,
    line: u32,
}

/// Commands of git that list the whole repository, or tell where it lies.
const LISTING: &[&str] = &["ls-files", "ls-tree", "grep", "archive", "--show-toplevel"];

/// Sub-commands of cargo and go that read no sources.
const SILENT: &[&str] = &[
    "version",
    "--version",
    "-V",
    "install",
    "login",
    "search",
    "init",
    "new",
    "env",
    "clean",
    "tool",
    "help",
    "-h",
    "--help",
    "telemetry",
];

/// What makes cargo read another package than the one at hand.
const ELSEWHERE: &[&str] = &["-p", "--package", "--workspace", "--all", "--exclude"];

/// Programs whose plain words name no files.
const PLAIN: &[&str] = &[
    "echo", "printf", "sleep", "true", "false", "which", "uname", "rustc", "gzip", "git", "cargo",
    "go", "rustup", "kill", "id", "date",
];

impl<S: Speech> Reader<'_, '_, S> {
    /// A program and its words.
    pub(super) fn starts(&mut self, words: &[Value], line: u32) -> Value {
        let mut command = Command {
            line,
            ..Command::default()
        };
        for value in words {
            command.words.extend(texts(value));
        }
        self.commands.push(command);
        Value {
            command: Some(self.commands.len() - 1),
            ..Value::unknown()
        }
    }

    /// Texts that are a command with its words.
    pub(super) fn says(&mut self, texts: &[Value], line: u32) -> Value {
        let texts = texts.iter().filter_map(Value::text);
        let words = texts.flat_map(str::split_whitespace).map(str::to_owned);
        self.commands.push(Command {
            words: words.collect(),
            directory: None,
            line,
        });
        Value {
            command: Some(self.commands.len() - 1),
            ..Value::unknown()
        }
    }

    /// More words for a command, or for one that is not known.
    pub(super) fn word(&mut self, receiver: Option<&Value>, more: &[Value], line: u32) {
        let words: Vec<String> = more.iter().flat_map(texts).collect();
        match receiver.and_then(|it| it.command) {
            Some(command) => {
                if let Some(command) = self.commands.get_mut(command) {
                    command.words.extend(words);
                }
            }
            None => {
                for value in more.iter().filter(|value| !value.is_bare) {
                    self.used(value, line);
                }
            }
        }
    }

    /// A command is told where it runs.
    pub(super) fn runs(&mut self, command: Option<usize>, value: &Value, line: u32) {
        if let Some(command) = command.and_then(|at| self.commands.get_mut(at)) {
            let told = command.directory.get_or_insert_default();
            told.extend(value.places.iter().cloned());
            return;
        }
        for place in &value.places {
            self.reads(place, How::Told, "the directory of a program", line);
        }
    }

    /// What a whole command reads.
    pub(super) fn command(&mut self, command: &Command) {
        if command.directory.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let first = command.words.first().map_or("", String::as_str);
        let program = first.rsplit('/').next().unwrap_or_default();
        let words = command.words.get(1..).unwrap_or_default();
        let bases = command
            .directory
            .clone()
            .unwrap_or_else(|| vec![Place::new(Base::Working, "")]);
        let what = format!("{program} {}", words.first().map_or("", String::as_str));
        let what = what.replace(GAP, "*");
        for place in command.directory.iter().flatten() {
            self.say(place, How::Told, &what, command.line);
        }
        match program {
            "cargo" => self.cargo(command, words, &what),
            "go" => self.go(command, words, &what),
            "git" if words.iter().any(|word| LISTING.contains(&word.as_str())) => {
                self.reach(Reach::Repository, &what, command.line);
            }
            "make" | "just" | "npm" | "yarn" | "pnpm" | "tox" | "nox" | "bazel" => {
                self.reach(Reach::Package, &what, command.line);
            }
            _ => {}
        }
        let skips_plain = PLAIN.contains(&program);
        let spoken = words.iter().flat_map(|word| word.split_whitespace());
        for word in spoken.chain((first.contains('/')).then_some(first)) {
            self.told(&bases, word, (skips_plain, &what), command.line);
        }
    }

    /// A program is told to read a path.
    fn told(&mut self, bases: &[Place], word: &str, (skips_plain, what): (bool, &str), line: u32) {
        let value = word.split_once('=').map_or(word, |(_, value)| value);
        let is_plain = |c: char| c.is_alphanumeric() || "./_-*?@".contains(c) || c == GAP;
        let is_word = !value.contains(['/', '.']);
        if value.starts_with('-')
            || value
                .chars()
                .all(|c| c == GAP || c == '.' && value.len() < 2)
            || value.starts_with("...")
            || !value.chars().all(is_plain)
            || skips_plain && is_word
        {
            return;
        }
        // `./...` of go is the directory before it.
        let value = value.strip_suffix("/...").unwrap_or(value);
        for place in join(bases, &[Place::new(Base::Working, value)]) {
            self.say(&place, How::Told, what, line);
        }
    }

    /// Cargo reads the package at hand with what it depends on, or any other one.
    fn cargo(&mut self, command: &Command, words: &[String], what: &str) {
        let mut subs = words.iter().filter(|word| !word.starts_with(['+', '-']));
        let sub = subs.next().map_or("", String::as_str);
        let is_silent = words
            .first()
            .is_some_and(|word| SILENT.contains(&word.as_str()));
        let is_far = words.iter().any(|word| {
            let flag = word.split('=').next().unwrap_or_default();
            ELSEWHERE.contains(&flag)
        });
        let is_near = !is_far && !sub.is_empty() && !sub.contains(GAP);
        match sub {
            sub if SILENT.contains(&sub) || is_silent => {}
            "metadata" | "locate-project" | "read-manifest" | "tree" | "pkgid" => {
                let manifests = Place::new(Base::Anywhere, "Cargo.toml");
                self.say(&manifests, How::File, what, command.line);
            }
            // What runs somewhere that only the run knows runs in what is made for it, or
            // in the package.
            _ if command.directory.is_some() || is_near => {
                self.reach(Reach::Package, what, command.line);
            }
            _ => self.reach(Reach::Repository, what, command.line),
        }
    }

    /// Go reads packages of the module at hand, or of any other one.
    fn go(&mut self, command: &Command, words: &[String], what: &str) {
        let sub = words.first().map_or("", String::as_str);
        if SILENT.contains(&sub) {
            return;
        }
        self.reach(Reach::Package, what, command.line);
        for word in words.iter().skip(1) {
            self.package(word, what, command.line);
        }
    }

    /// Packages that are loaded: those of the module at hand, or what their paths say.
    pub(super) fn loads(&mut self, arguments: &[Value], what: &str, line: u32) -> Value {
        self.reach(Reach::Package, what, line);
        let here = [Place::new(Base::Working, "")];
        for word in arguments.iter().flat_map(texts) {
            self.package(&word, what, line);
            if word.starts_with("..") {
                self.told(&here, &word, (true, what), line);
            }
        }
        Value::default()
    }

    /// A package by its path: that of a module of the repository is any of its sources.
    fn package(&mut self, path: &str, what: &str, line: u32) {
        let (first, _) = path.split_once('/').unwrap_or((path, ""));
        let is_module = !path.starts_with(['.', '-', '/']) && first.contains('.');
        if is_module && path.contains('/') {
            let sources = Place::new(Base::Anywhere, "**/*.go");
            self.say(&sources, How::File, what, line);
        }
    }
}

/// The words that a value may be; a gap where that is not known, and none for what is
/// made for the run.
pub(super) fn texts(value: &Value) -> Vec<String> {
    if !value.words.is_empty() {
        return value.words.clone();
    }
    let known = value.places.iter().map(|place| match place.base {
        Base::Working if !place.text.is_empty() => place.text.clone(),
        _ => GAP.to_string(),
    });
    known.collect()
}
