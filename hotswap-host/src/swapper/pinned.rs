//! Generations that are kept for a while: pins, holds, and calls by name in them.
use super::Inner;
use crate::error::{CallError, InvokeError};
use crate::function;
use crate::generation::{Generation, Listing};
use crate::live::pin::{Held, Pinned};
use hotswap_plugin::Value;
use std::panic::Location;
use std::sync::Arc;

/// A pinned generation. Stays on its thread.
pub struct Pin<'s> {
    pinned: Pinned<'s, Generation>,
    inner: &'s Arc<Inner>,
}

impl<'s> Pin<'s> {
    pub(super) fn new(inner: &'s Arc<Inner>, at: &'static Location<'static>) -> Self {
        let pinned = inner.live.pin();
        // The outermost one is named: it holds the thread's slot.
        if let Some(record) = pinned.record().filter(|record| record.depth() == 1) {
            record.set_pinned_at(Some(at));
        }
        Pin { pinned, inner }
    }

    /// The number of the pinned generation.
    pub fn generation(&self) -> u64 {
        self.pinned.number
    }

    /// The plugins of the pinned generation.
    pub fn listing(&self) -> Listing {
        self.pinned.listing()
    }

    /// Calls a function of the pinned generation by names.
    ///
    /// # Errors
    /// As [`Swapper::invoke`](crate::Swapper::invoke).
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        invoke_in(&self.pinned, plugin, function, args)
    }

    /// Keeps the pinned generation in memory from any thread.
    pub fn hold(&self) -> Hold {
        Hold {
            held: self.pinned.hold(),
            _inner: self.inner.clone(),
        }
    }

    pub(crate) fn generation_ref(&self) -> &Generation {
        &self.pinned
    }

    pub(crate) fn belongs_to(&self, inner: &Arc<Inner>) -> bool {
        Arc::ptr_eq(self.inner, inner)
    }
}

impl Drop for Pin<'_> {
    fn drop(&mut self) {
        let record = self.pinned.record();
        if let Some(record) = record.filter(|record| record.depth() == 1) {
            record.set_pinned_at(None);
        }
    }
}

/// Keeps a generation in memory, from any thread: a pin that may move.
#[derive(Clone)]
pub struct Hold {
    held: Held<Generation>,
    _inner: Arc<Inner>,
}

impl Hold {
    /// The number of the held generation.
    pub fn generation(&self) -> u64 {
        self.held.number
    }

    /// The plugins of the held generation.
    pub fn listing(&self) -> Listing {
        self.held.listing()
    }

    /// Calls a function of the held generation by names.
    ///
    /// # Errors
    /// As [`Swapper::invoke`](crate::Swapper::invoke).
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        invoke_in(&self.held, plugin, function, args)
    }
}

/// Calls a function of a generation that stays alive meanwhile.
pub(super) fn invoke_in(
    generation: &Generation,
    plugin: &str,
    function: &str,
    args: &[Value],
) -> Result<Value, InvokeError> {
    let Some(instance) = generation.plugin_called(plugin) else {
        return Err(CallError::NotLoaded {
            plugin: plugin.to_owned(),
            function: function.to_owned(),
        });
    };
    function::invoke(instance, function, args)
}
