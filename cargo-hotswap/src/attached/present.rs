//! The host that is there now.

use std::sync::{Arc, Mutex, PoisonError};

use super::found::Found;

/// The host that is there now: none from the end of one until the next one is found. Clones share it.
#[derive(Clone)]
pub(super) struct Present(Arc<Mutex<Option<Found>>>);

impl Present {
    pub(super) fn new(found: Found) -> Self {
        Self(Arc::new(Mutex::new(Some(found))))
    }

    pub(super) fn get(&self) -> Option<Found> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    pub(super) fn set(&self, found: Option<Found>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }
}
