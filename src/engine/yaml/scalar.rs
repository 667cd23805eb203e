//! What a scalar's text means: YAML 1.2's core schema.
//!
//! <https://yaml.org/spec/1.2.2/#103-core-schema>. Only a plain scalar can be
//! anything but text; `yes`, `on` and `0777` mean what they meant in no later
//! version than 1.1 and are not read so here.

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'...'`
    SingleQuoted,
    /// `"..."`
    DoubleQuoted,
    /// A block after `|`.
    Literal,
    /// A block after `>`.
    Folded,
}

/// A scalar as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text after unquoting, folding and unescaping.
    pub text: Box<str>,
    /// How it is written.
    pub style: Style,
    /// Its tag, if it has one: `!reference`, `tag:yaml.org,2002:str`.
    pub tag: Option<Box<str>>,
}

/// What a scalar means in the core schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Absent, `null`, `~`.
    Null,
    /// `true` or `false`, in one of three spellings each.
    Bool(bool),
    /// A whole number: decimal, `0o17`, `0x1f`.
    Integer(i64),
    /// Any other number, also whole ones beyond 64 bits.
    Float(f64),
    /// Text.
    Text,
}

impl Scalar {
    /// The scalar of a key without a value.
    pub(crate) fn absent() -> Self {
        Self {
            text: "".into(),
            style: Style::Plain,
            tag: None,
        }
    }

    /// What the scalar means.
    pub fn kind(&self) -> Kind {
        let is_text = self.tag.as_deref().is_some_and(|tag| {
            tag == "!" || tag.ends_with(":str") || !tag.starts_with("tag:yaml.org,2002:")
        });
        if self.style != Style::Plain || is_text {
            return Kind::Text;
        }
        match self.text.as_ref() {
            "" | "null" | "Null" | "NULL" | "~" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            text => number(text).unwrap_or(Kind::Text),
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind() {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self.kind() {
            Kind::Integer(value) => Some(value),
            _ => None,
        }
    }
}

fn number(text: &str) -> Option<Kind> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    match bare {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Some(Kind::Float(sign * f64::INFINITY));
        }
        ".nan" | ".NaN" | ".NAN" if bare == text => return Some(Kind::Float(f64::NAN)),
        _ => {}
    }
    let has_digit = bare.bytes().any(|byte| byte.is_ascii_digit());
    let is_decimal = bare
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let starts_right = bare.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !(has_digit && is_decimal && starts_right) {
        return None;
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(value) = text.parse()
    {
        return Some(Kind::Integer(value));
    }
    text.parse().ok().map(Kind::Float)
}

fn radix(digits: &str, base: u32) -> Option<Kind> {
    let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
    all.then(|| i64::from_str_radix(digits, base).ok().map(Kind::Integer))?
}
