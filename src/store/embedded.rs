//! The store in a directory: the only file that names sled.
//!
//! What sled holds can be fetched again from the forge, so a directory that it
//! cannot open is set aside under another name and a new one is begun; the caller
//! is told, and says so. sled opens some damaged directories as if they were empty;
//! a mark that is written beside its files after the first flush tells them apart. A directory that another process holds, that cannot be
//! read or that a newer Trimtab wrote is never set aside: nothing is wrong with it.
//!
//! Nothing here knows what a row means.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::StoreError;
use super::fault::{Faults, NoFaults};
use super::keyed::Keyed;
use super::rows::{Backend, Row, Writes};

/// The default store.
pub type Embedded = Keyed<Sled>;

/// An opened store, and what happened on the way.
pub struct Opened {
    /// The store.
    pub store: Embedded,
    /// Where the old directory lies, if it could not be opened.
    pub set_aside: Option<PathBuf>,
}

/// Opens the store in `dir`, which is made if need be. `cache_bytes` bounds the
/// memory that sled keeps pages in.
pub fn open(dir: &Path, cache_bytes: u64) -> Result<Opened, StoreError> {
    open_with(dir, cache_bytes, Arc::new(NoFaults))
}

/// Like [`open`], with faults that a test plans.
pub fn open_with(
    dir: &Path,
    cache_bytes: u64,
    faults: Arc<dyn Faults>,
) -> Result<Opened, StoreError> {
    let (backend, set_aside) = match Sled::open(dir, cache_bytes) {
        Ok(backend) => (backend, None),
        Err(Refusal::Store(error)) => return Err(error),
        Err(Refusal::Damaged(cause)) => {
            let aside = set_aside(dir)?;
            tracing::error!(
                store.dir = %dir.display(),
                store.aside = %aside.display(),
                cause,
                "the store cannot be opened; it was set aside and a new one is begun"
            );
            let backend = Sled::open(dir, cache_bytes).map_err(|refusal| match refusal {
                Refusal::Store(error) => error,
                Refusal::Damaged(cause) => unavailable("begin anew", anyhow::anyhow!(cause)),
            })?;
            (backend, Some(aside))
        }
    };
    let store = Keyed::open_with(backend, faults)?;
    store.lapse_leases()?;
    mark(dir).map_err(|source| unavailable("mark its directory", source))?;
    Ok(Opened { store, set_aside })
}

/// What [`open`] would find in a directory that is there, without setting anything aside,
/// or changing any row: `Some` with the cause when it is damaged.
pub fn look(dir: &Path, cache_bytes: u64) -> Result<Option<String>, StoreError> {
    match Sled::open(dir, cache_bytes) {
        Ok(backend) => Embedded::look(&backend).map(|()| None),
        Err(Refusal::Store(error)) => Err(error),
        Err(Refusal::Damaged(cause)) => Ok(Some(cause)),
    }
}

/// Says, in the directory, that a store was begun here.
const MARK: &str = "trimtab-store";

fn mark(dir: &Path) -> anyhow::Result<()> {
    let path = dir.join(MARK);
    if !path.exists() {
        std::fs::write(&path, "The rows of this store were begun.\n")?;
        std::fs::File::open(&path)?.sync_all()?;
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

/// How often a lock that is held is tried again, and after which pause.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A sled tree.
pub struct Sled {
    tree: sled::Tree,
    // Dropped last: dropping it ends sled's threads and frees the lock.
    _database: sled::Db,
}

/// Why a directory was not opened.
enum Refusal {
    /// The caller decides.
    Store(StoreError),
    /// The directory is damaged.
    Damaged(String),
}

impl Sled {
    fn open(dir: &Path, cache_bytes: u64) -> Result<Self, Refusal> {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("make {}", dir.display()))
            .map_err(|source| Refusal::Store(unavailable("make its directory", source)))?;
        // sled panics on some damaged files instead of returning an error:
        // https://github.com/spacejam/sled/issues/1387
        let read_all = || catch_unwind(AssertUnwindSafe(|| Self::read_all(dir, cache_bytes)));
        let mut opened = read_all();
        // sled's threads free the lock a moment after the database was dropped, and a server that
        // is replaced ends a moment after its successor starts.
        for _ in 0..LOCK_TRIES {
            if !matches!(&opened, Ok(Err(error)) if is_locked(error)) {
                break;
            }
            std::thread::sleep(LOCK_PAUSE);
            opened = read_all();
        }
        match opened {
            Ok(Ok(sled)) if sled.tree.is_empty() && dir.join(MARK).exists() => {
                Err(Refusal::Damaged("all its rows are gone".to_owned()))
            }
            Ok(Ok(sled)) => Ok(sled),
            Ok(Err(error)) => Err(refusal(dir, error)),
            Err(_) => Err(Refusal::Damaged("sled panicked while it opened".to_owned())),
        }
    }

    /// Opens the tree and reads every row once, so that damage shows now and not
    /// in the middle of the work.
    fn read_all(dir: &Path, cache_bytes: u64) -> sled::Result<Self> {
        let database = sled::Config::new()
            .path(dir)
            .cache_capacity(cache_bytes)
            .flush_every_ms(None)
            .open()?;
        let tree = database.open_tree("trimtab")?;
        for row in &tree {
            row?;
        }
        Ok(Self {
            tree,
            _database: database,
        })
    }
}

impl Backend for Sled {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self.tree.get(key).map_err(|e| unavailable("read", e))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn first(&self, from: &[u8], to: &[u8]) -> Result<Option<Row>, StoreError> {
        let row = self.tree.range(from..to).next().transpose();
        let row = row.map_err(|e| unavailable("read", e))?;
        Ok(row.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }

    fn apply(&self, writes: Writes) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.tree
            .apply_batch(batch)
            .map_err(|e| unavailable("write", e))
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.tree.flush().map_err(|e| unavailable("flush", e))?;
        Ok(())
    }
}

fn refusal(dir: &Path, error: sled::Error) -> Refusal {
    match error {
        sled::Error::Corruption { .. }
        | sled::Error::ReportableBug(_)
        | sled::Error::CollectionNotFound(_) => Refusal::Damaged(error.to_string()),
        error if is_locked(&error) => Refusal::Store(StoreError::InUse(dir.display().to_string())),
        error @ (sled::Error::Io(_) | sled::Error::Unsupported(_)) => {
            Refusal::Store(unavailable("open", error))
        }
    }
}

/// sled has no variant for a lock that is held.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

/// Renames the directory to the first free `NAME.broken-N`.
fn set_aside(dir: &Path) -> Result<PathBuf, StoreError> {
    let free = (1_u32..10_000)
        .map(|number| {
            let mut name = dir.as_os_str().to_owned();
            name.push(format!(".broken-{number}"));
            PathBuf::from(name)
        })
        .find(|path| !path.exists());
    let moved = free.context("find a free name for it").and_then(|aside| {
        std::fs::rename(dir, &aside).context("rename it")?;
        Ok(aside)
    });
    moved.map_err(|source| unavailable("set a damaged directory aside", source))
}

fn unavailable(what: &'static str, source: impl Into<anyhow::Error>) -> StoreError {
    StoreError::Unavailable {
        what,
        source: source.into(),
    }
}

#[cfg(test)]
mod tests;
