//! What the host has.

/// The functions of the host, of which there are none.
pub trait Imports {}
