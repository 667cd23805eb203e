//! Reusable workflows: what a call binds inside the called file.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/reusing-workflow-configurations>

use std::collections::BTreeSet;

use super::limits;
use super::{Bindings, definition};
use crate::engine::pipeline::expression::{Expression, Piece, Reference, Scope, Value, pieces};
use crate::engine::yaml::Node;

/// Which secrets a called workflow gets.
#[derive(Debug, Clone)]
pub(super) enum Secrets {
    /// All that the caller has, by the same names.
    Inherited,
    /// Those that the caller hands on, each with the secrets that stand behind it.
    Given(Vec<(Box<str>, BTreeSet<Box<str>>)>),
}

/// What the inputs of a called workflow stand for.
///
/// `axes` are the matrix keys of the job that reads them: an input that is computed
/// from the caller's matrix is put in only where no such key has another meaning.
pub(super) fn bindings(callee: &Node, call: &Node, outer: &Bindings, axes: &[&str]) -> Bindings {
    let mut bindings = Bindings {
        is_called: true,
        ..Bindings::default()
    };
    let declared = callee
        .get("on")
        .and_then(|on| on.get("workflow_call"))
        .and_then(|call| call.get("inputs"))
        .and_then(Node::entries);
    for input in declared.unwrap_or_default() {
        let kind = input.value.get("type").and_then(Node::as_str);
        let given = call.get("with").and_then(|with| with.get(&input.key));
        let reference = match given.or_else(|| input.value.get("default")) {
            Some(node) => reference(node, kind, outer, axes),
            None => Some(Reference::Value(absent(kind))),
        };
        bindings.bind("inputs", &input.key, reference);
    }
    bindings
}

/// Which secrets a call hands on.
pub(super) fn secrets(call: &Node) -> Secrets {
    let Some(node) = call.get("secrets") else {
        return Secrets::Given(Vec::new());
    };
    if node.as_str() == Some("inherit") {
        return Secrets::Inherited;
    }
    let given = node.entries().unwrap_or_default().iter().map(|entry| {
        let mut behind = BTreeSet::new();
        limits::secrets(&entry.value, &mut behind);
        (entry.key.to_uppercase().into(), behind)
    });
    Secrets::Given(given.collect())
}

impl Secrets {
    /// The caller's secrets that stand behind those that a called job names.
    pub(super) fn behind(&self, named: &BTreeSet<Box<str>>) -> BTreeSet<Box<str>> {
        match self {
            Self::Inherited => named.clone(),
            Self::Given(given) => given
                .iter()
                .filter(|(name, _)| named.contains(name) || named.contains("*"))
                .flat_map(|(_, behind)| behind.iter().cloned())
                .collect(),
        }
    }
}

/// What one input stands for, in the type that the callee declares.
fn reference(
    node: &Node,
    kind: Option<&str>,
    outer: &Bindings,
    axes: &[&str],
) -> Option<Reference> {
    let text = match definition::value(node) {
        Value::Text(text) => outer.fold(&text),
        other => return Some(Reference::Value(typed(other, kind))),
    };
    let cut = pieces(&text);
    let [Piece::Expression(inner)] = cut.as_slice() else {
        let is_computed = text.contains("${{");
        return (!is_computed).then(|| Reference::Value(typed(Value::text(&text), kind)));
    };
    let parsed = Expression::parse(inner).ok()?;
    if parsed.is_constant() {
        let value = parsed.evaluate(&Scope::new());
        return (!value.is_partly_unknown()).then(|| Reference::Value(typed(value, kind)));
    }
    let is_local = ["needs", "inputs", "env", "strategy", "steps", "job"]
        .iter()
        .any(|context| !parsed.properties_of(context).is_empty());
    let is_hidden = parsed
        .properties_of("matrix")
        .iter()
        .any(|key| key.as_ref() == "*" || axes.iter().any(|axis| axis.to_lowercase() == **key));
    let handed_on = || match kind {
        Some("boolean" | "number") => Reference::Expression((*inner).into()),
        _ => Reference::text_of(inner),
    };
    (!is_local && !is_hidden).then(handed_on)
}

/// A value in the declared type; folding made text of constants.
fn typed(value: Value, kind: Option<&str>) -> Value {
    match (kind, &value) {
        (Some("boolean"), Value::Text(text)) if text.as_ref() == "true" => Value::Bool(true),
        (Some("boolean"), Value::Text(text)) if text.as_ref() == "false" => Value::Bool(false),
        (Some("number"), Value::Text(text)) => text.parse().map_or(value.clone(), Value::Number),
        (Some("string"), Value::Bool(_) | Value::Number(_)) => Value::text(&value.to_string()),
        _ => value,
    }
}

/// An input that is not given and has no default.
fn absent(kind: Option<&str>) -> Value {
    match kind {
        Some("boolean") => Value::Bool(false),
        Some("number") => Value::Number(0.0),
        _ => Value::text(""),
    }
}
