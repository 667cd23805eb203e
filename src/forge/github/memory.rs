//! What GitHub answered before, to be asked for only when it has changed.
//!
//! A conditional request whose answer is 304 costs nothing of the quota
//! ([best practices](https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate)).
//! Only what is read again and again is kept, as small values and a bounded number
//! of them; what was forgotten is read anew.
//!
//! An answer is never used without asking whether it still holds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::engine::ids::RepoKey;

/// How many answers are kept.
const MOST: usize = 512;

/// The repository, and the path under it.
pub(super) type Place = (RepoKey, String);

/// Answers and the tags under which GitHub knows them.
#[derive(Debug)]
pub(super) struct Memory<T>(Mutex<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    answers: BTreeMap<Place, (String, T)>,
    /// The oldest first.
    order: VecDeque<Place>,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            answers: BTreeMap::new(),
            order: VecDeque::new(),
        }))
    }
}

impl<T: Clone> Memory<T> {
    /// The tag and the answer that are known of a place.
    pub(super) fn recall(&self, place: &Place) -> Option<(String, T)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.get(place).cloned()
    }

    pub(super) fn keep(&self, place: Place, tag: String, answer: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.answers.insert(place.clone(), (tag, answer));
        if known.is_none() {
            kept.order.push_back(place);
        }
        while kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::{ForgeKind, InstallationId, RepoId};

    #[test]
    fn the_newest_answers_are_kept_and_no_more() {
        let memory = Memory::default();
        let place = |number: usize| {
            let repo = RepoKey {
                forge: ForgeKind::Github,
                installation: InstallationId(1),
                repo: RepoId(2),
            };
            (repo, format!("/pulls/{number}"))
        };
        for number in 0..=MOST {
            memory.keep(place(number), "old".to_owned(), number);
            memory.keep(place(number), format!("tag-{number}"), number);
        }
        assert_eq!(memory.recall(&place(0)), None);
        assert_eq!(memory.recall(&place(1)), Some(("tag-1".to_owned(), 1)));
        assert_eq!(memory.0.lock().unwrap().answers.len(), MOST);
    }
}
