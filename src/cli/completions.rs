//! `trimtab completions`: a completion script for a shell.

use super::Terminal;

/// Arguments of `trimtab completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, command: &mut clap::Command, terminal: &mut Terminal) {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "trimtab", &mut script);
    terminal.answer(&String::from_utf8_lossy(&script));
}
