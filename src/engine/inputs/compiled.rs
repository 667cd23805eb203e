//! What a job compiles and does not run.
//!
//! A compiler reads sources and what they embed, and runs build scripts and macros; what
//! the code itself opens when it runs is no input of a job that never runs it. That
//! holds for a job alone in which nothing else happens: a program that was built may be
//! put anywhere and started under any name, or be handed on. So every other program, and
//! every action that is not known to prepare a machine, makes what is compiled count as
//! run.

use super::Input;
use super::programs::list;
use super::walk::{Invocation, Walk};
use crate::engine::pipeline::{Action, Step};

/// Programs that start nothing of the repository, but for those that compile, whose
/// sub-commands say themselves what runs.
const QUIET: &str = "cargo go rustup rustc rustfmt apt-get apt apk brew choco winget dnf yum \
    sudo env time nice timeout retry echo printf cd pwd mkdir rm true : set export unset test [ \
    git uname date df free ls which";

/// Parts of names of actions that prepare a machine, or fetch the sources.
const PREPARING: &[&str] = &[
    "actions/checkout",
    "setup",
    "toolchain",
    "cache",
    "install",
    "free-disk",
];

impl Walk<'_> {
    /// Files that are compiled, with what they need for that.
    pub(super) fn compiled(&mut self, call: &Invocation, globs: Vec<Box<str>>) {
        self.add(call, Input::Compiled(globs));
    }

    /// What is compiled counts as run, unless the job does nothing else.
    pub(super) fn settle_compiled(&mut self) {
        let quiet = list(QUIET);
        let is_quiet = self.programs.iter().all(|name| quiet.contains(&&**name));
        let runs = |input: &Input| matches!(input, Input::Entry(_) | Input::Unit(_));
        let compiles = is_quiet
            && self.job.steps.iter().all(is_preparing)
            && !self.out.parts.iter().any(|(input, _)| runs(input));
        if compiles {
            return;
        }
        for (input, _) in &mut self.out.parts {
            *input = match input {
                Input::Compiled(globs) => Input::Entry(std::mem::take(globs)),
                Input::Built(dir) => Input::Unit(std::mem::take(dir)),
                _ => continue,
            };
        }
    }
}

/// Whether a step runs a script, or an action that prepares the machine.
fn is_preparing(step: &Step) -> bool {
    match &step.action {
        Action::Run { .. } => true,
        Action::Use { reference, .. } => {
            let name = reference.split('@').next().unwrap_or(reference);
            let name = name.to_ascii_lowercase();
            !name.contains("artifact") && PREPARING.iter().any(|part| name.contains(part))
        }
    }
}
