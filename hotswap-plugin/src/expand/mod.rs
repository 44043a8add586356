//! What the expansion of `#[plugin]` refers to. Not for people, and not covered by any promise of stability.
//!
//! It is the top floor of the crate: it knows the author's trait, the hooks, and everything below, and nothing below
//! knows of it.
//!
//! | module | |
//! |---|---|
//! | [`glue`] | the entry points, made for the author's type |
//! | [`section`] | the metadata section |
//! | [`linked`] | the plugin in the list of those that are linked into the program |
//! | [`alloc`] | the allocator that counts |
//! | [`shim`] | the hidden functions of the C library |
pub mod alloc;
pub mod glue;
pub mod linked;
pub mod section;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod shim;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[path = "shim/none.rs"]
pub mod shim;
