//! Text with `${{ }}` in it: cutting it up, and putting known values in.

use super::lexer::{self, Kind, Token};
use super::{Expression, Scope, Value};

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// What stands between `${{` and `}}`, trimmed.
    Expression(&'a str),
}

/// What a property of a context is replaced by.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// A value.
    Value(Value),
    /// Another expression.
    Expression(Box<str>),
    /// Another expression, of whose value only the text is handed on.
    Text(Box<str>),
}

impl Reference {
    /// What hands on the text of an expression. Where its value may be another thing than
    /// text, that is said: `false` as a text counts as true.
    pub fn text_of(expression: &str) -> Self {
        let name = expression.to_lowercase();
        let is_typed = ["matrix", "github.event.", "strategy", "inputs"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_path(expression) && !is_typed {
            Self::Expression(expression.into())
        } else {
            Self::Text(expression.into())
        }
    }
}

/// The pieces of a text. `}}` inside a quoted text of an expression does not end it;
/// `${{` without an end is text.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let Some(end) = end_of_expression(after) else {
            break;
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Expression(after.get(..end).unwrap_or(after).trim()));
        rest = after.get(end + 2..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The text with references replaced inside its expressions, and expressions that
/// became constant replaced by their text.
pub fn fold(text: &str, lookup: &dyn Fn(&str, &str) -> Option<Reference>) -> String {
    if !text.contains("${{") {
        return text.to_owned();
    }
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Expression(expression) => {
                let replaced =
                    whole(expression, lookup).unwrap_or_else(|| substitute(expression, lookup));
                constant(&replaced).unwrap_or_else(|| format!("${{{{ {replaced} }}}}"))
            }
        })
        .collect()
}

/// What an expression that is one reference and nothing else stands for, when that is the
/// text of another expression: between `${{ }}` everything becomes text anyway.
fn whole(expression: &str, lookup: &dyn Fn(&str, &str) -> Option<Reference>) -> Option<String> {
    let tokens = lexer::tokens(expression).ok()?;
    let (context, name, length) = property(&tokens)?;
    if length != tokens.len() {
        return None;
    }
    match lookup(&context.to_lowercase(), name)? {
        Reference::Text(text) => Some(text.into()),
        _ => None,
    }
}

/// The expression with every `context.property` (or `context['property']`) replaced
/// for which `lookup` knows something; contexts are asked for in lower case. A text
/// that is no expression stays.
pub fn substitute(expression: &str, lookup: &dyn Fn(&str, &str) -> Option<Reference>) -> String {
    let Ok(tokens) = lexer::tokens(expression) else {
        return expression.to_owned();
    };
    let mut out = String::new();
    let mut done = 0;
    let mut index = 0;
    while let Some(rest) = tokens.get(index..).filter(|rest| !rest.is_empty()) {
        let follows_dot = index
            .checked_sub(1)
            .and_then(|before| tokens.get(before))
            .is_some_and(|token| token.kind == Kind::Dot);
        let found = (!follows_dot).then(|| property(rest)).flatten();
        let replaced = found.and_then(|(context, name, length)| {
            let last = rest.get(length - 1)?;
            let first = rest.first()?;
            let text = literal(lookup(&context.to_lowercase(), name)?);
            Some((first.span.start, last.span.end, length, text))
        });
        if let Some((start, end, length, text)) = replaced {
            out.push_str(expression.get(done..start).unwrap_or_default());
            out.push_str(&text);
            done = end;
            index += length;
        } else {
            index += 1;
        }
    }
    out.push_str(expression.get(done..).unwrap_or_default());
    out
}

/// The context and property at the start of the tokens, and how many tokens they are.
fn property(tokens: &[Token]) -> Option<(&str, &str, usize)> {
    let kinds: Vec<&Kind> = tokens.iter().take(4).map(|token| &token.kind).collect();
    match kinds.as_slice() {
        [Kind::Name(context), Kind::Dot, Kind::Name(name), ..] => Some((context, name, 3)),
        [
            Kind::Name(context),
            Kind::OpenIndex,
            Kind::Text(name),
            Kind::CloseIndex,
        ] => Some((context, name, 4)),
        _ => None,
    }
}

/// A replacement as it stands in an expression.
fn literal(reference: Reference) -> String {
    match reference {
        Reference::Expression(text) if is_path(&text) => text.into(),
        Reference::Expression(text) => format!("({text})"),
        Reference::Text(text) => format!("format('{{0}}', {text})"),
        Reference::Value(Value::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        Reference::Value(Value::Null) => "null".to_owned(),
        Reference::Value(value) => value.to_string(),
    }
}

/// Whether an expression is only names and dots, and needs no brackets around it.
fn is_path(expression: &str) -> bool {
    expression
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// The text of an expression that needs no run to be known.
fn constant(expression: &str) -> Option<String> {
    let parsed = Expression::parse(expression).ok()?;
    if !parsed.is_constant() {
        return None;
    }
    match parsed.evaluate(&Scope::new()) {
        Value::Unknown(_) => None,
        value => Some(value.to_string()),
    }
}

fn end_of_expression(text: &str) -> Option<usize> {
    let mut is_quoted = false;
    for (index, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '}' if !is_quoted && text.get(index..).is_some_and(|rest| rest.starts_with("}}")) => {
                return Some(index);
            }
            _ => {}
        }
    }
    None
}
