//! Files, processes, and the dynamic linker, as all Unixes have them.
//!
//! Unsafe code: opening a library runs its code, and a number becomes an owned descriptor.
#![allow(unsafe_code)]
use super::file_state::{FileState, Timestamp};
pub(crate) use libloading::os::unix as dl;
use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
pub(crate) use std::os::fd::OwnedFd;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Child;

/// Returns the reason why libraries cannot be loaded, if there is one.
pub(crate) fn cannot_load() -> Option<&'static str> {
    None
}

/// Opens a library for this process alone, with all its symbols resolved.
///
/// # Safety
/// The constructors of the library may run.
pub(crate) unsafe fn open_library(path: &Path) -> Result<dl::Library, libloading::Error> {
    // SAFETY: the caller guarantees that the constructors may run.
    unsafe { dl::Library::open(Some(path), dl::RTLD_NOW | dl::RTLD_LOCAL) }
}

/// Makes the C library call a function of the host when the process ends. Returns false if it cannot.
pub(crate) fn at_process_end(run: extern "C" fn()) -> bool {
    // SAFETY: the function belongs to the host, which is never unmapped.
    unsafe { libc::atexit(run) == 0 }
}

/// Changes a variable of the environment, or removes it.
pub(crate) fn change_variable(name: &OsStr, value: Option<&OsStr>) {
    // SAFETY: the lock of the host's std excludes readers that go through it, which includes those of all plugins:
    // `load::environment` reads for them. The author of a plugin that changes the environment guarantees that it is not
    // read in other ways meanwhile.
    unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    }
}

/// Returns a builder of directories that only this user may enter.
pub(crate) fn private_dirs() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// Returns options that open a pipe without waiting for its other end.
pub(crate) fn without_waiting() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(libc::O_NONBLOCK);
    options
}

/// Returns true if the process has more rights than the user who started it and who may have written its environment:
/// it is setuid or setgid, or its file has capabilities.
pub(crate) fn is_privileged() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    // SAFETY: the function has no preconditions.
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    // SAFETY: the function has no preconditions.
    return unsafe { libc::issetugid() } != 0;
}

/// The id of this user.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The id of a file's owner, and its permission bits.
pub(crate) fn owner_and_mode(file: &Metadata) -> (u32, u32) {
    (file.uid(), file.mode() & 0o7777)
}

/// The id of a file's group.
pub(crate) fn group(file: &Metadata) -> u32 {
    file.gid()
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

/// Sends a signal to the process, if `is_meant` returns true. Where the system allows it, this is asked when no other
/// process can take the place of this one any more.
pub(crate) fn send_signal(
    pid: u32,
    signal: i32,
    is_meant: impl FnOnce() -> bool,
) -> io::Result<()> {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.ok_or(io::ErrorKind::NotFound)?;
    if !is_for_requests(signal) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let held = held(process);
    if !is_meant() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: `is_for_requests` accepts no signal that the C library uses itself.
    let signal = unsafe { Signal::from_raw_unchecked(signal) };
    match held {
        #[cfg(target_os = "linux")]
        Some(held) => Ok(rustix::process::pidfd_send_signal(held, signal)?),
        _ => Ok(rustix::process::kill_process(process, signal)?),
    }
}

/// Returns a descriptor of the process, or `None` if the system has none, because it is older than Linux 5.3 or the
/// process is in a sandbox.
#[cfg(target_os = "linux")]
fn held(process: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn held(_: Pid) -> Option<OwnedFd> {
    None
}

/// Returns the process that has sent a signal, and its user, if the system vouches for them.
#[cfg(target_os = "linux")]
pub(crate) fn sender_of(signal: &libc::siginfo_t) -> Option<(u32, u32)> {
    // Of the others, some have no sender, and with `sigqueue` the sender writes what it likes.
    if ![libc::SI_USER, libc::SI_TKILL].contains(&signal.si_code) {
        return None;
    }
    // SAFETY: a signal with one of these codes has both fields, which `sigaction(2)` says.
    let (pid, uid) = unsafe { (signal.si_pid(), signal.si_uid()) };
    Some((u32::try_from(pid).ok()?, uid))
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sender_of(_: &libc::siginfo_t) -> Option<(u32, u32)> {
    None
}

/// Returns true if a process may be asked for something by this signal: programs give these signals a meaning of their
/// own, as daemons do with SIGHUP. The others end or stop a process, or belong to the system or the C library.
pub(crate) fn is_for_requests(signal: i32) -> bool {
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

/// Ends the process group that a child leads, which nobody has waited for.
pub(crate) fn end_group(leader: &Child) {
    if let Some(group) = i32::try_from(leader.id()).ok().and_then(Pid::from_raw) {
        // It fails if the group has ended by itself.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// Returns true if there is a process with this id.
#[cfg_attr(target_os = "linux", expect(dead_code, reason = "`/proc` says more"))]
pub(crate) fn is_process(pid: u32) -> bool {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| {
        let tested = rustix::process::test_kill_process(process);
        matches!(tested, Ok(()) | Err(rustix::io::Errno::PERM))
    })
}

/// Takes ownership of descriptors by their numbers.
///
/// # Safety
/// They are open and have no other owner.
pub(crate) unsafe fn descriptors(numbers: &[i32]) -> Vec<OwnedFd> {
    let numbers = numbers.iter();
    // SAFETY: the caller guarantees that the descriptors are open and have no other owner.
    let owned = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(*number) });
    owned.collect()
}

/// Duplicates descriptors.
pub(crate) fn duplicates(descriptors: &[OwnedFd]) -> io::Result<Vec<OwnedFd>> {
    descriptors.iter().map(OwnedFd::try_clone).collect()
}

/// Gives up ownership of descriptors and returns their numbers.
pub(crate) fn give_away(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    let descriptors = descriptors.into_iter();
    descriptors.map(IntoRawFd::into_raw_fd).collect()
}
