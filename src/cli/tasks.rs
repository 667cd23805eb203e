//! `trimtab tasks`: what waits, what failed too often, and what to do about it.
//!
//! A running server is asked through the socket in its data directory; with none
//! running, the store is opened here. Either way the same order gives the same
//! answer.

use std::path::PathBuf;

use anyhow::Context as _;

use super::store::{CACHE, failure};
use super::{Failure, Terminal};
use crate::clock::{Clock as _, SystemClock};
use crate::config;
use crate::flow::tend_tasks::{self, Acted, Order};
use crate::store::embedded::{self, Embedded};
use crate::store::{StoreError, TaskId};
use crate::web::socket;

/// Arguments of `trimtab tasks`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Where store and mirrors lie, instead of `DATA_DIR`
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Action {
    /// List the tasks that wait, and the dead letters
    List,
    /// Make a waiting or dead task due now, with its failures forgotten
    Retry {
        /// The task's number
        id: u64,
    },
    /// Make a waiting task a dead letter
    Bury {
        /// The task's number
        id: u64,
    },
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let dir = config::data_dir(args.data_dir.as_deref());
    let order = match args.action {
        Action::List => Order::List,
        Action::Retry { id } => Order::Retry(TaskId(id)),
        Action::Bury { id } => Order::Bury(TaskId(id)),
    };
    give(&dir, order, terminal)
}

/// Gives an order to the server, or carries it out here when none runs, and says what
/// came of it.
pub(super) fn give(
    dir: &std::path::Path,
    order: Order,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let asked = socket::ask(dir, &order)
        .map_err(|error| Failure::Expected(format!(
            "the server on {} cannot be asked: {error:#}; run this as the user that runs the server",
            dir.display()
        )))?;
    let told = match asked {
        Some(told) => told,
        None => here(&dir.join("store"), order)?,
    };
    match told {
        Acted::Done(text) => {
            let lines = text.lines().map(|line| super::plan::clean(line) + "\n");
            terminal.answer(&lines.collect::<String>());
            Ok(())
        }
        Acted::Refused(why) => Err(Failure::Expected(super::plan::clean(&why))),
    }
}

/// Carries the order out on a store that no server uses.
fn here(dir: &std::path::Path, order: Order) -> Result<Acted, Failure> {
    let store = open(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .context("start the runtime")?;
    let now = SystemClock.timestamp();
    Ok(runtime.block_on(tend_tasks::run(&store, order, now))?)
}

fn open(dir: &std::path::Path) -> Result<Embedded, Failure> {
    if !dir.is_dir() {
        let dir = dir.display();
        return Err(Failure::Expected(format!(
            "there is no store in {dir}: name the server's data directory with --data-dir or DATA_DIR"
        )));
    }
    match embedded::open(dir, CACHE) {
        Ok(opened) => Ok(opened.store),
        Err(error @ StoreError::InUse(_)) => Err(Failure::Expected(format!(
            "{error}, and it does not answer yet: try again in a moment"
        ))),
        Err(error) => Err(failure(error)),
    }
}
