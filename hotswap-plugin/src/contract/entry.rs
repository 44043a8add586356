//! What the host calls of a plugin once it is open: a table of functions. The host's own is a [`HostTable`](super::HostTable).
//!
//! Both are prefix types of `abi_stable`: fields may be appended without breaking older builds of the other side.
//! The host compares their layouts, with every type they name, before it calls anything.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::boundary::{
    ExportDesc, FunctionDesc, ImportDesc, RawObject, Sink, Status, StrView, TypeDesc,
};
use crate::contract::host_table::{HostTableRef, RawArgs, RawOut};
use crate::contract::live::LiveList;
use crate::contract::shim::Token;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::contract::vault::VaultView;
use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RSlice, RStr};

/// The plugin's functions. `this` is always what [`construct`](Self::construct) wrote.
///
/// Functions with a [`Sink`] return [`Status::OK`], or put a text into the sink and return [`Status::FAILED`] for an
/// error of the author's, [`Status::PANICKED`] for a panic.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginEntryRef)))]
pub struct PluginEntry {
    /// Lends the plugin the host's table; installs the logger, the trace dispatcher and the panic hook. Called once,
    /// before any other function here.
    pub connect: unsafe extern "C" fn(token: Token, host: HostTableRef),
    /// What the plugin offers and needs.
    pub describe: extern "C" fn() -> DescRef,
    /// Whether this build may be replaced while the host runs.
    pub reloadable:
        unsafe extern "C" fn(cx: &ContextView<'_>, answer: &mut bool, sink: Sink) -> Status,
    /// Makes the instance. `imports` has the order of [`PluginDesc::imports`].
    pub construct: unsafe extern "C" fn(
        cx: &ContextView<'_>,
        imports: RSlice<'_, RawObject>,
        this: &mut *mut (),
        sink: Sink,
    ) -> Status,
    /// The hook `on_load`. Meanwhile nobody uses the instance but plugins that import it, and what these have started: they have
    /// its exports from their construction on.
    pub on_load: unsafe extern "C" fn(this: *mut (), data: &LoadDataView, sink: Sink) -> Status,
    /// The hook `on_init`. Who may use the instance is as during [`on_load`](Self::on_load).
    pub on_init: unsafe extern "C" fn(this: *mut (), vault: &VaultView<'_>, sink: Sink) -> Status,
    /// The hook `on_start`; other threads may be calling the instance.
    pub on_start: unsafe extern "C" fn(this: *const (), sink: Sink) -> Status,
    /// The hook `on_stop`; other threads may be calling the instance.
    pub on_stop: unsafe extern "C" fn(this: *const (), sink: Sink) -> Status,
    /// The hook `save`: puts the state into `to`, as it was up to this version of its type where that is older than the
    /// plugin's own. Nobody else calls the instance, but what a gate does not stop.
    pub save:
        unsafe extern "C" fn(this: *const (), version: u32, to: StateSink, sink: Sink) -> Status,
    /// The hook `restore`. Who may use the instance is as during [`on_load`](Self::on_load). The plugin closes the descriptors that it does not take, also where this fails.
    pub restore: unsafe extern "C" fn(this: *mut (), state: StateView<'_>, sink: Sink) -> Status,
    /// The hook `on_free`; nobody else uses the instance any more.
    pub on_free: unsafe extern "C" fn(this: *mut (), sink: Sink) -> Status,
    /// Drops the instance.
    pub destroy: unsafe extern "C" fn(this: *mut (), sink: Sink) -> Status,
    /// The hand-written `invoke_func`; `args` and `out` are those of
    /// [`FunctionDesc::dynamic`](crate::boundary::FunctionDesc).
    pub invoke_func:
        unsafe extern "C" fn(this: *const (), name: StrView, args: RawArgs, out: RawOut) -> Status,
    /// The live functions and types of the library, in any order.
    pub live: extern "C" fn() -> LiveList,
    /// Tells the plugin how verbose the host's log and trace are now: see
    /// [`telemetry`](crate::telemetry).
    pub set_levels: extern "C" fn(log: u32, trace: u32),
    /// Writes out what the plugin's own copy of std holds back for stdout.
    pub flush: extern "C" fn(),
    /// How much memory the plugin has in use.
    pub memory: extern "C" fn() -> Memory,
    /// How many threads the plugin's own runtime has, where it can be stopped now; else 0. Waits for nothing.
    pub runtime_threads: extern "C" fn() -> usize,
    /// Shuts the plugin's own runtime down: its tasks end at their next `.await`, and its threads when they have nothing to
    /// run; neither is waited for, but tasks that may finish first are. Code of the plugin that runs later finds another
    /// one. Does not unwind.
    #[sabi(last_prefix_field)]
    pub stop_runtime: extern "C" fn(),
}

/// `&'static PluginDesc`. The tree below it is compared by hash and by content, not by `abi_stable`.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct DescRef(pub *const ());

impl RootModule for PluginEntryRef {
    abi_stable::declare_root_module_statics! {PluginEntryRef}
    const BASE_NAME: &'static str = "hotswap_plugin";
    const NAME: &'static str = "hotswap_plugin";
    // The contract has a version of its own, which the host has compared already.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
}

/// The name of the symbol that leads to [`PluginEntry`], an `abi_stable` library header.
pub const ROOT_SYMBOL: &[u8] = b"hotswap_root_module\0";

/// What [`PluginEntry::describe`] points to.
#[repr(C)]
pub struct PluginDesc {
    /// The functions that can be called by name.
    pub functions: RSlice<'static, FunctionDesc>,
    /// The interfaces that other plugins and the host may import.
    pub exports: RSlice<'static, ExportDesc>,
    /// What [`PluginEntry::construct`] wants, in this order.
    pub imports: RSlice<'static, ImportDesc>,
    /// What [`PluginEntry::save`] saves; `None` where it has no state.
    pub state: Option<&'static StateDesc>,
}

/// What a plugin may know of itself: [`Context`](crate::Context).
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ContextView<'a> {
    /// The plugin's name.
    pub name: RStr<'a>,
    /// Its crate's version.
    pub version: RStr<'a>,
    /// Its build id, as hexadecimal digits.
    pub build_id: RStr<'a>,
    /// The number of the generation that is being made.
    pub generation: u64,
    /// How many reloads the host has completed.
    pub reloads: u64,
    /// What [`PluginEntry::connect`] handed over for this plugin.
    pub token: Token,
}

/// The host's load data: a view and the description of its type, both null where there is none.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct LoadDataView {
    /// A [`TypeDesc`] of the host.
    pub ty: *const (),
    /// The view of a value of that type.
    pub view: *const (),
}

impl LoadDataView {
    /// The description, where there is data.
    ///
    /// # Safety
    /// The host that made this is alive, as it is during the call it was handed over in.
    pub unsafe fn type_desc<'a>(&self) -> Option<&'a TypeDesc> {
        // SAFETY: null or a description of the host's, which is constant.
        unsafe { self.ty.cast::<TypeDesc>().as_ref() }
    }
}

/// What a plugin's own allocator has counted since the library was opened.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use.
    pub bytes: u64,
    /// Allocations in use.
    pub blocks: u64,
    /// Whether the plugin counts at all: `#[plugin(allocator = false)]` does not.
    pub counted: bool,
}
