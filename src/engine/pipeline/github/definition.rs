//! The canonical text of a job: equal exactly when the same thing runs.
//!
//! Keys are sorted, comments and places are gone, and a scalar is written by its
//! meaning, so that quotes and block styles do not count. Doubt counts as a
//! difference: `3.10` and `"3.10"` are not the same.

use super::Bindings;
use crate::engine::pipeline::expression::Value;
use crate::engine::yaml::{Kind, Node};

/// A node as a value of the expression language.
pub(super) fn value(node: &Node) -> Value {
    match &node.value {
        crate::engine::yaml::Value::Scalar(scalar) => match scalar.kind() {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            #[expect(
                clippy::cast_precision_loss,
                reason = "every number of the language is a double"
            )]
            Kind::Integer(value) => Value::Number(value as f64),
            Kind::Float(value) => Value::Number(value),
            Kind::Text => Value::text(&scalar.text),
        },
        crate::engine::yaml::Value::Sequence(items) => {
            Value::Array(items.iter().map(value).collect())
        }
        crate::engine::yaml::Value::Mapping(entries) => Value::object(
            entries
                .iter()
                .map(|entry| (entry.key.as_ref(), value(&entry.value))),
        ),
    }
}

/// The canonical text of a node, with what is known put in.
pub(super) fn canonical(node: &Node, bindings: &Bindings) -> String {
    let mut out = String::new();
    write(node, bindings, &[], &mut out);
    out
}

/// The same of a mapping without some of its keys.
pub(super) fn canonical_without(node: &Node, bindings: &Bindings, without: &[&str]) -> String {
    let mut out = String::new();
    write(node, bindings, without, &mut out);
    out
}

/// The canonical text of some keys of a mapping: `key=value`, one a line.
pub(super) fn canonical_of(node: &Node, bindings: &Bindings, keys: &[&str]) -> String {
    let lines: Vec<String> = keys
        .iter()
        .filter_map(|key| Some((key, node.get(key)?)))
        .map(|(key, value)| {
            format!(
                "{key}={}
",
                canonical(value, bindings)
            )
        })
        .collect();
    lines.concat()
}

/// A value as JSON on one line, keys in their order.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Array(items) | Value::Filtered(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let entries: Vec<String> = object
                .entries()
                .iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), json(value)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Null => "null".to_owned(),
        Value::Text(text) => quoted(text),
        Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => value.to_string(),
    }
}

/// Depth is bounded by the YAML reader.
fn write(node: &Node, bindings: &Bindings, without: &[&str], out: &mut String) {
    if let Some(items) = node.items() {
        out.push('[');
        for item in items {
            write(item, bindings, &[], out);
            out.push(',');
        }
        out.push(']');
    } else if let Some(entries) = node.entries() {
        let mut sorted: Vec<_> = entries
            .iter()
            .filter(|entry| !without.contains(&entry.key.as_ref()))
            .collect();
        sorted.sort_by(|a, b| a.key.cmp(&b.key));
        out.push('{');
        for entry in sorted {
            out.push_str(&quoted(&entry.key));
            out.push(':');
            match entry.key.as_ref() {
                "if" => {
                    let condition = bindings.condition(Some(&entry.value));
                    out.push_str(&quoted(&condition.unwrap_or_default()));
                }
                "needs" => write_words(&entry.value, out),
                _ => write(&entry.value, bindings, &[], out),
            }
            out.push(',');
        }
        out.push('}');
    } else {
        let text = match value(node) {
            Value::Text(text) => quoted(&bindings.fold(&text)),
            other => json(&other),
        };
        out.push_str(&text);
    }
}

/// One word or a list of one is the same, and so is any order.
fn write_words(node: &Node, out: &mut String) {
    let mut words = node.words();
    words.sort_unstable();
    words.dedup();
    let text = format!("{words:?}");
    out.push_str(&text);
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
