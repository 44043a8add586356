//! Linux, whatever its C library: files without a name, and what `/proc` says.
use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// An anonymous file that may be mapped as code.
pub(crate) fn memory_file(name: &str) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let create = |flags| rustix::fs::memfd_create(name, flags);
    // Kernels since 6.3 may be told to forbid code where it was not asked for; older ones do not know the flag.
    let file = create(flags | MemfdFlags::EXEC).or_else(|_| create(flags))?;
    Ok(File::from(file))
}

/// Has nobody change an anonymous file any more.
pub(crate) fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    Ok(rustix::fs::fcntl_add_seals(file, seals)?)
}

/// What this process and others call a file that has no name. The number of this process is that of the file system,
/// which may have been mounted for other processes than this one's.
pub(crate) fn path_of_descriptor(file: &File) -> PathBuf {
    let process = fs::read_link("/proc/self").unwrap_or_else(|_| "self".into());
    let descriptor = file.as_raw_fd().to_string();
    Path::new("/proc").join(process).join("fd").join(descriptor)
}

/// When a living process was started, in the system's own unit; `None` if there is none with this id.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let (state, time) = stat(&format!("/proc/{pid}/stat"))?;
    // A zombie serves nobody any more.
    (!matches!(state, 'Z' | 'X')).then_some(time)
}

/// Returns true if a signal or a debugger has stopped the process.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = stat(&format!("/proc/{pid}/stat"));
    matches!(stat, Some(('T' | 't', _)))
}

/// The state of a process or a thread, and when it was started, in clock ticks since the system was.
pub(super) fn stat(file: &str) -> Option<(char, u64)> {
    let stat = fs::read_to_string(file).ok()?;
    // The second field is the name in parentheses, and may itself contain blanks and parentheses. Fields 3 and 22 are wanted.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}
