//! `Shared`, the types that may cross, and `Return`, the types of results. Also the types that the C ABI itself knows:
//! numbers, [`Value`], and [`InvokeError`].
#![allow(
    unsafe_code,
    reason = "it says of types that their views can be read, and reads views"
)]
use crate::boundary::abi::{InvokeErrorView, ValueView};
use crate::boundary::describe::{TypeDesc, same};
use crate::boundary::invoke_error::{DynamicResult, InvokeError, WrongType};
use crate::boundary::primitive::Primitive;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, SliceView, StrView};
use std::marker::PhantomData;

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

/// Returns a copy of a value, made in the way in which it crosses.
pub(crate) fn copied<T: Shared>(value: &T) -> T {
    let arena = Arena::new();
    // SAFETY: `value` is borrowed, and the arena lives, until this returns.
    unsafe { T::from_view(value.view(&arena)) }
}

/// A view of a value that another library lends for `'a`, with the description of its type.
pub(crate) struct Described<'a> {
    ty: &'a TypeDesc,
    view: *const (),
    value: PhantomData<&'a ()>,
}

impl<'a> Described<'a> {
    /// Returns the view of the value, or `None` if `ty` is null.
    ///
    /// # Safety
    /// `ty` is null, or the address of a [`TypeDesc`], and `view` is that of a view of such a value. Both, and what the
    /// view borrows, are alive and unchanged during `'a`.
    pub(crate) unsafe fn new(ty: *const (), view: *const ()) -> Option<Self> {
        Some(Described {
            // SAFETY: the caller guarantees that this is null or a description that lives for `'a`.
            ty: unsafe { ty.cast::<TypeDesc>().as_ref() }?,
            view,
            value: PhantomData,
        })
    }

    /// Returns the description of the type.
    pub(crate) fn ty(&self) -> &'a TypeDesc {
        self.ty
    }

    /// Returns a copy of the value, or `None` if its type is another one.
    pub(crate) fn get<T: Shared>(&self) -> Option<T> {
        // SAFETY: the descriptions are equal, so this is a view of a `T`. The caller of `new` guarantees that it can be
        // read during `'a`.
        same(T::TYPE, self.ty).then(|| unsafe { T::from_view(self.view.cast::<T::View>().read()) })
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

    /// Returns true if this is the callee's own error.
    #[inline(always)]
    fn is_error(&self) -> bool {
        false
    }

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
    #[inline(always)]
    fn is_error(&self) -> bool {
        self.is_err()
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

/// Implements `Return` and `Arg` for a shared type that is neither a `Result` nor a number.
#[doc(hidden)]
#[macro_export]
macro_rules! __crosses {
    ([$($generics:tt)*] $ty:ty) => {
        $crate::__returned!([$($generics)*] $ty);
        #[allow(unsafe_code, reason = "every shared type can cross as an argument")]
        const _: () = {
            $crate::__arg!([$($generics)*] $ty);
        };
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
        $crate::__returned!([] $ty);
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

impl Value {
    /// Returns the value of a shared type, without the type.
    pub fn encode<T: Shared>(value: &T) -> Value {
        value.to_value()
    }

    /// Returns the value as one of a shared type.
    ///
    /// # Errors
    /// Returns an error with the path to the place if the value is not of this type.
    pub fn decode<T: Shared>(self) -> Result<T, ValueError> {
        T::from_value(self)
    }
}

/// Returns the view of a collection. Stands apart, so that the view of a [`Value`] stays small enough to be inlined.
#[inline(never)]
fn apart<T: Shared>(items: &T, arena: &Arena) -> T::View {
    items.view(arena)
}

// SAFETY: the view is an enum with a primitive representation, of numbers and views, and every leaf is copied. The type
// is a leaf of the description: its shape is part of the contract's version.
unsafe impl Shared for Value {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<ValueView>("Value");
    type View = ValueView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        use Value::*;
        match self {
            Nil | Bool(_) | Int(_) | Float(_) => false,
            Str(_) | Bytes(_) | List(_) | Map(_) => true,
        }
    }
    #[inline]
    fn view(&self, arena: &Arena) -> ValueView {
        // Integers come first: calls have them most often, and a short call takes no longer than a jump through a
        // table.
        if let Value::Int(number) = self {
            return ValueView::int(*number);
        }
        match self {
            Value::Nil => ValueView::Nil,
            Value::Bool(yes) => ValueView::Bool(*yes),
            Value::Int(number) => ValueView::int(*number),
            Value::Float(number) => ValueView::Float(*number),
            Value::Str(text) => ValueView::Str(StrView::new(text)),
            Value::Bytes(bytes) => ValueView::Bytes(SliceView::new(bytes)),
            Value::List(items) => ValueView::List(apart(items, arena)),
            Value::Map(map) => ValueView::Map(apart(map, arena)),
        }
    }
    #[inline]
    unsafe fn from_view(view: ValueView) -> Self {
        // SAFETY: the caller guarantees that what the view borrows is alive, in each of the variants.
        unsafe {
            match view {
                ValueView::Nil => Value::Nil,
                ValueView::Bool(yes) => Value::Bool(yes),
                ValueView::Int(number) => Value::Int(number.into()),
                ValueView::Large(halves) => Value::Int(ValueView::large(halves)),
                ValueView::Float(number) => Value::Float(number),
                ValueView::Str(text) => Value::Str(Shared::from_view(text)),
                ValueView::Bytes(bytes) => Value::Bytes(Shared::from_view(bytes)),
                ValueView::List(items) => Value::List(Shared::from_view(items)),
                ValueView::Map(map) => Value::Map(Shared::from_view(map)),
            }
        }
    }
    fn to_value(&self) -> Value {
        self.clone()
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        Ok(value)
    }
}
__crosses!([] Value);

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
        // SAFETY: the caller guarantees that what the view borrows is alive, in each of the variants.
        unsafe {
            match view {
                InvokeErrorView::Unknown => InvokeError::Unknown,
                InvokeErrorView::Async => InvokeError::Async,
                InvokeErrorView::WrongCount { expected, found } => {
                    InvokeError::WrongCount { expected, found }
                }
                InvokeErrorView::WrongType { index, texts } => {
                    let mut texts = Vec::<String>::from_view(texts).into_iter();
                    let mut text = || texts.next().unwrap_or_default();
                    InvokeError::WrongType(Box::new(WrongType {
                        index,
                        name: text(),
                        path: text(),
                        expected: text(),
                        found: text(),
                    }))
                }
                InvokeErrorView::Returned(error) => InvokeError::Returned(Value::from_view(error)),
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
