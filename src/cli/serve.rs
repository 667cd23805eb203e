//! `trimtab serve`: the bot, until it is told to stop.
//!
//! Everything is set up before the port is bound, so that a server that answers is
//! one that works. Told to stop, it takes no more requests, lets begun tasks end,
//! and gives back what does not end in time; what it had accepted is kept.

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Limits, Log, LogFormat};
use crate::engine::ids::ForgeKind;
use crate::flow::run_task::Runner;
use crate::flow::{self, recover};
use crate::forge::Forge;
use crate::forge::github::{Client, Endpoint, GitHub};
use crate::queue::GRACE;
use crate::signer::Signer;
use crate::store::{Store, StoreError, embedded};
use crate::telemetry::{self, Metrics};
use crate::web::{Edge, router};
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
    let store = store(&config)?;
    let context = flow::Context {
        forge: forge(&config, &clock)?,
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        mirrors: config.mirror_dir(),
        // There are no pages yet that a link could lead to.
        link_base: None,
        mention: Some(config.bot_name.clone()),
    };
    let (bell, metrics) = (Bell::default(), Arc::new(Metrics::default()));
    let drain = watch::Sender::new(false);
    let worker = worker(&config.limits, &context, &bell, &metrics);
    let ringing = bell.clone();
    let edge = Edge {
        store,
        clock: Arc::clone(&clock),
        metrics,
        secrets: config.github.webhook_secrets.into(),
        app: config.github.app_id,
        body_bytes: config.limits.body_bytes,
        wake: Arc::new(move || ringing.ring()),
        draining: drain.subscribe(),
    };
    let listener = bind(config.listen).await?;
    let asked = drain.subscribe();
    tokio::spawn(async move {
        stop_signal().await;
        tracing::info!("draining");
        drain.send_replace(true);
    });
    let web = axum::serve(listener, router(edge)).with_graceful_shutdown(drained(asked.clone()));
    let web = async {
        tokio::select! {
            served = web.into_future() => served,
            // Somebody keeps a connection open; they are not waited for.
            () = overdue(asked.clone(), &clock) => Ok(()),
        }
    };
    let (served, (), ()) = tokio::join!(
        web,
        worker.run(asked.clone()),
        keep_house(&context, &bell, asked.clone())
    );
    served.context("serve")?;
    tracing::info!("stopped");
    Ok(())
}

fn worker(limits: &Limits, context: &flow::Context, bell: &Bell, metrics: &Arc<Metrics>) -> Worker {
    Worker {
        store: Arc::clone(&context.store),
        clock: Arc::clone(&context.clock),
        handler: Arc::new(Runner::new(context.clone(), Arc::clone(metrics))),
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
fn store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let dir = config.store_dir();
    std::fs::create_dir_all(&dir)
        .map_err(|error| Failure::Expected(format!("cannot make {}: {error}", dir.display())))?;
    match embedded::open(&dir, config.limits.store_cache_bytes) {
        Ok(opened) => Ok(Arc::new(opened.store)),
        Err(error @ (StoreError::InUse(_) | StoreError::Format { .. })) => {
            Err(Failure::Expected(error.to_string()))
        }
        Err(error) => Err(anyhow::Error::from(error).context("open the store").into()),
    }
}

fn forge(config: &Config, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Forge>, Failure> {
    let github = &config.github;
    let endpoint = Endpoint {
        api: github.api_url.clone(),
        web: github.web_url.clone(),
    };
    let client = Client::new(&endpoint, Arc::clone(clock)).context("set up GitHub's client")?;
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
