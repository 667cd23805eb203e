//! What really ran, compared with the plan on the merge that CI tested.

use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey, Timestamp};
use trimtab::engine::plan::Mode;
use trimtab::store::{AuditFilter, RunAudit};

use super::super::support::bot::Bot;
use super::super::support::github::model::{Check, Pull};
use super::super::support::github::runner::PLAN_SECONDS;
use super::super::support::github::runs::Ran;
use super::super::support::repo::Edit;
use super::delivery::{CI, enforcing_shop, gated_workflow, set_mode, shop_gated, skipped};
use super::{DOCS, MINUTE, WORKFLOW, head};

/// An enforcing shop that knows how long its jobs take: 90 and 30 seconds.
pub(super) async fn experienced_shop(bot: &Bot) -> RepoKey {
    let repo = enforcing_shop(bot).await;
    let run = bot.github.start_push_run(repo, CI, "main");
    let jobs = [Ran("test", "success", 90), Ran("docs", "success", 30)];
    bot.github.finish_run(repo, run, &jobs).await;
    bot.settle().await;
    repo
}

async fn docs_pull(bot: &Bot, repo: RepoKey) -> (PullNumber, ObjectId) {
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    let head = head(bot, repo, pull);
    assert_eq!(skipped(bot, repo, head), ["test"]);
    (pull, head)
}

async fn audits(bot: &Bot, repo: RepoKey, head: ObjectId) -> Vec<RunAudit> {
    bot.store.audits_at(repo, head).await.unwrap()
}

/// The findings of an audit: kind, job and place.
fn found(audit: &RunAudit) -> Vec<String> {
    let findings = audit.findings.iter();
    let word = findings.map(|it| format!("{} {} {}", it.kind, it.job, it.place()));
    word.collect()
}

fn people(bot: &Bot, repo: RepoKey, head: ObjectId) -> Check {
    bot.github.check(repo, head, "trimtab").unwrap()
}

fn conclusion(bot: &Bot, repo: RepoKey, head: ObjectId) -> String {
    people(bot, repo, head).conclusion.unwrap()
}

/// The lines of the audit log about runs.
async fn log(bot: &Bot, repo: RepoKey) -> Vec<String> {
    let filter = AuditFilter { repo, limit: 100 };
    let lines = bot.store.audit(filter).await.unwrap();
    let runs = lines.iter().filter(|line| line.id.starts_with("run/"));
    runs.map(|line| format!("{}: {}", line.act, line.outcome))
        .collect()
}

async fn finish(bot: Bot, repo: RepoKey, pull: PullNumber) {
    bot.pass(MINUTE).await;
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn a_skip_that_holds_is_counted_net_of_the_plan_job() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    let run = bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(audits.len(), 1);
    let audit = &audits[0];
    assert_eq!(
        (audit.run, audit.skipped.as_slice()),
        (run, &["test".to_owned()][..])
    );
    assert_eq!(found(audit), [""; 0]);
    assert_eq!(
        (audit.saved, audit.cost, audit.unknown),
        (90, PLAN_SECONDS, 0)
    );
    let base = bot.github.state().repos[&repo.repo.0].git.tip("main");
    assert_eq!(audit.base, Some(base), "the merge that ran is known");
    assert_eq!(conclusion(&bot, repo, head), "success");
    assert_eq!(log(&bot, repo).await, [""; 0]);
    // Told twice, it is counted once.
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    assert_eq!(
        bot.store
            .run_audits(repo, Timestamp(0))
            .await
            .unwrap()
            .len(),
        1
    );
    finish(bot, repo, pull).await;
}

/// The last paragraph of what the bot answers to `/trimtab status`.
async fn saved(bot: &Bot, repo: RepoKey, pull: PullNumber) -> String {
    bot.github
        .comment(repo, pull, "ann", "/trimtab status")
        .await;
    bot.settle().await;
    let said = bot.said(repo, pull);
    let lines = said.last().unwrap().lines();
    lines.last().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_saved_is_told_from_the_audits() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, _) = docs_pull(&bot, repo).await;
    assert_eq!(
        saved(&bot, repo, pull).await,
        "No job was skipped in an audited run of the last 30 days."
    );
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    assert_eq!(
        saved(&bot, repo, pull).await,
        "Over the last 30 days skipping saved 70 s of runners net: 1 job in 1 audited run would have taken 2 min, and planning took 20 s."
    );
    bot.pass(31 * 24 * 60 * MINUTE).await;
    assert_eq!(
        saved(&bot, repo, pull).await,
        "No job was skipped in an audited run of the last 30 days."
    );
    bot.finish().await;
}

#[tokio::test]
async fn a_gated_run_in_which_nothing_is_skipped_costs_its_plan_job() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let edits = [Edit::Write("shop/tax.py", "RATE = 0.3\n"), DOCS[0]];
    let pull = bot.github.open_pull(repo, ("ann", "topic"), &edits).await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(audits.len(), 1);
    assert_eq!((audits[0].saved, audits[0].cost), (0, PLAN_SECONDS));
    assert_eq!(found(&audits[0]), [""; 0]);
    finish(bot, repo, pull).await;
}

/// The gated workflow with the gate of `test` put out of the way by the pull.
fn with_condition(condition: &str) -> String {
    let text = gated_workflow(WORKFLOW);
    let is_gate = |line: &&str| line.contains("'|test|'");
    let gate = text.lines().find(is_gate).unwrap().to_owned();
    text.replace(&gate, &format!("    if: {condition}"))
}

#[tokio::test]
async fn an_unplanned_skip_fails_the_check_and_names_the_line() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let text = with_condition("false");
    let edits = [
        Edit::Write(CI, &text),
        Edit::Write("shop/tax.py", "RATE = 2\n"),
    ];
    let pull = bot.github.open_pull(repo, ("eve", "topic"), &edits).await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    assert_ne!(conclusion(&bot, repo, head), "failure");
    let run = bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    let line = 1 + text.lines().position(|line| line == "  test:").unwrap();
    let audits = audits(&bot, repo, head).await;
    assert_eq!(
        found(&audits[0]),
        [format!("unplanned-skip test {CI}:{line}")]
    );
    let check = people(&bot, repo, head);
    assert_eq!(check.conclusion.as_deref(), Some("failure"));
    assert_eq!(check.title, "1 skipped job should have run");
    let place = format!("`{CI}:{line}`");
    assert!(check.summary.contains(&place), "{}", check.summary);
    assert!(
        check
            .summary
            .contains("this pull has changed its condition"),
        "{}",
        check.summary
    );
    assert_eq!(log(&bot, repo).await.len(), 1);
    // The job runs after all: the check has nothing left to say.
    bot.pass(MINUTE).await;
    bot.github.rerun_failed(repo, run);
    {
        let mut state = bot.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        let again = of.runs.get_mut(&run).unwrap();
        again.attempts[1].jobs.retain(|job| job.name != "test");
    }
    bot.github
        .finish_run(repo, run, &[Ran("test", "success", 90)])
        .await;
    bot.settle().await;
    assert_ne!(conclusion(&bot, repo, head), "failure");
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_planned_skip_whose_inputs_differ_on_the_merge_that_ran_fails_the_check() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    // The tests of main begin to read what the pull changes, and CI tests that merge.
    let reads =
        "from shop import tax\n\ndef test_rate():\n    assert open('docs/index.md').read()\n";
    let edits = [Edit::Write("tests/test_tax.py", reads)];
    bot.github.push_branch(repo, ("bob", "main"), &edits).await;
    {
        let state = bot.github.state();
        let git = &state.repos[&repo.repo.0].git;
        git.pull_refs(pull.0, head, git.tip("main")).unwrap();
    }
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(found(&audits[0]), ["inputs-differ test docs/index.md"]);
    let check = people(&bot, repo, head);
    assert_eq!(check.conclusion.as_deref(), Some("failure"));
    assert!(
        check.summary.contains("`docs/index.md`"),
        "{}",
        check.summary
    );
    assert_eq!(log(&bot, repo).await.len(), 1);
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_planned_skip_that_ran_anyway_is_written_down() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    let run = bot.github.start_run(repo, pull);
    let jobs = [
        Ran("trimtab plan / CI", "success", 13),
        Ran("test", "success", 90),
        Ran("docs", "success", 30),
    ];
    bot.github.finish_run(repo, run, &jobs).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(audits[0].findings.len(), 1);
    assert_eq!(
        (audits[0].findings[0].kind.as_str(), audits[0].saved),
        ("ran-anyway", 0)
    );
    assert_eq!(conclusion(&bot, repo, head), "success");
    let log = log(&bot, repo).await;
    assert!(
        log[0].contains("ran-anyway: a plan said to skip it, and it ran"),
        "{log:?}"
    );
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn without_the_merge_that_ran_a_skip_is_not_proven() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    let run = bot.github.start_run(repo, pull);
    let jobs = [Ran("test", "skipped", 0), Ran("docs", "success", 30)];
    bot.github.end_run(repo, run, &jobs);
    {
        // The merge that is known was made after the run.
        let mut state = bot.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        of.runs.get_mut(&run).unwrap().shift(200_000_000);
    }
    bot.github.announce_run(repo, run, 1).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(
        (audits[0].base, audits[0].findings[0].kind.as_str()),
        (None, "unproven")
    );
    assert_eq!(conclusion(&bot, repo, head), "success");
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_run_keeps_the_line_that_it_was_given() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    // Somebody asks for everything while the run is under way.
    bot.github
        .comment(repo, pull, "ann", "/trimtab run all")
        .await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    let run = bot.github.start_run(repo, pull);
    let jobs = [Ran("test", "skipped", 0), Ran("docs", "success", 30)];
    bot.github.finish_run(repo, run, &jobs).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!(found(&audits[0]), [""; 0], "it was planned when it began");
    finish(bot, repo, pull).await;
}

/// An enforcing shop with a branch `next`, which has a change of code that `main` has not,
/// and a pull into `next` that has the same change and one of prose: its tests are skipped.
async fn skipped_beside_next(bot: &Bot) -> (RepoKey, PullNumber, ObjectId) {
    let workflow = WORKFLOW.replace("[main]", "[main, next]");
    let repo = shop_gated(bot, &workflow, "mode: enforce\nholdout: 0\n").await;
    set_mode(bot, Mode::Enforce).await;
    let code = Edit::Write("shop/tax.py", "RATE = 0.3\n");
    {
        let state = bot.github.state();
        let git = &state.repos[&repo.repo.0].git;
        git.branch("next", git.tip("main"));
    }
    bot.github.push_branch(repo, ("eve", "next"), &[code]).await;
    let edits = [&[code], DOCS].concat();
    let pull = bot.github.open_pull(repo, ("eve", "topic"), &edits).await;
    retarget(bot, (repo, pull), "next").await;
    let head = head(bot, repo, pull);
    assert_eq!(skipped(bot, repo, head), ["test"]);
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    assert_eq!(conclusion(bot, repo, head), "success");
    (repo, pull, head)
}

async fn retarget(bot: &Bot, (repo, pull): (RepoKey, PullNumber), target: &str) {
    let change = |pull: &mut Pull| target.clone_into(&mut pull.base_ref);
    bot.github
        .change_pull(repo, pull, ("eve", "edited"), change)
        .await;
    bot.settle().await;
    bot.pass(MINUTE).await;
}

#[tokio::test]
async fn what_was_skipped_beside_another_target_fails_the_check_until_it_ran() {
    let bot = Bot::start().await;
    let (repo, pull, head) = skipped_beside_next(&bot).await;
    retarget(&bot, (repo, pull), "main").await;
    let check = people(&bot, repo, head);
    assert_eq!(check.conclusion.as_deref(), Some("failure"));
    assert_eq!(check.title, "1 skipped job should have run");
    let words = "beside another target; for main it has to run: input-changed shop/tax.py";
    assert!(check.summary.contains(words), "{}", check.summary);
    // The workflow runs again, beside main, and now the tests run.
    bot.github.run_workflow(repo, pull, 30).await;
    bot.settle().await;
    assert_eq!(conclusion(&bot, repo, head), "success");
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn what_was_skipped_for_one_pull_fails_the_check_of_another_with_its_head() {
    let bot = Bot::start().await;
    let (repo, pull, head) = skipped_beside_next(&bot).await;
    let second = {
        let mut state = bot.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        let base = of.git.tip("main");
        let twin = Pull {
            number: pull.0 + 1,
            base_ref: "main".to_owned(),
            base,
            ..of.pulls[&pull.0].clone()
        };
        of.git.pull_refs(twin.number, head, base).unwrap();
        let number = PullNumber(twin.number);
        of.pulls.insert(twin.number, twin);
        number
    };
    bot.github
        .announce_pull(repo, second, "eve", "opened")
        .await;
    bot.settle().await;
    assert_eq!(conclusion(&bot, repo, head), "failure");
    // Whoever closes it leaves the head as the other pull has it.
    let close = |pull: &mut Pull| pull.open = false;
    bot.github
        .change_pull(repo, second, ("eve", "closed"), close)
        .await;
    bot.settle().await;
    assert_eq!(conclusion(&bot, repo, head), "success");
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn runs_of_forks_are_judged_like_all_others() {
    let bot = Bot::start().await;
    let repo = experienced_shop(&bot).await;
    let pull = bot
        .github
        .open_fork_pull(repo, ("eve", "topic"), DOCS)
        .await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    bot.github.run_workflow(repo, pull, 1).await;
    bot.settle().await;
    let audits = audits(&bot, repo, head).await;
    assert_eq!((audits.len(), audits[0].pull), (1, pull));
    assert_eq!(audits[0].findings.iter().filter(|it| it.fails).count(), 0);
    // What its own runs took counts for nothing.
    assert_eq!(audits[0].saved, 90 * audits[0].skipped.len() as u64);
    finish(bot, repo, pull).await;
}
