//! The host's end of the contract: the table of functions that plugins call.
//!
//! It refers to no type that needs the table itself, since all code that calls the host builds on it.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::boundary::{Sink, Status, StrView};
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::telemetry::TelemetryTable;
use abi_stable::StableAbi;

/// The name by which a plugin asks the host, with [`live_invoke`](HostTable::live_invoke), that one of its functions answers
/// the calls of another one. The arguments are the names of the two, and the result is nothing. No live function has this name.
pub const REQUEST_PATCH: &str = "hotswap::request_patch";

/// The host's functions. Each takes the [`Token`] that [`PluginEntry::connect`](super::PluginEntry::connect) passed.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostTableRef)))]
pub struct HostTable {
    /// Asks for a reload, which begins after the current call.
    pub request_reload: unsafe extern "C" fn(Token),
    /// Returns a number for the calling thread, below `u32::MAX`, that no other living thread has.
    pub thread_index: unsafe extern "C" fn(Token) -> u32,
    /// Calls a live function of the newest generation by its name. `args` and `out` are those of
    /// [`FunctionDesc::dynamic`](crate::boundary::FunctionDesc).
    pub live_invoke:
        unsafe extern "C" fn(Token, name: StrView, args: RawArgs, out: RawOut) -> Status,
    /// Lends a live function of the newest generation: if there is a function of this name and signature, `call` runs
    /// once, before this returns. Returns [`Status::OK`] also if there is no function of this name. Returns
    /// [`Status::FAILED`], with a text in the sink, if the function has another signature.
    pub live_call: unsafe extern "C" fn(
        Token,
        name: StrView,
        want: WantedRef,
        call: LiveCall,
        sink: Sink,
    ) -> Status,
    /// Passes live data to the handler of its type, `name`, in the newest generation. `data` is a
    /// [`LentData`](super::live::LentData), and `out` is a `*mut` [`HandledOut`](super::live::HandledOut). The inner
    /// error says that there is no such type.
    pub live_handle:
        unsafe extern "C" fn(Token, name: StrView, data: RawArgs, out: RawOut) -> Status,
    /// Lists the live items of the newest generation. `out` is `*mut Out` of a `Vec<LiveItem>`.
    pub live_items: unsafe extern "C" fn(Token, out: RawOut) -> Status,
    /// The receiver of log records, spans, and panics.
    pub telemetry: &'static TelemetryTable,
    /// Begins to count an object of the plugin, which others may own from now on. Returns a ticket with one count,
    /// which the plugin has. Reports name the object by `interface`. Returns [`RawTicket::NONE`] if the plugin's library is
    /// being closed. Then the object still belongs to the caller.
    pub count_object: unsafe extern "C" fn(Token, object: RawDrop, interface: StrView) -> RawTicket,
    /// Counts a task of the plugin in the same way, until its ticket is released.
    #[sabi(last_prefix_field)]
    pub count_task: unsafe extern "C" fn(Token, name: StrView) -> RawTicket,
}

/// A pointer to a `SliceView<ValueView>`, or to the type that the documentation of a function names.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawArgs(pub *const ());

/// A `*mut Out<…>` of a dynamic call, or of the type that the documentation of a function names.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawOut(pub *mut ());

/// A reference to a [`Wanted`](super::live::Wanted): the signature that a caller expects of a live function.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct WantedRef(pub *const ());

/// The caller's code for a live function, which runs while the function's generation is pinned.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct LiveCall {
    /// The first argument of `run`.
    pub data: *mut (),
    /// Gets the function: [`FunctionDesc::typed`](crate::boundary::FunctionDesc::typed). Does not unwind.
    pub run: unsafe extern "C" fn(data: *mut (), function: *const ()),
}
