//! Comments, reviews, reactions and replies: found, read and written.

use trimtab::forge::{CommentId, Reaction};

use super::*;

#[tokio::test]
async fn sticky_comment_is_found_by_marker_and_author() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let body = format!("{MARKER}\nplan");
    // Whoever copies the marker does not get our comment.
    stage.says(pull, "eve", &body).await;
    let find = async || {
        stage
            .forge
            .sticky_comment(stage.repo, pull, MARKER)
            .await
            .unwrap()
    };
    assert_eq!(find().await, None);
    let write = stage.forge.write_comment(stage.repo, pull, None, &body);
    let written = write.await.unwrap();
    // Some conversations are longer than one page.
    for _ in 0..120 {
        stage.says(pull, "ann", "hm").await;
    }
    assert_eq!(find().await.as_ref(), Some(&written));
    assert_eq!(written.author.kind, AuthorKind::Bot);
    stage.github.bot_comments(stage.repo, pull);
    stage.github.finish();
}

#[tokio::test]
async fn comment_is_edited_in_place() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let write = async |existing: Option<CommentId>, body: &str| {
        stage
            .forge
            .write_comment(stage.repo, pull, existing, body)
            .await
    };
    let first = write(None, "one").await.unwrap();
    stage.clock.advance(Duration::from_secs(5));
    let second = write(Some(first.at.id), "two").await.unwrap();
    assert_eq!(second.at, first.at);
    assert!(second.edited && !first.edited);
    let comments = stage.github.bot_comments(stage.repo, pull);
    assert_eq!(comments.len(), 1);
    assert_eq!((comments[0].body.as_str(), comments[0].edits), ("two", 1));
    stage.github.state().comments.clear();
    let gone = write(Some(first.at.id), "three").await.unwrap_err();
    assert!(matches!(gone, ForgeError::Missing { .. }), "{gone}");
    stage.github.finish();
}

#[tokio::test]
async fn comment_that_is_too_long_is_refused_before_it_is_sent() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let body = "x".repeat(65_537);
    let refused = stage
        .forge
        .write_comment(stage.repo, pull, None, &body)
        .await;
    assert!(matches!(refused, Err(ForgeError::Refused { .. })));
    assert_eq!(stage.github.requests().len(), 0);
    stage.github.finish();
}

/// A command of ann in the conversation, and one of bob in a review.
async fn both(stage: &Stage, pull: PullNumber) -> (CommentRef, CommentRef) {
    let plain = stage.says(pull, "ann", "/trimtab help").await;
    let review = stage
        .github
        .review(stage.repo, pull, "bob", "/trimtab plan")
        .await;
    (plain, review)
}

#[tokio::test]
async fn comments_and_reviews_are_read_again() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let (plain, review) = both(&stage, pull).await;
    let read = stage.forge.comment(stage.repo, plain).await.unwrap();
    assert_eq!(
        (read.body.as_str(), read.author.login.as_str()),
        ("/trimtab help", "ann")
    );
    let read = stage.forge.comment(stage.repo, review).await.unwrap();
    assert_eq!(
        (read.body.as_str(), read.author.login.as_str()),
        ("/trimtab plan", "bob")
    );
    // The number of a comment under another pull is not taken for this one.
    let elsewhere = CommentRef {
        pull: PullNumber(99),
        ..plain
    };
    let missing = stage
        .forge
        .comment(stage.repo, elsewhere)
        .await
        .unwrap_err();
    assert!(matches!(missing, ForgeError::Missing { .. }), "{missing}");
    stage.github.finish();
}

#[tokio::test]
async fn reactions_reach_comments_and_reviews_once() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let (plain, review) = both(&stage, pull).await;
    for to in [plain, plain, review, review] {
        stage
            .forge
            .react(stage.repo, to, Reaction::Eyes)
            .await
            .unwrap();
    }
    stage
        .forge
        .react(stage.repo, plain, Reaction::ThumbsDown)
        .await
        .unwrap();
    {
        let state = stage.github.state();
        let of = |reactions: &[(u64, String)]| -> Vec<String> {
            reactions
                .iter()
                .map(|(_, content)| content.clone())
                .collect()
        };
        assert_eq!(of(&state.comments[&plain.id.0].reactions), ["eyes", "-1"]);
        assert_eq!(of(&state.reviews[&review.id.0].reactions), ["EYES"]);
    }
    stage.github.state().reviews.clear();
    let gone = stage.forge.react(stage.repo, review, Reaction::Eyes).await;
    assert!(matches!(gone, Err(ForgeError::Missing { .. })));
    stage.github.finish();
}

#[tokio::test]
async fn reply_is_a_new_comment() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    let asked = stage
        .github
        .review(stage.repo, pull, "bob", "/trimtab nonsense")
        .await;
    stage
        .forge
        .reply(stage.repo, asked, "Did you mean `why`?")
        .await
        .unwrap();
    let comments = stage.github.bot_comments(stage.repo, pull);
    assert_eq!(comments.len(), 1);
    assert_eq!(comments[0].body, "Did you mean `why`?");
    stage.github.finish();
}
