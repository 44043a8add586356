//! Items that the expansion of `#[plugin]` refers to. They are not for people, and no promise of stability covers them.
//!
//! This is the top floor of the crate. It knows the author's trait, the hooks, and everything below, and nothing below
//! knows it.
//!
//! | module | |
//! |---|---|
//! | [`glue`] | the entry points of the author's type |
//! | [`section`] | the metadata section |
//! | [`linked`] | the entry in the list of plugins that are linked into the program |
//! | [`alloc`] | the allocator that counts memory |
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
