//! Pulls: the first plan, later pushes, labels, drafts, forks.

use std::time::Duration;

use super::super::support::bot::Bot;
use super::super::support::repo::Edit;
use super::{DOCS, shop};

const MINUTE: Duration = Duration::from_mins(1);

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
    | run | `docs` |  `docs/index.md` |

    <details><summary>All 2 jobs and rules</summary>

    | | Job | Workflow | Why | Otherwise |
    |---|---|---|---|---|
    | skip | `test` | `.github/workflows/ci.yml` | none of its 3 inferred inputs changed · runs again: push to main | would run if a file in shop/, tests/ changed |
    | run | `docs` | `.github/workflows/ci.yml` |  `docs/index.md` | would be skipped if that had not changed |

    </details>

    Run everything: `/trimtab run all` · the whole chain for a job: `/trimtab why JOB`
    ");
    let head = bot.github.state().repos[&repo.repo.0].pulls[&pull.0].head;
    let machine = bot.github.check(repo, head, "trimtab/plan").unwrap();
    insta::assert_snapshot!(format!("{}\n{}", machine.title, machine.summary), @"
    1 of 2 jobs could be skipped
    Mode: advise. No workflow is gated: every job runs.
    ");
    let human = bot.github.check(repo, head, "trimtab").unwrap();
    insta::assert_snapshot!(format!("{}\n{}", human.title, human.summary), @"
    CI plan: 1 of 2 jobs needed
    | | Job | Workflow | Why | Otherwise |
    |---|---|---|---|---|
    | skip | `test` | `.github/workflows/ci.yml` | none of its 3 inferred inputs changed · runs again: push to main | would run if a file in shop/, tests/ changed |
    | run | `docs` | `.github/workflows/ci.yml` |  `docs/index.md` | would be skipped if that had not changed |

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
    CI plan: nothing to skip and nothing to warn of at 3ad6e7b
    ");
    bot.finish().await;
}
