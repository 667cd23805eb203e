//! Runners of Python environments: tox, nox and the scripts of a project.

mod nox;
mod settings;
mod tox_tables;
mod variables;

use ruff_python_ast::Expr;

use super::OpaqueCause;
use super::ini::{self, Sections, Setting};
use super::walk::{Invocation, Text, Walk};
use crate::engine::globs::Glob;
use crate::engine::shell::{Value, Word};
use tox_tables::Packaging;

/// One configuration of tox, as it is called.
struct Tox<'t> {
    call: &'t Invocation,
    file: &'t str,
    sections: &'t [(String, Vec<Setting>)],
    variables: variables::Variables,
}

impl Walk<'_> {
    /// `tox -e NAMES`: the commands of `tox.ini`, of `tox.toml` or of `pyproject.toml`.
    pub(super) fn tox(&mut self, call: &Invocation) {
        let Some(dir) = call.dir().map(str::to_owned) else {
            return self.unknown_use(call);
        };
        let words = call.texts();
        if words
            .iter()
            .any(|word| matches!(*word, "--version" | "--notest" | "-l" | "--list"))
        {
            return self.packaging(call, &dir);
        }
        if is_told_otherwise(&words) {
            return self.unknown_use(call);
        }
        let Some((file, sections)) = self.tox_file(&dir) else {
            return self.opaque(call, OpaqueCause::UnknownUse("tox without tox.ini".into()));
        };
        self.exact(call, vec![Glob::path(&file)]);
        self.packaging(call, &dir);
        match tox_tables::packaging(&sections) {
            Packaging::InPlace => {}
            Packaging::Wheel => self.wheel(call, &dir),
            Packaging::Sources => {
                self.wheel(call, &dir);
                self.packed(call, &dir);
            }
        }
        let names = environments(call).or_else(|| self.tox_variable());
        // The word for all of them (<https://tox.wiki/en/stable/cli_interface.html>).
        let names = names.filter(|names| !names.iter().any(|name| name == "ALL"));
        let tox = Tox {
            call,
            file: &file,
            sections: &sections,
            variables: self.tox_variables(&sections),
        };
        let outer = self.variables.clone();
        self.tell_variables(&tox);
        self.tox_environments(&tox, names.as_deref());
        self.named_by_tox(&tox);
        self.variables = outer;
    }

    /// The environments that a variable names, where the command line names none
    /// (<https://tox.wiki/en/stable/config.html#toxenv>).
    fn tox_variable(&self) -> Option<Vec<String>> {
        let value = ["TOX_ENV", "TOXENV"]
            .iter()
            .find_map(|name| self.variables.get(*name))?;
        match value {
            Value::Text(text) if !text.trim().is_empty() => {
                Some(text.split(',').map(|name| name.trim().to_owned()).collect())
            }
            _ => None,
        }
    }

    /// The configuration in force and its path, in tox's own order.
    fn tox_file(&mut self, dir: &str) -> Option<(String, Sections)> {
        type Read = fn(&str) -> Option<Sections>;
        let forms: [(&str, Read); 4] = [
            ("tox.ini", |text| Some(ini::sections(text))),
            ("setup.cfg", tox_in_setup),
            ("pyproject.toml", tox_tables::project),
            ("tox.toml", tox_tables::file),
        ];
        forms.into_iter().find_map(|(name, read)| {
            let path = in_dir(dir, name);
            let sections = read(self.text(&path)?)?;
            Some((path, sections))
        })
    }

    /// A script that the project names for its manager; whether there is one.
    pub(super) fn project_script(&mut self, call: &Invocation, manager: &str, name: &str) -> bool {
        let Some(dir) = call.dir() else {
            return false;
        };
        let file = in_dir(dir, "pyproject.toml");
        let text = self.text(&file).unwrap_or_default();
        let table = self.context.memo.toml(&file, text);
        let texts = table.and_then(|table| named_script(&table, manager, name));
        let Some(texts) = texts else {
            let is_script = manager == "hatch" && name.contains(':');
            if is_script {
                self.opaque(call, OpaqueCause::Missing(name.into()));
            }
            return is_script;
        };
        if !self
            .seen
            .insert(format!("script {file} {name} {}", self.variables_key()))
        {
            return true;
        }
        if texts.is_empty() {
            self.unknown_use(call);
        }
        for text in texts {
            let text = text.split("{args").next().unwrap_or_default().to_owned();
            let first = text.split_whitespace().next().unwrap_or_default();
            let mut inner = call.clone();
            inner.words = vec![Word::literal(first)];
            if !self.project_script(&inner, manager, first) {
                self.script(&Text {
                    file: &file,
                    line: 1,
                    text: &text,
                    place: call.place.clone(),
                    arguments: None,
                });
            }
        }
        true
    }
}

/// Whether words of the command line say another configuration, or a command in place
/// of the environment's.
fn is_told_otherwise(words: &[&str]) -> bool {
    let own = words.iter().skip(1).take_while(|word| **word != "--");
    let mut own = own.peekable();
    let is_exec = own.peek().is_some_and(|word| ["exec", "e"].contains(word));
    let long = ["--conf", "--root", "--override"];
    is_exec
        || own.any(|word| {
            let is_short = ["-c", "-x"].iter().any(|it| word.starts_with(it));
            is_short || *word == "exec" || long.iter().any(|it| word.starts_with(it))
        })
}

/// `setup.cfg` counts only with tox's own section.
fn tox_in_setup(text: &str) -> Option<Sections> {
    let sections = ini::sections(text);
    let has_own = sections.iter().any(|(name, _)| name == "tox:tox");
    has_own.then_some(sections)
}

fn in_dir(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// The commands of a script in `pyproject.toml`; `None` when it names none so.
fn named_script(table: &toml::Table, manager: &str, name: &str) -> Option<Vec<String>> {
    let tool = table.get("tool")?;
    let (environment, script) = name.split_once(':').unwrap_or(("default", name));
    let found = match manager {
        "hatch" => {
            let environments = tool.get("hatch")?.get("envs")?;
            environments.get(environment)?.get("scripts")?.get(script)?
        }
        "pdm" | "rye" => tool.get(manager)?.get("scripts")?.get(name)?,
        _ => return None,
    };
    let texts = |value: &toml::Value| value.as_str().map(str::to_owned);
    Some(match found {
        toml::Value::Array(list) => list.iter().filter_map(texts).collect(),
        toml::Value::Table(table) => {
            let keys = ["cmd", "shell"].iter();
            keys.filter_map(|key| texts(table.get(*key)?)).collect()
        }
        other => texts(other).into_iter().collect(),
    })
}

/// The names that `-e` or `-s` asks for; `None` for all.
fn environments(call: &Invocation) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut words = call.words.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let value = match word.text.as_ref() {
            "-e" | "-s" | "--session" | "--sessions" | "--env" => words.next().cloned(),
            "--" => break,
            text => text
                .strip_prefix("-e")
                .or_else(|| text.strip_prefix("--session="))
                .or_else(|| text.strip_prefix("--sessions="))
                .map(|rest| Word {
                    text: rest.into(),
                    ..word.clone()
                }),
        };
        let Some(value) = value else {
            continue;
        };
        if value.unknown {
            return None;
        }
        names.extend(value.text.split(',').map(str::to_owned));
        while let Some(next) = words.next_if(|next| !next.text.starts_with('-')) {
            if next.unknown {
                return None;
            }
            names.push(next.text.to_string());
        }
    }
    (!names.is_empty()).then_some(names)
}

fn word(text: &str) -> Word {
    Word {
        text: text.into(),
        unknown: text.contains(crate::engine::shell::UNKNOWN_START),
        glob: text.contains('*'),
    }
}

/// `py39: command` without its condition.
fn without_factors(line: &str) -> &str {
    match line.split_once(": ") {
        Some((factors, rest))
            if factors
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_,.{}!".contains(c)) =>
        {
            rest.trim_start()
        }
        _ => line,
    }
}

/// Tox's substitutions; one that is not known is marked.
fn substituted(value: &str, tox: &Tox<'_>, depth: u32) -> String {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some(end) = closing(after) else {
            out.push('{');
            rest = after;
            continue;
        };
        let (inner, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        rest = tail.get(1..).unwrap_or_default();
        out.push_str(&substitution(inner, tox, depth));
    }
    out.push_str(rest);
    out
}

/// What stands for `{inner}`.
fn substitution(inner: &str, tox: &Tox<'_>, depth: u32) -> String {
    if let Some(default) = inner.strip_prefix("posargs") {
        let words = tox.call.texts();
        let given = words.iter().position(|word| *word == "--");
        let given = given.and_then(|at| words.get(at + 1..));
        return match given {
            Some(words) => words.join(" "),
            None => substituted(default.trim_start_matches(':'), tox, depth + 1),
        };
    }
    let reference = inner
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'));
    if let Some((section, key)) = reference {
        let found = tox.sections.iter().find(|(name, _)| name == section);
        let found = found.and_then(|(_, list)| list.iter().find(|(name, ..)| name == key));
        return match found.filter(|_| depth < 6) {
            Some((_, value, _)) => substituted(value, tox, depth + 1),
            None => unknown(inner),
        };
    }
    let outside = [
        "env",
        "work_dir",
        "toxworkdir",
        "tmp",
        "temp",
        "distdir",
        "dist_dir",
    ];
    match inner {
        "envpython" => "python".to_owned(),
        "toxinidir" | "tox_root" => {
            let dir = tox.call.dir().unwrap_or_default();
            in_dir(crate::engine::shell::WORKSPACE, dir)
                .trim_end_matches('/')
                .to_owned()
        }
        "/" => "/".to_owned(),
        _ if inner.starts_with("env:") => variables::value(inner, tox, depth),
        _ if outside.iter().any(|start| inner.starts_with(start)) => "/tmp/tox".to_owned(),
        _ => format!("{{{inner}}}"),
    }
}

fn unknown(inner: &str) -> String {
    use crate::engine::shell::{UNKNOWN_END, UNKNOWN_START};
    format!("{UNKNOWN_START}{inner}{UNKNOWN_END}")
}

fn closing(text: &str) -> Option<usize> {
    let mut open = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn dotted(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Name(name) => Some(name.id.to_string()),
        Expr::Attribute(attribute) => {
            Some(format!("{}.{}", dotted(&attribute.value)?, attribute.attr))
        }
        _ => None,
    }
}
