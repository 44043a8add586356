//! Both ends of a call whose arguments are [`Value`]s.
use crate::boundary::abi::{InvokeErrorView, LaterView, Out, Status, ValueView, write};
use crate::boundary::call::{Panicked, Received, answer, caught, put, receive_by};
use crate::boundary::describe::TypeDesc;
use crate::boundary::invoke_error::WrongType;
use crate::boundary::later::Later;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::std_types::Error;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, SliceView, StrView};
use abi_stable::std_types::RResult;
use std::fmt;
use std::mem::MaybeUninit;

pub use crate::boundary::abi::DynamicOut;
pub use crate::boundary::invoke_error::{DynamicResult, InvokeError};

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

/// The error that a hand-written `invoke_func` returns for a name that it does not know. The caller learns that there
/// is no such function, and a call of every plugin with this name skips this one.
///
/// ```
/// use hotswap_plugin::UnknownFunction;
/// use hotswap_plugin::prelude::*;
///
/// # #[derive(Default)]
/// # struct Greeter;
/// # #[plugin]
/// # impl Greeter {
/// fn invoke_func(&self, name: &str, args: &[Value]) -> Result<Value> {
///     match name {
///         "count" => Ok(args.len().into()),
///         _ => Err(UnknownFunction.into()),
///     }
/// }
/// # }
/// # fn main() {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownFunction;

impl fmt::Display for UnknownFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InvokeError::Unknown.fmt(f)
    }
}

impl std::error::Error for UnknownFunction {}

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
/// `call` passes its arguments to a [`DynamicFn`](super::describe::DynamicFn), and returns the status of that.
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
    let then = |received: Received<'_, DynamicResult>| match received {
        // Handled here, since that takes less time than a call.
        Received::View(RResult::ROk(ValueView::Int(number))) => Ok(Value::Int((*number).into())),
        received => value_of(received).map_err(error),
    };
    // SAFETY: the caller guarantees that `call` passes `out` to a `DynamicFn`, which answers with this type.
    unsafe { receive_by(|out| call(views, out), then) }
}

fn value_of(received: Received<'_, DynamicResult>) -> Result<Value, Result<InvokeError, Panicked>> {
    Err(match received {
        Received::View(RResult::ROk(view)) => match view {
            ValueView::Float(number) => return Ok(Value::Float(*number)),
            ValueView::Bool(yes) => return Ok(Value::Bool(*yes)),
            ValueView::Nil => return Ok(Value::Nil),
            // SAFETY: a view that is received as such borrows nothing.
            view => return Ok(unsafe { Value::from_view(*view) }),
        },
        // SAFETY: a view that is received as such borrows nothing.
        Received::View(RResult::RErr(view)) => Ok(unsafe { InvokeError::from_view(*view) }),
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
    let run = || {
        let result = f();
        match result.as_ref().ok().and_then(scalar) {
            // SAFETY: the caller guarantees that `out` is valid. The view borrows nothing.
            Some(view) => unsafe { write(out, RResult::ROk(view)) },
            // SAFETY: the caller guarantees that `out` is valid, and this is the only answer.
            None => unsafe { put(out, result) },
        }
    };
    // SAFETY: the caller guarantees that `out` is valid.
    unsafe { caught(out, run) }
}

/// The callee's end of an `async fn`: `f` reads the arguments, and starts the function.
///
/// # Safety
/// `out` is the caller's memory for such a result.
pub unsafe fn answer_later(
    out: *mut Out<LaterView>,
    f: impl FnOnce() -> Result<Later<DynamicResult>, InvokeError>,
) -> Status {
    let begin = || f().unwrap_or_else(|refused| Later::new(std::future::ready(Err(refused))));
    // SAFETY: the caller guarantees that `out` is valid memory for such a result.
    unsafe { answer(out, begin) }
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

// SAFETY: the view is an enum with a primitive representation, of numbers and views, and every leaf is copied. The type
// is a leaf of the description: its shape is part of the contract's version.
unsafe impl Shared for InvokeError {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<InvokeErrorView>("InvokeError");
    type View = InvokeErrorView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[cold]
    fn view(&self, arena: &Arena) -> InvokeErrorView {
        match self {
            InvokeError::Unknown => InvokeErrorView::Unknown,
            InvokeError::Async => InvokeErrorView::Async,
            InvokeError::WrongCount { expected, found } => InvokeErrorView::WrongCount {
                expected: *expected,
                found: *found,
            },
            InvokeError::WrongType(wrong) => {
                let texts = [&wrong.name, &wrong.path, &wrong.expected, &wrong.found];
                InvokeErrorView::WrongType {
                    index: wrong.index,
                    texts: arena.slice(texts.into_iter().map(|text| StrView::new(text))),
                }
            }
            InvokeError::Returned(error) => InvokeErrorView::Returned(error.view(arena)),
        }
    }
    #[cold]
    unsafe fn from_view(view: InvokeErrorView) -> Self {
        match view {
            InvokeErrorView::Unknown => InvokeError::Unknown,
            InvokeErrorView::Async => InvokeError::Async,
            InvokeErrorView::WrongCount { expected, found } => {
                InvokeError::WrongCount { expected, found }
            }
            InvokeErrorView::WrongType { index, texts } => {
                // SAFETY: the caller guarantees that the views are alive.
                let texts = unsafe { texts.get() };
                // SAFETY: the caller guarantees that the texts are alive. `view` of this type writes exactly these
                // four.
                let text = |at: usize| unsafe { texts[at].get().to_owned() };
                InvokeError::WrongType(Box::new(WrongType {
                    index,
                    name: text(0),
                    path: text(1),
                    expected: text(2),
                    found: text(3),
                }))
            }
            // SAFETY: the caller guarantees that what the view of the error borrows is alive.
            InvokeErrorView::Returned(error) => {
                InvokeError::Returned(unsafe { Value::from_view(error) })
            }
        }
    }
    fn to_value(&self) -> Value {
        Value::Str(self.to_string())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Ok(InvokeError::Returned(value))
    }
}
