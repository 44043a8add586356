//! What host and plugin call of each other once the plugin is open: two tables of functions.
//!
//! Both are prefix types of `abi_stable`: fields may be appended without breaking older builds of the other side.
//! The host compares their layouts, with every type they name, before it calls anything.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::boundary::{
    ExportDesc, FunctionDesc, ImportDesc, RawObject, Sink, Status, StrView, TypeDesc,
};
use crate::contract::live::{LiveCall, LiveList, WantedRef};
use crate::contract::shim::Token;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::contract::vault::VaultView;
use crate::telemetry::TelemetryTable;
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

/// `SliceView<ValueView>`, through a pointer, or what else the documentation of a function says.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawArgs(pub *const ());

/// `*mut Out<…>` of a dynamic call, or of another call whose documentation says so.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawOut(pub *mut ());

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

/// The host's functions. Each takes the [`Token`] that [`PluginEntry::connect`] handed over.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostTableRef)))]
pub struct HostTable {
    /// Asks for a reload after the current call.
    pub request_reload: unsafe extern "C" fn(Token),
    /// A number for the calling thread, below `u32::MAX`, that no other living thread has.
    pub thread_index: unsafe extern "C" fn(Token) -> u32,
    /// Calls a live function of the newest generation by its name. `args` and `out` are those of
    /// [`FunctionDesc::dynamic`](crate::boundary::FunctionDesc).
    pub live_invoke:
        unsafe extern "C" fn(Token, name: StrView, args: RawArgs, out: RawOut) -> Status,
    /// Lends a live function of the newest generation: `call` runs once, before this returns, where there is a function of
    /// this name and signature. [`Status::OK`] also where there is none of the name; [`Status::FAILED`] and a text
    /// where it has another signature.
    pub live_call: unsafe extern "C" fn(
        Token,
        name: StrView,
        want: WantedRef,
        call: LiveCall,
        sink: Sink,
    ) -> Status,
    /// Hands live data to the handler of its type, `name`, in the newest generation. `data` is a
    /// [`LentData`](super::live::LentData), `out` a `*mut` [`HandledOut`](super::live::HandledOut); the inner error says
    /// that there is no such type.
    pub live_handle:
        unsafe extern "C" fn(Token, name: StrView, data: RawArgs, out: RawOut) -> Status,
    /// What is live in the newest generation. `out` is `*mut Out` of a `Vec<LiveItem>`.
    pub live_items: unsafe extern "C" fn(Token, out: RawOut) -> Status,
    /// Where log records, spans and panics go.
    pub telemetry: &'static TelemetryTable,
    /// Counts an object of the plugin that others may own from now on: a ticket with one count, the plugin's. `interface`
    /// is what reports call it.
    pub count_object: unsafe extern "C" fn(Token, object: RawDrop, interface: StrView) -> RawTicket,
    /// Counts a task of the plugin's own in the same way, until its ticket is released.
    #[sabi(last_prefix_field)]
    pub count_task: unsafe extern "C" fn(Token, name: StrView) -> RawTicket,
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
