//! The tables through which other plugins call the exports of an instance.
//!
//! The host lends these tables instead of those of the plugin. An entry is that of the plugin's table, so a call through
//! an import takes what it would take without the host, until a patch changes the method. Then the entry is
//! [routed](hotswap_plugin::boundary::relay) to a *dispatcher* of the host, which chooses at each call which function
//! goes on: see `generation::edges`.
//!
//! # Why no caller meets anything that is gone
//! - **The tables** are those of one instance and end with it. Whoever imports the instance keeps it for as long as any of
//!   its code may run: see [`Uses`](super::Uses). So does a handle of a linked plugin.
//! - **A dispatcher**, once made, stays as long as the tables do. There is at most one for each method: whatever patches
//!   the method has its signature. So a caller that has read the entry before it was taken back may call the dispatcher at
//!   any time later, and finds the plugin's function through it.
//! - **What a dispatcher calls** is kept by the call itself: `generation::edges` says by what.
//!
//! # When an entry is routed
//! While there are patches of the method in any generation, whether that is live, leaving, or not live yet. Each of
//! these has an [`Intercepted`]. So the entry is routed before the first generation with the patch is live, and goes back
//! when the last thread that has pinned one has ended its pin. In between, the dispatcher decides.
use super::made::Made;
use crate::patch::dispatch::Dispatcher;
use hotswap_plugin::boundary::RawFunction;
use hotswap_plugin::boundary::relay::routed;
use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};

/// The tables of all exports of an instance.
pub(crate) struct Exports {
    tables: Box<[Table]>,
    live: Arc<LiveVersion>,
}

/// The table of an export. A caller sees only its entries.
struct Table {
    /// One entry for each method, as in a table of the interface.
    entries: Box<[AtomicPtr<()>]>,
    methods: Box<[Method]>,
}

struct Method {
    /// The plugin's own function.
    own: RawFunction,
    /// The dispatcher, and what an entry that is routed to it leads to.
    dispatcher: OnceLock<(Box<RawFunction>, Box<dyn Dispatcher>)>,
    /// The number of [`Intercepted`].
    intercepted: Mutex<usize>,
}

/// The patches of a generation. Those who set them know the type.
pub(crate) type Patches = Arc<dyn Any + Send + Sync>;

/// The patches of the last generation with the instance that was live. It also tells instances apart.
#[derive(Default)]
pub(crate) struct LiveVersion {
    patches: RwLock<Option<Patches>>,
    is_mocked: AtomicBool,
}

impl LiveVersion {
    /// The patches, of the type with which they were [set](Self::set).
    pub(crate) fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let live = self.patches.read().unwrap_or_else(PoisonError::into_inner);
        live.clone()?.downcast().ok()
    }

    /// Returns true if there may be mocks among them.
    pub(crate) fn is_mocked(&self) -> bool {
        self.is_mocked.load(Acquire)
    }

    /// Sets the patches of a generation that is about to be live, or `None` if it has none, and whether there are mocks
    /// among them. Returns those that were set before, which the caller drops where closures of the host may be dropped.
    #[must_use]
    pub(crate) fn set(&self, patches: Option<Patches>, is_mocked: bool) -> Option<Patches> {
        let mut live = self.patches.write().unwrap_or_else(PoisonError::into_inner);
        self.is_mocked.store(is_mocked, Release);
        std::mem::replace(&mut *live, patches)
    }
}

/// Keeps an entry routed.
pub(crate) struct Intercepted {
    /// The tables may be gone before the patches are. Then nobody calls through them.
    exports: Weak<Exports>,
    export: usize,
    method: usize,
}

impl Exports {
    /// Makes tables that lead to the plugin's functions.
    pub(super) fn of(made: &Made) -> Arc<Self> {
        let exports = made.loaded().tables.desc().exports.iter();
        let tables = exports.map(|export| {
            let methods = made.methods_of(export);
            let methods = methods.into_iter().map(Method::new);
            let methods: Box<[Method]> = methods.collect();
            let entries = methods.iter().map(|method| method.own.call);
            Table {
                entries: entries
                    .map(|entry| AtomicPtr::new(entry.cast_mut()))
                    .collect(),
                methods,
            }
        });
        Arc::new(Exports {
            tables: tables.collect(),
            live: Arc::default(),
        })
    }

    /// The table of the export with this number. It is there as long as `self`.
    pub(crate) fn table(&self, export: usize) -> *const () {
        self.tables[export].entries.as_ptr().cast()
    }

    /// The patches of the last generation with the instance that was live.
    pub(crate) fn live(&self) -> &Arc<LiveVersion> {
        &self.live
    }

    /// Routes the entry of a method to its dispatcher for as long as the result lives. If it has none yet, `make` makes it,
    /// with the plugin's own function.
    pub(crate) fn intercept(
        self: &Arc<Self>,
        export: usize,
        method: usize,
        make: impl FnOnce(RawFunction) -> Box<dyn Dispatcher>,
    ) -> Intercepted {
        let table = &self.tables[export];
        let found = &table.methods[method];
        let mut intercepted = found.intercepted();
        let (leads_to, _) = found.dispatcher.get_or_init(|| {
            let dispatcher = make(found.own);
            (Box::new(dispatcher.function()), dispatcher)
        });
        *intercepted += 1;
        // A caller that finds the mark reads what is behind it after an `Acquire` fence.
        table.entries[method].store(routed(&**leads_to).cast_mut(), Release);
        Intercepted {
            exports: Arc::downgrade(self),
            export,
            method,
        }
    }
}

impl Method {
    fn new(own: RawFunction) -> Self {
        Method {
            own,
            dispatcher: OnceLock::new(),
            intercepted: Mutex::new(0),
        }
    }

    fn intercepted(&self) -> MutexGuard<'_, usize> {
        self.intercepted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Intercepted {
    fn drop(&mut self) {
        let Some(exports) = self.exports.upgrade() else {
            return;
        };
        let table = &exports.tables[self.export];
        let found = &table.methods[self.method];
        let mut intercepted = found.intercepted();
        *intercepted -= 1;
        if *intercepted == 0 {
            table.entries[self.method].store(found.own.call.cast_mut(), Release);
        }
    }
}
