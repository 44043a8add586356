//! What a rollback window keeps.
use super::{RollbackWindow, Shared};
use crate::generation::Generation;
use crate::instance::Instance;
use crate::reclaim::pin::Retired;
use crate::swapper::cause::Cause;
use crate::vault::Contents;
use std::sync::Arc;

/// An open rollback window.
pub(in crate::swapper) struct Window {
    pub(in crate::swapper) shared: Arc<Shared>,
    /// The permanent generation.
    pub(in crate::swapper) kept: Kept,
    /// The attempt that has opened the window, with its cause.
    pub(super) attempt: u64,
    pub(super) cause: Cause,
}

/// A generation that is not live, and can become live again. There is one of each, so that the last owner of its contents
/// is whoever releases it: the drop of an object in a slot runs code of its plugin.
pub(in crate::swapper) struct Kept {
    pub(in crate::swapper) number: u64,
    pub(in crate::swapper) plugins: Vec<Arc<Instance>>,
    pub(in crate::swapper) contents: Arc<Contents>,
}

impl Window {
    /// Returns the handle by which callers wait.
    pub(in crate::swapper) fn handle(&self) -> RollbackWindow {
        RollbackWindow(self.shared.clone())
    }
}

impl Kept {
    pub(super) fn of(generation: &Generation) -> Self {
        Kept {
            number: generation.number,
            plugins: generation.plugins.clone(),
            contents: generation.contents.clone(),
        }
    }

    /// Takes the generation out of its window.
    pub(in crate::swapper) fn take(&mut self) -> Self {
        let nothing = Kept {
            number: self.number,
            plugins: Vec::new(),
            contents: Arc::default(),
        };
        std::mem::replace(self, nothing)
    }

    pub(super) fn has(&self, instance: &Arc<Instance>) -> bool {
        is_among(instance, &self.plugins)
    }
}

/// A generation that was just replaced, and whose instances have not been stopped.
#[must_use = "its instances are stopped and retired, or kept"]
pub(in crate::swapper) struct Replaced {
    pub(in crate::swapper) old: Retired<Generation>,
    /// The instances that the hand-over has stopped.
    pub(in crate::swapper) stopped: Vec<Arc<Instance>>,
}

pub(in crate::swapper) fn is_among(plugin: &Arc<Instance>, plugins: &[Arc<Instance>]) -> bool {
    plugins.iter().any(|other| Arc::ptr_eq(other, plugin))
}
