//! A private copy that cannot be made.
use crate::base::name::PluginName;
use crate::shown;
use std::io;
use std::path::PathBuf;

/// No private copy could be made, neither as a file nor in memory.
#[derive(Debug, thiserror::Error)]
#[error(
    "{plugin}: no private copy of {} can be made: {as_file}; nor in memory: {in_memory}; free some space, or set \
     HOTSWAP_RUNTIME_DIR to a directory that can be written to",
    shown::path(file)
)]
#[non_exhaustive]
pub struct CopyError {
    /// The plugin.
    pub plugin: PluginName,
    /// Its artifact.
    pub file: PathBuf,
    /// Why it could not be a file.
    pub as_file: String,
    /// Why it could not be in memory.
    pub in_memory: io::Error,
}
