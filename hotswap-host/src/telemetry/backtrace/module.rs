use std::path::PathBuf;

/// A loaded file and its place in memory.
pub(super) struct Module {
    pub(super) path: PathBuf,
    /// The value to subtract from an address in memory to get the address in the file.
    pub(super) base: usize,
}
