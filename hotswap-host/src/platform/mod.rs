//! What differs between operating systems: one file each.
//!
//! Unmapping needs the hidden thread functions in the plugin and a way to see the process from outside; where either is
//! missing `cannot_unmap` says why, and libraries stay mapped.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux_libraries;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use {linux::*, linux_libraries::*};

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod other;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use other::*;

pub(crate) mod membarrier;
pub(crate) mod thread_key;
