//! What a makefile hands to its recipes as their environment.
//!
//! A variable of it counts as one of a step does. Variables of the command line go
//! before those of every makefile below, under names that no variable can have.

use super::expand::{asked, expanded, marked};
use super::{Rules, Told};
use crate::engine::inputs::walk::{Invocation, Walk};
use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START, Value};

/// Begins the names under which variables of a command line are handed on.
const TOLD: &str = "make:";

/// Variables that recipes get whether they are exported or not, since every process has
/// them.
const ALWAYS: &[&str] = &["PATH"];

impl Walk<'_> {
    /// Variables of this command line and of those above it, which go before the file's.
    pub(super) fn told(&mut self, told: &Told, rules: &mut Rules) {
        let above = self.variables.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(TOLD)?.to_owned();
            let value = match value {
                Value::Text(text) => text.to_string(),
                _ => marked(&name),
            };
            Some((name, value))
        });
        let above: Vec<(String, String)> = above.collect();
        let own = told.variables.clone().into_iter();
        for (name, value) in above.into_iter().chain(own) {
            rules.exported.entry(name.clone()).or_insert(1);
            let old = rules.variables.get(&name);
            let value = match old {
                Some(old) if rules.overriding.contains(&name) => {
                    marked(&format!("{name} {old} {value}"))
                }
                _ => value,
            };
            self.set(format!("{TOLD}{name}").into(), known(&value));
            rules.variables.insert(name, value);
        }
    }

    /// Hands the variables of a makefile to its recipes; what they say and what they ask
    /// the shell for is read.
    pub(super) fn hand(&mut self, call: &Invocation, file: &str, rules: &Rules) {
        let is_handed = |name: &str| {
            let line = rules.exported.get(name).or(rules.exported.get("*"));
            // What the environment has is handed on in any case.
            let is_there = self.variables.contains_key(name) || ALWAYS.contains(&name);
            line.copied().or_else(|| is_there.then_some(1))
        };
        let handed = rules.variables.iter();
        let handed: Vec<(u32, &String, &String)> = handed
            .filter_map(|(name, value)| Some((is_handed(name)?, name, value)))
            .collect();
        for (line, name, value) in handed {
            let text = expanded(value, rules, None, 0);
            self.ask(&call.place, (file, line), &asked(&text, 0));
            let mut here = call.clone();
            here.origin.file = file.into();
            here.origin.line = line;
            self.hand_one(&here, name, &text);
        }
    }

    fn hand_one(&mut self, call: &Invocation, name: &str, text: &str) {
        let value = known(text);
        if value == Value::Unknown {
            if name != "PATH" {
                self.assignment(call, name, &Value::Unknown);
            }
            // Directories of the repository may stand beside and within what is not known.
            let ends = |c: char| c.is_whitespace() || ",()".contains(c);
            let words = text.replace([UNKNOWN_START, UNKNOWN_END], " ");
            let words: Vec<&str> = words.split(ends).collect();
            let words: Vec<&str> = words.iter().map(|it| it.trim_start_matches('/')).collect();
            let glue = if name == "PATH" { ":" } else { " " };
            self.assignment(call, name, &Value::Text(words.join(glue).into()));
        } else {
            self.assignment(call, name, &value);
        }
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name {
            self.set(name.into(), value);
        }
    }
}

fn known(text: &str) -> Value {
    if text.contains(UNKNOWN_START) {
        return Value::Unknown;
    }
    Value::Text(text.replace("$$", "$").into())
}
