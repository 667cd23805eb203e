//! Reads `package.json`.
//!
//! Every field may hold anything: a field of a wrong type is passed over, as npm
//! does. A file that only marks a module type (`{"type": "module"}`) makes no package.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Declared;

/// What a `package.json` declares.
pub(super) fn package_json(text: &str) -> Declared {
    let text = text.trim_start_matches('\u{feff}');
    let Ok(manifest) = serde_json::from_str::<Manifest>(text) else {
        return Declared::unreadable();
    };
    let mut declared = Declared::default();
    for keys in [
        &manifest.dependencies,
        &manifest.dev_dependencies,
        &manifest.peer_dependencies,
        &manifest.optional_dependencies,
    ] {
        keys.0.iter().for_each(|name| declared.require(name));
    }
    declared.name = manifest.name.0.first().cloned();
    declared.weak = declared.name.is_none()
        && declared.requires.is_empty()
        && manifest.scripts.0.is_empty()
        && manifest.workspaces.0.is_empty();
    declared.members = manifest.workspaces.0;
    declared
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Manifest {
    name: Words,
    dependencies: Keys,
    dev_dependencies: Keys,
    peer_dependencies: Keys,
    optional_dependencies: Keys,
    scripts: Keys,
    workspaces: Words,
}

/// The keys of an object; nothing for any other value.
#[derive(Default)]
struct Keys(Vec<Box<str>>);

/// A string, a list of strings, or the `packages` list of an object; nothing for
/// any other value.
#[derive(Default)]
struct Words(Vec<Box<str>>);

macro_rules! ignore_scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any value")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Keys;
            ignore_scalars!();
            fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
                Ok(Keys::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Keys::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry::<Box<str>, _>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Words;
            ignore_scalars!();
            fn visit_str<E>(self, text: &str) -> Result<Words, E> {
                Ok(Words(vec![text.into()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(Words(inner)) = list.next_element()? {
                    words.extend(inner);
                }
                Ok(Words(words))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Words, A::Error> {
                let mut words = Words::default();
                while let Some(key) = map.next_key::<Box<str>>()? {
                    if key.as_ref() == "packages" {
                        words = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(words)
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}
