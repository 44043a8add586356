//! The error of a private copy that cannot be made.
use crate::base::name::PluginName;
use crate::shown;
use std::io;
use std::path::PathBuf;

/// A private copy of an artifact could not be made, neither as a file nor in memory.
#[derive(Debug, thiserror::Error)]
#[error(
    "{plugin}: cannot make a private copy of {}: {as_file}; nor in memory: {in_memory}; free some space, or set \
     HOTSWAP_RUNTIME_DIR to a writable directory",
    shown::path(file)
)]
#[non_exhaustive]
pub struct CopyError {
    /// The plugin.
    pub plugin: PluginName,
    /// Its artifact.
    pub file: PathBuf,
    /// The reason why it could not be a file.
    pub as_file: String,
    /// The reason why it could not be in memory.
    pub in_memory: io::Error,
}
