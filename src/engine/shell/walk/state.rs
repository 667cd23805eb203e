//! What a script has set at one point, and what holds where two ways meet.
//!
//! Nothing is guessed: what two ways leave differently is one of a few values or unknown.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::parse::Node;
use super::super::{Place, Value, Word};
use super::choice::either;

/// What changes while a script runs. Branches keep many states that differ little, so
/// that maps are shared until one of them changes.
#[derive(Clone)]
pub(in crate::engine::shell) struct State {
    pub(in crate::engine::shell) variables: Rc<BTreeMap<Box<str>, Value>>,
    pub(in crate::engine::shell) place: Place,
    pub(in crate::engine::shell) arguments: Option<Rc<Vec<Word>>>,
    /// Every body that a name may have.
    pub(in crate::engine::shell) functions: Rc<BTreeMap<String, Vec<Rc<Node>>>>,
    pub(in crate::engine::shell) stack: Vec<Place>,
}

impl State {
    /// Sets a variable.
    pub(in crate::engine::shell) fn assign(&mut self, name: Box<str>, value: Value) {
        if self.variables.get(&name) != Some(&value) {
            Rc::make_mut(&mut self.variables).insert(name, value);
        }
    }
}

/// What holds after one of two ways.
pub(in crate::engine::shell) fn merged(mut left: State, right: &State) -> State {
    merge_variables(&mut left.variables, &right.variables);
    if left.place != right.place {
        left.place = Place::Unknown;
    }
    if left.arguments != right.arguments {
        left.arguments = None;
    }
    if !Rc::ptr_eq(&left.functions, &right.functions) {
        let functions = Rc::make_mut(&mut left.functions);
        for (name, bodies) in &*right.functions {
            let known = functions.entry(name.clone()).or_default();
            for body in bodies {
                if !known.iter().any(|other| Rc::ptr_eq(other, body)) {
                    known.push(Rc::clone(body));
                }
            }
        }
    }
    left
}

fn merge_variables(
    left: &mut Rc<BTreeMap<Box<str>, Value>>,
    right: &Rc<BTreeMap<Box<str>, Value>>,
) {
    if Rc::ptr_eq(left, right) {
        return;
    }
    let here = left.iter();
    let here = here.filter(|(name, value)| right.get(*name) != Some(*value));
    let here = here.map(|(name, value)| (name.clone(), either(value, right.get(name))));
    let there = right.keys().filter(|name| !left.contains_key(*name));
    let there = there.map(|name| (name.clone(), Value::Unknown));
    let changed: Vec<(Box<str>, Value)> = here.chain(there).collect();
    if !changed.is_empty() {
        Rc::make_mut(left).extend(changed);
    }
}
