//! The host's end: the table of functions that plugins call.
//!
//! It names no type that needs the table itself, since everything that asks the host for something stands on it.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::boundary::{Sink, Status, StrView};
use crate::contract::shim::Token;
use crate::contract::ticket::{RawDrop, RawTicket};
use crate::telemetry::TelemetryTable;
use abi_stable::StableAbi;

/// The host's functions. Each takes the [`Token`] that [`PluginEntry::connect`](super::PluginEntry::connect) handed over.
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

/// `SliceView<ValueView>`, through a pointer, or what else the documentation of a function says.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawArgs(pub *const ());

/// `*mut Out<…>` of a dynamic call, or of another call whose documentation says so.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct RawOut(pub *mut ());

/// A reference to a [`Wanted`](super::live::Wanted): what a caller takes a live function for.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct WantedRef(pub *const ());

/// What is done with a live function while its generation is pinned.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct LiveCall {
    /// What `run` wants as its first argument.
    pub data: *mut (),
    /// Gets the function: [`FunctionDesc::typed`](crate::boundary::FunctionDesc::typed). Does not unwind.
    pub run: unsafe extern "C" fn(data: *mut (), function: *const ()),
}
