//! What is made of a forge that limits, is slow or fails.

use super::super::support::github::model::Quota;
use super::*;

#[tokio::test]
async fn limits_say_how_long_to_wait() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    let wait = vec![("retry-after", "17".to_owned())];
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(403, wait));
    let slow = stage.unread(pull).await;
    assert_eq!(slow.retry_after(), Some(Duration::from_secs(17)));
    stage.github.state().quota = Some(Quota {
        left: 1,
        reset: START + 600,
    });
    stage.head(pull).await;
    let slow = stage.unread(pull).await;
    assert_eq!(slow.retry_after(), Some(Duration::from_mins(10)));
    stage.clock.advance(Duration::from_mins(10));
    stage.head(pull).await;
    stage.github.finish();
}

#[tokio::test]
async fn write_is_sent_once_even_when_its_answer_is_lost() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage
        .github
        .fail_next("POST /api/v3/repos/acme/shop/issues", FaultKind::LostAnswer);
    let body = format!("{MARKER}\nplan");
    let lost = stage
        .forge
        .write_comment(stage.repo, pull, None, &body)
        .await;
    assert!(matches!(lost, Err(ForgeError::Unavailable { .. })));
    assert_eq!(stage.github.bot_comments(stage.repo, pull).len(), 1);
    // Who tries again looks first, and finds it.
    let found = stage.forge.sticky_comment(stage.repo, pull, MARKER).await;
    assert!(found.unwrap().is_some());
    stage.github.finish();
}

#[tokio::test]
async fn slow_answers_and_failing_servers_are_unavailable() {
    let stage = Stage::set().await;
    let pull = stage.pull().await;
    stage.head(pull).await;
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Answer(503, Vec::new()));
    let down = stage.unread(pull).await;
    assert!(matches!(down, ForgeError::Unavailable { .. }), "{down}");
    stage
        .github
        .fail_next("/pulls/1", FaultKind::Delay(PATIENCE * 10));
    let slow = stage.unread(pull).await;
    assert!(matches!(slow, ForgeError::Unavailable { .. }), "{slow}");
    stage.github.finish();
}
