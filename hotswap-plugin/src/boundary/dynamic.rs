//! Both ends of a call whose arguments are [`Value`]s, and the functions that are called so.
#![allow(
    unsafe_code,
    reason = "it reads arguments that a caller has lent, and answers"
)]
use crate::boundary::abi::{InvokeErrorView, Status, ValueView};
use crate::boundary::call::{Panicked, Received, caught, put, receive_by, write};
use crate::boundary::describe::{
    DynamicFn, DynamicLaterFn, FunctionDesc, ParamDesc, TypeDesc, function_hash,
};
use crate::boundary::error::Error;
use crate::boundary::invoke_error::{UnknownFunction, WrongType};
use crate::boundary::shared::{Return, Shared};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, SliceView, StrView};
use abi_stable::std_types::{RResult, RSlice, RStr};
use std::mem::MaybeUninit;

pub use crate::boundary::abi::DynamicOut;
pub use crate::boundary::invoke_error::{DynamicResult, InvokeError};

impl FunctionDesc {
    /// Returns the description of a function.
    ///
    /// # Safety
    /// `typed` is what the field of that name describes. Both functions may be called with the address of the plugin's
    /// instance, from any thread.
    pub const unsafe fn new(
        name: &'static str,
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
        typed: *const (),
        dynamic: DynamicFn,
    ) -> Self {
        FunctionDesc {
            name: RStr::from_str(name),
            params: RSlice::from_slice(params),
            result,
            hash: function_hash(params, result),
            typed,
            dynamic,
            dynamic_later: None,
        }
    }

    /// Returns the description of an `async fn`, whose result is a [`Later`](crate::boundary::Later).
    ///
    /// # Safety
    /// The contract of [`new`](Self::new) holds for `typed` and `dynamic`.
    pub const unsafe fn new_async(
        name: &'static str,
        params: &'static [ParamDesc],
        result: &'static TypeDesc,
        typed: *const (),
        dynamic: DynamicLaterFn,
    ) -> Self {
        FunctionDesc {
            dynamic_later: Some(dynamic),
            // SAFETY: the caller guarantees the contract of `new`. `refuse_by_name` may be called with any address.
            ..unsafe { FunctionDesc::new(name, params, result, typed, refuse_by_name) }
        }
    }
}

/// The [`dynamic`](FunctionDesc::dynamic) function of an `async fn`, which refuses the call.
unsafe extern "C" fn refuse_by_name(
    _: *const (),
    _: SliceView<ValueView>,
    out: *mut DynamicOut,
) -> Status {
    // SAFETY: the caller of a `DynamicFn` lends its memory for the result. The view borrows nothing.
    unsafe { write(out, RResult::RErr(InvokeErrorView::Async)) };
    Status::OK
}

/// The callee's end: returns the arguments, if there are as many as the function has parameters.
///
/// # Errors
/// Returns [`InvokeError::WrongCount`] if there are more or fewer.
///
/// # Safety
/// The arguments come from [`call_dynamic`], which does not return until `'a` is over.
#[inline]
pub unsafe fn arguments<'a>(
    args: SliceView<ValueView>,
    expected: u32,
) -> Result<Arguments<'a>, InvokeError> {
    let found = args.len() as u32;
    if found != expected {
        return Err(InvokeError::WrongCount { expected, found });
    }
    // SAFETY: the caller guarantees that the arguments are alive for `'a`.
    Ok(Arguments {
        views: unsafe { args.get() },
        next: 0,
    })
}

/// The arguments of a dynamic call, while the callee reads them.
pub struct Arguments<'a> {
    views: &'a [ValueView],
    next: usize,
}

impl Arguments<'_> {
    /// Returns the next argument. To be called once for each.
    ///
    /// # Errors
    /// Returns [`InvokeError::WrongType`] if the argument is not a `T`.
    ///
    /// # Panics
    /// Panics if there are no more arguments.
    #[inline]
    pub fn next<T: Shared>(&mut self, name: &str) -> Result<T, InvokeError> {
        let index = self.next;
        self.next += 1;
        // SAFETY: the caller of the function that made `self` has guaranteed that the views are valid.
        let value = unsafe { T::from_value_view(&self.views[index]) };
        value.map_err(|error| wrong_type(index, name, &error))
    }
}

#[cold]
#[inline(never)]
fn wrong_type(index: usize, name: &str, error: &ValueError) -> InvokeError {
    InvokeError::WrongType(Box::new(WrongType {
        index: index as u32,
        name: name.to_owned(),
        path: error.path().to_owned(),
        expected: error.expected().to_owned(),
        found: error.found().to_owned(),
    }))
}

/// The callee's end of a call that a hand-written `f` serves. `f` returns `None` or [`UnknownFunction`] for a name that
/// it does not know.
///
/// # Safety
/// Name, arguments, and `out` come from [`call_dynamic`], which has not returned.
pub unsafe fn answer_by_name(
    name: StrView,
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
    f: impl FnOnce(&str, &[Value]) -> Option<Result<Value, Error>>,
) -> Status {
    // SAFETY: the caller guarantees that name, arguments, and `out` are valid until this returns.
    unsafe {
        answer_dynamic(out, || {
            let args: Vec<Value> = Shared::from_view(args);
            match f(name.get(), &args) {
                None => Err(InvokeError::Unknown),
                Some(Err(error)) if error.is::<UnknownFunction>() => Err(InvokeError::Unknown),
                Some(result) => result.into_dynamic(),
            }
        })
    }
}

/// The views of up to this many arguments lie on the caller's stack.
const ON_STACK: usize = 8;

/// The caller's end: lends the arguments, and returns the result. Numbers need no allocation.
///
/// # Errors
/// Returns the error that `error` makes of the callee's refusal, its own error, or its panic.
///
/// # Safety
/// `call` passes its arguments to a [`DynamicFn`], and returns the status of that.
#[inline]
pub unsafe fn call_dynamic<E>(
    args: &[Value],
    call: impl FnOnce(SliceView<ValueView>, *mut DynamicOut) -> Status,
    error: impl FnOnce(Result<InvokeError, Panicked>) -> E,
) -> Result<Value, E> {
    let arena = Arena::new();
    let mut stack = [const { MaybeUninit::<ValueView>::uninit() }; ON_STACK];
    let views = if args.len() <= ON_STACK {
        for (slot, arg) in stack.iter_mut().zip(args) {
            slot.write(arg.view(&arena));
        }
        // SAFETY: the loop above has initialised that many views, and `MaybeUninit<T>` has the layout of `T`.
        unsafe {
            SliceView::new(std::slice::from_raw_parts(
                stack.as_ptr().cast(),
                args.len(),
            ))
        }
    } else {
        arena.slice(args.iter().map(|arg| arg.view(&arena)))
    };
    let then = |received: Received<'_, DynamicResult>| match received.view() {
        // Handled here, since that takes less time than a call.
        Some(RResult::ROk(ValueView::Int(number))) => Ok(Value::Int((*number).into())),
        _ => value_of(received).map_err(error),
    };
    // SAFETY: the caller guarantees that `call` passes `out` to a `DynamicFn`, which answers with this type.
    unsafe { receive_by(|out| call(views, out), then) }
}

fn value_of(received: Received<'_, DynamicResult>) -> Result<Value, Result<InvokeError, Panicked>> {
    Err(match received {
        Received::View(view) => match view.view() {
            RResult::ROk(ValueView::Float(number)) => return Ok(Value::Float(*number)),
            RResult::ROk(ValueView::Bool(yes)) => return Ok(Value::Bool(*yes)),
            RResult::ROk(ValueView::Nil) => return Ok(Value::Nil),
            _ => return view.get().map_err(Ok),
        },
        Received::Result(Ok(value)) => return Ok(value),
        Received::Result(Err(refused)) => Ok(refused),
        Received::Panicked(panicked) => Err(panicked),
        Received::Pending => Err(Panicked::unanswered()),
    })
}

/// The callee's end: passes the result to the caller. A number takes no copy of the whole result.
///
/// # Safety
/// `out` comes from [`call_dynamic`], which has not returned.
#[inline]
pub unsafe fn answer_dynamic(out: *mut DynamicOut, f: impl FnOnce() -> DynamicResult) -> Status {
    // SAFETY: the caller guarantees that `out` is valid, and there is one answer. What `write` gets borrows nothing.
    unsafe {
        caught(out, || {
            let result = f();
            match result.as_ref().ok().and_then(scalar) {
                Some(view) => write(out, RResult::ROk(view)),
                None => put(out, result),
            }
        })
    }
}

/// Returns the view of a value that owns nothing.
#[inline(always)]
fn scalar(value: &Value) -> Option<ValueView> {
    match value {
        Value::Nil => Some(ValueView::Nil),
        Value::Bool(yes) => Some(ValueView::Bool(*yes)),
        Value::Int(number) => Some(ValueView::int(*number)),
        Value::Float(number) => Some(ValueView::Float(*number)),
        Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) => None,
    }
}
