//! A checkout as the question for a plan: which commits, which event, which facts.
//!
//! Facts are cached under `XDG_CACHE_HOME`; the checkout itself is never written to.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use anyhow::Context as _;

use super::{Failure, Terminal};
use crate::config;
use crate::engine::history::History;
use crate::engine::ids::ObjectId;
use crate::engine::pipeline::EventContext;
use crate::engine::plan::{Mode, ReasonId, RunEverything};
use crate::flow::analyse::{self, Answer, Question};
use crate::render;
use crate::repo::{FactsCache, Loader, Repo};

/// Which two commits are compared; shared by every command that plans.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Revisions {
    /// The checkout; a directory inside it will do
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) repo: PathBuf,
    /// What head is compared with: this commit itself, not where head left it [default: the
    /// merge base of head and the default branch, which is where the branch began]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The proposed commit: a branch, a tag or any other revision
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,
    /// A JSON file with durations of earlier runs, from which savings are estimated
    /// (`trimtab.history/1`, see docs/api.md)
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Print no progress and no notes
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Revisions {
    pub(super) fn has_history(&self) -> bool {
        self.history.is_some()
    }
}

/// A checkout and the commits that are compared.
pub(super) struct Checkout {
    repo: Repo,
    /// Where merges are computed, for as long as the checkout is open.
    _room: Room,
    cache: Option<PathBuf>,
    base: ObjectId,
    head: ObjectId,
    forced: Vec<RunEverything>,
    event: EventContext,
    history: History,
    /// What the base is, for people: `merge base with main`.
    pub(super) base_words: String,
    /// What the user should know beside the answer.
    pub(super) notes: Vec<String>,
}

impl Checkout {
    pub(super) fn open(revisions: &Revisions) -> Result<Self, Failure> {
        let cache = config::cache_dir();
        let room = Room::in_cache(cache.as_deref());
        let repo = open_repo(&revisions.repo, &room)?;
        let named = revisions.base.as_deref();
        // None of these calls of git waits for another.
        let (head, named, branch, forge_name) = std::thread::scope(|scope| {
            let head = scope.spawn(|| repo.commit(&revisions.head));
            let named = scope.spawn(|| named.map(|base| repo.commit(base)));
            let forge_name = scope.spawn(|| repo.forge_name());
            let branch = repo.default_branch();
            (joined(head), joined(named), branch, joined(forge_name))
        });
        let head = head.context("find the head")?;
        let named = named.transpose().context("find the base")?;
        let base = base_of(&repo, revisions, (head, named), branch.as_deref())?;
        let history = match &revisions.history {
            None => History::default(),
            Some(path) => read_history(path)?,
        };
        let target = branch.as_deref().map_or("main", branch_name);
        let event = event(&repo, target, forge_name);
        let cache = cache.map(|dir| dir.join(directory_of(&repo)).join("facts.bin"));
        Ok(Self {
            repo,
            _room: room,
            cache,
            base: base.commit,
            head,
            forced: base.forced,
            event,
            history,
            base_words: base.words,
            notes: base.notes,
        })
    }

    /// Why there is nothing to plan, and what to do; `None` when there is.
    pub(super) fn nothing_differs(&self) -> Option<String> {
        (self.base == self.head && self.forced.is_empty()).then(|| {
            format!(
                "nothing to plan: head and base are both {} ({}), so no file differs; check out the branch of a pull (what is not committed is not seen), or name other commits with --head and --base",
                self.head.short(),
                self.base_words
            )
        })
    }

    pub(super) fn analyse(
        &self,
        mode: Option<Mode>,
        terminal: &mut Terminal,
    ) -> anyhow::Result<Answer> {
        let facts = self
            .cache
            .as_deref()
            .map_or_else(FactsCache::none, FactsCache::open);
        let mut loader = Loader::new(&self.repo, facts);
        let question = Question {
            pull: None,
            base: self.base,
            head: self.head,
            event: self.event.clone(),
            mode,
            terms: None,
            last_good: None,
            history: &self.history,
            forced: self.forced.clone(),
            asked: Vec::new(),
            told: Vec::new(),
        };
        let answer = analyse::run(&self.repo, &mut loader, &question, &mut |what| {
            terminal.progress(what);
            Ok(())
        })?;
        if let Some(fault) = loader.unkept() {
            terminal.note(&format!("the next run will be as slow: {fault}"));
        }
        Ok(answer)
    }
}

/// The name of a branch without where it was found; slashes of its own stay.
pub(super) fn branch_name(found: &str) -> &str {
    let places = ["refs/remotes/origin/", "refs/heads/"];
    let name = places.iter().find_map(|place| found.strip_prefix(place));
    name.unwrap_or(found)
}

/// A directory for the objects of merges: in the cache, or one that is thrown away
/// where there is no cache that can be written to.
pub(super) struct Room {
    path: PathBuf,
    is_thrown_away: bool,
}

impl Room {
    pub(super) fn in_cache(cache: Option<&Path>) -> Self {
        let path = cache.map(|cache| cache.join("scratch"));
        let kept = path.filter(|path| is_writable(path));
        let is_thrown_away = kept.is_none();
        let process = format!("trimtab-scratch-{}", std::process::id());
        let path = kept.unwrap_or_else(|| std::env::temp_dir().join(process));
        Self {
            path,
            is_thrown_away,
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.is_thrown_away {
            // It may never have been made; the system clears what is left.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

fn is_writable(dir: &Path) -> bool {
    let probe = dir.join(format!("probe-{}", std::process::id()));
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::File::create(&probe))
        .and_then(|_| std::fs::remove_file(&probe))
        .is_ok()
}

/// Opens the repository around a directory.
pub(super) fn open_repo(dir: &Path, room: &Room) -> anyhow::Result<Repo> {
    Repo::open(dir, &room.path).context("open the repository")
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What head is compared with.
struct Base {
    commit: ObjectId,
    /// What it is, for people.
    words: String,
    /// Why everything runs, as far as the base tells.
    forced: Vec<RunEverything>,
    notes: Vec<String>,
}

fn base_of(
    repo: &Repo,
    revisions: &Revisions,
    (head, base): (ObjectId, Option<ObjectId>),
    branch: Option<&str>,
) -> Result<Base, Failure> {
    if let (Some(named), Some(base)) = (&revisions.base, base) {
        let common = repo.merge_base(base, head).context("find the merge base")?;
        let is_contained = base != head && common == Some(head);
        let note = || {
            format!(
                "{} lies in the history of {}, so that merging it changes nothing; swap the two if that is not meant",
                render::plain(&revisions.head),
                render::plain(named)
            )
        };
        return Ok(Base {
            commit: base,
            words: render::plain(named),
            forced: Vec::new(),
            notes: is_contained.then(note).into_iter().collect(),
        });
    }
    let Some(branch) = branch else {
        let message = "there is no default branch here (looked for origin/HEAD, main, master, trunk and develop); name the base with --base";
        return Err(Failure::Expected(message.to_owned()));
    };
    let tip = repo.commit(branch).context("find the default branch")?;
    let name = branch_name(branch);
    if let Some(base) = repo.merge_base(tip, head).context("find the merge base")? {
        let note = || {
            format!(
                "{name} has moved on since; the bot compares with its tip, as `--base {name}` does"
            )
        };
        let has_moved = base != tip && base != head;
        return Ok(Base {
            commit: base,
            words: format!("merge base with {name}"),
            forced: Vec::new(),
            notes: has_moved.then(note).into_iter().collect(),
        });
    }
    let why = if repo.is_shallow() {
        "the clone is shallow"
    } else {
        "the histories are unrelated"
    };
    let forced = RunEverything {
        id: ReasonId::BaseUnknown,
        subject: format!("{why}, there is no merge base with {name}"),
    };
    Ok(Base {
        commit: tip,
        words: format!("tip of {name}"),
        forced: vec![forced],
        notes: Vec::new(),
    })
}

pub(super) fn read_history(path: &Path) -> Result<History, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::Expected(format!(
            "cannot read the history {shown}: {error}; leave --history out to go on without one"
        ))
    })?;
    History::parse(&text).map_err(|error| {
        Failure::Expected(format!(
            "{shown}: {error}; docs/api.md shows the format, and without --history nothing is estimated"
        ))
    })
}

fn event(repo: &Repo, target: &str, forge_name: Option<String>) -> EventContext {
    let dir = repo.work_dir().unwrap_or(repo.git_dir());
    let name = dir
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    EventContext {
        target: target.into(),
        source: "".into(),
        activity: "synchronize".into(),
        draft: false,
        fork: false,
        author: "".into(),
        labels: Vec::new(),
        // The name of a directory is for people: no expression takes it for the repository's.
        repository: forge_name.unwrap_or(name).into(),
        default_branch: target.into(),
    }
}

/// One directory of the cache for each repository on this machine.
fn directory_of(repo: &Repo) -> String {
    let path = repo.git_dir().to_string_lossy();
    let hash = crate::engine::policy::policy_hash(&path);
    hash.chars().take(16).collect()
}
