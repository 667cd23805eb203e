//! A branch of ours, and the pull from it, on GitHub.
//!
//! A commit is put together of a tree and its parents before any branch names it, and a
//! reference is never forced: GitHub itself refuses to move a branch on which somebody
//! pushed meanwhile. Moving a branch forward to a base that has moved is a merge, with
//! the branch as its first parent.

use http::Method;
use serde_json::Value;

use super::auth::{Access, Purpose, RepoCall};
use super::payload::answers::{CommitAnswer, MadeAnswer, PullAnswer, ReferenceAnswer};
use super::payload::requests;
use crate::engine::ids::{ObjectId, PullNumber, RepoKey};
use crate::forge::proposals::{DESCRIPTION_MAX, Description, NewCommit, NewPull};
use crate::forge::{ForgeError, Pull};

const BRANCH: &str = "a branch of the bot";
const COMMIT: &str = "a commit of the bot";
const PULL: &str = "a pull of the bot";

pub(super) async fn tip(
    access: &Access,
    repo: RepoKey,
    branch: &str,
) -> Result<Option<ObjectId>, ForgeError> {
    let below = format!("/git/ref/heads/{}", segments(branch));
    let call = RepoCall::read(BRANCH, Purpose::Clone, below);
    match access.repo(repo, call).await {
        Ok(answer) => Ok(Some(answer.json::<ReferenceAnswer>()?.object.sha)),
        Err(ForgeError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn commit(
    access: &Access,
    repo: RepoKey,
    commit: &NewCommit,
) -> Result<ObjectId, ForgeError> {
    let below = format!("/git/commits/{}", commit.base);
    let call = RepoCall::read(COMMIT, Purpose::Propose, below);
    let base: CommitAnswer = access.repo(repo, call).await?.json()?;
    let tree = requests::tree(base.tree.sha, &commit.files);
    let tree = made(access, repo, "/git/trees", tree).await?;
    let parents = commit.from.into_iter().chain([commit.base]);
    let parents: Vec<ObjectId> = parents.collect();
    let body = requests::commit(&commit.message, tree, &parents);
    let id = made(access, repo, "/git/commits", body).await?;
    let branch = &commit.branch;
    let (method, below, body) = match commit.from {
        None => (
            Method::POST,
            "/git/refs".to_owned(),
            requests::new_branch(branch, id),
        ),
        Some(_) => (
            Method::PATCH,
            format!("/git/refs/heads/{}", segments(branch)),
            requests::moved_branch(id),
        ),
    };
    let call = RepoCall {
        what: BRANCH,
        purpose: Purpose::Propose,
        method,
        below,
        body: Some(body),
    };
    access.repo(repo, call).await?;
    Ok(id)
}

/// Makes an object that no branch names yet.
async fn made(
    access: &Access,
    repo: RepoKey,
    below: &str,
    body: Value,
) -> Result<ObjectId, ForgeError> {
    let call = RepoCall {
        what: COMMIT,
        purpose: Purpose::Propose,
        method: Method::POST,
        below: below.to_owned(),
        body: Some(body),
    };
    let answer: MadeAnswer = access.repo(repo, call).await?.json()?;
    Ok(answer.sha)
}

pub(super) async fn open(
    access: &Access,
    repo: RepoKey,
    pull: &NewPull,
) -> Result<PullNumber, ForgeError> {
    within_limits(&pull.about)?;
    let call = RepoCall {
        what: PULL,
        purpose: Purpose::Comment,
        method: Method::POST,
        below: "/pulls".to_owned(),
        body: Some(requests::new_pull(pull)),
    };
    let answer: PullAnswer = access.repo(repo, call).await?.json()?;
    Ok(Pull::from(answer).number)
}

pub(super) async fn describe(
    access: &Access,
    repo: RepoKey,
    number: PullNumber,
    about: &Description,
) -> Result<(), ForgeError> {
    within_limits(about)?;
    let call = RepoCall {
        what: PULL,
        purpose: Purpose::Comment,
        method: Method::PATCH,
        below: format!("/pulls/{number}"),
        body: Some(requests::description(about)),
    };
    access.repo(repo, call).await.map(drop)
}

fn within_limits(about: &Description) -> Result<(), ForgeError> {
    if about.body.chars().count() <= DESCRIPTION_MAX {
        return Ok(());
    }
    Err(ForgeError::Refused {
        what: PULL,
        message: format!("its description is longer than {DESCRIPTION_MAX} characters"),
    })
}

/// A branch as part of a path: its slashes stay.
fn segments(branch: &str) -> String {
    let encoded =
        |part: &str| -> String { url::form_urlencoded::byte_serialize(part.as_bytes()).collect() };
    branch.split('/').map(encoded).collect::<Vec<_>>().join("/")
}
