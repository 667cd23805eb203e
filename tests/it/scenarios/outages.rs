//! What goes wrong: deliveries that never arrive, a forge that asks to wait.

use std::time::Duration;

use trimtab::clock::Clock as _;
use trimtab::store::{Cause, NewTask, RepositoryState, TaskKind};

use super::super::conformance::{as_sent_to_an_app, examples};
use super::super::support::bot::Bot;
use super::super::support::github::model::FaultKind;
use super::{DOCS, MINUTE, head, shop};

#[tokio::test]
async fn start_finds_what_was_missed() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    bot.github.connect(None);
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 0);
    bot.github.connect(Some(bot.url("/webhook/github")));
    bot.recover().await;
    assert_eq!(bot.said(repo, pull).len(), 1);
    let again = |bot: &Bot| {
        let state = bot.github.state();
        let again = state.deliveries.iter().filter(|it| it.redelivery);
        again.map(|it| it.status).collect::<Vec<_>>()
    };
    assert_eq!(again(&bot), [202]);
    bot.finish().await;
}

#[tokio::test]
async fn delivery_that_is_refused_does_not_keep_the_others_away() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    bot.github.connect(None);
    let pulls = [
        bot.github.open_pull(repo, ("ann", "one"), DOCS).await,
        bot.github.open_pull(repo, ("ann", "two"), DOCS).await,
    ];
    bot.github.connect(Some(bot.url("/webhook/github")));
    let refused = FaultKind::Answer(422, Vec::new());
    bot.github.fail_next("/app/hook/deliveries/", refused);
    bot.recover().await;
    let again = {
        let state = bot.github.state();
        let again = state.deliveries.iter().filter(|it| it.redelivery);
        again.map(|it| it.status).collect::<Vec<_>>()
    };
    assert_eq!(again, [202]);
    // The sweep of pulls finds the other one.
    for pull in pulls {
        assert_eq!(bot.said(repo, pull).len(), 1);
    }
    bot.finish().await;
}

#[tokio::test]
async fn sweep_plans_a_pull_whose_delivery_is_gone() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    bot.github.connect(None);
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.github.state().deliveries.clear();
    bot.github.connect(Some(bot.url("/webhook/github")));
    bot.recover().await;
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn wait_that_the_forge_asks_for_is_honoured() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let limit = FaultKind::Answer(403, vec![("retry-after", "300".to_owned())]);
    bot.github.fail_next("/check-runs", limit);
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    let asked = bot.github.requests().len();
    bot.pass(Duration::from_secs(299)).await;
    assert_eq!(bot.github.requests().len(), asked, "it waits");
    assert!(bot.github.check(repo, head, "trimtab/plan").is_none());
    bot.pass(Duration::from_secs(1)).await;
    assert!(bot.github.check(repo, head, "trimtab/plan").is_some());
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn lost_answer_leaves_one_comment() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    bot.github.fail_next(
        "POST /api/v3/repos/acme/shop/issues/1/comments",
        FaultKind::LostAnswer,
    );
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn lost_answer_leaves_one_reply() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let line = "POST /api/v3/repos/acme/shop/issues/1/comments";
    bot.github.fail_next(line, FaultKind::LostAnswer);
    let asked = "/trimtab status";
    bot.github.comment(repo, pull, "ann", asked).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    assert_eq!(bot.said(repo, pull).len(), 2);
    bot.finish().await;
}

#[tokio::test]
async fn refusal_that_the_forge_did_not_take_keeps_its_reason() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let line = "POST /api/v3/repos/acme/shop/issues/1/comments";
    let down = FaultKind::Answer(502, Vec::new());
    bot.github.fail_next(line, down);
    bot.github
        .comment(repo, pull, "eve", "/trimtab pause")
        .await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    insta::assert_snapshot!(bot.said(repo, pull)[1], @"Refused: only people who may write can pause or resume a pull.");
    bot.finish().await;
}

#[tokio::test]
async fn every_example_of_github_is_taken_and_a_real_pull_still_works() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    for (name, payload) in examples("api.github.com") {
        bot.github.deliver(&name, as_sent_to_an_app(payload)).await;
        let status = bot.github.state().deliveries.last().unwrap().status;
        assert!(matches!(status, 200 | 202), "{name}: {status}");
    }
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 1);
    let metrics = bot.metrics.render();
    assert!(!metrics.contains(r#"outcome="malformed""#), "{metrics}");
    // The installations of the examples do not exist here: what follows from them is
    // refused or tried again, so this scenario has leftovers.
}

#[tokio::test]
async fn writes_for_people_wait_and_the_machine_check_does_not() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    for number in 0..30 {
        let login = ["ann", "ben", "cat"][number % 3];
        bot.github.comment(repo, pull, login, "/trimtab help").await;
    }
    bot.settle().await;
    assert!(bot.said(repo, pull).len() < 31, "eighty writes a minute");
    let later = bot.github.open_pull(repo, ("ann", "later"), DOCS).await;
    bot.settle().await;
    let head = head(&bot, repo, later);
    assert!(bot.github.check(repo, head, "trimtab/plan").is_some());
    assert!(bot.github.check(repo, head, "trimtab").is_none());
    bot.pass(MINUTE).await;
    assert_eq!(bot.said(repo, pull).len(), 31);
    assert_eq!(bot.said(repo, later).len(), 1);
    let metrics = bot.metrics.render();
    assert!(
        metrics.contains(r#"trimtab_commands_total{verb="help"} 30"#),
        "{metrics}"
    );
    bot.finish().await;
}

#[tokio::test]
async fn removed_installation_is_left_alone() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.github.announce_installation(repo, "deleted").await;
    bot.settle().await;
    bot.github.connect(None);
    bot.github.state().deliveries.clear();
    let known = bot.store.repository(repo).await.unwrap().unwrap();
    assert_eq!(known.state, RepositoryState::Removed);
    let asked = bot.github.requests().len();
    let kind = TaskKind::AnalysePull {
        pull,
        head: None,
        cause: Cause::Refresh,
    };
    let due = bot.clock.timestamp();
    let scope = repo.into();
    let task = NewTask { scope, kind, due };
    bot.store.enqueue(vec![task], due).await.unwrap();
    bot.settle().await;
    assert_eq!(bot.github.requests().len(), asked, "nothing is asked");
    bot.finish().await;
}
