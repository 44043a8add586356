//! The functions of the host.

/// The functions of the host, of which there are none.
pub trait Imports {}
