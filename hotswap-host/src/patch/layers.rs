//! The functions that the versions of a plugin make of those of an instance.
use super::by_name::ByName;
use super::function::{Above, Own, PatchedFunction};
use super::link::{Layer, Shape};
use super::stack::{MockEntry, Stack, Version};
use super::trace::Tracer;
use super::{FunctionName, Operation, What};
use crate::base::interned::interned;
use crate::base::name::folded;
use crate::base::nearest::nearest;
use crate::error::{HandleError, PatchError};
use crate::instance::Instance;
use crate::instance::made::FunctionOf;
use hotswap_plugin::boundary::describe::same_function;
use hotswap_plugin::boundary::{FunctionDesc, RawFunction, mismatch};
use hotswap_plugin::contract::LiveCode;
use std::sync::Arc;

/// The place of a function in its plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// A function with this number.
    Function(usize),
    /// The live item with this number.
    Live(usize),
    /// A method: the number of the export, and its own.
    Method(usize, usize),
    /// A function that the patches have added. The plugin has none of this number.
    Added(usize),
}

/// A function of an instance, as the versions so far have made it.
struct State<'p> {
    place: Place,
    shape: Shape,
    /// The plugin's own function.
    own: Option<Own>,
    layers: Vec<(Above<'p>, What)>,
    /// The traces of its calls by name.
    tracers: Vec<Arc<Tracer>>,
    /// The version that has removed it.
    removed: Option<u64>,
}

/// The functions of an instance, as the versions so far have made them. Functions that none has touched are not listed.
pub(crate) struct Layers<'p> {
    /// All plugins of the generation.
    plugins: &'p [Arc<Instance>],
    plugin: &'p Instance,
    states: Vec<State<'p>>,
    added: usize,
}

impl<'p> Layers<'p> {
    /// Returns the functions as the plugin was built.
    pub(crate) fn none(plugins: &'p [Arc<Instance>], plugin: &'p Instance) -> Self {
        Layers {
            plugins,
            plugin,
            states: Vec::new(),
            added: 0,
        }
    }

    /// Returns the functions with these versions, which have been applied to this instance before.
    pub(crate) fn of(
        plugins: &'p [Arc<Instance>],
        plugin: &'p Instance,
        stack: &Stack,
    ) -> Result<Self, PatchError> {
        let mut layers = Layers::none(plugins, plugin);
        for version in &stack.versions {
            layers.apply(version)?;
        }
        Ok(layers)
    }

    /// Applies a version on top.
    ///
    /// # Errors
    /// An operation does not fit the plugin. Then the layers are not used any more.
    pub(crate) fn apply(&mut self, version: &Version) -> Result<(), PatchError> {
        let mut operations = version.operations.iter();
        operations.try_for_each(|operation| self.operate(operation, version.number))
    }

    /// Puts mocks and traces in front of their functions.
    ///
    /// # Errors
    /// A function does not exist, or has another signature.
    pub(crate) fn mock(&mut self, mocks: &[Arc<MockEntry>]) -> Result<(), PatchError> {
        // Traces come on top, and tell what callers get.
        let (traces, mocks): (Vec<_>, Vec<_>) = mocks.iter().partition(|mock| mock.is_trace());
        let mut all = mocks.into_iter().chain(traces);
        all.try_for_each(|mock| self.operate(&mock.operation, 0))
    }

    fn operate(&mut self, operation: &Operation, version: u64) -> Result<(), PatchError> {
        let index = match self.find(&operation.function) {
            Some(index) => index,
            None if operation.what == What::AddFunction => self.add(operation),
            None => return Err(self.no_function(&operation.function)),
        };
        let by = operation.by.as_ref().map(|by| self.other(by)).transpose()?;
        let plugin = self.plugin.name().to_string();
        let function = operation.function.clone();
        let state = &mut self.states[index];
        if let (Some(_), Place::Method(..)) = (&by, state.place) {
            return Err(PatchError::MethodByPlugin { plugin, function });
        }
        let made = operation.made.as_ref();
        let made = made.map(|made| (made.params, made.result));
        let other = by.map(|by| (by.params.as_slice(), by.result));
        if let Some(need) = made.or(other) {
            let have = (state.shape.params, state.shape.result);
            if !same_function(need, have) {
                let message = mismatch::patch(&plugin, &function, need, have);
                return Err(PatchError::Function(HandleError::Signature {
                    plugin,
                    function,
                    message: message.unwrap_or_default(),
                }));
            }
        }
        match (operation.what, state.removed) {
            (What::AddFunction, None) if state.own.is_some() || !state.layers.is_empty() => {
                return Err(PatchError::Exists { plugin, function });
            }
            (What::AddFunction, _) => {
                state.removed = None;
                state.layers.clear();
            }
            (_, Some(by)) => {
                return Err(PatchError::Removed {
                    plugin,
                    function,
                    by,
                });
            }
            (What::RemoveFunction, None) => {
                if let Place::Method(..) = state.place {
                    return Err(PatchError::Method { plugin, function });
                }
                state.removed = Some(version);
            }
            _ => {}
        }
        if let Some(tracer) = &operation.by_name {
            if let Place::Method(..) = state.place {
                return Err(PatchError::Untyped { plugin, function });
            }
            state.tracers.push(tracer.clone());
        }
        let layer = match (&operation.made, by) {
            (Some(made), _) => Above::Layer(made.layer.clone()),
            (None, Some(function)) => Above::Function(function),
            (None, None) => return Ok(()),
        };
        let layer = (layer, operation.what);
        match operation.what {
            What::AddClause(index) => {
                let clauses = state.layers.iter().rev();
                let clauses = clauses.take_while(|(_, what)| matches!(what, What::AddClause(_)));
                let clauses = clauses.count();
                if index > clauses {
                    return Err(PatchError::Clause {
                        plugin,
                        function,
                        index,
                        clauses,
                    });
                }
                // The clause that is asked first is the topmost layer.
                state.layers.insert(state.layers.len() - index, layer);
            }
            _ => state.layers.push(layer),
        }
        Ok(())
    }

    /// Returns a function of another plugin.
    fn other(&self, by: &FunctionName) -> Result<FunctionOf<'p>, PatchError> {
        let mut plugins = self.plugins.iter();
        let Some(plugin) = plugins.find(|plugin| *plugin.name() == by.plugin) else {
            return Err(PatchError::Function(HandleError::NoPlugin {
                plugin: by.plugin.to_string(),
                nearest_name: {
                    let known = self.plugins.iter().map(|plugin| plugin.name().as_str());
                    nearest(by.plugin.as_str(), known).map(str::to_owned)
                },
            }));
        };
        plugin.function(&by.function).ok_or_else(|| {
            let known = plugin.desc().functions.iter().map(|f| f.name.as_str());
            PatchError::Function(HandleError::NoFunction {
                plugin: by.plugin.to_string(),
                function: by.function.clone(),
                nearest_name: nearest(&by.function, known).map(str::to_owned),
            })
        })
    }

    /// Returns the number of the state of this function, if there is such a function.
    fn find(&mut self, name: &str) -> Option<usize> {
        let mut states = self.states.iter();
        let Some((place, shape, own)) = place_of(self.plugin, name) else {
            return states.position(|state| state.shape.name == name);
        };
        if let Some(index) = states.position(|state| state.place == place) {
            return Some(index);
        }
        self.states.push(State {
            place,
            shape,
            own: Some(own),
            layers: Vec::new(),
            tracers: Vec::new(),
            removed: None,
        });
        Some(self.states.len() - 1)
    }

    fn add(&mut self, operation: &Operation) -> usize {
        let made = operation.made.as_ref();
        let made = made.expect("a function is added with its code");
        self.states.push(State {
            place: Place::Added(self.added),
            shape: Shape {
                name: interned(&operation.function),
                params: made.params,
                result: made.result,
            },
            own: None,
            layers: Vec::new(),
            tracers: Vec::new(),
            removed: None,
        });
        self.added += 1;
        self.states.len() - 1
    }

    fn no_function(&self, name: &str) -> PatchError {
        let plugin = self.plugin.name().to_string();
        let own = names(self.plugin);
        let added = self.states.iter().map(|state| state.shape.name.to_owned());
        let known: Vec<_> = own.into_iter().chain(added).collect();
        let nearest_name = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        if nearest_name.is_none() && name.contains("::") {
            return PatchError::NotOfPlugin {
                plugin,
                function: name.to_owned(),
            };
        }
        PatchError::Function(HandleError::NoFunction {
            plugin,
            function: name.to_owned(),
            nearest_name,
        })
    }

    /// Links the layers of each function.
    pub(crate) fn linked(self) -> Vec<Linked> {
        let states = self.states.into_iter().map(|state| Linked {
            top: state.layers.last().and_then(|(layer, _)| match layer {
                Above::Layer(layer) => Some(layer.clone()),
                Above::Function(_) => None,
            }),
            function: match state.removed {
                Some(version) => Err(version),
                None => {
                    let layers = state.layers.iter().map(|(layer, _)| layer.clone());
                    let tracers = &state.tracers;
                    match PatchedFunction::link(&state.shape, state.own, layers, tracers) {
                        Some(function) => Ok(function),
                        None => unreachable!("each operation adds a layer or removes the function"),
                    }
                }
            },
            place: state.place,
            name: state.shape.name,
        });
        states.collect()
    }
}

/// A function that patches have changed.
pub(crate) struct Linked {
    pub(crate) place: Place,
    pub(crate) name: &'static str,
    /// The topmost layer, if it is a closure.
    pub(crate) top: Option<Arc<dyn Layer>>,
    /// The function, or the number of the version that has removed it.
    pub(crate) function: Result<PatchedFunction, u64>,
}

/// Returns the place of a function in the plugin, its signature, and itself.
fn place_of(plugin: &Instance, name: &str) -> Option<(Place, Shape, Own)> {
    let shape = |desc: &FunctionDesc| Shape {
        name: desc.name.as_str(),
        params: desc.params.as_slice(),
        result: desc.result,
    };
    let own = |desc: &FunctionDesc, this| Own {
        raw: RawFunction {
            call: desc.typed,
            this,
        },
        by_name: Some(ByName::of(desc, this)),
    };
    let mut functions = plugin.functions().enumerate();
    if let Some((index, found)) = functions.find(|(_, found)| found.name.as_str() == name) {
        let place = Place::Function(index);
        return Some((place, shape(&found), own(&found, found.this())));
    }
    let mut live = plugin.live().iter().enumerate();
    let live = live.find_map(|(index, item)| match item.code {
        LiveCode::Function(desc) if folded(item.name.as_str()) == folded(name) => {
            Some((index, desc))
        }
        _ => None,
    });
    if let Some((index, desc)) = live {
        // Live functions ignore `this`.
        let own = own(desc, std::ptr::null());
        let name = plugin.live()[index].name.as_str();
        let shape = Shape {
            name,
            ..shape(desc)
        };
        return Some((Place::Live(index), shape, own));
    }
    let (interface, method) = name.rsplit_once("::")?;
    let mut exports = plugin.desc().exports.iter().enumerate();
    let (index, export) = exports.find(|(_, e)| e.interface.name.as_str() == interface)?;
    let mut methods = export.interface.methods.iter().enumerate();
    let (number, found) = methods.find(|(_, found)| found.name.as_str() == method)?;
    let shape = Shape {
        name: interned(name),
        params: found.params.as_slice(),
        result: found.result,
    };
    let own = Own::typed(plugin.methods_of(export)[number]);
    Some((Place::Method(index, number), shape, own))
}

/// The names of all functions of the plugin that can be patched.
fn names(plugin: &Instance) -> Vec<String> {
    let functions = plugin
        .functions()
        .map(|found| found.name.as_str().to_owned());
    let mut names: Vec<_> = functions.collect();
    let live = plugin.live().iter();
    let live = live.filter(|item| matches!(item.code, LiveCode::Function(_)));
    names.extend(live.map(|item| item.name.as_str().to_owned()));
    for export in plugin.desc().exports {
        let interface = export.interface;
        let methods = interface.methods.iter();
        names.extend(methods.map(|method| format!("{}::{}", interface.name, method.name)));
    }
    names
}
