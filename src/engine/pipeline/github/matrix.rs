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

/// GitHub's limit of jobs, and of entries of `include`: each adds to one job at least, or
/// changes nothing.
const MAX_LEGS: usize = 256;
/// Keys of one mapping. Nobody writes more; they are compared with each other.
const MAX_KEYS: usize = 64;
/// Combinations times values of the whole matrix: what expanding it may cost.
const MAX_WORK: usize = 1 << 18;

/// Why a matrix has no combinations here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Only the run can tell them.
    Computed,
    /// It is larger than GitHub allows, or than anybody writes.
    TooLarge,
}

/// What is said of a matrix that is too large.
pub(super) const TOO_LARGE: &str =
    "a matrix with more than 256 jobs, 256 entries of `include` or 64 keys";

/// The combinations, each value in its type.
pub(super) fn legs(matrix: &Node, bindings: &Bindings) -> Result<Vec<Leg>, Unread> {
    if !has_few_keys(matrix) {
        return Err(Unread::TooLarge);
    }
    let Some(Value::Object(matrix)) = resolve(matrix, bindings) else {
        return Err(Unread::Computed);
    };
    let size = size_of_object(&matrix).ok_or(Unread::TooLarge)?;
    let mut combos: Vec<Object> = Vec::new();
    let mut axes: Vec<&str> = Vec::new();
    for (key, values) in matrix.entries() {
        if matches!(key.as_ref(), "include" | "exclude") {
            continue;
        }
        let Value::Array(values) = values else {
            return Err(Unread::Computed);
        };
        axes.push(key);
        combos = multiply(combos, key, values, size)?;
    }
    let list = |key: &str| match matrix.get(key) {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => objects(items),
        _ => None,
    };
    let excluded = list("exclude").ok_or(Unread::Computed)?;
    if excluded.iter().any(is_computed) {
        return Err(Unread::Computed);
    }
    combos.retain(|combo| !excluded.iter().any(|pattern| covers(pattern, combo)));
    let included = list("include").ok_or(Unread::Computed)?;
    if included.len() > MAX_LEGS {
        return Err(Unread::TooLarge);
    }
    let combos = include(combos, &axes, included)?;
    match combos.len() {
        0 => Err(Unread::Computed),
        count if count > MAX_LEGS => Err(Unread::TooLarge),
        _ => Ok(combos.iter().map(leg).collect()),
    }
}

/// Whether no mapping has more keys than can be compared with each other. Depth is
/// bounded by the YAML reader.
fn has_few_keys(node: &Node) -> bool {
    let entries = node.entries().unwrap_or_default();
    let items = node.items().unwrap_or_default();
    entries.len() <= MAX_KEYS
        && entries.iter().all(|entry| has_few_keys(&entry.value))
        && items.iter().all(has_few_keys)
}

/// How many values there are in a mapping, at any depth; `None` when one has too many keys.
fn size_of_object(object: &Object) -> Option<usize> {
    let entries = object.entries();
    let sizes = entries.iter().map(|(_, value)| size_of(value));
    let sum: Option<usize> = sizes.sum();
    sum.filter(|_| entries.len() <= MAX_KEYS)
}

fn size_of(value: &Value) -> Option<usize> {
    match value {
        Value::Array(items) => items.iter().map(size_of).sum(),
        Value::Object(object) => size_of_object(object),
        _ => Some(1),
    }
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
    if let Some(entries) = node.entries() {
        let mut object = Object::default();
        for entry in entries {
            object.insert(&entry.key, resolve_item(&entry.value, bindings)?);
        }
        return Some(Value::Object(object));
    }
    if node.items().is_some() {
        return resolve(node, bindings);
    }
    match definition::value(node) {
        Value::Text(text) => {
            Some(computed(&text, bindings).unwrap_or_else(|| Value::text(&bindings.fold(&text))))
        }
        other => Some(other),
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

fn multiply(
    mut combos: Vec<Object>,
    key: &str,
    values: &[Value],
    size: usize,
) -> Result<Vec<Object>, Unread> {
    if combos.is_empty() {
        combos.push(Object::default());
    }
    let count = combos.len() * values.len();
    if count > MAX_LEGS * 4 || count * size > MAX_WORK {
        return Err(Unread::TooLarge);
    }
    let mut found = Vec::with_capacity(count);
    for combo in combos {
        let (last, earlier) = values.split_last().ok_or(Unread::Computed)?;
        for value in earlier {
            let mut combo = combo.clone();
            combo.insert(key, value.clone());
            found.push(combo);
        }
        let mut combo = combo;
        combo.insert(key, last.clone());
        found.push(combo);
    }
    Ok(found)
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

fn include(
    mut combos: Vec<Object>,
    axes: &[&str],
    extra: Vec<Object>,
) -> Result<Vec<Object>, Unread> {
    let originals = combos.clone();
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
                if combo.entries().len() > MAX_KEYS {
                    return Err(Unread::TooLarge);
                }
            }
        }
        if !is_placed {
            added.push(entry);
        }
    }
    combos.extend(added);
    Ok(combos)
}

fn leg(combo: &Object) -> Leg {
    let mut shown = Vec::new();
    for (_, value) in combo.entries() {
        leaves(value, &mut shown);
    }
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => definition::json(other).into(),
    };
    let entries = combo.entries().iter();
    let typed = entries
        .clone()
        .filter(|(_, value)| !matches!(value, Value::Text(_)));
    Leg {
        name: shown.join(", ").into(),
        typed: typed.map(|(key, _)| key.clone()).collect(),
        values: entries
            .map(|(key, value)| (key.clone(), text(value)))
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
