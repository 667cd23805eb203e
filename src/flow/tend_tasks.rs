//! What an operator orders: to look at the queue, hurry a task, give one up, or to set
//! how far a repository may go.
//!
//! The same orders come from the command line with the store in its own hands and
//! through a running server's socket, so both are read and answered here.

use std::fmt;

use anyhow::Context as _;

use super::{backfill, set_mode};
use crate::engine::ids::Timestamp;
use crate::engine::plan::Mode;
use crate::store::{Store, TaskFilter, TaskId};

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// See the tasks that wait or run, and the dead letters.
    List,
    /// Make a waiting or dead task due now, with its failures forgotten.
    Retry(TaskId),
    /// Make a waiting task a dead letter.
    Bury(TaskId),
    /// Read the runs of a repository's past, or say how far that is.
    Backfill {
        /// `owner/name`
        path: String,
        /// Back to this second since 1970.
        since: u64,
    },
    /// Set how far a repository may go.
    Mode {
        /// `owner/name`
        path: String,
        /// The mode.
        mode: Mode,
    },
}

/// What has to be said with an order that lets jobs be skipped.
pub const EVIDENCE: &str = "i-have-read-the-evidence";

impl Order {
    /// Reads what [`Display`](fmt::Display) writes; `None` for anything else.
    pub fn parse(line: &str) -> Option<Self> {
        let (verb, id) = line.split_once(' ').unwrap_or((line, ""));
        let id = || id.parse().map(TaskId).ok();
        match verb {
            "list" => (line == verb).then_some(Self::List),
            "retry" => id().map(Self::Retry),
            "bury" => id().map(Self::Bury),
            "mode" => Self::parse_mode(line),
            "backfill" => Self::parse_backfill(line),
            _ => None,
        }
    }
}

impl Order {
    /// `mode OWNER/NAME enforce i-have-read-the-evidence`, or a lower mode without that.
    fn parse_mode(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let (path, mode) = match words.as_slice() {
            [_, path, "enforce", word] if *word == EVIDENCE => (path, Mode::Enforce),
            [_, path, "advise"] => (path, Mode::Advise),
            [_, path, "observe"] => (path, Mode::Observe),
            _ => return None,
        };
        let path = (*path).to_owned();
        Some(Self::Mode { path, mode })
    }
}

impl Order {
    /// `backfill OWNER/NAME SECONDS`
    fn parse_backfill(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, path, since] = words.as_slice() else {
            return None;
        };
        let since = since.parse().ok()?;
        let path = (*path).to_owned();
        Some(Self::Backfill { path, since })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("list"),
            Self::Retry(id) => write!(f, "retry {id}"),
            Self::Bury(id) => write!(f, "bury {id}"),
            Self::Backfill { path, since } => write!(f, "backfill {path} {since}"),
            Self::Mode { path, mode } => {
                write!(f, "mode {path} {}", mode.as_str())?;
                match mode {
                    Mode::Enforce => write!(f, " {EVIDENCE}"),
                    Mode::Observe | Mode::Advise => Ok(()),
                }
            }
        }
    }
}

/// What is said to the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// It was done; lines of text, each closed.
    Done(String),
    /// It could not be done; one sentence.
    Refused(String),
}

/// The most tasks that are listed of each sort.
const LISTED: usize = 1_000;

/// Carries the order out.
pub async fn run(store: &dyn Store, order: Order, now: Timestamp) -> anyhow::Result<Acted> {
    let (id, done, word) = match order {
        Order::List => return list(store).await,
        Order::Retry(id) => (id, store.retry_task(id, now).await, "due now"),
        Order::Bury(id) => (id, store.bury_task(id, now).await, "buried"),
        Order::Backfill { path, since } => {
            let since = Timestamp(since.saturating_mul(1_000));
            return backfill::order(store, (&path, since), now).await;
        }
        Order::Mode { path, mode } => return set_mode::run(store, (&path, mode), now).await,
    };
    if !done.context("change the task")? {
        let refusal = "for which that can be done: trimtab tasks list shows them";
        return Ok(Acted::Refused(format!("there is no task {id} {refusal}")));
    }
    tracing::info!(task.id = %id, "an operator made the task {word}");
    Ok(Acted::Done(format!("task {id} is {word}\n")))
}

async fn list(store: &dyn Store) -> anyhow::Result<Acted> {
    let mut lines = Vec::new();
    for filter in [TaskFilter::Live, TaskFilter::Dead] {
        let tasks = store
            .tasks(filter, LISTED)
            .await
            .context("list the tasks")?;
        // A cause may quote what a forge said.
        let line = |task: &crate::store::Task| format!("{task}\n").replace('\r', " ");
        lines.extend(tasks.iter().map(line));
    }
    Ok(Acted::Done(lines.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(mode: Mode) -> Order {
        let path = "acme/shop".to_owned();
        Order::Mode { path, mode }
    }

    #[test]
    fn jobs_are_skipped_only_by_who_has_read_the_evidence() {
        for line in [
            "mode acme/shop enforce",
            "mode acme/shop enforce yes",
            "mode enforce i-have-read-the-evidence",
            "mode acme/shop advise i-have-read-the-evidence",
            "mode acme/shop",
        ] {
            assert_eq!(Order::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn an_order_is_read_as_it_is_written_and_nothing_else_is() {
        for order in [
            Order::List,
            Order::Retry(TaskId(7)),
            Order::Bury(TaskId(u64::MAX)),
            mode(Mode::Enforce),
            mode(Mode::Advise),
            mode(Mode::Observe),
            Order::Backfill {
                path: "acme/shop".to_owned(),
                since: 1_795_251_661,
            },
        ] {
            assert_eq!(Order::parse(&order.to_string()), Some(order));
        }
        for line in [
            "",
            "list 1",
            "retry",
            "retry x",
            "bury -1",
            "drop 1",
            "LIST",
            "backfill acme/shop",
            "backfill acme/shop -1",
            "backfill a b c",
        ] {
            assert_eq!(Order::parse(line), None, "{line:?}");
        }
    }
}
