//! The types that every call is made of, as they lie in memory: the status, the caller's memory for the result, and the
//! views of results that have no type.
//!
//! The descriptions of functions name them, and [`call`](super::call), [`dynamic`](super::dynamic) and
//! [`later`](super::later) are what is done with them.
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::view::{SliceView, StrView};
use crate::contract::ticket::DropObject;
use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, Tuple2};
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicPtr;

/// How a call across the boundary ended.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, StableAbi)]
pub struct Status(u32);

impl Status {
    /// It returned, and the result is with the caller.
    pub const OK: Status = Status(0);
    /// It panicked; the text of the panic is with the caller.
    pub const PANICKED: Status = Status(1);
    /// The future is not ready: see [`later`](crate::boundary::later).
    pub const PENDING: Status = Status(2);
    /// A hook returned an error; its text is with the caller.
    pub const FAILED: Status = Status(3);
}

/// The caller's memory for a result, and the caller's code that fills it. `V` is the result's view.
#[repr(C)]
pub struct Out<V> {
    pub(super) ops: *const OutOps<V>,
    /// Written by the callee where the view points to nothing.
    pub(super) value: MaybeUninit<V>,
}

/// The caller's functions for an [`Out`].
#[repr(C)]
pub(super) struct OutOps<V> {
    /// Copies what the view shows into the caller's memory. Does not unwind.
    pub(super) take: unsafe extern "C" fn(*mut Out<V>, *const V),
    /// Takes the text of the callee's panic, and drops what `take` took. Does not unwind.
    pub(super) fail: unsafe extern "C" fn(*mut (), StrView),
}

/// Hands over a view that borrows nothing.
///
/// # Safety
/// `out` is the caller's memory for a result with this view, which the caller has not read yet.
#[inline]
pub(super) unsafe fn write<V>(out: *mut Out<V>, view: V) {
    // SAFETY: `out` is valid as the caller promises.
    unsafe { (&raw mut (*out).value).cast::<V>().write(view) }
}

/// A view of a [`Value`](super::Value).
#[repr(u8)]
#[derive(Clone, Copy, Debug)]
pub enum ValueView {
    /// Nothing.
    Nil,
    /// A bool.
    Bool(bool),
    /// An integer of 64 bits. One of 128 would be written as two halves and read at once, which takes a processor longer
    /// than the rest of a call.
    Int(i64),
    /// Any other integer: its low half and its high half.
    Large([u64; 2]),
    /// A floating point number.
    Float(f64),
    /// A text.
    Str(StrView),
    /// Bytes.
    Bytes(SliceView<u8>),
    /// Items.
    List(SliceView<ValueView>),
    /// Keys and values.
    Map(SliceView<Tuple2<StrView, ValueView>>),
}

impl ValueView {
    /// An integer.
    #[inline]
    pub(super) fn int(number: i128) -> Self {
        match i64::try_from(number) {
            Ok(number) => ValueView::Int(number),
            Err(_) => ValueView::Large([number as u64, (number >> 64) as u64]),
        }
    }

    /// The integer of these halves.
    pub(super) fn large([low, high]: [u64; 2]) -> i128 {
        (i128::from(high as i64) << 64) | i128::from(low)
    }
}

/// A view of an [`InvokeError`](super::InvokeError).
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum InvokeErrorView {
    /// [`InvokeError::Unknown`](super::InvokeError::Unknown).
    Unknown,
    /// [`InvokeError::Async`](super::InvokeError::Async).
    Async,
    /// [`InvokeError::WrongCount`](super::InvokeError::WrongCount).
    WrongCount {
        /// How many there should be.
        expected: u32,
        /// How many there were.
        found: u32,
    },
    /// [`InvokeError::WrongType`](super::InvokeError::WrongType).
    WrongType {
        /// Which argument.
        index: u32,
        /// Name, path, expected, found.
        texts: SliceView<StrView>,
    },
    /// [`InvokeError::Returned`](super::InvokeError::Returned).
    Returned(ValueView),
}

/// The caller's memory for the result of a dynamic call: a [`DynamicResult`](super::DynamicResult).
pub type DynamicOut = Out<RResult<ValueView, InvokeErrorView>>;

/// What crosses instead of a [`Later`](super::Later): where it is. The receiver takes the future out of it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct LaterView(pub(super) *const RawLater);

/// A future of some library.
#[repr(C)]
pub(super) struct RawLater {
    /// Null once it has ended, or was taken by somebody else.
    pub(super) future: AtomicPtr<()>,
    /// In the same library.
    pub(super) table: *const LaterTable,
}

/// The functions of a future. They may be called from any thread, one at a time.
#[repr(C)]
pub(super) struct LaterTable {
    /// A `PollFn` of [`later`](super::later), for the view of the future's result.
    pub(super) poll: *const (),
    /// Ends it. Called once, last.
    pub(super) drop: DropObject,
}
