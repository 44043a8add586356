//! Closes and opens a swapper's gate, and lets calls by name enter.
use super::closing::Closing;
use super::handles::rebind;
use super::inner::Inner;
use super::window::Replaced;
use crate::error::{CallError, InvokeError};
use crate::generation::Generation;
use crate::hook_thread::HookThread;
use crate::instance::Instance;
use crate::load::library::Library;
use crate::reclaim::gate::Gate;
use crate::reclaim::pin::{Holding, Pinned};
use crate::reclaim::slot::CallTarget;
use hotswap_plugin::Value;
use std::sync::Arc;
use std::time::Duration;

impl Inner {
    /// Pins the live generation to call the plugin that `which` finds there. Waits while the plugin is behind a closed
    /// gate.
    pub(crate) fn enter_plugin(
        &self,
        which: impl Fn(&Generation) -> Option<&Instance>,
    ) -> Pinned<'_, Generation> {
        self.enter(|live| which(live).map_or(CallTarget::NOTHING, |plugin| plugin.call_target()))
    }

    /// Calls the plugin that `which` finds in the live generation, by the name of what is called. Waits while the plugin
    /// is behind a closed gate.
    ///
    /// # Errors
    /// Returns the error of the call.
    pub(super) fn call_by_name(
        &self,
        which: impl Fn(&Generation) -> Option<&Instance>,
        call: impl FnOnce(&Generation) -> Result<Value, InvokeError>,
    ) -> Result<Value, InvokeError> {
        let pinned = self.enter_plugin(&which);
        let result = call(&pinned);
        if pinned.watched.is_some() {
            watch_by_name(&pinned, which(&pinned), &result);
        }
        result
    }

    /// Does the same as [`enter_plugin`](Self::enter_plugin) without waiting.
    ///
    /// # Errors
    /// The plugin is behind this gate.
    pub(crate) fn enter_plugin_or_gate(
        &self,
        which: impl Fn(&Generation) -> Option<&Instance>,
    ) -> Result<Pinned<'_, Generation>, Arc<Gate>> {
        self.enter_or_gate(|live| {
            which(live).map_or(CallTarget::NOTHING, |plugin| plugin.call_target())
        })
    }

    fn enter(&self, which: impl Fn(&Generation) -> CallTarget) -> Pinned<'_, Generation> {
        loop {
            match self.enter_or_gate(&which) {
                Ok(pinned) => return pinned,
                Err(gate) => gate.wait(),
            }
        }
    }

    fn enter_or_gate(
        &self,
        which: impl Fn(&Generation) -> CallTarget,
    ) -> Result<Pinned<'_, Generation>, Arc<Gate>> {
        let pinned = self.live.enter(CallTarget::ANYTHING);
        let entering = which(&pinned);
        match &pinned.gate {
            Some(gate) if gate.stops(entering) => return Err(gate.clone()),
            _ => pinned.narrow(entering),
        }
        Ok(pinned)
    }

    /// Pins the live generation to call anything in it. Waits while a gate is closed.
    pub(crate) fn enter_anything(&self) -> Pinned<'_, Generation> {
        self.enter(|_| CallTarget::ANYTHING)
    }

    /// Pins the live generation to call its live function with this name. Waits while that is behind a closed gate.
    pub(crate) fn enter_live_function(&self, name: &str) -> Pinned<'_, Generation> {
        self.enter_plugin(|live| with_live_function(live, name))
    }

    /// Pins the live generation to call the handler of its live type with this name. Waits while that is behind a
    /// closed gate.
    pub(crate) fn enter_live_type(&self, name: &str) -> Pinned<'_, Generation> {
        self.enter_plugin(|live| with_live_type(live, name))
    }

    /// Closes a gate in front of the plugins whose state is handed over to `next`, and of those that reach them.
    pub(super) fn close_gate(
        &self,
        live: &Holding<Generation>,
        handed: &[Arc<Instance>],
        next: Vec<Arc<Library>>,
        limit: Duration,
    ) -> Closing {
        let leaving = self.retirer.leaving();
        Closing::begin(live, leaving, handed, next, limit, |gate| {
            let gated_copy = live.gated_copy(Some(gate));
            let handles = self.handles();
            rebind(&handles, &gated_copy);
            let old = self.make_live(gated_copy, handles);
            self.retirer.generation(old, Vec::new())
        })
    }

    /// Opens a gate behind which nothing has changed. Returns how long it was closed.
    pub(super) fn open_unchanged(&self, closing: Closing, hooks: &mut HookThread) -> Duration {
        let again = self.live.pin_quietly().gated_copy(None);
        let handles = self.handles();
        rebind(&handles, &again);
        let gated_copy = self.make_live(again, handles);
        let closed_for = closing.open();
        self.retire(Replaced::whole(gated_copy), None, hooks);
        closed_for
    }
}

/// Returns the plugin with the live function of this name.
pub(super) fn with_live_function<'g>(live: &'g Generation, name: &str) -> Option<&'g Instance> {
    Some(live.live_function(name)?.0)
}

/// Returns the plugin with the live type of this name.
pub(super) fn with_live_type<'g>(live: &'g Generation, name: &str) -> Option<&'g Instance> {
    Some(live.type_named(name)?.instance())
}

/// Counts a call by name, and its error, if calls of this plugin are watched. A call is not timed.
pub(crate) fn watch_by_name(
    pinned: &Pinned<'_, Generation>,
    plugin: Option<&Instance>,
    result: &Result<Value, InvokeError>,
) {
    let found = plugin.and_then(|plugin| Some((plugin, pinned.watched_failures(plugin)?)));
    let Some((plugin, failures)) = found else {
        return;
    };
    pinned.count(plugin.call_target());
    if let Err(CallError::Returned(_)) = result {
        failures.add_error();
    }
}
