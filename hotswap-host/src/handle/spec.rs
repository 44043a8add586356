//! Describes a handle of the host, and looks up its target in a generation.
//!
//! A handle is a number: its place in the table of each generation. The descriptions of the function or interface that
//! the plugin and the host have are compared once when the handle is made, and again for each generation that is
//! staged.
use super::missing::Missing;
use crate::artifact::TypeHash;
use crate::base::name::{PluginName, folded};
use crate::base::nearest::nearest;
use crate::call::signature::Signature;
use crate::error::{CallError, HandleError, InvokeError};
use crate::generation::Generation;
use crate::generation::bindings::{ByName, Exported, Target, Typed, TypedAsync};
use crate::generation::patched::Found;
use crate::instance::Instance;
use crate::instance::made::FunctionOf;
use crate::invoke::failed;
use crate::load::known::call_target;
use crate::patch::stack::MockEntry;
use crate::patch::trace::Tracer;
use crate::patch::{Made, Operation};
use crate::reclaim::slot::CallTarget;
use hotswap_plugin::LiveKind;
use hotswap_plugin::boundary::describe::{function_hash, same_function};
use hotswap_plugin::boundary::mismatch::{self, Party};
use hotswap_plugin::boundary::{
    Interface, InterfaceDesc, InvokeError as Refused, Panicked, ParamDesc, TypeDesc,
};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

/// The description of a handle, independent of the generation.
pub(crate) struct HandleSpec {
    owner: Owner,
    /// The name of the function or the interface.
    pub(crate) item: String,
    kind: Kind,
    /// The serial number of the generation that was live when the handle was made. In the tables of older generations,
    /// the handle's number may belong to another handle, which is gone.
    pub(super) since: u64,
}

/// The description of a handle of the kind `K` that is to be made.
pub(crate) struct NewHandle<K> {
    pub(crate) spec: HandleSpec,
    /// The kind, which the functions below derive from the description.
    pub(crate) kind: PhantomData<K>,
}

/// What a handle wants of a generation.
pub(crate) enum Wanted<'h> {
    /// A function of a plugin: with this hash, or with any where it is called with values.
    Function {
        plugin: &'h PluginName,
        name: &'h str,
        hash: Option<TypeHash>,
    },
    /// An interface of a plugin.
    Interface {
        plugin: &'h PluginName,
        name: &'h str,
        hash: TypeHash,
    },
    /// A live function.
    Live { name: &'h str, hash: TypeHash },
}

/// The owner of the function or interface.
enum Owner {
    /// This plugin.
    Plugin(PluginName),
    /// Any plugin, because it is a live function. The value is the plugin that had it at the last look-up.
    AnyPlugin(Mutex<PluginName>),
}

/// Makes a trace of a function with the type of a handle.
pub(crate) type Traced = fn(&str, Arc<Tracer>) -> Operation;

#[derive(Clone, Copy)]
enum Kind {
    Typed {
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
        traced: Traced,
    },
    Dynamic,
    /// An interface, and its relays.
    Interface(&'static InterfaceDesc, fn() -> *const ()),
}

impl Kind {
    fn same(self, other: Kind) -> bool {
        match (self, other) {
            (Kind::Dynamic, Kind::Dynamic) => true,
            (
                Kind::Typed { params, result, .. },
                Kind::Typed {
                    params: others,
                    result: other,
                    ..
                },
            ) => same_function((params, result), (others, other)),
            (Kind::Interface(desc, _), Kind::Interface(other, _)) => desc.same(other),
            _ => false,
        }
    }
}

impl<K> NewHandle<K> {
    fn new(owner: Owner, item: &str, kind: Kind) -> Self {
        NewHandle {
            spec: HandleSpec {
                owner,
                item: item.to_owned(),
                kind,
                since: 0,
            },
            kind: PhantomData,
        }
    }
}

impl HandleSpec {
    pub(crate) fn typed<A, F: Signature<A>>(plugin: &str, function: &str) -> NewHandle<Typed<F>> {
        let kind = Kind::Typed {
            params: F::PARAMS,
            result: F::RESULT,
            traced: F::traced,
        };
        NewHandle::new(Owner::Plugin(plugin.into()), function, kind)
    }

    pub(crate) fn typed_async<A, F: Signature<A>>(
        plugin: &str,
        function: &str,
    ) -> NewHandle<TypedAsync<F>> {
        let kind = Kind::Typed {
            params: F::PARAMS,
            result: F::LATER,
            traced: F::traced_async,
        };
        NewHandle::new(Owner::Plugin(plugin.into()), function, kind)
    }

    pub(crate) fn dynamic(plugin: &str, function: &str) -> NewHandle<ByName> {
        NewHandle::new(Owner::Plugin(plugin.into()), function, Kind::Dynamic)
    }

    pub(crate) fn interface<I: Interface + ?Sized>(plugin: &str) -> NewHandle<Exported<I>> {
        let owner = Owner::Plugin(plugin.into());
        let relays = || std::ptr::from_ref(I::RELAYS).cast();
        NewHandle::new(
            owner,
            I::DESC.name.as_str(),
            Kind::Interface(I::DESC, relays),
        )
    }

    pub(crate) fn live<A, F: Signature<A>>(function: &str) -> NewHandle<Typed<F>> {
        let kind = Kind::Typed {
            params: F::PARAMS,
            result: F::RESULT,
            traced: F::traced,
        };
        NewHandle::new(Owner::AnyPlugin(Mutex::new("".into())), function, kind)
    }

    /// Returns the same description for a handle that is made while this generation is live.
    pub(crate) fn since(self, generation: &Generation) -> Self {
        HandleSpec {
            since: generation.serial,
            ..self
        }
    }

    /// Returns true if the other handle has the same target.
    pub(crate) fn same(&self, other: &HandleSpec) -> bool {
        let same = match (&self.owner, &other.owner) {
            (Owner::Plugin(one), Owner::Plugin(other)) => one == other,
            (Owner::AnyPlugin(_), Owner::AnyPlugin(_)) => true,
            _ => false,
        };
        same && self.item == other.item && self.kind.same(other.kind)
    }

    /// Returns the plugin that has the function or interface. For a live function, this is the plugin that had it at
    /// the last look-up.
    pub(crate) fn plugin(&self) -> PluginName {
        match &self.owner {
            Owner::Plugin(name) => name.clone(),
            Owner::AnyPlugin(last) => last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Returns what makes a trace of this function of a plugin, if the handle is one of it with its type.
    pub(crate) fn traced(&self, plugin: &PluginName, function: &str) -> Option<Traced> {
        let is_named = match &self.owner {
            Owner::Plugin(_) => self.item == function,
            Owner::AnyPlugin(_) => folded(&self.item) == folded(function),
        };
        match self.kind {
            Kind::Typed { traced, .. } if is_named && self.plugin() == *plugin => Some(traced),
            _ => None,
        }
    }

    /// Binds the handle in this generation, under this number.
    ///
    /// # Errors
    /// The generation has nothing that fits the handle.
    pub(crate) fn bind_in(&self, generation: &Generation, index: usize) -> Result<(), HandleError> {
        let target = match self.removed_in(generation) {
            Some(_) => Target::NONE,
            None => generation.at_gate(self.resolve(generation)?),
        };
        generation.bindings.set(index, target);
        Ok(())
    }

    /// What it wants, whatever the generation.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        let name = self.item.as_str();
        let typed = |params, result| TypeHash::of(function_hash(params, result));
        match (&self.owner, self.kind) {
            (Owner::Plugin(plugin), Kind::Typed { params, result, .. }) => Wanted::Function {
                plugin,
                name,
                hash: Some(typed(params, result)),
            },
            (Owner::Plugin(plugin), Kind::Dynamic) => Wanted::Function {
                plugin,
                name,
                hash: None,
            },
            (Owner::Plugin(plugin), Kind::Interface(desc, _)) => Wanted::Interface {
                plugin,
                name,
                hash: TypeHash::of(desc.hash),
            },
            (Owner::AnyPlugin(_), Kind::Typed { params, result, .. }) => Wanted::Live {
                name,
                hash: typed(params, result),
            },
            (Owner::AnyPlugin(_), _) => unreachable!("handles of live functions are typed"),
        }
    }

    /// Returns the target in this generation, and the plugin that a call of it enters.
    pub(crate) fn resolve(
        &self,
        generation: &Generation,
    ) -> Result<(Target, CallTarget), HandleError> {
        let name = match &self.owner {
            Owner::Plugin(name) => name,
            Owner::AnyPlugin(last) => return self.resolve_live(generation, last),
        };
        let plugin = generation.plugin(name).ok_or_else(|| {
            let known = generation.plugins.iter().map(|p| p.name().as_str());
            HandleError::NoPlugin {
                plugin: name.to_string(),
                nearest_name: nearest(name.as_str(), known).map(str::to_owned),
            }
        })?;
        let function = || self.function_of(generation, plugin);
        let target = match self.kind {
            Kind::Dynamic => Target::by_name(function()?),
            Kind::Typed { params, result, .. } => typed(plugin, function()?, params, result)?,
            Kind::Interface(desc, relays) => {
                let target = self.export_of(plugin, desc)?;
                match generation.patched_export(plugin, desc) {
                    Some(list) => Target::relays(relays(), list),
                    None => target,
                }
            }
        };
        Ok((target, plugin.call_target()))
    }

    /// Returns the target of a live function in this generation.
    fn resolve_live(
        &self,
        generation: &Generation,
        last: &Mutex<PluginName>,
    ) -> Result<(Target, CallTarget), HandleError> {
        let (Some((plugin, function)), Kind::Typed { params, result, .. }) =
            (generation.live_function(&self.item), self.kind)
        else {
            return Err(HandleError::NotLive {
                kind: LiveKind::Function,
                name: self.item.clone(),
                nearest_name: generation.nearest_live(LiveKind::Function, &self.item),
            });
        };
        *last.lock().unwrap_or_else(PoisonError::into_inner) = plugin.name().clone();
        let target = typed(plugin, function, params, result)?;
        Ok((target, plugin.call_target()))
    }

    fn function_of<'g>(
        &self,
        generation: &'g Generation,
        plugin: &'g Instance,
    ) -> Result<FunctionOf<'g>, HandleError> {
        let found = match generation.patched_function(plugin, &self.item) {
            None => plugin.function(&self.item),
            Some(Found::Function(function, _)) => Some(function),
            Some(Found::Removed(_)) => None,
        };
        found.ok_or_else(|| {
            let known = plugin.desc().functions.iter().map(|f| f.name.as_str());
            HandleError::NoFunction {
                plugin: self.plugin().to_string(),
                function: self.item.clone(),
                nearest_name: nearest(&self.item, known).map(str::to_owned),
            }
        })
    }

    /// Returns the mocks of a function in the live generation that another generation does not have, and that fit the
    /// handle.
    pub(crate) fn later_mocks<'l>(
        &self,
        generation: &Generation,
        live: &'l Generation,
    ) -> impl Iterator<Item = &'l Arc<MockEntry>> {
        let plugin = self.plugin();
        let known = generation.patched.stack(&plugin);
        let known: Vec<_> = known
            .into_iter()
            .flat_map(|stack| stack.mocks.clone())
            .collect();
        let fits = |made: &Made| match self.kind {
            Kind::Typed { params, result, .. } => {
                same_function((params, result), (made.params, made.result))
            }
            Kind::Dynamic | Kind::Interface(..) => false,
        };
        let mocks = live
            .patched
            .stack(&plugin)
            .into_iter()
            .flat_map(|stack| &stack.mocks);
        mocks.filter(move |mock| {
            mock.operation.function == self.item
                && mock.operation.made.as_ref().is_some_and(fits)
                && !known.iter().any(|known| Arc::ptr_eq(known, mock))
        })
    }

    /// Returns the number of the patch that has removed the function in this generation.
    fn removed_in(&self, generation: &Generation) -> Option<u64> {
        if generation.patched.is_empty() {
            return None;
        }
        let found = match &self.owner {
            Owner::Plugin(name) => {
                generation.patched_function(generation.plugin(name)?, &self.item)?
            }
            Owner::AnyPlugin(_) => generation.patched_live_function(&self.item)?,
        };
        match (self.kind, found) {
            (Kind::Interface(..), _) | (_, Found::Function(..)) => None,
            (_, Found::Removed(version)) => Some(version),
        }
    }

    /// Returns the export that is this interface.
    fn export_of(&self, plugin: &Instance, desc: &InterfaceDesc) -> Result<Target, HandleError> {
        let Some(export) = plugin.export(desc) else {
            let exports: Vec<_> = plugin.exports().map(str::to_owned).collect();
            let nearest = nearest(&self.item, exports.iter().map(String::as_str));
            return Err(HandleError::NoInterface {
                plugin: self.plugin().to_string(),
                interface: self.item.clone(),
                nearest_name: nearest.map(str::to_owned),
                exports,
            });
        };
        let exporter = Party::Plugin(plugin.name().as_str());
        match mismatch::interface((Party::Host, desc), (exporter, export.interface)) {
            None => Ok(Target::export(plugin, export)),
            Some(message) => Err(HandleError::Interface {
                plugin: self.plugin().to_string(),
                interface: self.item.clone(),
                message,
            }),
        }
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn error_of<E>(&self, missing: Missing) -> CallError<E> {
        missing.error(self.plugin().to_string(), self.item.clone())
    }

    /// Returns the target in this generation, unless the plugin is out of service.
    pub(crate) fn target(&self, generation: &Generation) -> Result<Target, Missing> {
        match self.resolve(generation) {
            Ok((target, call_target)) if generation.out.find(call_target).is_none() => Ok(target),
            _ => Err(self.missing(generation)),
        }
    }

    /// Returns the reason why a handle has no target in this generation.
    pub(crate) fn missing(&self, generation: &Generation) -> Missing {
        if generation.plugins.is_empty() {
            return Missing::NotLoaded;
        }
        if let Some(version) = self.removed_in(generation) {
            return Missing::Removed(version);
        }
        let found = self.resolve(generation).ok();
        match found.and_then(|(_, call_target)| generation.out.find(call_target)) {
            Some(out) => Missing::OutOfService(Box::new(out.clone())),
            None => Missing::Gone,
        }
    }

    /// Counts a call that has returned an error in this generation, if it is watched there.
    #[cold]
    #[inline(never)]
    pub(crate) fn count_error(&self, generation: Option<&Generation>) {
        let watching = generation.filter(|generation| generation.watched.is_some());
        let failures = watching.and_then(|generation| {
            let plugin = generation.plugin(&self.plugin())?;
            generation.watched_failures(plugin)
        });
        if let Some(failures) = failures {
            failures.add_error();
        }
    }

    /// Returns the error of a call by values in this generation. Counts it if the function has returned it.
    #[cold]
    #[inline(never)]
    pub(crate) fn failed(
        &self,
        refused: Result<Refused, Panicked>,
        generation: Option<&Generation>,
    ) -> InvokeError {
        if let Ok(Refused::Returned(_)) = refused {
            self.count_error(generation);
        }
        failed(self.plugin().as_str(), &self.item, refused)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn panicked<E>(&self, panicked: Panicked) -> CallError<E> {
        CallError::Panicked {
            plugin: self.plugin().to_string(),
            function: self.item.clone(),
            message: panicked.text,
        }
    }
}

/// Returns the function if it has this signature.
fn typed(
    plugin: &Instance,
    function: FunctionOf<'_>,
    params: &[ParamDesc],
    result: &TypeDesc,
) -> Result<Target, HandleError> {
    let plugin = plugin.name().as_str();
    match mismatch::function(Party::Host, plugin, params, result, &function) {
        None => Ok(Target::typed(function)),
        Some(message) => Err(HandleError::Signature {
            plugin: plugin.to_owned(),
            function: function.name.as_str().to_owned(),
            message,
        }),
    }
}

impl HandleSpec {
    /// Returns the plugin that a call through the handle enters.
    pub(super) fn call_target(&self) -> CallTarget {
        match &self.owner {
            Owner::Plugin(name) => call_target(name),
            // Any plugin may have the function in the generation that is live by then.
            Owner::AnyPlugin(_) => CallTarget::ANYTHING,
        }
    }
}

impl fmt::Debug for HandleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.plugin(), self.item)
    }
}
