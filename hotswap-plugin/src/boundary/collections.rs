//! Collections, which cross as a slice of the views of their items.
use crate::__returned;
use crate::boundary::describe::{FieldDesc, Kind, TypeDesc};
use crate::boundary::shared::Shared;
use crate::boundary::value::{Value, ValueError};
use crate::boundary::view::{Arena, SliceView};
use abi_stable::std_types::Tuple2;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::mem::MaybeUninit;

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
        unsafe { view.get().iter().map(|item| T::from_view(*item)).collect() }
    }
}

fn list<'a, T: Shared>(items: impl Iterator<Item = &'a T>) -> Value {
    Value::List(items.map(T::to_value).collect())
}

fn items<T: Shared, C: FromIterator<T>>(
    value: Value,
    what: &str,
    len: Option<usize>,
) -> Result<C, ValueError> {
    let items = value.into_list(what, len)?.into_iter().enumerate();
    items
        .map(|(i, item)| T::from_value(item).map_err(|e| e.index(i)))
        .collect()
}

// SAFETY: the view is a `repr(C)` slice of plain items or of views, and the items keep the contract of `Shared`.
unsafe impl<T: Shared> Shared for Vec<T> {
    const TYPE: &'static TypeDesc =
        &TypeDesc::new::<Self::View>("", "Vec", Kind::Generic, &[FieldDesc::new("", T::TYPE)]);
    type View = SliceView<T::View>;
    const BORROWS: bool = true;
    const PLAIN: bool = false;
    #[inline]
    fn view(&self, arena: &Arena) -> Self::View {
        view_slice(self, arena)
    }
    #[inline]
    unsafe fn from_view(view: Self::View) -> Self {
        // SAFETY: the caller guarantees that the contract of `from_view` holds for the view and its items.
        unsafe { vec_from_view(view) }
    }
    fn to_value(&self) -> Value {
        list(self.iter())
    }
    fn from_value(value: Value) -> Result<Self, ValueError> {
        match value {
            // A `Vec<u8>` can also be read from bytes.
            Value::Bytes(bytes) => bytes
                .into_iter()
                .map(|byte| T::from_value(byte.into()))
                .collect(),
            value => items(value, "Vec", None),
        }
    }
}
__returned!([T: Shared] Vec<T>);

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
__returned!([T: Shared, const N: usize] [T; N]);

macro_rules! sequence {
    ($name:ident<$T:ident: $($bound:path),*>) => {
        // SAFETY: the view is a `repr(C)` slice of views in the arena, and the items keep the contract of `Shared`.
        unsafe impl<$T: $($bound +)*> Shared for $name<$T> {
            const TYPE: &'static TypeDesc = &TypeDesc::new::<Self::View>(
                "",
                stringify!($name),
                Kind::Generic,
                &[FieldDesc::new("", $T::TYPE)],
            );
            type View = SliceView<$T::View>;
            const BORROWS: bool = true;
            const PLAIN: bool = false;
            fn view(&self, arena: &Arena) -> Self::View {
                arena.slice(self.iter().map(|item| item.view(arena)))
            }
            unsafe fn from_view(view: Self::View) -> Self {
                // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
                unsafe { view.get().iter().map(|item| $T::from_view(*item)).collect() }
            }
            fn to_value(&self) -> Value {
                list(self.iter())
            }
            fn from_value(value: Value) -> Result<Self, ValueError> {
                items(value, stringify!($name), None)
            }
        }
        __returned!([$T: $($bound +)*] $name<$T>);
    };
}
sequence!(VecDeque<T: Shared>);
sequence!(HashSet<T: Shared, Eq, Hash>);
sequence!(BTreeSet<T: Shared, Ord>);

macro_rules! map {
    ($name:ident<$K:ident: $($bound:path),*>) => {
        // SAFETY: the view is a `repr(C)` slice of pairs of views in the arena, and keys and values keep the contract
        // of `Shared`.
        unsafe impl<$K: $($bound +)*, V: Shared> Shared for $name<$K, V> {
            const TYPE: &'static TypeDesc = &TypeDesc::new::<Self::View>(
                "",
                stringify!($name),
                Kind::Generic,
                &[FieldDesc::new("", $K::TYPE), FieldDesc::new("", V::TYPE)],
            );
            type View = SliceView<Tuple2<$K::View, V::View>>;
            const BORROWS: bool = true;
            const PLAIN: bool = false;
            fn view(&self, arena: &Arena) -> Self::View {
                arena.slice(self.iter().map(|(key, value)| Tuple2(key.view(arena), value.view(arena))))
            }
            unsafe fn from_view(view: Self::View) -> Self {
                // SAFETY: the caller guarantees that the slice, and what its views borrow, are alive.
                unsafe {
                    let pairs = view.get().iter();
                    pairs.map(|pair| ($K::from_view(pair.0), V::from_view(pair.1))).collect()
                }
            }
            /// Returns a map if the keys are strings, otherwise a list of pairs.
            fn to_value(&self) -> Value {
                map_to_value(self.iter())
            }
            fn from_value(value: Value) -> Result<Self, ValueError> {
                map_from_value(value, stringify!($name))
            }
        }
        __returned!([$K: $($bound +)*, V: Shared] $name<$K, V>);
    };
}
map!(HashMap<K: Shared, Eq, Hash>);
map!(BTreeMap<K: Shared, Ord>);

fn map_to_value<'a, K: Shared, V: Shared>(pairs: impl Iterator<Item = (&'a K, &'a V)>) -> Value {
    let pairs: Vec<_> = pairs
        .map(|(key, value)| (key.to_value(), value.to_value()))
        .collect();
    if pairs.iter().all(|(key, _)| matches!(key, Value::Str(_))) {
        let text = |key| match key {
            Value::Str(text) => text,
            key => key.to_string(),
        };
        Value::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (text(key), value))
                .collect(),
        )
    } else {
        Value::List(
            pairs
                .into_iter()
                .map(|(key, value)| Value::List(vec![key, value]))
                .collect(),
        )
    }
}

fn map_from_value<K: Shared, V: Shared, C: FromIterator<(K, V)>>(
    value: Value,
    what: &str,
) -> Result<C, ValueError> {
    match value {
        Value::Map(map) => map
            .into_iter()
            .map(|(key, value)| {
                let value = V::from_value(value).map_err(|e| e.at(&key))?;
                Ok((K::from_value(Value::Str(key))?, value))
            })
            .collect(),
        value => items::<(K, V), C>(value, what, None),
    }
}
