//! Saves the state of an instance that is stopped, and restores it in a new one that nothing calls yet.
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

/// Saves the state of an instance as its own build knows it.
///
/// # Errors
/// The hook returned an error, panicked, or did not return in time.
pub(super) fn save(
    hooks: &mut HookThread,
    instance: &Arc<Instance>,
) -> Result<SavedState, ReloadError> {
    let (weak, version) = (Arc::downgrade(instance), instance.state());
    let version = version.map_or(0, |state| state.version);
    let job = move || Weak::upgrade(&weak).map(|instance| instance.save(version));
    let saved = hooks.run(job, drop);
    let saved = saved.map_err(|not_run| refused(not_run, hooks.limit()))?;
    Ok(saved.transpose()?.unwrap_or_default())
}
