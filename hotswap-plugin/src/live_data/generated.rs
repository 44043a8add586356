//! Functions that generated code calls.
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

/// A field's type, which may be a live type or not. Generated code calls the functions here as `Field::<T>::…`. If `T`
/// is a live type, these are the functions of the `impl`, and otherwise those of [`Other`].
pub struct Field<T>(PhantomData<T>);

impl<T: LiveType> Field<T> {
    /// Adds the live types in the field.
    pub fn types(types: &mut Types) {
        T::types(types);
    }

    /// Migrates the field.
    ///
    /// # Errors
    /// Returns the errors of [`Walk::value`].
    pub fn migrate(node: &mut Node, walk: &Walk<'_>) -> Result<(), LiveDataError> {
        walk.value::<T>(node)
    }

    /// Refuses a value that could not be restored.
    ///
    /// # Errors
    /// Returns the errors of [`LiveType::check`].
    pub fn check(value: &T, _: Check<T>) -> Result<(), CodecError> {
        value.check()
    }

    /// Overwrites the part of the value that `node` has.
    ///
    /// # Errors
    /// Returns the errors of [`LiveType::overlay`].
    pub fn overlay(value: &mut T, node: &Node, write: bool, _: Put<T>) -> Result<(), CodecError> {
        value.overlay(node, write)
    }
}

/// A function that overwrites a value as a whole.
pub type Put<T> = fn(&mut T, &Node, bool) -> Result<(), CodecError>;

/// A function that reads a value back.
pub type Check<T> = fn(&T) -> Result<(), CodecError>;

/// A type that only `serde` knows.
pub trait Other<T> {
    /// Adds nothing, since there are no live types in it.
    fn types(_: &mut Types) {}

    /// Does nothing, since there is nothing to migrate.
    ///
    /// # Errors
    /// Returns no error.
    fn migrate(_: &mut Node, _: &Walk<'_>) -> Result<(), LiveDataError> {
        Ok(())
    }

    /// Refuses a value that could not be restored.
    ///
    /// # Errors
    /// Returns the errors of `check`.
    fn check(value: &T, check: Check<T>) -> Result<(), CodecError> {
        check(value)
    }

    /// Overwrites the whole value.
    ///
    /// # Errors
    /// Returns the errors of `put`.
    fn overlay(value: &mut T, node: &Node, write: bool, put: Put<T>) -> Result<(), CodecError> {
        put(value, node, write)
    }
}

impl<T> Other<T> for Field<T> {}

/// A field's type with its `serde` traits. The functions here are those of the `impl` if it has them, and otherwise
/// those of [`Unfit`].
pub struct Stored<T>(PhantomData<T>);

impl<T: Serialize + DeserializeOwned> Stored<T> {
    /// Writes the field.
    ///
    /// # Errors
    /// Returns the errors of the serializer.
    pub fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    /// Reads the field.
    ///
    /// # Errors
    /// Returns the errors of the deserializer.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    /// Reads the field back.
    ///
    /// # Errors
    /// Returns an error if the field is not restored as it was.
    pub fn check(value: &T) -> Result<(), CodecError> {
        codec::comes_back(value)
    }

    /// Overwrites the field.
    ///
    /// # Errors
    /// Returns an error if the node is not of this type.
    pub fn put(value: &mut T, node: &Node, write: bool) -> Result<(), CodecError> {
        node.put(value, write)
    }
}

/// A type without `serde`'s traits. Then [`fits`] does not compile, and that should be the only error.
pub trait Unfit<T> {
    /// Never called.
    ///
    /// # Errors
    /// Always returns an error.
    fn write<S: Serializer>(_: &T, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always returns an error.
    fn read<'de, D: Deserializer<'de>>(_: D) -> Result<T, D::Error> {
        Err(de::Error::custom("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always returns an error.
    fn check(_: &T) -> Result<(), CodecError> {
        Err(CodecError::new("cannot be in live data"))
    }

    /// Never called.
    ///
    /// # Errors
    /// Always returns an error.
    fn put(_: &mut T, _: &Node, _: bool) -> Result<(), CodecError> {
        Err(CodecError::new("cannot be in live data"))
    }
}

impl<T> Unfit<T> for Stored<T> {}

/// Compiles only if the type can be in live data.
pub const fn fits<T: LiveField>() {}

/// Runs `work` with the content of a variant.
///
/// # Errors
/// Returns the errors of `work`, with the variant in their paths.
pub fn variant(
    name: &str,
    node: &mut Node,
    work: impl FnOnce(&mut Node) -> Result<(), LiveDataError>,
) -> Result<(), LiveDataError> {
    work(node).map_err(|e| e.at(name))
}
