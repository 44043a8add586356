//! Both ends of a call whose arguments are [`Value`]s.
use crate::boundary::call::{Out, Panicked, Status, answer, try_receive};
use crate::boundary::describe::TypeDesc;
use crate::boundary::foreign::Error;
use crate::boundary::shared::{Return, Shared};
use crate::boundary::value::{Value, ValueError, ValueView};
use crate::boundary::view::{Arena, SliceView, StrView};
use std::fmt;
use std::mem::MaybeUninit;

/// What a dynamic call gives.
pub type DynamicResult = Result<Value, InvokeError>;

/// The caller's memory for the result of a dynamic call.
pub type DynamicOut = Out<<DynamicResult as Shared>::View>;

/// Why a dynamic call gives no value.
#[derive(Clone, PartialEq, Debug)]
pub enum InvokeError {
    /// There is no such function.
    Unknown,
    /// The function has another number of parameters.
    WrongCount {
        /// How many it has.
        expected: u32,
        /// How many arguments there were.
        found: u32,
    },
    /// An argument is not of the type it should be.
    WrongType {
        /// Which, from 0.
        index: u32,
        /// The parameter's name.
        name: String,
        /// The place within the argument; empty for the argument itself.
        path: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The function returned an error of its own: a text, unless it is of a `#[shared]` type.
    Returned(Value),
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvokeError::Unknown => f.write_str("no function of this name"),
            InvokeError::WrongCount { expected, found } => {
                let s = if *expected == 1 { "" } else { "s" };
                write!(f, "expected {expected} argument{s}, found {found}")
            }
            InvokeError::WrongType {
                index,
                name,
                path,
                expected,
                found,
            } => {
                let dot = if path.is_empty() || path.starts_with('[') {
                    ""
                } else {
                    "."
                };
                write!(
                    f,
                    "argument {} at {name}{dot}{path}: expected {expected}, found {found}",
                    index + 1
                )
            }
            InvokeError::Returned(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for InvokeError {}

/// The callee's end: the arguments, where there are as many as the function has parameters.
///
/// # Errors
/// [`InvokeError::WrongCount`].
///
/// # Safety
/// The arguments come from [`call_dynamic`], which has not returned, and does not until `'a` is over.
pub unsafe fn arguments<'a>(
    args: SliceView<ValueView>,
    expected: u32,
) -> Result<Arguments<'a>, InvokeError> {
    let found = args.len() as u32;
    if found != expected {
        return Err(InvokeError::WrongCount { expected, found });
    }
    // SAFETY: by the caller's promise.
    Ok(Arguments {
        views: unsafe { args.get() },
        next: 0,
    })
}

/// What a hand-written `invoke_func` returns for a name that it does not know: the caller is told that there is no such
/// function, and calls of each plugin that has it skip this one.
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
    /// The next argument. Once for each.
    ///
    /// # Errors
    /// [`InvokeError::WrongType`].
    ///
    /// # Panics
    /// When there are no more.
    pub fn next<T: Shared>(&mut self, name: &str) -> Result<T, InvokeError> {
        let index = self.next;
        self.next += 1;
        // SAFETY: whoever made `self` promised that the views are valid.
        let value = unsafe { Value::from_view(self.views[index]) };
        T::from_value(value).map_err(|error: ValueError| InvokeError::WrongType {
            index: index as u32,
            name: name.to_owned(),
            path: error.path().to_owned(),
            expected: error.expected().to_owned(),
            found: error.found().to_owned(),
        })
    }
}

/// The callee's end of a call that a hand-written `f` serves: `None` or [`UnknownFunction`] for a name it does not know.
///
/// # Safety
/// Name, arguments and `out` come from [`call_dynamic`], which has not returned.
pub unsafe fn answer_by_name(
    name: StrView,
    args: SliceView<ValueView>,
    out: *mut DynamicOut,
    f: impl FnOnce(&str, &[Value]) -> Option<Result<Value, Error>>,
) -> Status {
    // SAFETY: by the caller's promise, for all three.
    unsafe {
        answer(out, || {
            let args: Vec<Value> = Shared::from_view(args);
            match f(name.get(), &args) {
                None => Err(InvokeError::Unknown),
                Some(Err(error)) if error.is::<UnknownFunction>() => Err(InvokeError::Unknown),
                Some(result) => result.into_dynamic(),
            }
        })
    }
}

/// Up to this many arguments have their views on the caller's stack.
const ON_STACK: usize = 8;

/// The caller's end: lends the arguments, and gives the result. Numbers are not allocated.
///
/// # Errors
/// The callee panicked.
///
/// # Safety
/// `call` hands what it gets to a [`DynamicFn`](super::describe::DynamicFn), and gives its status.
pub unsafe fn call_dynamic(
    args: &[Value],
    call: impl FnOnce(SliceView<ValueView>, *mut DynamicOut) -> Status,
) -> Result<DynamicResult, Panicked> {
    let arena = Arena::new();
    let mut stack = [const { MaybeUninit::<ValueView>::uninit() }; ON_STACK];
    let views = if args.len() <= ON_STACK {
        for (slot, arg) in stack.iter_mut().zip(args) {
            slot.write(arg.view(&arena));
        }
        // SAFETY: just as many are initialised, and `MaybeUninit<T>` has the layout of `T`.
        unsafe {
            SliceView::new(std::slice::from_raw_parts(
                stack.as_ptr().cast(),
                args.len(),
            ))
        }
    } else {
        arena.slice(args.iter().map(|arg| arg.view(&arena)))
    };
    // SAFETY: by the caller's promise.
    unsafe { try_receive(|out| call(views, out)) }
}

/// A view of an [`InvokeError`].
#[repr(u32)]
#[derive(Clone, Copy, Debug)]
pub enum InvokeErrorView {
    /// [`InvokeError::Unknown`].
    Unknown,
    /// [`InvokeError::WrongCount`].
    WrongCount {
        /// How many there should be.
        expected: u32,
        /// How many there were.
        found: u32,
    },
    /// [`InvokeError::WrongType`].
    WrongType {
        /// Which argument.
        index: u32,
        /// Name, path, expected, found.
        texts: [StrView; 4],
    },
    /// [`InvokeError::Returned`].
    Returned(ValueView),
}

// SAFETY: an enum with a primitive representation, of numbers and views, copied to the last of its leaves. The type is a
// leaf of the description: its shape is part of the contract's version.
unsafe impl Shared for InvokeError {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<InvokeErrorView>("InvokeError");
    type View = InvokeErrorView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    fn view(&self, arena: &Arena) -> InvokeErrorView {
        match self {
            InvokeError::Unknown => InvokeErrorView::Unknown,
            InvokeError::WrongCount { expected, found } => InvokeErrorView::WrongCount {
                expected: *expected,
                found: *found,
            },
            InvokeError::WrongType {
                index,
                name,
                path,
                expected,
                found,
            } => InvokeErrorView::WrongType {
                index: *index,
                texts: [name, path, expected, found].map(|text| StrView::new(text)),
            },
            InvokeError::Returned(error) => InvokeErrorView::Returned(error.view(arena)),
        }
    }
    unsafe fn from_view(view: InvokeErrorView) -> Self {
        match view {
            InvokeErrorView::Unknown => InvokeError::Unknown,
            InvokeErrorView::WrongCount { expected, found } => {
                InvokeError::WrongCount { expected, found }
            }
            InvokeErrorView::WrongType { index, texts } => {
                // SAFETY: by the caller's promise.
                let [name, path, expected, found] =
                    texts.map(|text| unsafe { text.get().to_owned() });
                InvokeError::WrongType {
                    index,
                    name,
                    path,
                    expected,
                    found,
                }
            }
            // SAFETY: by the caller's promise.
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
