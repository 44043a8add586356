//! `Shared`, the types that may cross, and `Return`, the types of results.
use crate::boundary::abi::ValueView;
use crate::boundary::describe::TypeDesc;
use crate::boundary::invoke_error::{DynamicResult, InvokeError};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape::into_nothing;
use crate::boundary::view::Arena;

/// A type that may cross between libraries. Put `#[shared]` on a struct or an enum. Numbers, strings, collections,
/// `Option`, `Result`, tuples of up to four, and [`Error`](super::Error) are shared already.
///
/// A copy is made field by field, private fields included, and no constructor runs. Equal descriptions mean that the
/// fields have the same names and types. They do not mean that the same invariants hold for them: see
/// [`#[shared]`](macro@crate::shared#private-fields).
///
/// # Safety
/// - [`View`](Self::View) is the same in every library for types of an equal [`TYPE`](Self::TYPE): it is `repr(C)`, or
///   a primitive type, down to its last field.
/// - A view made by one library can be read by [`from_view`](Self::from_view) of another, as long as the value and the
///   arena it was made from are alive and unchanged. The result shares no memory with the view.
/// - Where [`BORROWS`](Self::BORROWS) is `false`, or [`borrows`](Self::borrows) says so of a value, the view can be read
///   without the value and the arena.
/// - Where [`PLAIN`](Self::PLAIN) is `true`, the value and its view have one layout and the same bytes, any copy of
///   these bytes is a value of its own, and there is nothing to drop.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross between plugins",
    label = "not a shared type",
    note = "put `#[shared]` on the definition of `{Self}`, or use numbers, `String`, `Vec`, `Option`, `Result`, `HashMap`, tuples of shared types"
)]
pub unsafe trait Shared: Sized + 'static {
    /// The description of the view, which both sides compare.
    const TYPE: &'static TypeDesc;
    /// The type that crosses: numbers as they are, everything else as a `repr(C)` type of views.
    type View: Copy + 'static;
    /// True if a view may borrow from the value or the arena.
    const BORROWS: bool;
    /// True if the view is the value, byte for byte.
    const PLAIN: bool;

    /// Returns true if the view of this value borrows something. The view of `Ok(1)`, for instance, does not, even
    /// where that of an `Err` would.
    #[inline]
    fn borrows(&self) -> bool {
        Self::BORROWS
    }

    /// Returns the view, which crosses instead of the value. Arrays of views go into the arena.
    fn view(&self, arena: &Arena) -> Self::View;

    /// Returns a copy of the value that the view was made of, in memory of the library that runs this.
    ///
    /// # Safety
    /// The view was made by a type of an equal description, and the value and the arena that it was made from are alive
    /// and unchanged.
    unsafe fn from_view(view: Self::View) -> Self;

    /// Returns the value without its type: a struct is a map, a variant without fields is a string, and any other
    /// variant is a map with one entry.
    fn to_value(&self) -> Value;

    /// Returns the value of this type for which [`to_value`](Self::to_value) returns `value`.
    ///
    /// # Errors
    /// Returns an error with the path to the place if `value` is not of this type.
    fn from_value(value: Value) -> Result<Self, ValueError>;

    /// Does the same as [`from_value`](Self::from_value), with a value that is still with its owner.
    ///
    /// # Errors
    /// Returns an error with the path to the place if the value is not of this type.
    ///
    /// # Safety
    /// The contract of [`from_view`](Self::from_view) holds for the view of a [`Value`].
    #[inline]
    unsafe fn from_value_view(view: &ValueView) -> Result<Self, ValueError> {
        // SAFETY: the caller guarantees that what the view borrows is alive.
        Self::from_value(unsafe { Value::from_view(*view) })
    }
}

/// The result of a call. An `Err` of the callee is an error to the caller, beside the errors of the call itself. Any
/// other value is a success.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a call between plugins",
    label = "not a shared type",
    note = "put `#[shared]` on its definition; a result is owned: `String` for `&str`, `Vec<T>` for `&[T]`"
)]
pub trait Return: Shared {
    /// The value of a success.
    type Ok;
    /// The callee's own error: [`Infallible`](std::convert::Infallible) for any type but a `Result`.
    type Err;

    /// Splits the result into success and error.
    ///
    /// # Errors
    /// Returns the callee's own error.
    fn split(self) -> Result<Self::Ok, Self::Err>;

    /// Splits the result into success and error, without their types.
    ///
    /// # Errors
    /// Returns [`InvokeError::Returned`] with the callee's own error.
    fn into_dynamic(self) -> DynamicResult;
}

impl<T: Shared, E: Shared> Return for Result<T, E> {
    type Ok = T;
    type Err = E;
    #[inline]
    fn split(self) -> Result<T, E> {
        self
    }
    #[inline]
    fn into_dynamic(self) -> DynamicResult {
        match self {
            Ok(value) => Ok(value.to_value()),
            Err(error) => Err(InvokeError::Returned(error.to_value())),
        }
    }
}

/// Implements `Return` for a shared type that is not a `Result`. The generics are in brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! __returned {
    ([$($generics:tt)*] $ty:ty $(where $($bounds:tt)*)?) => {
        impl<$($generics)*> $crate::boundary::Return for $ty $(where $($bounds)*)? {
            type Ok = $ty;
            type Err = ::core::convert::Infallible;
            #[inline]
            fn split(self) -> ::core::result::Result<$ty, ::core::convert::Infallible> {
                ::core::result::Result::Ok(self)
            }
            #[inline]
            fn into_dynamic(self) -> $crate::boundary::DynamicResult {
                ::core::result::Result::Ok($crate::boundary::Shared::to_value(&self))
            }
        }
    };
}

macro_rules! plain {
    ($($ty:ty),*) => {$(
        // SAFETY: a primitive type has one layout everywhere, borrows nothing, and has no drop.
        unsafe impl Shared for $ty {
            const TYPE: &'static TypeDesc = &TypeDesc::leaf::<$ty>(stringify!($ty));
            type View = $ty;
            const BORROWS: bool = false;
            const PLAIN: bool = true;
            #[inline]
            fn view(&self, _: &Arena) -> $ty {
                *self
            }
            #[inline]
            unsafe fn from_view(view: $ty) -> $ty {
                view
            }
            #[inline]
            fn to_value(&self) -> Value {
                Value::from(*self)
            }
            fn from_value(value: Value) -> Result<$ty, ValueError> {
                Primitive::read(value)
            }
            #[inline]
            unsafe fn from_value_view(view: &ValueView) -> Result<$ty, ValueError> {
                match Primitive::glance(view) {
                    Some(value) => Ok(value),
                    // SAFETY: the caller guarantees that what the view borrows is alive.
                    None => Primitive::read(unsafe { Value::from_view(*view) }),
                }
            }
        }
        __returned!([] $ty);
    )*};
}
plain!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    char,
    ()
);

/// Reads a primitive type from a value.
trait Primitive: Sized {
    fn read(value: Value) -> Result<Self, ValueError>;
    /// Returns the value if the view has it directly.
    #[inline]
    fn glance(_: &ValueView) -> Option<Self> {
        None
    }
}

macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl Primitive for $ty {
            fn read(value: Value) -> Result<$ty, ValueError> {
                let number = match &value {
                    Value::Int(number) => <$ty>::try_from(*number).ok(),
                    // A number that is too large for `Value::Int`.
                    Value::Str(text) if <$ty>::MAX as u128 == u128::MAX => text.parse().ok(),
                    _ => None,
                };
                number.ok_or_else(|| ValueError::new(stringify!($ty), &value))
            }
            #[inline]
            fn glance(view: &ValueView) -> Option<$ty> {
                match view {
                    ValueView::Int(number) => <$ty>::try_from(*number).ok(),
                    _ => None,
                }
            }
        }
    )*};
}
integer!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

macro_rules! float {
    ($($ty:ty),*) => {$(
        impl Primitive for $ty {
            fn read(value: Value) -> Result<$ty, ValueError> {
                match value {
                    Value::Float(number) => Ok(number as $ty),
                    Value::Int(number) => Ok(number as $ty),
                    _ => Err(ValueError::new(stringify!($ty), &value)),
                }
            }
            #[inline]
            fn glance(view: &ValueView) -> Option<$ty> {
                match view {
                    ValueView::Float(number) => Some(*number as $ty),
                    _ => None,
                }
            }
        }
    )*};
}
float!(f32, f64);

impl Primitive for bool {
    fn read(value: Value) -> Result<bool, ValueError> {
        match value {
            Value::Bool(yes) => Ok(yes),
            _ => Err(ValueError::new("bool", &value)),
        }
    }
    #[inline]
    fn glance(view: &ValueView) -> Option<bool> {
        match view {
            ValueView::Bool(yes) => Some(*yes),
            _ => None,
        }
    }
}

impl Primitive for char {
    fn read(value: Value) -> Result<char, ValueError> {
        let mut chars = value.as_str().unwrap_or_default().chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(char),
            _ => Err(ValueError::new("char", &value)),
        }
    }
}

impl Primitive for () {
    fn read(value: Value) -> Result<(), ValueError> {
        into_nothing(value)
    }
}
