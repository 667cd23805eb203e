//! The keys of rows: one tag, then fields whose bytes sort as their values do.
//!
//! Numbers are big-endian, so that a scan over times is a scan in time. A text is
//! closed by a zero byte where something follows it, so that no text is taken for
//! the beginning of another.
//!
//! Tags are stored; they are added, never reused.

use crate::engine::ids::{ForgeKind, ObjectId, RepoKey};

/// The tags, one for each kind of row.
pub(super) mod tag {
    /// `Format`
    pub(in crate::store) const FORMAT: u8 = 0;
    /// counters, by name
    pub(in crate::store) const COUNTER: u8 = b'n';
    /// `Delivery`, by forge and id
    pub(in crate::store) const DELIVERY: u8 = b'd';
    /// a piece of a body, by forge, id and place
    pub(in crate::store) const BODY: u8 = b'b';
    /// the key of a delivery, by the time at which it was received
    pub(in crate::store) const RECEIVED: u8 = b'e';
    /// the key of a delivery that is not done, by forge and id
    pub(in crate::store) const UNDONE: u8 = b'u';
    /// `Task`, by id
    pub(in crate::store) const TASK: u8 = b't';
    /// a waiting task, by its idempotency key
    pub(in crate::store) const WAITING: u8 = b'k';
    /// a leased task, by its serial key
    pub(in crate::store) const BUSY: u8 = b's';
    /// a waiting task, by lane, rank and due time
    pub(in crate::store) const DUE: u8 = b'w';
    /// a leased task, by the end of its lease
    pub(in crate::store) const LEASE: u8 = b'l';
    /// a dead task, by its time of death
    pub(in crate::store) const DEAD: u8 = b'x';
    /// a dead task, by its idempotency key
    pub(in crate::store) const BURIED: u8 = b'y';
    /// `Repository`, by key
    pub(in crate::store) const REPOSITORY: u8 = b'r';
    /// the installation under which a repository was last seen, by forge and id
    pub(in crate::store) const SEEN_UNDER: u8 = b'i';
    /// `Pull`, by repository and number
    pub(in crate::store) const PULL: u8 = b'p';
    /// open pulls, by repository and number
    pub(in crate::store) const OPEN: u8 = b'o';
    /// pulls, by repository and head
    pub(in crate::store) const HEAD: u8 = b'h';
    /// the key of a pull, by forge, head, repository and number
    pub(in crate::store) const FORGE_HEAD: u8 = b'H';
    /// `PlanRecord`, by repository, number and head
    pub(in crate::store) const PLAN: u8 = b'q';
    /// `AuditEntry`, by scope, the newest first
    pub(in crate::store) const AUDIT: u8 = b'a';
    /// the key of an act in the audit log, by scope and id
    pub(in crate::store) const ACT: u8 = b'A';
    /// `AttemptRecord`, by repository, run and attempt
    pub(in crate::store) const RUN: u8 = b'R';
    /// `JobRecord`, by repository, run, attempt and job
    pub(in crate::store) const JOB: u8 = b'j';
    /// the key of an attempt, by repository and the moment at which it began
    pub(in crate::store) const RUN_ORDER: u8 = b'g';
    /// repository, run and attempt, by the day on which it ended
    pub(in crate::store) const RUN_AGE: u8 = b'G';
    /// how many attempts are kept, by repository
    pub(in crate::store) const RUN_COUNT: u8 = b'N';
    /// `TimesRecord`, by repository and pipeline
    pub(in crate::store) const TIMES: u8 = b'T';
    /// `Backfill`, by repository
    pub(in crate::store) const BACKFILL: u8 = b'B';
    /// `RunAudit`, by repository, head, run and attempt
    pub(in crate::store) const RUN_AUDIT: u8 = b'v';
    /// the key of a `RunAudit`, by repository and the moment at which it was judged
    pub(in crate::store) const RUN_AUDIT_AGE: u8 = b'V';
    /// the key of a closed pull, by the moment at which it last changed
    pub(in crate::store) const CLOSED: u8 = b'c';
    /// the key of lots
    pub(in crate::store) const LOTS: u8 = b'K';
    /// the last probe
    pub(in crate::store) const PROBE: u8 = b'z';
}

/// A key, or the beginning that many keys share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) Vec<u8>);

impl Key {
    pub(super) fn new(tag: u8) -> Self {
        Self(vec![tag])
    }

    pub(super) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// A number whose greatest value sorts first.
    pub(super) fn falling(self, number: u64) -> Self {
        self.number(u64::MAX - number)
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self.byte(0)
    }

    pub(super) fn object(mut self, id: ObjectId) -> Self {
        self.0.extend_from_slice(id.as_bytes());
        self
    }

    pub(super) fn forge(self, forge: ForgeKind) -> Self {
        self.byte(match forge {
            ForgeKind::Github => 1,
            ForgeKind::Gitlab => 2,
            ForgeKind::Local => 3,
        })
    }

    pub(super) fn repo(self, key: RepoKey) -> Self {
        self.forge(key.forge)
            .number(key.installation.0)
            .number(key.repo.0)
    }

    /// The first key after all that begin with this one.
    pub(super) fn end(&self) -> Self {
        let mut end = self.0.clone();
        while let Some(last) = end.pop() {
            if let Some(next) = last.checked_add(1) {
                end.push(next);
                break;
            }
        }
        Self(end)
    }

    /// The first key after this one.
    pub(super) fn after(&self) -> Self {
        self.clone().byte(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_fields_do() {
        assert!(Key::new(b'w').number(255) < Key::new(b'w').number(256));
        assert!(Key::new(b'a').falling(2) < Key::new(b'a').falling(1));
        assert!(Key::new(b'k').text("a").number(u64::MAX) < Key::new(b'k').text("ab"));
    }

    #[test]
    fn a_prefix_ends_after_all_that_begin_with_it() {
        let prefix = Key::new(b'x').byte(255);
        assert!(prefix.clone().number(u64::MAX) < prefix.end());
        assert_eq!(prefix.end(), Key::new(b'y'));
    }
}
