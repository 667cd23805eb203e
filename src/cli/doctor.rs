//! `trimtab doctor`: what keeps Trimtab from working, and what would mend it.
//!
//! In a checkout only files are looked at. For a repository on the forge the app asks, as
//! a server would: nothing is written, and a question that is not answered becomes a
//! finding, so that one fault does not hide the others.
//!
//! Nothing here judges, and nothing shows a token or a key.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

use super::checkout::{Room, branch_name, open_repo, read_history};
use super::store::CACHE;
use super::{Failure, Terminal};
use crate::config;
use crate::engine::doctor::workflows::{self, Repository};
use crate::engine::doctor::{Check, Examination, Finding, State, machine};
use crate::engine::history::History;
use crate::engine::policy;
use crate::flow::tend_tasks::{Acted, Order};
use crate::render;
use crate::store::{StoreError, embedded};
use crate::web::socket;

mod remote;

/// Arguments of `trimtab doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// A repository on the forge, asked about as the app; without it, a checkout
    #[arg(value_name = "OWNER/NAME", conflicts_with = "repo")]
    repository: Option<String>,
    /// The checkout; a directory inside it will do [default: this directory]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// A `trimtab.history/1` file: workflows in which a skip saves less than it costs are
    /// then told
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Where the server's data lie, instead of `DATA_DIR`
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

const AFTER: &str = "\
In a checkout, without account or network: faults of .trimtab.yml, rewrites that are stale
or were edited by hand, the runner of the plan job, jobs without a backstop, and the server's
data on this machine.
For OWNER/NAME also what the app may do and hears, the clock, the required checks, and rules
that would block the bot's pulls. It then asks as the app, and only reads: APP_ID and
PRIVATE_KEY must be set, GITHUB_URL and GITHUB_API_URL may be, as for `trimtab serve`.

Exit codes: 0 when there is no fault, 4 when there is one; warnings are no faults. Others as
everywhere: 2 for the command line, 3 for what cannot be looked at at all.

Examples:
  trimtab doctor                          the checkout of this directory
  trimtab doctor --repo ../shop --format json
  APP_ID=12345 PRIVATE_KEY=key.pem trimtab doctor acme/shop";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each finding, with its remedy below
    Text,
    /// The findings, `trimtab.doctor/1`
    Json,
}

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    let history = args.history.as_deref().map(read_history).transpose()?;
    let (subject, mut findings) = match &args.repository {
        None => {
            let dir = args.repo.as_deref().unwrap_or(Path::new("."));
            (named(dir), checkout(dir, history.as_ref())?)
        }
        Some(path) => (
            path.clone(),
            remote::examine(path, history.as_ref(), terminal)?,
        ),
    };
    terminal.progress("looking at the store");
    findings.extend(data(&config::data_dir(args.data_dir.as_deref())));
    let found = Examination::of(subject, findings);
    let text = match args.format {
        Format::Text if args.repository.is_none() => render::doctor::text_of_checkout(&found),
        Format::Text => render::doctor::text(&found),
        Format::Json => render::doctor::json(&found).context("write the findings as JSON")?,
    };
    terminal.answer(&text);
    match found.count(State::Fault) {
        0 => Ok(()),
        1 => Err(Failure::Found(
            "there is a fault; its remedy stands above".to_owned(),
        )),
        many => Err(Failure::Found(format!(
            "there are {many} faults; their remedies stand above"
        ))),
    }
}

/// The directory as people know it.
fn named(dir: &Path) -> String {
    let whole = std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned());
    whole.display().to_string()
}

/// What lies in a checkout.
fn checkout(dir: &Path, history: Option<&History>) -> Result<Vec<Finding>, Failure> {
    let room = Room::in_cache(config::cache_dir().as_deref());
    let repo = open_repo(dir, &room)?;
    let Some(root) = repo.work_dir() else {
        let message =
            "this repository has no files beside its history; run the command in a checkout";
        return Err(Failure::Expected(message.to_owned()));
    };
    let files = super::rewrite::read(root)?;
    let configuration = workflows::configuration(settings(root)?.as_deref());
    let found = repo.default_branch();
    let Some(branch) = found.as_deref().map(branch_name) else {
        return Ok(vec![Finding::warning(
            Check::Backstop,
            "the default branch is not known here, so that neither rewrites nor backstops can be judged",
            "`git remote set-head origin --auto` asks the forge for it",
        )]);
    };
    let judged = workflows::judge(&Repository {
        files: &files,
        branch,
        app: None,
        required: None,
        history,
        runs: None,
    });
    Ok(configuration.into_iter().chain(judged).collect())
}

/// The text of the configuration; `None` where there is none.
fn settings(root: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(root.join(policy::FILE)) {
        Ok(text) => Ok(Some(text)),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(Failure::Expected(format!(
            "{} cannot be read: {fault}; mend or delete it",
            policy::FILE
        ))),
    }
}

/// What lies in a server's data directory.
fn data(dir: &Path) -> Vec<Finding> {
    let shown = dir.display().to_string();
    let seen = store(dir);
    let is_there = seen != machine::Store::Absent || dir.is_dir();
    let room = is_there.then(|| {
        let free = fs2::available_space(dir).map_err(|error| error.to_string());
        machine::room(&shown, free)
    });
    let store = machine::store(&shown, &seen);
    std::iter::once(store).chain(room).collect()
}

/// The store: a server that runs is asked; with none, it is opened and nothing is changed.
fn store(data_dir: &Path) -> machine::Store {
    use machine::Store;
    match socket::ask(data_dir, &Order::List) {
        Ok(Some(Acted::Done(_) | Acted::Refused(_))) => return Store::Served,
        Ok(None) => {}
        Err(error) => {
            return Store::Unusable(format!("the server on it cannot be asked: {error:#}"));
        }
    }
    let dir = data_dir.join("store");
    if !dir.is_dir() {
        return Store::Absent;
    }
    match embedded::look(&dir, CACHE) {
        Ok(None) => Store::Opens(bytes(&dir, DEEPEST)),
        Ok(Some(cause)) => Store::Damaged(cause),
        Err(StoreError::InUse(_)) => Store::Held,
        Err(error) => Store::Unusable(format!("{:#}", anyhow::Error::from(error))),
    }
}

/// Directories inside each other that are looked into.
const DEEPEST: usize = 4;

/// How large the files of a directory are; what cannot be seen does not count.
fn bytes(dir: &Path, deepest: usize) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(found) if found.is_dir() && deepest > 0 => bytes(&entry.path(), deepest - 1),
        Ok(found) if found.is_file() => found.len(),
        Ok(_) | Err(_) => 0,
    });
    sizes.sum()
}
