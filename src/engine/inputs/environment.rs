//! Variables of programs: what they name is read, and some say what runs.
//!
//! Nobody knows what a program does with a variable that it reads by itself. A value that
//! names files of the repository brings them along; one of those that put code into
//! programs, or options that name files, makes the job opaque.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::named::parts;
use super::walk::{Invocation, Walk, below};
use super::{OpaqueCause, Origin};
use crate::engine::globs::Glob;
use crate::engine::pipeline::Step;
use crate::engine::shell::{self, Call, Environment, Located, Place, Value, WORKSPACE};

/// Variables that hold options of a program: a value that is not known may name files.
const OPTIONS: &[&str] = &[
    "PYTEST_ADDOPTS",
    "NODE_OPTIONS",
    "BASH_ENV",
    "LD_PRELOAD",
    "PYTHONPATH",
    "MAKEFILES",
    "PIP_REQUIREMENT",
];

/// Variables whose files run, or name further ones.
const LOADERS: &[&str] = &[
    "CC",
    "CXX",
    "DYLD_INSERT_LIBRARIES",
    "ENV",
    "GEM_HOME",
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "LD_LIBRARY_PATH",
    "MAKEFILES",
    "NODE_PATH",
    "NPM_CONFIG_SCRIPT_SHELL",
    "NPM_CONFIG_USERCONFIG",
    "PERL5LIB",
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
    "PSQLRC",
    "RUBYLIB",
    "RUSTC",
    "RUSTC_WRAPPER",
    "SHELL",
    "UV_CONSTRAINT",
];

/// Variables by name.
pub(super) type Variables = BTreeMap<Box<str>, Value>;

/// Variables of every runner; their files lie outside of the repository.
pub(super) const RUNNER: &[(&str, &str)] = &[
    ("GITHUB_ENV", "/github/env"),
    ("GITHUB_PATH", "/github/path"),
    ("GITHUB_OUTPUT", "/github/output"),
    ("GITHUB_STEP_SUMMARY", "/github/summary"),
    ("GITHUB_STATE", "/github/state"),
    ("GITHUB_EVENT_PATH", "/github/event.json"),
    ("GITHUB_WORKSPACE", WORKSPACE),
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_EVENT_NAME", "pull_request"),
    ("RUNNER_TEMP", "/tmp/runner"),
    ("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache"),
    ("HOME", "/home/runner"),
    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ("CI", "true"),
];

impl Walk<'_> {
    /// Sets a variable.
    pub(super) fn set(&mut self, name: Box<str>, value: Value) {
        Rc::make_mut(&mut self.variables).insert(name, value);
    }

    /// The variables of the job, or of one step of it.
    pub(super) fn variables_of(&mut self, step: &Step, names: &[Box<str>], place: &Place) {
        for name in names {
            let Some(value) = self.variables.get(name).cloned() else {
                continue;
            };
            let origin = Origin {
                file: step.file.clone(),
                line: step.line,
                what: format!("env: {name}").into(),
            };
            let call = Invocation::at(origin, place.clone());
            self.assignment(&call, name, &value);
        }
    }

    /// A digest of the variables at hand: a script may do other things with others.
    pub(super) fn variables_key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.variables.hash(&mut hasher);
        hasher.finish()
    }

    /// A variable that programs get.
    pub(super) fn assignment(&mut self, call: &Invocation, name: &str, value: &Value) {
        self.hears_variable(name, value);
        let text = match value {
            Value::Text(text) => text.as_ref(),
            Value::Unknown if OPTIONS.contains(&name) => {
                return self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            Value::OneOf(texts) => {
                for text in texts {
                    self.assignment(call, name, &Value::Text(text.clone()));
                }
                return;
            }
            Value::List(_) | Value::Unknown => return,
        };
        match name {
            "PATH" => return self.search_path(call, text),
            "PYTHONPATH" => {
                for part in text.split(':').filter(|part| !part.is_empty()) {
                    match shell::locate(&call.place, part) {
                        Located::Inside(dir) => self.entry(call, vec![below(&dir, "**/*.py")]),
                        Located::Outside => {}
                        Located::Unknown => self.unknown_use(call),
                    }
                }
                return;
            }
            "PYTEST_ADDOPTS" => {
                let words: Vec<&str> = std::iter::once("pytest")
                    .chain(text.split_whitespace())
                    .collect();
                self.program(&call.other(&words));
            }
            _ if puts_code_in(name, text) => {
                return self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            _ => {}
        }
        self.named_in(call, name, text);
    }

    /// Directories of the repository in which programs are looked for.
    fn search_path(&mut self, call: &Invocation, text: &str) {
        for part in text.split([':', ';']).filter(|part| !part.is_empty()) {
            if let Located::Inside(dir) = shell::locate(&call.place, part)
                && self.has_dir(&dir)
            {
                self.opaque(call, OpaqueCause::Shell(format!("PATH={part}").into()));
            }
        }
    }

    /// Files and directories of the repository that a value names, from here, from the
    /// root, or from wherever the program may stand.
    fn named_in(&mut self, call: &Invocation, name: &str, text: &str) {
        if name.ends_with("_ENV") || text.len() > 4096 {
            return;
        }
        let is_loader = LOADERS.iter().any(|it| it.eq_ignore_ascii_case(name));
        let ends = |c: char| c.is_whitespace() || ":,=;'\"".contains(c);
        for word in text.split(ends).filter(|word| !word.is_empty()) {
            let mut found = self.files_of(call, word);
            // `-Tmemory.x`
            for part in parts(word).into_iter().filter(|_| word.starts_with('-')) {
                found.extend(self.files_of(call, part));
            }
            if is_loader && !found.is_empty() {
                return self.opaque(call, OpaqueCause::UnknownUse(name.into()));
            }
            if !found.is_empty() {
                self.entry(call, found);
            }
        }
    }

    fn files_of(&self, call: &Invocation, word: &str) -> Vec<Glob> {
        let places = [call.place.clone(), Place::Inside("".into())];
        let mut found = self.modules(word);
        for place in &places {
            if let Located::Inside(path) = shell::locate(place, word)
                && !path.is_empty()
            {
                if self.has_file(&path) {
                    found.push(Glob::path(&path));
                } else if self.has_dir(&path) {
                    found.push(below(&path, "**"));
                }
            }
        }
        let base = crate::engine::tree::base_name(word);
        let relative = word.trim_start_matches("../").trim_start_matches("./");
        if base.contains('.') && !relative.is_empty() && !relative.starts_with(['/', '~']) {
            let suffix = format!("/{relative}");
            let named = self.context.snapshot.tree.named(base);
            let fitting = named.filter(|(_, entry)| entry.path.ends_with(&suffix));
            found.extend(fitting.map(|(_, entry)| Glob::path(&entry.path)));
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Whether a variable makes programs run what it says.
fn puts_code_in(name: &str, text: &str) -> bool {
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    match name {
        "NODE_OPTIONS" => has(&["-r", "require", "import", "loader"]),
        "GOFLAGS" => has(&["modfile", "overlay", "exec"]),
        "MAKEFLAGS" | "GNUMAKEFLAGS" => text.split_whitespace().any(|word| {
            let word = word.trim_start_matches('-');
            !(word == "no-print-directory"
                || word.starts_with("output-sync")
                || word
                    .chars()
                    .all(|c| "jklsOw".contains(c) || c.is_ascii_digit() || c == '='))
        }),
        "BASH_ENV" | "LD_PRELOAD" | "RUBYOPT" | "PERL5OPT" | "MAVEN_OPTS_FILE" => !text.is_empty(),
        _ => false,
    }
}

/// Whether a word sets a variable.
pub(super) fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// The variables of the program that a call starts; none where it starts none. Most
/// calls of a script start theirs with the same ones.
pub(super) fn started_with(
    latest: &mut Option<(Environment, Rc<Variables>)>,
    call: &Call,
) -> Option<Rc<Variables>> {
    if call.words.is_empty() {
        return None;
    }
    if !call.assignments.is_empty() {
        return Some(call.environment.with(&call.assignments));
    }
    let known = latest
        .take()
        .filter(|(it, _)| it.is_that_of(&call.environment));
    let (_, variables) = latest.insert(known.unwrap_or_else(|| {
        let environment = call.environment.clone();
        let variables = environment.with(&[]);
        (environment, variables)
    }));
    Some(Rc::clone(variables))
}

pub(super) fn is_of_runner(name: &str) -> bool {
    RUNNER.iter().any(|(other, _)| *other == name)
}
