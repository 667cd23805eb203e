//! One flush for many operations: who comes while one runs shares the next.
//!
//! A flush makes durable what was applied before it began, so that an operation may
//! wait for a flush that begins after it was applied, whoever begins it. One that runs
//! already is none of these.
//!
//! A flush that fails settles nobody but its caller; the others try for themselves.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::StoreError;

/// The flushes of one store.
#[derive(Debug, Default)]
pub(super) struct Flushes {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How many were begun.
    begun: u64,
    /// The last that ended well: everything applied before it began is durable.
    done: u64,
    is_running: bool,
}

impl Flushes {
    /// Returns when everything that was applied before this call is durable.
    pub(super) fn settle(
        &self,
        flush: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        let needed = state.begun + 1;
        while state.done < needed {
            if !state.is_running {
                state.is_running = true;
                state.begun += 1;
                let mut turn = Turn {
                    flushes: self,
                    number: state.begun,
                    is_done: false,
                };
                drop(state);
                let outcome = flush();
                turn.is_done = outcome.is_ok();
                return outcome;
            }
            state = self
                .ended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A flush that runs. Its end is told to those who wait, also when it panics.
struct Turn<'a> {
    flushes: &'a Flushes,
    number: u64,
    is_done: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.flushes.lock();
        state.is_running = false;
        if self.is_done {
            state.done = state.done.max(self.number);
        }
        drop(state);
        self.flushes.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn failure() -> StoreError {
        StoreError::Unavailable {
            what: "flush",
            source: anyhow::anyhow!("the disk is full"),
        }
    }

    #[test]
    fn nobody_returns_before_a_flush_that_began_after_the_call() {
        let flushes = Flushes::default();
        let (applied, durable) = (AtomicU64::new(0), AtomicU64::new(0));
        let count = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mine = applied.fetch_add(1, Ordering::SeqCst) + 1;
                        let flushed = flushes.settle(|| {
                            let seen = applied.load(Ordering::SeqCst);
                            count.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            durable.fetch_max(seen, Ordering::SeqCst);
                            Ok(())
                        });
                        flushed.unwrap();
                        assert!(durable.load(Ordering::SeqCst) >= mine);
                    }
                });
            }
        });
        assert!(count.load(Ordering::SeqCst) <= 400);
    }

    #[test]
    fn a_flush_that_fails_or_panics_settles_nobody_else() {
        let flushes = Flushes::default();
        let meeting = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let failed = flushes.settle(|| {
                    meeting.wait();
                    Err(failure())
                });
                assert!(failed.is_err());
            });
            meeting.wait();
            // Whether the other still runs or has failed: this one flushes itself.
            let mut own = false;
            flushes
                .settle(|| {
                    own = true;
                    Ok(())
                })
                .unwrap();
            assert!(own);
        });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            flushes.settle(|| panic!("sled found a bug"))
        }));
        assert!(panicked.is_err());
        assert!(flushes.settle(|| Err(failure())).is_err());
        flushes.settle(|| Ok(())).unwrap();
    }
}
