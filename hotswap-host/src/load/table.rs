//! The table by which a library finds the host.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use hotswap_plugin::contract::shim::ShimTable as Table;

/// The table consists of the token alone, because the platform has no hidden functions.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) struct Table {
    pub(crate) token: hotswap_plugin::contract::shim::Token,
}

// SAFETY: the token is only compared and passed back.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
unsafe impl Send for Table {}
// SAFETY: the token is only compared and passed back.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
unsafe impl Sync for Table {}
