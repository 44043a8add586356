//! The state of a plugin between two instances.
use hotswap_plugin::contract::state::{StateSink, StateView};
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

/// The bytes of a state, and the file descriptors that belong to it. What nobody restores is closed.
#[derive(Default)]
pub(crate) struct SavedState {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl SavedState {
    /// How many bytes it has.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Where a plugin puts its state. Not to be used after `self`.
    pub(crate) fn sink(&mut self) -> StateSink {
        unsafe extern "C" fn put(data: *mut (), view: StateView<'_>) {
            // SAFETY: `data` is the state of `sink`; the callee gives its descriptors away.
            unsafe {
                let descriptors = view.descriptors.iter();
                *data.cast::<SavedState>() = SavedState {
                    bytes: view.bytes.to_vec(),
                    descriptors: descriptors.map(|fd| OwnedFd::from_raw_fd(*fd)).collect(),
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
        let descriptors = self.descriptors.into_iter();
        let descriptors: Vec<_> = descriptors.map(IntoRawFd::into_raw_fd).collect();
        call(StateView {
            bytes: self.bytes.as_slice().into(),
            descriptors: descriptors.as_slice().into(),
        })
    }
}
