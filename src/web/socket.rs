//! The door for the operator of this machine: a Unix socket in the data directory.
//!
//! The embedded store belongs to one process, so whoever wants to look into it while
//! a server runs asks the server. One line comes in, an [`Order`]; one line goes out,
//! `done` or `refused`, and the text follows until the end.
//!
//! The file's mode is the only guard, and it is there before the name is: nobody
//! but the server's own user ever reaches it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as Blocking;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::clock::Clock;
use crate::flow::tend_tasks::{self, Acted, Order};
use crate::store::Store;

/// The name of the socket in the data directory.
const NAME: &str = "trimtab.sock";

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest order.
const LINE: u64 = 256;

/// A socket that takes orders while it lives.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens the socket of a data directory. Whoever calls this holds the store in
    /// it, so that a socket which is there already belongs to nobody any more.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(NAME);
        let room = data_dir.join("socket.new");
        // A server that was killed in between may have left it.
        match std::fs::remove_dir_all(&room) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::DirBuilder::new().mode(0o700).create(&room)?;
        let unnamed = room.join(NAME);
        let listener = UnixListener::bind(&unnamed)?;
        std::fs::set_permissions(&unnamed, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&unnamed, &path)?;
        std::fs::remove_dir(&room)?;
        Ok(Self { listener, path })
    }

    /// Takes orders for as long as it is polled; `wake` is called after each that
    /// may have made something due.
    pub async fn serve(
        &self,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        wake: &Arc<dyn Fn() + Send + Sync>,
    ) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let (store, clock, wake) =
                        (Arc::clone(store), Arc::clone(clock), Arc::clone(wake));
                    tokio::spawn(async move {
                        let answered = answer(stream, store.as_ref(), clock.as_ref());
                        match tokio::time::timeout(PATIENCE, answered).await {
                            Ok(Ok(())) => wake(),
                            Ok(Err(error)) => {
                                tracing::warn!(error = format!("{error:#}"), "an order failed");
                            }
                            Err(_) => tracing::warn!("an order did not arrive in time"),
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the socket takes no connection");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Who finds it later is told by its silence that nobody listens.
        std::fs::remove_file(&self.path).unwrap_or_default();
    }
}

async fn answer(
    mut stream: UnixStream,
    store: &dyn Store,
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    BufReader::new(reader.take(LINE))
        .read_line(&mut line)
        .await
        .context("read the order")?;
    let told = match Order::parse(line.trim_end()) {
        Some(order) => tend_tasks::run(store, order, clock.timestamp()).await?,
        None => Acted::Refused("the order is not understood".to_owned()),
    };
    let text = match told {
        Acted::Done(text) => format!("done\n{text}"),
        Acted::Refused(text) => format!("refused\n{text}"),
    };
    writer
        .write_all(text.as_bytes())
        .await
        .context("answer the order")
}

/// Gives an order to the server that runs on a data directory; `None` when there is
/// none. Blocks.
pub fn ask(data_dir: &Path, order: &Order) -> anyhow::Result<Option<Acted>> {
    let path = data_dir.join(NAME);
    let is_socket = |path: &Path| {
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
    };
    let mut stream = match Blocking::connect(&path) {
        Ok(stream) => stream,
        // Refused: the server was killed and its socket is still there.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) || !is_socket(&path) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| format!("reach {}", path.display())),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream
        .write_all(format!("{order}\n").as_bytes())
        .context("give the order")?;
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .context("read the server's answer")?;
    let (word, rest) = text.split_once('\n').unwrap_or((&text, ""));
    match word {
        "done" => Ok(Some(Acted::Done(rest.to_owned()))),
        "refused" => Ok(Some(Acted::Refused(rest.to_owned()))),
        _ => Err(anyhow::anyhow!("the server ended before it answered")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::engine::ids::{ForgeKind, Timestamp};
    use crate::store::{NewTask, Scope, TaskKind, memory};

    async fn with_server(dir: &Path, order: Order) -> Acted {
        let store: Arc<dyn Store> = Arc::new(memory::open().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(100));
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(|| {});
        let scope = Scope {
            forge: ForgeKind::Github,
            installation: None,
            repo: None,
        };
        let task = NewTask {
            scope,
            kind: TaskKind::RedeliverMissed,
            due: Timestamp(1),
        };
        store.enqueue(vec![task], Timestamp(1)).await.unwrap();
        let socket = Socket::open(dir).unwrap();
        let asked = dir.to_owned();
        let asking = tokio::task::spawn_blocking(move || ask(&asked, &order));
        tokio::select! {
            () = socket.serve(&store, &clock, &wake) => unreachable!(),
            told = asking => told.unwrap().unwrap().unwrap(),
        }
    }

    #[tokio::test]
    async fn only_its_user_reaches_the_socket_and_it_goes_with_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let socket = Socket::open(dir.path()).unwrap();
        let mode = std::fs::metadata(dir.path().join(NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        drop(socket);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn orders_are_carried_out_by_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let told = with_server(dir.path(), Order::List).await;
        let Acted::Done(text) = told else {
            panic!("{told:?}")
        };
        assert!(text.contains("redeliver-missed github"), "{text}");
        let missing = crate::store::TaskId(99);
        let told = with_server(dir.path(), Order::Bury(missing)).await;
        assert!(
            matches!(&told, Acted::Refused(text) if text.contains("no task 99")),
            "{told:?}"
        );
    }

    #[tokio::test]
    async fn a_stale_socket_is_nobody_and_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(ask(dir.path(), &Order::List).unwrap(), None);
        let stale = std::os::unix::net::UnixListener::bind(dir.path().join(NAME)).unwrap();
        drop(stale);
        assert_eq!(ask(dir.path(), &Order::List).unwrap(), None);
        std::fs::create_dir(dir.path().join("socket.new")).unwrap();
        let told = with_server(dir.path(), Order::List).await;
        assert!(matches!(told, Acted::Done(_)), "{told:?}");
    }

    #[tokio::test]
    async fn a_line_that_never_ends_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let store = memory::open().unwrap();
        let socket = Socket::open(dir.path()).unwrap();
        let path = dir.path().join(NAME);
        let client = tokio::spawn(async move {
            let mut stream = UnixStream::connect(path).await.unwrap();
            stream.write_all(&[b'x'; 400]).await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap_or_default();
            text
        });
        let (stream, _) = socket.listener.accept().await.unwrap();
        answer(stream, &store, &ManualClock::at(1)).await.unwrap();
        let text = client.await.unwrap();
        assert!(text.is_empty() || text.contains("not understood"), "{text}");
    }
}
