//! Binds the host's handles in the next generation.
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::generation::bindings::Target;
use crate::handle::HandleSpec;
use std::sync::{MutexGuard, Weak};

/// All handles of a swapper, locked.
pub(super) type Handles<'i> = MutexGuard<'i, Vec<Weak<HandleSpec>>>;

/// The handles that are bound in a generation that is not live yet.
#[must_use = "handles may be made until the generation is live; `complete` binds them"]
pub(super) struct Bound(Vec<Weak<HandleSpec>>);

impl Bound {
    /// Binds all existing handles.
    ///
    /// # Errors
    /// A handle of the host cannot be bound in the generation.
    pub(super) fn all(handles: &Handles<'_>, next: &Generation) -> Result<Self, ReloadError> {
        let mut bound = Bound(Vec::with_capacity(handles.len()));
        bound.complete(handles, next)?;
        Ok(bound)
    }

    /// Binds the handles that have been made since.
    ///
    /// # Errors
    /// A handle of the host cannot be bound in the generation.
    pub(super) fn complete(
        &mut self,
        handles: &Handles<'_>,
        next: &Generation,
    ) -> Result<(), ReloadError> {
        for (index, handle) in handles.iter().enumerate() {
            // The number of a handle that is gone may belong to another handle by now.
            if self.0.get(index).is_some_and(|bound| bound.ptr_eq(handle)) {
                continue;
            }
            match handle.upgrade() {
                None => next.bindings.set(index, Target::NONE),
                Some(spec) => bind(index, &spec, next)?,
            }
        }
        self.0.clone_from(handles);
        Ok(())
    }
}

fn bind(index: usize, spec: &HandleSpec, next: &Generation) -> Result<(), ReloadError> {
    spec.bind_in(next, index)
        .map_err(|error| ReloadError::Handle {
            plugin: spec.plugin(),
            item: spec.item.clone(),
            message: error.of_a_held_handle(),
        })
}
