//! The real program as a process: killed at bad moments, stopped politely, started
//! with wrong settings, asked by its operator.

use std::collections::BTreeMap;
use std::process::Output;

use secrecy::ExposeSecret as _;
use tokio::process::Command;
use trimtab::engine::ids::{PullNumber, RepoKey};
use trimtab::forge::CommentRef;

use super::super::support::github::FakeGithub;
use super::super::support::github::key;
use super::super::support::github::model::{APP, FaultKind};
use super::super::support::process::{PROGRAM, PUBLIC, Stage, get, pause, stop};
use super::super::support::repo::Edit;
use super::{DOCS, SHOP};

/// How often the process is killed.
const KILLS: u64 = 20;

/// The longest time from the first webhook of a round to the kill, in milliseconds.
const LATEST: u64 = 600;

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// How the answer to a command begins.
fn reply_mark(to: CommentRef) -> String {
    format!("<!-- trimtab:reply comment/{} -->", to.id.0)
}

impl Stage {
    /// A repository that is installed and mirrored.
    async fn shop(&self) -> RepoKey {
        let repo = self.github.add_repo("acme/shop", SHOP);
        self.github.announce_installation(repo, "created").await;
        // Also the sweep that follows has ended, or it would find a pull of the test.
        let settled = async || self.listed().await.is_empty();
        self.until("it is mirrored", settled).await;
        repo
    }

    /// Whether the bot has said yes or no to a command, and in words to a question.
    fn answered(&self, to: CommentRef) -> bool {
        let state = self.github.state();
        let comment = &state.comments[&to.id.0];
        let mark = reply_mark(to);
        let replied = || state.comments.values().any(|it| it.body.starts_with(&mark));
        let decided = comment.reactions.iter();
        decided
            .filter(|(_, word)| word == "+1" || word == "-1")
            .count()
            > 0
            && (comment.body.contains("run all") || replied())
    }

    async fn all_answered(&self, said: &[CommentRef]) {
        let all = async || said.iter().all(|to| self.answered(*to));
        self.until("every command is answered", all).await;
    }

    /// Whether both checks stand on the head of a pull.
    fn checked(&self, repo: RepoKey, pull: PullNumber) -> bool {
        let head = self.github.state().repos[&repo.repo.0].pulls[&pull.0].head;
        let check = |name| self.github.check(repo, head, name);
        check("trimtab/plan").is_some() && check("trimtab").is_some()
    }

    /// One round of what people do: a new pull or a push, and a command on it.
    async fn round(&self, repo: RepoKey, round: u64, pulls: &mut Vec<PullNumber>) -> CommentRef {
        let pull = if round.is_multiple_of(4) {
            let branch = format!("topic-{round}");
            let pull = self.github.open_pull(repo, ("ann", &branch), DOCS).await;
            pulls.push(pull);
            pull
        } else {
            let pull = *pulls.last().unwrap();
            let text = format!("# The shop, round {round}\n");
            let edits = [Edit::Write("docs/index.md", &text)];
            self.github.push(repo, pull, &edits).await;
            pull
        };
        let verbs = ["/trimtab run all", "/trimtab status", "/trimtab help"];
        let verb = verbs[usize::try_from(round).unwrap() % verbs.len()];
        self.github.comment(repo, pull, "ann", verb).await
    }

    /// What the bot said or did twice, and what never arrived.
    fn faults(&self, said: &[CommentRef]) -> Vec<String> {
        let state = self.github.state();
        let mut arrived: BTreeMap<&str, bool> = BTreeMap::new();
        for it in &state.deliveries {
            *arrived.entry(&it.guid).or_default() |= (200..300).contains(&it.status);
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for check in state.checks.values() {
            let name = format!("check {} on {}", check.name, check.head);
            *counts.entry(name).or_default() += 1;
        }
        for comment in state.comments.values().filter(|it| it.app.is_some()) {
            let mark = comment.body.lines().next().unwrap_or_default();
            let name = format!("comment {mark} in {}", comment.pull);
            *counts.entry(name).or_default() += 1;
        }
        let questions = said.iter().filter(|to| {
            let question = !state.comments[&to.id.0].body.contains("run all");
            let mark = format!("comment {}", reply_mark(**to));
            question && !counts.keys().any(|name| name.starts_with(&mark))
        });
        let lost = arrived.iter().filter(|(_, arrived)| !**arrived);
        let twice = counts.iter().filter(|(_, count)| **count > 1);
        lost.map(|(guid, _)| format!("delivery {guid} never arrived"))
            .chain(twice.map(|(name, count)| format!("{count} times {name}")))
            .chain(questions.map(|to| format!("no answer to {to:?}")))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_said_twice_when_the_process_is_killed_twenty_times() {
    let stage = Stage::set().await;
    let mut server = stage.serve().await;
    let repo = stage.shop().await;
    let mut chance = Chance(0x7472_696d_7461_6221);
    let (mut pulls, mut said) = (Vec::new(), Vec::new());
    for round in 0..KILLS {
        let moment = chance.below(LATEST);
        let killer = tokio::spawn(async move {
            pause(moment).await;
            server.kill().await.unwrap();
        });
        said.push(stage.round(repo, round, &mut pulls).await);
        killer.await.unwrap();
        server = stage.serve().await;
        // A task that is killed twelve times is taken for one that kills its process.
        if round % 5 == 4 {
            stage.all_answered(&said).await;
        }
    }
    stage.all_answered(&said).await;
    let checked = async || pulls.iter().all(|pull| stage.checked(repo, *pull));
    stage.until("every head has its checks", checked).await;
    let listed = stage.listed().await;
    assert!(!listed.contains(" dead "), "{listed}");
    assert_eq!(stage.faults(&said), Vec::<String>::new());
    assert_eq!(stop(server).await, Some(0));
    for pull in pulls {
        stage.github.bot_comments(repo, pull);
    }
    stage.github.finish();
}

/// What a command says on standard error when it ends with exit code 3.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn running_server_is_asked_for_its_tasks() {
    let stage = Stage::set().await;
    let none = refusal(&stage.tasks(&["list"]).await);
    assert!(none.contains("with --data-dir or DATA_DIR"), "{none}");
    let mut server = stage.serve().await;
    let repo = stage.shop().await;
    let refused = FaultKind::Answer(422, Vec::new());
    stage.github.fail_next("check-runs", refused);
    let pull = stage.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    let dead = async || stage.listed().await.contains(" dead ");
    stage.until("a task is dead", dead).await;
    let listed = stage.listed().await;
    let dead = listed.lines().find(|line| line.contains(" dead ")).unwrap();
    let id = dead.split(' ').next().unwrap();
    let unknown = refusal(&stage.tasks(&["bury", "999999"]).await);
    assert!(unknown.contains("there is no task 999999"), "{unknown}");
    let retried = stage.tasks(&["retry", id]).await;
    let text = String::from_utf8(retried.stdout).unwrap();
    assert_eq!(text, format!("task {id} is due now\n"));
    let checked = async || stage.checked(repo, pull);
    stage.until("the server has done it", checked).await;
    // The socket of a server that was killed is nobody.
    server.kill().await.unwrap();
    let socket = stage.data.path().join("trimtab.sock");
    assert!(socket.exists());
    assert!(!stage.listed().await.contains(" dead "));
    let server = stage.serve().await;
    stage.listed().await;
    std::fs::rename(&socket, stage.data.path().join("gone")).unwrap();
    let silent = refusal(&stage.tasks(&["list"]).await);
    assert!(
        silent.contains("another process uses the store"),
        "{silent}"
    );
    std::fs::rename(stage.data.path().join("gone"), &socket).unwrap();
    assert_eq!(stop(server).await, Some(0));
    assert!(!socket.exists());
    stage.listed().await;
    stage.github.bot_comments(repo, pull);
    stage.github.finish();
}

/// What the command line says of two commits of the fake's repository.
async fn in_checkout(stage: &Stage, repo: RepoKey, pull: PullNumber, words: &[&str]) -> String {
    let (dir, base, head) = {
        let state = stage.github.state();
        let of = &state.repos[&repo.repo.0];
        let it = &of.pulls[&pull.0];
        (of.git.dir().to_owned(), it.base, it.head)
    };
    let mut command = Command::new(PROGRAM);
    command.args(words).arg("--repo").arg(dir);
    command.args(["--base", &base.to_string(), "--head", &head.to_string()]);
    command.env("XDG_CACHE_HOME", stage.data.path().join("cache"));
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn bot_and_command_line_say_the_same_and_the_link_leads_to_the_pull() {
    let stage = Stage::set().await;
    let server = stage.serve().await;
    let repo = stage.shop().await;
    let pull = stage.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    let commented = async || !stage.github.bot_comments(repo, pull).is_empty();
    stage.until("there is a comment", commented).await;
    let body = stage.github.bot_comments(repo, pull)[0].body.clone();
    let words = ["plan", "--format", "markdown", "--link-base", PUBLIC];
    assert_eq!(in_checkout(&stage, repo, pull, &words).await, body);
    let link = body.split(PUBLIC).nth(1).unwrap();
    let path = link.split(')').next().unwrap();
    let url = format!("http://{}{path}", stage.listen);
    let (status, location) = get(&url).await;
    let web = stage.github.endpoint().web;
    let to = format!("{web}acme/shop/pull/{pull}/checks?sha=");
    assert_eq!(status, 303);
    assert!(location.starts_with(&to), "{location}");
    let unknown = format!("http://{}/plans/{}", stage.listen, "0".repeat(40));
    assert_eq!(get(&unknown).await.0, 404);
    for subject in ["shop/tax.py", "test", "tests/test_tax.py::test_rate"] {
        let asked = format!("/trimtab why {subject}");
        let said = stage.github.comment(repo, pull, "ann", &asked).await;
        stage.all_answered(&[said]).await;
        let mark = reply_mark(said);
        let answers = stage.github.bot_comments(repo, pull);
        let answer = answers
            .iter()
            .find(|it| it.body.starts_with(&mark))
            .unwrap();
        let chain = in_checkout(&stage, repo, pull, &["why", subject]).await;
        assert!(
            answer.body.contains(chain.trim_end()),
            "{}\n{chain}",
            answer.body
        );
    }
    assert_eq!(stop(server).await, Some(0));
    stage.github.finish();
}

#[tokio::test]
async fn no_secret_is_in_the_log_of_a_whole_session() {
    let mut stage = Stage::set().await;
    stage.level = "trace";
    let server = stage.serve().await;
    let repo = stage.shop().await;
    let refused = FaultKind::Answer(500, Vec::new());
    stage.github.fail_next("check-runs", refused);
    let pull = stage.github.open_pull(repo, ("ann", "topic"), DOCS).await;
    let checked = async || stage.checked(repo, pull);
    stage.until("there are checks", checked).await;
    assert_eq!(stop(server).await, Some(0));
    let log = stage.log();
    assert!(log.contains("status 500"), "the log is written: {log}");
    let mut secrets: Vec<String> = stage.github.state().tokens.keys().cloned().collect();
    assert!(secrets.len() > 3);
    secrets.push(FakeGithub::secret().expose_secret().to_owned());
    let key = key::private();
    let lines = key
        .expose_secret()
        .lines()
        .filter(|line| !line.contains("---"));
    secrets.extend(lines.map(str::to_owned));
    let leaked: Vec<&String> = secrets
        .iter()
        .filter(|it| log.contains(it.as_str()))
        .collect();
    assert_eq!(leaked, Vec::<&String>::new());
    assert!(!log.contains("x-access-token"), "not even in base64");
    stage.github.bot_comments(repo, pull);
    stage.github.finish();
}

#[tokio::test]
async fn numbers_are_shown_on_the_operators_address_alone() {
    let stage = Stage::set().await;
    let server = stage.serve().await;
    let url = |address| format!("http://{address}/metrics");
    assert_eq!(get(&url(stage.listen)).await.0, 404);
    assert_eq!(get(&url(stage.numbers)).await.0, 200);
    assert_eq!(stop(server).await, Some(0));
    stage.github.finish();
}

#[tokio::test]
async fn wrong_settings_are_told_at_once_with_exit_code_three() {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").env_clear();
    command.env("LISTEN", "8080").env("APP_ID", "Iv1.abc");
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"
    trimtab: these settings cannot be used (docs/operations.md has all of them):
      PUBLIC_URL must be set: where people and the forge reach this server
      LISTEN must be an address and a port, such as `0.0.0.0:8080`
      APP_ID must be a whole number from 1
      PRIVATE_KEY must be set: the app's key: PEM text, or the path of a file with it
      WEBHOOK_SECRET must be set: the secret that webhooks are signed with
    ");
}

#[tokio::test]
async fn saved_webhook_is_replayed_to_a_server_on_this_machine() {
    let stage = Stage::set().await;
    let server = stage.serve().await;
    let file = stage.data.path().join("ping.json");
    let saved = r#"{"event": "ping", "payload": {"zen": "x"}}"#;
    std::fs::write(&file, saved).unwrap();
    let to = format!("http://{}/webhook/github", stage.listen);
    let mut command = Command::new(PROGRAM);
    command.arg("replay").arg(&file).args(["--to", &to]);
    command
        .args(["--delivery", "d-1"])
        .env("APP_ID", APP.to_string());
    command.env("WEBHOOK_SECRET", FakeGithub::secret().expose_secret());
    let output = command.output().await.unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @"d-1: 200 OK");
    command.env("WEBHOOK_SECRET", "another");
    let refused = command.output().await.unwrap();
    assert_eq!(refused.status.code(), Some(3));
    let text = String::from_utf8_lossy(&refused.stderr);
    assert!(
        text.contains("401 Unauthorized: the signature does not fit"),
        "{text}"
    );
    assert_eq!(stop(server).await, Some(0));
    stage.github.finish();
}
