//! The lines of a makefile: variables, rules and recipes.
//!
//! Both branches of conditions count. What changes how recipes are read is kept as odd.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Rules;
use super::expand::{TEXT, calls, expanded, marked};
use crate::engine::shell::Value;

/// Lines with continued ones joined, each with the number of its first.
pub(super) fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let (body, continues) = match line.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if open => {
                last.push(' ');
                last.push_str(body.trim_start());
            }
            _ => lines.push((number, body.to_owned())),
        }
        open = continues;
    }
    lines
}

/// Reads a makefile; the environment says what some variables are.
pub(super) fn parse(text: &str, environment: &Rc<BTreeMap<Box<str>, Value>>) -> Rules {
    let mut rules = Rules {
        environment: Rc::clone(environment),
        ..Rules::default()
    };
    let mut current: Vec<String> = Vec::new();
    for (number, line) in joined(text) {
        if !rules.spend(1 + current.len()) {
            break;
        }
        look_around(&mut rules, number, &line);
        if line.starts_with('\t') {
            for target in &current {
                if let Some(rule) = rules.targets.get_mut(target) {
                    rule.recipe.push((number, line.trim().to_owned()));
                }
            }
            continue;
        }
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') || is_condition(line) {
            continue;
        }
        if let Some(rest) = line
            .strip_prefix("include ")
            .or_else(|| line.strip_prefix("-include "))
        {
            rules
                .includes
                .extend(rest.split_whitespace().map(str::to_owned));
            continue;
        }
        let plain = line
            .strip_prefix("export ")
            .or_else(|| line.strip_prefix("override "))
            .unwrap_or(line);
        if let Some((name, value, operator)) = assignment(plain) {
            set(&mut rules, name, value, operator);
            current.clear();
            continue;
        }
        if !add_rule(&mut rules, &mut current, number, line) {
            break;
        }
    }
    rules
}

/// A line with a rule; `false` when there are no steps left.
fn add_rule(rules: &mut Rules, current: &mut Vec<String>, number: u32, line: &str) -> bool {
    let Some((names, needs)) = split_rule(line) else {
        return true;
    };
    let needs = needs.trim_start_matches(':');
    if let Some((name, value, _)) = assignment(needs.trim()) {
        // A variable of one target and of all that it needs.
        let name = name.rsplit(' ').next().unwrap_or(name);
        let values = rules.targeted.entry(name.to_owned()).or_default();
        values.push(' ');
        values.push_str(value);
        return true;
    }
    let (needs, inline) = needs.split_once(';').unwrap_or((needs, ""));
    let names = expanded(names, rules, None, 0);
    *current = names.split_whitespace().map(str::to_owned).collect();
    let needs = words_of(needs);
    if !rules.spend(current.len() * (1 + needs.len())) {
        return false;
    }
    for name in current.iter() {
        let rule = rules.targets.entry(name.clone()).or_default();
        rule.needs.extend(needs.iter().cloned());
        if !inline.trim().is_empty() {
            rule.recipe.push((number, inline.trim().to_owned()));
        }
        if rules.first.is_none() && !name.starts_with('.') {
            rules.first = Some(name.clone());
        }
    }
    true
}

/// The two sides of a rule: a colon inside of `$(...)` is part of a text, as in
/// `$(warning install it: curl ...)`.
fn split_rule(line: &str) -> Option<(&str, &str)> {
    let mut open = 0_u32;
    let colon = line.char_indices().find(|(_, c)| {
        match c {
            '(' | '{' => open += 1,
            ')' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        *c == ':' && open == 0
    });
    let (left, right) = line.split_at_checked(colon?.0)?;
    Some((left, right.get(1..)?))
}

/// What a line says beside its rule or variable.
fn look_around(rules: &mut Rules, number: u32, line: &str) {
    let start = line.trim_start();
    if !line.starts_with('\t') {
        if [".ONESHELL", ".SECONDEXPANSION"]
            .iter()
            .any(|it| start.starts_with(it))
            || start.contains("$(eval")
            || start.contains("$(call") && !start.contains('=')
        {
            rules.odd = Some(
                start
                    .split([':', ' '])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        let plain = start
            .trim_start_matches("export ")
            .trim_start_matches("override ");
        if let Some((name, value, _)) = assignment(plain) {
            let shells = ["sh", "/bin/sh", "bash", "/bin/bash", "/usr/bin/env bash"];
            let is_odd = match name {
                "SHELL" => !shells.contains(&value) && !value.ends_with("which bash)"),
                ".SHELLFLAGS" => value.contains(['/', '$']) || value.contains("file"),
                "MAKEFLAGS" | "MAKEFILES" => value.contains(['f', 'e']) && !value.starts_with("--"),
                _ => false,
            };
            if is_odd {
                rules.odd = Some(name.to_owned());
            }
        }
    }
    if is_condition(start) {
        rules.conditions.push((number, line.to_owned()));
    }
    exports(rules, number, start);
    let reads = calls(line, "$(wildcard ")
        .into_iter()
        .chain(calls(line, "$(file <"));
    rules.reads.extend(reads.map(|it| it.trim().to_owned()));
}

/// Which variables a line hands to the recipes as their environment.
fn exports(rules: &mut Rules, number: u32, line: &str) {
    let names = match line.strip_prefix("export") {
        _ if line.starts_with(".EXPORT_ALL_VARIABLES") => "*",
        Some("") => "*",
        Some(rest) if rest.starts_with([' ', '\t']) => match assignment(rest.trim_start()) {
            Some((name, ..)) => name,
            None => rest,
        },
        _ => return,
    };
    let names = names.split_whitespace();
    rules
        .exported
        .extend(names.map(|name| (name.to_owned(), number)));
}

/// Sets a variable as an operator does.
pub(super) fn set(rules: &mut Rules, name: &str, value: &str, operator: &str) {
    let known = rules.variables.get(name).cloned();
    let value = &*match operator {
        ":=" | "::=" => {
            // What it was until now.
            let old = known.clone().unwrap_or_else(|| marked(name));
            let value = value.replace(&format!("$({name})"), &old);
            let value = value.replace(&format!("${{{name}}}"), &old);
            if value.len() > TEXT {
                rules.give_up();
                return;
            }
            value
        }
        _ => value.to_owned(),
    };
    let value = match (operator, known) {
        ("+=", Some(old)) => format!("{old} {value}"),
        // Set twice, in branches of conditions perhaps: nobody knows which holds.
        ("=" | ":=" | "::=", Some(old)) if old != value => marked(&format!("{name} {old} {value}")),
        ("?=", Some(old)) => old,
        // What the environment says goes first.
        ("?=", None) if rules.environment.contains_key(name) => match rules.environment.get(name) {
            Some(Value::Text(text)) => text.to_string(),
            _ => marked(name),
        },
        ("!=", _) => marked(&format!("shell {value}")),
        _ => value.to_owned(),
    };
    rules.variables.insert(name.to_owned(), value);
}

fn is_condition(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "ifeq", "ifneq", "ifdef", "ifndef", "else", "endif", "define", "endef", "export",
        "unexport", "vpath",
    ];
    let begins = |word: &&str| {
        let rest = line.strip_prefix(*word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(']))
    };
    (line.starts_with(".PHONY") || WORDS.iter().any(begins))
        && assignment(line.trim_start_matches("export ")).is_none()
}

/// The name, the value and the operator of a line that sets a variable.
fn assignment(line: &str) -> Option<(&str, &str, &'static str)> {
    let at = line.find('=')?;
    let (left, right) = line.split_at_checked(at)?;
    let operators = [
        ("::", "::="),
        (":", ":="),
        ("?", "?="),
        ("+", "+="),
        ("!", "!="),
    ];
    let found = operators
        .iter()
        .find_map(|(end, operator)| left.strip_suffix(end).map(|left| (left, *operator)));
    let (name, operator) = found.unwrap_or((left, "="));
    let name = name.trim();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.".contains(c));
    is_name.then(|| (name, right.get(1..).unwrap_or_default().trim(), operator))
}

/// Words, with `$(...)` kept together.
fn words_of(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut open = 0_u32;
    for c in text.chars() {
        match c {
            '(' | '{' => open += 1,
            ')' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && open == 0 {
            words.push(String::new());
        } else if let Some(last) = words.last_mut() {
            last.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
