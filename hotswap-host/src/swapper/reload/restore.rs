//! Restores a saved state in a new instance that nothing calls yet.
use crate::error::ReloadError;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::saved_state::SavedState;
use crate::swapper::hooks::refused;
use std::sync::{Arc, Weak};

/// Restores a state.
///
/// # Errors
/// The hook returned an error, panicked, or did not return in time.
pub(super) fn restore(
    hooks: &mut HookThread,
    instance: &Arc<Instance>,
    state: SavedState,
) -> Result<(), ReloadError> {
    let weak = Arc::downgrade(instance);
    let job = move || match Weak::upgrade(&weak) {
        Some(instance) => instance.restore(state),
        None => Ok(()),
    };
    let restored = hooks.run(job, drop);
    Ok(restored.map_err(|not_run| refused(not_run, hooks.limit()))??)
}
