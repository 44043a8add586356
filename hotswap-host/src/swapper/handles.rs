//! Binds the host's handles in the next generation.
use crate::base::lock_order::Ordered;
use crate::error::ReloadError;
use crate::generation::Generation;
use crate::generation::bindings::Target;
use crate::handle::HandleSpec;
use std::sync::Weak;

/// All handles of a swapper, locked.
pub(super) type Handles<'i> = Ordered<'i, Vec<Weak<HandleSpec>>>;

/// The handles that are bound in a generation that is not live yet.
#[must_use = "handles may be made until the generation is live; `complete` binds them"]
pub(super) struct Bound {
    handles: Vec<Weak<HandleSpec>>,
    /// True if a handle that finds nothing in the generation does not matter.
    any: bool,
}

impl Bound {
    /// Binds all existing handles.
    ///
    /// # Errors
    /// A handle of the host cannot be bound in the generation.
    pub(super) fn all(handles: &Handles<'_>, next: &Generation) -> Result<Self, ReloadError> {
        let mut bound = Bound {
            handles: Vec::with_capacity(handles.len()),
            any: false,
        };
        bound.complete(handles, next)?;
        Ok(bound)
    }

    /// Binds all existing handles. Those that find nothing in the generation return an error when they are called.
    pub(super) fn as_possible(handles: &Handles<'_>, next: &Generation) -> Self {
        let mut bound = Bound {
            handles: Vec::new(),
            any: true,
        };
        let complete = bound.complete(handles, next);
        debug_assert!(complete.is_ok(), "nothing is refused");
        bound
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
            if self
                .handles
                .get(index)
                .is_some_and(|bound| bound.ptr_eq(handle))
            {
                continue;
            }
            match handle.upgrade() {
                None => next.bindings.set(index, Target::NONE),
                Some(spec) => match bind(index, &spec, next) {
                    Err(_) if self.any => next.bindings.set(index, Target::NONE),
                    bound => bound?,
                },
            }
        }
        self.handles.clone_from(handles);
        Ok(())
    }
}

/// Binds each handle in a copy of a generation in which all handles are bound.
pub(super) fn rebind(handles: &Handles<'_>, copy: &Generation) {
    for (index, handle) in handles.iter().enumerate() {
        let bound = handle.upgrade().map(|spec| spec.bind_in(copy, index));
        if !matches!(bound, Some(Ok(()))) {
            copy.bindings.set(index, Target::NONE);
        }
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
