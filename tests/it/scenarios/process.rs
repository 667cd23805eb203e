//! The real program as a process: killed at bad moments, stopped politely, started
//! with wrong settings.

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use trimtab::clock::SystemClock;
use trimtab::engine::ids::{PullNumber, RepoKey};
use trimtab::forge::CommentRef;

use super::super::support::github::model::APP;
use super::super::support::github::{FakeGithub, key};
use super::{DOCS, SHOP};

const PROGRAM: &str = env!("CARGO_BIN_EXE_trimtab");

/// How long after the last webhook the process is killed, in milliseconds.
const MOMENTS: &[u64] = &[0, 15, 60, 250, 700];

/// A fake forge on the machine's clock, and room for a server.
struct Stage {
    github: FakeGithub,
    data: tempfile::TempDir,
    listen: SocketAddr,
}

impl Stage {
    async fn set() -> Self {
        let github = FakeGithub::start(Arc::new(SystemClock)).await;
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = free.local_addr().unwrap();
        drop(free);
        let hook = format!("http://{listen}/webhook/github");
        github.connect(Some(hook.parse().unwrap()));
        let data = tempfile::tempdir().unwrap();
        Self {
            github,
            data,
            listen,
        }
    }

    /// Starts the server, and returns when it takes connections.
    async fn serve(&self) -> Child {
        let endpoint = self.github.endpoint();
        let server = Command::new(PROGRAM)
            .arg("serve")
            .args(["--listen", &self.listen.to_string()])
            .arg("--data-dir")
            .arg(self.data.path())
            .env("PUBLIC_URL", "http://127.0.0.1")
            .env("APP_ID", APP.to_string())
            .env("PRIVATE_KEY", key::private().expose_secret())
            .env("WEBHOOK_SECRET", FakeGithub::secret().expose_secret())
            .env("GITHUB_URL", endpoint.web.as_str())
            .env("GITHUB_API_URL", endpoint.api.as_str())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..3_000 {
            if TcpStream::connect(self.listen).await.is_ok() {
                return server;
            }
            pause(10).await;
        }
        panic!("the server does not start");
    }

    async fn tasks(&self) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(["tasks", "list", "--data-dir"]);
        command.arg(self.data.path()).output().await.unwrap()
    }

    /// Waits until the bot has said yes to a command.
    async fn agreed(&self, to: CommentRef) {
        for _ in 0..6_000 {
            let yes = {
                let state = self.github.state();
                let reactions = &state.comments[&to.id.0].reactions;
                reactions.iter().any(|(_, word)| word == "+1")
            };
            if yes {
                return;
            }
            pause(10).await;
        }
        panic!("a command was lost");
    }

    /// A pull, and a command on it that no sweep would find again.
    async fn ask(&self, repo: RepoKey, branch: &str) -> (PullNumber, CommentRef) {
        let pull = self.github.open_pull(repo, ("ann", branch), DOCS).await;
        let said = self.github.comment(repo, pull, "ann", "/trimtab run all");
        (pull, said.await)
    }
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Asks the server to stop, and returns how it ended.
async fn stop(mut server: Child) -> Option<i32> {
    let id = server.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(sent.unwrap().success());
    server.wait().await.unwrap().code()
}

#[tokio::test]
async fn no_accepted_delivery_is_lost_when_the_process_is_killed() {
    let stage = Stage::set().await;
    let mut server = stage.serve().await;
    let repo = stage.github.add_repo("acme/shop", SHOP);
    stage.github.announce_installation(repo, "created").await;
    let mut pulls = Vec::new();
    for moment in MOMENTS {
        let (pull, command) = stage.ask(repo, &format!("topic-{moment}")).await;
        assert_eq!(stage.github.state().deliveries.last().unwrap().status, 202);
        pause(*moment).await;
        server.kill().await.unwrap();
        server = stage.serve().await;
        stage.agreed(command).await;
        pulls.push(pull);
    }
    assert_eq!(stop(server).await, Some(0));
    let listed = String::from_utf8(stage.tasks().await.stdout).unwrap();
    assert!(!listed.contains(" dead "), "{listed}");
    for pull in pulls {
        let comments = stage.github.bot_comments(repo, pull);
        assert!(comments.len() <= 1, "{pull}: {comments:?}");
    }
    stage.github.finish();
}

#[tokio::test]
async fn store_in_use_is_said_in_one_sentence() {
    let stage = Stage::set().await;
    let none = stage.tasks().await;
    assert_eq!(none.status.code(), Some(3));
    let text = String::from_utf8(none.stderr).unwrap();
    assert!(text.contains("set --data-dir or DATA_DIR"), "{text}");
    let server = stage.serve().await;
    let refused = stage.tasks().await;
    assert_eq!(refused.status.code(), Some(3));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("stop the server first"), "{text}");
    assert_eq!(stop(server).await, Some(0));
    let listed = stage.tasks().await;
    assert_eq!(listed.status.code(), Some(0));
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
    trimtab: invalid configuration:
      PUBLIC_URL is not set
      LISTEN is not an address and a port
      APP_ID is not a whole number from 1
      PRIVATE_KEY is not set
      WEBHOOK_SECRET is not set
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
