//! The order of the host's locks, in one place.
//!
//! A thread that holds a lock may only take those that come later in [`Rank`]. So no two threads wait for each other. The
//! locks that are not listed are leaves: nothing else is taken while one of them is held. Among them are those of `reclaim`,
//! which are taken last of all: a pin is made under any lock.
//!
//! Under none of them, except for the writer, does code of plugins run; and hooks that run while a thread has the writer run
//! on other threads, with limits. A health check runs under no lock at all, and the monitor of `hotswap-operate` calls the
//! host only while it does not hold its own.
//!
//! With the feature `fail-points`, which hotswap's own tests ask for, a thread that takes locks in another order panics.
//! Otherwise this costs nothing.
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock of the host. The order of the variants is that in which a thread may take several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(not(any(test, feature = "fail-points")), allow(dead_code))]
pub(crate) enum Rank {
    /// The right to make the next generation: `swapper::writer`. It is held for as long as a reload takes.
    Writer,
    /// The handles of a swapper, from binding them until the switch: `Inner::handles`.
    Handles,
    /// The retired generations that still exist: `Retirer::generations`.
    Generations,
    /// Who watches a library's failures: `load::failures`.
    Failures,
    /// The state of a rollback window: `swapper::window::handle`.
    Window,
    /// The window that was opened last: `Inner::open_window`.
    OpenWindow,
    /// The plugin directory: `Inner::plugin_dir`.
    PluginDir,
    /// The threads that run hooks: `hook_thread`.
    HookThreads,
    /// The plugins that the process has known: `load::known`.
    KnownPlugins,
}

/// A mutex that is held, with its place in the order.
pub(crate) struct Ordered<'m, T> {
    guard: MutexGuard<'m, T>,
    _held: Held,
}

impl<'m, T> Ordered<'m, T> {
    /// Takes a mutex.
    pub(crate) fn lock(rank: Rank, mutex: &'m Mutex<T>) -> Self {
        // It is checked before the mutex is waited for.
        let held = Held::of(rank);
        Ordered {
            guard: mutex.lock().unwrap_or_else(PoisonError::into_inner),
            _held: held,
        }
    }
}

impl<T> Deref for Ordered<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Ordered<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(not(any(test, feature = "fail-points")))]
pub(crate) use unchecked::Held;

#[cfg(not(any(test, feature = "fail-points")))]
mod unchecked {
    /// The place of a lock that is held. It is not checked.
    pub(crate) struct Held;

    impl Held {
        #[inline(always)]
        pub(crate) fn of(_: super::Rank) -> Self {
            Held
        }
    }
}

#[cfg(any(test, feature = "fail-points"))]
pub(crate) use checked::Held;

#[cfg(any(test, feature = "fail-points"))]
mod checked {
    use super::Rank;
    use std::cell::RefCell;
    use std::marker::PhantomData;

    thread_local! {
        /// The locks that this thread holds.
        static HELD: RefCell<Vec<Rank>> = const { RefCell::new(Vec::new()) };
    }

    /// The place of a lock that this thread holds, or is about to take.
    pub(crate) struct Held(Rank, PhantomData<*const ()>);

    impl Held {
        /// Notes that the calling thread is about to take a lock.
        ///
        /// # Panics
        /// The thread holds one that comes later.
        pub(crate) fn of(rank: Rank) -> Self {
            // A thread that ends may no longer have this value.
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                let last = held.iter().max().copied();
                assert!(
                    last.is_none_or(|last| last < rank),
                    "{rank:?} is taken while {last:?} is held, against the order of the locks"
                );
                held.push(rank);
            });
            Held(rank, PhantomData)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let _ = HELD.try_with(|held| {
                let mut held = held.borrow_mut();
                if let Some(at) = held.iter().rposition(|rank| *rank == self.0) {
                    held.remove(at);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Rank};
    use std::panic::catch_unwind;

    #[test]
    fn locks_are_taken_in_one_order() {
        let writer = Held::of(Rank::Writer);
        let handles = Held::of(Rank::Handles);
        drop(writer);
        drop(handles);
        let window = Held::of(Rank::Window);
        let against = catch_unwind(|| drop(Held::of(Rank::Writer)));
        assert!(against.is_err());
        let twice = catch_unwind(|| drop(Held::of(Rank::Window)));
        assert!(twice.is_err());
        drop(window);
        drop(Held::of(Rank::Writer));
    }
}
