//! The table by which a library finds the host.
use hotswap_plugin::contract::shim::Token;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use hotswap_plugin::contract::shim::ShimTable as Table;

/// The table consists of the token alone, because the platform has no hidden functions.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) struct Table {
    token: std::sync::atomic::AtomicPtr<std::ffi::c_void>,
}

/// Returns the token in the table.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn token(table: &Table) -> Token {
    table.token
}

/// Returns the token in the table.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn token(table: &Table) -> Token {
    table.token.load(std::sync::atomic::Ordering::Relaxed)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
impl Table {
    pub(super) fn new(token: Token) -> Self {
        Table {
            token: token.cast_mut().into(),
        }
    }
}
