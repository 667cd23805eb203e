//! From an accepted delivery to the tasks that follow from it.
//!
//! An event only says where to look. What is remembered here is which repository
//! and which head exist; everything else is read when the task runs.

use anyhow::Context as _;

use super::{Context, analyse_pull, publish};
use crate::engine::command;
use crate::engine::history::run::JobRun;
use crate::engine::ids::{ForgeKind, InstallationId, ObjectId, PullNumber, RepoKey};
use crate::forge::event::{
    ForgeEvent, InstallationChange, InstallationEvent, PullChange, RepoEvent, RepoEventKind,
};
use crate::forge::{Author, AuthorKind, CommentPlace, CommentRef, github};
use crate::store::{self, Cause, DeliveryId, NewTask, Scope, TaskKind};

/// Reads a delivery and says what is to be done.
pub async fn run(
    context: &Context,
    forge: ForgeKind,
    id: &DeliveryId,
) -> anyhow::Result<Vec<NewTask>> {
    let Some((delivery, body)) = context
        .store
        .delivery(forge, id)
        .await
        .context("read the delivery")?
    else {
        return Ok(Vec::new());
    };
    if delivery.done.is_some() {
        return Ok(Vec::new());
    }
    let event = github::payload::event(&delivery.event, id.as_str(), &body);
    match event.context("read the payload of the delivery")? {
        None => Ok(Vec::new()),
        Some(ForgeEvent::Repo(event)) => repo_event(context, event).await,
        Some(ForgeEvent::Installation(event)) => installation_event(context, forge, event).await,
    }
}

async fn repo_event(context: &Context, event: RepoEvent) -> anyhow::Result<Vec<NewTask>> {
    let repo = event.repo;
    let known = context
        .store
        .repository(repo)
        .await
        .context("read the repository")?;
    let is_active = |known: &store::Repository| known.state == store::RepositoryState::Active;
    let returns = matches!(
        event.kind,
        RepoEventKind::Repository(crate::forge::event::RepositoryChange::Unarchived)
    );
    // A transferred or removed repository stays so until an installation gives it again.
    if !known.as_ref().is_none_or(is_active) && !returns {
        return Ok(Vec::new());
    }
    if known.as_ref().is_none_or(|known| is_news(known, &event)) {
        let seen = store::RepositoryChange::Seen {
            full_name: event.path,
            default_branch: event.default_branch,
        };
        let changed = context.store.change_repository(repo, seen, context.now());
        changed.await.context("remember the repository")?;
    }
    let mut tasks = match event.kind {
        RepoEventKind::Pull {
            number,
            head,
            change,
        } => pull(context, repo, (number, head), &change).await?,
        RepoEventKind::Comment {
            at,
            author,
            body,
            head,
        } => commented(context, repo, (at, author, body), head).await?,
        RepoEventKind::CheckRerequested { head, .. } | RepoEventKind::CheckAction { head, .. } => {
            rerequested(context, repo, head).await?
        }
        RepoEventKind::RunEnded { run, attempt } => {
            vec![context.task(repo, TaskKind::IngestRun { run, attempt })]
        }
        RepoEventKind::JobEnded(job) => job_ended(context, repo, *job).await?,
        RepoEventKind::Push { branch, .. } => push(context, repo, &branch).await?,
        RepoEventKind::Repository(change) => repository_change(context, repo, change).await?,
    };
    if known.is_none_or(|known| known.synced.is_none()) {
        tasks.push(context.task(repo, TaskKind::SyncRepo));
    }
    Ok(tasks)
}

/// Whether a delivery says something new of its repository; most do not, and what is
/// not written costs no flush.
fn is_news(known: &store::Repository, event: &RepoEvent) -> bool {
    known.state != store::RepositoryState::Active
        || known.full_name != event.path
        || known.default_branch != event.default_branch
}

async fn pull(
    context: &Context,
    repo: RepoKey,
    (number, head): (PullNumber, ObjectId),
    change: &PullChange,
) -> anyhow::Result<Vec<NewTask>> {
    if matches!(change, PullChange::Closed | PullChange::Merged) {
        return analyse_pull::close(context, repo, number).await;
    }
    let seen = store::PullChange::Seen(head);
    context
        .store
        .change_pull(repo, number, seen, context.now())
        .await
        .context("remember the pull")?;
    let kind = TaskKind::AnalysePull {
        pull: number,
        head: Some(head),
        cause: Cause::Event,
    };
    Ok(vec![context.task(repo, kind)])
}

async fn commented(
    context: &Context,
    repo: RepoKey,
    (at, author, body): (CommentRef, Author, String),
    head: Option<ObjectId>,
) -> anyhow::Result<Vec<NewTask>> {
    // What a plain comment was said of, as far as it is known: the last head.
    let head = match head {
        Some(head) => Some(head),
        None => last_head(context, repo, at.pull).await?,
    };
    let task = comment(context, at, (author, body), head);
    let tasks = task.into_iter().map(|kind| context.task(repo, kind));
    Ok(tasks.collect())
}

/// A task only for a person's comment that speaks to the bot.
fn comment(
    context: &Context,
    at: CommentRef,
    (author, body): (Author, String),
    head: Option<ObjectId>,
) -> Option<TaskKind> {
    let speaks = command::parse(&body, context.mention.as_deref()).is_some();
    let line = command::first_line(&body);
    let kind = TaskKind::AnswerCommand {
        pull: at.pull,
        comment: stored(at),
        author: author.login,
        line,
        head,
    };
    (speaks && author.kind == AuthorKind::User).then_some(kind)
}

async fn last_head(
    context: &Context,
    repo: RepoKey,
    pull: PullNumber,
) -> anyhow::Result<Option<ObjectId>> {
    let known = context.store.pull(repo, pull).await;
    Ok(known.context("read the pull")?.and_then(|pull| pull.head))
}

/// Somebody asked for a check again: every pull at that head.
async fn rerequested(
    context: &Context,
    repo: RepoKey,
    head: ObjectId,
) -> anyhow::Result<Vec<NewTask>> {
    let pulls = context
        .store
        .pulls_at(repo, head)
        .await
        .context("find the pulls of a head")?;
    let kind = |pull| TaskKind::AnalysePull {
        pull,
        head: Some(head),
        cause: Cause::Asked,
    };
    Ok(pulls
        .into_iter()
        .map(|pull| context.task(repo, kind(pull)))
        .collect())
}

/// Only the default branch is kept warm.
async fn push(context: &Context, repo: RepoKey, branch: &str) -> anyhow::Result<Vec<NewTask>> {
    let known = context
        .store
        .repository(repo)
        .await
        .context("read the repository")?;
    let is_default = known.is_some_and(|known| known.default_branch == branch);
    let mut tasks = publish::base_moved(context, repo, branch).await?;
    if is_default {
        tasks.push(context.task(repo, TaskKind::SyncRepo));
    }
    Ok(tasks)
}

/// A job's end is all that there is to say of it, so it is kept as it came.
async fn job_ended(context: &Context, repo: RepoKey, job: JobRun) -> anyhow::Result<Vec<NewTask>> {
    let kept = context.store.record_job(repo, job, context.now());
    kept.await.context("keep the job")?;
    Ok(Vec::new())
}

async fn repository_change(
    context: &Context,
    repo: RepoKey,
    change: crate::forge::event::RepositoryChange,
) -> anyhow::Result<Vec<NewTask>> {
    use crate::forge::event::RepositoryChange as Change;
    let change = match change {
        Change::Renamed | Change::Edited => return Ok(Vec::new()),
        Change::Unarchived => return Ok(vec![context.task(repo, TaskKind::SyncRepo)]),
        // A transferred repository may belong to somebody who never agreed.
        Change::Transferred | Change::Archived => store::RepositoryChange::Suspended,
        Change::Deleted => store::RepositoryChange::Removed,
    };
    context
        .store
        .change_repository(repo, change, context.now())
        .await
        .context("remember the repository")?;
    Ok(Vec::new())
}

async fn installation_event(
    context: &Context,
    forge: ForgeKind,
    event: InstallationEvent,
) -> anyhow::Result<Vec<NewTask>> {
    let installation = event.installation;
    let change = match event.change {
        InstallationChange::Deleted => Some(store::InstallationChange::Removed),
        InstallationChange::Suspended => Some(store::InstallationChange::Suspended),
        InstallationChange::Unsuspended => Some(store::InstallationChange::Unsuspended),
        InstallationChange::Removed(repos) => {
            for repo in repos {
                let key = RepoKey {
                    forge,
                    installation,
                    repo,
                };
                let change = store::RepositoryChange::Removed;
                context
                    .store
                    .change_repository(key, change, context.now())
                    .await
                    .context("forget the repository")?;
            }
            None
        }
        InstallationChange::Created(_)
        | InstallationChange::Added(_)
        | InstallationChange::PermissionsAccepted => {
            return Ok(vec![sync_installation(context, forge, installation)]);
        }
    };
    if let Some(change) = change {
        let changed = context
            .store
            .change_installation(forge, installation, change, context.now())
            .await;
        changed.context("remember the installation")?;
    }
    Ok(Vec::new())
}

/// The task that reads which repositories an installation gives.
pub(super) fn sync_installation(
    context: &Context,
    forge: ForgeKind,
    installation: InstallationId,
) -> NewTask {
    let scope = Scope {
        forge,
        installation: Some(installation),
        repo: None,
    };
    NewTask {
        scope,
        kind: TaskKind::SyncInstallation,
        due: context.now(),
    }
}

fn stored(at: CommentRef) -> store::CommentRef {
    match at.place {
        CommentPlace::Conversation => store::CommentRef::Comment(at.id.0),
        CommentPlace::Review => store::CommentRef::Review(at.id.0),
    }
}
