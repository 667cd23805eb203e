//! `trimtab tasks`: what waits, what failed too often, and what to do about it.
//!
//! It opens the store itself, so no server may be using it. Reaching the store
//! through a running server is not there yet.

use std::path::PathBuf;

use anyhow::Context as _;

use super::terminal::Text;
use super::{Failure, Terminal};
use crate::clock::{Clock as _, SystemClock};
use crate::config;
use crate::store::embedded::{self, Embedded};
use crate::store::{Store as _, StoreError, TaskFilter, TaskId};

/// Arguments of `trimtab tasks`.
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

/// Memory for the store's pages.
const CACHE: u64 = 16 << 20;

/// The most tasks that are listed of each sort.
const LISTED: usize = 1_000;

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let dir = config::data_dir(args.data_dir.as_deref());
    let store = open(&dir.join("store"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .context("start the runtime")?;
    let answer = runtime.block_on(act(&store, &args.action))?;
    terminal.answer(&answer);
    Ok(())
}

fn open(dir: &std::path::Path) -> Result<Embedded, Failure> {
    if !dir.is_dir() {
        let dir = dir.display();
        return Err(Failure::Expected(format!(
            "there is no store in {dir}: set --data-dir or DATA_DIR"
        )));
    }
    match embedded::open(dir, CACHE) {
        Ok(opened) => Ok(opened.store),
        Err(error @ StoreError::InUse(_)) => Err(Failure::Expected(format!(
            "{error}: stop the server first, a running one cannot be asked yet"
        ))),
        Err(error @ StoreError::Format { .. }) => Err(Failure::Expected(error.to_string())),
        Err(error) => Err(anyhow::Error::from(error).context("open the store").into()),
    }
}

async fn act(store: &Embedded, action: &Action) -> Result<String, Failure> {
    let now = SystemClock.timestamp();
    let (id, done, word) = match action {
        Action::List => return list(store).await,
        Action::Retry { id } => (id, store.retry_task(TaskId(*id), now).await, "due now"),
        Action::Bury { id } => (id, store.bury_task(TaskId(*id), now).await, "buried"),
    };
    if done.context("change the task")? {
        Ok(format!("task {id} is {word}\n"))
    } else {
        Err(Failure::Expected(format!(
            "there is no task {id} for which that can be done: trimtab tasks list shows them"
        )))
    }
}

async fn list(store: &Embedded) -> Result<String, Failure> {
    let mut text = Text::begin(String::new());
    for filter in [TaskFilter::Live, TaskFilter::Dead] {
        for task in store
            .tasks(filter, LISTED)
            .await
            .context("list the tasks")?
        {
            text.add(format!("{}\n", super::plan::clean(&task.to_string())));
        }
    }
    Ok(text.end())
}
