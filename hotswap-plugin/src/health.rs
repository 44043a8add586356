//! [`Health`], the answer of a health check.

/// The answer of a health check, which a plugin writes as a function with [`#[health]`](macro@crate::plugin#health).
///
/// A check that returns an error or panics has failed, and how many failures make a plugin unhealthy is up to the host. With
/// a `Health`, the plugin itself says how it does.
#[hotswap_macros::shared(crate = crate)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The plugin does its work.
    Healthy,
    /// It does its work, but not as it should: slower, or only a part of it.
    Degraded(String),
    /// It does not do its work.
    Unhealthy(String),
    /// It does not do its work, and does harm until something is done about it.
    Critical(String),
}
