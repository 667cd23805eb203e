//! Carries out one command of a comment.
//!
//! The comment is read again, so that what counts is what stands there and who
//! wrote it; permission is asked of the forge now, not read from a payload. A
//! reaction says what became of it; words come only with a refusal, a
//! misunderstanding or a question.

use anyhow::Context as _;

use super::Context;
use crate::engine::command::{self, Command, Scope, Span};
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::engine::plan::Plan;
use crate::forge::{
    Author, AuthorKind, Comment, CommentId, CommentPlace, CommentRef, ForgeError, Permission, Pull,
    PullState, Reaction,
};
use crate::render;
use crate::store::{
    self, AuditEntry, Cause, ForcedJob, NewTask, PullChange, RepositoryChange, RunAll,
    Scope as StoreScope, TaskKind,
};

/// What a command came to.
enum Outcome {
    /// It was done; these tasks follow.
    Done(Vec<NewTask>),
    /// It was a question; this is the answer.
    Answered(String),
    /// The person may not, or not now; this is why, in our words.
    Refused(&'static str),
}

/// Carries out the command of a comment.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
    stored: store::CommentRef,
    announced_head: Option<ObjectId>,
) -> anyhow::Result<Vec<NewTask>> {
    let at = at(number, stored);
    let comment = match context.forge.comment(repo, at).await {
        Err(ForgeError::Missing { .. }) => return Ok(Vec::new()),
        other => other.context("read the comment")?,
    };
    // Whoever edited a comment need not be its author.
    if comment.edited || comment.author.kind != AuthorKind::User {
        return Ok(Vec::new());
    }
    let Some(parsed) = command::parse(&comment.body, context.mention.as_deref()) else {
        return Ok(Vec::new());
    };
    context
        .forge
        .react(repo, at, Reaction::Eyes)
        .await
        .context("react to the comment")?;
    let command = match parsed {
        Ok(command) => command,
        Err(fault) => {
            context
                .forge
                .react(repo, at, Reaction::Confused)
                .await
                .context("react to the comment")?;
            reply(context, repo, at, &render::not_understood(&fault)).await?;
            return Ok(Vec::new());
        }
    };
    let pull = context
        .forge
        .pull(repo, number)
        .await
        .context("read the pull")?;
    let asking = Asking {
        context,
        repo,
        pull: &pull,
        author: &comment.author,
        announced_head,
    };
    let outcome = asking.carry_out(&command).await?;
    asking.audit(&comment, stored, &outcome).await?;
    finish(context, repo, at, outcome).await
}

async fn finish(
    context: &Context,
    repo: RepoKey,
    at: CommentRef,
    outcome: Outcome,
) -> anyhow::Result<Vec<NewTask>> {
    let (reaction, tasks, words) = match outcome {
        Outcome::Done(tasks) => (Reaction::ThumbsUp, tasks, None),
        Outcome::Answered(text) => (Reaction::ThumbsUp, Vec::new(), Some(text)),
        Outcome::Refused(why) => (Reaction::ThumbsDown, Vec::new(), Some(render::refused(why))),
    };
    context
        .forge
        .react(repo, at, reaction)
        .await
        .context("react to the comment")?;
    if let Some(words) = words {
        reply(context, repo, at, &words).await?;
    }
    Ok(tasks)
}

/// A reply that may have arrived is not sent again.
async fn reply(
    context: &Context,
    repo: RepoKey,
    at: CommentRef,
    words: &str,
) -> anyhow::Result<()> {
    match context.forge.reply(repo, at, words).await {
        Err(ForgeError::Unavailable { source, .. }) => {
            tracing::warn!(
                error = format!("{source:#}"),
                "a reply may be lost and is not repeated"
            );
            Ok(())
        }
        other => other.map(drop).context("reply to the comment"),
    }
}

fn at(pull: PullNumber, stored: store::CommentRef) -> CommentRef {
    let (id, place) = match stored {
        store::CommentRef::Comment(id) => (id, CommentPlace::Conversation),
        store::CommentRef::Review(id) => (id, CommentPlace::Review),
    };
    CommentRef {
        pull,
        id: CommentId(id),
        place,
    }
}

/// Who asks, about which pull.
struct Asking<'a> {
    context: &'a Context,
    repo: RepoKey,
    pull: &'a Pull,
    author: &'a Author,
    announced_head: Option<ObjectId>,
}

impl Asking<'_> {
    async fn carry_out(&self, command: &Command) -> anyhow::Result<Outcome> {
        if self.pull.state != PullState::Open && !matches!(command, Command::Help | Command::Status)
        {
            return Ok(Outcome::Refused("this pull is not open"));
        }
        // A push between the comment and now voids what was bound to the old head.
        if self
            .announced_head
            .is_some_and(|head| head != self.pull.head)
            && is_bound_to_head(command)
        {
            return Ok(Outcome::Refused(
                "the head has moved since; say it again for the new head",
            ));
        }
        if let Some(refusal) = self.refusal(command).await? {
            return Ok(Outcome::Refused(refusal));
        }
        match command {
            Command::Help => Ok(Outcome::Answered(render::help())),
            Command::Status => self.status().await,
            Command::Why(subject) => self.why(subject).await,
            Command::Plan => Ok(Outcome::Done(vec![self.analyse()])),
            Command::RunAll(Span::Head) => {
                self.change_pull(PullChange::RunAll(RunAll::Head(self.pull.head)))
                    .await
            }
            Command::RunAll(Span::Pull) => {
                self.change_pull(PullChange::RunAll(RunAll::Always)).await
            }
            Command::Run(jobs) => self.force(jobs).await,
            Command::Quiet => self.change_pull(PullChange::Quieted).await,
            Command::Pause(Scope::Pull) => self.change_pull(PullChange::Paused).await,
            Command::Resume(Scope::Pull) => self.change_pull(PullChange::Resumed).await,
            Command::Pause(Scope::Repository) => {
                self.change_repository(RepositoryChange::Paused).await
            }
            Command::Resume(Scope::Repository) => {
                self.change_repository(RepositoryChange::Resumed).await
            }
        }
    }

    /// Why the person may not; `None` when they may.
    async fn refusal(&self, command: &Command) -> anyhow::Result<Option<&'static str>> {
        let Some(rule) = rule(command, self.pull.from_fork) else {
            return Ok(None);
        };
        let is_author = self.author.id == self.pull.author.id;
        if rule.author && is_author {
            return Ok(None);
        }
        let permission = self
            .context
            .forge
            .permission(self.repo, self.author)
            .await
            .context("ask for permission")?;
        Ok((permission < rule.least).then_some(rule.refusal))
    }

    async fn status(&self) -> anyhow::Result<Outcome> {
        let answer = match self.plan().await? {
            Some(plan) => render::status(&plan)?,
            None => render::no_plan(),
        };
        Ok(Outcome::Answered(answer))
    }

    async fn why(&self, subject: &str) -> anyhow::Result<Outcome> {
        let answer = match self.plan().await? {
            Some(plan) => render::why(&plan, subject)?,
            None => render::no_plan(),
        };
        Ok(Outcome::Answered(answer))
    }

    async fn plan(&self) -> anyhow::Result<Option<Plan>> {
        let record = self
            .context
            .store
            .plan_at(self.repo, self.pull.number, self.pull.head)
            .await;
        Ok(record.context("read the plan")?.map(|record| record.plan))
    }

    async fn force(&self, jobs: &[String]) -> anyhow::Result<Outcome> {
        for job in jobs {
            let forced = ForcedJob {
                head: self.pull.head,
                job: job.clone(),
            };
            self.change_pull(PullChange::JobForced(forced)).await?;
        }
        Ok(Outcome::Done(vec![self.analyse()]))
    }

    async fn change_pull(&self, change: PullChange) -> anyhow::Result<Outcome> {
        let (store, now) = (&self.context.store, self.context.now());
        let changed = store
            .change_pull(self.repo, self.pull.number, change, now)
            .await;
        changed.context("remember the command")?;
        Ok(Outcome::Done(vec![self.analyse()]))
    }

    /// Every open pull is planned again: what was published must not outlive a pause.
    async fn change_repository(&self, change: RepositoryChange) -> anyhow::Result<Outcome> {
        let (store, now) = (&self.context.store, self.context.now());
        store
            .change_repository(self.repo, change, now)
            .await
            .context("remember the command")?;
        let pulls = store
            .open_pulls(self.repo)
            .await
            .context("list the open pulls")?;
        let task = |pull: store::Pull| {
            let kind = TaskKind::AnalysePull {
                pull: pull.number,
                head: pull.head,
                cause: Cause::Refresh,
            };
            self.context.task(self.repo, kind)
        };
        Ok(Outcome::Done(pulls.into_iter().map(task).collect()))
    }

    fn analyse(&self) -> NewTask {
        let kind = TaskKind::AnalysePull {
            pull: self.pull.number,
            head: Some(self.pull.head),
            cause: Cause::Asked,
        };
        self.context.task(self.repo, kind)
    }

    async fn audit(
        &self,
        comment: &Comment,
        stored: store::CommentRef,
        outcome: &Outcome,
    ) -> anyhow::Result<()> {
        let entry = AuditEntry {
            id: stored.to_string(),
            scope: StoreScope::from(self.repo),
            pull: Some(self.pull.number),
            head: Some(self.pull.head),
            actor: self.author.login.clone(),
            act: comment
                .body
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(300)
                .collect(),
            outcome: match outcome {
                Outcome::Done(_) | Outcome::Answered(_) => "done".to_owned(),
                Outcome::Refused(why) => format!("refused: {why}"),
            },
            at: self.context.now(),
        };
        self.context
            .store
            .append_audit(entry)
            .await
            .context("write the audit log")?;
        Ok(())
    }
}

fn is_bound_to_head(command: &Command) -> bool {
    matches!(command, Command::RunAll(Span::Head) | Command::Run(_))
}

/// Who may say a command.
struct Rule {
    /// The pull's author may, whatever their permission.
    author: bool,
    /// Anybody with at least this permission may.
    least: Permission,
    /// Said to everybody else.
    refusal: &'static str,
}

/// The rule for a command; `None` when anybody may. Commands that make CI run
/// on a fork's code need the permission to write, also from the author.
fn rule(command: &Command, from_fork: bool) -> Option<Rule> {
    let rule = |author, least, refusal| {
        Some(Rule {
            author,
            least,
            refusal,
        })
    };
    match command {
        Command::Help | Command::Status | Command::Why(_) => None,
        Command::RunAll(_) | Command::Run(_) if from_fork => rule(
            false,
            Permission::Write,
            "on a pull of a fork, only people who may write can ask for jobs",
        ),
        Command::Plan | Command::RunAll(_) | Command::Run(_) => rule(
            true,
            Permission::Triage,
            "only the author, or people who may triage, can ask for that",
        ),
        Command::Quiet => rule(
            true,
            Permission::Admin,
            "only the author can fold the comment",
        ),
        Command::Pause(Scope::Pull) | Command::Resume(Scope::Pull) => rule(
            false,
            Permission::Write,
            "only people who may write can pause or resume a pull",
        ),
        Command::Pause(Scope::Repository) | Command::Resume(Scope::Repository) => rule(
            false,
            Permission::Maintain,
            "only maintainers can pause or resume the repository",
        ),
    }
}
