//! The functions for Linux with any C library: anonymous files, and the contents of `/proc`.
use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Makes an anonymous file that may be mapped as code.
pub(crate) fn memory_file(name: &str) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let create = |flags| rustix::fs::memfd_create(name, flags);
    // Kernels since version 6.3 can be configured to forbid code where this flag is missing. Older kernels do not know
    // the flag.
    let file = create(flags | MemfdFlags::EXEC).or_else(|_| create(flags))?;
    Ok(File::from(file))
}

/// Seals an anonymous file, so that it cannot be changed any more.
pub(crate) fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, seals)?)
}

/// Returns the path of an anonymous file for this process and others. The process id in it is that of the file system
/// `/proc`, which may have been mounted for another pid namespace.
pub(crate) fn path_of_descriptor(file: &File) -> PathBuf {
    let process = fs::read_link("/proc/self").unwrap_or_else(|_| "self".into());
    let descriptor = file.as_raw_fd().to_string();
    Path::new("/proc").join(process).join("fd").join(descriptor)
}

/// Returns the time at which a living process was started, in the system's own unit, or `None` if there is none with
/// this id.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let (state, time) = stat(&format!("/proc/{pid}/stat"))?;
    // A zombie is no longer running.
    (!matches!(state, 'Z' | 'X')).then_some(time)
}

/// Returns true if a signal or a debugger has stopped the process.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = stat(&format!("/proc/{pid}/stat"));
    matches!(stat, Some(('T' | 't', _)))
}

/// Returns the state of a process or a thread, and the time at which it was started, in clock ticks since the start of
/// the system.
pub(super) fn stat(file: &str) -> Option<(char, u64)> {
    let stat = fs::read_to_string(file).ok()?;
    // The second field is the name in parentheses, which may itself contain spaces and parentheses. Fields 3 and 22 are
    // needed.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}
