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

pub(crate) mod membarrier;

/// What tells a file from another one that takes its place, and an unchanged file from a changed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) modified: Timestamp,
    /// The time of the last status change, which nobody can set.
    pub(crate) changed: Timestamp,
}

/// Since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
}
