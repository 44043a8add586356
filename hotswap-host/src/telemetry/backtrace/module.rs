use std::path::PathBuf;

/// A loaded file, and where it lies.
pub(super) struct Module {
    pub(super) path: PathBuf,
    /// What to subtract from an address to get the one in the file.
    pub(super) base: usize,
}
