//! Walks the steps of a job and collects what they read.
//!
//! Every command comes to [`Walk::program`]: a tool with a grammar of its own, an
//! entry of the tables, a file of the repository, or an unknown program that makes
//! the job opaque. Depth and number of commands are bounded; beyond them the job is
//! opaque.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::environment::{RUNNER, Variables, started_with};
use super::state::{Handed, Touched};
use super::{
    Context, Input, JobInputs, Never, Opaque, OpaqueCause, Origin, filters, names, spelling,
};
use crate::engine::globs::Glob;
use crate::engine::pipeline::expression::condition;
use crate::engine::pipeline::{Job, Leg, Truth};
use crate::engine::shell::{
    self, Call, Feed, Located, Place, Source, Start, UNKNOWN_END, UNKNOWN_START, Value, Word,
};

/// How deep scripts, targets and wrappers may call each other.
const DEPTH: u32 = 16;
/// How many commands a job may come to.
const COMMANDS: u32 = 5000;

/// One command, wherever it was written.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) words: Vec<Word>,
    pub(super) place: Place,
    pub(super) input: Option<Word>,
    pub(super) piped: bool,
    pub(super) captured: bool,
    pub(super) feed: Option<Feed>,
    pub(super) origin: Origin,
}

impl Invocation {
    /// What is said at a place that is no command: its words come later, or never.
    pub(super) fn at(origin: Origin, place: Place) -> Self {
        Self {
            words: Vec::new(),
            place,
            input: None,
            piped: false,
            captured: false,
            feed: None,
            origin,
        }
    }

    /// The texts of the words.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_ref()).collect()
    }

    /// The same command without its first words.
    pub(super) fn without(&self, count: usize) -> Self {
        let mut rest = self.clone();
        rest.words.drain(..count.min(rest.words.len()));
        rest
    }

    /// Another command in the same place, of literal words.
    pub(super) fn other(&self, words: &[&str]) -> Self {
        let mut other = self.clone();
        other.words = words.iter().map(|word| Word::literal(word)).collect();
        other
    }

    /// The directory, when it is one of the repository.
    pub(super) fn dir(&self) -> Option<&str> {
        match &self.place {
            Place::Inside(dir) => Some(dir),
            Place::Outside | Place::Unknown => None,
        }
    }
}

/// Where a text that is read as a script stands.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the text is what it is about")]
pub(super) struct Text<'t> {
    pub(super) file: &'t str,
    /// The line of the file at which the text begins, from 1.
    pub(super) line: u32,
    pub(super) text: &'t str,
    pub(super) place: Place,
    pub(super) arguments: Option<Vec<Word>>,
}

/// What a job has used up of its bounds.
struct Spent {
    /// How deep the scripts, targets and wrappers stand now.
    depth: u32,
    /// How many commands there were.
    commands: u32,
    /// How many steps the scripts of the job may still take.
    steps: Cell<u32>,
}

pub(super) struct Walk<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) job: &'a Job,
    pub(super) leg: Option<&'a Leg>,
    pub(super) out: JobInputs,
    pub(super) variables: Rc<Variables>,
    spent: Spent,
    pub(super) handed: Handed,
    pub(super) touched: Touched,
    /// Scripts, targets and configurations that were walked, to walk them once.
    pub(super) seen: BTreeSet<String>,
    /// Whether two names that differ in case alone may be one file.
    pub(super) folds_case: bool,
    /// Whether nothing was met that may start what the job builds.
    pub(super) is_quiet: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(job: &'a Job, leg: Option<&'a Leg>, context: &'a Context<'a>) -> Self {
        let mut walk = Self {
            context,
            job,
            leg,
            out: JobInputs::default(),
            variables: Rc::default(),
            spent: Spent {
                depth: 0,
                commands: 0,
                steps: Cell::new(shell::STEPS),
            },
            handed: Handed::default(),
            touched: Touched::default(),
            seen: BTreeSet::new(),
            folds_case: false,
            is_quiet: true,
        };
        for (name, value) in RUNNER {
            walk.set((*name).into(), Value::Text((*value).into()));
        }
        for (name, value) in &job.env {
            let value = walk.env_value(value);
            walk.set(name.clone(), value);
        }
        walk.folds_case = spelling::folds_case(job, |label| walk.expand(label));
        walk
    }

    /// All steps, in order.
    pub(super) fn job(mut self) -> JobInputs {
        for step in &self.job.steps {
            let starts = |text: &str| condition(text, &self.scope()) != Truth::No;
            if step.condition.as_deref().is_none_or(starts) {
                self.step(step);
            }
        }
        self.end_of_job();
        self.settle_compiled();
        self.spelled_otherwise();
        self.out
    }

    /// A script of the shell; gives what it hands to later steps.
    pub(super) fn script(&mut self, text: &Text<'_>) -> Vec<(Box<str>, Value)> {
        let context = self.context;
        let source = |path: &str| match context.snapshot.text(path) {
            Some(text) => Source::Text(text),
            None if context.snapshot.tree.find(path).is_some() => Source::NotRead,
            None => Source::Absent,
        };
        let in_image = !self.job.images.is_empty();
        let listed = |program: &[Word], command: &[Word], place: &Place| {
            // Of a repository that another user owns git prints nothing.
            let is_at_hand = !in_image;
            is_at_hand.then(|| names::listed(context, program, command, place))?
        };
        let script = shell::read(
            text.text,
            Start {
                variables: &self.variables,
                place: &text.place,
                arguments: text.arguments.as_deref(),
                text: &source,
                listed: &listed,
                steps: &self.spent.steps,
            },
        );
        self.out.missing_texts.extend(script.missing);
        let at = |line: u32| text.line + line.saturating_sub(1);
        for unread in script.unread {
            self.out.opaque.push(Opaque {
                origin: Origin {
                    file: text.file.into(),
                    line: at(unread.line),
                    what: unread.what.clone(),
                },
                cause: OpaqueCause::Shell(unread.what),
            });
        }
        let mut started = None;
        for call in script.calls {
            let variables = started_with(&mut started, &call);
            self.call(call, variables, text.file, at);
        }
        if self.spent.depth > 0 {
            // Whether and when a script inside of a step hands them over nobody knows.
            let names = script.exports.into_iter().map(|(name, _)| name);
            self.handed.floating.extend(names);
            return Vec::new();
        }
        script.exports
    }

    /// One command of a script, with what the shell itself does for it.
    fn call(
        &mut self,
        call: Call,
        inner: Option<Rc<Variables>>,
        file: &str,
        at: impl Fn(u32) -> u32,
    ) {
        let said = if call.words.is_empty() {
            &call.reads
        } else {
            &call.words
        };
        let texts: Vec<&str> = said.iter().map(|word| word.text.as_ref()).collect();
        let invocation = Invocation {
            origin: Origin {
                file: file.into(),
                line: at(call.line),
                what: shorten(&texts.join(" ")),
            },
            words: call.words,
            place: call.place,
            input: call.input,
            piped: call.piped,
            captured: call.captured,
            feed: call.feed,
        };
        let invocation = self.really(&invocation);
        for read in &call.reads {
            self.read_path(&invocation, read);
        }
        for written in &call.writes {
            self.writes(&invocation, written);
        }
        for (name, value) in &call.assignments {
            // What no program gets is read where it is used.
            if inner.is_some() || call.environment.exports(name) || &**name == "PATH" {
                self.assignment(&invocation, name, value);
            }
        }
        let Some(inner) = inner else {
            return;
        };
        self.expanded_among(&invocation);
        let outer = std::mem::replace(&mut self.variables, inner);
        self.program(&invocation);
        self.variables = outer;
    }

    /// Patterns that the shell expands: the names of what they match are arguments,
    /// whatever the program does with them.
    fn expanded_among(&mut self, call: &Invocation) {
        let name = call.words.first().map_or("", |word| &*word.text);
        let removes = name == "rm" && call.texts().iter().any(|text| text.starts_with('-'));
        if removes || matches!(name, "[[" | "echo") {
            return;
        }
        let is_pattern = |word: &&Word| word.glob && !word.unknown && &*word.text != "[";
        for word in call.words.iter().filter(is_pattern) {
            self.read_path(call, word);
        }
    }

    /// One command.
    pub(super) fn program(&mut self, call: &Invocation) {
        let Some(first) = call.words.first() else {
            return;
        };
        self.spent.commands += 1;
        if self.spent.depth >= DEPTH || self.spent.commands >= COMMANDS {
            if self.spent.commands == COMMANDS || self.spent.depth >= DEPTH {
                self.opaque(
                    call,
                    OpaqueCause::Shell("commands nested too deep or too many".into()),
                );
            }
            return;
        }
        if first.unknown || first.glob && first.text.len() > 2 {
            return self.opaque(call, OpaqueCause::Shell(call.origin.what.clone()));
        }
        let call = &*self.really(call);
        self.spent.depth += 1;
        let name = first.text.clone();
        let name = name.strip_suffix(".exe").unwrap_or(&name);
        self.hears_command(&call.words);
        match (name.contains('/'), shell::locate(&call.place, name)) {
            (false, _) => self.machine_program(call, name),
            (true, Located::Inside(path)) => self.repository_program(call, &path),
            (true, _) => {
                let base = name.rsplit('/').next().unwrap_or(name).to_owned();
                self.machine_program(call, &base);
            }
        }
        self.spent.depth -= 1;
    }

    /// A program of the machine, and the files that its words name beside what it is
    /// known to read.
    fn machine_program(&mut self, call: &Invocation, name: &str) {
        let first = self.out.parts.len();
        self.tool(call, name);
        self.files_among(call, name, first);
    }

    /// Tools that are read in Rust, then the table.
    fn tool(&mut self, call: &Invocation, name: &str) {
        self.written_by(call, name);
        self.hands_over(call, name);
        if self.is_own(name) {
            // The tool is what this repository makes: all of it may take part.
            self.whole(call);
        }
        let is_python = name
            .strip_prefix("python")
            .or_else(|| name.strip_prefix("pypy"));
        if is_python.is_some_and(is_version) || name == "py" {
            return self.python(call);
        }
        if name.strip_prefix("pip").is_some_and(is_version) {
            return self.pip(call);
        }
        match name {
            "bash" | "sh" | "dash" | "ash" | "ksh" => self.shell_program(call),
            "test" | "[" | "[[" => self.condition(call),
            "env" | "xargs" | "find" | "coverage" | "parallel" => self.carrier(call, name),
            _ if filters::is_one(name) => self.filter(call, name),
            "git" => self.git(call),
            "shellcheck" => self.shellcheck(call),
            "pytest" | "py.test" => self.pytest(call),
            "uv" | "poetry" | "pipenv" | "hatch" | "pdm" | "rye" | "pipx" | "uvx" => {
                self.python_manager(call, name);
            }
            "tox" => self.tox(call),
            "nox" => self.nox(call),
            "node" | "tsx" | "ts-node" | "bun" | "npm" | "pnpm" | "yarn" | "npx" | "bunx"
            | "pnpx" | "nr" | "nlx" => self.node_program(call, name),
            "c8"
            | "nyc"
            | "run-s"
            | "run-p"
            | "npm-run-all"
            | "npm-run-all2"
            | "concurrently"
            | "start-server-and-test"
            | "cross-env" => self.node_carrier(call, name),
            "jest" | "vitest" | "mocha" | "ava" | "jasmine" | "playwright" | "cypress"
            | "karma" | "tap" | "uvu" | "wdio" | "tsc" | "tsd" | "turbo" | "nx" | "lerna" => {
                self.node_tool(call, name);
            }
            "go" | "gotestsum" | "gox" | "richgo" | "tinygo" => self.go(call),
            "cargo" | "cross" => self.cargo(call),
            "gradle" | "gradlew" => self.gradle(call),
            "mvn" | "mvnw" | "mvnd" => self.maven(call),
            "make" | "gmake" => self.make(call),
            "just" => self.just(call),
            "docker" | "docker-compose" | "podman" => self.docker(call),
            "pre-commit" | "prek" => self.pre_commit(call),
            "tar" | "bsdtar" => self.tar(call),
            "curl" | "wget" => self.download(call, name),
            _ => self.listed(call, name),
        }
    }

    /// Code on the command line that may set variables for later steps.
    fn hands_over(&mut self, call: &Invocation, name: &str) {
        let shells = ["echo", "printf", "[", "[[", "test", "bash", "sh", "sudo"];
        let says = |word: &Word| word.text.contains("GITHUB_ENV");
        if !shells.contains(&name) && call.words.iter().chain(&call.input).any(says) {
            self.handed.floating.insert("*".into());
        }
    }

    /// Whether a package of the repository has the name of the program.
    fn is_own(&self, name: &str) -> bool {
        if EVERYWHERE.contains(&name) {
            return false;
        }
        let tools = self.context.memo.tools(self.context.packages);
        tools.contains(&*name.to_ascii_lowercase())
    }

    // --- What is collected ---------------------------------------------------------

    pub(super) fn add(&mut self, call: &Invocation, input: Input) {
        self.out.parts.push((input, call.origin.clone()));
    }

    pub(super) fn entry(&mut self, call: &Invocation, globs: Vec<Glob>) {
        self.add(call, Input::Entry(globs));
    }

    pub(super) fn exact(&mut self, call: &Invocation, globs: Vec<Glob>) {
        self.add(call, Input::Exact(globs));
    }

    pub(super) fn opaque(&mut self, call: &Invocation, cause: OpaqueCause) {
        let origin = call.origin.clone();
        self.out.opaque.push(Opaque { origin, cause });
    }

    pub(super) fn unknown_use(&mut self, call: &Invocation) {
        let what = call.origin.what.clone();
        self.opaque(call, OpaqueCause::UnknownUse(what));
    }

    pub(super) fn never(&mut self, call: &Invocation, why: Never) {
        self.out.never.push((why, call.origin.clone()));
    }

    /// The steps that the scripts of the job may still take.
    pub(super) fn steps(&self) -> &Cell<u32> {
        &self.spent.steps
    }

    /// The text of a file of the repository; one that was not read yet is asked for.
    pub(super) fn text(&mut self, path: &str) -> Option<&'a str> {
        let text = self.context.snapshot.text(path);
        if text.is_none() && self.context.snapshot.tree.find(path).is_some() {
            self.out.missing_texts.push(path.into());
        }
        text
    }

    pub(super) fn has_file(&self, path: &str) -> bool {
        self.context.snapshot.tree.find(path).is_some()
    }

    pub(super) fn has_dir(&self, path: &str) -> bool {
        path.is_empty() || self.context.snapshot.tree.has_dir(path)
    }
}

/// Programs of every machine, whose names packages have as well.
const EVERYWHERE: &[&str] = &[
    "test", "[", "[[", "echo", "python", "python3", "node", "npm", "npx", "go", "cargo", "make",
    "docker", "git", "java", "true", "cd", "install", "time", "env",
];

fn is_version(rest: &str) -> bool {
    rest.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The glob of a pattern below a directory whose own name is literal.
pub(super) fn below(dir: &str, pattern: &str) -> Glob {
    Glob::below(dir, pattern)
}

pub(super) fn shorten(text: &str) -> Box<str> {
    let line = text.lines().next().unwrap_or_default();
    let clean: String = line
        .chars()
        .filter(|c| ![UNKNOWN_START, UNKNOWN_END].contains(c))
        .take(100)
        .collect();
    clean.into()
}

/// A command that stands for a whole text.
pub(super) fn invocation(text: &Text<'_>, words: &[&str], input: Option<&str>) -> Invocation {
    let origin = Origin {
        file: text.file.into(),
        line: text.line,
        what: shorten(text.text),
    };
    Invocation {
        words: words.iter().map(|word| Word::literal(word)).collect(),
        input: input.map(Word::literal),
        ..Invocation::at(origin, text.place.clone())
    }
}
