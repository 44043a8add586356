//! A generation: all plugins that are live together, and the targets of the host's handles in it.
pub(crate) mod async_calls;
pub(crate) mod bindings;
mod contents;
pub(crate) mod edges;
mod late;
mod live_items;
mod out_of_service;
pub(crate) mod patched;
mod pinned;
pub(crate) mod watched;

use crate::artifact::{BuildId, Deployed, Note};
use crate::base::name::PluginName;
use crate::base::paths::as_text;
use crate::error::{CallError, InvokeError};
use crate::generation::bindings::{Bindings, HasBindings, Target};
use crate::instance::Instance;
use crate::instance::exports::Patches;
use crate::invoke;
use crate::load::failures::Failures;
use crate::reclaim::gate::Gate;
use crate::reclaim::record::{self, Inside};
use crate::reclaim::slot::CallTarget;
use crate::retirement::Holder;
use crate::vault::{Contents, DataBuild, LiveTable, Lowering};
use async_calls::AsyncCalls;
use hotswap_plugin::Value;
use hotswap_plugin::boundary::InterfaceDesc;
use late::Late;
pub(crate) use out_of_service::OutList;
pub use out_of_service::OutOfService;
use patched::{Found, Patched};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
use watched::Watched;

/// All plugins that are live together.
///
/// A generation never changes: a reload makes another one. A [`Pin`](crate::Pin) and a [`Hold`](crate::Hold) keep a
/// generation in memory, and the [check](crate::Reload::check) of a reload sees two.
pub struct Generation {
    pub(crate) number: u64,
    /// The number of reloads that the host had completed when the generation was made.
    pub(crate) reloads: u64,
    /// The plugins, each after those that it imports.
    pub(crate) plugins: Vec<Arc<Instance>>,
    pub(crate) bindings: Bindings,
    pub(crate) live: Arc<LiveTable>,
    /// The values and objects that plugins and the host have put into it.
    pub(crate) contents: Arc<Contents>,
    /// The calls that have begun in it and whose futures have not ended.
    pub(crate) async_calls: AsyncCalls,
    /// The number of generations that were live before it, including gated copies.
    pub(crate) serial: u64,
    /// In a gated copy, the gate that some of its plugins are behind. See [`gate`](crate::reclaim::gate).
    pub(crate) gate: Option<Arc<Gate>>,
    /// The plugins that are out of service.
    pub(crate) out: Arc<OutList>,
    /// The plugins whose calls are counted and timed.
    pub(crate) watched: Option<Arc<Watched>>,
    /// The functions that patches have changed.
    pub(crate) patched: Arc<Patched>,
    /// Mocks that were made while it was pinned.
    pub(crate) late: Late,
    /// Lowers live data that newer builds have saved.
    pub(crate) lowering: Arc<Lowering>,
}

impl Generation {
    pub(crate) fn new(
        number: u64,
        reloads: u64,
        plugins: Vec<Arc<Instance>>,
        contents: Arc<Contents>,
    ) -> Self {
        Generation {
            number,
            reloads,
            live: Arc::new(LiveTable::of(&plugins)),
            async_calls: AsyncCalls::none(&plugins, |_| Vec::new()),
            plugins,
            bindings: Bindings::default(),
            contents,
            serial: 0,
            gate: None,
            out: Arc::default(),
            watched: None,
            patched: Arc::default(),
            late: Late::default(),
            lowering: Arc::default(),
        }
    }

    /// Copies the generation, with a gate or without.
    pub(crate) fn gated_copy(&self, gate: Option<Arc<Gate>>) -> Self {
        self.copy(gate, self.watched.clone())
    }

    /// Copies the generation without a gate. Calls are watched in the copy, or none are.
    pub(crate) fn watched_copy(&self, watched: Option<Arc<Watched>>) -> Self {
        self.copy(None, watched)
    }

    /// Copies the generation without a gate, and with other patches.
    pub(crate) fn patched_copy(&self, patched: Arc<Patched>) -> Self {
        let mut copy = self.gated_copy(None);
        copy.patch(patched);
        copy
    }

    /// Patches functions, before the generation is live.
    pub(crate) fn patch(&mut self, patched: Arc<Patched>) {
        self.async_calls = AsyncCalls::none(&self.plugins, |plugin| patched.added(plugin));
        self.patched = patched;
        if let Some(watched) = self.watched.take() {
            self.watch(watched);
        }
    }

    fn copy(&self, gate: Option<Arc<Gate>>, watched: Option<Arc<Watched>>) -> Self {
        let mut copy = Generation {
            number: self.number,
            reloads: self.reloads,
            async_calls: AsyncCalls::none(&self.plugins, |plugin| self.patched.added(plugin)),
            plugins: self.plugins.clone(),
            bindings: Bindings::default(),
            live: self.live.clone(),
            contents: self.contents.clone(),
            serial: 0,
            gate,
            out: self.out.clone(),
            watched: None,
            patched: self.patched.clone(),
            late: Late::default(),
            lowering: self.lowering.clone(),
        };
        if let Some(watched) = watched {
            copy.watch(watched);
        }
        copy
    }

    /// Watches calls, before the generation is live.
    pub(crate) fn watch(&mut self, watched: Arc<Watched>) {
        let watches = |plugin: &Instance| watched.covers(plugin.call_target());
        self.async_calls.watch(&self.plugins, watches);
        self.watched = Some(watched);
    }

    /// Counts a call of this target by the calling thread, if such calls are watched.
    pub(crate) fn count(&self, target: CallTarget) {
        let watches = |watched: &Arc<Watched>| {
            watched.covers(target) || (target.is_anything() && watched.is_any())
        };
        if self.watched.as_ref().is_some_and(watches) {
            record::mine().slot().count_watched(target);
        }
    }

    /// Returns what measures a call of this target, if such calls are timed.
    pub(crate) fn times(&self, target: CallTarget) -> Option<Arc<Watched>> {
        let watched = self.watched.as_ref();
        watched.filter(|watched| watched.times(target)).cloned()
    }

    /// Returns the failures of a plugin's code, if calls of the plugin are watched.
    pub(crate) fn watched_failures<'p>(&self, plugin: &'p Instance) -> Option<&'p Arc<Failures>> {
        let watches = self.watches(plugin.call_target());
        watches.then(|| plugin.library().failures())
    }

    /// Notes that the generation is about to be live. Returns the patches that its plugins had before, to be dropped where
    /// closures of the host may be dropped.
    #[must_use]
    pub(crate) fn goes_live(&self) -> Vec<Patches> {
        let is_mocked = self.patched.has_mocks();
        let before = self.plugins.iter().filter_map(|plugin| {
            plugin.goes_live();
            let patched = (!self.patched.is_empty()).then(|| self.patched.clone() as Patches);
            plugin.export_tables().live().set(patched, is_mocked)
        });
        before.collect()
    }

    /// Returns the target that a handle may call without asking the gate. The target was found in this generation.
    pub(crate) fn at_gate(&self, (target, call_target): (Target, CallTarget)) -> Target {
        let gate = self.gate.as_ref();
        let is_out = || self.out.find(call_target).is_some();
        match gate.is_some_and(|gate| gate.covers(call_target)) || is_out() {
            true => Target::NONE,
            false if self.watches(call_target) => target.watched(),
            false => target,
        }
    }

    /// Returns true if calls of this target are watched.
    fn watches(&self, call_target: CallTarget) -> bool {
        let watched = self.watched.as_ref();
        watched.is_some_and(|watched| watched.covers(call_target))
    }

    /// Returns the plugin with this name.
    pub(crate) fn plugin(&self, name: &PluginName) -> Option<&Arc<Instance>> {
        self.plugins.iter().find(|plugin| plugin.name() == name)
    }

    /// Returns the plugin with this name, without an allocation if the name is spelled as the plugin spells it.
    pub(crate) fn plugin_called(&self, name: &str) -> Option<&Arc<Instance>> {
        let exact = self
            .plugins
            .iter()
            .find(|plugin| plugin.name().as_str() == name);
        exact.or_else(|| self.plugin(&name.into()))
    }

    pub(crate) fn names(&self) -> Vec<PluginName> {
        self.plugins
            .iter()
            .map(|plugin| plugin.name().clone())
            .collect()
    }

    /// Returns only the contents.
    pub(crate) fn into_contents(self) -> Arc<Contents> {
        self.contents
    }

    /// The number of the generation. The first one has number 1, and each switch adds one.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The number of completed reloads that had changed something when the generation was made.
    pub fn reloads(&self) -> u64 {
        self.reloads
    }

    /// Calls a function by the names of the plugin and the function.
    ///
    /// # Errors
    /// There is no such plugin or function, the arguments do not fit, the function returned an error, or it panicked.
    pub fn invoke(
        &self,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        let found = self.plugin_called(plugin);
        self.invoke_found(found.map(|plugin| &**plugin), plugin, function, args)
    }

    /// Calls a function of a plugin that was looked up by this name.
    pub(crate) fn invoke_found(
        &self,
        found: Option<&Instance>,
        plugin: &str,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        match found {
            Some(plugin) => {
                self.check_in_service(plugin)?;
                self.call(plugin, function, args)
            }
            None => Err(CallError::NotLoaded {
                plugin: plugin.to_owned(),
                function: function.to_owned(),
            }),
        }
    }

    /// Calls the function with this name in every plugin that has it, each plugin after those that it imports. All of
    /// them are called, even if some fail or panic. Returns the results in the order of the calls.
    ///
    /// A plugin does not have the function if its hand-written `invoke_func` returns
    /// [`UnknownFunction`](hotswap_plugin::UnknownFunction).
    pub fn invoke_each(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        self.invoke_in(self.plugins.iter(), function, args)
    }

    /// Does the same as [`invoke_each`](Self::invoke_each), but calls each plugin before those that it imports.
    pub fn invoke_each_backward(
        &self,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        self.invoke_in(self.plugins.iter().rev(), function, args)
    }

    fn invoke_in<'a>(
        &self,
        plugins: impl Iterator<Item = &'a Arc<Instance>>,
        function: &str,
        args: &[Value],
    ) -> Vec<(PluginName, Result<Value, InvokeError>)> {
        let in_service = |plugin: &&Arc<Instance>| self.check_in_service(plugin).is_ok();
        let call = |plugin: &Arc<Instance>| match self.call(plugin, function, args) {
            Err(CallError::NotLoaded { .. } | CallError::Removed { .. }) => None,
            result => Some((plugin.name().clone(), result)),
        };
        plugins.filter(in_service).filter_map(call).collect()
    }

    /// Calls a function of a plugin, as patches have made it.
    fn call(
        &self,
        plugin: &Instance,
        function: &str,
        args: &[Value],
    ) -> Result<Value, InvokeError> {
        match self.patched_function(plugin, function) {
            None => invoke::invoke(plugin, function, args),
            Some(Found::Function(function, _)) => invoke::invoke_free(plugin, function, args),
            Some(Found::Removed(by)) => Err(CallError::Removed {
                plugin: plugin.name().to_string(),
                function: function.to_owned(),
                by,
            }),
        }
    }

    fn index_of(&self, plugin: &Instance) -> Option<usize> {
        let mut plugins = self.plugins.iter();
        plugins.position(|other| std::ptr::eq(&**other, plugin))
    }

    /// Returns the function of the plugin with this name, if patches have changed it.
    pub(crate) fn patched_function(&self, plugin: &Instance, name: &str) -> Option<Found<'_>> {
        if self.patched.is_empty() {
            return None;
        }
        self.patched.function(self.index_of(plugin)?, plugin, name)
    }

    /// Returns the functions of the plugin's export that is this interface, if patches have changed one of them.
    pub(crate) fn patched_export(
        &self,
        plugin: &Instance,
        interface: &InterfaceDesc,
    ) -> Option<*const ()> {
        if self.patched.is_empty() {
            return None;
        }
        let export = plugin.export_index(interface)?;
        self.patched.export(self.index_of(plugin)?, export)
    }

    /// Returns an error if a plugin is out of service.
    pub(crate) fn check_in_service(&self, plugin: &Instance) -> Result<(), InvokeError> {
        match self.out.find(plugin.call_target()) {
            None => Ok(()),
            Some(out) => Err(CallError::OutOfService {
                plugin: out.plugin.to_string(),
                reason: out.reason.clone(),
                since: out.since,
            }),
        }
    }

    /// Lists the plugins, for people and programs.
    pub fn listing(&self) -> Listing {
        let plugins = self.plugins.iter().map(|plugin| PluginListing {
            name: plugin.name().clone(),
            version: plugin.metadata().version.clone(),
            file: plugin.file().to_owned(),
            build_id: plugin.build_id(),
            loaded_at: plugin.loaded_at(),
            note: plugin.note().cloned(),
            dependencies: plugin
                .imports()
                .iter()
                .map(|import| import.name().clone())
                .collect(),
            users: self.users_of(plugin),
            deployed: plugin.deployed(),
            out_of_service: self.out.find(plugin.call_target()).cloned(),
            patches: self
                .patched
                .stack(plugin.name())
                .map_or(0, |stack| stack.versions.len()),
        });
        Listing {
            generation: self.number,
            reloads: self.reloads,
            plugins: plugins.collect(),
            data_builds: self.lowering.builds(),
        }
    }

    /// Returns true if the instance is part of the generation.
    pub(crate) fn has(&self, instance: &Arc<Instance>) -> bool {
        let mut plugins = self.plugins.iter();
        plugins.any(|plugin| Arc::ptr_eq(plugin, instance))
    }

    /// Returns the instance, and all instances that import it directly or indirectly.
    pub(crate) fn all_users_of<'g>(
        &'g self,
        instance: &'g Arc<Instance>,
    ) -> Vec<&'g Arc<Instance>> {
        self.reaching(|plugin| Arc::ptr_eq(plugin, instance))
    }

    /// Returns the instances of which `which` is true, and all whose calls reach one of them: they import it, directly or
    /// indirectly, or it answers for one of their functions.
    pub(crate) fn reaching(&self, which: impl Fn(&Arc<Instance>) -> bool) -> Vec<&Arc<Instance>> {
        let plugins = || self.plugins.iter().enumerate();
        let mut reaching: Vec<usize> = Vec::new();
        loop {
            let reaches = |(index, plugin): &(usize, &Arc<Instance>)| {
                let imports = |other: &usize| {
                    let mut imports = plugin.imports().iter();
                    imports.any(|import| Arc::ptr_eq(import, &self.plugins[*other]))
                };
                let calls =
                    |other: &usize| imports(other) || self.patched.is_patched_by(*index, *other);
                !reaching.contains(index) && (which(plugin) || reaching.iter().any(calls))
            };
            let Some((next, _)) = plugins().find(reaches) else {
                break;
            };
            reaching.push(next);
        }
        reaching
            .into_iter()
            .map(|index| &self.plugins[index])
            .collect()
    }

    /// Returns the holder to report for a thread that has pinned this generation.
    pub(crate) fn holder_of(&self, inside: Inside) -> Holder {
        let thread = inside.thread.to_string();
        match inside.pinned_at {
            Some(at) => Holder::Pin {
                thread,
                at: at.to_string(),
            },
            None => {
                let call_target = inside.entered.without_nested();
                let mut plugins = self.plugins.iter();
                let plugin = plugins.find(|plugin| plugin.call_target() == call_target);
                Holder::Call {
                    plugin: plugin.map(|plugin| plugin.name().to_string()),
                    thread,
                }
            }
        }
    }

    /// Returns the plugins that import this one.
    pub(crate) fn users_of(&self, plugin: &Arc<Instance>) -> Vec<PluginName> {
        let uses = |user: &&Arc<Instance>| {
            user.imports()
                .iter()
                .any(|import| Arc::ptr_eq(import, plugin))
        };
        self.plugins
            .iter()
            .filter(uses)
            .map(|user| user.name().clone())
            .collect()
    }
}

impl HasBindings for Generation {
    #[inline(always)]
    fn bindings(&self) -> &Bindings {
        &self.bindings
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("plugins", &self.names())
            .finish_non_exhaustive()
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The plugins of a generation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listing {
    /// The number of the generation. The first one has number 1, and each switch adds one.
    pub generation: u64,
    /// The number of completed reloads that had changed something.
    pub reloads: u64,
    /// The plugins, each after those that it imports.
    pub plugins: Vec<PluginListing>,
    /// The builds that are not live any more, and stay loaded for the live data that they have saved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_builds: Vec<DataBuild>,
}

impl Listing {
    /// Returns the plugin with this name.
    pub fn plugin(&self, name: &str) -> Option<&PluginListing> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }
}

/// One plugin of a generation.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PluginListing {
    /// The name of the plugin.
    pub name: PluginName,
    /// The version of its crate.
    pub version: String,
    /// The artifact from which it was loaded. The file may have changed since.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The hash of the artifact's bytes.
    pub build_id: BuildId,
    /// The time at which this instance was loaded.
    pub loaded_at: SystemTime,
    /// The note of `cargo hotswap build` on the sources.
    pub note: Option<Note>,
    /// The plugins that it imports.
    pub dependencies: Vec<PluginName>,
    /// The plugins that import it.
    pub users: Vec<PluginName>,
    /// Set if this build was [deployed](crate::Reload::deploy), and does not come from the plugin directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// Set if it is out of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_service: Option<OutOfService>,
    /// The number of patches that apply to it: see [`Swapper::patches`](crate::Swapper::patches).
    #[serde(skip_serializing_if = "is_zero")]
    pub patches: usize,
}
