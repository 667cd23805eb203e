//! The real program as a process of its own, a fake forge, and the machine's clock.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use secrecy::ExposeSecret as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use trimtab::clock::SystemClock;

use super::github::model::APP;
use super::github::{FakeGithub, key};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trimtab");

/// Where links of the program's comments lead.
pub(crate) const PUBLIC: &str = "http://127.0.0.1";

/// A fake forge on the machine's clock, and room for a server.
pub(crate) struct Stage {
    pub(crate) github: FakeGithub,
    pub(crate) data: tempfile::TempDir,
    pub(crate) listen: SocketAddr,
    /// Where the server shows its numbers.
    pub(crate) numbers: SocketAddr,
    /// The least important level that is logged.
    pub(crate) level: &'static str,
    program: PathBuf,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::of(PROGRAM.into()).await
    }

    /// The same for another build of the program.
    pub(crate) async fn of(program: PathBuf) -> Self {
        let github = FakeGithub::start(Arc::new(SystemClock)).await;
        let (listen, numbers) = (free().await, free().await);
        let data = tempfile::tempdir().unwrap();
        let stage = Self {
            github,
            data,
            listen,
            numbers,
            level: "info",
            program,
        };
        stage.github.connect(Some(stage.hook()));
        stage
    }

    /// Where the server takes webhooks.
    pub(crate) fn hook(&self) -> url::Url {
        let hook = format!("http://{}/webhook/github", self.listen);
        hook.parse().unwrap()
    }

    /// Starts the server, and returns when it takes connections.
    pub(crate) async fn serve(&self) -> Child {
        let endpoint = self.github.endpoint();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let server = Command::new(&self.program)
            .arg("serve")
            .args(["--listen", &self.listen.to_string()])
            .arg("--data-dir")
            .arg(self.data.path())
            .env("PUBLIC_URL", PUBLIC)
            .env("APP_ID", APP.to_string())
            .env("PRIVATE_KEY", key::private().expose_secret())
            .env("WEBHOOK_SECRET", FakeGithub::secret().expose_secret())
            .env("GITHUB_URL", endpoint.web.as_str())
            .env("GITHUB_API_URL", endpoint.api.as_str())
            .env("METRICS_LISTEN", self.numbers.to_string())
            .env("LOG_LEVEL", self.level)
            .stderr(log)
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        for _ in 0..6_000 {
            if TcpStream::connect(self.listen).await.is_ok() {
                return server;
            }
            pause(10).await;
        }
        panic!("the server does not start:\n{}", self.log());
    }

    /// Runs `trimtab tasks` with these words on the server's data.
    pub(crate) async fn tasks(&self, words: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.arg("tasks").args(words).arg("--data-dir");
        command.arg(self.data.path()).output().await.unwrap()
    }

    /// The tasks and dead letters, one a line.
    pub(crate) async fn listed(&self) -> String {
        let output = self.tasks(&["list"]).await;
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..6_000 {
            if holds().await {
                return;
            }
            pause(10).await;
        }
        panic!("{what}: it never was so; the log:\n{}", self.log());
    }

    /// What the servers have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.data.path().join("server.log")
    }
}

pub(crate) async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Asks the server to stop, and returns how it ended.
pub(crate) async fn stop(mut server: Child) -> Option<i32> {
    let id = server.id().unwrap().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(sent.unwrap().success());
    server.wait().await.unwrap().code()
}

/// Status and location of a page; a redirect is not followed.
pub(crate) async fn get(url: &str) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    let location = answer.headers().get("location");
    let location = location.map_or("", |it| it.to_str().unwrap());
    (answer.status().as_u16(), location.to_owned())
}

/// An address that nobody listens on.
async fn free() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    free.local_addr().unwrap()
}
