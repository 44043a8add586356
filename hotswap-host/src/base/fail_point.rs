//! Places on the host's own threads at which a test can make the host's code panic.
//!
//! Without the feature `fail-points`, which nothing but hotswap's own tests asks for, `reach` is empty.

/// Panics if a test has asked for a panic at this place.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub(crate) fn reach(_place: &'static str) {}

#[cfg(feature = "fail-points")]
pub(crate) use armed::reach;
#[cfg(feature = "fail-points")]
pub use armed::{left, panic_at};

#[cfg(feature = "fail-points")]
mod armed {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering::*};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static ARMED: AtomicBool = AtomicBool::new(false);
    /// The number of panics that are left at each place.
    static PLACES: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());

    fn places() -> MutexGuard<'static, BTreeMap<&'static str, usize>> {
        PLACES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the threads of this process panic when they next reach this place, so many times.
    pub fn panic_at(place: &'static str, times: usize) {
        places().insert(place, times);
        ARMED.store(true, Release);
    }

    /// Returns the number of panics that are left at this place.
    pub fn left(place: &str) -> usize {
        places().get(place).copied().unwrap_or(0)
    }

    /// Panics if a test has asked for a panic at this place.
    pub(crate) fn reach(place: &'static str) {
        if !ARMED.load(Acquire) {
            return;
        }
        let panics = match places().get_mut(place) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        };
        assert!(!panics, "a test wanted this panic at {place}");
    }
}
