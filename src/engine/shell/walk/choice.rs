//! Variables that have one of a few values: a command that reads one is walked with each.
//!
//! Branches that set a literal make such a variable; a round of a loop makes an unknown
//! one, since a later round may make further values.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::parse::{AssignedValue, Node, Part, RawWord, Redirect, Simple};
use super::state::merged;
use super::{State, Value, Walker};

/// The most values of one variable.
const VALUES: usize = 4;
/// The most variables of one command.
const VARIABLES: u32 = 3;

/// What holds of a variable after one of two ways.
pub(super) fn either(left: &Value, right: Option<&Value>) -> Value {
    let (Some(left), Some(right)) = (texts(left), right.and_then(texts)) else {
        return Value::Unknown;
    };
    let mut all: Vec<Box<str>> = left.into_iter().chain(right).map(Into::into).collect();
    all.sort();
    all.dedup();
    if all.len() > VALUES {
        return Value::Unknown;
    }
    Value::OneOf(all)
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Text(text) => Some(vec![text]),
        Value::OneOf(texts) => Some(texts.iter().map(AsRef::as_ref).collect()),
        Value::List(_) | Value::Unknown => None,
    }
}

impl Walker<'_, '_> {
    /// A variable of a command that has a few values.
    pub(super) fn choice(&self, simple: &Simple) -> Option<(Box<str>, Vec<Box<str>>)> {
        if self.choices >= VARIABLES {
            return None;
        }
        let assigned = simple.assignments.iter().filter_map(|it| match &it.value {
            AssignedValue::Word(word) => Some(word),
            AssignedValue::List(_) => None,
        });
        let files = simple.redirects.iter().filter_map(|it| match it {
            Redirect::Read(word) | Redirect::Write(word) | Redirect::HereString(word) => Some(word),
            Redirect::Heredoc(_) => None,
        });
        let words = simple.words.iter().chain(assigned).chain(files);
        words.flat_map(names).find_map(|name| {
            let Some(Value::OneOf(texts)) = self.state.variables.get(name) else {
                return None;
            };
            Some((name.into(), texts.clone()))
        })
    }

    /// The command with each of the values.
    pub(super) fn each(&mut self, simple: &Simple, name: &str, texts: &[Box<str>]) {
        let before = self.copied();
        let mut after: Option<State> = None;
        self.choices += 1;
        for text in texts {
            self.state = before.clone();
            let chosen = Value::Text(text.clone());
            self.state.assign(name.into(), chosen.clone());
            self.node(&Node::Simple(simple.clone()));
            let mut state = std::mem::replace(&mut self.state, before.clone());
            if state.variables.get(name) == Some(&chosen) {
                // Which of them it is nobody knows afterwards.
                let all = Value::OneOf(texts.to_vec());
                state.assign(name.into(), all);
            }
            after = Some(match after {
                Some(other) => merged(other, &state),
                None => state,
            });
        }
        self.choices -= 1;
        self.state = after.unwrap_or(before);
    }

    /// What holds after a round of a loop that may come again: a variable that a round
    /// changes may have any value.
    pub(super) fn merge_round(&mut self, before: State) {
        let known = Rc::clone(&before.variables);
        let exports = Rc::clone(&before.exports);
        self.merge(before);
        open(&mut self.state.variables, &known);
        open(&mut self.state.exports, &exports);
    }
}

/// What a round has made one of a few values may have any.
fn open(now: &mut Rc<BTreeMap<Box<str>, Value>>, known: &Rc<BTreeMap<Box<str>, Value>>) {
    if Rc::ptr_eq(known, now) {
        return;
    }
    for (name, value) in Rc::make_mut(now) {
        if matches!(value, Value::OneOf(_)) && known.get(name) != Some(value) {
            *value = Value::Unknown;
        }
    }
}

fn names(word: &RawWord) -> impl Iterator<Item = &str> {
    word.iter().filter_map(|part| match part {
        Part::Variable { name, .. } => Some(name.as_str()),
        _ => None,
    })
}
