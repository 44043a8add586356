//! The functions of an open plugin that the host calls, as a table. The host's own table is a
//! [`HostTable`](super::HostTable).
//!
//! Both tables are prefix types of `abi_stable`: fields may be appended without breaking older builds of the other
//! side. The host compares their layouts, with all types in them, before it calls a function.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::boundary::{ExportDesc, FunctionDesc, ImportDesc, RawObject, Sink, Status, StrView};
use crate::contract::host_table::{HostTableRef, RawArgs, RawOut};
use crate::contract::live::LiveList;
use crate::contract::shim::Token;
use crate::contract::state::{StateDesc, StateSink, StateView};
use crate::contract::vault::VaultView;
use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RSlice, RStr};

/// The plugin's functions. `this` is always the address that [`construct`](Self::construct) wrote.
///
/// Functions with a [`Sink`] return [`Status::OK`]. Otherwise they put a text into the sink, and return
/// [`Status::FAILED`] for an error of the author's code, or [`Status::PANICKED`] for a panic.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginEntryRef)))]
pub struct PluginEntry {
    /// Lends the host's table to the plugin, which installs its logger, its trace dispatcher, and its panic hook.
    /// Called once, before any other function of this table.
    pub connect: unsafe extern "C" fn(token: Token, host: HostTableRef),
    /// Returns the exports and imports of the plugin.
    pub describe: extern "C" fn() -> DescRef,
    /// Writes true to `answer` if this build may be replaced while the host runs.
    pub reloadable:
        unsafe extern "C" fn(cx: &ContextView<'_>, answer: &mut bool, sink: Sink) -> Status,
    /// Makes the instance. `imports` has one object for each of [`PluginDesc::imports`], in their order, with the
    /// interface that is described there. Only an optional one may be absent. The host may [route](crate::boundary::relay)
    /// entries of their tables at any time.
    pub construct: unsafe extern "C" fn(
        cx: &ContextView<'_>,
        imports: RSlice<'_, RawObject>,
        this: &mut *mut (),
        sink: Sink,
    ) -> Status,
    /// The hook `on_load`. The instance has no other users during the hook than plugins that import it, and threads
    /// that these have started: they have its exports from their construction on.
    pub on_load: unsafe extern "C" fn(this: *mut (), data: &LoadDataView, sink: Sink) -> Status,
    /// The hook `on_init`. The same users may have the instance as during [`on_load`](Self::on_load).
    pub on_init: unsafe extern "C" fn(this: *mut (), vault: &VaultView<'_>, sink: Sink) -> Status,
    /// The hook `on_start`. Other threads may be calling the instance.
    pub on_start: unsafe extern "C" fn(this: *const (), sink: Sink) -> Status,
    /// The hook `on_stop`. Other threads may be calling the instance.
    pub on_stop: unsafe extern "C" fn(this: *const (), sink: Sink) -> Status,
    /// The hook `save`, which puts the state into `to`. If `version` is older than the plugin's own version of the
    /// type, the state is lowered to it.
    ///
    /// The host may call it at any time in which the instance is live, any number of times, but not twice at once. Other
    /// threads may be calling the instance: a probe copies the state while calls go on. In a hand-over, `on_stop` has
    /// returned, and only code that a gate does not stop calls the instance. The function calls `to.put` once before it
    /// returns [`Status::OK`], and otherwise not at all. The state is valid until `put` returns, and the descriptors in
    /// it belong to the host from then on.
    pub save:
        unsafe extern "C" fn(this: *const (), version: u32, to: StateSink, sink: Sink) -> Status,
    /// The hook `restore`, which runs once at most. The same users may have the instance as during [`on_load`](Self::on_load). The plugin closes
    /// the descriptors that it does not take, also if the hook fails.
    pub restore: unsafe extern "C" fn(this: *mut (), state: StateView<'_>, sink: Sink) -> Status,
    /// The hook `on_free`. The instance has no other user any more.
    pub on_free: unsafe extern "C" fn(this: *mut (), sink: Sink) -> Status,
    /// Drops the instance.
    pub destroy: unsafe extern "C" fn(this: *mut (), sink: Sink) -> Status,
    /// The hand-written `invoke_func`. `args` and `out` are those of
    /// [`FunctionDesc::dynamic`](crate::boundary::FunctionDesc).
    pub invoke_func:
        unsafe extern "C" fn(this: *const (), name: StrView, args: RawArgs, out: RawOut) -> Status,
    /// Returns the live functions and types of the library, in any order.
    pub live: extern "C" fn() -> LiveList,
    /// Tells the plugin how verbose the host's log and trace are now: see
    /// [`telemetry`](crate::telemetry).
    pub set_levels: extern "C" fn(log: u32, trace: u32),
    /// Writes out the data that the plugin's copy of std buffers for stdout. Called once, after
    /// [`destroy`](Self::destroy). Returns memory that the host frees once the library has left memory.
    pub flush: extern "C" fn() -> Remains,
    /// Returns how much memory of the plugin is in use.
    pub memory: extern "C" fn() -> Memory,
    /// Returns how many threads the plugin's own runtime has, or 0 if it cannot be stopped now. Does not wait.
    pub runtime_threads: extern "C" fn() -> usize,
    /// Shuts down the plugin's own runtime. Its tasks end at their next `.await`, and its threads once they have
    /// nothing to run. The function does not wait for either, but it waits for tasks that may finish first. Code of the
    /// plugin that runs later finds another runtime. Does not unwind.
    #[sabi(last_prefix_field)]
    pub stop_runtime: extern "C" fn(),
}

/// A `&'static PluginDesc`. The tree below it is compared by hash and by content, not by `abi_stable`.
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

/// The exports and imports of a plugin, to which [`PluginEntry::describe`] leads.
#[repr(C)]
pub struct PluginDesc {
    /// The functions that can be called by name.
    pub functions: RSlice<'static, FunctionDesc>,
    /// The interfaces that other plugins and the host may import.
    pub exports: RSlice<'static, ExportDesc>,
    /// The imports that [`PluginEntry::construct`] expects, in this order.
    pub imports: RSlice<'static, ImportDesc>,
    /// The state that [`PluginEntry::save`] saves; `None` if the plugin has no state.
    pub state: Option<&'static StateDesc>,
}

/// The data of a [`Context`](crate::Context).
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ContextView<'a> {
    /// The plugin's name.
    pub name: RStr<'a>,
    /// The version of its crate.
    pub version: RStr<'a>,
    /// Its build id, as hexadecimal digits.
    pub build_id: RStr<'a>,
    /// The number of the generation that is being made.
    pub generation: u64,
    /// How many reloads the host has completed.
    pub reloads: u64,
    /// The token that [`PluginEntry::connect`] passed to this plugin.
    pub token: Token,
}

/// The host's load data: a view and the description of its type. Both are null if there is none.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct LoadDataView {
    /// A [`TypeDesc`](crate::boundary::TypeDesc) of the host.
    pub ty: *const (),
    /// The view of a value of that type.
    pub view: *const (),
}

/// The memory that a plugin's own allocator has counted since the library was opened.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use.
    pub bytes: u64,
    /// Allocations in use.
    pub blocks: u64,
    /// False if the plugin does not count, as with `#[plugin(allocator = false)]`.
    pub counted: bool,
}

/// Memory of Rust's `System` allocator that code of a plugin may use until its library has left memory, and does not free.
///
/// The buffer of stdout is such memory. Code of the plugin that ends the process may free it, and no library leaves memory
/// any more once the process ends.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct Remains {
    /// Where it is, or null if there is none.
    pub at: *mut u8,
    /// The size in bytes that it was allocated with.
    pub size: usize,
    /// The alignment in bytes that it was allocated with.
    pub align: usize,
}
