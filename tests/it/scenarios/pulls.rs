//! Pulls: the first plan, later pushes, labels, drafts, forks.

use std::sync::Arc;

use trimtab::store::embedded;

use super::super::support::bot::Bot;
use super::super::support::github::model::Pull;
use super::super::support::repo::Edit;
use super::{DOCS, MINUTE, head, shop};

#[tokio::test]
async fn first_pull_gets_one_comment_and_two_checks() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let said = bot.said(repo, pull);
    assert_eq!(said.len(), 1);
    insta::assert_snapshot!(said[0], @"
    <!-- trimtab:v1 -->
    ### CI plan: 1 of 2 jobs needed
    head 1369139 · base fb27375 · mode: advise

    | | Job | Why |
    |---|---|---|
    | skip | `test` | none of its 3 inferred inputs changed · runs again: push to main |
    | run | `docs` | `docs/index.md` |

    <details><summary>All 2 jobs and rules</summary>

    `.github/workflows/ci.yml`

    | | Job | Why |
    |---|---|---|
    | skip | `test` | none of its 3 inferred inputs changed · runs again: push to main · would run if an input in shop/ or in tests/ changed |
    | run | `docs` | `docs/index.md` |

    </details>

    Run everything: `/trimtab run all` · the whole chain for a job: `/trimtab why JOB`
    ");
    let head = head(&bot, repo, pull);
    let machine = bot.github.check(repo, head, "trimtab/plan").unwrap();
    insta::assert_snapshot!(format!("{}\n{}", machine.title, machine.summary), @"
    1 of 2 jobs could be skipped
    Mode: advise. No workflow is gated: every job runs.
    ");
    let human = bot.github.check(repo, head, "trimtab").unwrap();
    insta::assert_snapshot!(format!("{}\n{}", human.title, human.summary), @"
    CI plan: 1 of 2 jobs needed
    `.github/workflows/ci.yml`

    | | Job | Why |
    |---|---|---|
    | skip | `test` | none of its 3 inferred inputs changed · runs again: push to main · would run if an input in shop/ or in tests/ changed |
    | run | `docs` | `docs/index.md` |

    head 1369139 · base fb27375 · mode: advise
    ");
    assert!(machine.id < human.id, "the machine check is written first");
    bot.finish().await;
}

#[tokio::test]
async fn second_push_edits_the_first_comment() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let first = bot.github.bot_comments(repo, pull);
    let code = [Edit::Write("shop/tax.py", "RATE = 0.3\n")];
    bot.github.push(repo, pull, &code).await;
    bot.settle().await;
    // The comment has rested for less than a minute.
    assert_eq!(bot.said(repo, pull)[0], first[0].body);
    bot.pass(MINUTE).await;
    let second = bot.github.bot_comments(repo, pull);
    assert_eq!((second.len(), second[0].id), (1, first[0].id));
    assert_eq!(second[0].edits, 1);
    insta::assert_snapshot!(second[0].body, @"
    <!-- trimtab:v1 -->
    CI plan: 2 of 2 jobs needed · nothing to say of 3ad6e7b
    ");
    bot.finish().await;
}

#[tokio::test]
async fn draft_bot_author_and_observe_get_checks_only() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let draft = bot.github.open_pull(repo, ("ann", "draft"), DOCS).await;
    let draft_it = |pull: &mut Pull| pull.draft = true;
    let action = ("ann", "converted_to_draft");
    bot.github.change_pull(repo, draft, action, draft_it).await;
    let id = bot.github.state().user("dependabot[bot]");
    bot.github.state().users.get_mut(&id).unwrap().kind = "Bot";
    let robot = ("dependabot[bot]", "bump");
    let by_bot = bot.github.open_pull(repo, robot, DOCS).await;
    let quiet: Vec<Edit<'_>> = super::SHOP
        .iter()
        .copied()
        .filter(|edit| !matches!(edit, Edit::Write(".trimtab.yml", _)))
        .collect();
    let observed = bot.install("acme/quiet", &quiet).await;
    let silent = bot.github.open_pull(observed, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    for (repo, pull) in [(repo, draft), (repo, by_bot), (observed, silent)] {
        let head = head(&bot, repo, pull);
        assert!(bot.github.check(repo, head, "trimtab/plan").is_some());
        assert!(bot.github.check(repo, head, "trimtab").is_some());
        assert_eq!(bot.said(repo, pull), Vec::<String>::new(), "{pull}");
    }
    bot.finish().await;
}

#[tokio::test]
async fn label_makes_everything_run() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let label = |pull: &mut Pull| {
        pull.labels.insert("trimtab:full".to_owned());
    };
    let action = ("ann", "labeled");
    bot.github.change_pull(repo, pull, action, label).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let head = head(&bot, repo, pull);
    let check = bot.github.check(repo, head, "trimtab/plan").unwrap();
    assert_eq!(check.title, "0 of 2 jobs could be skipped");
    assert!(
        check.summary.contains("Everything runs."),
        "{}",
        check.summary
    );
    assert_eq!(bot.said(repo, pull).len(), 1);
    bot.finish().await;
}

#[tokio::test]
async fn pull_of_a_fork_is_planned_like_any_other() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let from = ("eve", "topic");
    let pull = bot.github.open_fork_pull(repo, from, DOCS).await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    let check = bot.github.check(repo, head, "trimtab/plan").unwrap();
    assert_eq!(check.title, "1 of 2 jobs could be skipped");
    assert_eq!(bot.said(repo, pull).len(), 1);
    // On a fork even the author may not make jobs run.
    bot.github
        .comment(repo, pull, "eve", "/trimtab run all")
        .await;
    bot.settle().await;
    insta::assert_snapshot!(bot.said(repo, pull)[1], @"Refused: on a pull of a fork, only people who may write can ask for jobs.");
    bot.finish().await;
}

#[tokio::test]
async fn closed_pull_is_left_alone() {
    let bot = Bot::start().await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let said = bot.said(repo, pull);
    let close = |pull: &mut Pull| pull.open = false;
    let action = ("ann", "closed");
    bot.github.change_pull(repo, pull, action, close).await;
    bot.settle().await;
    assert!(!bot.store.pull(repo, pull).await.unwrap().unwrap().open);
    let before = bot.github.requests().len();
    let label = |pull: &mut Pull| pull.labels.extend(["late".to_owned()]);
    let action = ("ann", "labeled");
    bot.github.change_pull(repo, pull, action, label).await;
    bot.github.push(repo, pull, DOCS).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let requests = bot.github.requests();
    let is_write = |line: &&String| !line.starts_with("GET") && !line.contains("access_tokens");
    let written: Vec<&String> = requests[before..].iter().filter(is_write).collect();
    assert_eq!(written, Vec::<&String>::new());
    assert_eq!(bot.said(repo, pull), said);
    bot.finish().await;
}

#[tokio::test]
async fn scenario_on_the_durable_store_is_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded::open(&dir.path().join("store"), 1 << 20).unwrap();
    let bot = Bot::with(Arc::new(store.store)).await;
    let repo = shop(&bot).await;
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    assert!(bot.said(repo, pull)[0].contains("CI plan: 1 of 2 jobs needed"));
    bot.finish().await;
}
