//! One operation on sorted rows: reads through its own writes, then all at once.
//!
//! A [`Backend`] is a sorted map of bytes that applies many writes as one. The
//! aggregates beside this file say what the rows mean, once for all backends.
//!
//! A draft never writes by itself.

use std::collections::BTreeMap;

use super::StoreError;
use super::key::{Key, tag};
use super::record::Stored;

/// Writes of one operation: a value to put, or `None` to remove.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// A sorted map of bytes on some medium.
///
/// Calls that write never overlap; [`Backend::flush`] may overlap with everything.
pub trait Backend: Send + Sync + 'static {
    /// The value of a key.
    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The first row from `from` on whose key is smaller than `to`.
    fn first(&self, from: &[u8], to: &[u8]) -> Result<Option<Row>, StoreError>;

    /// Does all the writes or none, also when the process dies in between.
    fn apply(&self, writes: Writes) -> Result<(), StoreError>;

    /// Returns when everything that was applied before is on the medium.
    fn flush(&self) -> Result<(), StoreError>;
}

/// The writes of one operation, over the rows as they are.
pub(super) struct Draft<'a> {
    rows: &'a dyn Backend,
    writes: Writes,
}

impl<'a> Draft<'a> {
    pub(super) fn over(rows: &'a dyn Backend) -> Self {
        Self {
            rows,
            writes: Writes::new(),
        }
    }

    pub(super) fn into_writes(self) -> Writes {
        self.writes
    }

    pub(super) fn read(&self, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(&key.0) {
            Some(written) => Ok(written.clone()),
            None => self.rows.read(&key.0),
        }
    }

    pub(super) fn record<T: Stored>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        self.read(key)?
            .map(|value| decode(&key.0, &value))
            .transpose()
    }

    /// A number that [`Draft::put_number`] has put.
    pub(super) fn number(&self, key: &Key) -> Result<Option<u64>, StoreError> {
        let value = self.read(key)?;
        Ok(value
            .and_then(|value| value.try_into().ok())
            .map(u64::from_be_bytes))
    }

    pub(super) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.writes.insert(key.0, Some(value));
    }

    pub(super) fn put_record<T: Stored>(&mut self, key: Key, record: &T) -> Result<(), StoreError> {
        let value = record.encode().map_err(|source| StoreError::Unreadable {
            row: name(&key.0),
            source,
        })?;
        self.put(key, value);
        Ok(())
    }

    pub(super) fn put_number(&mut self, key: Key, number: u64) {
        self.put(key, number.to_be_bytes().to_vec());
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.writes.insert(key.0, None);
    }

    /// The next number of a counter, from 1.
    pub(super) fn count(&mut self, counter: &str) -> Result<u64, StoreError> {
        let key = Key::new(tag::COUNTER).text(counter);
        let next = self.number(&key)?.unwrap_or(0).saturating_add(1);
        self.put_number(key, next);
        Ok(next)
    }

    /// The first row from `from` on whose key is smaller than `to`.
    pub(super) fn first(&self, from: &Key, to: &Key) -> Result<Option<Row>, StoreError> {
        let mut from = from.clone();
        loop {
            if from >= *to {
                return Ok(None);
            }
            let written = self.writes.range(from.0.clone()..to.0.clone()).next();
            let stored = self.rows.first(&from.0, &to.0)?;
            match (written, stored) {
                (Some((key, value)), stored)
                    if stored.as_ref().is_none_or(|(other, _)| key <= other) =>
                {
                    match value {
                        Some(value) => return Ok(Some((key.clone(), value.clone()))),
                        None => from = Key(key.clone()).after(),
                    }
                }
                (_, stored) => return Ok(stored),
            }
        }
    }

    /// The records whose keys begin with `prefix`, in order, at most `limit`.
    pub(super) fn records<T: Stored>(
        &self,
        prefix: &Key,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let mut records = Vec::new();
        let mut from = prefix.clone();
        while records.len() < limit
            && let Some((key, value)) = self.first(&from, &prefix.end())?
        {
            records.push(decode(&key, &value)?);
            from = Key(key).after();
        }
        Ok(records)
    }

    /// The rows whose keys begin with `prefix`, in order.
    pub(super) fn rows(&self, prefix: &Key) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        let mut from = prefix.clone();
        while let Some((key, value)) = self.first(&from, &prefix.end())? {
            from = Key(key.clone()).after();
            rows.push((key, value));
        }
        Ok(rows)
    }
}

fn decode<T: Stored>(key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    T::decode(value).map_err(|source| StoreError::Unreadable {
        row: name(key),
        source,
    })
}

/// A key as it is named in an error: its printable bytes, the others as dots.
fn name(key: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        0x20..=0x7e => char::from(*byte),
        _ => '.',
    };
    key.iter().map(shown).collect()
}
