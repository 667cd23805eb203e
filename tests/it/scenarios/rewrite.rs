//! `/trimtab rewrite`: the rewrite as a pull, as a patch, and whose work is in the way.

use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};

use super::super::support::bot::Bot;
use super::super::support::github::model::{FaultKind, Pull};
use super::super::support::repo::Edit;
use super::delivery::CI;
use super::{DOCS, MINUTE, WORKFLOW, shop};

const BRANCH: &str = "trimtab/rewrite";
const COMMAND: &str = "/trimtab rewrite";
const FIRST: PullNumber = PullNumber(1);
const SECOND: PullNumber = PullNumber(2);

/// A shop with a pull of Ann's, maintained by Mia.
async fn maintained(bot: &Bot) -> RepoKey {
    let repo = shop(bot).await;
    bot.github.grant(repo, "mia", "maintain");
    bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    bot.said(repo, FIRST);
    repo
}

/// The same, where the bot may change branches and workflows.
async fn granting(bot: &Bot) -> RepoKey {
    let repo = maintained(bot).await;
    bot.github.allow_proposals(repo);
    repo
}

/// What the bot answers to Mia's command.
async fn ask(bot: &Bot, repo: RepoKey) -> String {
    bot.github.comment(repo, FIRST, "mia", COMMAND).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    bot.pass(MINUTE).await;
    bot.said(repo, FIRST).pop().unwrap()
}

fn pulls(bot: &Bot, repo: RepoKey) -> Vec<Pull> {
    let state = bot.github.state();
    let pulls = state.repos[&repo.repo.0].pulls.values();
    pulls.filter(|it| it.head_ref == BRANCH).cloned().collect()
}

fn text(bot: &Bot, repo: RepoKey, branch: &str) -> String {
    let state = bot.github.state();
    state.repos[&repo.repo.0]
        .git
        .text(&format!("{branch}:{CI}"))
}

fn tip(bot: &Bot, repo: RepoKey, branch: &str) -> Option<ObjectId> {
    let state = bot.github.state();
    let name = format!("refs/heads/{branch}");
    state.repos[&repo.repo.0].git.find(&name)
}

/// How often something was written below a path.
fn writes(bot: &Bot, path: &str) -> usize {
    let requests = bot.github.requests();
    let is_write = |line: &&String| !line.starts_with("GET") && line.contains(path);
    requests.iter().filter(is_write).count()
}

async fn push_workflow(bot: &Bot, repo: RepoKey, branch: &str, text: &str) -> ObjectId {
    let edit = [Edit::Write(CI, text)];
    let tip = bot.github.push_branch(repo, ("ben", branch), &edit).await;
    bot.settle().await;
    tip
}

#[tokio::test]
async fn a_maintainer_gets_one_pull_however_often_they_ask() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    let main = tip(&bot, repo, "main");
    let answer = "The rewrite stands as #2: 2 jobs of 1 workflow are gated.\n";
    assert_eq!(ask(&bot, repo).await, answer);
    let [pull] = <[Pull; 1]>::try_from(pulls(&bot, repo)).unwrap();
    assert_eq!((pull.number, pull.base_ref.as_str()), (2, "main"));
    assert_eq!(
        pull.title,
        "Let Trimtab skip CI jobs that a pull cannot affect"
    );
    assert!(
        pull.body.contains("| `test` | runs | runs | skipped |"),
        "{}",
        pull.body
    );
    let rewritten = text(&bot, repo, BRANCH);
    assert!(
        rewritten.contains("TRIMTAB_APP_ID: \"4711\""),
        "{rewritten}"
    );
    assert_eq!(text(&bot, repo, "main"), WORKFLOW);
    assert_eq!(ask(&bot, repo).await, answer);
    assert_eq!(pulls(&bot, repo).len(), 1);
    assert_eq!(tip(&bot, repo, BRANCH), Some(pull.head));
    assert_eq!(tip(&bot, repo, "main"), main);
    assert_eq!((writes(&bot, "/git/refs"), writes(&bot, "/pulls")), (1, 1));
    bot.finish().await;
}

#[tokio::test]
async fn without_the_permission_the_answer_is_the_patch() {
    let bot = Bot::start().await;
    let repo = maintained(&bot).await;
    bot.github
        .state()
        .repos
        .get_mut(&repo.repo.0)
        .unwrap()
        .required[0]
        .push("test".to_owned());
    let answer = ask(&bot, repo).await;
    assert!(
        answer.contains("does not grant `contents: write` and `workflows: write`"),
        "{answer}"
    );
    assert!(
        answer.contains("```diff\n--- a/.github/workflows/ci.yml\n"),
        "{answer}"
    );
    let command = "trimtab rewrite --write --app-id 4711 --required 'test'\n";
    assert!(answer.contains(command), "{answer}");
    assert_eq!(tip(&bot, repo, BRANCH), None);
    assert_eq!((writes(&bot, "/git/"), writes(&bot, "/pulls")), (0, 0));
    bot.finish().await;
}

#[tokio::test]
async fn what_the_forge_does_not_accept_is_answered_with_its_words_and_the_patch() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    bot.github
        .fail_next("/git/refs", FaultKind::Answer(422, Vec::new()));
    let answer = ask(&bot, repo).await;
    assert!(
        answer.contains("did not accept a pull for it: `planned fault`."),
        "{answer}"
    );
    assert!(answer.contains("```diff\n"), "{answer}");
    bot.finish().await;
}

#[tokio::test]
async fn only_maintainers_may_ask_also_on_a_fork() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    bot.github.grant(repo, "wes", "write");
    let fork = bot.github.open_fork_pull(repo, ("eve", "evil"), DOCS).await;
    bot.settle().await;
    for (pull, login) in [(FIRST, "ann"), (FIRST, "wes"), (fork, "eve")] {
        bot.github.comment(repo, pull, login, COMMAND).await;
        bot.settle().await;
        let said = bot.said(repo, pull).pop().unwrap();
        assert_eq!(
            said,
            "Refused: only maintainers can have the workflows rewritten.\n"
        );
    }
    assert_eq!(tip(&bot, repo, BRANCH), None);
    assert_eq!(writes(&bot, "/git/"), 0);
    bot.finish().await;
}

#[tokio::test]
async fn commits_of_others_on_the_branch_are_kept() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    ask(&bot, repo).await;
    let theirs = format!("# by hand\n{}", text(&bot, repo, BRANCH));
    let kept = push_workflow(&bot, repo, BRANCH, &theirs).await;
    // The default branch goes on: whoever works on the branch is told, once.
    for name in ["CI 2", "CI 3"] {
        let changed = WORKFLOW.replace("name: CI", &format!("name: {name}"));
        push_workflow(&bot, repo, "main", &changed).await;
    }
    let remarks = bot.said(repo, SECOND);
    assert_eq!(remarks.len(), 1);
    let begins = "The branch `trimtab/rewrite` of #2 holds what I did not put there";
    assert!(remarks[0].starts_with(begins), "{}", remarks[0]);
    assert!(ask(&bot, repo).await.starts_with(begins));
    assert_eq!(tip(&bot, repo, BRANCH), Some(kept));
    assert_eq!(text(&bot, repo, BRANCH), theirs);
    bot.finish().await;
}

#[tokio::test]
async fn a_branch_that_somebody_else_made_is_not_touched() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    let main = tip(&bot, repo, "main").unwrap();
    bot.github.state().repos[&repo.repo.0]
        .git
        .branch(BRANCH, main);
    let begins = "The branch `trimtab/rewrite` holds what I did not put there";
    assert!(ask(&bot, repo).await.starts_with(begins));
    assert_eq!(tip(&bot, repo, BRANCH), Some(main));
    bot.finish().await;
}

#[tokio::test]
async fn a_workflow_that_changes_is_proposed_afresh_and_a_merge_is_the_end() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    ask(&bot, repo).await;
    bot.github
        .announce_pull(repo, SECOND, "trimtab[bot]", "opened")
        .await;
    bot.settle().await;
    let first = tip(&bot, repo, BRANCH).unwrap();
    // While the pull is open, it follows the default branch, by moving forward.
    let changed = WORKFLOW.replace(
        "  docs:",
        "  lint:\n    runs-on: x\n    steps: [{run: ruff check}]\n  docs:",
    );
    push_workflow(&bot, repo, "main", &changed).await;
    let second = tip(&bot, repo, BRANCH).unwrap();
    {
        let state = bot.github.state();
        let git = &state.repos[&repo.repo.0].git;
        assert!(first != second && git.leads_to(first, second));
    }
    assert!(text(&bot, repo, BRANCH).contains("'|lint|'"));
    let pull = pulls(&bot, repo).pop().unwrap();
    assert!(
        pull.body.starts_with("3 jobs of 1 workflow are gated"),
        "{}",
        pull.body
    );
    // A push that leaves the workflows alone, and the merge itself, propose nothing.
    let other = [Edit::Write("shop/tax.py", "RATE = 0.3\n")];
    bot.github.push_branch(repo, ("ben", "main"), &other).await;
    bot.settle().await;
    bot.github.merge(repo, SECOND, "mia").await;
    bot.settle().await;
    assert_eq!(tip(&bot, repo, BRANCH), Some(second));
    let gated = text(&bot, repo, "main");
    assert!(gated.contains("'|lint|'"));
    // What is changed afterwards is a new pull, from the same branch.
    let more = format!("{gated}  slow:\n    runs-on: x\n    steps: [{{run: pytest}}]\n");
    push_workflow(&bot, repo, "main", &more).await;
    let pulls = pulls(&bot, repo);
    assert_eq!(pulls.iter().map(|it| it.number).collect::<Vec<_>>(), [2, 3]);
    assert!(text(&bot, repo, BRANCH).contains("'|slow|'"));
    bot.finish().await;
}

/// A workflow changes, and no pull is opened for it until somebody asks.
async fn comes_when_asked(bot: Bot, repo: RepoKey) {
    let changed = WORKFLOW.replace("name: CI", "name: Tests");
    push_workflow(&bot, repo, "main", &changed).await;
    assert_eq!(pulls(&bot, repo).len(), 1);
    let answer = ask(&bot, repo).await;
    assert!(answer.starts_with("The rewrite stands as #3"), "{answer}");
    assert!(text(&bot, repo, BRANCH).contains("name: Tests"));
    bot.finish().await;
}

#[tokio::test]
async fn a_pull_that_people_closed_comes_back_only_when_somebody_asks() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    ask(&bot, repo).await;
    let close = |pull: &mut Pull| pull.open = false;
    let change = ("mia", "closed");
    bot.github.change_pull(repo, SECOND, change, close).await;
    comes_when_asked(bot, repo).await;
}

#[tokio::test]
async fn a_rewrite_that_people_took_back_comes_again_only_when_somebody_asks() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    ask(&bot, repo).await;
    bot.github.merge(repo, SECOND, "mia").await;
    bot.settle().await;
    assert!(text(&bot, repo, "main").contains("'|test|'"));
    // Taken back, and worked on: nobody is asked again.
    push_workflow(&bot, repo, "main", WORKFLOW).await;
    comes_when_asked(bot, repo).await;
}

#[tokio::test]
async fn a_workflow_that_people_took_out_stays_out_while_others_are_refreshed() {
    const MORE: &str = ".github/workflows/more.yml";
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    let more = WORKFLOW.replace("name: CI", "name: More");
    let push = async |path: &str, text: &str| {
        let edit = [Edit::Write(path, text)];
        bot.github.push_branch(repo, ("ben", "main"), &edit).await;
        bot.settle().await;
    };
    let on = |branch: &str, path: &str| {
        let state = bot.github.state();
        state.repos[&repo.repo.0]
            .git
            .text(&format!("{branch}:{path}"))
    };
    push(MORE, &more).await;
    ask(&bot, repo).await;
    bot.github.merge(repo, SECOND, "mia").await;
    bot.settle().await;
    assert!(on("main", MORE).contains("TRIMTAB_APP_ID"));
    push(MORE, &more).await;
    assert_eq!(pulls(&bot, repo).len(), 1);
    // The other workflow changes, and its rewrite is proposed alone.
    let slow = "  slow:\n    runs-on: x\n    steps: [{run: pytest}]\n";
    let gated = text(&bot, repo, "main");
    push(CI, &format!("{gated}{slow}")).await;
    let pull = pulls(&bot, repo).pop().unwrap();
    assert_eq!(pull.number, 3);
    assert!(
        pull.body.starts_with("3 jobs of 1 workflow"),
        "{}",
        pull.body
    );
    assert!(text(&bot, repo, BRANCH).contains("'|slow|'"));
    assert_eq!(on(BRANCH, MORE), more);
    // Who asks gets all of it.
    let answer = ask(&bot, repo).await;
    assert!(answer.contains("of 2 workflows are gated"), "{answer}");
    assert!(on(BRANCH, MORE).contains("TRIMTAB_APP_ID"));
    bot.finish().await;
}

#[tokio::test]
async fn lost_answers_and_sent_again_deliveries_make_one_pull_and_one_answer() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    for line in [
        "POST /api/v3/repos/acme/shop/git/refs",
        "POST /api/v3/repos/acme/shop/pulls",
        "POST /api/v3/repos/acme/shop/issues/1/comments",
    ] {
        bot.github.fail_next(line, FaultKind::LostAnswer);
    }
    let answer = ask(&bot, repo).await;
    assert!(answer.starts_with("The rewrite stands as #2"), "{answer}");
    let command = {
        let state = bot.github.state();
        let mut comments = state.deliveries.iter().rev();
        let it = comments.find(|it| it.event == "issue_comment").unwrap();
        (it.event.clone(), it.payload.clone())
    };
    bot.github.deliver(&command.0, command.1).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let answers = bot.said(repo, FIRST);
    assert_eq!(answers.iter().filter(|it| **it == answer).count(), 1);
    assert_eq!(pulls(&bot, repo).len(), 1);
    // What the pull says, whose opening was not heard of, is written once more.
    let (refs, pulls) = (writes(&bot, "/git/refs"), writes(&bot, "/shop/pulls"));
    assert_eq!((refs, pulls), (1, 2));
    bot.finish().await;
}

#[tokio::test]
async fn required_checks_that_cannot_be_read_count_as_required() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    let matrix = WORKFLOW.replace(
        "  docs:\n",
        "  docs:\n    strategy: {matrix: {v: [1, 2]}}\n",
    );
    push_workflow(&bot, repo, "main", &matrix).await;
    bot.github
        .fail_next("/rules/branches/", FaultKind::Answer(403, Vec::new()));
    let answer = ask(&bot, repo).await;
    assert_eq!(
        answer,
        "The rewrite stands as #2: 1 job of 1 workflow is gated, 1 other is not.\n"
    );
    let pull = pulls(&bot, repo).pop().unwrap();
    assert!(
        pull.body.contains("requires could not be read"),
        "{}",
        pull.body
    );
    assert!(!text(&bot, repo, BRANCH).contains("'|docs|'"));
    bot.finish().await;
}

#[tokio::test]
async fn a_workflow_that_is_no_text_is_named_and_nothing_is_proposed() {
    let bot = Bot::start().await;
    let repo = granting(&bot).await;
    let huge = format!("# {}\n{WORKFLOW}", "x".repeat(1 << 20));
    push_workflow(&bot, repo, "main", &huge).await;
    let answer = ask(&bot, repo).await;
    assert_eq!(
        answer,
        "The workflows cannot be rewritten: `.github/workflows/ci.yml is larger than a workflow may be`.\n"
    );
    assert_eq!(tip(&bot, repo, BRANCH), None);
    bot.finish().await;
}
