//! The calls of plugins through their imports, where patches have changed what is imported.
//!
//! A call through an import reads the entry of a table that the host lends: see [`exports`](crate::instance::exports).
//! While patches of the method exist, the entry leads to a dispatcher, which asks the [`Edge`] here for the function.
//!
//! # Which version answers
//! - **A thread that has pinned a generation with the exporting instance** gets the version of that generation: the thread
//!   is inside a call of the host, which has pinned it, or has a [`Pin`](crate::Pin) itself. So a call of the host, and
//!   all calls through imports below it, meet one version, whatever is patched meanwhile. If the thread has several pins of
//!   generations with the instance, the newest one counts.
//! - **Any other thread** gets the live version: a thread of a plugin, and an `async fn` that goes on after it has waited.
//!   If the exporting instance is not live any more, the version is the last one that was.
//! - **A mock is no version**: one that was made after the pinned generation is put in front of its function.
//!
//! # Why the function is not freed meanwhile
//! The links of a generation are freed with it. In the first case, the dispatcher pins the generation once more for the
//! call, so it is kept even if the closure ends the outer pin. In the second case, the call has a reference to the patches
//! of that generation. They own the links, and the closures behind them. The plugin's own function, at the end of the
//! links, is kept by the importing plugin, whose code is the caller: with or without patches.
//!
//! An async call is only begun here. Its future owns its closure, or is the plugin's own, and refers to no link.
//!
//! No lock is held while a function runs.
use super::Generation;
use super::bindings::Target;
use super::patched::{Edge, Patched};
use super::pinned::pinned_here;
use crate::error::PatchError;
use crate::instance::Instance;
use crate::patch::dispatch::Route;
use crate::patch::stack::Stacks;
use crate::telemetry::contain;
use hotswap_plugin::boundary::{RawFunction, Status};
use std::sync::Arc;

/// Links patches to these instances.
///
/// # Errors
/// A patch does not fit its plugin.
pub(crate) fn link(plugins: &[Arc<Instance>], stacks: Arc<Stacks>) -> Result<Patched, PatchError> {
    Patched::link(plugins, stacks, |edge| Box::new(edge))
}

impl Route for Edge {
    fn route(&self, call: &mut dyn FnMut(RawFunction) -> Status) -> Status {
        if let Some(pinned) = pinned_here(|generation| self.is_in(generation)) {
            let function = self.patched_in(&pinned.patched).unwrap_or(self.own);
            return call(match self.instance.is_mocked() {
                true => self.with_later_mocks(&pinned, function),
                false => function,
            });
        }
        let live = self.instance.get::<Patched>();
        let function = live.as_deref().and_then(|live| self.patched_in(live));
        let status = call(function.unwrap_or(self.own));
        // The last reference drops closures of the host, which may panic.
        contain((), || drop(live));
        status
    }
}

impl Edge {
    fn is_in(&self, generation: &Generation) -> bool {
        let mut plugins = generation.plugins.iter();
        plugins.any(|plugin| Arc::ptr_eq(plugin.export_tables().live(), &self.instance))
    }

    fn patched_in(&self, patched: &Patched) -> Option<RawFunction> {
        patched.method(&self.instance, self.export, self.method)
    }

    /// Puts mocks in front of a function that the pinned generation does not have.
    fn with_later_mocks(&self, pinned: &Generation, function: RawFunction) -> RawFunction {
        let Some(live) = self.instance.get::<Patched>() else {
            return function;
        };
        if std::ptr::eq(&*live, &*pinned.patched) {
            return function;
        }
        let is_known = |mock: &&Arc<_>| {
            let mut known = pinned.patched.mocks_of(&self.plugin, self.function);
            known.any(|known| Arc::ptr_eq(known, mock))
        };
        let mocks = live.mocks_of(&self.plugin, self.function);
        let mocks = mocks.filter(|mock| !is_known(mock));
        let function = Target::of(function);
        mocks
            .fold(function, |function, mock| pinned.late.mock(function, mock))
            .raw()
    }
}
