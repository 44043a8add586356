//! Platforms on which nothing is unmapped: plugins call the C library, and the host watches nothing.

/// Defines nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! __shim {
    () => {};
}
