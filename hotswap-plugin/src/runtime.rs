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

#[cfg(feature = "tokio")]
pub(crate) use of_tokio::{Use, handle, within};
#[cfg(not(feature = "tokio"))]
pub(crate) use without::{Use, within};

#[cfg(feature = "tokio")]
mod of_tokio {
    use crate::Result;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
    use tokio::runtime::{Builder, Handle, Runtime};

    /// The runtime, and how many use it.
    struct Shared {
        uses: usize,
        runtime: Option<Runtime>,
    }

    static SHARED: Mutex<Shared> = Mutex::new(Shared {
        uses: 0,
        runtime: None,
    });

    /// The runtime's handle, for each poll.
    static HANDLE: RwLock<Option<Handle>> = RwLock::new(None);

    fn shared() -> MutexGuard<'static, Shared> {
        SHARED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own_handle() -> Option<Handle> {
        let handle = HANDLE.read().unwrap_or_else(PoisonError::into_inner);
        handle.clone()
    }

    fn set_handle(handle: Option<Handle>) {
        *HANDLE.write().unwrap_or_else(PoisonError::into_inner) = handle;
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
                let runtime = Builder::new_multi_thread()
                    .worker_threads(1)
                    .thread_name("plugin-tokio")
                    .enable_all()
                    .build()
                    .map_err(|error| format!("no tokio runtime for the plugin: {error}"))?;
                set_handle(Some(runtime.handle().clone()));
                shared.runtime = Some(runtime);
                crate::task::begin();
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
                0 => shared.runtime.take(),
                _ => None,
            };
            if last.is_some() {
                set_handle(None);
            }
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

    #[inline(always)]
    pub(crate) fn within<R>(run: impl FnOnce() -> R) -> R {
        run()
    }
}
