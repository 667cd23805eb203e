//! Evaluates a tree: GitHub's coercions, with a third answer for the unknown.

use super::parser::{Comparison, Node};
use super::value::{Clue, Value};
use super::{Scope, Truth, functions};

/// The value of a node.
pub(super) fn node(node: &Node, scope: &Scope) -> Value {
    match node {
        Node::Literal(value) => value.clone(),
        Node::Context(name) => scope.context(name),
        Node::Call(name, args) => {
            let args: Vec<Value> = args.iter().map(|arg| self::node(arg, scope)).collect();
            let told = scope.status(name).filter(|_| args.is_empty());
            told.map_or_else(|| functions::call(name, &args), of_truth)
        }
        Node::Index(of, index) => self::index(&self::node(of, scope), &self::node(index, scope)),
        Node::Star(of) => star(self::node(of, scope)),
        Node::Not(of) => of_truth(!self::node(of, scope).truth()),
        Node::Compare(comparison, left, right) => {
            let (left, right) = (self::node(left, scope), self::node(right, scope));
            of_truth(compare(*comparison, &left, &right))
        }
        Node::And(terms) => logical(terms, Truth::No, scope),
        Node::Or(terms) => logical(terms, Truth::Yes, scope),
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// Every value of `A && 'x' || 'y'`: what stands behind `&&` counts where it is true.
pub(super) fn alternatives(it: &Node, scope: &Scope) -> Option<Vec<Value>> {
    let value = node(it, scope);
    if !value.is_partly_unknown() {
        return Some(vec![value]);
    }
    let Node::Or(parts) = it else {
        return None;
    };
    let (last, earlier) = parts.split_last()?;
    let mut found = Vec::new();
    for part in earlier {
        let chosen = match part {
            Node::And(chain) => chain.last()?,
            other => other,
        };
        let values = alternatives(chosen, scope)?;
        found.extend(
            values
                .into_iter()
                .filter(|value| value.truth() != Truth::No),
        );
    }
    found.extend(alternatives(last, scope)?);
    found.dedup();
    Some(found)
}

/// A truth as a value.
pub(super) fn of_truth(truth: Truth) -> Value {
    match truth {
        Truth::Yes => Value::Bool(true),
        Truth::No => Value::Bool(false),
        Truth::Unknown => Value::UNKNOWN,
    }
}

/// The first term whose truth is `decisive`, else the last.
///
/// Once a term is unknown, so is the value; its truth is known again when a later
/// term decides, because then both ways lead to the same truth.
fn logical(terms: &[Node], decisive: Truth, scope: &Scope) -> Value {
    let mut is_unsure = false;
    let mut last = Value::Null;
    for term in terms {
        last = node(term, scope);
        let truth = last.truth();
        if truth == decisive {
            break;
        }
        is_unsure |= truth == Truth::Unknown;
    }
    match (is_unsure, last.truth()) {
        (false, _) => last,
        (true, truth) if truth != decisive => Value::UNKNOWN,
        (true, Truth::Yes) => Value::Unknown(Clue::Truthy),
        (true, _) => Value::Unknown(Clue::Falsy),
    }
}

fn index(of: &Value, index: &Value) -> Value {
    if let Value::Unknown(_) = of {
        return Value::UNKNOWN;
    }
    if let (Value::Unknown(_), Value::Object(_) | Value::Array(_) | Value::Filtered(_)) =
        (index, of)
    {
        return Value::UNKNOWN;
    }
    match of {
        Value::Object(object) => index.as_text().map_or(Value::Null, |key| object.get(&key)),
        Value::Array(items) => position(index)
            .and_then(|position| items.get(position))
            .cloned()
            .unwrap_or(Value::Null),
        Value::Filtered(items) => {
            let found = items.iter().filter_map(|item| item_property(item, index));
            Value::Filtered(found.collect())
        }
        _ => Value::Null,
    }
}

/// The property of one item of a filtered list; items without it are left out.
fn item_property(item: &Value, index: &Value) -> Option<Value> {
    match item {
        Value::Unknown(_) => Some(Value::UNKNOWN),
        Value::Object(object) => {
            let key = index.as_text()?;
            let missing = object.is_open().then_some(Value::UNKNOWN);
            object.find(&key).cloned().or(missing)
        }
        Value::Array(items) | Value::Filtered(items) => items.get(position(index)?).cloned(),
        _ => None,
    }
}

fn star(of: Value) -> Value {
    match of {
        Value::Unknown(_) => Value::UNKNOWN,
        Value::Object(object) if object.is_open() => Value::UNKNOWN,
        Value::Object(object) => Value::Filtered(object.values().cloned().collect()),
        Value::Array(items) => Value::Filtered(items),
        Value::Filtered(items) => {
            let mut found = Vec::new();
            for item in items {
                match item {
                    Value::Array(inner) | Value::Filtered(inner) => found.extend(inner),
                    Value::Object(object) if !object.is_open() => {
                        found.extend(object.values().cloned());
                    }
                    Value::Object(_) | Value::Unknown(_) => return Value::UNKNOWN,
                    _ => {}
                }
            }
            Value::Filtered(found)
        }
        _ => Value::Filtered(Vec::new()),
    }
}

fn position(index: &Value) -> Option<usize> {
    let number = index.as_number();
    let is_position = (0.0..1e9).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie between 0 and a thousand million"
    )]
    is_position.then_some(number as usize)
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Truth {
    let is = |order| ordered(left, right, order);
    match comparison {
        Comparison::Equal => equals(left, right),
        Comparison::Unequal => !equals(left, right),
        Comparison::Less => is(std::cmp::Ordering::Less),
        Comparison::Greater => is(std::cmp::Ordering::Greater),
        Comparison::LessEqual => either(equals(left, right), is(std::cmp::Ordering::Less)),
        Comparison::GreaterEqual => either(equals(left, right), is(std::cmp::Ordering::Greater)),
    }
}

fn either(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
        (Truth::No, Truth::No) => Truth::No,
        _ => Truth::Unknown,
    }
}

/// Whether two values are equal: text without regard to case, kinds coerced to numbers.
pub(super) fn equals(left: &Value, right: &Value) -> Truth {
    if let (Value::Unknown(clue), known) | (known, Value::Unknown(clue)) = (left, right) {
        return clue_equals(clue, known);
    }
    let is_equal = match coerced(left, right) {
        Some(Pair::Texts(a, b)) => a == b,
        Some(Pair::Numbers(a, b)) => {
            #[expect(clippy::float_cmp, reason = "the language compares doubles exactly")]
            let same = a == b;
            same
        }
        Some(Pair::Nulls) => true,
        Some(Pair::Bools(a, b)) => a == b,
        // Lists and mappings are equal only to themselves; two that look alike may be one.
        None if left == right && !matches!(left, Value::Filtered(_)) => return Truth::Unknown,
        None => false,
    };
    Truth::from(is_equal)
}

fn ordered(left: &Value, right: &Value, order: std::cmp::Ordering) -> Truth {
    if matches!(left, Value::Unknown(_)) || matches!(right, Value::Unknown(_)) {
        return Truth::Unknown;
    }
    let found = match coerced(left, right) {
        Some(Pair::Texts(a, b)) => Some(a.cmp(&b)),
        Some(Pair::Numbers(a, b)) => a.partial_cmp(&b),
        Some(Pair::Bools(a, b)) => Some(a.cmp(&b)),
        Some(Pair::Nulls) | None => None,
    };
    Truth::from(found == Some(order))
}

fn clue_equals(clue: &Clue, other: &Value) -> Truth {
    let differs = match (clue, other) {
        (Clue::Between(prefix, suffix), Value::Text(text)) => {
            let (text, prefix, suffix) = (upper(text), upper(prefix), upper(suffix));
            !(text.starts_with(&prefix)
                && text.ends_with(&suffix)
                && text.len() >= prefix.len() + suffix.len())
        }
        (Clue::Between(prefix, _), Value::Null) => !prefix.is_empty(),
        (Clue::Not(known), Value::Text(text)) => upper(known) == upper(text),
        _ => false,
    };
    if differs { Truth::No } else { Truth::Unknown }
}

/// Two values of one kind.
enum Pair {
    Nulls,
    Bools(bool, bool),
    Numbers(f64, f64),
    Texts(String, String),
}

/// Both as one kind; `None` when a list or mapping is among them.
fn coerced(left: &Value, right: &Value) -> Option<Pair> {
    let is_primitive = |value: &Value| {
        !matches!(
            value,
            Value::Array(_) | Value::Filtered(_) | Value::Object(_) | Value::Unknown(_)
        )
    };
    if !(is_primitive(left) && is_primitive(right)) {
        return None;
    }
    Some(match (left, right) {
        (Value::Null, Value::Null) => Pair::Nulls,
        (Value::Bool(a), Value::Bool(b)) => Pair::Bools(*a, *b),
        (Value::Text(a), Value::Text(b)) => Pair::Texts(upper(a), upper(b)),
        _ => Pair::Numbers(left.as_number(), right.as_number()),
    })
}

/// Text as comparisons see it: in upper case, but for the dotless i.
pub(super) fn upper(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let keep = (c == 'ı').then_some(c);
            let change = (c != 'ı').then(|| c.to_uppercase());
            keep.into_iter().chain(change.into_iter().flatten())
        })
        .collect()
}
