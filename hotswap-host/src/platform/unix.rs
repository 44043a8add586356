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

/// Whether programs may give this signal a meaning of their own, as daemons do with SIGHUP.
pub(crate) fn is_free_for_programs(signal: i32) -> bool {
    let usual = [libc::SIGUSR1, libc::SIGUSR2, libc::SIGHUP, libc::SIGWINCH];
    usual.contains(&signal) || is_real_time(signal)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_real_time(signal: i32) -> bool {
    (libc::SIGRTMIN()..=libc::SIGRTMAX()).contains(&signal)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_real_time(_: i32) -> bool {
    false
}

/// Sends a signal to the process of this id, if that `is_meant`. The system is asked for the process before `is_meant` is, so that
/// a process that gets the id afterwards does not get the signal; only where kernels have no such handles does it go by the id.
pub(crate) fn send_signal_if(pid: u32, signal: i32, is_meant: impl Fn() -> bool) -> io::Result<()> {
    let process = process_handle(pid)?;
    if !is_meant() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let Some(process) = process else {
        return send_signal(pid, signal);
    };
    send_signal_by_handle(&process, signal)
}

/// A handle of the process that has this id now, which means that process for ever. `None` where there are none.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn process_handle(pid: u32) -> io::Result<Option<OwnedFd>> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0);
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: the call takes two integers.
    let handle = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if handle >= 0 {
        // SAFETY: the kernel has just made the descriptor, and nobody else has it.
        return Ok(Some(unsafe { OwnedFd::from_raw_fd(handle as i32) }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ESRCH) => Err(io::ErrorKind::NotFound.into()),
        // Kernels before 5.3, and sandboxes that know only older calls.
        Some(libc::ENOSYS | libc::EPERM) => Ok(None),
        _ => Err(error),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn process_handle(_: u32) -> io::Result<Option<OwnedFd>> {
    Ok(None)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_signal_by_handle(process: &OwnedFd, signal: i32) -> io::Result<()> {
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: without an info the call takes a descriptor, which is open, and integers; a signal touches no memory of this process.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            std::os::fd::AsRawFd::as_raw_fd(process),
            signal,
            info,
            0,
        )
    };
    match sent {
        0 => Ok(()),
        _ => Err(gone(io::Error::last_os_error())),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send_signal_by_handle(_: &OwnedFd, _: i32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The error, where it says that there is no such process any more in the words of this crate.
fn gone(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ESRCH) => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

/// Sends a signal to a process.
fn send_signal(pid: u32, signal: i32) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0);
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    // SAFETY: a signal touches no memory of this process; which one the other gets is the caller's choice.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(gone(io::Error::last_os_error())),
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
