use crate::platform;
use crate::shown::path;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// The reason why the directory for the files of a running host cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The host has no runtime directory.
    #[error(
        "the host has no runtime directory, because none could be made, or because its plugins are linked into it"
    )]
    NoDirectory,
    /// The directory does not exist and cannot be made.
    #[error("the runtime directory {} cannot be created: {error}", path(dir))]
    NotCreated {
        /// The directory.
        dir: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// There is a file or a link of this name.
    #[error(
        "the runtime directory {} is not a directory; remove it, or set HOTSWAP_RUNTIME_DIR to another",
        path(dir)
    )]
    NotADirectory {
        /// The path of the file or link.
        dir: PathBuf,
    },
    /// The directory belongs to another user, who could put libraries into it.
    #[error(
        "the runtime directory {} belongs to user {owner}; set HOTSWAP_RUNTIME_DIR to one of your own",
        path(dir)
    )]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// The id of the owner.
        owner: u32,
    },
    /// Users other than its owner may put libraries into the directory.
    #[error(
        "the runtime directory {0} may be written to by others (mode {mode:o}); run `chmod go-w {0}`",
        path(dir)
    )]
    Exposed {
        /// The directory.
        dir: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// Others could put another directory in its place. In this case, no library is opened by its path.
    #[error(
        "the runtime directory {} could be exchanged, because {} {exposure}; set HOTSWAP_RUNTIME_DIR to a directory whose \
         parents only you and root can write to",
        path(dir),
        path(ancestor)
    )]
    Replaceable {
        /// The directory.
        dir: PathBuf,
        /// The directory above it in which others can rename entries.
        ancestor: PathBuf,
        /// The reason why they can.
        exposure: Exposure,
    },
    /// A file in the directory cannot be written.
    #[error("{} cannot be written: {error}", path(file))]
    NotWritten {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
}

/// The reason why users other than this one can change a file or a directory.
///
/// Its text completes a sentence that begins with the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Exposure {
    /// It belongs to another user.
    Foreign {
        /// The id of the owner.
        owner: u32,
    },
    /// Its group, or everyone, may write to it.
    Writable {
        /// The permission bits.
        mode: u32,
    },
}

impl Exposure {
    /// Returns `None` if only this user and root, who can change everything, can change it.
    pub(crate) fn of(meta: &Metadata) -> Option<Self> {
        let (owner, mode) = platform::owner_and_mode(meta);
        if owner != platform::user() {
            return Some(Exposure::Foreign { owner });
        }
        (mode & 0o022 != 0).then_some(Exposure::Writable { mode })
    }

    /// Returns `None` also if root owns it.
    pub(crate) fn of_roots_or_own(meta: &Metadata) -> Option<Self> {
        let (owner, mode) = platform::owner_and_mode(meta);
        if owner != platform::user() && owner != 0 {
            return Some(Exposure::Foreign { owner });
        }
        (mode & 0o022 != 0).then_some(Exposure::Writable { mode })
    }

    /// Returns `None` also for a directory in which others may create files, as long as they cannot rename those of
    /// this user.
    pub(crate) fn of_ancestor(meta: &Metadata) -> Option<Self> {
        const STICKY: u32 = 0o1000;
        let is_sticky =
            |exposure: &Self| matches!(exposure, Exposure::Writable { mode } if mode & STICKY != 0);
        Exposure::of_roots_or_own(meta).filter(|exposure| !is_sticky(exposure))
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exposure::Foreign { owner } => write!(f, "belongs to user {owner}"),
            Exposure::Writable { mode } => {
                write!(f, "may be written to by others (mode {mode:o})")
            }
        }
    }
}

/// The reason why a host did not report a reload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The host has ended.
    #[error("the host with process id {pid} has ended")]
    Ended {
        /// The host.
        pid: u32,
    },
    /// The time is up.
    #[error(
        "the host with process id {pid} has reported nothing within {waited:?}: {}",
        if *stopped {
            format!("it is stopped, by a signal or a debugger; `kill -CONT {pid}` lets it go on")
        } else {
            "it is still reloading, or cannot write its report; its log says which".into()
        }
    )]
    TimedOut {
        /// The host.
        pid: u32,
        /// The time for which the caller waited.
        waited: Duration,
        /// True if the process is stopped, so that none of its code runs.
        stopped: bool,
    },
}
