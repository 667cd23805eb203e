//! Chains, pipes, branches and loops: which states meet where.
//!
//! Every way is taken. What a `return`, a `break` or a `continue` leaves behind meets
//! what the end of the function or of the loop leaves.

use super::super::feed;
use super::super::parse::{self, Node, RawWord};
use super::super::{Feed, Value, Word};
use super::state::merged;
use super::{Output, State, Walker};

/// How many words a loop may be unrolled over.
const UNROLLED: usize = 64;

impl Walker<'_, '_> {
    /// The state at hand, to come back to.
    pub(in crate::engine::shell) fn copied(&mut self) -> State {
        self.spend(self.state.variables.len() / 32);
        self.state.clone()
    }

    /// Back to an outer shell: what was handed to later steps stays handed.
    pub(super) fn leave(&mut self, outer: State) {
        let inner = std::mem::replace(&mut self.state, outer);
        self.state.exports = inner.exports;
    }

    pub(super) fn merge(&mut self, other: State) {
        self.spend(1 + (self.state.variables.len() + other.variables.len()) / 32);
        let state = std::mem::replace(&mut self.state, other);
        let other = self.state.clone();
        self.state = merged(state, &other);
    }

    /// Walks a node without letting its state out.
    pub(in crate::engine::shell) fn subshell(&mut self, node: &Node) {
        let state = self.copied();
        let output = std::mem::replace(&mut self.output, Output::Elsewhere);
        let first = self.script.calls.len();
        self.node(node);
        self.captured_from(first);
        self.output = output;
        self.leave(state);
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
    pub(super) fn fed_from(&mut self, first: usize, feed: Option<&Feed>) {
        let new = self.script.calls.get_mut(first..).unwrap_or_default();
        for call in new.iter_mut().filter(|call| !call.piped) {
            call.piped = true;
            call.feed = feed.cloned();
        }
    }

    pub(super) fn and(&mut self, left: &Node, right: &Node) {
        self.node(left);
        let before = self.copied();
        self.node(right);
        // A directory that cannot be entered ends the job or the chain; every
        // other left side may fail and leave the right side out.
        if !is_sure(left) {
            self.merge(before);
        }
    }

    pub(super) fn or(&mut self, left: &Node, right: &Node) {
        self.node(left);
        let before = self.copied();
        self.node(right);
        if self.ends(right) {
            self.state = before;
        } else {
            self.merge(before);
        }
    }

    pub(super) fn pipeline(&mut self, members: &[Node]) {
        let output = self.output;
        let mut feed = None;
        for (index, member) in members.iter().enumerate() {
            let state = self.copied();
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
            self.leave(state);
        }
        self.output = output;
    }

    pub(super) fn branches(&mut self, arms: &[(Node, Node)], complete: bool) {
        let mut before = None;
        let mut ended: Option<State> = None;
        for (condition, body) in arms {
            self.node(condition);
            let start = self.copied();
            self.node(body);
            let after = std::mem::replace(&mut self.state, start.clone());
            before = Some(start);
            if !self.ends(body) {
                ended = Some(match ended {
                    Some(other) => self.met(other, &after),
                    None => after,
                });
            }
        }
        let left_out = before.filter(|_| !complete);
        self.state = match (ended, left_out) {
            (Some(ended), Some(left_out)) => self.met(ended, &left_out),
            (Some(state), None) | (None, Some(state)) => state,
            (None, None) => return,
        };
    }

    fn met(&mut self, left: State, right: &State) -> State {
        self.spend(1 + (left.variables.len() + right.variables.len()) / 32);
        merged(left, right)
    }

    /// Walks a body that may run any number of times: what it assigns is not
    /// known inside of it either.
    pub(super) fn repeat(&mut self, name: Option<&str>, condition: &Node, body: &Node) {
        let before = self.copied();
        let marks = (self.script.calls.len(), self.script.unread.len());
        if let Some(name) = name {
            self.state.assign(name.into(), Value::Unknown);
        }
        self.round(before, condition, body);
        if self.is_spent {
            return;
        }
        // Once more, with what one round has made unknown.
        self.script.calls.truncate(marks.0);
        self.script.unread.truncate(marks.1);
        let before = self.copied();
        self.round(before, condition, body);
    }

    fn round(&mut self, before: State, condition: &Node, body: &Node) {
        let outer = self.jumped.take();
        self.node(condition);
        self.node(body);
        self.land(outer);
        self.merge_round(before);
    }

    pub(super) fn for_loop(&mut self, name: &str, words: Option<&[RawWord]>, body: &Node) {
        let values: Option<Vec<Word>> = match words {
            Some(words) => Some(words.iter().flat_map(|word| self.fields(word)).collect()),
            None => self
                .state
                .arguments
                .as_ref()
                .map(|all| all.iter().skip(1).cloned().collect()),
        };
        if let Some(values) = &values {
            self.read_patterns(values, self.latest);
        }
        let known = values.filter(|values| {
            values.len() <= UNROLLED && values.iter().all(|word| !word.unknown && !word.glob)
        });
        let Some(values) = known else {
            return self.repeat(Some(name), &Node::Sequence(Vec::new()), body);
        };
        let outer = self.jumped.take();
        for value in values {
            let text = Value::Text(value.text);
            self.state.assign(name.into(), text);
            self.node(body);
            if let Some(jumped) = self.jumped.clone() {
                // The round may have ended there.
                self.merge(jumped);
            }
        }
        self.land(outer);
    }

    /// `break` and `continue`: what holds here may hold where the loop goes on or ends.
    pub(super) fn jump(&mut self) {
        let here = self.copied();
        self.jumped = Some(match self.jumped.take() {
            Some(other) => self.met(other, &here),
            None => here,
        });
    }

    /// The end of a loop, and perhaps of the one around it: `break 2` leads there.
    fn land(&mut self, outer: Option<State>) {
        let jumped = self.jumped.take();
        self.jumped = outer;
        if let Some(jumped) = jumped {
            self.merge(jumped);
        }
    }

    /// `return`: what holds here may hold after the function or the file.
    pub(super) fn go_back(&mut self) {
        let here = self.copied();
        self.returned = Some(match self.returned.take() {
            Some(other) => self.met(other, &here),
            None => here,
        });
    }

    /// Whether a node leaves the script, the function or the file at hand.
    pub(super) fn ends(&self, node: &Node) -> bool {
        match node {
            Node::Sequence(nodes) => nodes.last().is_some_and(|node| self.ends(node)),
            Node::Redirected(body, ..) => self.ends(body),
            Node::Simple(_) => first_word(node).is_some_and(|word| self.word_ends(&word)),
            _ => false,
        }
    }

    fn word_ends(&self, word: &str) -> bool {
        match (word, self.state.functions.get(word)) {
            (_, Some(bodies)) => bodies.iter().all(|body| exits(body)),
            ("exit", None) => true,
            ("return", None) => self.frames > 0,
            _ => false,
        }
    }
}

/// Whether a body of a function always leaves the script.
fn exits(node: &Node) -> bool {
    match node {
        Node::Sequence(nodes) => {
            let returns = |node: &Node| first_word(node).is_none_or(|word| word == "return");
            let Some((last, before)) = nodes.split_last() else {
                return false;
            };
            exits(last) && !before.iter().any(returns)
        }
        _ => first_word(node).is_some_and(|word| word == "exit"),
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
