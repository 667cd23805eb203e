//! Carries out one command of a comment.
//!
//! The comment is read again, so that what counts is what stands there and who
//! wrote it; permission is asked of the forge now, not read from a payload. A
//! reaction says what became of it; words come only with a refusal, a
//! misunderstanding or a question.

mod rule;

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Context as _;

use self::rule::rule;
use super::analyse_pull::{self, Matter};
use super::{Context, publish, savings, tell_skip};
use crate::engine::command::{self, Command, NotUnderstood, Scope, Span};
use crate::engine::ids::{ObjectId, PullNumber, RepoKey, Timestamp};
use crate::engine::plan::Plan;
use crate::forge::{
    Author, AuthorKind, CommentId, CommentPlace, CommentRef, ForgeError, Pull, PullState, Reaction,
};
use crate::render;
use crate::store::{
    self, AskedIn, AuditEntry, AuditFilter, Cause, ForcedJob, NewTask, PullChange,
    RepositoryChange, RunAll, Scope as StoreScope, TaskKind, ToldSkip,
};

/// A command as its delivery announced it.
#[derive(Debug, Clone)]
pub struct Said {
    /// Where it stands.
    pub at: store::CommentRef,
    /// The first line of the comment.
    pub line: String,
    /// The head at that time, as far as it is known.
    pub head: Option<ObjectId>,
}

/// What a command came to.
enum Response {
    /// It was done; these tasks follow.
    Done(Vec<NewTask>),
    /// It was a question; this is the answer.
    Answered(String),
    /// The person may not, or not now; this is why, in our words.
    Refused(Cow<'static, str>),
    /// It was not understood; this is what was meant, perhaps.
    Unclear(String),
}

/// Carries out the command of a comment.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
    said: &Said,
) -> anyhow::Result<Vec<NewTask>> {
    let at = at(number, said.at);
    let comment = match context.forge.comment(repo, at).await {
        Err(ForgeError::Missing { .. }) => return Ok(Vec::new()),
        other => other.context("read the comment")?,
    };
    // Whoever edited a comment need not be its author. A review does not say that it
    // was edited, and a comment not within its first second.
    let changed = comment.edited || command::first_line(&comment.body) != said.line;
    if changed || comment.author.kind != AuthorKind::User {
        return Ok(Vec::new());
    }
    let Some(parsed) = command::parse(&comment.body, context.mention.as_deref()) else {
        return Ok(Vec::new());
    };
    // There is no answer, not even a reaction: the forge lets us write only so often.
    if asks_too_much(context, repo, (&comment.author, &parsed), said).await? {
        return Ok(Vec::new());
    }
    context
        .forge
        .react(repo, at, Reaction::Eyes)
        .await
        .context("react to the comment")?;
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
        said,
        written: comment.written,
    };
    let response = asking.response(parsed).await?;
    finish(context, repo, at, (said.at, response)).await
}

async fn finish(
    context: &Context,
    repo: RepoKey,
    at: CommentRef,
    (stored, response): (store::CommentRef, Response),
) -> anyhow::Result<Vec<NewTask>> {
    let (reaction, tasks, words) = match response {
        Response::Done(tasks) => (Reaction::ThumbsUp, tasks, None),
        Response::Answered(text) => (Reaction::ThumbsUp, Vec::new(), Some(text)),
        Response::Refused(why) => (
            Reaction::ThumbsDown,
            Vec::new(),
            Some(render::refused(&why)),
        ),
        Response::Unclear(text) => (Reaction::Confused, Vec::new(), Some(text)),
    };
    context
        .forge
        .react(repo, at, reaction)
        .await
        .context("react to the comment")?;
    if let Some(words) = words {
        reply(context, repo, at, (stored, &words)).await?;
    }
    Ok(tasks)
}

/// Says something once, however often this is tried: an answer that was given before
/// is found by its mark.
pub(super) async fn reply(
    context: &Context,
    repo: RepoKey,
    at: CommentRef,
    (stored, words): (store::CommentRef, &str),
) -> anyhow::Result<()> {
    let marker = render::reply_marker(&stored.to_string());
    let given = context.forge.sticky_comment(repo, at.pull, &marker).await;
    if given.context("look for an earlier answer")?.is_some() {
        return Ok(());
    }
    let body = format!("{marker}\n{words}");
    let replied = context.forge.reply(repo, at, &body).await;
    replied.map(drop).context("reply to the comment")
}

pub(super) fn at(pull: PullNumber, stored: store::CommentRef) -> CommentRef {
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
    said: &'a Said,
    written: Option<Timestamp>,
}

/// How many questions, slips and refusals of one person are answered in [`RECENTLY`]: each
/// costs three writes of the 500 that an installation has in an hour, so that one person
/// takes 180 of them.
const ANSWERS: usize = 20;

/// See [`ANSWERS`].
const RECENTLY: Duration = Duration::from_mins(20);

/// Whether a person was answered so often of late that this stays without an answer. What
/// they may order is carried out however often they do.
async fn asks_too_much(
    context: &Context,
    repo: RepoKey,
    (author, parsed): (&Author, &Result<Command, NotUnderstood>),
    said: &Said,
) -> anyhow::Result<bool> {
    let (scope, id) = (StoreScope::from(repo), said.at.to_string());
    let act = context.store.act(scope, &id).await;
    if act.context("look into the audit log")?.is_some() {
        return Ok(false);
    }
    let (since, limit) = (context.now().before(RECENTLY), ANSWERS * 5);
    let recent = context.store.audit(AuditFilter { repo, limit }).await;
    let recent = recent.context("look into the audit log")?;
    let theirs = |entry: &&AuditEntry| entry.at >= since && entry.actor == author.login;
    let theirs: Vec<&AuditEntry> = recent.iter().filter(theirs).collect();
    let refused = theirs.iter().filter(|entry| entry.outcome != DONE).count();
    let asks = parsed.as_ref().map_or(true, is_question);
    Ok(refused >= ANSWERS || asks && theirs.len() >= ANSWERS)
}

impl Asking<'_> {
    /// Carries out what was said, once: a delivery that is sent again, or under
    /// another name, only makes the same be computed again.
    async fn response(&self, parsed: Result<Command, NotUnderstood>) -> anyhow::Result<Response> {
        let (store, scope) = (&self.context.store, StoreScope::from(self.repo));
        let act = store.act(scope, &self.said.at.to_string()).await;
        let act = act.context("look into the audit log")?;
        let response = match (parsed, &act) {
            (Err(fault), _) => Response::Unclear(render::not_understood(&fault)),
            (Ok(command), Some(act)) if !is_question(&command) => self.again(&command, act).await?,
            (Ok(command), _) => self.carry_out(&command).await?,
        };
        if act.is_none() {
            self.audit(&response).await?;
        }
        Ok(response)
    }

    /// What follows from a command that was carried out or refused before: the same as
    /// then, since whatever failed after it was remembered took its tasks along.
    async fn again(&self, command: &Command, act: &AuditEntry) -> anyhow::Result<Response> {
        if act.outcome != DONE {
            let why = act.outcome.strip_prefix(REFUSED);
            let why = why.unwrap_or("it was refused when it was said");
            return Ok(Response::Refused(why.to_owned().into()));
        }
        let tasks = match command {
            Command::Pause(Scope::Repository) | Command::Resume(Scope::Repository) => {
                publish::withdraw_all(self.context, self.repo).await?
            }
            Command::Rewrite => vec![self.rewrite()],
            _ => vec![self.analyse()],
        };
        Ok(Response::Done(tasks))
    }

    async fn carry_out(&self, command: &Command) -> anyhow::Result<Response> {
        if self.pull.state != PullState::Open && !matches!(command, Command::Help | Command::Status)
        {
            return Ok(Response::Refused("this pull is not open".into()));
        }
        // A push between the comment and now voids what was bound to the old head.
        if self.said.head.is_some_and(|head| head != self.pull.head) && is_bound_to_head(command) {
            return Ok(Response::Refused(
                "the head has moved since; say it again for the new head".into(),
            ));
        }
        if let Some(refusal) = self.refusal(command).await? {
            return Ok(Response::Refused(refusal.into()));
        }
        match command {
            Command::Help => Ok(Response::Answered(render::help())),
            Command::Status => self.status().await,
            Command::Why(subject) => self.why(subject).await,
            Command::Plan => Ok(Response::Done(vec![self.analyse()])),
            Command::Rewrite => Ok(Response::Done(vec![self.rewrite()])),
            Command::RunAll(Span::Head) => {
                self.change_pull(PullChange::RunAll(RunAll::Head(self.pull.head)))
                    .await
            }
            Command::RunAll(Span::Pull) => {
                self.change_pull(PullChange::RunAll(RunAll::Always)).await
            }
            Command::Run(jobs) => self.force(jobs).await,
            Command::Skip { job, reason } => self.tell(job, reason).await,
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

    async fn status(&self) -> anyhow::Result<Response> {
        let plan = match self.plan().await? {
            Some(plan) => render::status(&plan)?,
            None => render::no_plan(),
        };
        let savings = savings::of_late(self.context, self.repo).await?;
        let saved = render::savings(&savings, savings::DAYS);
        Ok(Response::Answered(format!("{plan}\n{saved}")))
    }

    /// The chain that the command line prints, from the same analysis.
    async fn why(&self, subject: &str) -> anyhow::Result<Response> {
        let store = &self.context.store;
        let plan = self.plan().await?;
        let record = store.pull(self.repo, self.pull.number).await;
        let repository = store.repository(self.repo).await;
        let (Some(plan), Some(record), Some(repository)) = (
            plan.filter(analyse_pull::rests_on_trees),
            record.context("read the pull")?,
            repository.context("read the repository")?,
        ) else {
            return Ok(Response::Answered(render::no_plan()));
        };
        let matter = Matter {
            repository,
            pull: self.pull.clone(),
            record,
            base: Some(plan.base),
            lots: analyse_pull::lots(self.context, self.repo, self.pull.number).await?,
        };
        let answer = analyse_pull::answer(self.context, matter).await?;
        let text = render::why(&answer.plan, &answer.merge, subject);
        Ok(Response::Answered(text))
    }

    async fn plan(&self) -> anyhow::Result<Option<Plan>> {
        let record = self
            .context
            .store
            .plan_at(self.repo, self.pull.number, self.pull.head)
            .await;
        Ok(record.context("read the plan")?.map(|record| record.plan))
    }

    async fn force(&self, jobs: &[String]) -> anyhow::Result<Response> {
        if let Some(plan) = self.plan().await?.filter(analyse_pull::rests_on_trees) {
            let has = |job: &&String| {
                let mut plans = plan.jobs.iter();
                plans.any(|it| tell_skip::is_of((&it.workflow, &it.job), job))
            };
            if !jobs.iter().all(|job| has(&job)) {
                return Ok(Response::Refused(
                    "this pull starts no job with that id; the check `trimtab` lists them".into(),
                ));
            }
        }
        for job in jobs {
            let forced = ForcedJob {
                head: self.pull.head,
                job: job.clone(),
            };
            self.change_pull(PullChange::JobForced(forced)).await?;
        }
        Ok(Response::Done(vec![self.analyse()]))
    }

    async fn tell(&self, job: &str, reason: &str) -> anyhow::Result<Response> {
        let asked = (job, self.written);
        let refusal = tell_skip::refusal(self.context, self.repo, self.pull, asked).await?;
        if let Some(refusal) = refusal {
            return Ok(Response::Refused(refusal.into()));
        }
        let skip = ToldSkip {
            head: self.pull.head,
            job: job.to_owned(),
            by: self.author.login.clone(),
            reason: reason.to_owned(),
        };
        self.change_pull(PullChange::Told(skip)).await
    }

    async fn change_pull(&self, change: PullChange) -> anyhow::Result<Response> {
        let (store, now) = (&self.context.store, self.context.now());
        let changed = store
            .change_pull(self.repo, self.pull.number, change, now)
            .await;
        let pull = changed.context("remember the command")?;
        publish::withdraw(self.context, &pull).await?;
        Ok(Response::Done(vec![self.analyse()]))
    }

    /// Every open pull is planned again: what was published must not outlive a pause.
    async fn change_repository(&self, change: RepositoryChange) -> anyhow::Result<Response> {
        let (store, now) = (&self.context.store, self.context.now());
        store
            .change_repository(self.repo, change, now)
            .await
            .context("remember the command")?;
        let tasks = publish::withdraw_all(self.context, self.repo).await?;
        Ok(Response::Done(tasks))
    }

    fn analyse(&self) -> NewTask {
        let kind = TaskKind::AnalysePull {
            pull: self.pull.number,
            head: Some(self.pull.head),
            cause: Cause::Asked,
        };
        self.context.task(self.repo, kind)
    }

    /// Proposes the rewrite, and answers with what came of it.
    fn rewrite(&self) -> NewTask {
        let asked = Some(AskedIn {
            pull: self.pull.number,
            comment: self.said.at,
        });
        self.context
            .task(self.repo, TaskKind::ProposeRewrite { asked })
    }

    async fn audit(&self, response: &Response) -> anyhow::Result<()> {
        let entry = AuditEntry {
            id: self.said.at.to_string(),
            scope: StoreScope::from(self.repo),
            pull: Some(self.pull.number),
            head: Some(self.pull.head),
            actor: self.author.login.clone(),
            act: self.said.line.chars().take(300).collect(),
            outcome: match response {
                Response::Done(_) | Response::Answered(_) => DONE.to_owned(),
                Response::Refused(why) => format!("{REFUSED}{why}"),
                Response::Unclear(_) => "not understood".to_owned(),
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

/// How the audit log says that a command was carried out.
const DONE: &str = "done";
/// How it begins to say that a command was refused; the reason follows.
const REFUSED: &str = "refused: ";

/// Whether a command only asks; it may be carried out again.
fn is_question(command: &Command) -> bool {
    matches!(command, Command::Help | Command::Status | Command::Why(_))
}

fn is_bound_to_head(command: &Command) -> bool {
    matches!(
        command,
        Command::RunAll(Span::Head) | Command::Run(_) | Command::Skip { .. }
    )
}
