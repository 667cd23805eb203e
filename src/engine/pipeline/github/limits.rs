//! What a job may do that restrains skipping it: tokens, environments, secrets.

use std::collections::BTreeSet;

use super::limit;
use crate::engine::pipeline::Limit;
use crate::engine::pipeline::expression::{self, Expression, Piece};
use crate::engine::yaml::{Node, Value};

/// Scopes by which something is delivered.
const DELIVERING: &[&str] = &[
    "contents",
    "packages",
    "deployments",
    "pages",
    "attestations",
];

/// The scopes that a token may write; `None` where nothing is declared and the
/// repository's setting holds.
pub(super) type Permissions = Option<BTreeSet<Box<str>>>;

/// Reads `permissions`, which replaces whatever was declared above it.
pub(super) fn permissions(node: Option<&Node>, above: &Permissions) -> Permissions {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return above.clone();
    };
    if node.as_str() == Some("write-all") {
        return Some(["write-all".into()].into());
    }
    let entries = node.entries().unwrap_or_default().iter();
    Some(
        entries
            .filter(|entry| entry.value.as_str() == Some("write"))
            .map(|entry| entry.key.clone())
            .collect(),
    )
}

/// The limits that a token with these permissions makes.
pub(super) fn of_permissions(permissions: &Permissions, limits: &mut Vec<Limit>) {
    let has_environment = limits
        .iter()
        .any(|limit| matches!(limit, Limit::Environment(_)));
    for scope in permissions.iter().flatten() {
        let delivers = DELIVERING.contains(&scope.as_ref())
            || scope.as_ref() == "write-all"
            || scope.as_ref() == "id-token" && has_environment;
        let new = if delivers {
            Limit::Writes(scope.clone())
        } else {
            Limit::Reports(scope.clone())
        };
        limit(limits, new);
    }
}

/// The name of an environment: a word, or a mapping with a name.
pub(super) fn environment(node: Option<&Node>) -> Option<Box<str>> {
    let node = node.filter(|node| !node.is_null())?;
    let name = node
        .as_str()
        .or_else(|| node.get("name").and_then(Node::as_str));
    Some(name.unwrap_or("?").into())
}

/// The secrets that a node names, but for the token that every job has; in upper
/// case, as GitHub compares them.
pub(super) fn secrets(node: &Node, found: &mut BTreeSet<Box<str>>) {
    match &node.value {
        Value::Scalar(scalar) => secrets_of_text(&scalar.text, found),
        Value::Sequence(items) => items.iter().for_each(|item| secrets(item, found)),
        Value::Mapping(entries) => entries
            .iter()
            .for_each(|entry| secrets(&entry.value, found)),
    }
}

fn secrets_of_text(text: &str, found: &mut BTreeSet<Box<str>>) {
    for piece in expression::pieces(text) {
        let Piece::Expression(inner) = piece else {
            continue;
        };
        match Expression::parse(inner) {
            Ok(expression) => found.extend(
                expression
                    .properties_of("secrets")
                    .into_iter()
                    .map(|name| name.to_uppercase())
                    .filter(|name| name != "GITHUB_TOKEN")
                    .map(Into::into),
            ),
            Err(_) if inner.to_lowercase().contains("secrets") => {
                found.insert("*".into());
            }
            Err(_) => {}
        }
    }
}
