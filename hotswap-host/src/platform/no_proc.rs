//! Platforms other than Linux: they have no anonymous files, no start times, and no list of what is mapped.
use super::is_process;
use std::fs::File;
use std::io;
use std::path::PathBuf;

pub(crate) fn memory_file(_: &str) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn seal(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns an empty path. This is never called, because there is no such file.
pub(crate) fn path_of_descriptor(_: &File) -> PathBuf {
    PathBuf::new()
}

/// Returns zero for each living process, and `None` if there is none with this id.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    is_process(pid).then_some(0)
}

/// Returns false, because the system does not say.
pub(crate) fn is_stopped(_: u32) -> bool {
    false
}

/// Returns none: the stack is not walked.
pub(crate) fn calls_here() -> Vec<usize> {
    Vec::new()
}

/// Returns `None`, because the system does not say.
pub(crate) fn file_of(_: usize) -> Option<(PathBuf, usize)> {
    None
}
