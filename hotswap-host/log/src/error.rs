//! The errors of a log.
use std::path::PathBuf;

/// The reason why a log cannot be started or changed. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A value is none of those that an option takes.
    #[error("`{value}` is no {of}; write {write}")]
    Value {
        /// The option.
        of: &'static str,
        /// The value.
        value: String,
        /// The values that it takes.
        write: String,
    },
    /// A variable of the environment has a value that its option does not take.
    #[error("the variable {name} cannot be used: {source}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// The error.
        #[source]
        source: Box<LogError>,
    },
    /// There is a rotation, and no file.
    #[error("{name} is set, but no file is rotated; set HOTSWAP_LOG_FILE, too, or unset {name}")]
    NoFile {
        /// The variable.
        name: &'static str,
    },
    /// The path of the file has no name, or none in UTF-8.
    #[error("`{}` cannot be a log file; write a path that ends in a name, in UTF-8", .path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The file cannot be opened.
    #[error(
        "the log file `{}` cannot be opened: {reason}; write a path in a directory where this user may create files",
        .path.display()
    )]
    File {
        /// The path.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The program has a `tracing` subscriber already.
    #[error(
        "this program has a `tracing` subscriber already; start the log before anything else does, or leave one of them out"
    )]
    Already,
}
