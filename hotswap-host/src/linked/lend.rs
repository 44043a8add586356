//! Counts the imports of a plugin that is linked into the program.
//!
//! Threads of a plugin may outlive its instance and use its imports. The host knows the threads of a loaded library, so
//! its imports stay until they have ended. It does not know those of a linked plugin. Therefore each handle of such a
//! plugin to an import is counted, as a [`Held`](hotswap_plugin::Held) is, and the imports are freed after the last
//! handle.
use crate::instance::Uses;
use crate::requests::{KeptByHandles, keep_by_handles};
use hotswap_plugin::boundary::RawObject;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The imports of a plugin, kept by each handle to one of them.
pub(crate) struct Lent(Uses);

impl Lent {
    /// Makes the handles to `objects` counted. They lead to `uses`. The caller keeps the result until the handles have
    /// been made.
    pub(crate) fn count(objects: &mut [RawObject], uses: &Uses) -> Arc<KeptByHandles<Self>> {
        keep_by_handles(Lent(uses.clone()), objects)
    }
}

impl Drop for Lent {
    /// Releases the imports, because the last handle is gone.
    fn drop(&mut self) {
        let uses = std::mem::take(&mut self.0);
        // This may drop objects that the host has provided, which may panic.
        let _ = catch_unwind(AssertUnwindSafe(|| uses.release()));
    }
}
