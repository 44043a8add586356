//! The entry points of a plugin's library, made for the author's type. The expansion of `#[plugin]` refers to them.
use crate::boundary::{
    ExportDesc, FunctionDesc, Import, ImportDesc, RawObject, Sink, SliceView, Status, StrView,
    ValueView, counted, dynamic, guard,
};
use crate::contract::entry::{DescRef, PluginDesc};
use crate::contract::host_table::{RawArgs, RawOut};
use crate::contract::live::{self, LiveList};
use crate::contract::shim::Token;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::contract::{
    ContextView, HostTableRef, LoadDataView, Memory, PluginEntry, PluginEntryRef, VaultView,
};
use crate::host::{self, Host};
use crate::runtime::{self, Use};
use crate::{Context, Early, LoadData, Plugin, Result, Vault, state, telemetry};
use abi_stable::library::{__call_root_module_loader, RootModuleResult};
use abi_stable::prefix_type::WithMetadata;
use abi_stable::std_types::RSlice;
use std::marker::PhantomData;

/// The tables of the plugin `P`. `LINKED` is true if the plugin is linked into the host, and false in a library of its
/// own.
struct Entry<P, const LINKED: bool>(PhantomData<P>);

impl<P: Plugin, const LINKED: bool> Entry<P, LINKED> {
    const DESC: PluginDesc = PluginDesc {
        functions: RSlice::from_slice(P::FUNCTIONS),
        exports: RSlice::from_slice(P::EXPORTS),
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
    /// The constructor to which the library header refers.
    pub root: extern "C" fn() -> RootModuleResult,
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
            functions: P::FUNCTIONS,
            exports: P::EXPORTS,
            import_text: <P::Imports as Import>::METADATA,
            imports: <P::Imports as Import>::IMPORTS,
            state: P::STATE,
        }
    }
}

unsafe extern "C" fn connect(token: Token, table: HostTableRef) {
    if host::connect(token, table) {
        telemetry::install();
        counted::connected();
    }
}

/// Does the same as [`connect`] for a plugin that is linked into the host. The program's own logger and panic hook
/// serve the plugin, too, and one host may follow another.
unsafe extern "C" fn connect_linked(token: Token, table: HostTableRef) {
    host::connect_linked(token, table);
}

extern "C" fn describe<P: Plugin>() -> DescRef {
    DescRef((&raw const *const { &Entry::<P, false>::DESC }).cast())
}

fn context(view: &ContextView<'_>, is_static: bool) -> Context {
    let host = host::any_host().map(|host| Host {
        token: view.token,
        ..host
    });
    Context::new(view, host, is_static)
}

unsafe extern "C" fn reloadable<P: Plugin, const LINKED: bool>(
    cx: &ContextView<'_>,
    answer: &mut bool,
    sink: Sink,
) -> Status {
    // SAFETY: the sink, `cx`, and `answer` are the caller's, and valid for the duration of this call.
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
    // SAFETY: by the contract of `PluginEntry::construct`, the sink is valid, and there is one object for each import,
    // in their order, which the host has checked against its description.
    unsafe {
        guard(sink, || {
            let imports = P::Imports::bind(imports.as_slice());
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

/// Returns the instance for a hook that runs when it is live, or just before. Callers, importers, and the host have its
/// address, too.
///
/// # Safety
/// [`construct`] made `this` for the same `P`, and it is not destroyed yet.
unsafe fn shared<'a, P>(this: *const ()) -> &'a P {
    // SAFETY: the caller guarantees that `this` is an instance of `P` that is alive.
    unsafe { &*this.cast() }
}

unsafe extern "C" fn on_load<P: Plugin>(this: *mut (), data: &LoadDataView, sink: Sink) -> Status {
    // SAFETY: by the contract of `PluginEntry::on_load`, the host, which waits for this hook, has the address, and
    // plugins that import the instance, which only call its exports.
    unsafe { fallible(sink, || P::on_load(Early::new(this), &LoadData::new(data))) }
}

unsafe extern "C" fn on_init<P: Plugin>(
    this: *mut (),
    vault: &VaultView<'_>,
    sink: Sink,
) -> Status {
    // SAFETY: by the contract of `PluginEntry::on_init`, the host, which waits for this hook, has the address, and
    // plugins that import the instance, which only call its exports.
    unsafe { fallible(sink, || P::on_init(Early::new(this), &Vault::new(vault))) }
}

unsafe extern "C" fn on_start<P: Plugin>(this: *const (), sink: Sink) -> Status {
    // SAFETY: by the contract of `PluginEntry::on_start`, the instance is alive, and the sink is valid.
    unsafe { fallible(sink, || shared::<P>(this).on_start()) }
}

unsafe extern "C" fn on_stop<P: Plugin>(this: *const (), sink: Sink) -> Status {
    // SAFETY: by the contract of `PluginEntry::on_stop`, the instance is alive, and the sink is valid.
    let status = unsafe { hook(sink, || shared::<P>(this).on_stop()) };
    #[cfg(feature = "tokio")]
    crate::task::stop();
    status
}

unsafe extern "C" fn save<P: Plugin>(
    this: *const (),
    version: u32,
    to: StateSink,
    sink: Sink,
) -> Status {
    // SAFETY: by the contract of `PluginEntry::save`, the instance is alive, and both sinks are valid.
    unsafe { fallible(sink, || state::save(to, || shared::<P>(this).save(version))) }
}

unsafe extern "C" fn restore<P: Plugin>(this: *mut (), view: StateView<'_>, sink: Sink) -> Status {
    // SAFETY: by the contract of `PluginEntry::restore`, the host, which waits for this hook, has the address, and
    // plugins that import the instance, which only call its exports.
    unsafe {
        fallible(sink, || {
            state::restore(view, |state| P::restore(Early::new(this), state))
        })
    }
}

unsafe extern "C" fn on_free<P: Plugin>(this: *mut (), sink: Sink) -> Status {
    #[cfg(feature = "tokio")]
    crate::task::finish();
    // SAFETY: by the contract of `PluginEntry::on_free`, only this thread of the host has the address. No generation
    // has the instance any more. The libraries of plugins that imported it have left, or all their handles have been
    // dropped.
    unsafe { hook(sink, || (*this.cast::<P>()).on_free()) }
}

unsafe extern "C" fn destroy<P: Plugin>(this: *mut (), sink: Sink) -> Status {
    let _runtime = Use::taken_up();
    // SAFETY: `construct` made the address with `Box::into_raw`, and the host destroys it once.
    unsafe { hook(sink, || drop(Box::from_raw(this.cast::<P>()))) }
}

/// Runs a hook that cannot fail, except by a panic.
///
/// # Safety
/// The contract of [`guard`] holds for the sink.
unsafe fn hook(sink: Sink, run: impl FnOnce()) -> Status {
    // SAFETY: the caller guarantees that the sink is valid.
    unsafe {
        fallible(sink, || {
            run();
            Ok(())
        })
    }
}

/// Runs a hook that may fail, with the plugin's own runtime as the context, if it has one.
///
/// # Safety
/// The contract of [`guard`] holds for the sink.
unsafe fn fallible(sink: Sink, run: impl FnOnce() -> Result<()>) -> Status {
    // SAFETY: the caller guarantees that the sink is valid.
    unsafe { guard(sink, || runtime::within(run)) }
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

extern "C" fn flush() {
    // A panic of the writer is discarded, since there is nothing more to write.
    let _ = std::panic::catch_unwind(|| std::io::Write::flush(&mut std::io::stdout()));
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

/// Exports the entry points of the plugin `$plugin` from the crate that uses this macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($plugin:ty) => {
        const PLUGIN: $crate::expand::glue::Parts = $crate::expand::glue::Parts::of::<$plugin>();

        #[unsafe(no_mangle)]
        static hotswap_root_module: $crate::__private::abi_stable::library::LibHeader =
            $crate::__header!();

        #[used]
        #[unsafe(no_mangle)]
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".hotswap"))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__hotswap"))]
        static HOTSWAP_METADATA: Metadata = METADATA;
    };
}

/// Defines the library header that leads to the entry points of `PLUGIN`.
#[doc(hidden)]
#[macro_export]
macro_rules! __header {
    () => {
        // SAFETY: the constructor returns the root module named here.
        unsafe {
            $crate::__private::abi_stable::library::LibHeader::from_constructor::<
                $crate::contract::PluginEntryRef,
            >(
                PLUGIN.root,
                $crate::__private::abi_stable::library::CheckTypeLayout::Yes,
            )
        }
    };
}
