//! The store in memory: for tests and for commands that keep nothing.
//!
//! It passes the same contract as every other backend; only the medium differs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::keyed::Keyed;
use super::rows::{Backend, Row, Writes};

/// A store that forgets everything when it is dropped.
pub type InMemory = Keyed<Memory>;

/// Opens an empty store in memory.
pub fn open() -> Result<InMemory, StoreError> {
    Keyed::open(Memory::default())
}

/// A sorted map.
#[derive(Debug, Default)]
pub struct Memory {
    rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Memory {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        // Nothing below panics while the map is half changed.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows().get(key).cloned())
    }

    fn first(&self, from: &[u8], to: &[u8]) -> Result<Option<Row>, StoreError> {
        let rows = self.rows();
        let row = rows.range(from.to_vec()..to.to_vec()).next();
        Ok(row.map(|(key, value)| (key.clone(), value.clone())))
    }

    fn apply(&self, writes: Writes) -> Result<(), StoreError> {
        let mut rows = self.rows();
        for (key, value) in writes {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
