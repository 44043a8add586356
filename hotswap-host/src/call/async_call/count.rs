//! Counts the async calls of a generation that have not ended.
//!
//! # Why a generation is not freed while one of its calls has not ended
//! The call is counted here under a pin of the generation, before the pin ends. The retiring side waits until no slot
//! and no hold has the generation, and looks here afterwards. By then, every call that began under one of them is
//! counted, and no other call can begin. The count goes down after the plugin's future was dropped, with `Release`, and
//! the thread that finds zero reads with `Acquire`. A closed gate looks in the same order.
use crate::error::CallError;
use crate::generation::Generation;
use crate::generation::async_calls::PluginCalls;
use crate::generation::bindings::Target;
use crate::instance::Instance;
use crate::instance::begun::Keeps;
use crate::reclaim::gate::Pass;
use crate::reclaim::pin::Pinned;
use crate::reclaim::record;
use crate::reclaim::slot::{Address, CallTarget};
use hotswap_plugin::boundary::{CountErrors, Panicked};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};

/// The target of a call: a plugin of the generation, and one of its functions or exports.
#[derive(Clone, Copy)]
pub(super) struct Place {
    plugin: u32,
    item: u32,
}

impl Place {
    /// Returns the place of a function, by the number of the plugin and its own.
    pub(super) fn function(plugin: usize, function: usize) -> Self {
        Place {
            plugin: plugin as u32,
            item: function as u32,
        }
    }

    /// Returns true if this is the place of a handle's target.
    #[inline]
    fn is(self, generation: &Generation, target: Target) -> bool {
        let plugin = generation.plugins.get(self.plugin as usize);
        plugin.and_then(|plugin| item(plugin, self.item as usize)) == Some(target)
    }
}

/// Returns the target of the function or export with this number.
#[inline]
fn item(plugin: &Instance, index: usize) -> Option<Target> {
    let (functions, exports) = (&plugin.desc().functions, &plugin.desc().exports);
    match index.checked_sub(functions.len()) {
        None => plugin.function_at(index).map(Target::typed),
        Some(export) => {
            let export = exports.get(export)?;
            Some(Target::export(plugin, export))
        }
    }
}

/// The place where a handle last found its target. Most often it is there again.
#[derive(Default)]
pub(super) struct LastPlace(AtomicU64);

impl LastPlace {
    /// Returns the place of a handle's target in the generation.
    #[inline]
    pub(super) fn find(&self, generation: &Generation, target: Target) -> Option<Place> {
        let last = self.0.load(Relaxed);
        let last = Place {
            plugin: (last >> 32) as u32,
            item: last as u32,
        };
        if last.is(generation, target) {
            return Some(last);
        }
        self.search(generation, target)
    }

    #[cold]
    fn search(&self, generation: &Generation, target: Target) -> Option<Place> {
        let patched = &generation.patched;
        if let Some((plugin, item)) = patched.place_of(&generation.plugins, target) {
            return Some(Place::function(plugin, item));
        }
        let found = generation
            .plugins
            .iter()
            .enumerate()
            .find_map(|(p, plugin)| {
                let items = plugin.desc().functions.len() + plugin.desc().exports.len();
                let mut places = (0..items).map(|item| Place::function(p, item));
                places.find(|place| place.is(generation, target))
            })?;
        let packed = (u64::from(found.plugin) << 32) | u64::from(found.item);
        self.0.store(packed, Relaxed);
        Some(found)
    }
}

/// An async call that has begun and has not ended. It keeps the generation in which it began, with everything that
/// belongs to its plugins.
pub(crate) struct Running {
    /// A count of the generation.
    count: &'static AtomicUsize,
    /// The calls of the plugin, which it belongs to.
    calls: &'static PluginCalls,
    /// The number of the function or export.
    item: u32,
    /// The address of the generation, as hazard slots hold it.
    at: Address,
    call_target: CallTarget,
    /// The pass with which a closed gate let it in.
    _pass: Option<Pass>,
}

impl Running {
    /// Begins a call.
    #[inline]
    pub(super) fn begin(pinned: &Pinned<'_, Generation>, place: Place) -> Self {
        let call_target = pinned.plugins[place.plugin as usize].call_target();
        let calls = pinned.async_calls.of(place.plugin as usize);
        let count = calls.count(place.item as usize);
        // The pin exists before the count, and ends after it.
        count.fetch_add(1, Relaxed);
        let gate = pinned.gate.as_ref();
        let gate = gate.filter(|gate| gate.is_closed() && gate.covers(call_target));
        Running {
            count,
            calls,
            item: place.item,
            at: pinned.address(),
            call_target,
            _pass: gate.map(|gate| gate.pass()),
        }
    }

    /// Counts the call as one that has returned an error, if it is watched.
    #[cold]
    #[inline(never)]
    pub(super) fn count_error(&self) {
        self.calls.count_error();
    }

    /// Returns the error of the call if it has panicked.
    #[cold]
    pub(super) fn panicked<E>(&self, panicked: Panicked) -> CallError<E> {
        let (plugin, function) = self.names();
        CallError::Panicked {
            plugin,
            function,
            message: panicked.text,
        }
    }

    /// Returns the names of the plugin and of the function or export.
    fn names(&self) -> (String, String) {
        let names = self.calls.names(self.item as usize);
        names.expect("the generation of a call that has not ended is there")
    }

    /// The count of calls that have returned errors.
    pub(super) fn errors(&self) -> &'static dyn CountErrors {
        self.calls
    }
}

impl Keeps for Running {
    /// Runs code of the call. The thread counts as being in its plugin meanwhile.
    #[inline]
    fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        record::mine().within(self.at, self.call_target, run)
    }
}

/// Writes the names of the plugin and of the function or export, as for a handle.
impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plugin, function) = self.names();
        write!(f, "{plugin}.{function}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Release);
    }
}
