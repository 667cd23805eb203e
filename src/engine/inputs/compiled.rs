//! What a job compiles and does not run.
//!
//! A compiler reads sources and what they embed, and runs build scripts and macros; what
//! the code itself opens when it runs is no input of a job that never runs it. That
//! holds for a job alone in which nothing else happens: a program that was built may be
//! put anywhere and started under any name, by a compiler as well, or be handed on. So
//! every command, variable, setting and action that is not known to be *quiet*, which is
//! to start nothing that was built here, makes what is compiled count as run.

use super::programs::list;
use super::walk::{Invocation, Walk};
use super::{Input, JobInputs};
use crate::engine::globs::Glob;
use crate::engine::pipeline::{Action, Job, Step};
use crate::engine::shell::{Value, Word};

/// Sub-commands of cargo that compile crates and start none of them, but for build scripts
/// and macros.
const CARGO: &str = "build b check c clippy doc";

/// Sub-commands of cargo that compile nothing of the repository.
const CARGO_ELSE: &str = "fmt fetch update generate-lockfile version --version -V";

/// Sub-commands of go that start nothing of what they read.
pub(super) const GO: &str = "build vet list doc fmt mod work version";

/// Programs that start no others.
const STILL: &str = "echo printf true : set unset pwd cd mkdir rm test [ df free uname date ls \
    which cat gofmt rustfmt export";

/// Flags, without their dashes, that say where a program is put, which one is started, or
/// what else is built; what they begin with is enough.
const TELLING: &[&str] = &[
    "o=",
    "Z",
    "config",
    "target-dir",
    "artifact-dir",
    "out-dir",
    "root",
    "path",
    "toolexec",
    "vettool",
    "exec",
    "overlay",
    "profile",
];

/// Words of variables, settings and flags by which a program is named that compiles along.
const NAMING: &[&str] = &[
    "alias",
    "wrapper",
    "linker",
    "rustc =",
    "rustc=",
    "rustdoc =",
    "rustdoc=",
    "include",
    "runner",
    "toolexec",
    "vettool",
    "-exec",
];

/// Actions that prepare a machine or fetch the sources, by how their names begin.
const PREPARING: &[&str] = &[
    "actions/checkout@",
    "actions/cache@",
    "actions/setup-",
    "dtolnay/rust-toolchain@",
    "actions-rs/toolchain@",
    "actions-rust-lang/setup-rust-toolchain@",
    "swatinem/rust-cache@",
    "taiki-e/install-action@",
    "moonrepo/setup-rust@",
    "hecrj/setup-rust-action@",
    "rui314/setup-mold@",
    "arduino/setup-protoc@",
];

impl Walk<'_> {
    /// Files that are compiled, with what they need for that.
    pub(super) fn compiled(&mut self, call: &Invocation, globs: Vec<Glob>) {
        self.add(call, Input::Compiled(globs));
    }

    /// Notes whether a command is quiet.
    pub(super) fn hears_command(&mut self, words: &[Word]) {
        self.is_quiet = self.is_quiet && is_quiet(words);
    }

    /// Notes whether a variable is: it may name a program, or options that do.
    pub(super) fn hears_variable(&mut self, name: &str, value: &Value) {
        if !self.is_quiet {
            return;
        }
        let is_plain = |text: &str| !text.contains(['/', '\\', '$', '~']) && !names_program(text);
        let is_known = match value {
            Value::Text(text) => is_plain(text),
            Value::OneOf(texts) => texts.iter().all(|text| is_plain(text)),
            Value::List(_) | Value::Unknown => name.ends_with("TOKEN"),
        };
        let loads = name.starts_with("CARGO_ALIAS") || ["PATH", "BASH_ENV", "ENV"].contains(&name);
        self.is_quiet = is_known && !loads && !names_program(&name.to_ascii_lowercase());
    }

    /// Notes whether settings of cargo are.
    pub(super) fn hears_settings(&mut self, text: &str) {
        self.is_quiet = self.is_quiet && !names_program(text);
    }

    /// What is compiled counts as run, unless the job does nothing else, on a machine that
    /// nobody gets after it.
    pub(super) fn settle_compiled(&mut self) {
        let runs = |input: &Input| matches!(input, Input::Entry(_) | Input::Unit(_));
        let compiles = self.is_quiet
            && is_hosted(self.job)
            && self.job.steps.iter().all(is_preparing)
            && !self.out.parts.iter().any(|(input, _)| runs(input));
        if !compiles {
            count_as_run(&mut self.out);
        }
    }
}

/// Counts what a job compiles as run.
pub fn count_as_run(inputs: &mut JobInputs) {
    for (input, _) in &mut inputs.parts {
        *input = match input {
            Input::Compiled(globs) => Input::Entry(std::mem::take(globs)),
            Input::Built(dir) => Input::Unit(std::mem::take(dir)),
            _ => continue,
        };
    }
}

/// Whether a later job may get what this one built, and run it: one that needs it, and has
/// actions by which something is handed on.
pub fn is_handed_on(job: &Job, jobs: &[Job]) -> bool {
    let mut later = jobs.iter().filter(|later| later.needs.contains(&job.id));
    later.any(|later| {
        let mut steps = later.steps.iter();
        steps.any(|step| match &step.action {
            Action::Run { .. } => false,
            Action::Use { reference, .. } => !reference.starts_with("actions/checkout@"),
        })
    })
}

/// Whether a command of cargo, without that word, compiles and starts nothing that it
/// compiled, but for build scripts and macros.
pub(super) fn only_compiles(words: &[&str]) -> bool {
    let others = list("test t run r bench nextest miri rustc rustdoc");
    match words {
        // What stands between may be the value of a flag.
        ["hack", sub, rest @ ..] => {
            list(CARGO).contains(sub) && !rest.iter().any(|word| others.contains(word))
        }
        [sub, ..] => list(CARGO).contains(sub),
        [] => false,
    }
}

fn is_quiet(words: &[Word]) -> bool {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_ref()).collect();
    let Some((name, rest)) = texts.split_first() else {
        return true;
    };
    let is_known = !words.iter().any(|word| word.unknown);
    match *name {
        name if list(STILL).contains(&name) => true,
        "sudo" => rest.first().is_some_and(|word| !word.starts_with('-')),
        "apt-get" | "apt" => is_known && !rest.iter().any(|word| word.contains('/')),
        "rustup" => is_known && !rest.iter().any(|word| ["link", "run"].contains(word)),
        "git" => {
            let sub = rest.first().copied().unwrap_or_default();
            is_known && ["diff", "status", "rev-parse"].contains(&sub)
        }
        "cargo" => is_known && is_quiet_cargo(rest),
        "go" => {
            let sub = rest.first().copied().unwrap_or_default();
            is_known && list(GO).contains(&sub) && !rest.iter().any(|word| tells(word))
        }
        _ => false,
    }
}

fn is_quiet_cargo(words: &[&str]) -> bool {
    let words = match words {
        [toolchain, rest @ ..] if toolchain.starts_with('+') => rest,
        words => words,
    };
    let sub = words.first().copied().unwrap_or_default();
    let own = words.iter().position(|word| *word == "--");
    let (own, after) = words.split_at(own.unwrap_or(words.len()));
    let is_after_known = after.is_empty()
        || sub == "clippy"
            && !after
                .iter()
                .any(|word| word.contains('/') || names_program(word));
    let is_known = only_compiles(words) || list(CARGO_ELSE).contains(&sub);
    is_known && is_after_known && !own.iter().any(|word| tells(word))
}

/// Whether a flag says where a program is put, or which one is started.
fn tells(word: &str) -> bool {
    // Go takes its flags with one dash or two.
    let flag = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
    let tells = |flag: &str| {
        ["o", "C"].contains(&flag) || TELLING.iter().any(|start| flag.starts_with(start))
    };
    flag.is_some_and(tells) || names_program(word)
}

fn names_program(text: &str) -> bool {
    NAMING.iter().any(|part| text.contains(part))
}

/// Whether a job runs on machines of the forge, which are thrown away.
fn is_hosted(job: &Job) -> bool {
    let is_hosted = |label: &str| {
        ["ubuntu-", "macos-", "windows-", "${{ matrix."]
            .iter()
            .any(|start| label.starts_with(start))
    };
    job.runner.iter().all(|label| is_hosted(label))
}

/// Whether a step runs a script of a plain shell, or an action that prepares the machine.
fn is_preparing(step: &Step) -> bool {
    match &step.action {
        Action::Run { shell, .. } => shell
            .as_deref()
            .is_none_or(|shell| shell == "bash" || shell == "sh"),
        Action::Use { reference, .. } => {
            let name = reference.to_ascii_lowercase();
            PREPARING.iter().any(|start| name.starts_with(start))
        }
    }
}
