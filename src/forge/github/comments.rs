//! Comments, reviews and reactions on GitHub.
//!
//! A pull's conversation is that of the issue with the same number. A comment is ours
//! when our app wrote it; the marker alone proves nothing, for anybody can copy it.

use http::Method;

use super::auth::{Access, Purpose, RepoCall};
use super::client::{PAGE, every_page};
use super::payload::answers::{CommentAnswer, GraphAnswer, ReviewAnswer};
use super::payload::requests;
use crate::engine::ids::{PullNumber, RepoKey};
use crate::forge::{
    COMMENT_MAX, Comment, CommentId, CommentPlace, CommentRef, ForgeError, Reaction,
};

const COMMENT: &str = "a comment";
const REVIEW: &str = "a review";
const REACTION: &str = "a reaction";

pub(super) async fn sticky(
    access: &Access,
    app: u64,
    repo: RepoKey,
    pull: PullNumber,
    marker: &str,
) -> Result<Option<Comment>, ForgeError> {
    let pages = every_page("the comments of a pull", async |page| {
        let below = format!("/issues/{pull}/comments?per_page={PAGE}&page={page}");
        let call = RepoCall::read("the comments of a pull", Purpose::Read, below);
        let answers: Vec<CommentAnswer> = access.repo(repo, call).await?.json()?;
        Ok(answers)
    });
    let ours = pages
        .await?
        .into_iter()
        .find(|comment| comment.is_by_app(app) && comment.begins_with(marker));
    Ok(ours.and_then(|comment| comment.under(pull)))
}

pub(super) async fn write(
    access: &Access,
    repo: RepoKey,
    pull: PullNumber,
    existing: Option<CommentId>,
    body: &str,
) -> Result<Comment, ForgeError> {
    if body.chars().count() > COMMENT_MAX {
        return Err(ForgeError::Refused {
            what: COMMENT,
            message: format!("it is longer than {COMMENT_MAX} characters"),
        });
    }
    let (method, below) = match existing {
        Some(CommentId(id)) => (Method::PATCH, format!("/issues/comments/{id}")),
        None => (Method::POST, format!("/issues/{pull}/comments")),
    };
    let call = RepoCall {
        what: COMMENT,
        purpose: Purpose::Comment,
        method,
        below,
        body: Some(requests::comment(body)),
    };
    let answer: CommentAnswer = access.repo(repo, call).await?.json()?;
    answer
        .under(pull)
        .ok_or(ForgeError::Missing { what: COMMENT })
}

pub(super) async fn read(
    access: &Access,
    repo: RepoKey,
    at: CommentRef,
) -> Result<Comment, ForgeError> {
    match at.place {
        CommentPlace::Conversation => {
            let below = format!("/issues/comments/{}", at.id.0);
            let call = RepoCall::read(COMMENT, Purpose::Read, below);
            let answer: CommentAnswer = access.repo(repo, call).await?.json()?;
            answer
                .under(at.pull)
                .ok_or(ForgeError::Missing { what: COMMENT })
        }
        CommentPlace::Review => Ok(review(access, repo, at).await?.into_comment(at.pull)),
    }
}

pub(super) async fn react(
    access: &Access,
    repo: RepoKey,
    to: CommentRef,
    reaction: Reaction,
) -> Result<(), ForgeError> {
    match to.place {
        CommentPlace::Conversation => react_to_comment(access, repo, to, reaction).await,
        CommentPlace::Review => react_to_review(access, repo, to, reaction).await,
    }
}

async fn react_to_comment(
    access: &Access,
    repo: RepoKey,
    to: CommentRef,
    reaction: Reaction,
) -> Result<(), ForgeError> {
    let call = RepoCall {
        what: REACTION,
        purpose: Purpose::Comment,
        method: Method::POST,
        below: format!("/issues/comments/{}/reactions", to.id.0),
        body: Some(requests::reaction(reaction)),
    };
    access.repo(repo, call).await.map(drop)
}

/// The REST interface has no reactions for reviews.
async fn react_to_review(
    access: &Access,
    repo: RepoKey,
    to: CommentRef,
    reaction: Reaction,
) -> Result<(), ForgeError> {
    let node = review(access, repo, to).await?.node_id;
    let mutation = requests::add_reaction(&node, reaction);
    let answer: GraphAnswer = access
        .graph(repo, Purpose::Comment, REACTION, mutation)
        .await?
        .json()?;
    let Some(fault) = answer.errors.into_iter().next() else {
        return Ok(());
    };
    Err(match fault.kind.as_str() {
        "NOT_FOUND" => ForgeError::Missing { what: REACTION },
        "FORBIDDEN" => ForgeError::Denied { what: REACTION },
        _ => ForgeError::Refused {
            what: REACTION,
            message: fault.message.chars().take(300).collect(),
        },
    })
}

async fn review(
    access: &Access,
    repo: RepoKey,
    at: CommentRef,
) -> Result<ReviewAnswer, ForgeError> {
    let below = format!("/pulls/{}/reviews/{}", at.pull, at.id.0);
    let call = RepoCall::read(REVIEW, Purpose::Read, below);
    access.repo(repo, call).await?.json()
}
