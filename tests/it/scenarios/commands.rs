//! Commands: who may say what, and how the bot answers.

use std::time::Duration;

use super::super::support::bot::Bot;
use super::super::support::github::model::FaultKind;
use super::super::support::repo::Edit;
use super::{DOCS, MINUTE, SHOP, head, shop};
use trimtab::engine::ids::RepoKey;
use trimtab::forge::CommentRef;

/// The reactions to a comment, oldest first.
fn reactions(bot: &Bot, to: CommentRef) -> Vec<String> {
    let state = bot.github.state();
    let reactions = &state.comments[&to.id.0].reactions;
    reactions.iter().map(|(_, word)| word.clone()).collect()
}

fn machine(bot: &Bot, repo: RepoKey, pull: trimtab::engine::ids::PullNumber) -> String {
    let check = bot
        .github
        .check(repo, head(bot, repo, pull), "trimtab/plan");
    let check = check.unwrap();
    format!("{}\n{}", check.title, check.summary)
}

#[tokio::test]
async fn author_makes_everything_run() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let command = "/trimtab run all";
    let comment = bot.github.comment(repo, pull, "ann", command).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    assert_eq!(reactions(&bot, comment), ["eyes", "+1"]);
    insta::assert_snapshot!(machine(&bot, repo, pull), @"
    0 of 2 jobs could be skipped
    Mode: advise. Everything runs. No workflow is gated: every job runs.
    ");
    insta::assert_snapshot!(bot.said(repo, pull).join("\n---\n"), @"
    <!-- trimtab:v1 -->
    CI plan: 2 of 2 jobs needed · nothing to say of 1369139: everything runs, asked for by `a command`
    ");
    bot.finish().await;
}

#[tokio::test]
async fn stranger_is_refused_with_a_reason() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let comment = bot
        .github
        .comment(repo, pull, "eve", "/trimtab pause")
        .await;
    bot.settle().await;
    assert_eq!(reactions(&bot, comment), ["eyes", "-1"]);
    insta::assert_snapshot!(bot.said(repo, pull)[1], @"Refused: only people who may write can pause or resume a pull.");
    assert!(!bot.store.pull(repo, pull).await.unwrap().unwrap().paused);
    bot.finish().await;
}

#[tokio::test]
async fn slip_of_the_pen_is_answered_with_what_was_meant() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let comment = bot
        .github
        .comment(repo, pull, "ann", "/trimtab statsu")
        .await;
    bot.settle().await;
    assert_eq!(reactions(&bot, comment), ["eyes", "confused"]);
    insta::assert_snapshot!(bot.said(repo, pull)[1], @"Not understood: `statsu` is no command. Did you mean `/trimtab status`? `/trimtab help` lists the commands.");
    bot.finish().await;
}

#[tokio::test]
async fn asking_for_the_same_plan_edits_nothing() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    bot.github.comment(repo, pull, "ann", "/trimtab plan").await;
    bot.settle().await;
    let comments = bot.github.bot_comments(repo, pull);
    assert_eq!((comments.len(), comments[0].edits), (1, 0));
    bot.finish().await;
}

#[tokio::test]
async fn word_in_a_conversation_is_no_command() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let text = "Should we say `/trimtab pause`?\n/trimtab pause";
    let comment = bot.github.comment(repo, pull, "ann", text).await;
    bot.settle().await;
    assert_eq!(reactions(&bot, comment), Vec::<String>::new());
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn review_may_hold_a_command_too() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.github.grant(repo, "rob", "write");
    let review = bot.github.review(repo, pull, "rob", "/trimtab pause").await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let reactions = |bot: &Bot| {
        let state = bot.github.state();
        let reactions = &state.reviews[&review.id.0].reactions;
        reactions
            .iter()
            .map(|(_, word)| word.to_lowercase())
            .collect::<Vec<_>>()
    };
    assert_eq!(reactions(&bot).len(), 2);
    assert!(bot.store.pull(repo, pull).await.unwrap().unwrap().paused);
    assert!(machine(&bot, repo, pull).contains("Everything runs."));
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn pause_of_the_repository_reaches_every_pull_also_when_its_reaction_failed() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let first = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    let second = bot.github.open_pull(repo, ("ben", "other"), DOCS).await;
    bot.settle().await;
    bot.github.grant(repo, "mia", "maintain");
    // The first reaction arrives; the second, after the pause was remembered, does not.
    bot.github
        .fail_next("/reactions", FaultKind::Delay(Duration::ZERO));
    bot.github
        .fail_next("/reactions", FaultKind::Answer(502, Vec::new()));
    let pause = "/trimtab pause repository";
    let comment = bot.github.comment(repo, second, "mia", pause).await;
    bot.settle().await;
    assert_eq!(reactions(&bot, comment), ["eyes"]);
    bot.pass(MINUTE).await;
    bot.pass(MINUTE).await;
    assert_eq!(reactions(&bot, comment), ["eyes", "+1"]);
    for pull in [first, second] {
        let machine = machine(&bot, repo, pull);
        assert!(machine.contains("Everything runs."), "{machine}");
        bot.said(repo, pull);
    }
    bot.finish().await;
}

#[tokio::test]
async fn job_of_one_workflow_is_asked_for_by_its_name() {
    let bot = Bot::start().await;
    let legacy = super::WORKFLOW.replace("name: CI", "name: Legacy");
    let workflow = Edit::Write(".github/workflows/legacy.yml", &legacy);
    let repo = bot
        .install("acme/shop", &[SHOP, &[workflow]].concat())
        .await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let asked = bot
        .github
        .comment(repo, pull, "ann", "/trimtab why test")
        .await;
    bot.settle().await;
    assert_eq!(reactions(&bot, asked), ["eyes", "+1"]);
    let answer =
        "Several workflows have a job `test`. Ask for one of `ci.yml:test`, `legacy.yml:test`.\n";
    assert_eq!(bot.said(repo, pull)[1], answer);
    let command = "/trimtab run legacy.yml:test";
    bot.github.comment(repo, pull, "ann", command).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let said = bot.said(repo, pull).swap_remove(0);
    let rows = said
        .lines()
        .filter(|line| line.contains("`legacy.yml:test`"));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        ["| run | `legacy.yml:test` | asked for by `a command` |"]
    );
    assert!(said.contains("| skip | `ci.yml:test` |"), "{said}");
    bot.finish().await;
}
