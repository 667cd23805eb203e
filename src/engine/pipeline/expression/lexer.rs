//! Cuts the text of an expression into tokens with their places.

use std::ops::Range;

use super::Fault;
use super::value::parse_number;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes in the text.
    pub(super) span: Range<usize>,
}

/// The kinds of token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(Box<str>),
    Text(Box<str>),
    Number(f64),
    Null,
    Bool(bool),
    Open,
    Close,
    OpenIndex,
    CloseIndex,
    Comma,
    Dot,
    Star,
    Not,
    And,
    Or,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Every token of the text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let (kind, len) =
            token(rest, tokens.last().map(|token| &token.kind)).map_err(|what| Fault {
                what: what.into(),
                at: at + 1,
            })?;
        tokens.push(Token {
            kind,
            span: at..at + len,
        });
        at += len;
    }
    Ok(tokens)
}

fn token(rest: &str, previous: Option<&Kind>) -> Result<(Kind, usize), String> {
    if let Some(found) = symbol(rest, previous) {
        return Ok(found);
    }
    match rest.chars().next() {
        Some('\'') => string(rest),
        Some('.' | '-' | '+' | '0'..='9') => number(rest),
        _ => word(rest, previous),
    }
}

fn symbol(rest: &str, previous: Option<&Kind>) -> Option<(Kind, usize)> {
    const DOUBLE: &[(&str, Kind)] = &[
        ("&&", Kind::And),
        ("||", Kind::Or),
        ("==", Kind::Equal),
        ("!=", Kind::Unequal),
        ("<=", Kind::LessEqual),
        (">=", Kind::GreaterEqual),
    ];
    if let Some((_, kind)) = DOUBLE.iter().find(|(text, _)| rest.starts_with(text)) {
        return Some((kind.clone(), 2));
    }
    let starts_number = !matches!(
        previous,
        Some(Kind::Name(_) | Kind::Close | Kind::CloseIndex | Kind::Star)
    );
    let kind = match rest.chars().next()? {
        '(' => Kind::Open,
        ')' => Kind::Close,
        '[' => Kind::OpenIndex,
        ']' => Kind::CloseIndex,
        ',' => Kind::Comma,
        '*' => Kind::Star,
        '!' => Kind::Not,
        '<' => Kind::Less,
        '>' => Kind::Greater,
        '.' if !starts_number => Kind::Dot,
        _ => return None,
    };
    Some((kind, 1))
}

fn string(rest: &str) -> Result<(Kind, usize), String> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != '\'' {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            value.push('\'');
        } else {
            return Ok((Kind::Text(value.into()), index + 1));
        }
    }
    Err("a text without its closing quote".to_owned())
}

fn number(rest: &str) -> Result<(Kind, usize), String> {
    let end = rest
        .find(|c: char| c != '.' && is_boundary(c))
        .unwrap_or(rest.len());
    let text = rest.get(..end).unwrap_or(rest);
    let value = parse_number(text);
    if value.is_nan() {
        return Err(format!("unexpected `{text}`"));
    }
    Ok((Kind::Number(value), end))
}

fn word(rest: &str, previous: Option<&Kind>) -> Result<(Kind, usize), String> {
    let end = rest.find(is_boundary).unwrap_or(rest.len());
    let text = rest.get(..end).unwrap_or(rest);
    let is_legal = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !is_legal {
        let shown = if text.is_empty() {
            rest.get(..1).unwrap_or(rest)
        } else {
            text
        };
        return Err(format!("unexpected `{shown}`"));
    }
    let kind = match text {
        _ if previous == Some(&Kind::Dot) => Kind::Name(text.into()),
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        "null" => Kind::Null,
        "NaN" => Kind::Number(f64::NAN),
        "Infinity" => Kind::Number(f64::INFINITY),
        _ => Kind::Name(text.into()),
    };
    Ok((kind, end))
}

fn is_boundary(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '(' | '[' | ')' | ']' | ',' | '.' | '!' | '>' | '<' | '=' | '&' | '|'
        )
}
