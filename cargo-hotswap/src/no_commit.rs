//! The stand-in for [`commit`](super::commit) without the feature `git`: no commit is known.

use std::path::{Path, PathBuf};

use hotswap_host::artifact::Note;

/// The name of an unknown commit.
pub(crate) const UNKNOWN: &str = "unknown";

pub(crate) struct Commits;

impl Commits {
    pub(crate) fn new(_: PathBuf) -> Self {
        Self
    }

    pub(crate) fn note(&mut self, _: &Path) -> Note {
        Note {
            commit: UNKNOWN.into(),
            dirty: false,
            location: None,
        }
    }
}
