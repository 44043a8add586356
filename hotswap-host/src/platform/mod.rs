//! The differences between operating systems.
//!
//! Unmapping needs the hidden thread functions in the plugin, and a way to see the process from outside. Both are in
//! `linux`. Where either is missing, `other` replaces it, `cannot_unmap` says why, and libraries stay mapped. Files,
//! processes, and the dynamic linker are in `unix` and `windows`. What Linux adds with any C library is
//! in `linux_objects` and `proc`.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod linux;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use linux::*;

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
mod linux_objects;
#[cfg(target_os = "linux")]
pub(crate) use linux_objects::*;

#[cfg(target_os = "linux")]
mod proc;
#[cfg(not(target_os = "linux"))]
#[path = "no_proc.rs"]
mod proc;
pub(crate) use proc::*;

mod file_state;
pub(crate) use file_state::{FileState, Timestamp};

pub(crate) mod membarrier;

#[cfg(unix)]
mod dir;
#[cfg(windows)]
#[path = "windows_dir.rs"]
mod dir;
pub(crate) use dir::{Dir, Identity};

/// Returns an error if this is not a regular file.
pub(crate) fn only_regular(file: &File) -> io::Result<()> {
    match file.metadata()?.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is not a regular file")),
    }
}

/// Opens a regular file for reading, following links. Opening a pipe does not wait for its other end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let file = without_waiting().read(true).open(path)?;
    only_regular(&file)?;
    Ok(file)
}
