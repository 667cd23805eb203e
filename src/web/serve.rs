//! Takes connections and gives each its time: nobody holds one by saying nothing.
//!
//! A head that does not arrive ends its connection, an idle connection is one whose
//! next head does not arrive, and the number of connections is bounded. Who comes
//! after that waits in the system's queue.
//!
//! Told to drain, it takes no more and lets begun requests end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// How long the head of a request may take to arrive, the first one and the next.
const HEAD: Duration = Duration::from_secs(10);

/// The most bytes of a head, and of what is read ahead.
const BUFFER: usize = 64 * 1024;

/// How many connections are open at once.
const CONNECTIONS: usize = 1_024;

/// How long it waits when the system has no connection to give.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `drain` becomes true and every begun request has ended.
pub async fn serve(listener: TcpListener, router: Router, drain: watch::Receiver<bool>) {
    serve_patiently(listener, router, drain, HEAD).await;
}

async fn serve_patiently(
    listener: TcpListener,
    router: Router,
    drain: watch::Receiver<bool>,
    patience: Duration,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(BUFFER);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    let mut draining = drain.clone();
    loop {
        while open.try_join_next().is_some() {}
        tokio::select! {
            biased;
            () = drained(&mut draining) => break,
            Some((stream, place)) = accept(&listener, &room) => {
                open.spawn(connection(http.clone(), stream, router.clone(), drain.clone(), place));
            }
        }
    }
    while open.join_next().await.is_some() {}
}

/// The next connection, when there is room for one.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, place)),
            // Too many open files, or a client that is gone already.
            Err(error) => {
                tracing::debug!(%error, "no connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    router: Router,
    mut drain: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let service = router.map_request(|request: http::Request<Incoming>| request.map(Body::new));
    let service = service.map_err(|never: Infallible| match never {});
    let serving = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = drained(&mut drain) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn drained(drain: &mut watch::Receiver<bool>) {
    // The sender is gone only when the process ends.
    drop(drain.wait_for(|drained| *drained).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// A server that waits a tenth of a second for a head.
    async fn begin() -> (
        std::net::SocketAddr,
        watch::Sender<bool>,
        tokio::task::JoinHandle<()>,
    ) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let drain = watch::Sender::new(false);
        let asked = drain.subscribe();
        let router = Router::new().route("/", get(async || "here\n"));
        let serving = tokio::spawn(serve_patiently(
            listener,
            router,
            asked,
            Duration::from_millis(100),
        ));
        (address, drain, serving)
    }

    /// Sends a text and reads until the server closes.
    async fn say(address: std::net::SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn requests_are_answered_and_draining_ends_idle_connections() {
        let (address, drain, serving) = begin().await;
        let request = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        assert!(say(address, request).await.ends_with("here\n"));
        let _idle = TcpStream::connect(address).await.unwrap();
        drain.send_replace(true);
        tokio::time::timeout(Duration::from_secs(20), serving)
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn a_head_that_never_ends_loses_its_connection() {
        let (address, _drain, _serving) = begin().await;
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.unwrap();
        let mut answer = Vec::new();
        let closed =
            tokio::time::timeout(Duration::from_secs(20), slow.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "the connection is still open");
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let (address, _drain, _serving) = begin().await;
        let huge = format!(
            "GET / HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n",
            "x".repeat(2 * BUFFER)
        );
        let answer = say(address, &huge).await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
}
