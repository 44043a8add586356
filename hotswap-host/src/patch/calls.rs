//! Counts the calls of a patch, without two threads sharing a cache line that they write.
use crate::reclaim::record;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The number of threads that have a count of their own.
const OWN: usize = 64;

/// A count of calls.
pub(crate) struct Calls {
    /// The counts of the threads with the first numbers. Each is written by its thread only.
    own: [Count; OWN],
    /// The count of all others.
    rest: AtomicU64,
}

#[repr(align(64))]
#[derive(Default)]
struct Count(AtomicU64);

impl Default for Calls {
    fn default() -> Self {
        Calls {
            own: std::array::from_fn(|_| Count::default()),
            rest: AtomicU64::new(0),
        }
    }
}

impl Calls {
    /// Counts a call of the calling thread.
    #[inline]
    pub(crate) fn count(&self) {
        match self.own.get(record::mine().index() as usize) {
            // No other thread has this number. The one that has it next gets it through a lock.
            Some(Count(own)) => own.store(own.load(Relaxed).wrapping_add(1), Relaxed),
            None => drop(self.rest.fetch_add(1, Relaxed)),
        }
    }

    /// The number of calls so far.
    pub(crate) fn get(&self) -> u64 {
        let own = self.own.iter().map(|Count(own)| own.load(Relaxed));
        own.fold(self.rest.load(Relaxed), u64::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::Calls;
    use std::sync::Barrier;

    #[test]
    fn no_call_of_any_thread_is_lost() {
        const THREADS: u64 = 70;
        let (calls, start) = (Calls::default(), Barrier::new(THREADS as usize));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    (0..1000).for_each(|_| calls.count());
                });
            }
        });
        assert_eq!(calls.get(), 1000 * THREADS);
    }
}
