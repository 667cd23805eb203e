//! Values of expressions, and what can be said of those that are not known.

use std::fmt;

use super::Truth;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, also what a missing property gives.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; all are doubles.
    Number(f64),
    /// Text.
    Text(Box<str>),
    /// A list.
    Array(Vec<Self>),
    /// What `.*` gives: a list whose properties are those of its items.
    Filtered(Vec<Self>),
    /// A mapping.
    Object(Object),
    /// Something that only the run can tell.
    Unknown(Clue),
}

/// A mapping whose keys are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object {
    entries: Vec<(Box<str>, Value)>,
    /// Whether it may have properties that are not listed.
    is_open: bool,
}

/// What is known of an unknown value.
#[derive(Debug, Clone, PartialEq)]
pub enum Clue {
    /// Nothing.
    Nothing,
    /// It counts as true.
    Truthy,
    /// It counts as false.
    Falsy,
    /// It is text between these two.
    Between(Box<str>, Box<str>),
    /// It is text, and not this one.
    Not(Box<str>),
}

impl Value {
    /// A value of which nothing is known.
    pub const UNKNOWN: Self = Self::Unknown(Clue::Nothing);

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// A mapping of which every property is listed.
    pub fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(Object::new(entries, false))
    }

    /// A mapping that may have other properties, which are unknown.
    pub fn open<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(Object::new(entries, true))
    }

    /// Whether the value counts as true.
    pub fn truth(&self) -> Truth {
        let is_true = match self {
            Self::Null | Self::Unknown(Clue::Falsy) => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Array(_)
            | Self::Filtered(_)
            | Self::Object(_)
            | Self::Unknown(Clue::Truthy | Clue::Between(..)) => true,
            Self::Unknown(Clue::Nothing | Clue::Not(_)) => return Truth::Unknown,
        };
        Truth::from(is_true)
    }

    /// Whether it, or anything inside it, is unknown.
    pub fn is_partly_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::Array(items) | Self::Filtered(items) => items.iter().any(Self::is_partly_unknown),
            Self::Object(object) => object.is_open || object.values().any(Self::is_partly_unknown),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// The same, with every text that holds an expression unknown: only the run fills it in.
    #[must_use]
    pub fn settled(self) -> Self {
        match self {
            Self::Text(text) if text.contains("${{") => Self::UNKNOWN,
            Self::Array(items) => Self::Array(items.into_iter().map(Self::settled).collect()),
            Self::Object(mut object) => {
                for (_, value) in &mut object.entries {
                    *value = std::mem::replace(value, Self::Null).settled();
                }
                Self::Object(object)
            }
            other => other,
        }
    }

    /// The text that a primitive becomes; `None` for lists, mappings and the unknown.
    pub(super) fn as_text(&self) -> Option<String> {
        match self {
            Self::Null => Some(String::new()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(number) => Some(number_text(*number)),
            Self::Text(text) => Some(text.to_string()),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) | Self::Unknown(_) => None,
        }
    }

    /// The number that a known value becomes; NaN for what is none.
    pub(super) fn as_number(&self) -> f64 {
        match self {
            Self::Null => 0.0,
            Self::Bool(value) => f64::from(u8::from(*value)),
            Self::Number(number) => *number,
            Self::Text(text) => parse_number(text),
            Self::Array(_) | Self::Filtered(_) | Self::Object(_) | Self::Unknown(_) => f64::NAN,
        }
    }
}

impl fmt::Display for Value {
    /// The text that stands in a script in place of `${{ }}`; unknown values as `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(_) | Self::Filtered(_) => f.write_str("Array"),
            Self::Object(_) => f.write_str("Object"),
            Self::Unknown(_) => f.write_str("?"),
            known => f.write_str(&known.as_text().unwrap_or_default()),
        }
    }
}

impl Object {
    fn new<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>, is_open: bool) -> Self {
        let mut object = Self {
            entries: Vec::new(),
            is_open,
        };
        for (key, value) in entries {
            object.insert(key, value);
        }
        object
    }

    /// Adds a property; of two that differ in case only, the first stays.
    pub fn insert(&mut self, key: &str, value: Value) {
        if self.find(key).is_none() {
            self.entries.push((key.into(), value));
        }
    }

    /// Sets a property, in place of the one that is there.
    pub fn set(&mut self, key: &str, value: Value) {
        let same = |entry: &&mut (Box<str>, Value)| is_same_key(&entry.0, key);
        match self.entries.iter_mut().find(same) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key.into(), value)),
        }
    }

    /// A property; null when there is none, unknown when there may be one.
    pub fn get(&self, key: &str) -> Value {
        match self.find(key) {
            Some(value) => value.clone(),
            None if self.is_open => Value::UNKNOWN,
            None => Value::Null,
        }
    }

    /// Whether it may have properties that are not listed.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Its properties in order.
    pub fn entries(&self) -> &[(Box<str>, Value)] {
        &self.entries
    }

    /// A property that is listed.
    pub fn find(&self, key: &str) -> Option<&Value> {
        let same = |entry: &&(Box<str>, Value)| is_same_key(&entry.0, key);
        self.entries.iter().find(same).map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.entries.iter().map(|(_, value)| value)
    }
}

/// Whether two keys differ in case at most.
fn is_same_key(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// At most 15 digits after the point, as the runner writes numbers.
fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}Infinity");
    }
    let rounded: f64 = format!("{number:.15}").parse().unwrap_or(number);
    if rounded == 0.0 {
        return "0".to_owned();
    }
    rounded.to_string()
}

/// A text as a number, as JavaScript's `Number` reads it.
pub(super) fn parse_number(text: &str) -> f64 {
    let text = text.trim();
    let radix = |digits: &str, base| {
        let is_clean = digits.chars().all(|digit| digit.is_digit(base));
        let value = is_clean.then(|| u32::from_str_radix(digits, base).ok());
        value.flatten().map_or(f64::NAN, f64::from)
    };
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    match text.strip_prefix(['+', '-']).unwrap_or(text) {
        "Infinity" if text.starts_with('-') => f64::NEG_INFINITY,
        "Infinity" => f64::INFINITY,
        bare if bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}
