//! What generated code calls.
use super::codec;
use super::error::LiveDataError;
use super::migrate::Walk;
use super::node::Node;
use super::types::{LiveType, Types};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A field's type, which may be a live type and need not be. Generated code names the functions here as `Field::<T>::…`:
/// where `T` is a live type those of the `impl` are meant, otherwise those of [`Other`].
pub struct Field<T>(PhantomData<T>);

impl<T: LiveType> Field<T> {
    /// The live types in it.
    pub fn types(types: &mut Types) {
        T::types(types);
    }

    /// Migrates it.
    ///
    /// # Errors
    /// As [`Walk::value`].
    pub fn migrate(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
        walk.value::<T>(node)
    }

    /// Overwrites what `node` has.
    ///
    /// # Errors
    /// As [`LiveType::overlay`].
    pub fn overlay(value: &mut T, node: &Node, write: bool) -> Result<(), codec::Error> {
        value.overlay(node, write)
    }
}

/// A type that only `serde` knows.
pub trait Other<T> {
    /// There are no live types in it.
    fn types(_: &mut Types) {}

    /// There is nothing to migrate.
    ///
    /// # Errors
    /// None.
    fn migrate(_: &mut Node, _: &Walk<'_>) -> Result<(), LiveDataError> {
        Ok(())
    }

    /// Overwrites all of it.
    ///
    /// # Errors
    /// The node is not of this type.
    fn overlay(value: &mut T, node: &Node, write: bool) -> Result<(), codec::Error>
    where
        T: DeserializeOwned,
    {
        node.put(value, write)
    }
}

impl<T> Other<T> for Field<T> {}

/// Does something with what is in a variant.
///
/// # Errors
/// Those of `work`, which see the variant.
pub fn variant(
    name: &str,
    node: &mut Node,
    work: impl FnOnce(&mut Node) -> Result<(), LiveDataError>,
) -> Result<(), LiveDataError> {
    work(node).map_err(|e| e.at(name))
}
