//! What generated code calls.
use super::codec;
pub use super::codec::Error as CodecError;
pub use super::error::LiveDataError;
pub use super::migrate::{Migration, Step, Walk};
pub use super::node::Node;
use super::types::LiveField;
pub use super::types::{LiveType, Types};
pub use serde::de::Deserializer;
use serde::de::{self, DeserializeOwned};
pub use serde::ser::Serializer;
use serde::ser::{self, Serialize};
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

    /// Refuses what would not come back.
    ///
    /// # Errors
    /// As [`LiveType::check`].
    pub fn check(value: &T, _: Check<T>) -> Result<(), CodecError> {
        value.check()
    }

    /// Overwrites what `node` has.
    ///
    /// # Errors
    /// As [`LiveType::overlay`].
    pub fn overlay(value: &mut T, node: &Node, write: bool, _: Put<T>) -> Result<(), CodecError> {
        value.overlay(node, write)
    }
}

/// Overwrites a value as a whole.
pub type Put<T> = fn(&mut T, &Node, bool) -> Result<(), CodecError>;

/// Reads a value back.
pub type Check<T> = fn(&T) -> Result<(), CodecError>;

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

    /// Refuses what would not come back.
    ///
    /// # Errors
    /// Those of `check`.
    fn check(value: &T, check: Check<T>) -> Result<(), CodecError> {
        check(value)
    }

    /// Overwrites all of it.
    ///
    /// # Errors
    /// Those of `put`.
    fn overlay(value: &mut T, node: &Node, write: bool, put: Put<T>) -> Result<(), CodecError> {
        put(value, node, write)
    }
}

impl<T> Other<T> for Field<T> {}

/// A field's type, as `serde` has it, if it does: the functions here are those of the `impl`, or of [`Unfit`].
pub struct Stored<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Stored<T> {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// It does not come back as it is.
    pub fn check(value: &T) -> Result<(), CodecError> {
        codec::comes_back(value)
    }

    /// Overwrites it.
    ///
    /// # Errors
    /// The node is not of this type.
    pub fn put(value: &mut T, node: &Node, write: bool) -> Result<(), CodecError> {
        node.put(value, write)
    }
}

/// A type that `serde` does not know. [`fits`] is an error then, and should be the only one.
pub trait Unfit<T> {
    /// Never called.
    ///
    /// # Errors
    /// Always.
    fn write<S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always.
    fn read<'de, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
        Err(de::Error::custom("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always.
    fn check(_: &T) -> Result<(), CodecError> {
        Err(CodecError::new("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always.
    fn put(_: &mut T, _: &Node, _: bool) -> Result<(), CodecError> {
        Err(CodecError::new("cannot be in live data"))
    }
}

impl<T> Unfit<T> for Stored<T> {}

/// Compiles where the type can be in live data.
pub const fn fits<T: LiveField>() {}

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
