//! The files by which a running host is visible to tools outside of it. `cargo hotswap reload` finds hosts here.
//!
//! Each open swapper has one directory, below `$HOTSWAP_RUNTIME_DIR`, or else `$XDG_RUNTIME_DIR/hotswap`, or else
//! `hotswap-<user id>` in the directory for temporary files. Its name is `<process id>-<its start time>-<n>`, and it
//! contains these files:
//!
//! | file | contents |
//! |---|---|
//! | `lock` | locked as long as the host uses the directory. This proves that the host lives, also across pid namespaces. It contains the record by which a [`RunningHost`] is found when the directory has been removed |
//! | `host.json` | a [`HostRecord`] |
//! | `report.json` | the [`StoredReport`] of the latest reload attempt |
//! | `control.sock` | the socket of the host's control endpoint, if it has one |
//! | `*.so` | the private copies of the libraries that are open |
//!
//! JSON files are replaced in one step, so readers never see half of one. The next host that starts removes directories
//! that are not locked: only those that have hotswap's mark in their lock file, and in them only the files of this
//! table.
//!
//! The directory above them belongs to this user, and no other user may write to it. A host holds both directories by
//! their descriptors, so if another directory is put in their place, only a name is exchanged. Others can do that if
//! they may write to a directory above that is not sticky. In this case, libraries are opened from sealed files in
//! memory, and not by a path.
//!
//! A host whose directory is removed while it runs, by a cleaner or at the end of a session, makes it again at its next
//! reload. Until then it is found by its open lock file: on Linux, by tools that see its process in `/proc`. Builds
//! that were loaded before go on, but their private copies are gone, so debuggers and backtraces find no lines for
//! them.
//!
//! A host whose first load is refused usually ends, and its directory goes with it. Therefore a process that starts a
//! host may name a file in [`FIRST_REPORT`], and the host writes the report of its first load into that file.
mod base;
mod error;
mod first_report;
mod held;
mod host_dir;
mod hosts;
mod open_locks;
mod process;
mod record;
mod refused;
mod scan;
mod signalling;
mod small_file;

#[cfg(test)]
mod tests;

pub use error::{Exposure, RuntimeError, WaitError};
pub use first_report::FIRST_REPORT;
pub use hosts::{RunningHost, hosts};
pub use record::{HostRecord, StoredReport};
pub use refused::{RefusedDir, refused};
pub use scan::{BuildState, FileNow, MappedFile, MappedKind, Scan, scan};

/// Returns true if this process has more rights than the user who started it, because its file is setuid or has
/// capabilities. Such a process believes none of hotswap's environment variables.
pub fn is_privileged() -> bool {
    crate::platform::is_privileged()
}

pub(crate) use first_report::tell_starter;
pub(crate) use held::Held;
pub(crate) use host_dir::{HostDir, Ready};
pub(crate) use record::Reported;
#[cfg(unix)]
pub(crate) use signalling::may_mean_reload;
