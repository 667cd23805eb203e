//! Steps: which shell reads a script, and what later steps get from it.
//!
//! A machine that is not known may have either shell: then what both make of the script
//! is taken. Nothing here knows what a program reads.

use std::rc::Rc;

use super::OpaqueCause;
use super::environment::is_of_runner;
use super::walk::{Invocation, Text, Walk, invocation};
use crate::engine::pipeline::{Action, Step, Truth};
use crate::engine::shell::{self, Place, UNKNOWN_START, Value, Word};

/// Variables that a script hands to later steps; `*` stands for all that there are.
type Exports = Vec<(Box<str>, Value)>;

impl<'a> Walk<'a> {
    /// One step: an action, or a script with every value that its expressions may have.
    pub(super) fn step(&mut self, step: &'a Step) {
        self.expressions(step);
        match &step.action {
            Action::Run { env, directory, .. } => {
                let outer = self.variables.clone();
                for (name, value) in env {
                    let value = self.env_value(value);
                    self.set(name.clone(), value);
                }
                let names: Vec<Box<str>> = self.job.env.keys().chain(env.keys()).cloned().collect();
                self.variables_of(step, &names, &self.step_home(directory.as_deref()));
                let exports = self.step_variants(step);
                self.variables = outer;
                self.hand_on(exports);
            }
            Action::Use { reference, with } => self.action(step, reference, with),
        }
    }

    fn step_variants(&mut self, step: &Step) -> Exports {
        let Action::Run {
            script,
            shell,
            directory,
            line,
            ..
        } = &step.action
        else {
            return Exports::new();
        };
        let mut exports: Option<Exports> = None;
        for directory in self.variants(
            directory
                .as_deref()
                .or(self.job.directory.as_deref())
                .unwrap_or_default(),
        ) {
            let place = self.step_place(
                Some(&directory)
                    .filter(|it| !it.is_empty())
                    .map(String::as_str),
            );
            for script in self.variants(script) {
                let text = Text {
                    file: &step.file,
                    line: *line,
                    text: &script,
                    place: place.clone(),
                    arguments: None,
                };
                let new = self.step_script(shell.as_deref(), &text);
                exports = Some(match exports {
                    Some(old) if old != new => vec![("*".into(), Value::Unknown)],
                    _ => new,
                });
            }
        }
        exports.unwrap_or_default()
    }

    /// What a step hands to later ones.
    fn hand_on(&mut self, exports: Exports) {
        let floating = self.handed.floating.iter();
        let floating: Exports = floating
            .map(|name| (name.clone(), Value::Unknown))
            .collect();
        let later = exports.into_iter().chain(floating);
        for (name, value) in later {
            self.hears_variable(&name, &value);
            if &*name == "*" {
                self.handed.is_open = true;
                let all = Rc::make_mut(&mut self.variables).iter_mut();
                all.filter(|(name, _)| !is_of_runner(name))
                    .for_each(|(_, value)| *value = Value::Unknown);
            } else {
                self.set(name, value);
            }
        }
    }

    /// Where a step without values of its own for it begins.
    fn step_home(&self, directory: Option<&str>) -> Place {
        let directory = directory.or(self.job.directory.as_deref());
        self.step_place(directory.filter(|it| !it.is_empty()))
    }

    pub(super) fn step_place(&self, directory: Option<&str>) -> Place {
        let Some(directory) = directory else {
            return Place::Inside("".into());
        };
        let text = self.expand(directory);
        let word = Word {
            unknown: text.contains(UNKNOWN_START),
            text: text.into(),
            glob: false,
        };
        self.real_place(Place::Inside("".into()).enter(&word))
    }

    fn step_script(&mut self, shell: Option<&str>, text: &Text<'_>) -> Exports {
        let named = shell.map(|shell| self.expand(shell));
        let name = match named.as_deref() {
            Some(shell) => shell.split_whitespace().next().unwrap_or("bash"),
            None => match self.runs_on_windows() {
                Truth::Yes => "pwsh",
                Truth::No => "bash",
                Truth::Unknown => return self.either_shell(text),
            },
        };
        let name = name.rsplit('/').next().unwrap_or(name);
        if let Some(shell) = named.as_deref().filter(|shell| !is_bare(shell)) {
            let call = invocation(text, &[shell], None);
            return self.foreign(&call, shell);
        }
        match name {
            "bash" | "sh" | "dash" | "msys2" | "wsl-bash" => self.script(text),
            "python" | "python3" => {
                let call = invocation(text, &["python", "-"], Some(text.text));
                self.python_code(&call, text.text);
                Vec::new()
            }
            "cmd" => match shell::cmd::rewrite(text.text) {
                Some(posix) => self.script(&Text {
                    text: &posix,
                    ..text.clone()
                }),
                None => self.foreign(&invocation(text, &["cmd"], None), "cmd"),
            },
            "pwsh" | "powershell" => self.powershell(text),
            other => self.foreign(&invocation(text, &[other], None), other),
        }
    }

    fn foreign(&mut self, call: &Invocation, shell: &str) -> Exports {
        self.opaque(call, OpaqueCause::ForeignShell(shell.into()));
        Vec::new()
    }

    fn runs_on_windows(&self) -> Truth {
        let runner = self.job.runner.iter().map(|label| self.expand(label));
        let labels: Vec<String> = runner.map(|label| label.to_ascii_lowercase()).collect();
        if labels.iter().any(|label| label.contains("windows")) {
            Truth::Yes
        } else if labels.iter().any(|label| label.contains(UNKNOWN_START)) {
            Truth::Unknown
        } else {
            Truth::No
        }
    }

    /// A script whose machine is not known: what either shell makes of it.
    fn either_shell(&mut self, text: &Text<'_>) -> Exports {
        let posix = self.script(text);
        if self.powershell(text) == posix {
            return posix;
        }
        vec![("*".into(), Value::Unknown)]
    }

    /// A script of PowerShell; gives what it hands to later steps.
    pub(super) fn powershell(&mut self, text: &Text<'_>) -> Exports {
        match shell::powershell::rewrite(text.text) {
            Ok(posix) => self.script(&Text {
                text: &posix,
                ..text.clone()
            }),
            Err(fault) => {
                let mut call = invocation(text, &["pwsh"], None);
                call.origin.line += fault.line.saturating_sub(1);
                call.origin.what = fault.what;
                self.opaque(&call, OpaqueCause::ForeignShell("pwsh".into()));
                Vec::new()
            }
        }
    }
}

/// Whether a shell is a program of the machine with settings alone: one that is told a
/// command, a file or a module reads more than the script.
fn is_bare(shell: &str) -> bool {
    const SETTINGS: &[&str] = &[
        "--noprofile",
        "--norc",
        "--login",
        "--posix",
        "pipefail",
        "{0}",
    ];
    let mut words = shell.split_whitespace();
    let name = words.next().unwrap_or_default();
    let is_of_machine = !name.contains('/')
        || ["/bin/", "/usr/bin/"]
            .iter()
            .any(|dir| name.starts_with(dir));
    let is_setting = |word: &str| {
        let flags = word.strip_prefix('-').unwrap_or_default();
        let are_letters = flags
            .chars()
            .all(|c| c.is_ascii_alphabetic() && !"cm".contains(c));
        SETTINGS.contains(&word) || !flags.is_empty() && are_letters
    };
    let is_windows = ["pwsh", "powershell", "cmd"].contains(&name);
    is_windows || is_of_machine && words.all(is_setting)
}
