//! Makefiles, and what justfiles share with them: targets, what they need, and their recipes.
//!
//! Variables are expanded when they are literal; a function of make or a
//! computed target makes the use unknown. What is not asked for is not walked.

use std::collections::BTreeMap;

mod just;
mod patterns;

use super::OpaqueCause;
use super::programs::list;
use super::walk::{Invocation, Text, Walk};
use crate::engine::shell::{Place, UNKNOWN_END, UNKNOWN_START, Word};
use crate::engine::tree::join;

/// How deep prerequisites may go.
const DEPTH: u32 = 24;

#[derive(Debug, Default, Clone)]
struct Rules {
    variables: BTreeMap<String, String>,
    targets: BTreeMap<String, Rule>,
    first: Option<String>,
    includes: Vec<String>,
}

#[derive(Debug, Default, Clone)]
struct Rule {
    needs: Vec<String>,
    recipe: Vec<(u32, String)>,
}

/// The command line of make.
struct Asked {
    place: Place,
    file: Option<String>,
    goals: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Walk<'_> {
    /// `make TARGETS`.
    pub(super) fn make(&mut self, call: &Invocation) {
        let Some(asked) = self.make_arguments(call) else {
            return self.unknown_use(call);
        };
        let Place::Inside(dir) = &asked.place else {
            return self.unknown_use(call);
        };
        let usual = ["GNUmakefile", "makefile", "Makefile"];
        let names = match &asked.file {
            Some(name) => vec![name.as_str()],
            None => usual.to_vec(),
        };
        let paths = names.iter().filter_map(|name| join(dir, name));
        let Some(file) = paths.into_iter().find(|path| self.has_file(path)) else {
            // CMake or configure writes one while the job runs.
            let what = format!("make without a makefile in {dir}/");
            return self.opaque(call, OpaqueCause::UnknownUse(what.into()));
        };
        let Some(text) = self.text(&file) else {
            return;
        };
        self.exact(call, vec![globset::escape(&file).into()]);
        let mut rules = parse(text);
        self.includes(call, dir, &file, &mut rules);
        rules.variables.extend(asked.variables);
        let mut goals = asked.goals;
        if goals.is_empty() {
            goals.extend(rules.first.clone());
        }
        let site = Site {
            call,
            file: &file,
            place: asked.place.clone(),
        };
        for goal in goals {
            self.goal(&site, &rules, &goal, 0);
        }
    }

    /// What the command line says; `None` when a goal is not known.
    fn make_arguments(&mut self, call: &Invocation) -> Option<Asked> {
        let mut asked = Asked {
            place: call.place.clone(),
            file: None,
            goals: Vec::new(),
            variables: BTreeMap::new(),
        };
        let mut words = call.words.iter().skip(1);
        while let Some(word) = words.next() {
            let text = word.text.as_ref();
            let dir = text
                .strip_prefix("--directory=")
                .or_else(|| text.strip_prefix("-C"));
            match (text, dir, text.split_once('=')) {
                ("-C" | "--directory", ..) => asked.place = self.elsewhere(call, words.next()?),
                (_, Some(dir), _) => asked.place = self.elsewhere(call, &Word::literal(dir)),
                ("-f" | "--file", ..) => asked.file = Some(words.next()?.text.to_string()),
                (flag, ..) if flag.starts_with('-') => {}
                (_, _, Some((name, value))) => {
                    let value = if word.unknown {
                        marked(value)
                    } else {
                        value.to_owned()
                    };
                    let name = name.trim_end_matches(['?', ':', '+']);
                    asked.variables.insert(name.to_owned(), value);
                }
                // The number of `-j 4`.
                (count, ..) if count.chars().all(|c| c.is_ascii_digit()) => {}
                (..) if word.unknown => return None,
                (goal, ..) => asked.goals.push(goal.to_owned()),
            }
        }
        Some(asked)
    }

    fn includes(&mut self, call: &Invocation, dir: &str, file: &str, rules: &mut Rules) {
        for include in rules.includes.clone() {
            let path = join(dir, &include).unwrap_or_default();
            let Some(text) = self.text(&path) else {
                if !self.has_file(&path) {
                    let what = format!("include {include} in {file}");
                    self.opaque(call, OpaqueCause::UnknownUse(what.into()));
                }
                continue;
            };
            self.exact(call, vec![globset::escape(&path).into()]);
            let more = parse(text);
            for (target, rule) in more.targets {
                let known = rules.targets.entry(target).or_default();
                known.needs.extend(rule.needs);
                known.recipe.extend(rule.recipe);
            }
            if !more.includes.is_empty() {
                let what = format!("includes of {path}");
                self.opaque(call, OpaqueCause::UnknownUse(what.into()));
            }
            for (name, value) in more.variables {
                set(rules, &name, &value, "=");
            }
        }
    }

    fn goal(&mut self, site: &Site<'_>, rules: &Rules, goal: &str, depth: u32) {
        let key = format!("make {} {goal} {:?}", site.file, rules.variables);
        if !self.seen.insert(key) {
            return;
        }
        let named = rules.targets.get(goal).map(|rule| (rule.clone(), ""));
        let Some((rule, stem)) = named.or_else(|| patterns::rule(&rules.targets, goal)) else {
            let path = site.place.enter(&Word::literal(goal));
            if let Place::Inside(path) = path
                && (self.has_file(&path) || self.has_dir(&path))
            {
                return self.exact(site.call, vec![globset::escape(&path).into()]);
            }
            return self.opaque(
                site.call,
                OpaqueCause::Missing(format!("target {goal} of {}", site.file).into()),
            );
        };
        if depth > DEPTH {
            return self.unknown_use(site.call);
        }
        let outer = rules;
        let mut rules = rules.clone();
        rules.variables.insert("@".to_owned(), goal.to_owned());
        rules.variables.insert("*".to_owned(), stem.to_owned());
        let rules = &rules;
        for need in rule.needs.iter().filter(|need| *need != "|") {
            let need = expanded(need, rules, 0);
            if need.contains(UNKNOWN_START) || need.contains(['%', '*']) {
                self.opaque(
                    site.call,
                    OpaqueCause::UnknownUse(format!("what {goal} needs in {}", site.file).into()),
                );
                continue;
            }
            for need in need.split_whitespace() {
                self.goal(site, outer, need, depth + 1);
            }
        }
        for (line, command) in &rule.recipe {
            let command = command.trim_start_matches(['@', '-', '+', ' ', '\t']);
            let command = expanded(command, rules, 0).replace("$$", "$");
            self.script(&Text {
                file: site.file,
                line: *line,
                text: &command,
                place: site.place.clone(),
                arguments: None,
            });
        }
    }
}

struct Site<'s> {
    call: &'s Invocation,
    file: &'s str,
    place: Place,
}

fn marked(text: &str) -> String {
    format!("{UNKNOWN_START}{text}{UNKNOWN_END}")
}

/// Lines with continued ones joined, each with the number of its first.
fn joined(text: &str) -> Vec<(u32, String)> {
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

fn parse(text: &str) -> Rules {
    let mut rules = Rules::default();
    let mut current: Vec<String> = Vec::new();
    for (number, line) in joined(text) {
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
        let Some((names, needs)) = line.split_once(':') else {
            continue;
        };
        let needs = needs.trim_start_matches(':');
        if assignment(needs.trim()).is_some() {
            // A variable of one target: its value is not known elsewhere.
            continue;
        }
        let (needs, inline) = needs.split_once(';').unwrap_or((needs, ""));
        let names = expanded(names, &rules, 0);
        current = names.split_whitespace().map(str::to_owned).collect();
        for name in &current {
            let rule = rules.targets.entry(name.clone()).or_default();
            rule.needs.extend(words_of(needs));
            if !inline.trim().is_empty() {
                rule.recipe.push((number, inline.trim().to_owned()));
            }
            if rules.first.is_none() && !name.starts_with('.') {
                rules.first = Some(name.clone());
            }
        }
    }
    rules
}

fn set(rules: &mut Rules, name: &str, value: &str, operator: &str) {
    let known = rules.variables.get(name).cloned();
    let value = match (operator, known) {
        ("+=", Some(old)) => format!("{old} {value}"),
        // Set twice, in branches of conditions perhaps: nobody knows which holds.
        ("=" | ":=" | "::=", Some(old)) if old != value => marked(name),
        ("?=", Some(old)) => old,
        ("!=", _) => marked(name),
        _ => value.to_owned(),
    };
    rules.variables.insert(name.to_owned(), value);
}

fn is_condition(line: &str) -> bool {
    list("ifeq ifneq ifdef ifndef else endif define endef export unexport vpath .PHONY")
        .iter()
        .any(|word| {
            line == *word
                || line.starts_with(&format!("{word} "))
                || line.starts_with(&format!("{word}("))
                || *word == ".PHONY" && line.starts_with(".PHONY")
        })
        && assignment(line.trim_start_matches("export ")).is_none()
}

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

/// The text with `$(NAME)` replaced; what is not known is marked. `$$` stays.
fn expanded(text: &str, rules: &Rules, depth: u32) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let close = match after.chars().next() {
            Some('(') => ')',
            Some('{') => '}',
            Some('$') => {
                out.push_str("$$");
                rest = after.get(1..).unwrap_or_default();
                continue;
            }
            Some(c) => {
                let known = rules.variables.get(c.encode_utf8(&mut [0; 4]));
                out.push_str(known.unwrap_or(&marked(&format!("${c}"))));
                rest = after.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            None => break,
        };
        let inner = after.get(1..).unwrap_or_default();
        let Some((name, tail)) = balanced(inner, close) else {
            out.push_str(&marked(inner));
            return out;
        };
        rest = tail;
        // A name that is put together, and words that are rewritten.
        let computed = (name.contains('$') && depth < 12).then(|| expanded(name, rules, depth + 1));
        let name = computed.as_deref().unwrap_or(name);
        if let Some(words) = patterns::rewritten(name, |name| {
            rules
                .variables
                .get(name)
                .map(|value| expanded(value, rules, depth + 1))
        })
        .filter(|_| depth < 12)
        {
            out.push_str(&words);
            continue;
        }
        match (name, rules.variables.get(name)) {
            ("MAKE", _) => out.push_str("make"),
            ("CURDIR" | "PWD", _) => out.push('.'),
            ("AT" | "Q" | "V", None) => {}
            // Messages while the file is read.
            (name, _) if name.starts_with("info ") || name.starts_with("warning ") => {}
            (_, Some(value)) if depth < 12 => out.push_str(&expanded(value, rules, depth + 1)),
            // A variable that nobody sets is empty, unless the environment has it:
            // then it is whoever calls make that must be known.
            _ => out.push_str(&marked(name)),
        }
    }
    out.push_str(rest);
    out
}

fn balanced(text: &str, close: char) -> Option<(&str, &str)> {
    let opener = if close == ')' { '(' } else { '{' };
    let mut open = 1_u32;
    for (at, c) in text.char_indices() {
        if c == opener {
            open += 1;
        } else if c == close {
            open -= 1;
        }
        if open == 0 {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
    }
    None
}
