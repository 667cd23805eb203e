//! Walks a parsed script as the shell would, over every branch.

use std::rc::Rc;

use super::feed;
use super::parse::{self, AssignedValue, Assignment, Node, Parsed, RawWord, Redirect, Simple};
use super::{Call, Feed, Script, Start, Unread, Value, Word};

mod builtins;
mod choice;
mod state;

pub(super) use state::State;
use state::merged;

/// How deep functions, sourced files and substitutions may go.
const DEPTH: u32 = 24;
/// How many commands a script may come to.
const CALLS: usize = 4000;
/// How many words a loop may be unrolled over.
const UNROLLED: usize = 64;

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
    start: Start<'a, 't>,
    pub(super) state: State,
    script: Script,
    heredocs: Vec<(String, bool)>,
    depth: u32,
    output: Output,
    /// Set while the text of a sourced file is walked: the line that sources it.
    line: Option<u32>,
    /// How many variables with a few values are set to one of them.
    choices: u32,
}

/// Everything that a script may run.
pub(super) fn walk(text: &str, start: Start<'_, '_>) -> Script {
    let mut walker = Walker {
        state: State {
            variables: Rc::new(start.variables.clone()),
            place: start.place.clone(),
            arguments: start.arguments.map(|words| Rc::new(words.to_vec())),
            functions: Rc::default(),
            stack: Vec::new(),
        },
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
        choices: 0,
    };
    walker.run_text(text, 1);
    walker.script
}

impl Walker<'_, '_> {
    /// Parses and walks a text in the state at hand.
    pub(super) fn run_text(&mut self, text: &str, first_line: u32) {
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

    /// Walks a node without letting its state out.
    pub(super) fn subshell(&mut self, node: &Node) {
        let state = self.state.clone();
        let output = std::mem::replace(&mut self.output, Output::Elsewhere);
        let first = self.script.calls.len();
        self.node(node);
        self.captured_from(first);
        self.output = output;
        self.state = state;
    }

    /// What was called since then writes for somebody who looks at it.
    fn captured_from(&mut self, first: usize) {
        let new = self.script.calls.get_mut(first..).unwrap_or_default();
        for call in new {
            call.captured = true;
        }
    }

    /// What was called since then takes its input from a command or a file;
    /// what already does keeps the one it has.
    fn fed_from(&mut self, first: usize, feed: Option<&Feed>) {
        let new = self.script.calls.get_mut(first..).unwrap_or_default();
        for call in new.iter_mut().filter(|call| !call.piped) {
            call.piped = true;
            call.feed = feed.cloned();
        }
    }

    fn node(&mut self, node: &Node) {
        if self.depth >= DEPTH || self.script.calls.len() >= CALLS {
            self.unread(0, "a script that is too deep or too long");
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
                let state = self.state.clone();
                self.node(body);
                self.state = state;
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
        }
        self.depth -= 1;
    }

    fn and(&mut self, left: &Node, right: &Node) {
        self.node(left);
        let before = self.state.clone();
        self.node(right);
        // A directory that cannot be entered ends the job or the chain; every
        // other left side may fail and leave the right side out.
        if !is_sure(left) {
            self.merge(before);
        }
    }

    fn or(&mut self, left: &Node, right: &Node) {
        self.node(left);
        let before = self.state.clone();
        self.node(right);
        if ends(right) {
            self.state = before;
        } else {
            self.merge(before);
        }
    }

    fn pipeline(&mut self, members: &[Node]) {
        let state = self.state.clone();
        let output = self.output;
        let mut feed = None;
        for (index, member) in members.iter().enumerate() {
            let first = self.script.calls.len();
            let is_last = index + 1 == members.len();
            self.output = if is_last { output } else { Output::Elsewhere };
            self.node(member);
            if !is_last {
                self.captured_from(first);
            }
            if index > 0 {
                self.fed_from(first, feed.as_ref());
            }
            let new = self.script.calls.get(first..).unwrap_or_default();
            feed = match new {
                [call] => feed::of(call, feed),
                _ => None,
            };
            self.state = state.clone();
        }
        self.output = output;
    }

    fn branches(&mut self, arms: &[(Node, Node)], complete: bool) {
        let mut before = None;
        let mut ended: Option<State> = None;
        for (condition, body) in arms {
            self.node(condition);
            let start = self.state.clone();
            self.node(body);
            let after = std::mem::replace(&mut self.state, start.clone());
            before = Some(start);
            if !ends(body) {
                ended = Some(match ended {
                    Some(other) => merged(other, &after),
                    None => after,
                });
            }
        }
        let left_out = before.filter(|_| !complete);
        self.state = match (ended, left_out) {
            (Some(ended), Some(left_out)) => merged(ended, &left_out),
            (Some(state), None) | (None, Some(state)) => state,
            (None, None) => return,
        };
    }

    /// Walks a body that may run any number of times: what it assigns is not
    /// known inside of it either.
    fn repeat(&mut self, name: Option<&str>, condition: &Node, body: &Node) {
        let before = self.state.clone();
        let marks = (
            self.script.calls.len(),
            self.script.unread.len(),
            self.script.exports.len(),
        );
        if let Some(name) = name {
            self.state.assign(name.into(), Value::Unknown);
        }
        self.node(condition);
        self.node(body);
        self.merge_round(before);
        // Once more, with what one round has made unknown.
        self.script.calls.truncate(marks.0);
        self.script.unread.truncate(marks.1);
        self.script.exports.truncate(marks.2);
        let before = self.state.clone();
        self.node(condition);
        self.node(body);
        self.merge_round(before);
    }

    fn for_loop(&mut self, name: &str, words: Option<&[RawWord]>, body: &Node) {
        let values: Option<Vec<Word>> = match words {
            Some(words) => Some(words.iter().flat_map(|word| self.fields(word)).collect()),
            None => self
                .state
                .arguments
                .as_ref()
                .map(|all| all.iter().skip(1).cloned().collect()),
        };
        let known = values.filter(|values| {
            values.len() <= UNROLLED && values.iter().all(|word| !word.unknown && !word.glob)
        });
        let Some(values) = known else {
            return self.repeat(Some(name), &Node::Sequence(Vec::new()), body);
        };
        for value in values {
            let text = Value::Text(value.text);
            self.state.assign(name.into(), text);
            self.node(body);
        }
    }

    fn redirected(&mut self, body: &Node, redirects: &[Redirect], line: u32) {
        let output = self.output;
        let first = self.script.calls.len();
        let mut reads = Vec::new();
        let mut input = None;
        for redirect in redirects {
            self.one_redirect(redirect, &mut reads, &mut input);
        }
        self.node(body);
        self.output = output;
        if !reads.is_empty() {
            // Whoever inside reads its input reads these files.
            let mut call = self.bare_call(line);
            call.words = vec![Word::literal("cat")];
            call.reads = reads;
            self.script.calls.push(call);
            self.fed_from(first, None);
        }
        if let Some(input) = input {
            let new = self.script.calls.get_mut(first..).unwrap_or_default();
            for call in new.iter_mut().filter(|call| call.input.is_none()) {
                call.input = Some(input.clone());
            }
        }
    }

    fn one_redirect(
        &mut self,
        redirect: &Redirect,
        reads: &mut Vec<Word>,
        input: &mut Option<Word>,
    ) {
        match redirect {
            Redirect::Read(word) => reads.push(self.single(word)),
            Redirect::HereString(word) => *input = Some(self.single(word)),
            Redirect::Heredoc(index) => {
                let (text, quoted) = self.heredocs.get(*index).cloned().unwrap_or_default();
                let unknown = !quoted && text.contains(['$', '`']);
                *input = Some(Word {
                    text: text.into(),
                    unknown,
                    glob: false,
                });
            }
            Redirect::Write(word) => match &*self.single(word).text {
                ENV_FILE => self.output = Output::Variables,
                PATH_FILE => self.output = Output::Path,
                _ => {}
            },
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
            input: None,
            piped: false,
            captured: false,
            feed: None,
            place: self.state.place.clone(),
            line: self.line.unwrap_or(line),
        }
    }

    fn simple(&mut self, simple: &Simple) {
        if let Some((name, texts)) = self.choice(simple) {
            return self.each(simple, &name, &texts);
        }
        let output = self.output;
        let mut call = self.bare_call(simple.line);
        for assignment in &simple.assignments {
            let value = self.assigned(assignment);
            call.assignments
                .push((assignment.name.as_str().into(), value));
        }
        for redirect in &simple.redirects {
            call.captured |= matches!(redirect, Redirect::Write(_));
            let (reads, input) = (&mut call.reads, &mut call.input);
            self.one_redirect(redirect, reads, input);
        }
        call.words = simple
            .words
            .iter()
            .flat_map(|word| self.fields(word))
            .collect();
        if call.words.is_empty() {
            for (name, value) in &call.assignments {
                self.state.assign(name.clone(), value.clone());
            }
            self.script.calls.push(call);
        } else if self.script.calls.len() < CALLS {
            let first = self.script.calls.len();
            call.piped = !call.reads.is_empty();
            let is_fed = call.piped;
            self.command(call);
            if is_fed {
                // A function hands its input to what it calls.
                self.fed_from(first, None);
            }
        } else {
            self.unread(simple.line, "a script that is too long");
        }
        self.output = output;
    }

    fn assigned(&mut self, assignment: &Assignment) -> Value {
        let new = match &assignment.value {
            AssignedValue::Word(word) => {
                let word = self.single(word);
                if word.unknown {
                    Value::Unknown
                } else {
                    Value::Text(word.text)
                }
            }
            AssignedValue::List(words) => {
                Value::List(words.iter().flat_map(|word| self.fields(word)).collect())
            }
        };
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

    fn merge(&mut self, other: State) {
        let state = std::mem::replace(&mut self.state, other);
        let other = self.state.clone();
        self.state = merged(state, &other);
    }
}

fn first_word(node: &Node) -> Option<String> {
    match node {
        Node::Simple(simple) if simple.words.is_empty() => Some(String::new()),
        Node::Simple(simple) => simple.words.first().map(parse::plain),
        _ => None,
    }
}

fn is_sure(node: &Node) -> bool {
    match node {
        Node::And(left, right) => is_sure(left) && is_sure(right),
        _ => first_word(node).is_some_and(|word| {
            [
                "", "cd", "pushd", "mkdir", "export", "set", "echo", "true", ":",
            ]
            .contains(&&*word)
        }),
    }
}

/// Whether a node leaves the script or the round of a loop.
fn ends(node: &Node) -> bool {
    match node {
        Node::Sequence(nodes) => nodes.last().is_some_and(ends),
        Node::Redirected(body, ..) => ends(body),
        _ => first_word(node).is_some_and(|word| ["exit", "return", "die"].contains(&&*word)),
    }
}
