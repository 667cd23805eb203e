//! The whole bot in one process: real router, real worker, a clock that tests turn.
//!
//! A [`Bot`] takes signed webhooks over HTTP and asks the fake GitHub back over
//! HTTP; only the process around it is missing. [`Bot::settle`] runs whatever is
//! due; [`Bot::finish`] fails for whatever was left over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use trimtab::clock::{Clock, ManualClock};
use trimtab::engine::ids::{ForgeKind, PullNumber, RepoKey};
use trimtab::flow::run_task::Runner;
use trimtab::flow::{self, Context};
use trimtab::forge::github::{Client, GitHub, Verifier};
use trimtab::signer::Signer;
use trimtab::store::{Store, TaskFilter, TaskState, memory};
use trimtab::telemetry::Metrics;
use trimtab::web::{Door, Edge, Room, router, serve};
use trimtab::worker::{Bell, Width, Worker};

use super::github::model::{APP, CLIENT_ID};
use super::github::{FakeGithub, key};
use super::repo::Edit;

/// How this bot is reached, as far as runs know.
pub(crate) const PUBLIC_URL: &str = "https://bot.example/";
const START: u64 = 1_795_251_661;
/// What opens this bot's metrics.
const NUMBERS: &str = "only for the operator";
/// The largest body that this bot reads.
pub(crate) const BODY: usize = 1 << 20;
/// How long real work may take before a scenario gives up.
const PATIENCE: u32 = 12_000;

/// The bot, and the forge that it talks to.
pub(crate) struct Bot {
    pub(crate) github: FakeGithub,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) address: SocketAddr,
    context: Context,
    pub(crate) drain: Arc<watch::Sender<bool>>,
    bell: Bell,
    open: watch::Sender<bool>,
    _mirrors: tempfile::TempDir,
}

impl Bot {
    /// A bot with an empty memory.
    pub(crate) async fn start() -> Self {
        Self::with(Arc::new(memory::open().unwrap())).await
    }

    /// A bot with a memory.
    pub(crate) async fn with(store: Arc<dyn Store>) -> Self {
        Self::counted(store, Arc::default()).await
    }

    /// A bot with a memory, and with numbers that somebody else may move.
    pub(crate) async fn counted(store: Arc<dyn Store>, metrics: Arc<Metrics>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let ticking: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let github = FakeGithub::start(Arc::clone(&ticking)).await;
        let mirrors = tempfile::tempdir().unwrap();
        let client = Client::new(&github.endpoint(), Arc::clone(&ticking))
            .unwrap()
            .with_observer(flow::counting(&metrics));
        let signer = Signer::new(
            CLIENT_ID.to_owned(),
            &key::private(),
            client.clone(),
            Arc::clone(&ticking),
        );
        let forge = GitHub::new(github.endpoint(), APP, client, Arc::new(signer.unwrap()));
        let context = Context {
            forge: Arc::new(forge),
            store: Arc::clone(&store),
            clock: Arc::clone(&ticking),
            metrics: Arc::clone(&metrics),
            mirrors: mirrors.path().to_owned(),
            link_base: None,
            app: APP,
            mention: None,
        };
        let bell = Bell::default();
        let drain = Arc::new(watch::Sender::new(false));
        let worker = Worker {
            store: Arc::clone(&store),
            clock: ticking,
            handler: Arc::new(Runner::new(context.clone())),
            bell: bell.clone(),
            width: Width {
                plan: 2,
                background: 1,
            },
        };
        let asked = drain.subscribe();
        tokio::spawn(async move { worker.run(asked).await });
        let mut bot = Self {
            github,
            store,
            clock,
            metrics,
            address: ([127, 0, 0, 1], 0).into(),
            context,
            drain,
            bell,
            open: watch::Sender::new(false),
            _mirrors: mirrors,
        };
        bot.listen().await;
        bot.github.connect(Some(bot.url("/webhook/github")));
        bot
    }

    async fn listen(&mut self) {
        let bell = self.bell.clone();
        let clock = Arc::clone(&self.clock) as _;
        let audience = PUBLIC_URL.parse().unwrap();
        let verifier = Verifier::new(self.github.issuer(), &audience, clock).unwrap();
        let edge = Edge {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock) as _,
            metrics: Arc::clone(&self.metrics),
            secrets: [FakeGithub::secret()].into(),
            app: APP,
            room: Room::of(BODY),
            metrics_token: Some(NUMBERS.into()),
            door: Door::new(self.context.clone(), verifier),
            forge_web: self.github.endpoint().web,
            wake: Arc::new(move || bell.ring()),
            draining: self.drain.subscribe(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        // It answers until the scenario is over, also while the worker drains.
        let draining = self.open.subscribe();
        tokio::spawn(serve(listener, router(edge), draining));
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    /// A repository whose installation was announced and whose mirror is there.
    pub(crate) async fn install(&self, path: &str, edits: &[Edit<'_>]) -> RepoKey {
        let repo = self.github.add_repo(path, edits);
        self.github.announce_installation(repo, "created").await;
        self.settle().await;
        repo
    }

    /// Runs every task that is due, and what follows from it.
    pub(crate) async fn settle(&self) {
        for _ in 0..PATIENCE {
            let now = self.clock.timestamp();
            let tasks = self.store.tasks(TaskFilter::Live, 1_000).await.unwrap();
            let due = |state: &TaskState| match state {
                TaskState::Waiting { due } => *due <= now,
                TaskState::Leased { .. } => true,
                TaskState::Dead { .. } => false,
            };
            if !tasks.iter().any(|task| due(&task.state)) {
                return;
            }
            self.bell.ring();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("tasks do not end:\n{}", self.store.dump().await.unwrap());
    }

    /// Lets time pass and runs what has become due.
    pub(crate) async fn pass(&self, by: Duration) {
        self.clock.advance(by);
        self.settle().await;
    }

    /// What a start looks for.
    pub(crate) async fn recover(&self) {
        let tasks = flow::recover::at_start(&self.context, ForgeKind::Github)
            .await
            .unwrap();
        let now = self.clock.timestamp();
        self.store.enqueue(tasks, now).await.unwrap();
        self.settle().await;
    }

    /// The bodies of the bot's comments on a pull; of answers without their marks,
    /// which hold numbers that differ from run to run.
    pub(crate) fn said(&self, repo: RepoKey, pull: PullNumber) -> Vec<String> {
        let comments = self.github.bot_comments(repo, pull);
        let bare = |body: String| match body.split_once(" -->\n") {
            Some((mark, rest)) if mark.starts_with("<!-- trimtab:reply ") => rest.to_owned(),
            _ => body,
        };
        comments.into_iter().map(|it| bare(it.body)).collect()
    }

    /// The page of numbers, as the operator reads it.
    pub(crate) async fn numbers(&self) -> String {
        let request = http::Request::get(self.url("/metrics").as_str());
        let request = request.header("authorization", format!("Bearer {NUMBERS}"));
        let (status, page) = self.ask(request, b"").await;
        assert_eq!(status, 200, "{page}");
        page
    }

    /// The dead letters, one line each.
    pub(crate) async fn dead(&self) -> Vec<String> {
        let dead = self.store.tasks(TaskFilter::Dead, 100).await.unwrap();
        dead.iter().map(ToString::to_string).collect()
    }

    /// Status and body of a request.
    pub(crate) async fn ask(&self, request: http::request::Builder, body: &[u8]) -> (u16, String) {
        let body = axum::body::Bytes::copy_from_slice(body);
        let request = request.body(Full::new(body)).unwrap();
        let client = HttpClient::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    /// Fails for whatever is left over.
    pub(crate) async fn finish(self) {
        let live = self.store.tasks(TaskFilter::Live, 100).await.unwrap();
        let live: Vec<String> = live.iter().map(ToString::to_string).collect();
        assert!(live.is_empty(), "live tasks:\n{}", live.join("\n"));
        assert_eq!(self.dead().await, Vec::<String>::new(), "dead letters");
        self.github.finish();
    }
}
