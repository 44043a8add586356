//! The types that every call consists of, as they lie in memory: the status, the caller's memory for the result, and
//! the views of results without a static type.
//!
//! The descriptions of functions refer to them. The code that uses them is in [`call`](super::call),
//! [`dynamic`](super::dynamic), and [`later`](super::later).
// The derive of `StableAbi` emits items without documentation.
#![allow(missing_docs)]
use crate::boundary::view::{SliceView, StrView};
use crate::contract::ticket::{DropObject, RawTicket};
use abi_stable::StableAbi;
use abi_stable::std_types::{RResult, Tuple2};
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicPtr;

/// The way in which a call across the boundary ended.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, StableAbi)]
pub struct Status(u32);

impl Status {
    /// The function returned, and the caller has the result.
    pub const OK: Status = Status(0);
    /// The function panicked, and the caller has the text of the panic.
    pub const PANICKED: Status = Status(1);
    /// The future is not ready: see [`later`](crate::boundary::later).
    pub const PENDING: Status = Status(2);
    /// A hook returned an error, and the caller has its text.
    pub const FAILED: Status = Status(3);
}

/// The caller's memory for a result, and the caller's code that fills it. `V` is the result's view.
#[repr(C)]
pub struct Out<V> {
    pub(super) ops: *const OutOps<V>,
    /// Written by the callee if the view borrows nothing.
    pub(super) value: MaybeUninit<V>,
}

/// The caller's functions for an [`Out`].
#[repr(C)]
pub(super) struct OutOps<V> {
    /// Copies the value that the view shows into the caller's memory. Does not unwind.
    pub(super) take: unsafe extern "C" fn(*mut Out<V>, *const V),
    /// Takes the text of the callee's panic, and drops the value that `take` copied. Does not unwind.
    pub(super) fail: unsafe extern "C" fn(*mut (), StrView),
}

/// A view of a [`Value`](super::Value).
#[repr(u8)]
#[derive(Clone, Copy, Debug)]
pub enum ValueView {
    /// Nothing.
    Nil,
    /// A bool.
    Bool(bool),
    /// An integer of 64 bits. A view of 128 bits would be written as two halves and read at once, which takes a
    /// processor longer than the rest of a call.
    Int(i64),
    /// Any other integer: its low half, then its high half.
    Large([u64; 2]),
    /// A floating point number.
    Float(f64),
    /// A string.
    Str(StrView),
    /// Bytes.
    Bytes(SliceView<u8>),
    /// Items.
    List(SliceView<ValueView>),
    /// Keys and values.
    Map(SliceView<Tuple2<StrView, ValueView>>),
}

impl ValueView {
    /// Returns the view of an integer.
    #[inline]
    pub(super) fn int(number: i128) -> Self {
        match i64::try_from(number) {
            Ok(number) => ValueView::Int(number),
            Err(_) => ValueView::Large([number as u64, (number >> 64) as u64]),
        }
    }

    /// Returns the integer with these halves.
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
        /// The number of parameters.
        expected: u32,
        /// The number of arguments.
        found: u32,
    },
    /// [`InvokeError::WrongType`](super::InvokeError::WrongType).
    WrongType {
        /// The argument's index, from 0.
        index: u32,
        /// The parameter's name, the path, and the expected and the found type.
        texts: SliceView<StrView>,
    },
    /// [`InvokeError::Returned`](super::InvokeError::Returned).
    Returned(ValueView),
}

/// The caller's memory for the result of a dynamic call: a [`DynamicResult`](super::DynamicResult).
pub type DynamicOut = Out<RResult<ValueView, InvokeErrorView>>;

/// A table, and the object that its functions work on. A library that has compared the descriptions knows the table's
/// type.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, StableAbi)]
pub struct RawObject {
    /// An `Interface::Table`, whose entries may be [routed](crate::boundary::relay), or null for an optional object that is
    /// absent.
    pub table: *const (),
    /// The first argument of its functions.
    pub this: *const (),
    /// The ticket that counts the object, for those who may keep it: see [`Held`](crate::Held). Null if the lender
    /// keeps the object alive for as long as it can be used.
    pub ticket: RawTicket,
}

impl RawObject {
    /// Stands for an optional object that is absent.
    pub const ABSENT: RawObject = RawObject {
        table: std::ptr::null(),
        this: std::ptr::null(),
        ticket: RawTicket::NONE,
    };

    /// An object that its lender keeps alive for as long as it can be used.
    pub const fn lent(table: *const (), this: *const ()) -> RawObject {
        RawObject {
            table,
            this,
            ticket: RawTicket::NONE,
        }
    }
}

/// The view of a [`Held`](crate::Held). The receiver adds a count of its own.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HeldView(pub(super) RawObject);

/// The receiver of the text of an error or a panic.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Sink {
    /// The first argument of `put`.
    pub data: *mut (),
    /// Copies the text. Does not unwind.
    pub put: unsafe extern "C" fn(*mut (), StrView),
}

/// A C function that takes [`Value`](crate::boundary::Value)s, checks them, and returns one.
pub type DynamicFn = unsafe extern "C" fn(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
) -> Status;

/// A [`DynamicFn`] whose result is a future.
pub type DynamicLaterFn = unsafe extern "C" fn(
    this: *const (),
    args: SliceView<ValueView>,
    out: *mut Out<LaterView>,
) -> Status;

/// The view of a [`Later`](super::Later): the address of its `RawLater`. The receiver takes the future out of it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct LaterView(pub(super) *const RawLater);

/// A future, and the functions of the library that made it.
#[repr(C)]
pub(super) struct RawLater {
    /// Null once the future has ended, or was taken out.
    pub(super) future: AtomicPtr<()>,
    /// A constant of the library that made the future.
    pub(super) table: *const LaterTable,
}

/// The functions of a future. They may be called from any thread, one at a time.
#[repr(C)]
pub(super) struct LaterTable {
    /// A `PollFn` of [`later`](super::later), for the view of the future's result.
    pub(super) poll: *const (),
    /// Drops the future. Called once, as the last function.
    pub(super) drop: DropObject,
}
