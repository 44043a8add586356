//! The plugin's own tokio runtime, with the feature `tokio`.
//!
//! # Why not the host's
//! A plugin that depends on tokio links a copy of it, with statics and thread-locals of its own. On a thread of the
//! host's runtime that copy finds no runtime, and panics: the context is a thread-local of the *host's* copy. The
//! host's runtime cannot be passed on either: a `tokio::runtime::Handle` is a pointer into structs whose layout Rust
//! does not promise, and the two copies may be of two versions. A table of C functions for everything that a runtime
//! does (spawn, timers, sockets) would serve code that is written for that table, but none of the crates that use
//! tokio. So a plugin with the feature has a small runtime: one thread, which drives timers and sockets and runs the
//! plugin's own tasks. Futures that the host awaits are polled where the host polls them, with the plugin's runtime as
//! the context. A call does not hop between threads.
//!
//! # How long it lives
//! The runtime is made before the plugin's `new`, and shut down after its `Drop` and after the drop of the last object
//! ([`Held`](crate::Held)) of the plugin. Whatever is polled is such an object, or belongs to a call that the instance
//! waits for. Each build has its own runtime, which unfinished calls of a replaced build keep alive. Shutting down does
//! not wait: the host counts the runtime's threads as it counts all threads of a plugin, and names those that do not
//! end.
//!
//! # When the host stops it
//! Plugins that own each other's objects thereby keep each other's runtimes alive, and the threads of a runtime are a
//! reason not to drop these objects, since a task may use them. So once only such threads can enter these plugins, the
//! host [stops](stop) the runtimes, and continues when their threads have ended. The uses are still counted: code of
//! the plugin that runs later (the drop of its objects, its `on_free`, and its `Drop`) finds another runtime, which is
//! made when it is first needed. That one is shut down with the last use, or is stopped in the same way.

#[cfg(feature = "tokio")]
pub(crate) use of_tokio::{Use, handle, stop, threads, within};
#[cfg(not(feature = "tokio"))]
pub(crate) use without::{Use, stop, threads, within};

#[cfg(all(test, feature = "tokio", target_os = "linux", target_env = "gnu"))]
mod tests;

#[cfg(feature = "tokio")]
mod of_tokio {
    use crate::Result;
    use crate::boundary::call::{drop_quietly, payload_text};
    use std::io;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
    use tokio::runtime::{Builder, Handle, Runtime};

    /// The runtime, and the number of its uses.
    struct Shared {
        uses: usize,
        runtime: Option<Runtime>,
        /// The host has stopped the runtime. Another one is made when it is needed.
        stopped: bool,
    }

    static SHARED: Mutex<Shared> = Mutex::new(Shared {
        uses: 0,
        runtime: None,
        stopped: false,
    });

    /// The number of threads of this runtime, and of those that were stopped.
    static THREADS: AtomicUsize = AtomicUsize::new(0);

    /// The runtime's handle, which each poll reads.
    static HANDLE: RwLock<Option<Handle>> = RwLock::new(None);

    fn shared() -> MutexGuard<'static, Shared> {
        SHARED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own_handle() -> Option<Handle> {
        let handle = HANDLE.read().unwrap_or_else(PoisonError::into_inner);
        let found = handle.clone();
        drop(handle);
        found.or_else(|| shared().again())
    }

    fn set_handle(handle: Option<Handle>) {
        *HANDLE.write().unwrap_or_else(PoisonError::into_inner) = handle;
    }

    impl Shared {
        fn begin(&mut self) -> io::Result<()> {
            let build = || {
                Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("plugin-tokio")
                    .on_thread_start(|| _ = THREADS.fetch_add(1, Relaxed))
                    .on_thread_stop(|| _ = THREADS.fetch_sub(1, Relaxed))
                    .enable_all()
                    .build()
            };
            // tokio panics where the system has no thread. `within` runs outside of every other catch.
            let built = catch_unwind(build).unwrap_or_else(|payload| {
                let error = io::Error::other(payload_text(&*payload));
                drop_quietly(payload);
                Err(error)
            });
            let runtime = built?;
            set_handle(Some(runtime.handle().clone()));
            self.runtime = Some(runtime);
            self.stopped = false;
            Ok(())
        }

        fn end(&mut self) -> Option<Runtime> {
            set_handle(None);
            self.runtime.take()
        }

        /// Makes another runtime after the first was stopped.
        #[cold]
        fn again(&mut self) -> Option<Handle> {
            if self.stopped
                && let Err(error) = self.begin()
            {
                tracing::error!(
                    "cannot start another tokio runtime for code that still runs: {error}"
                );
            }
            let runtime = self.runtime.as_ref()?;
            Some(runtime.handle().clone())
        }
    }

    /// One use of the runtime: an instance, or an object that others own. The runtime is shut down with its last use.
    pub(crate) struct Use(());

    impl Use {
        /// Makes the runtime, unless it exists.
        ///
        /// # Errors
        /// Returns an error if the system has no thread or no descriptor for it.
        pub(crate) fn begin() -> Result<Self> {
            let mut shared = shared();
            if shared.runtime.is_none() {
                let begun = shared.begin();
                begun
                    .map_err(|error| format!("cannot start the plugin's tokio runtime: {error}"))?;
            }
            shared.uses += 1;
            Ok(Use(()))
        }

        /// Adds a use of the runtime that exists.
        pub(crate) fn another() -> Self {
            shared().uses += 1;
            Use(())
        }

        /// Leaves this use to be [taken up](Self::taken_up) later.
        pub(crate) fn leave(self) {
            std::mem::forget(self);
        }

        /// Takes up a use that was left. To be called once for each of them.
        pub(crate) fn taken_up() -> Self {
            Use(())
        }
    }

    impl Drop for Use {
        fn drop(&mut self) {
            let mut shared = shared();
            shared.uses -= 1;
            let last = match shared.uses {
                0 => {
                    shared.stopped = false;
                    shared.end()
                }
                _ => None,
            };
            drop(shared);
            if let Some(runtime) = last {
                runtime.shutdown_background();
            }
        }
    }

    /// Returns the runtime's handle. In a unit test, with nothing loaded, returns the handle of the calling thread's
    /// runtime.
    pub(crate) fn handle() -> Option<Handle> {
        own_handle().or_else(|| Handle::try_current().ok())
    }

    /// Returns the number of the runtime's threads, or 0 if it cannot be stopped now.
    pub(crate) fn threads() -> usize {
        match HANDLE.try_read() {
            Ok(handle) if handle.is_some() => THREADS.load(Relaxed),
            _ => 0,
        }
    }

    /// Shuts the runtime down. Code that runs later gets another one.
    pub(crate) fn stop() {
        let mut shared = shared();
        shared.stopped = shared.uses != 0;
        let runtime = shared.end();
        drop(shared);
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }

    /// Runs code of the plugin with the plugin's runtime as the context.
    pub(crate) fn within<R>(run: impl FnOnce() -> R) -> R {
        let handle = own_handle();
        // A thread that is about to end may have no context any more.
        let enter = |handle| catch_unwind(AssertUnwindSafe(|| Handle::enter(handle))).ok();
        let _entered = handle.as_ref().and_then(enter);
        run()
    }
}

#[cfg(not(feature = "tokio"))]
mod without {
    use crate::Result;

    pub(crate) struct Use(());

    impl Use {
        #[expect(clippy::unnecessary_wraps, reason = "a runtime may fail to begin")]
        pub(crate) fn begin() -> Result<Self> {
            Ok(Use(()))
        }

        pub(crate) fn another() -> Self {
            Use(())
        }

        pub(crate) fn leave(self) {}

        pub(crate) fn taken_up() -> Self {
            Use(())
        }
    }

    pub(crate) fn threads() -> usize {
        0
    }

    pub(crate) fn stop() {}

    #[inline(always)]
    pub(crate) fn within<R>(run: impl FnOnce() -> R) -> R {
        run()
    }
}
