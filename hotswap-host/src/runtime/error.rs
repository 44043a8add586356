use crate::platform;
use crate::shown::path;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the directory for the files of a running host cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The directory is not there and cannot be made.
    #[error("the runtime directory {} cannot be created: {error}", path(dir))]
    NotCreated {
        /// The directory.
        dir: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is a file or a link of this name.
    #[error(
        "the runtime directory {} is no directory; remove it, or set HOTSWAP_RUNTIME_DIR to another",
        path(dir)
    )]
    NotADirectory {
        /// What is in the way.
        dir: PathBuf,
    },
    /// It belongs to someone else, who could put libraries into it.
    #[error(
        "the runtime directory {} belongs to user {owner}; set HOTSWAP_RUNTIME_DIR to one of your own",
        path(dir)
    )]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// Others than its owner may put libraries into it.
    #[error(
        "the runtime directory {0} may be written to by others (mode {mode:o}); run `chmod go-w {0}`",
        path(dir)
    )]
    Exposed {
        /// The directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others could put another directory in its place. Then no library is opened by its path.
    #[error(
        "the runtime directory {} could be exchanged, since {} {exposure}; set HOTSWAP_RUNTIME_DIR to a directory above which \
         nobody else can write",
        path(dir),
        path(ancestor)
    )]
    Replaceable {
        /// The directory.
        dir: PathBuf,
        /// The directory above it in which others can rename things.
        ancestor: PathBuf,
        /// Why they can.
        exposure: Exposure,
    },
    /// A file in it cannot be written.
    #[error("{} cannot be written: {error}", path(file))]
    NotWritten {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Why others than this user can change a file or a directory.
///
/// Its text completes a sentence that begins with the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Exposure {
    /// It belongs to somebody else.
    Foreign {
        /// The user's number.
        owner: u32,
    },
    /// Its group, or everybody, may write to it.
    Writable {
        /// Its permission bits.
        mode: u32,
    },
}

impl Exposure {
    /// `None` where only this user can change it, and root, who can do so with everything.
    pub(crate) fn of(meta: &Metadata) -> Option<Self> {
        let (owner, mode) = platform::owner_and_mode(meta);
        if owner != platform::user() {
            return Some(Exposure::Foreign { owner });
        }
        (mode & 0o022 != 0).then_some(Exposure::Writable { mode })
    }

    /// The same of something that root may own, too.
    pub(crate) fn of_roots_or_own(meta: &Metadata) -> Option<Self> {
        let (owner, mode) = platform::owner_and_mode(meta);
        if owner != platform::user() && owner != 0 {
            return Some(Exposure::Foreign { owner });
        }
        (mode & 0o022 != 0).then_some(Exposure::Writable { mode })
    }

    /// The same of a directory in which others may make files, as long as they cannot rename those of this user.
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

/// Why a host was not seen to have reloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The host has ended.
    #[error("the host with process id {pid} has ended")]
    Ended {
        /// The host.
        pid: u32,
    },
    /// The time was up.
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
        /// How long it was waited for.
        waited: Duration,
        /// Whether the process is stopped, so that no code of it runs.
        stopped: bool,
    },
}
