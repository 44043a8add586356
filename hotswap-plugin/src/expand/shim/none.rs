//! Platforms on which libraries are never unmapped: plugins call the C library, and the host watches no calls.

/// Defines nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim {
    () => {};
}
