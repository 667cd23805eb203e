//! The lines of a makefile: variables, rules and recipes.
//!
//! Both branches of conditions count. What changes how recipes are read is kept as odd.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Rules;
use super::expand::{TEXT, calls, expanded, marked};
use super::odd::{evals, is_odd_line, is_odd_variable, is_plain_call, note};
use crate::engine::shell::{UNKNOWN_START, Value};

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

/// Where the reader stands.
#[derive(Default)]
struct At {
    /// The targets whose recipe follows, if a rule came last.
    rule: Option<Vec<String>>,
    /// How many conditions hold the line.
    conditions: u32,
    /// The variable that `define` sets, with its operator, its lines, and how many more
    /// of them stand in each other.
    defined: Option<(String, &'static str, Vec<String>, u32)>,
}

/// Reads a makefile; the environment says what some variables are.
pub(super) fn parse(text: &str, environment: &Rc<BTreeMap<Box<str>, Value>>) -> Rules {
    let mut rules = Rules {
        environment: Rc::clone(environment),
        ..Rules::default()
    };
    let mut at = At::default();
    for (number, line) in joined(text) {
        if !rules.spend(1 + at.rule.as_ref().map_or(0, Vec::len)) {
            break;
        }
        let reads = ["wildcard", "file"].map(|name| calls(&line, name));
        let reads = reads.into_iter().flatten().map(str::trim);
        let reads = reads.map(|it| it.trim_start_matches('<').trim().to_owned());
        rules.reads.extend(reads);
        if at.defined.is_some() {
            defines(&mut rules, &mut at, number, &line);
        } else if let (Some(targets), true) = (&at.rule, line.starts_with('\t')) {
            for target in targets {
                if let Some(rule) = rules.targets.get_mut(target) {
                    rule.recipe.push((number, line.trim().to_owned()));
                }
            }
        } else {
            let line = line.split(" #").next().unwrap_or_default().trim();
            if !line.is_empty() && !line.starts_with('#') {
                read_line(&mut rules, &mut at, number, line);
            }
        }
    }
    if at.defined.is_some() {
        note(&mut rules, 1, "define without endef");
    }
    for (early, name) in std::mem::take(&mut rules.early) {
        if let Some(value) = rules.variables.get(&name)
            && rules.variables.contains_key(&early)
        {
            let value = marked(&format!("{name} {value}"));
            rules.variables.insert(name, value);
        }
    }
    rules
}

/// A line that is not one of a recipe.
fn read_line(rules: &mut Rules, at: &mut At, number: u32, line: &str) {
    if is_odd_line(line) {
        note(rules, number, line);
    }
    let (word, rest) = line
        .split_once(char::is_whitespace)
        .map_or((line, ""), |(word, rest)| (word, rest.trim()));
    if ["include", "-include", "sinclude"].contains(&word) && !rest.starts_with(['=', ':']) {
        at.rule = None;
        rules.includes_first |= !rules.is_settled;
        let names = rest.split_whitespace().map(str::to_owned);
        rules.includes.extend(names);
        return;
    }
    exports(rules, number, line);
    if is_condition(line) {
        return condition(rules, at, number, line);
    }
    let (modifiers, plain) = modified(line);
    if modifiers.contains(&"define") {
        let end = plain.find(['=', ':', '?', '+', '!']);
        let (name, operator) = plain
            .split_at_checked(end.unwrap_or(plain.len()))
            .unwrap_or((plain, ""));
        let operator = assignment(&format!("x{operator}")).map_or("=", |(.., operator)| operator);
        at.rule = None;
        at.defined = Some((name.trim().to_owned(), operator, Vec::new(), 0));
        return;
    }
    if let Some((name, value, operator)) = assignment(plain) {
        at.rule = None;
        if modifiers.contains(&"override") {
            rules.overriding.push(name.to_owned());
        }
        if modifiers.contains(&"export") {
            rules.exported.insert(name.to_owned(), number);
        }
        return assign(rules, at, number, (name, value, operator));
    }
    if split_rule(line).is_some() {
        return add_rule(rules, at, number, line);
    }
    at.rule = None;
    if is_plain_call(line) {
        rules.immediate.push((number, line.to_owned()));
    } else {
        note(rules, number, line);
    }
}

/// A line that sets a variable.
fn assign(
    rules: &mut Rules,
    at: &At,
    number: u32,
    (name, value, operator): (&str, &str, &'static str),
) {
    if is_odd_variable(name, value) || name.contains('$') {
        note(rules, number, name);
    }
    match operator {
        ":=" | "::=" | "+=" => rules.immediate.push((number, value.to_owned())),
        "!=" => rules.immediate.push((number, format!("$(shell {value})"))),
        _ => {}
    }
    if name == ".DEFAULT_GOAL" && at.conditions > 0 {
        return set(rules, name, &marked(name), "=");
    }
    if [":=", "::="].contains(&operator) && rules.includes.is_empty() {
        for used in value.split('$').skip(1) {
            let used = used.trim_start_matches(['(', '{']);
            let end = used.find([')', '}', ':', ' ', ',']).unwrap_or(used.len());
            let used = used.get(..end).unwrap_or_default();
            if used != name && !rules.variables.contains_key(used) {
                rules.early.push((used.to_owned(), name.to_owned()));
            }
        }
    }
    set(rules, name, value, operator);
}

/// A line between `define` and `endef`.
fn defines(rules: &mut Rules, at: &mut At, number: u32, line: &str) {
    let Some((name, operator, lines, depth)) = &mut at.defined else {
        return;
    };
    if !line.starts_with('\t') {
        let (modifiers, plain) = modified(line.trim());
        if modifiers.contains(&"define") && assignment(line).is_none() {
            *depth += 1;
        } else if plain.split_whitespace().next() == Some("endef") {
            if *depth == 0 {
                let (name, operator, value) = (name.clone(), *operator, lines.join("\n"));
                at.defined = None;
                return assign(rules, at, number, (&name, &value, operator));
            }
            *depth -= 1;
        }
    }
    if !line.starts_with('\t') && evals(line) {
        note(rules, number, line);
    }
    if let Some((_, _, lines, _)) = &mut at.defined {
        lines.push(line.to_owned());
    }
}

/// The words before a line that sets a variable, and the line without them.
fn modified(line: &str) -> (Vec<&str>, &str) {
    let mut modifiers = Vec::new();
    let mut line = line;
    while let Some((word, rest)) = line.split_once(char::is_whitespace) {
        let rest = rest.trim_start();
        let is_modifier = ["export", "override", "private", "define"].contains(&word);
        if !is_modifier || rest.starts_with(['=', ':', '?', '+']) {
            break;
        }
        modifiers.push(word);
        line = rest;
        if word == "define" {
            break;
        }
    }
    (modifiers, line)
}

/// A line of a condition, or one that changes neither variables nor rules.
fn condition(rules: &mut Rules, at: &mut At, number: u32, line: &str) {
    let text = line.strip_prefix("else").unwrap_or(line).trim();
    if line.starts_with("if") {
        at.conditions += 1;
    } else if line.starts_with("endif") {
        at.conditions = at.conditions.saturating_sub(1);
    }
    // These name a variable without the sign that stands for its value.
    let named = text.strip_prefix("ifdef").or(text.strip_prefix("ifndef"));
    let text = named.map_or(text.to_owned(), |name| format!("$({})", name.trim()));
    rules.immediate.push((number, text));
}

/// A line with a rule.
fn add_rule(rules: &mut Rules, at: &mut At, number: u32, line: &str) {
    let Some((names, needs)) = split_rule(line) else {
        return;
    };
    if needs.starts_with('=') || needs.starts_with(":=") {
        // A variable whose name is put together.
        return note(rules, number, line);
    }
    rules.immediate.push((number, names.to_owned()));
    let needs = needs.trim_start_matches(':');
    let (modifiers, plain) = modified(needs.trim());
    if let Some((name, value, operator)) = assignment(plain) {
        // A variable of one target and of all that it needs.
        if is_odd_variable(name, value) {
            note(rules, number, line);
        }
        if modifiers.contains(&"export") {
            rules.exported.insert(name.to_owned(), number);
        }
        match operator {
            "!=" => rules.immediate.push((number, format!("$(shell {value})"))),
            ":=" | "::=" => rules.immediate.push((number, value.to_owned())),
            _ => {}
        }
        let values = rules.targeted.entry(name.to_owned()).or_default();
        values.push(' ');
        values.push_str(value);
        return;
    }
    let (needs, inline) = needs.split_once(';').unwrap_or((needs, ""));
    rules.immediate.push((number, needs.to_owned()));
    let names = expanded(names, rules, None, 0);
    let is_unsure = names.contains(UNKNOWN_START) || at.conditions > 0;
    let targets: Vec<String> = names
        .split_whitespace()
        .map(target)
        .map(str::to_owned)
        .collect();
    let needs = words_of(needs);
    if !rules.spend(targets.len() * (1 + needs.len())) {
        return;
    }
    for name in &targets {
        let rule = rules.targets.entry(name.clone()).or_default();
        rule.needs.extend(needs.iter().cloned());
        if !inline.trim().is_empty() {
            rule.recipe.push((number, inline.trim().to_owned()));
        }
        let is_goal = !name.contains('%') && (!name.starts_with('.') || name.contains('/'));
        if is_goal && !rules.is_settled {
            rules.firsts.push(name.clone());
            rules.is_settled = !is_unsure;
        }
    }
    at.rule = Some(targets);
}

/// The name of a target as make keeps it.
pub(super) fn target(name: &str) -> &str {
    let bare = name.strip_prefix("./").map(|it| it.trim_start_matches('/'));
    bare.filter(|it| !it.is_empty()).unwrap_or(name)
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

/// Which variables a line hands to the recipes as their environment.
fn exports(rules: &mut Rules, number: u32, line: &str) {
    let names = match line.strip_prefix("export") {
        _ if line.starts_with(".EXPORT_ALL_VARIABLES") => "*",
        Some("") => "*",
        Some(rest) if rest.starts_with([' ', '\t']) => match assignment(modified(line).1) {
            Some((name, ..)) => name,
            None if modified(line).0.contains(&"define") => {
                let name = modified(line).1;
                name.split(['=', ':', '?', '+', '!'])
                    .next()
                    .unwrap_or_default()
            }
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
        "ifeq", "ifneq", "ifdef", "ifndef", "else", "endif", "export", "unexport", "vpath",
    ];
    let begins = |word: &&str| {
        let rest = line.strip_prefix(*word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '(']))
    };
    (line.starts_with(".PHONY") || WORDS.iter().any(begins)) && !sets(line)
}

/// Whether a line sets a variable, or begins to.
fn sets(line: &str) -> bool {
    let (modifiers, plain) = modified(line);
    modifiers.contains(&"define") || assignment(plain).is_some()
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
