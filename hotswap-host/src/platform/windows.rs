//! The functions for Windows, where plugins are linked into the program and none is loaded.
use super::file_state::{FileState, Timestamp};
use std::cell::Cell;
use std::convert::Infallible;
use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::MetadataExt;
use std::path::Path;

pub(crate) use libloading::os::windows as dl;

/// Windows has no such descriptors.
pub(crate) type OwnedFd = Infallible;

/// Returns the reason why libraries cannot be loaded.
pub(crate) fn cannot_load() -> Option<&'static str> {
    Some("on Windows plugins are linked into the program")
}

/// Returns an error. This is never called, since no library [can be loaded](cannot_load).
pub(crate) fn open_library(_: &Path) -> Result<dl::Library, libloading::Error> {
    Err(libloading::Error::LoadLibraryExWUnknown)
}

/// Returns false. This is never called, because nothing is closed.
pub(crate) fn at_process_end(_: extern "C" fn()) -> bool {
    false
}

/// Returns a builder of directories with the rights of their parent. Nothing is loaded from them.
pub(crate) fn private_dirs() -> DirBuilder {
    DirBuilder::new()
}

/// Returns options that open files.
pub(crate) fn without_waiting() -> OpenOptions {
    OpenOptions::new()
}

/// Returns false: no program has more rights than the user who started it.
pub(crate) fn is_privileged() -> bool {
    false
}

/// Returns zero, because users have no numeric ids: every file is taken to belong to this user and to be closed to
/// others.
pub(crate) fn user() -> u32 {
    0
}

pub(crate) fn owner_and_mode(_: &Metadata) -> (u32, u32) {
    (user(), 0o700)
}

pub(crate) fn group(_: &Metadata) -> u32 {
    0
}

/// Returns the state of a file. The time at which the file was made replaces its inode, and that of the last change
/// replaces that of the last status change.
pub(crate) fn file_state(file: &Metadata) -> FileState {
    let modified = timestamp(file.last_write_time());
    FileState {
        device: 0,
        inode: file.creation_time(),
        size: file.file_size(),
        modified,
        changed: modified,
    }
}

/// Converts Windows time, which counts steps of 100 nanoseconds since 1601.
fn timestamp(steps: u64) -> Timestamp {
    const PER_SECOND: u64 = 10_000_000;
    const UNTIL_1970: i64 = 11_644_473_600;
    Timestamp {
        seconds: (steps / PER_SECOND).cast_signed() - UNTIL_1970,
        nanoseconds: (steps % PER_SECOND).cast_signed() * 100,
    }
}

/// Returns an error, because there are no signals.
pub(crate) fn send_signal(_: u32, _: i32, _: impl FnOnce() -> bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(crate) fn is_for_requests(_: i32) -> bool {
    false
}

pub(crate) fn is_free_for_programs(_: i32) -> bool {
    false
}

/// Returns false without asking: a living host is recognized by the lock of its directory.
pub(crate) fn is_process(_: u32) -> bool {
    true
}

/// Returns none, because there are no descriptors.
pub(crate) fn descriptors(_: &[i32]) -> Vec<OwnedFd> {
    Vec::new()
}

pub(crate) fn duplicates(_: &[OwnedFd]) -> io::Result<Vec<OwnedFd>> {
    Ok(Vec::new())
}

pub(crate) fn give_away(descriptors: Vec<OwnedFd>) -> Vec<i32> {
    let descriptors = descriptors.into_iter();
    descriptors.map(|descriptor| match descriptor {}).collect()
}

/// The end of a thread.
pub(crate) mod thread_key {
    use super::Cell;

    struct AtEnd(Cell<Option<Box<dyn FnOnce()>>>);

    impl Drop for AtEnd {
        fn drop(&mut self) {
            if let Some(run) = self.0.take() {
                run();
            }
        }
    }

    thread_local! {
        static AT_END: AtEnd = const { AtEnd(Cell::new(None)) };
    }

    /// Runs `run(value)` on this thread among its thread-locals. Thread-locals that end later find the host's record
    /// gone and take another one, which is not given back.
    pub(crate) fn after_thread_locals<T>(run: extern "C" fn(&'static T), value: &'static T) {
        let _ = AT_END.try_with(|at_end| at_end.0.set(Some(Box::new(move || run(value)))));
    }
}
