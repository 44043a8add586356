//! What a running host shows of itself to the tools beside it: `cargo hotswap reload` finds hosts here.
//!
//! Each swapper that is open has one directory, below `$HOTSWAP_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/hotswap`, else
//! `hotswap-<user id>` in the directory for temporary files. It is called `<process id>-<its start time>-<n>` and holds
//!
//! | file | what |
//! |---|---|
//! | `lock` | locked as long as the host uses the directory: the proof that it lives, also across pid namespaces. In it is what a [`RunningHost`] is found by when somebody has removed the directory |
//! | `host.json` | a [`HostRecord`] |
//! | `report.json` | the [`StoredReport`] of the latest reload attempt |
//! | `*.so` | the private copies of the libraries that are open |
//!
//! JSON files are replaced in one step: what is read is never half-written. Directories that nobody has locked are
//! removed by the next host that starts: those that carry hotswap's mark in their lock file, and in them the files of this table.
//!
//! The directory above them is this user's, and nobody else may write to it. A host holds both by their descriptors, so that whoever
//! puts another directory in their place exchanges nothing but a name. Where others can do that, since a directory above may be written to by
//! them and is not sticky, libraries are opened from sealed files in memory, and not by a path.
//!
//! A host whose directory is removed while it runs, by a cleaner or at the end of a session, makes it again with its next
//! reload. Until then it is found by the lock file that it has open: on Linux, by tools that see its process in `/proc`.
//! Builds that were loaded before go on, but their private copies are gone: debuggers and backtraces find no lines of them.
//!
//! A host whose first load is refused usually ends, and its directory goes with it. So whoever starts a host may name a file in
//! [`FIRST_REPORT`], into which the host writes the report of its first load.
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
mod signalling;
mod small_file;

#[cfg(test)]
mod tests;

pub use error::{Exposure, RuntimeError, WaitError};
pub use first_report::FIRST_REPORT;
pub use hosts::{RunningHost, hosts};
pub use record::{HostRecord, StoredReport};
pub use refused::{RefusedDir, refused};

pub(crate) use first_report::tell_starter;
pub(crate) use held::Held;
pub(crate) use host_dir::{HostDir, Ready};
pub(crate) use record::Reported;
#[cfg(unix)]
pub(crate) use signalling::may_mean_reload;
