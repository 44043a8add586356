//! Types of the standard library as live data.
use super::codec;
use super::error::LiveDataError;
use super::migrate::{Migration, Walk};
use super::node::Node;
use super::types::{LiveType, Types};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

macro_rules! plain {
    ($($ty:ident),*) => {$(
        impl LiveType for $ty {
            const NAME: &'static str = stringify!($ty);
            const VERSION: u32 = 0;
            const COMES_BACK: bool = true;
            fn check(&self) -> Result<(), codec::Error> {
                Ok(())
            }
        }
    )*};
}
plain!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char, String,
    PathBuf, Duration, SystemTime, IpAddr, Ipv4Addr, Ipv6Addr
);

impl LiveType for SocketAddr {
    const NAME: &'static str = "SocketAddr";
    const VERSION: u32 = 0;
    fn check(&self) -> Result<(), codec::Error> {
        match self {
            SocketAddr::V6(address) if address.flowinfo() != 0 => Err(codec::Error::new(
                "is an address with flow information, which `serde` does not write; set that to 0, and keep it beside the address",
            )),
            _ => Ok(()),
        }
    }
}

impl LiveType for () {
    const NAME: &'static str = "()";
    const VERSION: u32 = 0;
    const COMES_BACK: bool = true;
    fn check(&self) -> Result<(), codec::Error> {
        Ok(())
    }
}

/// Implements what all collections of one type of item have in common.
macro_rules! items {
    () => {
        const VERSION: u32 = 0;
        fn types(types: &mut Types) {
            T::types(types);
        }
        fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
            walk.each::<T>(node)
        }
        const COMES_BACK: bool = T::COMES_BACK;
        fn check(&self) -> Result<(), codec::Error> {
            match T::COMES_BACK {
                true => Ok(()),
                false => check_each(self),
            }
        }
    };
}

fn check_each<'a, T: LiveType>(items: impl IntoIterator<Item = &'a T>) -> Result<(), codec::Error> {
    let mut items = items.into_iter().enumerate();
    items.try_for_each(|(index, item)| item.check().map_err(|e| e.index(index)))
}

impl<T: LiveType> LiveType for Vec<T> {
    const NAME: &'static str = "Vec<_>";
    items!();

    fn encode(&self, out: Vec<u8>) -> Result<Vec<u8>, codec::Error> {
        match (self as &dyn Any).downcast_ref() {
            Some(bytes) => codec::encode(&codec::Block(bytes), out),
            None => codec::encode(self, out),
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        if !(&Vec::<T>::new() as &dyn Any).is::<Vec<u8>>() {
            return codec::decode(bytes);
        }
        let codec::Block(bytes) = codec::decode(bytes)?;
        let bytes: Box<dyn Any> = Box::new(bytes);
        let bytes: Box<Self> = bytes.downcast().expect("the types were compared");
        Ok(*bytes)
    }
}

impl<T: LiveType> LiveType for VecDeque<T> {
    const NAME: &'static str = "VecDeque<_>";
    items!();
}

impl<T: LiveType + Eq + Hash, S: BuildHasher + Default + 'static> LiveType for HashSet<T, S> {
    const NAME: &'static str = "HashSet<_>";
    items!();
}

impl<T: LiveType + Ord> LiveType for BTreeSet<T> {
    const NAME: &'static str = "BTreeSet<_>";
    items!();
}

impl<T: LiveType, const N: usize> LiveType for [T; N]
where
    [T; N]: Serialize + DeserializeOwned,
{
    const NAME: &'static str = "[_]";
    items!();
}

macro_rules! entries {
    () => {
        const VERSION: u32 = 0;
        fn types(types: &mut Types) {
            K::types(types);
            V::types(types);
        }
        fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
            walk.entries::<K, V>(node)
        }
        const COMES_BACK: bool = K::COMES_BACK && V::COMES_BACK;
        fn check(&self) -> Result<(), codec::Error> {
            if Self::COMES_BACK {
                return Ok(());
            }
            self.iter().try_for_each(|(key, value)| {
                let checked = key.check().and_then(|()| value.check());
                checked.map_err(|e| e.at(&codec::label(key)))
            })
        }
    };
}

impl<K: LiveType + Eq + Hash, V: LiveType, S: BuildHasher + Default + 'static> LiveType
    for HashMap<K, V, S>
{
    const NAME: &'static str = "HashMap<_>";
    entries!();
}

impl<K: LiveType + Ord, V: LiveType> LiveType for BTreeMap<K, V> {
    const NAME: &'static str = "BTreeMap<_>";
    entries!();
}

/// A box is the same as its content.
impl<T: LiveType> LiveType for Box<T> {
    const NAME: &'static str = T::NAME;
    const VERSION: u32 = T::VERSION;
    const EARLIER: &'static [&'static str] = T::EARLIER;
    const IS_ENUM: bool = T::IS_ENUM;
    const MIGRATIONS: &'static [Migration] = T::MIGRATIONS;
    const HISTORY: &'static str = T::HISTORY;
    fn types(types: &mut Types) {
        T::types(types);
    }
    fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
        T::migrate_within(node, walk)
    }
    fn overlay(&mut self, node: &Node, write: bool) -> Result<(), codec::Error> {
        (**self).overlay(node, write)
    }
    fn check(&self) -> Result<(), codec::Error> {
        (**self).check()
    }
}

impl<T: LiveType> LiveType for Option<T> {
    const NAME: &'static str = "Option<_>";
    const VERSION: u32 = 0;
    fn types(types: &mut Types) {
        T::types(types);
    }
    fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
        match node {
            Node::Nil | Node::Some(_) => Ok(()),
            node => walk.value::<T>(node),
        }
    }
    fn overlay(&mut self, node: &Node, write: bool) -> Result<(), codec::Error> {
        match (self, node) {
            (Some(value), node) if !matches!(node, Node::Nil | Node::Some(_)) => {
                value.overlay(node, write)
            }
            (value, node) => node.put(value, write),
        }
    }
    const COMES_BACK: bool = T::COMES_BACK;
    fn check(&self) -> Result<(), codec::Error> {
        self.as_ref().map_or(Ok(()), T::check)
    }
}

impl<T: LiveType, E: LiveType> LiveType for Result<T, E> {
    const NAME: &'static str = "Result<_>";
    const VERSION: u32 = 0;
    fn types(types: &mut Types) {
        T::types(types);
        E::types(types);
    }
    fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
        match node.variant_mut() {
            Some(("Ok", value)) => walk.value::<T>(value).map_err(|e| e.at("Ok")),
            Some(("Err", error)) => walk.value::<E>(error).map_err(|e| e.at("Err")),
            _ => Ok(()),
        }
    }
    const COMES_BACK: bool = T::COMES_BACK && E::COMES_BACK;
    fn check(&self) -> Result<(), codec::Error> {
        match self {
            Ok(value) => value.check().map_err(|e| e.at("Ok")),
            Err(error) => error.check().map_err(|e| e.at("Err")),
        }
    }
}

macro_rules! tuple {
    ($($T:ident $index:tt),*) => {
        impl<$($T: LiveType),*> LiveType for ($($T,)*) {
            const NAME: &'static str = "(_)";
            const VERSION: u32 = 0;
            fn types(types: &mut Types) {
                $($T::types(types);)*
            }
            fn migrate_within(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
                $(walk.item(node, $index, |node, walk| walk.value::<$T>(node))?;)*
                Ok(())
            }
            const COMES_BACK: bool = $($T::COMES_BACK)&&*;
            fn check(&self) -> Result<(), codec::Error> {
                $(self.$index.check().map_err(|e| e.index($index))?;)*
                Ok(())
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
