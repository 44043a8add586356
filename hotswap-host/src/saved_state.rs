//! The state of a plugin on its way from one instance to the next.
use crate::platform::{self, OwnedFd};
use hotswap_plugin::contract::state::{StateSink, StateView};

/// The bytes of a state, and the file descriptors that belong to it. Descriptors that are not restored are closed.
#[derive(Default)]
pub(crate) struct SavedState {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl SavedState {
    /// The number of bytes.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Makes a state of these bytes, without descriptors.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        SavedState {
            bytes,
            descriptors: Vec::new(),
        }
    }

    /// Returns the bytes, if no descriptor belongs to them.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        self.descriptors.is_empty().then_some(self.bytes)
    }

    /// Returns the sink for a plugin's state. It must not be used after `self`.
    pub(crate) fn sink(&mut self) -> StateSink {
        unsafe extern "C" fn put(data: *mut (), view: StateView<'_>) {
            // SAFETY: `data` is the state of `sink`, and the callee gives its descriptors away.
            unsafe {
                *data.cast::<SavedState>() = SavedState {
                    bytes: view.bytes.to_vec(),
                    descriptors: platform::descriptors(view.descriptors.as_slice()),
                };
            }
        }
        StateSink {
            data: (&raw mut *self).cast(),
            put,
        }
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
