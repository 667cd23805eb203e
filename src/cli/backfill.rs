//! `trimtab backfill`: what the runs of the past tell, read from the forge.
//!
//! A server that runs on this machine is asked to do it, with the rights of its app, and
//! keeps what it reads. With none running, a token of one's own is enough: what was read
//! is kept in the cache, so that who was interrupted goes on, and comes out as a file for
//! `trimtab plan --history`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::store::{self, CACHE};
use super::{Failure, Terminal};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::{self, ReadAccess};
use crate::engine::history::History;
use crate::engine::ids::{ForgeKind, InstallationId, RepoKey};
use crate::flow::backfill::{self, Between};
use crate::flow::tend_tasks::{Acted, Order};
use crate::forge::ForgeError;
use crate::forge::github::{Client, Endpoint, GitHub, OneToken, repository_named};
use crate::store::history::JobHistory as _;
use crate::store::{Backfill, embedded};
use crate::web::socket;

/// Arguments of `trimtab backfill`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// The repository
    #[arg(value_name = "OWNER/NAME")]
    repository: String,
    /// How far back: hours, days or weeks, at most 90 days
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    since: String,
    /// Write the durations here, instead of to standard output; no server is asked
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where the server's data lie, instead of `DATA_DIR`
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Say nothing of how far it is
    #[arg(long, short)]
    quiet: bool,
}

const AFTER: &str = "\
Where a server runs on DATA_DIR, it reads the history in the background, slowly enough
that plans do not wait; this command shows how far it is, and may be interrupted.
Elsewhere it reads with the token in GITHUB_TOKEN, which needs to read Actions and
nothing more, and writes a file. Interrupted, it goes on where it was.

Examples:
  trimtab backfill acme/shop --since 30d
  GITHUB_TOKEN=... trimtab backfill acme/shop --out history.json
  trimtab plan --history history.json";

/// How often a server is asked how far it is.
const LOOK: Duration = Duration::from_secs(2);

/// How long a server may say the same before nobody waits any longer.
const STILL: Duration = Duration::from_mins(15);

/// How often the forge may fail to answer in a row.
const FAILURES: u32 = 5;

pub(super) fn run(args: &Args, terminal: &mut Terminal) -> Result<(), Failure> {
    if args.quiet {
        terminal.hush();
    }
    let path = &args.repository;
    if !super::admin::is_path(path) {
        let shown = super::plan::clean(path);
        return Err(Failure::Expected(format!("`{shown}` is not OWNER/NAME")));
    }
    let span = span(&args.since)?;
    let since = SystemClock.timestamp().before(span);
    let dir = config::data_dir(args.data_dir.as_deref());
    if args.out.is_none() && by_server(&dir, (path, since), terminal)? {
        return Ok(());
    }
    let access = ReadAccess::from_env().map_err(|fault| Failure::Expected(fault.to_string()))?;
    let access = access.ok_or_else(|| {
        Failure::Expected(format!(
            "no server runs on {}, and GITHUB_TOKEN is not set: set it to a token that may read Actions of {}",
            dir.display(),
            super::plan::clean(path)
        ))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let text = runtime.block_on(by_token(access, (path, since), terminal))?;
    match &args.out {
        None => terminal.answer(&text),
        Some(out) => std::fs::write(out, text).map_err(|error| {
            Failure::Expected(format!("cannot write {}: {error}", out.display()))
        })?,
    }
    Ok(())
}

/// A span of time: `12h`, `30d`, `4w`.
fn span(text: &str) -> Result<Duration, Failure> {
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .unwrap_or_default();
    let hours = match unit {
        "h" => Some(1),
        "d" => Some(24),
        "w" => Some(24 * 7),
        _ => None,
    };
    let number = number
        .parse::<u64>()
        .ok()
        .filter(|number| (1..=100_000).contains(number));
    let span = number
        .zip(hours)
        .map(|(number, hours)| Duration::from_hours(number * hours));
    let keep = crate::store::history::KEEP_RUNS;
    span.filter(|span| *span <= keep).ok_or_else(|| {
        let shown = super::plan::clean(text);
        Failure::Expected(format!(
            "`--since {shown}` is no span of at most 90 days, such as 12h, 30d or 4w"
        ))
    })
}

/// Has the server do it, if there is one, and watches.
fn by_server(
    dir: &Path,
    (path, since): (&str, Timestamp),
    terminal: &mut Terminal,
) -> Result<bool, Failure> {
    let order = Order::Backfill {
        path: path.to_owned(),
        since: since.seconds(),
    };
    let mut last = (String::new(), SystemClock.timestamp());
    loop {
        let told = socket::ask(dir, &order).map_err(|error| {
            Failure::Expected(format!(
                "the server on {} cannot be asked: {error:#}; run this as the user that runs the server",
                dir.display()
            ))
        })?;
        let line = match told {
            None if last.0.is_empty() => return Ok(false),
            None => {
                return Err(Failure::Expected("the server has ended; what it read is kept, and it goes on when it starts again".to_owned()));
            }
            Some(Acted::Refused(why)) => return Err(Failure::Expected(super::plan::clean(&why))),
            Some(Acted::Done(line)) => super::plan::clean(line.trim_end()),
        };
        if line.ends_with(backfill::DONE) {
            terminal.answer(&format!("{line}\n"));
            return Ok(true);
        }
        let now = SystemClock.timestamp();
        if line != last.0 {
            terminal.note(&line);
            last = (line, now);
        } else if now.since(last.1) > STILL {
            terminal
                .note("the server goes on by itself; `trimtab tasks list` shows what it waits for");
            return Ok(true);
        }
        std::thread::sleep(LOOK);
    }
}

/// Reads with a token of one's own; gives the text of the file.
async fn by_token(
    access: ReadAccess,
    (path, since): (&str, Timestamp),
    terminal: &mut Terminal,
) -> Result<String, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let endpoint = Endpoint {
        api: access.api_url,
        web: access.web_url,
    };
    let client = Client::new(&endpoint, Arc::clone(&clock)).context("set up GitHub's client")?;
    let found = repository_named(&client, &access.token, path).await;
    let found = found.map_err(|fault| refused(path, &fault))?;
    let repo = RepoKey {
        forge: ForgeKind::Github,
        installation: InstallationId(0),
        repo: found.0,
    };
    let tokens = OneToken::new(access.token, repo, found.1.clone());
    let forge = GitHub::new(endpoint, 0, client, Arc::new(tokens));
    let store = history(repo)?;
    let now = clock.timestamp();
    let begun = backfill::begin(&store, repo, (since, now)).await?;
    let between = Between {
        forge: &forge,
        store: &store,
        repo,
    };
    let done = read(between, begun, &found.1, terminal).await?;
    terminal.note(&backfill::words(&found.1, &done));
    let times = store.times(repo).await.context("read the durations")?;
    Ok(History::file(&times).context("write the history")?)
}

/// Reads all of it, waiting where the forge asks for that.
async fn read(
    between: Between<'_>,
    mut backfill: Backfill,
    path: &str,
    terminal: &mut Terminal,
) -> Result<Backfill, Failure> {
    let (mut failures, mut reached) = (0, backfill.reached);
    loop {
        let clock = SystemClock;
        let mut progress = |backfill: &Backfill| {
            terminal.progress(&backfill::words(path, backfill));
            if backfill.reached != reached && !backfill.done {
                reached = backfill.reached;
                terminal.note(&backfill::words(path, backfill));
            }
        };
        let asked = (u32::MAX, clock.timestamp());
        let stretch = backfill::stretch(between, backfill.clone(), asked, &mut progress);
        let error = match stretch.await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let known = between.store.backfill(between.repo).await;
        let known = known.context("read how far the history was read")?;
        let known = known.unwrap_or_else(|| backfill.clone());
        if known.attempts > backfill.attempts {
            failures = 0;
        }
        backfill = known;
        let wait = match error.downcast_ref::<ForgeError>() {
            Some(ForgeError::Throttled { wait }) => *wait,
            Some(ForgeError::Unavailable { .. }) if failures < FAILURES => {
                failures += 1;
                Duration::from_secs(1 << failures)
            }
            Some(fault) => return Err(refused(path, fault)),
            None => return Err(error.into()),
        };
        terminal.note(&format!("GitHub is asked again in {} s", wait.as_secs()));
        clock.until(clock.timestamp().after(wait)).await;
    }
}

fn refused(path: &str, fault: &ForgeError) -> Failure {
    Failure::Expected(match fault {
        ForgeError::Missing { .. } => format!(
            "GitHub has no repository `{path}` for this token: is the name right, and may the token read it?"
        ),
        ForgeError::Denied { .. } => {
            format!("{fault}: GITHUB_TOKEN is not valid, or may not read Actions of {path}")
        }
        ForgeError::Refused { .. } => fault.to_string(),
        ForgeError::Throttled { .. } | ForgeError::Unavailable { .. } => {
            format!("{fault}; what was read is kept: run the same again to go on")
        }
    })
}

/// The store of what was read, in the cache: one of its own for each repository.
fn history(repo: RepoKey) -> Result<embedded::Embedded, Failure> {
    let cache = config::cache_dir().ok_or_else(|| {
        Failure::Expected(
            "there is no place for what is read: set XDG_CACHE_HOME or HOME".to_owned(),
        )
    })?;
    let dir = cache.join("history").join(repo.repo.to_string());
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::Expected(format!("cannot make {}: {error}", dir.display())))?;
    store::open(&dir, CACHE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        let hours = span(text).ok().map(|span| span.as_secs() / 3_600);
        assert_eq!(hours, expected, "{text:?}");
    }

    #[test]
    fn a_span_is_hours_days_or_weeks_and_at_most_what_is_kept() {
        check("12h", Some(12));
        check("30d", Some(720));
        check("2w", Some(336));
        check("90d", Some(2_160));
        for text in [
            "",
            "d",
            "30",
            "91d",
            "0d",
            "-1d",
            "1.5d",
            "30 d",
            "30D",
            "9999999999999999999999d",
            "3ü",
        ] {
            check(text, None);
        }
    }
}
