//! Files, processes and the dynamic linker, as all Unixes have them.
use super::file_state::{FileState, Timestamp};
pub(crate) use libloading::os::unix as dl;
use std::ffi::CString;
use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
pub(crate) use std::os::fd::OwnedFd;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Why no library can be loaded, if none can.
pub(crate) fn cannot_load() -> Option<&'static str> {
    None
}

/// Opens a library for this process alone, with all its symbols resolved.
///
/// # Safety
/// Its constructors may run.
pub(crate) unsafe fn open_library(path: &Path) -> Result<dl::Library, libloading::Error> {
    // SAFETY: the caller's promise.
    unsafe { dl::Library::open(Some(path), dl::RTLD_NOW | dl::RTLD_LOCAL) }
}

/// Builds directories that only this user may enter.
pub(crate) fn private_dirs() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// Makes a file that only this user may read, and nobody may open for writing later.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o400);
    options
}

/// The number of this user.
pub(crate) fn user() -> u32 {
    // SAFETY: it always succeeds and touches no memory.
    unsafe { libc::geteuid() }
}

/// The number of a file's owner, and its permission bits.
pub(crate) fn owner_and_mode(file: &Metadata) -> (u32, u32) {
    (file.uid(), file.mode() & 0o7777)
}

pub(crate) fn file_state(file: &Metadata) -> FileState {
    FileState {
        device: file.dev(),
        inode: file.ino(),
        size: file.size(),
        modified: Timestamp {
            seconds: file.mtime(),
            nanoseconds: file.mtime_nsec(),
        },
        changed: Timestamp {
            seconds: file.ctime(),
            nanoseconds: file.ctime_nsec(),
        },
    }
}

/// Whether the file system is mounted such that nothing in it can be mapped as code.
pub(crate) fn forbids_code(dir: &Path) -> io::Result<bool> {
    let dir = CString::new(dir.as_os_str().as_bytes())?;
    // SAFETY: a structure of integers may be zero.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: both point to what the function expects.
    match unsafe { libc::statvfs(dir.as_ptr(), &mut stat) } {
        0 => Ok(stat.f_flag & NOEXEC != 0),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const NOEXEC: libc::c_ulong = libc::ST_NOEXEC;
/// Other systems do not say.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NOEXEC: libc::c_ulong = 0;

/// Sends a signal to a process.
pub(crate) fn send_signal(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0);
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: a signal touches no memory of this process; which one the other gets is the caller's choice.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether there is a process of this id.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "`/proc` says more"))]
pub(crate) fn is_process(pid: u32) -> bool {
    match send_signal(pid, 0) {
        Ok(()) => true,
        Err(error) => error.raw_os_error() == Some(libc::EPERM),
    }
}

/// Takes descriptors over from their numbers.
///
/// # Safety
/// They are open, and belong to nobody else.
pub(crate) unsafe fn descriptors(numbers: &[i32]) -> Vec<OwnedFd> {
    let numbers = numbers.iter();
    // SAFETY: the caller's promise.
    let owned = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(*number) });
    owned.collect()
}

/// Gives descriptors away by their numbers.
pub(crate) fn give_away(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    let descriptors = descriptors.into_iter();
    descriptors.map(IntoRawFd::into_raw_fd).collect()
}
