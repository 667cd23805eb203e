//! Proposes the rewrite of the default branch's workflows: as a pull where the
//! installation granted it, as a patch in the answer where not.
//!
//! There is one branch, and what it holds decides: as long as it adds to the default
//! branch exactly what the bot has put there, it moves forward to what a rewrite is today;
//! anything else on it is somebody's work and stays. Each step looks at the forge first,
//! so that a crash between two of them repeats a step and nothing else.
//!
//! What people closed or took back is proposed again only when a person asks.
//!
//! Nothing here forces, deletes or merges, and no other branch is ever written.

use anyhow::Context as _;

use super::answer_command::{self, at};
use super::report_pull::hash;
use super::sync_repo::{branch_ref, fetch};
use super::{Context, analyse_pull};
use crate::engine::doctor::allowed::BRANCH;
use crate::engine::ids::{PullNumber, RepoKey};
use crate::forge::proposals::{Description, NewCommit, NewPull};
use crate::forge::{AuthorKind, ForgeError, PullState};
use crate::render::{self, NoPull, Rewriting};
use crate::store::{
    AskedIn, NewTask, Proposal, Repository, RepositoryChange, RepositoryState, TaskKind,
};

mod draft;

use draft::{Added, Draft};
pub(super) use draft::{rewritten, seen};

/// What is fetched of it: a pattern, that may fit nothing.
const BRANCH_REFS: &str = "+refs/heads/trimtab/rewrit*:refs/heads/trimtab/rewrit*";

/// How many of the contents that the branch has had are remembered.
const CONTENTS: usize = 8;

/// Proposes a rewrite, for a command or because a workflow has changed.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    asked: Option<AskedIn>,
) -> anyhow::Result<Vec<NewTask>> {
    let repository = context.store.repository(repo).await;
    let repository = repository.context("read the repository")?;
    let is_active = |it: &Repository| it.state == RepositoryState::Active;
    let Some(repository) = repository.filter(|it| is_active(it) && it.default_branch != BRANCH)
    else {
        return Ok(Vec::new());
    };
    let last = last(context, &repository).await?;
    if asked.is_none() && (repository.paused || last == Some(PullState::Closed)) {
        return Ok(Vec::new());
    }
    let branch = branch_ref(&repository.default_branch)?;
    let refs = vec![format!("+{branch}:{branch}"), BRANCH_REFS.to_owned()];
    fetch(context, repo, refs).await?;
    let required = required(context, &repository).await?;
    let history = analyse_pull::history(context, repo).await?;
    let mut proposal = repository.proposal.clone().unwrap_or_default();
    let mut draft = draft::make(context, &repository, (required, history)).await?;
    proposal.undone = match asked {
        Some(_) => Vec::new(),
        None => undone(&proposal, &draft, last == Some(PullState::Merged)),
    };
    proposal.rewritten = draft.rewritten();
    draft.leave(&proposal.undone);
    let mut proposing = Proposing {
        context,
        draft,
        proposal,
        repository: &repository,
    };
    let outcome = proposing.propose().await?;
    proposing.proposal.seen = proposing.draft.seen.clone();
    proposing.remember().await?;
    proposing.tell(&outcome, asked).await?;
    Ok(Vec::new())
}

/// What follows from a look at the default branch: a task when its workflows have changed
/// since a rewrite of them was proposed, or merged.
pub(super) async fn notice(
    context: &Context,
    repository: &Repository,
    (seen, rewritten): (String, Vec<String>),
) -> anyhow::Result<Option<NewTask>> {
    let repo = repository.key;
    let task = || context.task(repo, TaskKind::ProposeRewrite { asked: None });
    match &repository.proposal {
        Some(known) => {
            let concerns = !rewritten.is_empty() || known.pull.is_some();
            Ok((concerns && known.seen != seen).then(task))
        }
        // Somebody has rewritten it by hand: only what changes from now on is news.
        None if !rewritten.is_empty() => {
            let proposal = Proposal {
                seen,
                rewritten,
                ..Proposal::default()
            };
            remember(context, repo, proposal).await?;
            Ok(None)
        }
        None => Ok(None),
    }
}

/// How the pull that was opened last stands: closed by people, it is not opened again
/// unasked. `None` when there was none.
async fn last(context: &Context, repository: &Repository) -> anyhow::Result<Option<PullState>> {
    let number = repository.proposal.as_ref().and_then(|it| it.pull);
    let Some(number) = number else {
        return Ok(None);
    };
    match context.forge.pull(repository.key, number).await {
        Err(ForgeError::Missing { .. }) => Ok(Some(PullState::Closed)),
        other => Ok(Some(other.context("read the pull")?.state)),
    }
}

/// The workflows that were rewritten once and are not any more: people took that back, and
/// they are not proposed again unasked. Where a pull was merged and nothing is rewritten,
/// these are all.
fn undone(known: &Proposal, draft: &Draft, is_merged: bool) -> Vec<String> {
    let now = draft.rewritten();
    let all = is_merged && now.is_empty();
    let was = |path: &String| known.undone.contains(path) || known.rewritten.contains(path);
    let paths = draft.rewrites.files.iter().map(|file| file.path.clone());
    paths
        .filter(|path| all || was(path) && !now.contains(path))
        .collect()
}

/// The checks that the default branch requires; `None` when they may not be read, and then
/// whatever could be required counts as required.
async fn required(
    context: &Context,
    repository: &Repository,
) -> anyhow::Result<Option<Vec<String>>> {
    let branch = &repository.default_branch;
    match context.forge.required_checks(repository.key, branch).await {
        Err(ForgeError::Denied { .. } | ForgeError::Missing { .. }) => Ok(None),
        other => other.map(Some).context("ask which checks are required"),
    }
}

async fn remember(context: &Context, repo: RepoKey, proposal: Proposal) -> anyhow::Result<()> {
    let change = RepositoryChange::Proposed(Box::new(proposal));
    let changed = context.store.change_repository(repo, change, context.now());
    changed.await.map(drop).context("remember the proposal")
}

/// What a proposal came to.
#[derive(Debug)]
enum Proposed {
    /// There is nothing to change.
    Nothing,
    /// The workflows cannot be read; a sentence says why.
    Unreadable(String),
    /// This pull holds the rewrite as it is today.
    Stands(PullNumber),
    /// The branch holds somebody's work.
    Kept,
    /// There is no pull.
    Without(NoPull),
}

struct Proposing<'a> {
    context: &'a Context,
    repository: &'a Repository,
    draft: Draft,
    proposal: Proposal,
}

impl Proposing<'_> {
    async fn propose(&mut self) -> anyhow::Result<Proposed> {
        if let Some(why) = &self.draft.unreadable {
            return Ok(Proposed::Unreadable(why.clone()));
        }
        if self.draft.files.is_empty() {
            return Ok(Proposed::Nothing);
        }
        match self.bring_branch().await? {
            None => self.bring_pull().await,
            Some(outcome) => Ok(outcome),
        }
    }

    /// Makes the branch hold the rewrite; what stands against it otherwise.
    async fn bring_branch(&mut self) -> anyhow::Result<Option<Proposed>> {
        let from = self.branch_tip().await?;
        if let Some(tip) = from {
            let added = draft::added(self.context, self.repository, (self.draft.tip, tip));
            let (is_there, is_ours) = match added.await? {
                Added::Nothing => (false, self.proposal.made),
                Added::Files(content) => {
                    let is_there = content == self.draft.content;
                    (is_there, self.proposal.contents.contains(&content))
                }
                Added::Other => (false, false),
            };
            if is_there {
                return Ok(None);
            }
            if !is_ours {
                return Ok(Some(Proposed::Kept));
            }
        }
        // Before it is written: what is found there after a crash is known to be ours.
        let contents = &mut self.proposal.contents;
        contents.retain(|content| *content != self.draft.content);
        contents.push(self.draft.content.clone());
        contents.drain(..contents.len().saturating_sub(CONTENTS));
        self.remember().await?;
        let commit = NewCommit {
            branch: BRANCH.to_owned(),
            from,
            base: self.draft.tip,
            files: self.draft.files.clone(),
            message: format!("ci: {}\n", render::REWRITE_TITLE),
        };
        let written = self
            .context
            .forge
            .commit_files(self.repository.key, &commit);
        match written.await {
            Ok(_) => {
                self.proposal.made = true;
                self.remember().await?;
                Ok(None)
            }
            Err(ForgeError::Denied { .. }) => Ok(Some(Proposed::Without(NoPull::NotGranted))),
            Err(ForgeError::Refused { message, .. }) => {
                let now = self.branch_tip().await?;
                anyhow::ensure!(now == from, "the branch of the bot moved meanwhile");
                Ok(Some(Proposed::Without(NoPull::NotAccepted(message))))
            }
            Err(error) => Err(error).context("write the branch of the rewrite"),
        }
    }

    async fn branch_tip(&self) -> anyhow::Result<Option<crate::engine::ids::ObjectId>> {
        let tip = self.context.forge.branch_tip(self.repository.key, BRANCH);
        tip.await.context("look for the branch of the rewrite")
    }

    /// Makes a pull from the branch say what there is to say of the rewrite.
    async fn bring_pull(&mut self) -> anyhow::Result<Proposed> {
        let (forge, repo) = (&self.context.forge, self.repository.key);
        let about = Description {
            title: render::REWRITE_TITLE.to_owned(),
            body: render::rewrite_pull(&self.rewriting())?,
        };
        let described = hash(&format!("{about:?}"));
        let open = forge.open_pulls(repo).await.context("list the pulls")?;
        let base = &self.repository.default_branch;
        let mut open = open.into_iter();
        let open = open.find(|it| it.head_ref == BRANCH && !it.from_fork && it.base_ref == *base);
        let opened = match open {
            Some(pull) => {
                let says_so =
                    self.proposal.described == described && self.proposal.pull == Some(pull.number);
                if !says_so && pull.author.kind == AuthorKind::Bot {
                    let written = forge.describe_pull(repo, pull.number, &about);
                    written.await.context("describe the pull of the rewrite")?;
                }
                Ok(pull.number)
            }
            None => self.open_pull(about).await?,
        };
        let number = match opened {
            Ok(number) => number,
            Err(why) => return Ok(Proposed::Without(why)),
        };
        self.proposal.pull = Some(number);
        self.proposal.described = described;
        Ok(Proposed::Stands(number))
    }

    async fn open_pull(&self, about: Description) -> anyhow::Result<Result<PullNumber, NoPull>> {
        let new = NewPull {
            head: BRANCH.to_owned(),
            base: self.repository.default_branch.clone(),
            about,
        };
        match self
            .context
            .forge
            .open_pull(self.repository.key, &new)
            .await
        {
            Ok(number) => Ok(Ok(number)),
            Err(ForgeError::Denied { .. }) => Ok(Err(NoPull::NotGranted)),
            Err(ForgeError::Refused { message, .. }) => Ok(Err(NoPull::NotAccepted(message))),
            Err(error) => Err(error).context("open the pull of the rewrite"),
        }
    }

    /// Answers who asked. Unasked, only people whose work is in the way are told.
    async fn tell(&self, outcome: &Proposed, asked: Option<AskedIn>) -> anyhow::Result<()> {
        let (context, repo) = (self.context, self.repository.key);
        let words = self.words(outcome);
        if let Some(asked) = asked {
            let place = at(asked.pull, asked.comment);
            return answer_command::reply(context, repo, place, (asked.comment, &words)).await;
        }
        tracing::info!(
            outcome = format!("{outcome:?}"),
            "the rewrite was looked at"
        );
        let Some(pull) = self
            .proposal
            .pull
            .filter(|_| matches!(outcome, Proposed::Kept))
        else {
            return Ok(());
        };
        let marker = render::reply_marker("rewrite");
        let said = context.forge.sticky_comment(repo, pull, &marker).await;
        if said.context("look for an earlier remark")?.is_none() {
            let body = format!("{marker}\n{words}");
            let written = context.forge.write_comment(repo, pull, None, &body).await;
            written.context("remark on the pull of the rewrite")?;
        }
        Ok(())
    }

    fn words(&self, outcome: &Proposed) -> String {
        let rewrites = &self.draft.rewrites;
        match outcome {
            Proposed::Nothing => render::rewrite_of_nothing(rewrites),
            Proposed::Unreadable(why) => render::rewrite_unreadable(why),
            Proposed::Stands(pull) => render::rewrite_stands(*pull, rewrites),
            Proposed::Kept => render::rewrite_kept(BRANCH, self.proposal.pull),
            Proposed::Without(why) => render::rewrite_patch(&self.rewriting(), why),
        }
    }

    fn rewriting(&self) -> Rewriting<'_> {
        Rewriting {
            rewrites: &self.draft.rewrites,
            branch: &self.repository.default_branch,
            app: self.context.app,
            required: self.draft.required.as_deref(),
        }
    }

    async fn remember(&self) -> anyhow::Result<()> {
        let proposal = self.proposal.clone();
        remember(self.context, self.repository.key, proposal).await
    }
}
