//! The entry points of a plugin's library, made for the author's type. The expansion of `#[plugin]` refers to them.
//!
//! By the contract of each function, everything that the host passes to it is valid until it returns, and `this` is an
//! instance that `construct` has made and `destroy` has not dropped.
#![allow(unsafe_code, reason = "it receives the calls of the host")]
use crate::boundary::object::LentObject;
use crate::boundary::shared::Described;
use crate::boundary::{
    Arena, Bindings, ExportDesc, ExtensionDesc, FunctionDesc, Import, ImportDesc, RawObject,
    Shared, Sink, SliceView, Status, StrView, ValueView, dynamic, guard, receive,
};
use crate::contract::entry::{DescRef, PluginDesc};
use crate::contract::host_table::{RawArgs, RawOut};
use crate::contract::live::{self, LiveList};
use crate::contract::shim::Token;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::contract::vault::{ExtensionRef, FilledSlot};
use crate::contract::{
    ContextView, HostTableRef, LoadDataView, Memory, PluginEntry, PluginEntryRef, Remains,
    VaultView,
};
use crate::host;
use crate::runtime::{self, Use};
use crate::state::{self, OwnedFd};
use crate::vault::{Filled, HostVault};
use crate::{
    BagError, BagValue, Context, Early, ExtensionError, LoadData, Plugin, Result, Vault, telemetry,
};
use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModuleResult,
};
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::{RSlice, RStr};
use std::marker::PhantomData;

/// The tables of the plugin `P`. `LINKED` is true if the plugin is linked into the host, and false in a library of its
/// own.
struct Entry<P, const LINKED: bool>(PhantomData<P>);

impl<P: Plugin, const LINKED: bool> Entry<P, LINKED> {
    const DESC: PluginDesc = PluginDesc {
        functions: RSlice::from_slice(P::TABLES.functions),
        exports: RSlice::from_slice(P::TABLES.exports),
        imports: RSlice::from_slice(<P::Imports as Import>::IMPORTS),
        state: P::STATE,
    };

    const TABLE: &'static WithMetadata<PluginEntry> = &WithMetadata::new(PluginEntry {
        connect: if LINKED { connect_linked } else { connect },
        describe: describe::<P>,
        reloadable: reloadable::<P, LINKED>,
        construct: construct::<P, LINKED>,
        on_load: on_load::<P>,
        on_init: on_init::<P>,
        on_start: on_start::<P>,
        on_stop: on_stop::<P>,
        save: save::<P>,
        restore: restore::<P>,
        on_free: on_free::<P>,
        destroy: destroy::<P>,
        invoke_func: invoke_func::<P>,
        live,
        set_levels,
        flush,
        memory,
        runtime_threads,
        stop_runtime,
    });

    fn root() -> PluginEntryRef {
        PluginEntryRef(WithMetadata::static_as_prefix(Self::TABLE))
    }
}

/// The constructor to which the library header refers.
extern "C" fn root_module<P: Plugin, const LINKED: bool>() -> RootModuleResult {
    __call_root_module_loader(Entry::<P, LINKED>::root)
}

/// The parts of a plugin's entry points and metadata. A plugin's crate asks for them once: the compiler repeats the
/// error about a type that is not a plugin at each place that uses the trait.
pub struct Parts {
    root: extern "C" fn() -> RootModuleResult,
    /// [`Plugin::FUNCTIONS`].
    pub functions: &'static [FunctionDesc],
    /// [`Plugin::EXPORTS`].
    pub exports: &'static [ExportDesc],
    /// [`Import::METADATA`].
    pub import_text: &'static str,
    /// [`Import::IMPORTS`].
    pub imports: &'static [ImportDesc],
    /// [`Plugin::STATE`].
    pub state: Option<&'static StateDesc>,
    /// [`Plugin::STATE_HISTORY`].
    pub state_history: &'static str,
}

impl Parts {
    /// Returns the parts of the plugin `P` in a library of its own.
    pub const fn of<P: Plugin>() -> Self {
        Parts::with::<P>(root_module::<P, false>)
    }

    /// Returns the parts of the plugin `P` that is linked into the host.
    pub const fn linked<P: Plugin>() -> Self {
        Parts::with::<P>(root_module::<P, true>)
    }

    const fn with<P: Plugin>(root: extern "C" fn() -> RootModuleResult) -> Self {
        Parts {
            root,
            functions: P::TABLES.functions,
            exports: P::TABLES.exports,
            import_text: <P::Imports as Import>::METADATA,
            imports: <P::Imports as Import>::IMPORTS,
            state: P::STATE,
            state_history: P::STATE_HISTORY,
        }
    }

    /// Returns the library header that leads to the entry points.
    pub const fn header(&self) -> LibHeader {
        // SAFETY: `root` is `root_module`, which returns the root module named here: `Parts::with` is the only
        // constructor.
        unsafe { LibHeader::from_constructor::<PluginEntryRef>(self.root, CheckTypeLayout::Yes) }
    }
}

unsafe extern "C" fn connect(token: Token, table: HostTableRef) {
    // SAFETY: by the contract of `PluginEntry::connect`, the host lends its table together with the token of this
    // plugin, and keeps both until the library has left.
    if unsafe { host::connect(token, table) } {
        telemetry::install();
        host::connected();
    }
}

/// Does the same as [`connect`] for a plugin that is linked into the host. The program's own logger and panic hook
/// serve the plugin, too, and one host may follow another.
unsafe extern "C" fn connect_linked(token: Token, table: HostTableRef) {
    // SAFETY: by the contract of `PluginEntry::connect`, the host lends its table together with the token of this
    // plugin. The host of a linked plugin keeps both for ever.
    unsafe { host::connect_linked(token, table) };
}

extern "C" fn describe<P: Plugin>() -> DescRef {
    DescRef((&raw const *const { &Entry::<P, false>::DESC }).cast())
}

/// Returns the context of the plugin.
///
/// # Safety
/// The host passes the view to a function of this plugin.
unsafe fn context(view: &ContextView<'_>, is_static: bool) -> Context {
    // SAFETY: the caller guarantees that the host made the view, whose token is that of this plugin.
    let host = host::any_host().map(|host| unsafe { host.with_token(view.token) });
    Context::new(view, host, is_static)
}

unsafe extern "C" fn reloadable<P: Plugin, const LINKED: bool>(
    cx: &ContextView<'_>,
    answer: &mut bool,
    sink: Sink,
) -> Status {
    // SAFETY: by the contract of `PluginEntry::reloadable`, the sink and `cx` are the host's, and valid during the call.
    unsafe {
        guard(sink, || {
            *answer = P::reloadable(&context(cx, LINKED));
            Ok(())
        })
    }
}

unsafe extern "C" fn construct<P: Plugin, const LINKED: bool>(
    cx: &ContextView<'_>,
    imports: RSlice<'_, RawObject>,
    this: &mut *mut (),
    sink: Sink,
) -> Status {
    // SAFETY: by the contract of `PluginEntry::construct`, the sink and `cx` are the host's, and valid during the call.
    // There is one object for each import, in their order, which the host has compared with its description, and which
    // it keeps for as long as the library.
    unsafe {
        guard(sink, || {
            let imports = P::Imports::bind(&bindings(P::Imports::IMPORTS, imports.as_slice()));
            let runtime = Use::begin()?;
            #[cfg(feature = "tokio")]
            crate::task::begin();
            let plugin = runtime::within(|| P::construct(&context(cx, LINKED), imports))?;
            *this = Box::into_raw(Box::new(plugin)).cast();
            runtime.leave();
            Ok(())
        })
    }
}

/// Returns the objects with the descriptions of their interfaces.
///
/// # Safety
/// Each object that is not absent has the interface of the import at its place, and is alive for as long as it is used,
/// or counted until this function returns.
unsafe fn bindings<'a>(imports: &'a [ImportDesc], objects: &[RawObject]) -> Bindings<'a> {
    let object = |(import, object): (&'a ImportDesc, &RawObject)| {
        let interface = import.interface.filter(|_| !object.table.is_null())?;
        // SAFETY: the object is not absent. The caller guarantees the rest.
        Some(unsafe { LentObject::new(*object, interface) })
    };
    Bindings::new(imports.iter().zip(objects).map(object).collect())
}

/// Returns the instance for a hook that runs when it is live, or just before. Callers, importers, and the host have its
/// address, too.
///
/// # Safety
/// [`construct`] made `this` for the same `P`, and it is not destroyed yet.
unsafe fn shared<'a, P>(this: *const ()) -> &'a P {
    // SAFETY: the caller guarantees that `this` is an instance of `P` that is alive.
    unsafe { &*this.cast() }
}

/// Returns the instance for a hook that runs before it is live.
///
/// # Safety
/// The contract of [`shared`] holds. Only the host, which waits for the hook, has the address, and plugins that import
/// the instance, which only call its exports.
unsafe fn early<'a, P: Plugin>(this: *mut ()) -> Early<'a, P> {
    if P::TABLES.exports.is_empty() {
        // SAFETY: the plugin has no exports, so by the contract of this function nothing else uses the instance.
        Early::from(unsafe { &mut *this.cast::<P>() })
    } else {
        // SAFETY: the caller guarantees the contract of `shared`.
        Early::of_shared(unsafe { shared(this) })
    }
}

/// Defines the functions that run hooks, with the plugin's own runtime as the context, if it has one.
macro_rules! hooks {
    ($(
        $(#[$comment:meta])*
        fn $name:ident<$P:ident>($this:ident: $This:ty $(, $arg:ident: $ty:ty)*) $run:block
    )*) => {$(
        $(#[$comment])*
        unsafe extern "C" fn $name<$P: Plugin>($this: $This $(, $arg: $ty)*, sink: Sink) -> Status {
            // SAFETY: by the contract of the field of `PluginEntry` with this name, the host lends all arguments until
            // this returns, and `this` is an instance that `construct` made for the same `P`. In hooks that take it
            // with `early`, it is before its first generation. In `restore`, this call owns the descriptors. In
            // `on_free`, no generation has the instance any more: the libraries of plugins that imported it have left,
            // or all their handles have been dropped, and only this thread of the host has the address.
            unsafe { guard(sink, || runtime::within(|| $run)) }
        }
    )*};
}
hooks! {
    fn on_load<P>(this: *mut (), data: &LoadDataView) {
        P::on_load(early(this), &LoadData::new(Described::new(data.ty, data.view)))
    }

    fn on_init<P>(this: *mut (), vault: &VaultView<'_>) {
        P::on_init(early(this), &Vault::new(&LentVault(vault)))
    }

    fn on_start<P>(this: *const ()) {
        shared::<P>(this).on_start()
    }

    fn on_stop<P>(this: *const ()) {
        let _tasks = StopTasks;
        shared::<P>(this).on_stop();
        Ok(())
    }

    fn save<P>(this: *const (), version: u32, to: StateSink) {
        state::save(|| shared::<P>(this).save(version), |state| (to.put)(to.data, state))
    }

    fn restore<P>(this: *mut (), view: StateView<'_>) {
        let descriptors = owned(view.descriptors.as_slice());
        state::restore(view.bytes.as_slice(), descriptors, |state| P::restore(early(this), state))
    }

    fn on_free<P>(this: *mut ()) {
        #[cfg(feature = "tokio")]
        crate::task::finish();
        (*this.cast::<P>()).on_free();
        Ok(())
    }
}

/// Cancels the tasks of the plugin when `on_stop` is over, also if that panics.
struct StopTasks;

impl Drop for StopTasks {
    fn drop(&mut self) {
        #[cfg(feature = "tokio")]
        crate::task::stop();
    }
}

unsafe extern "C" fn destroy<P: Plugin>(this: *mut (), sink: Sink) -> Status {
    let _runtime = Use::taken_up();
    let free = || {
        // SAFETY: `construct` made the address with `Box::into_raw`, and by the contract of `PluginEntry::destroy` the
        // host destroys it once.
        drop(unsafe { Box::from_raw(this.cast::<P>()) });
        Ok(())
    };
    // SAFETY: by the contract of `PluginEntry::destroy`, the sink is valid.
    unsafe { guard(sink, || runtime::within(free)) }
}

/// Takes over the descriptors.
///
/// # Safety
/// The descriptors are open, and the caller owns them.
unsafe fn owned(descriptors: &[i32]) -> Vec<OwnedFd> {
    #[cfg(unix)]
    let owned = |descriptor: &i32| {
        // SAFETY: the caller guarantees that it owns the open descriptor.
        Some(unsafe { std::os::fd::FromRawFd::from_raw_fd(*descriptor) })
    };
    #[cfg(not(unix))]
    let owned = |_: &i32| None;
    descriptors.iter().filter_map(owned).collect()
}

/// The generation that `on_init` sees, with the functions that add to it.
struct LentVault<'a>(&'a VaultView<'a>);

// SAFETY: by the contract of `VaultView`, any thread may call its functions until `on_init` returns.
unsafe impl Send for LentVault<'_> {}
// SAFETY: by the contract of `VaultView`, several threads may call its functions at once until `on_init` returns.
unsafe impl Sync for LentVault<'_> {}

impl HostVault for LentVault<'_> {
    fn generation(&self) -> u64 {
        self.0.generation
    }

    fn plugins(&self) -> &[RStr<'_>] {
        self.0.plugins.as_slice()
    }

    fn set(&self, name: &str, value: &BagValue) -> Result<(), BagError> {
        let (vault, arena) = (self.0, Arena::new());
        let value = value.view(&arena);
        let (name, value) = (StrView::new(name), RawArgs((&raw const value).cast()));
        // SAFETY: `on_init` lends the vault. By the contract of `VaultView`, the host reads a `BagValue`, which is
        // borrowed until it returns, and answers with this type.
        unsafe { receive(|out| (vault.bag_set)(vault.making, name, value, RawOut(out.cast()))) }
    }

    fn get(&self, name: &str) -> Option<BagValue> {
        let (vault, name) = (self.0, StrView::new(name));
        // SAFETY: `on_init` lends the vault. By the contract of `VaultView`, the host reads a name, which is borrowed
        // until it returns, and answers with this type.
        unsafe { receive(|out| (vault.bag_get)(vault.making, name, RawOut(out.cast()))) }
    }

    fn extend(
        &self,
        extension: &'static ExtensionDesc,
        filled: &[Filled<'_>],
    ) -> Result<(), ExtensionError> {
        let slot = |filled: &Filled<'_>| {
            let described = extension.slots[filled.index].interface;
            assert!(
                filled.object.interface().same(described),
                "the slots of an extension are not those of its description"
            );
            FilledSlot {
                index: filled.index,
                again: filled.again,
                object: filled.object.view(),
            }
        };
        let slots: Vec<_> = filled.iter().map(slot).collect();
        let (vault, slots) = (self.0, SliceView::new(&slots));
        let extension = ExtensionRef(std::ptr::from_ref(extension).cast());
        let slots = RawArgs((&raw const slots).cast());
        // SAFETY: `on_init` lends the vault. By the contract of `VaultView`, the host reads slots of the extension with
        // this description, as was checked above, with objects that are lent until it returns, and answers with this
        // type.
        unsafe { receive(|out| (vault.extend)(vault.making, extension, slots, RawOut(out.cast()))) }
    }
}

unsafe extern "C" fn invoke_func<P: Plugin>(
    this: *const (),
    name: StrView,
    args: RawArgs,
    out: RawOut,
) -> Status {
    // SAFETY: `args` and `out` belong to a dynamic call, and are alive until this returns. The host keeps the instance
    // alive.
    unsafe {
        let args = args.0.cast::<SliceView<ValueView>>().read();
        dynamic::answer_by_name(name, args, out.0.cast(), |name, args| {
            shared::<P>(this).invoke_func(name, args)
        })
    }
}

extern "C" fn live() -> LiveList {
    LiveList::new(live::items())
}

extern "C" fn set_levels(log: u32, trace: u32) {
    // `tracing` asks all subscribers of the plugin again. One of the author's own may panic, which its hook reports.
    let _ = std::panic::catch_unwind(|| telemetry::set_levels(log, trace));
}

extern "C" fn flush() -> Remains {
    super::alloc::flushing(|| {
        // A panic of the writer is discarded, since there is nothing more to write.
        std::panic::catch_unwind(|| std::io::Write::flush(&mut std::io::stdout())).is_ok()
    })
}

extern "C" fn memory() -> Memory {
    super::alloc::memory()
}

extern "C" fn runtime_threads() -> usize {
    runtime::threads()
}

extern "C" fn stop_runtime() {
    // The tasks that are waited for, and the runtime, belong to the plugin. Its panic hook reports a panic.
    let _ = std::panic::catch_unwind(|| {
        #[cfg(feature = "tokio")]
        crate::task::finish();
        runtime::stop();
    });
}
