//! `{env:NAME:default}` of tox: what a variable may be, as far as `setenv` and the job say
//! (<https://tox.wiki/en/stable/config.html#environment-variable-substitutions>).
//!
//! A variable that only some environments set has a few values; the shell that reads the
//! command walks it with each. One that nobody sets has its default.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::ini::Sections;
use super::super::walk::Walk;
use super::{Tox, substituted, unknown, without_factors};
use crate::engine::shell::{UNKNOWN_START, Value};

/// What is known of the variables of a configuration of tox.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// What `setenv` gives, and whether only some environments have it.
    given: BTreeMap<String, Vec<(bool, String)>>,
    /// What the job sets.
    outer: Rc<BTreeMap<Box<str>, Value>>,
    /// What nobody sets.
    unset: BTreeSet<String>,
}

impl Walk<'_> {
    pub(super) fn tox_variables(&self, sections: &Sections) -> Variables {
        let mut found = Variables {
            outer: self.variables.clone(),
            ..Variables::default()
        };
        for (key, value, _) in sections.iter().flat_map(|(_, settings)| settings) {
            for rest in value.split("{env:").skip(1) {
                let name = rest.split([':', '}']).next().unwrap_or_default();
                if self.is_unset(name) {
                    found.unset.insert(name.to_owned());
                }
            }
            if !matches!(key.as_str(), "setenv" | "set_env") {
                continue;
            }
            for line in value.lines().map(str::trim) {
                let plain = without_factors(line);
                if let Some((name, value)) = plain.split_once('=') {
                    let values = found.given.entry(name.trim().to_owned()).or_default();
                    values.push((plain != line, value.trim().to_owned()));
                }
            }
        }
        found
    }

    /// Tells the shell what a variable may be that only some environments set.
    pub(super) fn tell_variables(&mut self, tox: &Tox<'_>) {
        for (name, values) in &tox.variables.given {
            if !values.iter().any(|(conditional, _)| *conditional) {
                continue;
            }
            let mut texts: Vec<Box<str>> = values
                .iter()
                .map(|(_, value)| substituted(value, tox, 1).into())
                .collect();
            texts.push("".into());
            texts.sort();
            texts.dedup();
            let is_known = |text: &str| !text.contains(['{', '$', UNKNOWN_START]);
            let value = if texts.len() <= 4 && texts.iter().all(|text| is_known(text)) {
                Value::OneOf(texts)
            } else {
                Value::Unknown
            };
            self.set(name.as_str().into(), value);
        }
    }
}

/// What stands for `{env:NAME:default}` in a command.
pub(super) fn value(inner: &str, tox: &Tox<'_>, depth: u32) -> String {
    let mut parts = inner.splitn(3, ':').skip(1);
    let name = parts.next().unwrap_or_default();
    let default = parts.next().unwrap_or_default();
    let variables = &tox.variables;
    if depth >= 6 {
        return unknown(inner);
    }
    match (
        variables.given.get(name).map(Vec::as_slice),
        variables.outer.get(name),
    ) {
        (Some([(false, value)]), _) => substituted(value, tox, depth + 1),
        (Some(_), None) if default.is_empty() => format!("${{{name}}}"),
        (None, Some(Value::Text(text))) => text.to_string(),
        (None, None) if variables.unset.contains(name) => substituted(default, tox, depth + 1),
        _ => unknown(inner),
    }
}
