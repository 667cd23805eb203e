//! What JSON, YAML and TOML lockfiles have in common: scalars, lists and maps.
//!
//! Readers of formats look at documents only, so that one digest covers every field
//! of an entry, those included that no reader knows. Depth is bounded by the parsers.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use crate::engine::plan::Diagnostic;
use crate::engine::yaml;

/// A value of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Document {
    /// Text, number, truth value; the empty text for null.
    Scalar(Box<str>),
    /// A list.
    List(Vec<Self>),
    /// A map in the order of the file (of the keys, for TOML).
    Map(Vec<(Box<str>, Self)>),
}

impl Document {
    /// Reads JSON.
    pub(super) fn json(path: &str, text: &str) -> Result<Self, Diagnostic> {
        let text = text.trim_start_matches('\u{feff}');
        serde_json::from_str(text).map_err(|error| Diagnostic {
            path: path.to_owned(),
            line: u32::try_from(error.line()).unwrap_or_default(),
            column: u32::try_from(error.column()).unwrap_or_default(),
            message: format!("this lockfile is not JSON: {error}"),
        })
    }

    /// Reads every document of a YAML file.
    pub(super) fn yaml(path: &str, text: &str) -> Result<Vec<Self>, Diagnostic> {
        let nodes = yaml::parse_all(path, text, yaml::Limits::default());
        let nodes = nodes.map_err(|faults| {
            let unknown = || fault(path, "this lockfile is not YAML");
            faults.into_iter().next().unwrap_or_else(unknown)
        })?;
        Ok(nodes.into_iter().map(Self::from).collect())
    }

    /// Reads TOML.
    pub(super) fn toml(path: &str, text: &str) -> Result<Self, Diagnostic> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(0, |before| before.matches('\n').count() + 1);
            Diagnostic {
                path: path.to_owned(),
                line: u32::try_from(line).unwrap_or_default(),
                column: 0,
                message: format!("this lockfile is not TOML: {}", error.message()),
            }
        })?;
        Ok(Self::from(toml::Value::Table(table)))
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let found = self.entries().find(|(name, _)| *name == key);
        found.map(|(_, value)| value)
    }

    /// The text of a key's scalar.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The text of a scalar.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The entries of a map; nothing for other values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        let entries = match self {
            Self::Map(entries) => entries.as_slice(),
            Self::Scalar(_) | Self::List(_) => &[],
        };
        entries.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// The items of a list; nothing for other values.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Scalar(_) | Self::Map(_) => &[],
        }
    }

    /// The entries of several sections of a map, one after the other.
    pub(super) fn sections<'a>(
        &'a self,
        names: &'a [&str],
    ) -> impl Iterator<Item = (&'a str, &'a Self)> {
        let sections = names.iter().filter_map(|name| self.get(name));
        sections.flat_map(Self::entries)
    }

    /// Feeds the value to a digest, leaving out some keys of maps at every depth.
    /// The order of a map's keys does not count.
    pub(super) fn digest(&self, hash: &mut Sha256, without: &[&str]) {
        match self {
            Self::Scalar(text) => feed(hash, b's', text),
            Self::List(items) => {
                feed(hash, b'l', &items.len().to_string());
                for item in items {
                    item.digest(hash, without);
                }
            }
            Self::Map(entries) => {
                let mut kept: Vec<&(Box<str>, Self)> = entries
                    .iter()
                    .filter(|(key, _)| !without.contains(&key.as_ref()))
                    .collect();
                kept.sort_by(|a, b| a.0.cmp(&b.0));
                feed(hash, b'm', &kept.len().to_string());
                for (key, value) in kept {
                    feed(hash, b'k', key);
                    value.digest(hash, without);
                }
            }
        }
    }
}

/// Feeds a tagged text with its length, so that no two sequences read alike.
pub(super) fn feed(hash: &mut Sha256, tag: u8, text: &str) {
    hash.update([tag]);
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text.as_bytes());
}

/// A fault of the file as a whole.
pub(super) fn fault(path: &str, message: &str) -> Diagnostic {
    Diagnostic {
        path: path.to_owned(),
        line: 0,
        column: 0,
        message: message.to_owned(),
    }
}

impl From<yaml::Node> for Document {
    fn from(node: yaml::Node) -> Self {
        match node.value {
            yaml::Value::Scalar(scalar) => Self::Scalar(scalar.text),
            yaml::Value::Sequence(items) => Self::List(items.into_iter().map(Self::from).collect()),
            yaml::Value::Mapping(entries) => {
                let entry = |entry: yaml::Entry| (entry.key, Self::from(entry.value));
                Self::Map(entries.into_iter().map(entry).collect())
            }
        }
    }
}

impl From<toml::Value> for Document {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Scalar(text.into()),
            toml::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            toml::Value::Table(table) => {
                let entry = |(key, value): (String, toml::Value)| (key.into(), Self::from(value));
                Self::Map(table.into_iter().map(entry).collect())
            }
            toml::Value::Integer(number) => Self::Scalar(number.to_string().into()),
            toml::Value::Float(number) => Self::Scalar(number.to_string().into()),
            toml::Value::Boolean(truth) => Self::Scalar(truth.to_string().into()),
            toml::Value::Datetime(time) => Self::Scalar(time.to_string().into()),
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Scalar("".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Document, E> {
        Ok(Document::Scalar(value.to_string().into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Document, E> {
        Ok(Document::Scalar(value.to_string().into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Document, E> {
        Ok(Document::Scalar(value.to_string().into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Document, E> {
        Ok(Document::Scalar(value.to_string().into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Document, E> {
        Ok(Document::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Document, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Document::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Document::Map(entries))
    }
}
