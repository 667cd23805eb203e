//! Brings what people see up to date: one check, and one comment or none.
//!
//! The comment is found by marker and author, edited in place, and not touched
//! when its text would be the same. A comment that has nothing left to say is
//! edited to say that, never deleted. Edits of one comment are a minute apart: an
//! edit that comes sooner is queued, and what comes until then joins it.

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::{Context, analyse_pull, audit_run, checks};
use crate::engine::ids::{PullNumber, RepoKey, Timestamp};
use crate::engine::plan::Plan;
use crate::forge::{AuthorKind, CommentId, ForgeError, Pull, PullState};
use crate::queue;
use crate::render::{self, About};
use crate::store::{self, NewTask, PullChange};

/// Writes the check for people and the comment.
pub async fn run(
    context: &Context,
    repo: RepoKey,
    number: PullNumber,
) -> anyhow::Result<Vec<NewTask>> {
    let Some(record) = context
        .store
        .pull(repo, number)
        .await
        .context("read the pull")?
    else {
        return Ok(Vec::new());
    };
    let Some(head) = record.planned.filter(|_| record.open) else {
        return Ok(Vec::new());
    };
    let Some(planned) = context
        .store
        .plan_at(repo, number, head)
        .await
        .context("read the plan")?
    else {
        return Ok(Vec::new());
    };
    let pull = match context.forge.pull(repo, number).await {
        Err(ForgeError::Missing { .. }) => return Ok(Vec::new()),
        other => other.context("read the pull")?,
    };
    // A plan of another head is not what people should read; its task is queued.
    if pull.state != PullState::Open || pull.head != head {
        return Ok(Vec::new());
    }
    let about = About {
        note: planned.note.clone(),
        findings: audit_run::open_findings(context, repo, head).await?,
        ..about(context, &pull, &record)
    };
    let check = checks::human(&planned.plan, &about).context("render the check")?;
    analyse_pull::write_check(context, repo, number, &record, check).await?;
    if let Some(body) = body(&planned.plan, &about, &record).context("render the comment")? {
        return write_comment(context, repo, &record, &body).await;
    }
    Ok(Vec::new())
}

/// SHA-256 in hex: equal means that nothing is written.
pub(super) fn hash(text: &str) -> String {
    hash_bytes(text.as_bytes())
}

/// The same of what need not be text.
pub(super) fn hash_bytes(bytes: &[u8]) -> String {
    crate::engine::fingerprint::Fingerprint(Sha256::digest(bytes).into()).to_string()
}

fn about(context: &Context, pull: &Pull, record: &store::Pull) -> About {
    About {
        link_base: context.link_base.clone(),
        draft: pull.draft,
        bot_author: pull.author.kind == AuthorKind::Bot,
        quiet: record.quiet,
        note: None,
        findings: Vec::new(),
    }
}

/// The text of the comment; `None` when there is none and nothing to say.
fn body(plan: &Plan, about: &About, record: &store::Pull) -> anyhow::Result<Option<String>> {
    if !render::is_silent(plan, about) {
        return Ok(Some(render::comment(plan, about)?));
    }
    Ok(if record.comment.is_some() {
        Some(render::resolved(plan)?)
    } else {
        None
    })
}

async fn write_comment(
    context: &Context,
    repo: RepoKey,
    record: &store::Pull,
    body: &str,
) -> anyhow::Result<Vec<NewTask>> {
    let hash = hash(body);
    if record
        .comment
        .as_ref()
        .is_some_and(|comment| comment.hash == hash)
    {
        return Ok(Vec::new());
    }
    let number = record.number;
    let due = due(context, record);
    if due > context.now() {
        let report = context.report(repo, number);
        return Ok(vec![NewTask { due, ..report }]);
    }
    let existing = existing(context, repo, record).await?;
    let written = match context
        .forge
        .write_comment(repo, number, existing, body)
        .await
    {
        Err(ForgeError::Missing { .. }) if existing.is_some() => {
            let change = PullChange::CommentLost;
            context
                .store
                .change_pull(repo, number, change, context.now())
                .await
                .context("forget the comment")?;
            context
                .forge
                .write_comment(repo, number, None, body)
                .await
                .context("write the comment again")?
        }
        other => other.context("write the comment")?,
    };
    let change = PullChange::Commented {
        id: written.at.id.0,
        hash,
    };
    context
        .store
        .change_pull(repo, number, change, context.now())
        .await
        .context("remember the comment")?;
    Ok(Vec::new())
}

/// When the comment may be written.
fn due(context: &Context, record: &store::Pull) -> Timestamp {
    let last = record.comment.as_ref().map(|comment| comment.at);
    queue::comment_due(last, context.now())
}

/// The comment that is there; one whose id was lost between write and record is
/// found again.
async fn existing(
    context: &Context,
    repo: RepoKey,
    record: &store::Pull,
) -> anyhow::Result<Option<CommentId>> {
    if let Some(comment) = &record.comment {
        return Ok(Some(CommentId(comment.id)));
    }
    let found = context
        .forge
        .sticky_comment(repo, record.number, render::MARKER)
        .await;
    let found = found.context("look for the comment")?;
    Ok(found.map(|comment| comment.at.id))
}
