//! `trimtab serve`: the bot, until it is told to stop.
//!
//! Everything is set up before the port is bound, so that a server that answers is
//! one that works. Told to stop, it takes no more requests, lets begun tasks end,
//! and gives back what does not end in time; what it had accepted is kept.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Failure, store};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, GithubApp, Limits, Log, LogFormat};
use crate::engine::ids::ForgeKind;
use crate::flow::run_task::Runner;
use crate::flow::{self, recover};
use crate::forge::Forge;
use crate::forge::github::{Client, Endpoint, GitHub, Verifier};
use crate::queue::GRACE;
use crate::signer::Signer;
use crate::store::Store;
use crate::telemetry::{self, Metrics};
use crate::web::socket::Socket;
use crate::web::{self, Door, Edge, Room, metrics_router, router};
use crate::worker::{Bell, Width, Worker};

/// Arguments of `trimtab serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen, instead of LISTEN
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Where store and mirrors lie, instead of `DATA_DIR`
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
}

/// How often it looks for what may have been missed.
const SWEEP: Duration = Duration::from_hours(1);

/// How many threads do blocking work: analyses, and operations of the store, which
/// take turns anyway. Each holds memory of its own.
const BLOCKING: usize = 32;

/// How long blocking work may hold up the end of the process.
const LAST: Duration = Duration::from_secs(1);

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let flags = |name: &str| match name {
        "LISTEN" => args.listen.clone(),
        "DATA_DIR" => args.data_dir.clone(),
        _ => None,
    };
    let config = Config::from_env(flags).map_err(|fault| Failure::Expected(fault.to_string()))?;
    log(config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING)
        .build()
        .context("start the runtime")?;
    let served = runtime.block_on(serve(config));
    runtime.shutdown_timeout(LAST);
    served
}

fn log(log: Log) -> Result<(), Failure> {
    let begun = match log.format {
        LogFormat::Text => telemetry::text(log.level),
        LogFormat::Json => telemetry::json(log.level),
    };
    Ok(begun.context("begin to log")?)
}

async fn serve(config: Config) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Arc::new(Metrics::default());
    let store = opened(&config, &metrics)?;
    let context = flow::Context {
        forge: forge(&config.github, &clock, &metrics)?,
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        mirrors: config.mirror_dir(),
        link_base: Some(config.public_url.to_string()),
        app: config.github.app_id,
        mention: Some(config.bot_name.clone()),
    };
    let (bell, drain) = (Bell::default(), watch::Sender::new(false));
    let worker = worker(&config.limits, &context, &bell);
    let socket = socket(&config);
    let listener = bind(config.listen).await?;
    let for_metrics = match config.metrics.listen {
        Some(listen) => Some(bind(listen).await?),
        None => None,
    };
    let ringing = bell.clone();
    let issuer = config.github.actions_issuer;
    let verifier = Verifier::new(issuer, &config.public_url, Arc::clone(&clock));
    let verifier = verifier.context("set up the client of the issuer")?;
    let edge = Edge {
        store,
        clock,
        metrics,
        secrets: config.github.webhook_secrets.into(),
        app: config.github.app_id,
        room: Room::of(config.limits.body_bytes),
        metrics_token: config.metrics.token,
        door: Door::new(context.clone(), verifier),
        forge_web: config.github.web_url,
        wake: Arc::new(move || ringing.ring()),
        draining: drain.subscribe(),
    };
    let asked = drain.subscribe();
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("draining");
        drain.send_replace(true);
    });
    tokio::join!(
        answer(edge, listener, for_metrics),
        until_drained(&asked, async { orders(socket, &context, &bell).await }),
        worker.run(asked.clone()),
        keep_house(&context, &bell, asked.clone())
    );
    tracing::info!("stopped");
    Ok(())
}

/// Takes requests until it is told to stop and begun ones have ended.
async fn answer(edge: Edge, listener: TcpListener, for_metrics: Option<TcpListener>) {
    let (asked, clock) = (edge.draining.clone(), Arc::clone(&edge.clock));
    let numbers = async {
        if let Some(listener) = for_metrics {
            web::serve(listener, metrics_router(edge.clone()), asked.clone()).await;
        }
    };
    let all = async {
        tokio::join!(
            web::serve(listener, router(edge.clone()), asked.clone()),
            numbers
        )
    };
    tokio::select! {
        ((), ()) = all => {}
        // Somebody keeps a connection open; they are not waited for.
        () = overdue(asked.clone(), &clock) => {}
    }
}

/// The operator's socket. A server without one works; only `tasks` cannot reach it.
fn socket(config: &Config) -> Option<Socket> {
    let opened = Socket::open(&config.data_dir);
    opened
        .inspect_err(|error| {
            tracing::error!(%error, "there is no socket for `trimtab tasks`");
        })
        .ok()
}

async fn orders(socket: Option<Socket>, context: &flow::Context, bell: &Bell) {
    let bell = bell.clone();
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || bell.ring());
    if let Some(socket) = socket {
        socket.serve(&context.store, &context.clock, &wake).await;
    }
}

async fn until_drained(drain: &watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = drained(drain.clone()) => {}
    }
}

fn worker(limits: &Limits, context: &flow::Context, bell: &Bell) -> Worker {
    Worker {
        store: Arc::clone(&context.store),
        clock: Arc::clone(&context.clock),
        handler: Arc::new(Runner::new(context.clone())),
        bell: bell.clone(),
        width: Width {
            plan: limits.plan_tasks,
            background: limits.background_tasks,
        },
    }
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| Failure::Expected(format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr().context("read the port")?;
    tracing::info!(%address, "listening");
    Ok(listener)
}

/// Opens the store; what a person can put right is said as such.
fn opened(config: &Config, metrics: &Arc<Metrics>) -> Result<Arc<dyn Store>, Failure> {
    let dir = config.store_dir();
    for dir in [&dir, &config.mirror_dir()] {
        private(dir).map_err(|error| {
            Failure::Expected(format!("cannot make {}: {error}", dir.display()))
        })?;
    }
    let store = store::open(&dir, config.limits.store_cache_bytes)?;
    Ok(Arc::new(
        store.with_observer(flow::counting_faults(metrics)),
    ))
}

/// Makes a directory that nobody else on this machine may look into: it will hold
/// private repositories.
fn private(dir: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

fn forge(
    github: &GithubApp,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<dyn Forge>, Failure> {
    let endpoint = Endpoint {
        api: github.api_url.clone(),
        web: github.web_url.clone(),
    };
    let client = Client::new(&endpoint, Arc::clone(clock))
        .context("set up GitHub's client")?
        .with_observer(flow::counting(metrics));
    let signer = Signer::new(
        github.app_id.to_string(),
        &github.private_key,
        client.clone(),
        Arc::clone(clock),
    );
    let signer = signer.map_err(|error| Failure::Expected(format!("PRIVATE_KEY: {error}")))?;
    let app = github.app_id;
    Ok(Arc::new(GitHub::new(
        endpoint,
        app,
        client,
        Arc::new(signer),
    )))
}

/// Looks for what was missed, and forgets what is old: now, and every hour.
async fn keep_house(context: &flow::Context, bell: &Bell, drain: watch::Receiver<bool>) {
    loop {
        if let Err(error) = sweep(context).await {
            tracing::error!(error = format!("{error:#}"), "the sweep failed");
        }
        bell.ring();
        let next = context.clock.timestamp().after(SWEEP);
        tokio::select! {
            () = context.clock.until(next) => {}
            () = drained(drain.clone()) => return,
        }
    }
}

async fn sweep(context: &flow::Context) -> anyhow::Result<()> {
    let now = context.clock.timestamp();
    let tasks = recover::at_start(context, ForgeKind::Github).await?;
    let queued = context.store.enqueue(tasks, now).await;
    queued.context("queue the sweeps")?;
    while context
        .store
        .prune(now)
        .await
        .context("forget what is old")?
        > 0
    {}
    Ok(())
}

async fn drained(mut drain: watch::Receiver<bool>) {
    // The sender is gone only when the process ends.
    drop(drain.wait_for(|drained| *drained).await);
}

async fn overdue(drain: watch::Receiver<bool>, clock: &Arc<dyn Clock>) {
    drained(drain).await;
    clock.until(clock.timestamp().after(GRACE)).await;
}

/// Returns when the process is asked to end.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "interrupts are not heard");
            std::future::pending::<()>().await;
        }
    };
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(error) => {
                tracing::error!(%error, "SIGTERM is not heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}
