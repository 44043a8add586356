//! The state of a plugin on its way from one instance to the next.
use crate::platform::{self, OwnedFd};
use hotswap_plugin::contract::state::StateView;

/// The bytes of a state, and the file descriptors that belong to it. Descriptors that are not restored are closed.
#[derive(Default)]
pub(crate) struct SavedState {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl SavedState {
    pub(crate) fn new(bytes: Vec<u8>, descriptors: Vec<OwnedFd>) -> Self {
        SavedState { bytes, descriptors }
    }

    /// The number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns the bytes, if no descriptor belongs to them.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        self.descriptors.is_empty().then_some(self.bytes)
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
