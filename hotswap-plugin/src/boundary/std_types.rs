//! Shared types of the standard library other than numbers.
#![allow(
    unsafe_code,
    reason = "it says of types that their views can be read, and reads views"
)]
use crate::__crosses;
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::error::{Error, chain};
use crate::boundary::shared::Shared;
use crate::boundary::std_values::{
    duration_from_value, duration_to_value, items, items_of, list, map_from_value, map_to_value,
    vec_from_value,
};
#[cfg(unix)]
use crate::boundary::std_values::{path_from_value, path_to_value};
use crate::boundary::value::{Value, ValueError};
use crate::boundary::value_shape;
use crate::boundary::view::{Arena, SliceView, StrView};
use abi_stable::std_types::{ROption, RResult, Tuple2, Tuple3, Tuple4};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Returns a view of the items themselves if they are plain, otherwise a view of an array of their views in the arena.
#[inline]
pub(super) fn view_slice<T: Shared>(items: &[T], arena: &Arena) -> SliceView<T::View> {
    if T::PLAIN {
        SliceView::new(items).cast()
    } else {
        arena.slice(items.iter().map(|item| item.view(arena)))
    }
}

/// Returns a copy of the items.
///
/// # Safety
/// The contract of [`Shared::from_view`] holds for the view and for all of its items.
#[inline]
pub(super) unsafe fn vec_from_view<T: Shared>(view: SliceView<T::View>) -> Vec<T> {
    if T::PLAIN {
        // SAFETY: the caller guarantees that the items are alive. A view of a plain type has the bytes of a value, and
        // a copy of these bytes is a value of its own.
        unsafe {
            let bytes: &[MaybeUninit<T>] = view.cast().get();
            let mut items = Vec::with_capacity(bytes.len());
            std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), items.as_mut_ptr(), bytes.len());
            items.set_len(bytes.len());
            items
        }
    } else {
        // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
        unsafe { read_items(view) }
    }
}

// SAFETY: the view is that of a string in the arena. The receiver makes an error of its own from it.
unsafe impl Shared for Error {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<StrView>("Error");
    type View = StrView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    fn view(&self, arena: &Arena) -> StrView {
        arena.text(&chain(&**self))
    }
    unsafe fn from_view(view: StrView) -> Self {
        // SAFETY: the caller guarantees that the string is alive.
        unsafe { view.get() }.into()
    }
    fn to_value(&self) -> Value {
        Value::Str(chain(&**self))
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        String::from_value(value).map(Error::from)
    }
}
__crosses!([] Error);

// SAFETY: the view is that of a string that the value owns. The receiver copies it.
unsafe impl Shared for String {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<StrView>("String");
    type View = StrView;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> StrView {
        StrView::new(self)
    }
    #[inline]
    unsafe fn from_view(view: StrView) -> Self {
        // SAFETY: the caller guarantees that the string is alive.
        unsafe { view.get() }.to_owned()
    }
    fn to_value(&self) -> Value {
        Value::Str(self.clone())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Str(text) => Ok(text),
            _ => Err(ValueError::new("String", &value)),
        }
    }
}
__crosses!([] String);

// SAFETY: the view is that of the bytes of a path, which the value owns. The receiver copies them.
#[cfg(unix)]
unsafe impl Shared for std::path::PathBuf {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<SliceView<u8>>("PathBuf");
    type View = SliceView<u8>;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> Self::View {
        use std::os::unix::ffi::OsStrExt;
        SliceView::new(self.as_os_str().as_bytes())
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: the caller guarantees that the bytes are alive.
        std::ffi::OsStr::from_bytes(unsafe { view.get() }).into()
    }
    fn to_value(&self) -> Value {
        path_to_value(self)
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        path_from_value(value)
    }
}
#[cfg(unix)]
__crosses!([] std::path::PathBuf);

/// A view of a [`Duration`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DurationView {
    secs: u64,
    nanos: u32,
}

// SAFETY: the view is a `repr(C)` struct of two numbers, which borrows nothing.
unsafe impl Shared for Duration {
    const TYPE: &'static TypeDesc = &TypeDesc::leaf::<DurationView>("Duration");
    type View = DurationView;
    const BORROWS: bool = false;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, _: &Arena) -> DurationView {
        DurationView {
            secs: self.as_secs(),
            nanos: self.subsec_nanos(),
        }
    }
    #[inline]
    unsafe fn from_view(view: DurationView) -> Self {
        Duration::new(view.secs, view.nanos)
    }
    fn to_value(&self) -> Value {
        duration_to_value(*self)
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        duration_from_value(value)
    }
}
__crosses!([] Duration);

// SAFETY: the view is that of the content, which keeps the contract of `Shared`. The box is not plain, since it owns
// memory.
unsafe impl<T: Shared> Shared for Box<T> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<T::View>("", "Box", Kind::Generic, &[FieldDesc::new("", T::TYPE)]);
    type View = T::View;
    const BORROWS: bool = T::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        (**self).borrows()
    }
    #[inline]
    fn view(&self, arena: &Arena) -> T::View {
        (**self).view(arena)
    }
    #[inline]
    unsafe fn from_view(view: T::View) -> Self {
        // SAFETY: the caller guarantees that what the content's view borrows is alive.
        Box::new(unsafe { T::from_view(view) })
    }
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        T::from_value(value).map(Box::new)
    }
}
__crosses!([T: Shared] Box<T>);

// SAFETY: the view is an enum with a fixed layout, of the content's view, and the content keeps the contract of
// `Shared`.
unsafe impl<T: Shared> Shared for Option<T> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<Self::View>("", "Option", Kind::Generic, &[FieldDesc::new("", T::TYPE)]);
    type View = ROption<T::View>;
    const BORROWS: bool = T::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        self.as_ref().is_some_and(T::borrows)
    }
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        match self {
            Some(value) => ROption::RSome(value.view(arena)),
            None => ROption::RNone,
        }
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        match view {
            // SAFETY: the caller guarantees that what the content's view borrows is alive.
            ROption::RSome(view) => Some(unsafe { T::from_view(view) }),
            ROption::RNone => None,
        }
    }
    /// Returns the content's value, or nil. `Some(None)` is nil, too.
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Nil, T::to_value)
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            Value::Nil => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}
__crosses!([T: Shared] Option<T>);

// SAFETY: the view is an enum with a fixed layout, of the contents' views, and the contents keep the contract of
// `Shared`.
unsafe impl<T: Shared, E: Shared> Shared for std::result::Result<T, E> {
    const TYPE: &'static TypeDesc = &TypeDesc::new::<Self::View>(
        "",
        "Result",
        Kind::Generic,
        &[FieldDesc::new("", T::TYPE), FieldDesc::new("", E::TYPE)],
    );
    type View = RResult<T::View, E::View>;
    const BORROWS: bool = T::BORROWS || E::BORROWS;
    const PLAIN: bool = false;
    #[inline]
    fn borrows(&self) -> bool {
        match self {
            Ok(value) => value.borrows(),
            Err(error) => error.borrows(),
        }
    }
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        match self {
            Ok(value) => RResult::ROk(value.view(arena)),
            Err(error) => RResult::RErr(error.view(arena)),
        }
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        // SAFETY: the caller guarantees that what either view borrows is alive.
        unsafe {
            match view {
                RResult::ROk(view) => Ok(T::from_view(view)),
                RResult::RErr(view) => Err(E::from_view(view)),
            }
        }
    }
    /// Returns `{Ok: …}` or `{Err: …}`.
    fn to_value(&self) -> Value {
        match self {
            Ok(value) => value_shape::variant("Ok", value.to_value()),
            Err(error) => value_shape::variant("Err", error.to_value()),
        }
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value_shape::into_variant(value, "Result")? {
            (name, value) if name == "Ok" => {
                value_shape::within("Ok", || T::from_value(value)).map(Ok)
            }
            (name, value) if name == "Err" => {
                value_shape::within("Err", || E::from_value(value)).map(Err)
            }
            (name, _) => value_shape::unknown_variant("Result", name),
        }
    }
}

macro_rules! tuple {
    ($view:ident, $($T:ident $index:tt),*) => {
        // SAFETY: the view is a `repr(C)` struct of the contents' views, and the contents keep the contract of
        // `Shared`.
        unsafe impl<$($T: Shared),*> Shared for ($($T,)*) {
            const TYPE: &'static TypeDesc =
                &TypeDesc::new::<Self::View>("", "", Kind::Tuple, &[$(FieldDesc::new("", $T::TYPE)),*]);
            type View = $view<$($T::View),*>;
            const BORROWS: bool = $($T::BORROWS)||*;
            const PLAIN: bool = false;
            #[inline]
            fn view(&self, arena: &Arena) -> Self::View {
                $view($(self.$index.view(arena)),*)
            }
            #[inline]
            unsafe fn from_view(view: Self::View) -> Self {
                // SAFETY: the caller guarantees that what each of the views borrows is alive.
                unsafe { ($($T::from_view(view.$index),)*) }
            }
            fn to_value(&self) -> Value {
                Value::List(vec![$(self.$index.to_value()),*])
            }
            fn from_value(value: Value) -> Result<Self, ValueError> {
                let mut items = value_shape::into_items(value, "a tuple", [$($index),*].len())?;
                Ok(($(items.take($T::from_value)?,)*))
            }
        }
        __crosses!([$($T: Shared),*] ($($T,)*));
    };
}
tuple!(Tuple2, A 0, B 1);
tuple!(Tuple3, A 0, B 1, C 2);
tuple!(Tuple4, A 0, B 1, C 2, D 3);

// SAFETY: the view is a `repr(C)` array of the items' views, and the items keep the contract of `Shared`.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {
    const TYPE: &'static TypeDesc =
        &TypeDesc::array::<Self::View>(&[FieldDesc::new("", T::TYPE)], N);
    type View = [T::View; N];
    const BORROWS: bool = T::BORROWS;
    const PLAIN: bool = T::PLAIN;
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        self.each_ref().map(|item| item.view(arena))
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        // SAFETY: the caller guarantees that what each of the views borrows is alive.
        view.map(|item| unsafe { T::from_view(item) })
    }
    fn to_value(&self) -> Value {
        list(self.iter())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        let items: Vec<T> = items(value, "an array", Some(N))?;
        Ok(items
            .try_into()
            .unwrap_or_else(|_| unreachable!("the length was compared")))
    }
}
__crosses!([T: Shared, const N: usize] [T; N]);

/// Implements `Shared` for a collection, which crosses as a slice of the views of its items or pairs.
macro_rules! collection {
    (
        $(#[$inline:meta])? [$($generics:tt)*] $name:ident<$($T:ident),*>: $Item:ty,
        $view:ident, $read:ident, $to_value:ident, $from_value:ident
    ) => {
        // SAFETY: the view is a `repr(C)` slice of plain items, of views, or of pairs of views, and the parameters of the
        // collection keep the contract of `Shared`.
        unsafe impl<$($generics)*> Shared for $name<$($T),*> {
            const TYPE: &'static TypeDesc = &TypeDesc::new::<Self::View>(
                "",
                stringify!($name),
                Kind::Generic,
                &[$(FieldDesc::new("", $T::TYPE)),*],
            );
            type View = SliceView<$Item>;
            const BORROWS: bool = true;
            const PLAIN: bool = false;
            $(#[$inline])?
            fn view(&self, arena: &Arena) -> Self::View {
                $view(self.iter(), arena)
            }
            $(#[$inline])?
            unsafe fn from_view(view: Self::View) -> Self {
                // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
                unsafe { $read(view) }
            }
            fn to_value(&self) -> Value {
                $to_value(self.iter())
            }
            fn from_value(value: Value) -> Result<Self, ValueError> {
                $from_value(value, stringify!($name))
            }
        }
        __crosses!([$($generics)*] $name<$($T),*>);
    };
}
collection!(#[inline] [T: Shared] Vec<T>: T::View, view_vec, vec_from_view, list, vec_from_value);
collection!([T: Shared] VecDeque<T>: T::View, view_items, read_items, list, items_of);
collection!([T: Shared + Eq + Hash] HashSet<T>: T::View, view_items, read_items, list, items_of);
collection!([T: Shared + Ord] BTreeSet<T>: T::View, view_items, read_items, list, items_of);
collection!(
    [K: Shared + Eq + Hash, V: Shared] HashMap<K, V>: Tuple2<K::View, V::View>,
    view_pairs, read_pairs, map_to_value, map_from_value
);
collection!(
    [K: Shared + Ord, V: Shared] BTreeMap<K, V>: Tuple2<K::View, V::View>,
    view_pairs, read_pairs, map_to_value, map_from_value
);

#[inline]
fn view_vec<T: Shared>(items: std::slice::Iter<'_, T>, arena: &Arena) -> SliceView<T::View> {
    view_slice(items.as_slice(), arena)
}

fn view_items<'a, T: Shared>(
    items: impl ExactSizeIterator<Item = &'a T>,
    arena: &Arena,
) -> SliceView<T::View> {
    arena.slice(items.map(|item| item.view(arena)))
}

/// # Safety
/// The contract of [`Shared::from_view`] holds for the view and for all of its items.
#[inline]
unsafe fn read_items<T: Shared, C: FromIterator<T>>(view: SliceView<T::View>) -> C {
    // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
    unsafe { view.get().iter().map(|item| T::from_view(*item)).collect() }
}

fn view_pairs<'a, K: Shared, V: Shared>(
    pairs: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    arena: &Arena,
) -> SliceView<Tuple2<K::View, V::View>> {
    arena.slice(pairs.map(|(key, value)| Tuple2(key.view(arena), value.view(arena))))
}

/// # Safety
/// The contract of [`Shared::from_view`] holds for the view and for all of its pairs.
unsafe fn read_pairs<K: Shared, V: Shared, C: FromIterator<(K, V)>>(
    view: SliceView<Tuple2<K::View, V::View>>,
) -> C {
    // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
    unsafe {
        let pairs = view.get().iter();
        pairs
            .map(|pair| (K::from_view(pair.0), V::from_view(pair.1)))
            .collect()
    }
}
