//! The fields of a value while it migrates.

/// The fields of a value while it migrates.
pub struct Fields {}
