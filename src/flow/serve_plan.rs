//! Tells a run of a pipeline what it may skip.
//!
//! The run has shown who it is; whether it is a run of that repository, at that head, for
//! that pull, is asked of the forge. A plan that is still being made is waited for, for
//! less time than the run has. What may be published is decided where the machine check
//! decides it, so that both always say the same.
//!
//! Nothing is stored, and every refusal means that every job runs.

use std::time::Duration;

use anyhow::Context as _;

use super::Context;
use super::publish::{Line, may_skip};
use crate::engine::ids::{ForgeKind, ObjectId, PullNumber};
use crate::engine::plan_line::{LIFETIME, WorkflowKey};
use crate::forge::ForgeError;
use crate::forge::github::Identity;
use crate::store::{Repository, RepositoryState};

/// How long a plan is waited for.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often the store is looked into meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

/// What a run asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The head that it says it tests.
    pub head: ObjectId,
    /// The gated workflow.
    pub workflow: WorkflowKey,
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// A plan line, without its end.
    Line(String),
    /// There is no plan for it: every job runs.
    Nothing,
    /// It may not ask; a sentence says why.
    Refused(&'static str),
}

/// Answers one run.
pub async fn run(
    context: &Context,
    identity: &Identity,
    question: &Question,
) -> anyhow::Result<Served> {
    let (store, github) = (&context.store, ForgeKind::Github);
    let repository = store.repository_numbered(github, identity.repository).await;
    let repository = repository.context("find the repository")?;
    let Some(repository) = repository.filter(|it| it.state == RepositoryState::Active) else {
        return Ok(Served::Refused(
            "the app is not installed in the repository of this run",
        ));
    };
    if identity.event != "pull_request" {
        return Ok(Served::Nothing);
    }
    let Some(pull) = pull_of(&identity.reference) else {
        return Ok(Served::Refused("the run is on no pull"));
    };
    if let Some(why) = foreign(context, &repository, (identity, question)).await? {
        return Ok(Served::Refused(why));
    }
    let waiting = wait(context, &repository, pull, question);
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(told) => told,
        Err(_late) => Ok(Served::Nothing),
    }
}

/// The pull of a merge ref
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request>).
fn pull_of(reference: &str) -> Option<PullNumber> {
    let number = reference
        .strip_prefix("refs/pull/")?
        .strip_suffix("/merge")?;
    number.parse().ok().map(PullNumber)
}

/// Why the run is not the one that it says it is; asked of the forge.
async fn foreign(
    context: &Context,
    repository: &Repository,
    (identity, question): (&Identity, &Question),
) -> anyhow::Result<Option<&'static str>> {
    let run = match context.forge.run(repository.key, identity.run).await {
        Err(ForgeError::Missing { .. }) => {
            return Ok(Some("the repository has no such run"));
        }
        other => other.context("read the run")?,
    };
    Ok(if run.head != question.head {
        Some("the run tests another head")
    } else if run.event != "pull_request" {
        Some("no pull started the run")
    } else if run.ended {
        Some("the run has ended")
    } else {
        None
    })
}

/// Waits until there is a plan for the pull as it is now.
async fn wait(
    context: &Context,
    repository: &Repository,
    pull: PullNumber,
    question: &Question,
) -> anyhow::Result<Served> {
    loop {
        if let Some(told) = look(context, repository, pull, question).await? {
            return Ok(told);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What there is to tell now; `None` while a plan is being made.
async fn look(
    context: &Context,
    repository: &Repository,
    number: PullNumber,
    question: &Question,
) -> anyhow::Result<Option<Served>> {
    let (store, key) = (&context.store, repository.key);
    // What a person or the operator said meanwhile counts.
    let repository = store.repository(key).await.context("read the repository")?;
    let pull = store.pull(key, number).await.context("read the pull")?;
    let planned = store.plan_at(key, number, question.head).await;
    let planned = planned.context("read the plan")?;
    let (Some(repository), Some((pull, planned))) = (repository, pull.zip(planned)) else {
        return Ok(None);
    };
    if pull.head != Some(question.head) {
        return Ok(Some(Served::Nothing));
    }
    if pull.open && planned.revision != pull.revision {
        return Ok(None);
    }
    let key = question.workflow.as_str();
    let Some(gated) = planned.gated.iter().find(|gated| gated.key == key) else {
        return Ok(Some(Served::Nothing));
    };
    let line = Line {
        gated,
        skips: may_skip(&repository, &pull, &planned),
    };
    let not_after = context.now().seconds().saturating_add(LIFETIME);
    let text = line.text((question.head, number), not_after);
    Ok(Some(text.map_or(Served::Nothing, Served::Line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_merge_of_a_pull_names_a_pull() {
        assert_eq!(pull_of("refs/pull/7/merge"), Some(PullNumber(7)));
        for reference in [
            "refs/pull/7/head",
            "refs/heads/main",
            "refs/pull//merge",
            "refs/pull/7/merge/x",
            "refs/pull/-7/merge",
        ] {
            assert_eq!(pull_of(reference), None, "{reference}");
        }
    }
}
