//! What differs between operating systems.
//!
//! Unmapping needs the hidden thread functions in the plugin and a way to see the process from outside: those are in `linux`.
//! Where either is missing, `other` stands in for it, `cannot_unmap` says why, and libraries stay mapped. Files, processes
//! and the dynamic linker are in `unix` and `windows`, and what Linux adds to that with any C library in `proc`.

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

#[cfg(unix)]
pub(crate) mod thread_key;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::*;

#[cfg(target_os = "linux")]
mod proc;
#[cfg(not(target_os = "linux"))]
#[path = "no_proc.rs"]
mod proc;
pub(crate) use proc::*;

mod file_state;
pub(crate) use file_state::{FileState, Timestamp};

pub(crate) mod membarrier;
