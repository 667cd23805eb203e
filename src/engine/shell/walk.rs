//! Walks a parsed script as the shell would, over every branch.
//!
//! All scripts of a job share one number of steps: a script that takes more is not read
//! to its end, and says so. Values that grow too long are unknown.

use std::rc::Rc;

use super::parse::{
    self, AssignedValue, Assignment, Heredoc, Node, Parsed, Part, RawWord, Redirect, Simple,
};
use super::{Call, Script, Start, Unread, Value, Word};

mod builtins;
mod choice;
mod flow;
mod handed;
mod state;
mod variables;

pub(super) use state::{State, TEXT, WORDS};

/// How deep functions, sourced files and substitutions may go.
const DEPTH: u32 = 24;
/// How many commands a script may come to.
const CALLS: usize = 4000;

/// The path of the file that hands variables to later steps.
pub(super) const ENV_FILE: &str = "/github/env";
/// The path of the file that adds to `PATH` for later steps.
pub(super) const PATH_FILE: &str = "/github/path";

/// Where the output of a command goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Elsewhere,
    /// Into the file of variables for later steps.
    Variables,
    /// Into the file of additions to `PATH`.
    Path,
}

pub(super) struct Walker<'a, 't> {
    pub(super) start: Start<'a, 't>,
    pub(super) state: State,
    script: Script,
    heredocs: Vec<Heredoc>,
    depth: u32,
    output: Output,
    /// Set while the text of a sourced file is walked: the line that sources it.
    line: Option<u32>,
    /// The line of the command at hand.
    pub(super) latest: u32,
    /// How many variables with a few values are set to one of them.
    choices: u32,
    /// How many functions and sourced files are open, from which `return` leads.
    frames: u32,
    /// What held where a `return` left the function or the file at hand.
    returned: Option<State>,
    /// What held where a `break` or `continue` left a round of the loop at hand.
    jumped: Option<State>,
    /// Whether there are no steps left.
    is_spent: bool,
}

/// Everything that a script may run.
pub(super) fn walk(text: &str, start: Start<'_, '_>) -> Script {
    let mut walker = Walker {
        state: State::new(&start),
        start,
        script: Script {
            calls: Vec::new(),
            unread: Vec::new(),
            exports: Vec::new(),
            missing: Vec::new(),
        },
        heredocs: Vec::new(),
        depth: 0,
        output: Output::Elsewhere,
        line: None,
        latest: 1,
        choices: 0,
        frames: 0,
        returned: None,
        jumped: None,
        is_spent: false,
    };
    walker.run_text(text, 1);
    let exports = Rc::unwrap_or_clone(walker.state.exports);
    walker.script.exports = exports.into_iter().collect();
    walker.script
}

impl Walker<'_, '_> {
    /// Parses and walks a text in the state at hand.
    pub(super) fn run_text(&mut self, text: &str, first_line: u32) {
        if !self.spend(text.len() / 64) {
            return;
        }
        let heredocs = std::mem::take(&mut self.heredocs);
        let Parsed {
            body,
            heredocs,
            fault,
        } = parse::parse(text, first_line, heredocs);
        self.heredocs = heredocs;
        self.node(&body);
        if let Some((line, what)) = fault {
            self.unread(line, &what);
        }
    }

    pub(super) fn unread(&mut self, line: u32, what: &str) {
        self.script.unread.push(Unread {
            line: self.line.unwrap_or(line),
            what: what.into(),
        });
    }

    /// Takes steps off those that the job has left; `false` when it has none.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        if self.is_spent {
            return false;
        }
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        let left = self.start.steps.get().saturating_sub(steps);
        self.start.steps.set(left);
        if left == 0 || self.script.calls.len() >= CALLS {
            self.is_spent = true;
            self.unread(self.latest, "a script of too many steps");
        }
        !self.is_spent
    }

    fn node(&mut self, node: &Node) {
        if !self.spend(1) {
            return;
        }
        if self.depth >= DEPTH {
            self.unread(self.latest, "a script that is nested too deep");
            return;
        }
        self.depth += 1;
        match node {
            Node::Simple(simple) => self.simple(simple),
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.node(node)),
            Node::And(left, right) => self.and(left, right),
            Node::Or(left, right) => self.or(left, right),
            Node::Pipeline(members) => self.pipeline(members),
            Node::Subshell(body) => {
                let state = self.copied();
                self.node(body);
                self.leave(state);
            }
            Node::Branches { arms, complete } => self.branches(arms, *complete),
            Node::Loop(condition, body) => self.repeat(None, condition, body),
            Node::For { name, words, body } => self.for_loop(name, words.as_deref(), body),
            Node::Function(name, body) => {
                let bodies = vec![Rc::clone(body)];
                Rc::make_mut(&mut self.state.functions).insert(name.clone(), bodies);
            }
            Node::Redirected(body, redirects, line) => self.redirected(body, redirects, *line),
            Node::Test(words, line) => self.test(words, *line),
            Node::Arithmetic(words) => self.arithmetic(words),
        }
        self.depth -= 1;
    }

    fn redirected(&mut self, body: &Node, redirects: &[Redirect], line: u32) {
        let output = self.output;
        let first = self.script.calls.len();
        let mut call = self.bare_call(line);
        for redirect in redirects {
            self.one_redirect(redirect, &mut call);
        }
        self.node(body);
        self.output = output;
        if !call.reads.is_empty() {
            // Whoever inside reads its input reads these files.
            call.words = vec![Word::literal("cat")];
        }
        let input = call.input.take();
        if !call.reads.is_empty() || !call.writes.is_empty() {
            let is_fed = !call.reads.is_empty();
            self.script.calls.push(call);
            if is_fed {
                self.fed_from(first, None);
            }
        }
        if let Some(input) = input {
            self.told_from(first, &input);
        }
    }

    fn one_redirect(&mut self, redirect: &Redirect, call: &mut Call) {
        match redirect {
            Redirect::Read(word) => {
                let word = self.single(word);
                call.reads.push(word);
            }
            Redirect::HereString(word) => call.input = Some(self.single(word)),
            Redirect::Heredoc(index) => {
                call.input = Some(match self.heredocs.get(*index).cloned() {
                    Some(Heredoc::Literal(text)) => Word::literal(&text),
                    Some(Heredoc::Expanded(parts)) => self.single(&parts),
                    None => Word::literal(""),
                });
            }
            Redirect::Write(word) => {
                let word = self.single(word);
                match &*word.text {
                    ENV_FILE => self.output = Output::Variables,
                    PATH_FILE => self.output = Output::Path,
                    _ => call.writes.push(word),
                }
            }
        }
    }

    fn test(&mut self, words: &[RawWord], line: u32) {
        let mut call = self.bare_call(line);
        call.words = vec![Word::literal("[[")];
        for word in words {
            call.words.extend(self.fields(word));
        }
        self.script.calls.push(call);
    }

    fn bare_call(&self, line: u32) -> Call {
        Call {
            words: Vec::new(),
            assignments: Vec::new(),
            reads: Vec::new(),
            writes: Vec::new(),
            input: None,
            piped: false,
            captured: false,
            feed: None,
            place: self.state.place.clone(),
            environment: self.state.environment(),
            line: self.line.unwrap_or(line),
        }
    }

    fn simple(&mut self, simple: &Simple) {
        self.latest = simple.line;
        if let Some((name, texts)) = self.choice(simple) {
            return self.each(simple, &name, &texts);
        }
        let output = self.output;
        let mut call = self.bare_call(simple.line);
        for assignment in &simple.assignments {
            let value = self.assigned(assignment, simple.line);
            call.assignments
                .push((assignment.name.as_str().into(), value));
        }
        for redirect in &simple.redirects {
            call.captured |= matches!(redirect, Redirect::Write(_));
            self.one_redirect(redirect, &mut call);
        }
        call.words = self.words(simple);
        // Expanding the words may have changed what is set.
        call.environment = self.state.environment();
        if call.words.is_empty() {
            for (name, value) in &call.assignments {
                self.state.assign(name.clone(), value.clone());
            }
            self.script.calls.push(call);
        } else {
            self.with_input(call);
        }
        self.output = output;
    }

    /// A command; a function hands its input to what it calls.
    fn with_input(&mut self, mut call: Call) {
        let first = self.script.calls.len();
        call.piped = !call.reads.is_empty();
        let name = call.words.first().map_or("", |word| &*word.text);
        let hands_on = self.state.functions.contains_key(name)
            || ["eval", "source", ".", "command", "builtin"].contains(&name);
        let reader = (hands_on && !(call.reads.is_empty() && call.writes.is_empty())).then(|| {
            let words = vec![Word::literal("cat")];
            Call {
                words,
                assignments: Vec::new(),
                ..call.clone()
            }
        });
        let input = call.input.clone().filter(|_| hands_on);
        let is_fed = call.piped;
        self.command(call);
        if is_fed {
            self.fed_from(first, None);
        }
        if let Some(input) = input {
            self.told_from(first, &input);
        }
        self.script.calls.extend(reader);
    }

    /// What was called since then gets a text as its input, where it has none.
    fn told_from(&mut self, first: usize, input: &Word) {
        let new = self.script.calls.get_mut(first..).unwrap_or_default();
        for call in new.iter_mut().filter(|call| call.input.is_none()) {
            call.input = Some(input.clone());
        }
    }

    /// The words of a command. Names of files that another one prints stand there by the
    /// patterns which they fit.
    fn words(&mut self, simple: &Simple) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        for raw in &simple.words {
            let listed = self.listed(&words, raw);
            words.extend(listed.unwrap_or_else(|| self.fields(raw)));
        }
        words
    }

    fn assigned(&mut self, assignment: &Assignment, line: u32) -> Value {
        let new = match &assignment.value {
            AssignedValue::Word(word) => {
                let word = self.single(word);
                self.tell_path(&assignment.name, &word, line);
                if word.unknown {
                    Value::Unknown
                } else {
                    Value::Text(word.text)
                }
            }
            AssignedValue::List(words) => {
                let words: Vec<Word> = words.iter().flat_map(|word| self.fields(word)).collect();
                self.read_patterns(&words, line);
                Value::List(words)
            }
        };
        if assignment.is_element {
            return Value::Unknown;
        }
        if !assignment.append {
            return new;
        }
        match (self.state.variables.get(assignment.name.as_str()), new) {
            (Some(Value::Text(old)), Value::Text(new)) => Value::Text(format!("{old}{new}").into()),
            (Some(Value::List(old)), Value::List(new)) => {
                Value::List(old.iter().cloned().chain(new).collect())
            }
            _ => Value::Unknown,
        }
    }

    /// Patterns of files that the shell expands where no program gets them: what is
    /// there decides what the script does.
    pub(super) fn read_patterns(&mut self, words: &[Word], line: u32) {
        let patterns = words.iter().filter(|word| word.glob);
        let patterns: Vec<Word> = patterns.cloned().collect();
        if !patterns.is_empty() {
            let mut call = self.bare_call(line);
            call.reads = patterns;
            self.script.calls.push(call);
        }
    }

    /// Walks what arithmetic runs, and forgets what it may set.
    pub(super) fn arithmetic(&mut self, words: &RawWord) {
        self.single(words);
        let text = parse::plain(words);
        if !(text.contains('=') || text.contains("++") || text.contains("--")) {
            return;
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        for name in text.split(|c| !is_name(c)) {
            if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                self.state.assign(name.into(), Value::Unknown);
            }
        }
        if words.iter().any(|part| matches!(part, Part::Unknown(_))) {
            self.state.forget_all();
        }
    }
}
