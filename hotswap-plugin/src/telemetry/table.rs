//! The contract: the functions with which a plugin passes its logs, spans, and panics to the host.
//!
//! All data is borrowed for the duration of one call. A number without a meaning here (a level of 9, for instance)
//! comes from a broken plugin, and the host ignores the record.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs, non_camel_case_types)]
use crate::contract::shim::Token;
use abi_stable::StableAbi;
use abi_stable::std_types::{ROption, RSlice, RStr};

/// The verbosity of a record, or of a filter: [`OFF`](level::OFF) is none, [`TRACE`](level::TRACE) is all.
pub mod level {
    /// Nothing.
    pub const OFF: u32 = 0;
    /// Errors.
    pub const ERROR: u32 = 1;
    /// Also warnings.
    pub const WARN: u32 = 2;
    /// Also informational records.
    pub const INFO: u32 = 3;
    /// Also debug records.
    pub const DEBUG: u32 = 4;
    /// Everything.
    pub const TRACE: u32 = 5;
}

/// The host's functions. None of them unwinds, and each may be called from any thread.
///
/// # Safety
/// The token is the one that the host gave to the calling plugin, whose library is loaded.
#[repr(C)]
#[derive(StableAbi)]
pub struct TelemetryTable {
    /// Returns true if the host's logger wants records like this one. It does not read the message.
    pub log_enabled: unsafe extern "C" fn(Token, &LogView<'_>) -> bool,
    /// Passes a record to the host's logger, if its level allows that.
    pub log: unsafe extern "C" fn(Token, &LogView<'_>),
    /// Flushes the host's logger.
    pub log_flush: unsafe extern "C" fn(Token),
    /// Returns the host's own callsite for this content. It is made at the first call, and never freed.
    pub callsite: unsafe extern "C" fn(Token, &CallsiteView<'_>) -> CallsiteRef,
    /// Returns the interest of the host's subscribers in a callsite: one of [`interest`].
    pub interest: unsafe extern "C" fn(Token, CallsiteRef) -> u32,
    /// Returns true if the host's current subscriber wants the event or span that is about to be made.
    pub enabled: unsafe extern "C" fn(Token, CallsiteRef) -> bool,
    /// Passes an event to the host's current subscriber.
    pub event: unsafe extern "C" fn(Token, CallsiteRef, Parent, RSlice<'_, FieldView<'_>>),
    /// Opens a span of the host. Returns [`SpanId::NONE`] if the host does not want it after all.
    pub new_span:
        unsafe extern "C" fn(Token, CallsiteRef, Parent, RSlice<'_, FieldView<'_>>) -> SpanId,
    /// Records values of a span. The fields are those of the callsite that the span was made with.
    pub record: unsafe extern "C" fn(Token, SpanId, RSlice<'_, FieldView<'_>>),
    /// Says that the first span follows from the second.
    pub follows_from: unsafe extern "C" fn(Token, SpanId, SpanId),
    /// Enters a span on the calling thread.
    pub enter: unsafe extern "C" fn(Token, SpanId),
    /// Leaves a span on the calling thread.
    pub exit: unsafe extern "C" fn(Token, SpanId),
    /// Counts one more user of a span.
    pub clone_span: unsafe extern "C" fn(Token, SpanId) -> SpanId,
    /// Counts one user of a span less. Returns true if the span is closed now.
    pub close_span: unsafe extern "C" fn(Token, SpanId) -> bool,
    /// Passes the calling thread's current span to the receiver, if there is one.
    pub current_span: unsafe extern "C" fn(Token, SpanReceiver),
    /// Reports a panic, on the stack of the thread that panics, before it unwinds.
    pub panicked: unsafe extern "C" fn(Token, &PanicView<'_>),
}

/// The receiver of the answer of [`TelemetryTable::current_span`], which calls it at most once, before it returns.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct SpanReceiver {
    /// The first argument of `give`.
    pub context: *mut (),
    /// Called with the span and its callsite, whose view lives as long as the host.
    pub give: unsafe extern "C" fn(*mut (), SpanId, CallsiteRef, &CallsiteView<'static>),
}

/// The answers of [`TelemetryTable::interest`].
pub mod interest {
    /// No subscriber ever wants it.
    pub const NEVER: u32 = 0;
    /// Ask [`enabled`](super::TelemetryTable::enabled) each time.
    pub const SOMETIMES: u32 = 1;
    /// A subscriber always wants it.
    pub const ALWAYS: u32 = 2;
}

/// The values of [`CallsiteView::kind`].
pub mod kind {
    /// Neither an event nor a span: a question, as `tracing::enabled!` asks it.
    pub const HINT: u32 = 0;
    /// An event.
    pub const EVENT: u32 = 1;
    /// A span.
    pub const SPAN: u32 = 2;
}

/// A log record.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct LogView<'a> {
    /// One of [`level`], but not off.
    pub level: u32,
    /// The target.
    pub target: RStr<'a>,
    /// The formatted message.
    pub message: RStr<'a>,
    /// Where the record was made.
    pub module_path: ROption<RStr<'a>>,
    /// Its file.
    pub file: ROption<RStr<'a>>,
    /// Its line.
    pub line: ROption<u32>,
}

/// A callsite's metadata.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallsiteView<'a> {
    /// One of [`kind`].
    pub kind: u32,
    /// One of [`level`], but not off.
    pub level: u32,
    /// The name.
    pub name: RStr<'a>,
    /// The target.
    pub target: RStr<'a>,
    /// The path of its module.
    pub module_path: ROption<RStr<'a>>,
    /// Its file.
    pub file: ROption<RStr<'a>>,
    /// Its line.
    pub line: ROption<u32>,
    /// The names of its fields, in order.
    pub fields: RSlice<'a, RStr<'a>>,
}

/// The host's name for a callsite. The plugin only hands it back; it stays valid as long as the host lives.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallsiteRef(pub *const ());

/// The host's name for a span. Any number is safe to use: one that names no span does nothing.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub u64);

impl SpanId {
    /// No span. It is not zero, since `tracing` has no such id.
    pub const NONE: SpanId = SpanId(u64::MAX);
}

/// The parent of an event or a span.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The current span of the thread, if there is one.
    Current,
    /// No span.
    Root,
    /// This span.
    Explicit(SpanId),
}

/// One recorded value.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct FieldView<'a> {
    /// The field's place in [`CallsiteView::fields`].
    pub index: u32,
    /// The value.
    pub value: FieldValue<'a>,
}

/// A value that `tracing` can record. Numbers of 128 bits cross as two halves, the lower one first.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub enum FieldValue<'a> {
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A signed integer of 128 bits.
    I128([u64; 2]),
    /// An unsigned integer of 128 bits.
    U128([u64; 2]),
    /// A floating point number.
    F64(f64),
    /// A bool.
    Bool(bool),
    /// A string.
    Str(RStr<'a>),
    /// Bytes.
    Bytes(RSlice<'a, u8>),
    /// The text that `Debug`, or `Display` through `%`, made of a value.
    Debug(RStr<'a>),
    /// An error: its text, followed by those of its sources.
    Error(RSlice<'a, RStr<'a>>),
}

/// A panic.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug)]
pub struct PanicView<'a> {
    /// The message, or a note that the payload is not a string.
    pub message: RStr<'a>,
    /// The file; empty if it is not known.
    pub file: RStr<'a>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}
