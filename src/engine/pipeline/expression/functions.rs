//! The functions of the language.
//!
//! A call that fails on GitHub (text that is not JSON, a format without its
//! argument) fails the job; here its value is unknown, so that nobody says the
//! job does not start.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Truth;
use super::evaluate::{equals, of_truth, upper};
use super::value::{Clue, Object, Value};

/// Results longer than this are not computed.
const MAX_TEXT: usize = 1 << 20;

/// Whether only a run can answer this function.
pub(super) fn asks_the_run(name: &str) -> bool {
    !matches!(
        name,
        "contains" | "startswith" | "endswith" | "format" | "join" | "tojson" | "fromjson" | "case"
    )
}

/// Whether the condition of a job may call this function.
pub(super) fn is_of_conditions(name: &str) -> bool {
    !asks_the_run(name) || matches!(name, "always" | "success" | "failure" | "cancelled")
}

/// Whether a function takes so many arguments; functions that are not known take any.
pub(super) fn takes(name: &str, count: usize) -> bool {
    match name {
        "always" | "success" | "failure" | "cancelled" => count == 0,
        "contains" | "startswith" | "endswith" => count == 2,
        "tojson" | "fromjson" => count == 1,
        "join" => matches!(count, 1 | 2),
        "format" | "hashfiles" => (1..=255).contains(&count),
        "case" => count >= 3 && count % 2 == 1,
        _ => true,
    }
}

/// The value of a call; unknown functions give unknown values.
pub(super) fn call(name: &str, args: &[Value]) -> Value {
    match (name, args) {
        ("always", []) => Value::Bool(true),
        ("contains", [within, item]) => of_truth(contains(within, item)),
        ("startswith", [text, start]) => of_truth(starts(text, start)),
        ("endswith", [text, end]) => of_truth(ends(text, end)),
        ("format", [text, args @ ..]) => format(text, args),
        ("join", [items]) => join(items, ","),
        ("join", [items, Value::Unknown(_)]) if !matches!(items, Value::Text(_)) => Value::UNKNOWN,
        ("join", [items, separator]) => join(items, separator.as_text().as_deref().unwrap_or(",")),
        ("tojson", [value]) => to_json(value),
        ("fromjson", [value]) => from_json(value),
        ("case", [_, _, _, ..]) => case(args),
        _ => Value::UNKNOWN,
    }
}

fn contains(within: &Value, item: &Value) -> Truth {
    let items = match within {
        Value::Unknown(_) => return Truth::Unknown,
        Value::Array(items) | Value::Filtered(items) => items,
        Value::Object(_) => return Truth::No,
        primitive => {
            if let Value::Unknown(_) = item {
                return Truth::Unknown;
            }
            let both = primitive.as_text().zip(item.as_text());
            let found =
                |(text, item): (String, String)| text.to_lowercase().contains(&item.to_lowercase());
            return Truth::from(both.is_some_and(found));
        }
    };
    let answers: Vec<Truth> = items.iter().map(|other| equals(item, other)).collect();
    if answers.contains(&Truth::Yes) {
        Truth::Yes
    } else if answers.contains(&Truth::Unknown) {
        Truth::Unknown
    } else {
        Truth::No
    }
}

fn starts(text: &Value, start: &Value) -> Truth {
    if let (Value::Unknown(Clue::Between(prefix, _)), Value::Text(start)) = (text, start) {
        let (prefix, start) = (upper(prefix), upper(start));
        return known_end(prefix.starts_with(&start), start.starts_with(&prefix));
    }
    affix(text, start, |text, start| text.starts_with(start))
}

fn ends(text: &Value, end: &Value) -> Truth {
    if let (Value::Unknown(Clue::Between(_, suffix)), Value::Text(end)) = (text, end) {
        let (suffix, end) = (upper(suffix), upper(end));
        return known_end(suffix.ends_with(&end), end.ends_with(&suffix));
    }
    affix(text, end, |text, end| text.ends_with(end))
}

/// Of a text of which one end is known: that end decides, or what is asked for
/// reaches into the part that is not known.
fn known_end(decides: bool, reaches_beyond: bool) -> Truth {
    match (decides, reaches_beyond) {
        (true, _) => Truth::Yes,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::No,
    }
}

fn affix(text: &Value, part: &Value, test: fn(&str, &str) -> bool) -> Truth {
    if matches!(text, Value::Unknown(_)) || matches!(part, Value::Unknown(_)) {
        return Truth::Unknown;
    }
    let both = text.as_text().zip(part.as_text());
    Truth::from(both.is_some_and(|(text, part)| test(&upper(&text), &upper(&part))))
}

/// `{0}` is an argument; `{{` and `}}` are braces.
fn format(text: &Value, args: &[Value]) -> Value {
    let Some(text) = text.as_text() else {
        return Value::UNKNOWN;
    };
    let mut out = String::new();
    let mut is_known = true;
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = brace
            .strip_prefix("{{")
            .or_else(|| brace.strip_prefix("}}"))
        {
            out.push_str(brace.get(..1).unwrap_or_default());
            rest = after;
            continue;
        }
        let argument = brace
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .and_then(|(index, after)| Some((digits(index)?, after)));
        let Some((value, after)) =
            argument.and_then(|(index, after)| Some((args.get(index)?, after)))
        else {
            return Value::UNKNOWN;
        };
        is_known &= !matches!(value, Value::Unknown(_));
        out.push_str(&value.to_string());
        rest = after;
        if out.len() > MAX_TEXT {
            return Value::UNKNOWN;
        }
    }
    out.push_str(rest);
    match (is_known, out.trim_matches('?').is_empty()) {
        (true, _) => Value::Text(out.into()),
        (false, false) => Value::Unknown(Clue::Truthy),
        (false, true) => Value::UNKNOWN,
    }
}

/// The number before any format specifier.
fn digits(index: &str) -> Option<usize> {
    let end = index
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(index.len());
    index.get(..end)?.parse().ok()
}

fn join(items: &Value, separator: &str) -> Value {
    let (Value::Array(items) | Value::Filtered(items)) = items else {
        return match items {
            Value::Unknown(_) => Value::UNKNOWN,
            Value::Object(_) => Value::text(""),
            primitive => Value::Text(primitive.as_text().unwrap_or_default().into()),
        };
    };
    if items.iter().any(|item| matches!(item, Value::Unknown(_))) {
        return Value::UNKNOWN;
    }
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    let length: usize = texts.iter().map(|text| text.len() + separator.len()).sum();
    if length > MAX_TEXT {
        return Value::UNKNOWN;
    }
    Value::Text(texts.join(separator).into())
}

/// The value after the first predicate that is true.
fn case(args: &[Value]) -> Value {
    let (pairs, rest) = args.as_chunks::<2>();
    for [predicate, value] in pairs {
        match predicate {
            Value::Bool(true) => return value.clone(),
            Value::Bool(false) => {}
            _ => return Value::UNKNOWN,
        }
    }
    rest.first().cloned().unwrap_or(Value::UNKNOWN)
}

fn to_json(value: &Value) -> Value {
    if value.is_partly_unknown() {
        return Value::UNKNOWN;
    }
    let mut out = String::new();
    write_json(value, 0, &mut out);
    Value::Text(out.into())
}

/// Two spaces for each level, as the runner prints JSON.
fn write_json(value: &Value, level: usize, out: &mut String) {
    let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let newline = |level: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", level));
    };
    match value {
        Value::Text(inner) => out.push_str(&text(inner)),
        Value::Null | Value::Unknown(_) => out.push_str("null"),
        Value::Number(number) if !number.is_finite() => out.push_str("null"),
        Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
        Value::Array(items) | Value::Filtered(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(object) if object.entries().is_empty() => out.push_str("{}"),
        Value::Array(items) | Value::Filtered(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                newline(level + 1, out);
                write_json(item, level + 1, out);
            }
            newline(level, out);
            out.push(']');
        }
        Value::Object(object) => {
            for (index, (key, item)) in object.entries().iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                newline(level + 1, out);
                out.push_str(&text(key));
                out.push_str(": ");
                write_json(item, level + 1, out);
            }
            newline(level, out);
            out.push('}');
        }
    }
}

pub(super) fn from_json(value: &Value) -> Value {
    value
        .as_text()
        .filter(|text| text.len() <= MAX_TEXT)
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(Value::UNKNOWN)
}

impl<'de> Deserialize<'de> for Value {
    /// Reads JSON; depth is bounded by the JSON reader.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json)
    }
}

struct Json;

impl<'de> Visitor<'de> for Json {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "every number of the language is a double"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "every number of the language is a double"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value as f64))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Object::default();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            object.insert(&key, value);
        }
        Ok(Value::Object(object))
    }
}
