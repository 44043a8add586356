//! The patches of a generation, linked to its instances.
use crate::base::name::PluginName;
use crate::error::PatchError;
use crate::generation::bindings::Target;
use crate::instance::Instance;
use crate::instance::exports::{Intercepted, LiveVersion};
use crate::instance::made::FunctionOf;
use crate::patch::dispatch::Route;
use crate::patch::layers::{Layers, Linked, Place};
use crate::patch::stack::{MockEntry, Stack, Stacks};
use hotswap_plugin::boundary::RawFunction;
use std::sync::Arc;

/// The patches of a generation. Copies of the generation share them.
#[derive(Default)]
pub(crate) struct Patched {
    pub(crate) stacks: Arc<Stacks>,
    functions: Vec<PatchedItem>,
    exports: Vec<PatchedExport>,
    /// The numbers of plugins that are patched by functions of others, each with that of such another one.
    patchers: Vec<(usize, usize)>,
}

/// A function that a patch has changed.
struct PatchedItem {
    /// The number of its plugin.
    plugin: usize,
    linked: Linked,
}

/// An interface of which a method was changed.
struct PatchedExport {
    plugin: usize,
    export: usize,
    /// The functions of its methods, to which the relays lead.
    methods: Box<[RawFunction]>,
    /// Stands for the instance.
    instance: Arc<LiveVersion>,
    /// Leads the calls of plugins that import it here, for as long as the patches exist.
    intercepted: Vec<Intercepted>,
}

/// A method of an instance, as plugins that import the instance call it.
pub(crate) struct Edge {
    /// The exporting plugin.
    pub(super) plugin: PluginName,
    /// The name of the method with that of its interface, as patches name it.
    pub(super) function: &'static str,
    /// Stands for the exporting instance.
    pub(super) instance: Arc<LiveVersion>,
    /// The number of the export.
    pub(super) export: usize,
    /// The number of the method.
    pub(super) method: usize,
    /// The plugin's own function.
    pub(super) own: RawFunction,
}

/// Makes the route of calls of a method.
type Routes = fn(Edge) -> Box<dyn Route>;

/// A function that patches have changed, as a caller finds it.
#[derive(Clone, Copy)]
pub(crate) enum Found<'g> {
    /// The function, and its number among the functions, exports, and added functions of its plugin.
    Function(FunctionOf<'g>, usize),
    /// The number of the version that has removed it.
    Removed(u64),
}

impl Patched {
    /// Links the patches to these instances. Calls of plugins through their imports go by `routes`.
    ///
    /// # Errors
    /// A patch does not fit its plugin.
    pub(super) fn link(
        plugins: &[Arc<Instance>],
        stacks: Arc<Stacks>,
        routes: Routes,
    ) -> Result<Self, PatchError> {
        let mut patched = Patched::default();
        for (index, plugin) in plugins.iter().enumerate() {
            if let Some(stack) = stacks.get(plugin.name()) {
                patched.add(plugins, index, stack, routes)?;
                let calls = |other: &Arc<Instance>| stack.calls(|name| name == other.name());
                let others = plugins.iter().enumerate();
                let others = others.filter(|(_, other)| calls(other));
                patched
                    .patchers
                    .extend(others.map(|(other, _)| (index, other)));
            }
        }
        patched.stacks = stacks;
        Ok(patched)
    }

    fn add(
        &mut self,
        plugins: &[Arc<Instance>],
        index: usize,
        stack: &Stack,
        routes: Routes,
    ) -> Result<(), PatchError> {
        let plugin = &*plugins[index];
        let mut layers = Layers::of(plugins, plugin, stack)?;
        layers.mock(&stack.mocks)?;
        for linked in layers.linked() {
            if let (Place::Method(export, method), Ok(function), Some(top)) =
                (linked.place, &linked.function, &linked.top)
            {
                let tables = plugin.export_tables();
                let intercepted = tables.intercept(export, method, |own| {
                    let edge = Edge {
                        plugin: plugin.name().clone(),
                        function: linked.name,
                        instance: tables.live().clone(),
                        export,
                        method,
                        own,
                    };
                    top.dispatcher(routes(edge))
                });
                let patched = self.export_of(index, plugin, export);
                patched.methods[method] = function.raw();
                patched.intercepted.push(intercepted);
            }
            self.functions.push(PatchedItem {
                plugin: index,
                linked,
            });
        }
        Ok(())
    }

    /// Returns an export, which is patched from now on.
    fn export_of(&mut self, index: usize, plugin: &Instance, export: usize) -> &mut PatchedExport {
        let is_it = |known: &PatchedExport| (known.plugin, known.export) == (index, export);
        let known = self.exports.iter().position(is_it);
        let known = known.unwrap_or_else(|| {
            let methods = plugin.methods_of(&plugin.desc().exports[export]);
            self.exports.push(PatchedExport {
                plugin: index,
                export,
                methods: methods.into(),
                instance: plugin.export_tables().live().clone(),
                intercepted: Vec::new(),
            });
            self.exports.len() - 1
        });
        &mut self.exports[known]
    }

    /// Returns true if a plugin has a mock or a trace.
    pub(crate) fn has_mocks(&self) -> bool {
        self.stacks.values().any(|stack| !stack.mocks.is_empty())
    }

    /// Returns true if a function of the plugin with this number is answered by the one with the other number.
    pub(crate) fn is_patched_by(&self, plugin: usize, other: usize) -> bool {
        self.patchers.contains(&(plugin, other))
    }

    /// Returns true if there are no patches.
    pub(crate) fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    fn find(&self, plugin: usize, is_it: impl Fn(&Linked) -> bool) -> Option<&PatchedItem> {
        let mut functions = self.functions.iter();
        functions.find(|item| item.plugin == plugin && is_it(&item.linked))
    }

    /// Returns the function of `instance`, which is the plugin with this number, as patches have made it. Returns `None`
    /// if none has changed it.
    pub(crate) fn function(
        &self,
        plugin: usize,
        instance: &Instance,
        name: &str,
    ) -> Option<Found<'_>> {
        let found = self.find(plugin, |linked| {
            let called = matches!(linked.place, Place::Function(_) | Place::Added(_));
            called && linked.name == name
        })?;
        Some(found.found(instance))
    }

    /// Returns the live function with this number in the plugin with this number, as patches have made it.
    pub(crate) fn live_function(&self, plugin: usize, item: usize) -> Option<Found<'_>> {
        let found = self.find(plugin, |linked| linked.place == Place::Live(item))?;
        Some(match &found.linked.function {
            Ok(function) => Found::Function(function.function(), item),
            Err(version) => Found::Removed(*version),
        })
    }

    /// Returns the list of functions for the relays of an export, if one of its methods is patched.
    pub(crate) fn export(&self, plugin: usize, export: usize) -> Option<*const ()> {
        let is_it = |known: &&PatchedExport| (known.plugin, known.export) == (plugin, export);
        let found = self.exports.iter().find(is_it)?;
        Some(found.methods.as_ptr().cast())
    }

    /// Returns the function of a method of an instance, which has such an export, if a method of that export is patched.
    pub(crate) fn method(
        &self,
        instance: &Arc<LiveVersion>,
        export: usize,
        method: usize,
    ) -> Option<RawFunction> {
        let is_it = |known: &&PatchedExport| {
            known.export == export && Arc::ptr_eq(&known.instance, instance)
        };
        let found = self.exports.iter().find(is_it)?;
        Some(found.methods[method])
    }

    /// Returns the mocks of a function of a plugin.
    pub(crate) fn mocks_of<'p>(
        &'p self,
        plugin: &PluginName,
        function: &str,
    ) -> impl Iterator<Item = &'p Arc<MockEntry>> {
        let mocks = self.stack(plugin).into_iter();
        let mocks = mocks.flat_map(|stack| &stack.mocks);
        mocks.filter(move |mock| mock.operation.function == function)
    }

    /// Returns the number of the plugin that a patched target belongs to, and its number among the functions, exports, and
    /// added functions of that plugin.
    pub(crate) fn place_of(
        &self,
        plugins: &[Arc<Instance>],
        target: Target,
    ) -> Option<(usize, usize)> {
        let mut exports = self.exports.iter();
        let export = exports.find(|export| target.leads_to(export.methods.as_ptr().cast()));
        if let Some(export) = export {
            let functions = plugins[export.plugin].desc().functions.len();
            return Some((export.plugin, functions + export.export));
        }
        self.functions.iter().find_map(|item| {
            let function = item.linked.function.as_ref().ok()?;
            let is_it = function.is_behind(|this| target.leads_to(this));
            is_it.then_some(())?;
            Some((item.plugin, item.number(&plugins[item.plugin])))
        })
    }

    /// Returns the names of the functions that patches have added to the plugin with this number.
    pub(crate) fn added(&self, plugin: usize) -> Vec<String> {
        let of_plugin = self.functions.iter().filter(|item| item.plugin == plugin);
        let added = of_plugin.filter(|item| matches!(item.linked.place, Place::Added(_)));
        added.map(|item| item.linked.name.to_owned()).collect()
    }

    /// Returns the patches of a plugin.
    pub(crate) fn stack(&self, plugin: &PluginName) -> Option<&Stack> {
        self.stacks.get(plugin)
    }
}

impl PatchedItem {
    fn number(&self, instance: &Instance) -> usize {
        let desc = instance.desc();
        match self.linked.place {
            Place::Function(index) | Place::Live(index) => index,
            Place::Method(export, _) => desc.functions.len() + export,
            Place::Added(index) => desc.functions.len() + desc.exports.len() + index,
        }
    }

    fn found(&self, instance: &Instance) -> Found<'_> {
        match &self.linked.function {
            Ok(function) => Found::Function(function.function(), self.number(instance)),
            Err(version) => Found::Removed(*version),
        }
    }
}
