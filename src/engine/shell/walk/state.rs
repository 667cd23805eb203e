//! What a script has set at one point, and what holds where two ways meet.
//!
//! Nothing is guessed: what two ways leave differently is one of a few values or unknown.
//! A value that is too long to keep is unknown.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::parse::Node;
use super::super::{Environment, Place, Start, Value, Word};
use super::choice::either;

/// How long a text may be, in bytes.
pub(in crate::engine::shell) const TEXT: usize = 64 * 1024;
/// How many words a list may have.
pub(in crate::engine::shell) const WORDS: usize = 1000;
/// How many directories `pushd` may remember.
const STACK: usize = 64;

type Variables = BTreeMap<Box<str>, Value>;

/// A variable of the caller that a function has one of its own for: its value, and
/// whether it is exported.
pub(super) type Outer = (Option<Value>, Option<bool>);

/// What changes while a script runs. Branches keep many states that differ little, so
/// that maps are shared until one of them changes.
#[derive(Clone)]
pub(in crate::engine::shell) struct State {
    pub(in crate::engine::shell) variables: Rc<Variables>,
    /// Names that programs get; `false` for one that only some way exports.
    pub(in crate::engine::shell) exported: Rc<BTreeMap<Box<str>, bool>>,
    /// Whether every variable that is set is exported: `set -a`.
    pub(in crate::engine::shell) exports_all: bool,
    /// What is handed to later steps.
    pub(in crate::engine::shell) exports: Rc<Variables>,
    /// Variables that the function at hand has for itself.
    pub(in crate::engine::shell) locals: Rc<BTreeMap<Box<str>, Outer>>,
    pub(in crate::engine::shell) place: Place,
    pub(in crate::engine::shell) arguments: Option<Rc<Vec<Word>>>,
    /// Every body that a name may have.
    pub(in crate::engine::shell) functions: Rc<BTreeMap<String, Vec<Rc<Node>>>>,
    pub(in crate::engine::shell) stack: Vec<Place>,
}

impl State {
    pub(super) fn new(start: &Start<'_, '_>) -> Self {
        let names = start.variables.keys();
        Self {
            variables: Rc::clone(start.variables),
            exported: Rc::new(names.map(|name| (name.clone(), true)).collect()),
            exports_all: false,
            exports: Rc::default(),
            locals: Rc::default(),
            place: start.place.clone(),
            arguments: start.arguments.map(|words| Rc::new(words.to_vec())),
            functions: Rc::default(),
            stack: Vec::new(),
        }
    }

    /// Sets a variable.
    pub(in crate::engine::shell) fn assign(&mut self, name: Box<str>, value: Value) {
        let value = bounded(value);
        if self.exports_all {
            self.export(&name, true);
        }
        if self.variables.get(&name) != Some(&value) {
            Rc::make_mut(&mut self.variables).insert(name, value);
        }
    }

    /// What a variable is, to come back to.
    pub(super) fn outer(&self, name: &str) -> Outer {
        let exported = self.exported.get(name).copied();
        (self.variables.get(name).cloned(), exported)
    }

    /// Sets a variable to what it was, or to nothing.
    pub(super) fn restore(&mut self, name: &str, (value, exported): Outer) {
        match value {
            Some(value) => self.assign(name.into(), value),
            None => drop(Rc::make_mut(&mut self.variables).remove(name)),
        }
        match exported {
            Some(is_certain) => self.export(name, is_certain),
            None if !self.exported.contains_key(name) => {}
            None => drop(Rc::make_mut(&mut self.exported).remove(name)),
        }
    }

    /// Any variable may have been set.
    pub(in crate::engine::shell) fn forget_all(&mut self) {
        let all = Rc::make_mut(&mut self.variables).iter_mut();
        all.filter(|(name, _)| !name.starts_with("GITHUB_"))
            .for_each(|(_, value)| *value = Value::Unknown);
    }

    /// Programs get a variable from here on.
    pub(super) fn export(&mut self, name: &str, is_certain: bool) {
        if self.exported.get(name) != Some(&is_certain) {
            Rc::make_mut(&mut self.exported).insert(name.into(), is_certain);
        }
    }

    /// A function has a variable for itself from here on.
    pub(super) fn localise(&mut self, name: &str) {
        if !self.locals.contains_key(name) {
            let outer = self.outer(name);
            Rc::make_mut(&mut self.locals).insert(name.into(), outer);
            if self.exported.contains_key(name) {
                self.export(name, false);
            }
        }
    }

    /// The end of a function: its own variables are gone.
    pub(super) fn end_locals(&mut self) {
        let locals = std::mem::take(&mut self.locals);
        for (name, outer) in locals.iter() {
            self.restore(name, outer.clone());
        }
    }

    /// Remembers a directory.
    pub(super) fn push(&mut self, place: Place) {
        if self.stack.len() >= STACK {
            self.stack.fill(Place::Unknown);
        } else {
            self.stack.push(place);
        }
    }

    pub(super) fn environment(&self) -> Environment {
        Environment {
            variables: Rc::clone(&self.variables),
            exported: Rc::clone(&self.exported),
        }
    }
}

/// The value, unless it is too long to keep.
fn bounded(value: Value) -> Value {
    let fits = match &value {
        Value::Text(text) => text.len() <= TEXT,
        Value::List(words) => {
            let length: usize = words.iter().map(|word| word.text.len()).sum();
            words.len() <= WORDS && length <= TEXT
        }
        Value::OneOf(_) | Value::Unknown => true,
    };
    if fits { value } else { Value::Unknown }
}

/// What holds after one of two ways.
pub(super) fn merged(mut left: State, right: &State) -> State {
    merge_variables(&mut left.variables, &right.variables);
    merge_variables(&mut left.exports, &right.exports);
    merge_exported(&mut left.exported, &right.exported);
    merge_locals(&mut left.locals, &right.locals);
    left.exports_all |= right.exports_all;
    if left.place != right.place {
        left.place = Place::Unknown;
    }
    if left.stack != right.stack {
        left.stack.clear();
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

fn merge_variables(left: &mut Rc<Variables>, right: &Rc<Variables>) {
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

fn merge_exported(left: &mut Rc<BTreeMap<Box<str>, bool>>, right: &Rc<BTreeMap<Box<str>, bool>>) {
    if left == right {
        return;
    }
    let names = left.keys().chain(right.keys());
    let differs = names.filter(|name| left.get(*name) != right.get(*name));
    let changed: Vec<(Box<str>, bool)> = differs.map(|name| (name.clone(), false)).collect();
    Rc::make_mut(left).extend(changed);
}

fn merge_locals(left: &mut Rc<BTreeMap<Box<str>, Outer>>, right: &Rc<BTreeMap<Box<str>, Outer>>) {
    if left == right {
        return;
    }
    // Whether the function or its caller has been changed nobody knows.
    let names = left.keys().chain(right.keys());
    let differs = names.filter(|name| left.get(*name) != right.get(*name));
    let unknown = || (Some(Value::Unknown), Some(false));
    let changed: Vec<(Box<str>, Outer)> = differs.map(|name| (name.clone(), unknown())).collect();
    Rc::make_mut(left).extend(changed);
}
