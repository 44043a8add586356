//! The state of a plugin on its way from one instance to the next.
use crate::platform::{self, OwnedFd};
use hotswap_plugin::contract::state::StateView;
use std::io;
use std::sync::Arc;

/// The bytes of a state, and the file descriptors that belong to it. Descriptors that are not restored are closed.
#[derive(Default)]
pub(crate) struct SavedState {
    bytes: Arc<Vec<u8>>,
    descriptors: Vec<OwnedFd>,
}

impl SavedState {
    pub(crate) fn new(bytes: Vec<u8>, descriptors: Vec<OwnedFd>) -> Self {
        SavedState {
            bytes: Arc::new(bytes),
            descriptors,
        }
    }

    /// The number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the bytes, if no descriptor belongs to them.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        let bytes = Arc::unwrap_or_clone(self.bytes);
        self.descriptors.is_empty().then_some(bytes)
    }

    /// Returns the state once more. Its descriptors are duplicates, so an open file has one position for both.
    ///
    /// # Errors
    /// A descriptor cannot be duplicated.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(SavedState {
            bytes: self.bytes.clone(),
            descriptors: platform::duplicates(&self.descriptors)?,
        })
    }

    /// Lends the state to a call that takes its descriptors.
    pub(crate) fn lend<R>(self, call: impl FnOnce(StateView<'_>) -> R) -> R {
        let descriptors = platform::give_away(self.descriptors);
        call(StateView {
            bytes: self.bytes.as_slice().into(),
            descriptors: descriptors.as_slice().into(),
        })
    }
}
