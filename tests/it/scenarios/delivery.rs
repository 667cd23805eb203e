//! What runners are told: plan lines in the machine check, and what empties them.

use std::collections::BTreeMap;

use trimtab::engine::ids::{ObjectId, PullNumber, RepoKey};
use trimtab::engine::pipeline::rewrite::Settings;
use trimtab::engine::pipeline::rewrite::repository::rewrite_all;
use trimtab::engine::plan::{Basis, Mode, Verdict};
use trimtab::engine::plan_line::PlanLine;
use trimtab::flow::set_mode;

use super::super::support::bot::Bot;
use super::super::support::github::model::Pull;
use super::super::support::github::runs::Ran;
use super::super::support::repo::Edit;
use super::{DOCS, MINUTE, SHOP, WORKFLOW, head};

pub(super) const CI: &str = ".github/workflows/ci.yml";

/// The workflow of the shop, rewritten as `trimtab rewrite` does it.
pub(super) fn gated_workflow(text: &str) -> String {
    let files = BTreeMap::from([(CI.to_owned(), text.to_owned())]);
    let settings = Settings {
        app_id: Some("4711".to_owned()),
        ..Settings::default()
    };
    let done = rewrite_all(&files, "main", &settings, None).files;
    assert!(
        done[0].rewrite.key.is_some(),
        "{:?}",
        done[0].rewrite.refused
    );
    done[0].rewrite.text.clone()
}

/// The shop with a gated workflow and this configuration.
pub(super) async fn gated_shop(bot: &Bot, configuration: &str) -> RepoKey {
    shop_gated(bot, WORKFLOW, configuration).await
}

/// The shop with this workflow, which is gated, and this configuration.
pub(super) async fn shop_gated(bot: &Bot, workflow: &str, configuration: &str) -> RepoKey {
    let workflow = gated_workflow(workflow);
    let edit = |edit: &Edit<'_>| !matches!(edit, Edit::Write(CI | ".trimtab.yml", _));
    let mut edits: Vec<Edit<'_>> = SHOP.iter().copied().filter(edit).collect();
    edits.push(Edit::Write(CI, &workflow));
    edits.push(Edit::Write(".trimtab.yml", configuration));
    bot.install("acme/shop", &edits).await
}

/// The operator's word, as the socket hands it on.
pub(super) async fn set_mode(bot: &Bot, mode: Mode) {
    use trimtab::clock::Clock as _;
    let now = bot.clock.timestamp();
    let told = set_mode::run(bot.store.as_ref(), ("acme/shop", mode), now).await;
    let told = format!("{:?}", told.unwrap());
    assert!(told.starts_with("Done"), "{told}");
    bot.settle().await;
}

/// A gated shop that enforces, whose holdout draws nobody.
pub(super) async fn enforcing_shop(bot: &Bot) -> RepoKey {
    let repo = gated_shop(bot, "mode: enforce\nholdout: 0\n").await;
    set_mode(bot, Mode::Enforce).await;
    repo
}

/// The lines of the machine check of a commit.
pub(super) fn lines(bot: &Bot, repo: RepoKey, head: ObjectId) -> Vec<PlanLine> {
    let check = bot.github.check(repo, head, "trimtab/plan").unwrap();
    let text = check.text.unwrap();
    text.lines().filter_map(PlanLine::parse).collect()
}

/// The jobs that the check of a commit lets runners skip; one gated workflow.
pub(super) fn skipped(bot: &Bot, repo: RepoKey, head: ObjectId) -> Vec<String> {
    let lines = lines(bot, repo, head);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].skip.clone()
}

fn summary(bot: &Bot, repo: RepoKey, head: ObjectId) -> String {
    bot.github
        .check(repo, head, "trimtab/plan")
        .unwrap()
        .summary
}

async fn docs_pull(bot: &Bot, repo: RepoKey) -> (PullNumber, ObjectId) {
    let pull = bot.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    bot.settle().await;
    bot.said(repo, pull);
    (pull, head(bot, repo, pull))
}

async fn finish(bot: Bot, repo: RepoKey, pull: PullNumber) {
    bot.pass(MINUTE).await;
    bot.said(repo, pull);
    bot.finish().await;
}

#[tokio::test]
async fn only_enforce_publishes_jobs_and_the_line_is_bound() {
    for (mode, expected) in [("observe", 0), ("advise", 0), ("enforce", 1)] {
        let bot = Bot::start().await;
        let repo = gated_shop(&bot, &format!("mode: {mode}\nholdout: 0\n")).await;
        set_mode(&bot, Mode::Enforce).await;
        let (pull, head) = docs_pull(&bot, repo).await;
        let lines = lines(&bot, repo, head);
        assert_eq!(lines.len(), 1, "{mode}");
        assert_eq!(lines[0].skip.len(), expected, "{mode}");
        assert_eq!((lines[0].head, lines[0].pull), (head, pull));
        let workflow = gated_workflow(WORKFLOW);
        assert!(workflow.contains(lines[0].workflow.as_str()));
        finish(bot, repo, pull).await;
    }
}

#[tokio::test]
async fn enforce_acts_as_advise_until_the_operator_allows_it() {
    let bot = Bot::start().await;
    let repo = gated_shop(&bot, "mode: enforce\nholdout: 0\n").await;
    let (pull, head) = docs_pull(&bot, repo).await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    insta::assert_snapshot!(summary(&bot, repo, head), @"Mode: advise. One workflow is gated, and told to run every job. The configuration says `enforce`, which acts as a lower mode until an operator of this server allows it.");
    let human = bot.github.check(repo, head, "trimtab").unwrap();
    assert!(
        human.summary.contains("until an operator"),
        "{}",
        human.summary
    );
    set_mode(&bot, Mode::Enforce).await;
    assert_eq!(skipped(&bot, repo, head), ["test"]);
    insta::assert_snapshot!(summary(&bot, repo, head), @"Mode: enforce. One job is skipped.");
    finish(bot, repo, pull).await;
}

/// Opens a pull whose check lets `test` be skipped, does something, and tells whether the
/// write that emptied the line came before anything was fetched again.
async fn check_emptied(what: &str, act: impl AsyncFnOnce(&Bot, RepoKey, PullNumber)) {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    assert_eq!(skipped(&bot, repo, head), ["test"], "{what}");
    let before = bot.github.requests().len();
    act(&bot, repo, pull).await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new(), "{what}");
    let requests = bot.github.requests();
    let writes = |line: &&String| line.contains("/check-runs") && !line.starts_with("GET");
    let first = requests[before..].iter().find(writes).unwrap();
    assert!(first.starts_with("PATCH"), "{what}: {first}");
    finish(bot, repo, pull).await;
}

async fn label(bot: &Bot, repo: RepoKey, pull: PullNumber, name: &str) {
    let add = |pull: &mut Pull| {
        pull.labels.insert(name.to_owned());
    };
    let action = ("ann", "labeled");
    bot.github.change_pull(repo, pull, action, add).await;
}

#[tokio::test]
async fn what_forbids_skipping_empties_the_line() {
    check_emptied("run all", async |bot, repo, pull| {
        bot.github
            .comment(repo, pull, "ann", "/trimtab run all")
            .await;
    })
    .await;
    check_emptied("the label for all", async |bot, repo, pull| {
        label(bot, repo, pull, "trimtab:full").await;
    })
    .await;
    check_emptied("the label for off", async |bot, repo, pull| {
        label(bot, repo, pull, "trimtab:off").await;
    })
    .await;
    check_emptied("a pause", async |bot, repo, pull| {
        bot.github.grant(repo, "rob", "maintain");
        bot.github
            .comment(repo, pull, "rob", "/trimtab pause repo")
            .await;
    })
    .await;
    check_emptied("a lower mode", async |bot, _, _| {
        set_mode(bot, Mode::Advise).await;
    })
    .await;
    check_emptied("a lower mode in the file", async |bot, repo, _| {
        let lower = [Edit::Write(".trimtab.yml", "mode: advise\n")];
        bot.github.push_branch(repo, ("rob", "main"), &lower).await;
    })
    .await;
}

#[tokio::test]
async fn a_retarget_empties_the_line_before_the_plan_is_made_again() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    assert_eq!(skipped(&bot, repo, head), ["test"]);
    let retarget = |pull: &mut Pull| pull.base_ref = "next".to_owned();
    // The new base cannot be fetched yet: nothing is published of the old one meanwhile.
    bot.github
        .change_pull(repo, pull, ("ann", "edited"), retarget)
        .await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    {
        let state = bot.github.state();
        let git = &state.repos[&repo.repo.0].git;
        git.branch("next", git.tip("main"));
    }
    bot.pass(MINUTE).await;
    // Nothing runs on pushes to that branch, so that a skip would never be made good.
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    assert!(summary(&bot, repo, head).starts_with("Mode: enforce."));
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_newer_push_empties_the_line_of_the_older_head() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, old) = docs_pull(&bot, repo).await;
    let more = [Edit::Write("docs/index.md", "# More\n")];
    let new = bot.github.push(repo, pull, &more).await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, old), Vec::<String>::new());
    assert_eq!(skipped(&bot, repo, new), ["test"]);
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_base_that_moved_has_the_plan_made_again() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    assert_eq!(skipped(&bot, repo, head), ["test"]);
    // A later run of the same head tests it with the new base, where the test reads prose.
    let reads = "def test_docs():\n    assert open(\"docs/index.md\").read()\n";
    let edits = [Edit::Write("tests/test_tax.py", reads)];
    bot.github.push_branch(repo, ("rob", "main"), &edits).await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn the_same_plan_is_not_written_twice() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, _) = docs_pull(&bot, repo).await;
    let writes = || {
        let requests = bot.github.requests();
        let writes = requests.iter().filter(|line| !line.starts_with("GET"));
        writes.filter(|line| line.contains("/check-runs")).count()
    };
    let before = writes();
    bot.github.comment(repo, pull, "ann", "/trimtab plan").await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    bot.github.comment(repo, pull, "ann", "/trimtab plan").await;
    bot.settle().await;
    assert_eq!(writes(), before);
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn two_pulls_with_one_head_have_a_line_each() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (first, head) = docs_pull(&bot, repo).await;
    let second = bot.github.open_pull(repo, ("bob", "other"), DOCS).await;
    let same = |pull: &mut Pull| {
        pull.head = head;
    };
    {
        let mut state = bot.github.state();
        let repo = state.repos.get_mut(&repo.repo.0).unwrap();
        repo.git.branch("other", head);
        let base = repo.pulls[&second.0].base;
        repo.git.pull_refs(second.0, head, base);
    }
    bot.github
        .change_pull(repo, second, ("bob", "synchronize"), same)
        .await;
    bot.settle().await;
    bot.said(repo, second);
    let found = |bot: &Bot| -> Vec<(u64, usize)> {
        let lines = lines(bot, repo, head);
        lines
            .iter()
            .map(|line| (line.pull.0, line.skip.len()))
            .collect()
    };
    assert_eq!(found(&bot), [(first.0, 1), (second.0, 1)]);
    bot.github
        .comment(repo, first, "ann", "/trimtab run all")
        .await;
    bot.settle().await;
    assert_eq!(found(&bot), [(first.0, 0), (second.0, 1)]);
    bot.pass(MINUTE).await;
    bot.said(repo, second);
    finish(bot, repo, first).await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_taken_for_one_that_never_was() {
    use super::super::support::github::model::FaultKind;
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    bot.github
        .comment(repo, pull, "ann", "/trimtab run all")
        .await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    let more = [Edit::Write("docs/index.md", "# More\n")];
    bot.github.fail_next(
        "POST /api/v3/repos/acme/shop/check-runs",
        FaultKind::LostAnswer,
    );
    let new = bot.github.push(repo, pull, &more).await;
    bot.settle().await;
    // The line stands on the forge, and the bot does not know it.
    assert_eq!(skipped(&bot, repo, new), ["test"]);
    bot.github
        .comment(repo, pull, "ann", "/trimtab run all")
        .await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, new), Vec::<String>::new());
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_pull_that_edits_the_gate_runs_everything() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    let workflow = gated_workflow(WORKFLOW).replace("timeout-minutes: 3", "timeout-minutes: 9");
    let edits = [Edit::Write(CI, &workflow)];
    let pull = bot.github.open_pull(repo, ("eve", "topic"), &edits).await;
    bot.settle().await;
    let head = head(&bot, repo, pull);
    assert_eq!(skipped(&bot, repo, head), Vec::<String>::new());
    assert!(summary(&bot, repo, head).contains("Everything runs."));
    finish(bot, repo, pull).await;
}

/// A change of code, which the job `test` reads.
const CODE: &[Edit<'_>] = &[Edit::Write("shop/tax.py", "RATE = 0.3\n")];

const SKIP: &str = "/trimtab skip test reason=\"only a constant\"";

#[tokio::test]
async fn a_maintainer_has_a_job_skipped_until_the_next_push() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    bot.github.grant(repo, "meg", "maintain");
    let pull = bot.github.open_pull(repo, ("ann", "topic"), CODE).await;
    bot.settle().await;
    let at = head(&bot, repo, pull);
    assert_eq!(skipped(&bot, repo, at), ["docs"]);
    bot.github.comment(repo, pull, "meg", SKIP).await;
    bot.settle().await;
    bot.pass(MINUTE).await;
    let mut both = skipped(&bot, repo, at);
    both.sort();
    assert_eq!(both, ["docs", "test"]);
    let planned = bot.store.plan_at(repo, pull, at).await.unwrap().unwrap();
    let told = planned
        .plan
        .jobs
        .iter()
        .find(|job| job.job == "test")
        .unwrap();
    assert_eq!(told.basis, Some(Basis::Told));
    let comment = bot.said(repo, pull).remove(0);
    assert!(
        comment.contains("a maintainer said so, `meg: only a constant`"),
        "{comment}"
    );
    // What the maintainer wrote is not where machines read.
    let machine = bot.github.check(repo, at, "trimtab/plan").unwrap();
    assert!(!format!("{machine:?}").contains("constant"));
    let more = [Edit::Write("shop/tax.py", "RATE = 0.4\n")];
    let pushed = bot.github.push(repo, pull, &more).await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, pushed), ["docs"]);
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_word_skips_no_job_that_is_required_and_nobody_elses_word_does() {
    let bot = Bot::start().await;
    let repo = enforcing_shop(&bot).await;
    bot.github.grant(repo, "meg", "maintain");
    bot.github.grant(repo, "rob", "write");
    let pull = bot.github.open_pull(repo, ("ann", "topic"), CODE).await;
    bot.settle().await;
    let at = head(&bot, repo, pull);
    let refused = async |login: &str, line: &str, words: &str| {
        bot.github.comment(repo, pull, login, line).await;
        bot.settle().await;
        let said = bot.said(repo, pull);
        let last = said.last().unwrap();
        assert!(last.contains("Refused") && last.contains(words), "{last}");
        assert_eq!(skipped(&bot, repo, at), ["docs"], "{line}");
    };
    let require = |required: [&[&str]; 2]| {
        let mut state = bot.github.state();
        let of = state.repos.get_mut(&repo.repo.0).unwrap();
        of.required = required.map(|list| list.iter().map(|it| (*it).to_owned()).collect());
    };
    refused("rob", SKIP, "only maintainers").await;
    refused("ann", SKIP, "only maintainers").await;
    refused(
        "meg",
        "/trimtab skip tset reason=\"a\"",
        "no job with that id",
    )
    .await;
    require([&["test"], &[]]);
    refused("meg", SKIP, "requires").await;
    require([&[], &["test (3.12)"]]);
    refused("meg", SKIP, "requires").await;
    require([&["docs"], &["tests"]]);
    bot.github.comment(repo, pull, "meg", SKIP).await;
    bot.settle().await;
    assert_eq!(skipped(&bot, repo, at).len(), 2);
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn a_pull_in_the_holdout_keeps_what_would_have_been_skipped() {
    let bot = Bot::start().await;
    let repo = gated_shop(&bot, "mode: enforce\nholdout: 100\n").await;
    set_mode(&bot, Mode::Enforce).await;
    let (pull, head) = docs_pull(&bot, repo).await;
    let record = bot.store.plan_at(repo, pull, head).await.unwrap().unwrap();
    let would = record
        .plan
        .jobs
        .iter()
        .map(|job| (job.job.as_str(), job.verdict, job.held_out));
    assert_eq!(
        would.collect::<Vec<_>>(),
        [
            ("test", Verdict::Run, Some(Basis::Unaffected)),
            ("docs", Verdict::Run, None),
        ]
    );
    finish(bot, repo, pull).await;
}

#[tokio::test]
async fn the_ramp_lets_the_jobs_that_hardly_fail_be_skipped_first() {
    for (ramp, expected) in [
        (100, ["docs", "test"].as_slice()),
        (30, &["docs"]),
        (10, &[]),
    ] {
        let bot = Bot::start().await;
        let configuration = format!("mode: enforce\nholdout: 0\nenforce: {{ramp: {ramp}}}\n");
        let repo = gated_shop(&bot, &configuration).await;
        set_mode(&bot, Mode::Enforce).await;
        let run = bot.github.start_push_run(repo, CI, "main");
        let jobs = [Ran("test", "success", 90), Ran("docs", "success", 30)];
        bot.github.finish_run(repo, run, &jobs).await;
        bot.settle().await;
        let edits = [Edit::Write("LICENSE", "MIT\n")];
        let pull = bot.github.open_pull(repo, ("ann", "topic"), &edits).await;
        bot.settle().await;
        let head = head(&bot, repo, pull);
        let mut skipped = skipped(&bot, repo, head);
        skipped.sort();
        assert_eq!(skipped, expected, "{ramp}");
        finish(bot, repo, pull).await;
    }
}

#[tokio::test]
async fn a_pull_in_the_holdout_runs_in_full_and_one_outside_the_cohort_is_advised() {
    for (configuration, words) in [
        (
            "mode: enforce\nholdout: 100\n",
            "Mode: enforce. Everything runs.",
        ),
        (
            "mode: enforce\nholdout: 0\nenforce: {percent: 0}\n",
            "outside the percentage",
        ),
        (
            "mode: enforce\nholdout: 0\nenforce: {users: [bob]}\n",
            "some authors only",
        ),
        (
            "mode: enforce\nholdout: 0\nenforce: {bases: [traced]}\n",
            "Mode: enforce.",
        ),
    ] {
        let bot = Bot::start().await;
        let repo = gated_shop(&bot, configuration).await;
        set_mode(&bot, Mode::Enforce).await;
        let (pull, head) = docs_pull(&bot, repo).await;
        assert_eq!(
            skipped(&bot, repo, head),
            Vec::<String>::new(),
            "{configuration}"
        );
        let summary = summary(&bot, repo, head);
        assert!(summary.contains(words), "{summary}");
        finish(bot, repo, pull).await;
    }
}
