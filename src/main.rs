//! Hands the command line over, and its exit code back.

use std::process::ExitCode;

fn main() -> ExitCode {
    trimtab::cli::run()
}
