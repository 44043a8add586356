//! What plugins have put into a generation leaves with it.
use super::state::State;
use crate::vault::Contents;
use std::sync::Arc;

/// Lets go of what only this generation has. The drop of an object in a slot may be the last of it, which runs its plugin's
/// `Drop`: on a thread for each plugin, so that one that hangs holds up no other. Nobody waits for it, since the object is
/// counted until its drop has returned.
pub(super) fn let_go(contents: Arc<Contents>) -> Vec<State> {
    let objects = Arc::into_inner(contents).map(Contents::into_objects);
    let objects = objects.into_iter().flatten();
    objects
        .map(|(_, objects)| State::Errand(Box::new(move || drop(objects))))
        .collect()
}
