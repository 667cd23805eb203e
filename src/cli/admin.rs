//! `trimtab admin`: what only the operator of a server may decide.
//!
//! A running server is asked through the socket in its data directory; with none
//! running, the store is opened here.

use std::path::PathBuf;

use super::mode::ModeName;
use super::{Failure, Terminal, tasks};
use crate::config;
use crate::engine::plan::Mode;
use crate::flow::tend_tasks::Order;

/// Arguments of `trimtab admin`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Where store and mirrors lie, instead of `DATA_DIR`
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Set how far a repository may go; its configuration may ask for less
    Mode {
        /// The repository
        #[arg(value_name = "OWNER/NAME")]
        repository: String,
        /// The mode
        mode: ModeName,
        /// Needed for `enforce`, which makes jobs be skipped
        #[arg(long)]
        i_have_read_the_evidence: bool,
    },
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let dir = config::data_dir(args.data_dir.as_deref());
    let Action::Mode {
        repository,
        mode,
        i_have_read_the_evidence,
    } = &args.action;
    let mode = Mode::from(*mode);
    if mode == Mode::Enforce && !i_have_read_the_evidence {
        return Err(Failure::Expected(
            "`enforce` makes jobs be skipped: read what the checks of some pulls say would have been skipped, and repeat with --i-have-read-the-evidence".to_owned(),
        ));
    }
    if !is_path(repository) {
        return Err(Failure::Expected(format!(
            "`{}` is not OWNER/NAME",
            super::plan::clean(repository)
        )));
    }
    let path = repository.clone();
    tasks::give(&dir, Order::Mode { path, mode }, terminal)
}

/// Whether a text can be the name of a repository with its owner.
pub(super) fn is_path(text: &str) -> bool {
    let parts = text.split('/').filter(|part| !part.is_empty());
    parts.count() == 2
        && text.matches('/').count() == 1
        && text.len() <= 150
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "?#%\\".contains(c))
}
