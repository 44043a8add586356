//! The connection to the host: the table of its functions, and the token that says who asks.
use crate::contract::HostTableRef;
use crate::contract::shim::Token;
use std::sync::{OnceLock, PoisonError, RwLock};

/// The host that this library belongs to: set once, before anything else runs.
static HOST: OnceLock<Host> = OnceLock::new();

/// The host that plugins are linked into which use this copy of the crate, with the token of the one that was connected last.
static LINKED: RwLock<Option<Host>> = RwLock::new(None);

#[derive(Clone, Copy)]
pub(crate) struct Host {
    pub(crate) token: Token,
    pub(crate) table: HostTableRef,
}

// SAFETY: both are the host's, may be used from any thread, and outlive the library.
unsafe impl Send for Host {}
// SAFETY: as above.
unsafe impl Sync for Host {}

/// The host, once the plugin is connected; `None` where the crate is linked as an ordinary library, or into the host.
pub(crate) fn host() -> Option<Host> {
    HOST.get().copied()
}

/// The host, also where plugins are linked into it: for what it does not matter which of its plugins asks.
pub(crate) fn any_host() -> Option<Host> {
    host().or_else(|| *LINKED.read().unwrap_or_else(PoisonError::into_inner))
}

/// The calling thread's number, once the plugin is connected.
pub(crate) fn thread_index() -> Option<u32> {
    // SAFETY: the token belongs to the table.
    host().map(|host| unsafe { host.table.thread_index()(host.token) })
}

/// The library is connected to its host. False where it is already.
pub(crate) fn connect(token: Token, table: HostTableRef) -> bool {
    HOST.set(Host { token, table }).is_ok()
}

/// A plugin that is linked into the host is connected to it.
pub(crate) fn connect_linked(token: Token, table: HostTableRef) {
    *LINKED.write().unwrap_or_else(PoisonError::into_inner) = Some(Host { token, table });
}
