//! Parameters: how each of them crosses in a C signature, and how the callee restores it.
//!
//! The caller *lends* the parameter: the lent form lies on the caller's stack during the call. The form that *crosses*
//! is a number, a string or slice by value, or the address of the lent form. The callee *takes* that, which copies
//! whatever the parameter cannot borrow from the caller, and *gets* the parameter from the copy.
#![allow(unsafe_code, reason = "it reads the views that a caller has lent")]
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::shared::Shared;
use crate::boundary::std_types::{vec_from_view, view_slice};
use crate::boundary::view::{Arena, SliceView, StrView};

/// A parameter of a call between libraries: a shared `T`, `&T`, `&[T]`, or `&str`.
///
/// # Safety
/// [`Cross`](Self::Cross) is the same in every library for parameters of an equal [`TYPE`](Self::TYPE), and
/// [`take`](Self::take) of one library understands the result of [`cross`](Self::cross) of another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a call between plugins",
    label = "not a shared type",
    note = "a parameter is `&str`, `&[T]`, `&T` or `T`, where `T` is a number, a `String`, a collection, or a type with `#[shared]` on its definition"
)]
pub unsafe trait Arg: Sized {
    /// The description of the parameter.
    const TYPE: &'static TypeDesc;
    /// The type in the C signature.
    type Cross: Copy;
    /// The form that the caller holds during the call.
    type Lent;
    /// The form that the callee holds during the call.
    type Held;
    /// The shared type that the parameter can be lent from.
    type Owned: Shared;

    /// Returns the lent form, from which [`cross`](Self::cross) makes the form that crosses. Arrays of views go into
    /// the arena.
    fn lend(&self, arena: &Arena) -> Self::Lent;

    /// Returns the form that crosses.
    fn cross(lent: &Self::Lent) -> Self::Cross;

    /// Takes the form that crossed.
    ///
    /// # Safety
    /// `cross` comes from a parameter of an equal description. The parameter, its lent form, and the arena stay alive
    /// and unchanged until the result is dropped.
    unsafe fn take(cross: Self::Cross) -> Self::Held;

    /// Returns the parameter.
    ///
    /// # Safety
    /// The contract of [`take`](Self::take) holds, and the result is dropped before `held`. To be called once for each
    /// `held`.
    unsafe fn get(held: &mut Self::Held) -> Self;

    /// Returns a copy of the parameter that shares no memory with it.
    ///
    /// # Safety
    /// The contract of [`take`](Self::take) holds until this function returns.
    unsafe fn keep(cross: Self::Cross) -> Self::Owned;

    /// Does the same as [`lend`](Self::lend), for a copy of the parameter.
    fn lend_owned(owned: &Self::Owned, arena: &Arena) -> Self::Lent;
}

/// Does the same as [`Arg::take`], for a parameter that is not written as a reference. Types with a lifetime are not
/// shared. So the callee cannot get a reference under another name, with a lifetime that is longer than the call.
///
/// # Safety
/// The contract of [`Arg::take`] holds.
#[inline]
pub unsafe fn take_owned<T: Arg + Shared>(cross: T::Cross) -> T::Held {
    // SAFETY: the caller guarantees the contract of `take`.
    unsafe { T::take(cross) }
}

macro_rules! by_value {
    ($($ty:ty),*) => {$(
        // SAFETY: a primitive type crosses as itself, and borrows nothing.
        unsafe impl Arg for $ty {
            const TYPE: &'static TypeDesc = <$ty as Shared>::TYPE;
            type Cross = $ty;
            type Lent = $ty;
            type Held = $ty;
            type Owned = $ty;
            #[inline]
            fn lend(&self, _: &Arena) -> $ty {
                *self
            }
            #[inline]
            fn cross(lent: &$ty) -> $ty {
                *lent
            }
            #[inline]
            unsafe fn take(cross: $ty) -> $ty {
                cross
            }
            #[inline]
            unsafe fn get(held: &mut $ty) -> $ty {
                *held
            }
            #[inline]
            unsafe fn keep(cross: $ty) -> $ty {
                cross
            }
            #[inline]
            fn lend_owned(owned: &$ty, _: &Arena) -> $ty {
                *owned
            }
        }
    )*};
}
by_value!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char
);

/// Implements `Arg` for a shared type that crosses by the address of its view. The generics are in brackets.
#[doc(hidden)]
#[macro_export]
macro_rules! __arg {
    ([$($generics:tt)*] $ty:ty $(where $($bounds:tt)*)?) => {
        // SAFETY: the address of the view crosses. `Shared`, which the compiler demands of the type, says that the callee
        // can copy the value out of it.
        unsafe impl<$($generics)*> $crate::boundary::Arg for $ty $(where $($bounds)*)? {
            const TYPE: &'static $crate::boundary::TypeDesc = <$ty as $crate::boundary::Shared>::TYPE;
            type Cross = *const <$ty as $crate::boundary::Shared>::View;
            type Lent = <$ty as $crate::boundary::Shared>::View;
            type Held = *const <$ty as $crate::boundary::Shared>::View;
            type Owned = $ty;
            #[inline]
            fn lend(&self, arena: &$crate::boundary::Arena) -> Self::Lent {
                $crate::boundary::Shared::view(self, arena)
            }
            #[inline]
            fn cross(lent: &Self::Lent) -> Self::Cross {
                lent
            }
            #[inline]
            unsafe fn take(cross: Self::Cross) -> Self::Held {
                cross
            }
            #[inline]
            unsafe fn get(held: &mut Self::Held) -> Self {
                // SAFETY: the caller guarantees that the lent view behind the address is alive.
                unsafe { $crate::boundary::Shared::from_view(**held) }
            }
            #[inline]
            unsafe fn keep(cross: Self::Cross) -> $ty {
                // SAFETY: the caller guarantees that the lent view behind the address is alive until this returns.
                unsafe { $crate::boundary::Shared::from_view(*cross) }
            }
            #[inline]
            fn lend_owned(owned: &$ty, arena: &$crate::boundary::Arena) -> Self::Lent {
                $crate::boundary::Shared::view(owned, arena)
            }
        }
    };
}
__arg!([]());
__arg!([T: Shared, E: Shared] Result<T, E>);

// SAFETY: a string crosses as its address and length, in the `repr(C)` type `StrView`.
unsafe impl<'a> Arg for &'a str {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<StrView>("&str");
    type Cross = StrView;
    type Lent = StrView;
    type Held = StrView;
    type Owned = String;
    #[inline]
    fn lend(&self, _: &Arena) -> StrView {
        StrView::new(self)
    }
    #[inline]
    fn cross(lent: &StrView) -> StrView {
        *lent
    }
    #[inline]
    unsafe fn take(cross: StrView) -> StrView {
        cross
    }
    #[inline]
    unsafe fn get(held: &mut StrView) -> &'a str {
        // SAFETY: the caller guarantees that the lent string outlives the parameter.
        unsafe { held.get() }
    }
    #[inline]
    unsafe fn keep(cross: StrView) -> String {
        // SAFETY: the caller guarantees that the lent string is alive until this returns.
        unsafe { cross.get() }.to_owned()
    }
    #[inline]
    fn lend_owned(owned: &String, _: &Arena) -> StrView {
        StrView::new(owned)
    }
}

/// The items that a parameter `&[T]` borrows: those of the caller if they are plain, otherwise copies.
pub enum Items<T> {
    /// The caller's items.
    Lent(SliceView<T>),
    /// Copies of the caller's items.
    Copied(Vec<T>),
}

// SAFETY: plain items cross as a slice of themselves, since a view of a plain type has the layout and the bytes of a
// value. Other items cross as a slice of their views.
unsafe impl<'a, T: Shared> Arg for &'a [T] {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<SliceView<T::View>>("", "", Kind::Slice, &[FieldDesc::new("", T::TYPE)]);
    type Cross = SliceView<T::View>;
    type Lent = SliceView<T::View>;
    type Held = Items<T>;
    type Owned = Vec<T>;
    #[inline]
    fn lend(&self, arena: &Arena) -> SliceView<T::View> {
        view_slice(self, arena)
    }
    #[inline]
    fn cross(lent: &SliceView<T::View>) -> SliceView<T::View> {
        *lent
    }
    #[inline]
    unsafe fn take(cross: SliceView<T::View>) -> Items<T> {
        if T::PLAIN {
            Items::Lent(cross.cast())
        } else {
            // SAFETY: the caller guarantees that the lent views, and what they borrow, are alive.
            Items::Copied(unsafe { vec_from_view(cross) })
        }
    }
    #[inline]
    unsafe fn get(held: &mut Items<T>) -> &'a [T] {
        // SAFETY: the caller guarantees that the lent items outlive the parameter, and that the parameter is dropped
        // before `held`, which owns the copies.
        unsafe {
            match held {
                Items::Lent(items) => items.get(),
                Items::Copied(items) => &*std::ptr::from_ref::<[T]>(items),
            }
        }
    }
    #[inline]
    unsafe fn keep(cross: SliceView<T::View>) -> Vec<T> {
        // SAFETY: the caller guarantees that the lent views, and what they borrow, are alive until this returns.
        unsafe { vec_from_view(cross) }
    }
    #[inline]
    fn lend_owned(owned: &Vec<T>, arena: &Arena) -> SliceView<T::View> {
        view_slice(owned, arena)
    }
}

// SAFETY: the address of the view crosses. The callee copies the value out of the view, and lends that copy.
unsafe impl<'a, T: Shared> Arg for &'a T {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<T::View>("", "", Kind::Reference, &[FieldDesc::new("", T::TYPE)]);
    type Cross = *const T::View;
    type Lent = T::View;
    type Held = T;
    type Owned = T;
    #[inline]
    fn lend(&self, arena: &Arena) -> T::View {
        (**self).view(arena)
    }
    #[inline]
    fn cross(lent: &T::View) -> *const T::View {
        lent
    }
    #[inline]
    unsafe fn take(cross: *const T::View) -> T {
        // SAFETY: the caller guarantees that the lent view behind the address is alive.
        unsafe { T::from_view(*cross) }
    }
    #[inline]
    unsafe fn get(held: &mut T) -> &'a T {
        // SAFETY: the caller guarantees that the parameter is dropped before `held`, which owns the copy.
        unsafe { &*std::ptr::from_ref(held) }
    }
    #[inline]
    unsafe fn keep(cross: *const T::View) -> T {
        // SAFETY: the caller guarantees that the lent view behind the address is alive until this returns.
        unsafe { T::from_view(*cross) }
    }
    #[inline]
    fn lend_owned(owned: &T, arena: &Arena) -> T::View {
        owned.view(arena)
    }
}
