//! Expands `strategy.matrix` as GitHub does.
//!
//! The product of the vectors in the order of the file, the last varying fastest;
//! `exclude` takes combinations out; each entry of `include` is added to every
//! combination whose original values it does not contradict, or becomes a
//! combination of its own:
//! <https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations>.

use super::{Bindings, definition};
use crate::engine::pipeline::expression::{self, Expression, Object, Piece, Scope, Value};
use crate::engine::pipeline::{Leg, Truth};
use crate::engine::yaml::Node;

/// GitHub's limit.
const MAX_LEGS: usize = 256;

/// The combinations; `None` when only the run can tell them.
pub(super) fn legs(matrix: &Node, bindings: &Bindings) -> Option<Vec<Leg>> {
    let Value::Object(matrix) = resolve(matrix, bindings)? else {
        return None;
    };
    let mut combos: Vec<Object> = Vec::new();
    let mut axes: Vec<&str> = Vec::new();
    for (key, values) in matrix.entries() {
        if matches!(key.as_ref(), "include" | "exclude") {
            continue;
        }
        let Value::Array(values) = values else {
            return None;
        };
        axes.push(key);
        combos = multiply(&combos, key, values)?;
    }
    let list = |key: &str| match matrix.get(key) {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => objects(items),
        _ => None,
    };
    let excluded = list("exclude")?;
    if excluded.iter().any(is_computed) {
        return None;
    }
    combos.retain(|combo| !excluded.iter().any(|pattern| covers(pattern, combo)));
    let combos = include(combos, &axes, list("include")?);
    (!combos.is_empty() && combos.len() <= MAX_LEGS).then(|| combos.iter().map(leg).collect())
}

/// A node with its expressions evaluated where they are constant. `None` when a whole
/// list or mapping is computed; a computed scalar stays as it is written.
fn resolve(node: &Node, bindings: &Bindings) -> Option<Value> {
    if let Some(items) = node.items() {
        let items = items.iter().map(|item| resolve_item(item, bindings));
        return items.collect::<Option<_>>().map(Value::Array);
    }
    if let Some(entries) = node.entries() {
        let mut object = Object::default();
        for entry in entries {
            object.insert(&entry.key, resolve(&entry.value, bindings)?);
        }
        return Some(Value::Object(object));
    }
    match definition::value(node) {
        Value::Text(text) => computed(&text, bindings),
        other => Some(other),
    }
}

/// An item of a list may stay computed: how many there are is known all the same.
fn resolve_item(node: &Node, bindings: &Bindings) -> Option<Value> {
    match definition::value(node) {
        Value::Text(text) => {
            Some(computed(&text, bindings).unwrap_or_else(|| Value::text(&bindings.fold(&text))))
        }
        Value::Object(_) => {
            let mut object = Object::default();
            for entry in node.entries().unwrap_or_default() {
                object.insert(&entry.key, resolve_item(&entry.value, bindings)?);
            }
            Some(Value::Object(object))
        }
        _ => resolve(node, bindings),
    }
}

fn computed(text: &str, bindings: &Bindings) -> Option<Value> {
    let cut = expression::pieces(text);
    let [Piece::Expression(inner)] = cut.as_slice() else {
        return Some(Value::text(&bindings.fold(text)));
    };
    let parsed = Expression::parse(&bindings.substitute(inner)).ok()?;
    let value = parsed.evaluate(&Scope::new());
    (!value.is_partly_unknown()).then_some(value)
}

fn multiply(combos: &[Object], key: &str, values: &[Value]) -> Option<Vec<Object>> {
    let empty = [Object::default()];
    let combos = if combos.is_empty() { &empty } else { combos };
    let is_fit = !values.is_empty() && combos.len() * values.len() <= MAX_LEGS * 4;
    is_fit.then(|| {
        combos
            .iter()
            .flat_map(|combo| {
                values.iter().map(move |value| {
                    let mut combo = combo.clone();
                    combo.insert(key, value.clone());
                    combo
                })
            })
            .collect()
    })
}

fn objects(items: Vec<Value>) -> Option<Vec<Object>> {
    let object = |item| match item {
        Value::Object(object) => Some(object),
        _ => None,
    };
    items.into_iter().map(object).collect()
}

fn is_computed(object: &Object) -> bool {
    object.entries().iter().any(|(_, value)| match value {
        Value::Text(text) => text.contains("${{"),
        Value::Object(inner) => is_computed(inner),
        _ => false,
    })
}

/// Whether all that the pattern says is so in the combination.
fn covers(pattern: &Object, combo: &Object) -> bool {
    pattern
        .entries()
        .iter()
        .all(|(key, value)| match (value, combo.get(key)) {
            (Value::Object(inner), Value::Object(of)) => covers(inner, &of),
            (value, of) => same(value, &of),
        })
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || expression::equal(a, b) == Truth::Yes
}

fn include(combos: Vec<Object>, axes: &[&str], extra: Vec<Object>) -> Vec<Object> {
    let originals = combos.clone();
    let mut combos = combos;
    let mut added = Vec::new();
    for entry in extra {
        let mut is_placed = false;
        for (combo, original) in combos.iter_mut().zip(&originals) {
            let agrees = axes.iter().all(|axis| {
                entry
                    .find(axis)
                    .is_none_or(|value| same(value, &original.get(axis)))
            });
            if agrees {
                is_placed = true;
                for (key, value) in entry.entries() {
                    combo.set(key, value.clone());
                }
            }
        }
        if !is_placed {
            added.push(entry);
        }
    }
    combos.extend(added);
    combos
}

fn leg(combo: &Object) -> Leg {
    let mut shown = Vec::new();
    for (_, value) in combo.entries() {
        leaves(value, &mut shown);
    }
    let text = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => definition::json(value),
        leaf => leaf.to_string(),
    };
    Leg {
        name: shown.join(", ").into(),
        values: combo
            .entries()
            .iter()
            .map(|(key, value)| (key.clone(), text(value).into()))
            .collect(),
    }
}

fn leaves(value: &Value, shown: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, shown)),
        Value::Object(object) => object
            .entries()
            .iter()
            .for_each(|(_, item)| leaves(item, shown)),
        leaf => shown.push(leaf.to_string()),
    }
}
