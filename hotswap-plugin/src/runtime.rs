//! The plugin's own tokio runtime, where it has one: the feature `tokio`.
//!
//! # Why not the host's
//! A plugin that depends on tokio links a copy of it, with statics and thread-locals of its own. On a thread of the host's
//! runtime that copy finds no runtime, and says so with a panic: the context is a thread-local of the *host's* copy. Nor
//! could the host's be handed over: a `tokio::runtime::Handle` is a pointer into structs whose layout Rust does not promise,
//! of which the two copies may have two versions. A table of C functions for all that a runtime does (spawn, timers, sockets)
//! would serve code that is written for that table, and none of the crates that use tokio. So a plugin with the feature has a
//! small runtime: one thread, which drives timers and sockets and runs the plugin's own tasks. Futures that the host awaits
//! are polled where the host polls them, with the plugin's runtime as the context; there is no hop between threads in a call.
//!
//! # How long it lives
//! It is made before the plugin's `new` and shut down after its `Drop`, and after the last object ([`Held`](crate::Held))
//! of the plugin was dropped; whatever is polled is one of them, or belongs to a call that the instance waits for. Unfinished
//! calls of a replaced build keep it: each build has its own. Shutting down waits for nothing: the host counts the runtime's
//! threads as it does all of a plugin's, and names those that do not end.
//!
//! # When the host stops it
//! Plugins that own each other's objects keep each other's runtimes by that, and a runtime's threads are a reason not to drop
//! these objects: some task might use them. So once nothing but such threads can get into these plugins, the host has the
//! runtimes [stopped](stop), and goes on when their threads have ended. The uses are still counted: code of the plugin that
//! runs later, which is the drop of its objects, its `on_free` and its `Drop`, finds another runtime, made when it is first
//! asked for. That one is shut down with the last use, or stopped in its turn.

#[cfg(feature = "tokio")]
pub(crate) use of_tokio::{Use, handle, stop, threads, within};
#[cfg(not(feature = "tokio"))]
pub(crate) use without::{Use, stop, threads, within};

#[cfg(feature = "tokio")]
mod of_tokio {
    use crate::Result;
    use std::io;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
    use tokio::runtime::{Builder, Handle, Runtime};

    /// The runtime, and how many use it.
    struct Shared {
        uses: usize,
        runtime: Option<Runtime>,
        /// The host has stopped it: there is another one when it is asked for.
        stopped: bool,
    }

    static SHARED: Mutex<Shared> = Mutex::new(Shared {
        uses: 0,
        runtime: None,
        stopped: false,
    });

    /// Threads of this runtime, and of those that were stopped.
    static THREADS: AtomicUsize = AtomicUsize::new(0);

    /// The runtime's handle, for each poll.
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
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("plugin-tokio")
                .on_thread_start(|| _ = THREADS.fetch_add(1, Relaxed))
                .on_thread_stop(|| _ = THREADS.fetch_sub(1, Relaxed))
                .enable_all()
                .build()?;
            set_handle(Some(runtime.handle().clone()));
            self.runtime = Some(runtime);
            self.stopped = false;
            Ok(())
        }

        fn end(&mut self) -> Option<Runtime> {
            set_handle(None);
            self.runtime.take()
        }

        /// Another runtime, where the first was stopped.
        #[cold]
        fn again(&mut self) -> Option<Handle> {
            if self.stopped
                && let Err(error) = self.begin()
            {
                tracing::error!("no tokio runtime for what still runs: {error}");
            }
            let runtime = self.runtime.as_ref()?;
            Some(runtime.handle().clone())
        }
    }

    /// An instance, or an object that others own: with the last one the runtime is shut down.
    pub(crate) struct Use(());

    impl Use {
        /// Makes the runtime, if nobody has.
        ///
        /// # Errors
        /// There is no thread, or no descriptor, for it.
        pub(crate) fn begin() -> Result<Self> {
            let mut shared = shared();
            if shared.runtime.is_none() {
                let begun = shared.begin();
                begun.map_err(|error| format!("no tokio runtime for the plugin: {error}"))?;
            }
            shared.uses += 1;
            Ok(Use(()))
        }

        /// One more use of what is there already.
        pub(crate) fn another() -> Self {
            shared().uses += 1;
            Use(())
        }

        /// Leaves it to be [taken up](Self::taken_up) later.
        pub(crate) fn leave(self) {
            std::mem::forget(self);
        }

        /// The use that was left: once for each.
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

    /// The runtime's handle: in a unit test, with nothing loaded, that of the calling thread's.
    pub(crate) fn handle() -> Option<Handle> {
        own_handle().or_else(|| Handle::try_current().ok())
    }

    /// How many threads it has, where it can be stopped now.
    pub(crate) fn threads() -> usize {
        match HANDLE.try_read() {
            Ok(handle) if handle.is_some() => THREADS.load(Relaxed),
            _ => 0,
        }
    }

    /// Shuts the runtime down. There is another one for code that runs later.
    pub(crate) fn stop() {
        let mut shared = shared();
        shared.stopped = shared.uses != 0;
        let runtime = shared.end();
        drop(shared);
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }

    /// Runs code of the plugin's with its runtime as the context.
    pub(crate) fn within<R>(run: impl FnOnce() -> R) -> R {
        let handle = own_handle();
        // On a thread that is about to end there may be no context any more.
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
