//! The connection to the host: the table of its functions, and the token that identifies the plugin.
use crate::contract::HostTableRef;
use crate::contract::shim::Token;
use std::sync::{OnceLock, PoisonError, RwLock};

/// The host of this library, set once, before anything else of the library runs.
static HOST: OnceLock<Host> = OnceLock::new();

/// The host that plugins with this copy of the crate are linked into, with the token of the plugin that was connected
/// last.
static LINKED: RwLock<Option<Host>> = RwLock::new(None);

#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(crate) token: Token,
    pub(crate) table: HostTableRef,
}

// SAFETY: table and token belong to the host, may be used from any thread, and outlive the library.
unsafe impl Send for Host {}
// SAFETY: table and token are never written, and may be used from several threads at once.
unsafe impl Sync for Host {}

/// Returns the host once the plugin is connected. Returns `None` where the crate is linked as an ordinary library, or
/// into the host.
pub(crate) fn host() -> Option<Host> {
    HOST.get().copied()
}

/// Returns true in the library of a plugin that a host has loaded.
pub fn is_loaded() -> bool {
    host().is_some()
}

/// Returns the host, also where plugins are linked into it. For requests where it does not matter which plugin asks.
pub(crate) fn any_host() -> Option<Host> {
    host().or_else(|| *LINKED.read().unwrap_or_else(PoisonError::into_inner))
}

/// Returns the calling thread's number once the plugin is connected.
pub(crate) fn thread_index() -> Option<u32> {
    // SAFETY: the host gave the token together with the table.
    host().map(|host| unsafe { host.table.thread_index()(host.token) })
}

/// Connects the library to its host. Returns false if it is connected already.
pub(crate) fn connect(token: Token, table: HostTableRef) -> bool {
    HOST.set(Host { token, table }).is_ok()
}

/// Connects a plugin that is linked into the host.
pub(crate) fn connect_linked(token: Token, table: HostTableRef) {
    *LINKED.write().unwrap_or_else(PoisonError::into_inner) = Some(Host { token, table });
}
