use crate::shown::path;
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
    /// A file in it cannot be written.
    #[error("{} cannot be written: {error}", path(file))]
    NotWritten {
        /// The file.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
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
