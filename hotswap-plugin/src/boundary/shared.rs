//! The types that may cross.
use crate::boundary::abi::ValueView;
use crate::boundary::describe::TypeDesc;
use crate::boundary::invoke_error::{DynamicResult, InvokeError};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape::into_nothing;
use crate::boundary::view::Arena;

/// A type that may cross between libraries. Put `#[shared]` on a struct or an enum; numbers, texts, collections,
/// `Option`, `Result`, tuples of up to four and [`Error`](super::Error) are shared already.
///
/// A copy is made field by field, private fields included, and no constructor runs. Equal descriptions say that the fields have
/// the same names and types, and not that the same invariants hold for them: see
/// [`#[shared]`](macro@crate::shared#private-fields).
///
/// # Safety
/// - [`View`](Self::View) is the same in every library for types of an equal [`TYPE`](Self::TYPE): it is `repr(C)`, or
///   a primitive type, down to its last field.
/// - A view made by one library can be read by [`from_view`](Self::from_view) of another, as long as the value and the
///   arena it was made from are alive and unchanged. What that gives shares no memory with the view.
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
    /// What crosses: numbers as they are, everything else as a `repr(C)` type of views.
    type View: Copy + 'static;
    /// Whether a view points to something.
    const BORROWS: bool;
    /// Whether the view is the value, byte for byte.
    const PLAIN: bool;

    /// Whether the view of this value points to something, as that of `Ok(1)` does not where that of an error would.
    #[inline]
    fn borrows(&self) -> bool {
        Self::BORROWS
    }

    /// What crosses instead of the value. Arrays of views go into the arena.
    fn view(&self, arena: &Arena) -> Self::View;

    /// A copy of the value that the view was made of, in memory of the library that runs this.
    ///
    /// # Safety
    /// The view was made by a type of an equal description, and what it was made of is alive and unchanged.
    unsafe fn from_view(view: Self::View) -> Self;

    /// The value without its type: a struct is a map, a variant without fields is a text, any other variant is a map
    /// with one entry.
    fn to_value(&self) -> Value;

    /// The value of this type that [`to_value`](Self::to_value) gives `value` for.
    ///
    /// # Errors
    /// It is not of this type; the error has the path to the place.
    fn from_value(value: Value) -> Result<Self, ValueError>;

    /// The same of a value that is still with its owner.
    ///
    /// # Errors
    /// As [`from_value`](Self::from_value).
    ///
    /// # Safety
    /// As [`from_view`](Self::from_view), of a [`Value`].
    #[inline]
    unsafe fn from_value_view(view: &ValueView) -> Result<Self, ValueError> {
        // SAFETY: by the caller's promise.
        Self::from_value(unsafe { Value::from_view(*view) })
    }
}

/// The result of a call. An `Err` of the callee is an error to a caller who may also meet other errors; anything else
/// is a success.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a call between plugins",
    label = "not a shared type",
    note = "put `#[shared]` on its definition; a result is owned: `String` for `&str`, `Vec<T>` for `&[T]`"
)]
pub trait Return: Shared {
    /// What a success gives.
    type Ok;
    /// What the callee's own error is: [`Infallible`](std::convert::Infallible) for anything but a `Result`.
    type Err;

    /// Success or error.
    ///
    /// # Errors
    /// The callee's own.
    fn split(self) -> Result<Self::Ok, Self::Err>;

    /// Success or error, without the type.
    ///
    /// # Errors
    /// [`InvokeError::Returned`] with the callee's own error.
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

/// Implements `Return` for a shared type that is not a `Result`, with the generics in brackets.
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
        // SAFETY: a primitive type with one layout everywhere, that points to nothing and has no drop.
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
                    // SAFETY: by the caller's promise.
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
    /// The value, where it takes no more than a look.
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
                    // What is too large for `Value::Int`.
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
