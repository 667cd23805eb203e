//! What GitHub answered before, to be asked for only when it has changed.
//!
//! A conditional request whose answer is 304 costs nothing of the quota
//! ([best practices](https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate)).
//! Only what is read again and again is kept, up to a number of bytes: an answer counts
//! as much as its body was long, since whoever opens pulls chooses how long that is.
//! What was forgotten, or is too large to be kept, is read anew.
//!
//! An answer is never used without asking whether it still holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::engine::ids::RepoKey;

/// How many bytes of answers are kept of one sort.
const MOST_BYTES: usize = 4 << 20;

/// What a place and a tag cost beside their text.
const OVERHEAD: usize = 256;

/// The repository, and the path under it.
pub(super) type Place = (RepoKey, String);

/// Answers and the tags under which GitHub knows them.
#[derive(Debug)]
pub(super) struct Memory<T>(Mutex<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    answers: BTreeMap<Place, Known<T>>,
    /// The oldest first.
    order: VecDeque<Place>,
    /// What all of them weigh.
    bytes: usize,
}

#[derive(Debug)]
struct Known<T> {
    tag: String,
    answer: T,
    bytes: usize,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            answers: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
        }))
    }
}

impl<T: Clone> Memory<T> {
    /// The tag and the answer that are known of a place.
    pub(super) fn recall(&self, place: &Place) -> Option<(String, T)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.answers.get(place)?;
        Some((known.tag.clone(), known.answer.clone()))
    }

    /// Keeps an answer whose body had this many bytes, and forgets the oldest ones that
    /// leave it no room.
    pub(super) fn keep(&self, place: Place, tag: String, (answer, body): (T, usize)) {
        let bytes = body + place.1.len() + tag.len() + OVERHEAD;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(&place);
        if bytes > MOST_BYTES {
            return;
        }
        kept.bytes += bytes;
        kept.order.push_back(place.clone());
        let known = Known { tag, answer, bytes };
        kept.answers.insert(place, known);
        while kept.bytes > MOST_BYTES
            && let Some(oldest) = kept.order.front().cloned()
        {
            kept.forget(&oldest);
        }
    }
}

impl<T> Kept<T> {
    fn forget(&mut self, place: &Place) {
        if let Some(known) = self.answers.remove(place) {
            self.bytes -= known.bytes;
            self.order.retain(|other| other != place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::{ForgeKind, InstallationId, RepoId};

    fn place(number: usize) -> Place {
        let repo = RepoKey {
            forge: ForgeKind::Github,
            installation: InstallationId(1),
            repo: RepoId(2),
        };
        (repo, format!("/pulls/{number}"))
    }

    #[test]
    fn the_newest_answers_are_kept_and_no_more_bytes() {
        let memory = Memory::default();
        let quarter = MOST_BYTES / 4;
        for number in 0..6 {
            memory.keep(place(number), "old".to_owned(), (number, 1));
            memory.keep(place(number), format!("tag-{number}"), (number, quarter));
        }
        let known: Vec<usize> = (0..6)
            .filter(|it| memory.recall(&place(*it)).is_some())
            .collect();
        assert_eq!(known, [3, 4, 5]);
        assert_eq!(memory.recall(&place(5)), Some(("tag-5".to_owned(), 5)));
        let kept = memory.0.lock().unwrap();
        assert!(kept.bytes <= MOST_BYTES && kept.order.len() == 3);
    }

    #[test]
    fn an_answer_larger_than_all_room_is_not_kept_and_takes_its_elder_along() {
        let memory = Memory::default();
        memory.keep(place(1), "small".to_owned(), (1, 10));
        memory.keep(place(2), "other".to_owned(), (2, 10));
        memory.keep(place(1), "large".to_owned(), (1, MOST_BYTES));
        assert_eq!(memory.recall(&place(1)), None);
        assert_eq!(memory.recall(&place(2)), Some(("other".to_owned(), 2)));
        memory.keep(place(2), "large".to_owned(), (2, MOST_BYTES));
        assert_eq!(memory.0.lock().unwrap().bytes, 0);
    }
}
