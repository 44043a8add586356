//! Live data: values that one version of the code saves and another restores.
//!
//! A value is saved by one version of a plugin and restored by another, a moment or a year later. It carries the name
//! of its type, a schema version, and the names of its fields. How it is read depends on what the type declares of its
//! own history:
//!
//! | what changed | what to write |
//! |---|---|
//! | a field was added | `#[live_data(default)]`, or `default = 7`; nothing where it is an `Option` |
//! | a field was removed | nothing |
//! | a field, a variant or a type has a new name | `#[live_data(was = "old")]` on it |
//! | a field has another type | nothing where the value fits (`u8` to `u64`); otherwise a migration |
//! | anything else | a new `version`, and `migrate(1, up = from_1, down = to_1)`: see [`Fields`] |
//! | a field that is made anew each time | `#[live_data(skip)]` |
//!
//! A value that fits no rule is an error with the path to the place, such as `crew[3].speed: expected u32, found "x"`,
//! and never a guess. An error does not consume the data.
//!
//! Types within a value have versions of their own, which the data carries as well. They are migrated where they are
//! found: in fields, through collections, options, and tuples, and through types with `#[live_data]`, but not through a
//! type that only derives `serde`'s traits. The type around them need not have a new version.
//!
//! # Up and down
//! Data of an older version is migrated up when a newer one restores it. If there are no migrations between them, names
//! alone decide. An older version understands newer data if there is no migration between them. Otherwise it refuses
//! the data, and code that has the newer type [lowers](LiveData::lower) the data for it.
//!
//! # The bytes
//! Live data is one block of bytes, which may be kept in a file. Numbers in the header are little-endian.
//!
//! | bytes | |
//! |---|---|
//! | 4 | `HSLD` |
//! | 1 | the version of this format: 1 |
//! | 2 | how many types follow: that of the value, then the live types in it |
//! | 2, n | the length of a type's name, and the name, UTF-8 |
//! | 4 | its schema version; 0 where it has none, as a number or a list |
//! | 4 | the oldest schema version that understands this one by names alone |
//! | rest | the value, as MessagePack |
//!
//! In MessagePack, a struct is a map from names, and a variant is its name, or a map with that one key. A `Vec<u8>` is
//! binary if it is live data or a field of it; in other types it is a list of numbers, as `serde` writes it. An address
//! is a string, and `None` and `()` are nil. Three extension types of this format keep apart what other readers would
//! confuse. Type 1, of one byte, is the number of `Some` around a nil (`Some(None)` is 1). Types 2 and 3 are an `i128`
//! and a `u128` that need more than 64 bits, big-endian. Values are nested at most 128 levels deep.
mod codec;
mod error;
mod fields;
#[doc(hidden)]
pub mod generated;
mod migrate;
mod node;
mod schema;
mod shared;
mod std_types;
mod types;
mod view;

pub use error::LiveDataError;
pub use fields::Fields;
pub use schema::Schema;
#[doc(hidden)]
pub use shared::Saved;
pub use types::LiveType;
pub use view::LiveDataView;

#[doc(hidden)]
pub use codec::bytes;

use migrate::Want;
use schema::{Entry, FORMAT, MAGIC, TABLE};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use types::Types;

/// A value as bytes, with the name of its type and its schema version.
///
/// ```
/// use hotswap_plugin::prelude::*;
///
/// #[live_data]
/// #[derive(Debug, PartialEq)]
/// struct Fire {
///     name: String,
///     #[live_data(default = 1)]
///     shots: u32,
/// }
///
/// let fire = Fire { name: "kitchen".into(), shots: 3 };
/// let data = LiveData::save(&fire)?;
/// assert_eq!((data.type_name(), data.version()), ("Fire", 1));
///
/// let read = LiveData::from_bytes(data.as_bytes())?;
/// assert_eq!(read.restore::<Fire>()?, fire);
/// # Ok::<(), Error>(())
/// ```
///
/// It crosses between plugins and host as its bytes. A `LiveData` can be a field of live data itself.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveData {
    bytes: Vec<u8>,
    /// The offset at which the value begins.
    value: usize,
}

impl LiveData {
    /// Saves a value.
    ///
    /// Parts that only `serde` knows are read back and compared with the original, so that everything that is saved can
    /// be restored. That takes several times as long as the writing; types with `#[live_data]` do not need it. One
    /// mistake stays unseen: of two variants of an `untagged` enum with the same fields, `serde` always restores the
    /// first.
    ///
    /// # Errors
    /// Returns an error for values that are nested too deeply, for paths that are not UTF-8, and for values of types
    /// that only `serde` knows and that could not be restored. Returns [`SameName`](LiveDataError::SameName) if two
    /// types in the value cannot be distinguished.
    pub fn save<T: LiveType>(value: &T) -> Result<Self, LiveDataError> {
        let data = LiveData::new(T::NAME, Types::of::<T>()?.entries(), |out| {
            value.encode(out)
        })?;
        let checked = value.check();
        checked.map_err(|e| LiveDataError::saving(T::NAME, e))?;
        Ok(data)
    }

    /// Saves a value of any type that `serde` can write, under this name and version. It is not known as which type the
    /// data will be read, so it is not read back. `serde`'s `tag`, `untagged`, and `flatten` can write values that they
    /// cannot read.
    ///
    /// ```
    /// use hotswap_plugin::LiveData;
    ///
    /// let data = LiveData::with("Score", 1, &("kitchen", 3))?;
    /// assert_eq!(data.restore_as::<(String, u64)>()?, ("kitchen".into(), 3));
    /// # Ok::<(), hotswap_plugin::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`save`](Self::save), or an error if the name is longer than 65,535 bytes.
    pub fn with<T: Serialize + ?Sized>(
        name: &str,
        version: u32,
        value: &T,
    ) -> Result<Self, LiveDataError> {
        if name.len() > u16::MAX.into() {
            let error = codec::Error::new("the name of the type is too long");
            return Err(LiveDataError::saving("a value", error));
        }
        let entry = Entry {
            name,
            version,
            since: 0,
        };
        LiveData::new(name, [entry].into_iter(), |out| codec::encode(value, out))
    }

    fn new<'a>(
        name: &str,
        types: impl ExactSizeIterator<Item = Entry<'a>>,
        encode: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, codec::Error>,
    ) -> Result<Self, LiveDataError> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend(MAGIC);
        bytes.push(FORMAT);
        schema::write(types, &mut bytes);
        let value = bytes.len();
        let bytes = encode(bytes).map_err(|e| LiveDataError::saving(name, e))?;
        Ok(LiveData { bytes, value })
    }

    /// Returns all bytes, and the offset of the value in them.
    pub(crate) fn parts(&self) -> (&[u8], usize) {
        (&self.bytes, self.value)
    }

    /// Returns the data that consists of these parts.
    #[inline]
    pub(crate) fn from_parts(bytes: Vec<u8>, value: usize) -> Self {
        LiveData { bytes, value }
    }

    /// Returns the name of the type.
    pub fn type_name(&self) -> &str {
        self.view().type_name()
    }

    /// Returns the schema version of the type that saved the data; 0 for types without one, such as numbers and lists.
    pub fn version(&self) -> u32 {
        self.view().version()
    }

    /// Returns the types in the data, with the versions that saved it.
    pub fn schema(&self) -> Schema {
        Schema::of_table(&self.bytes[TABLE..self.value])
    }

    /// Returns all bytes, to be kept or sent: see the [module](self).
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns all bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Reads data from the bytes that [`as_bytes`](Self::as_bytes) returned. The value itself is read when it is
    /// restored.
    ///
    /// # Errors
    /// Returns [`NoLiveData`](LiveDataError::NoLiveData) or [`UnknownFormat`](LiveDataError::UnknownFormat).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LiveDataError> {
        let value = LiveDataView::new(bytes)?.value;
        Ok(LiveData {
            bytes: bytes.to_vec(),
            value,
        })
    }

    /// Restores the value as its type is now.
    ///
    /// # Errors
    /// Returns [`WrongType`](LiveDataError::WrongType), [`Newer`](LiveDataError::Newer),
    /// [`Migration`](LiveDataError::Migration), or [`Restore`](LiveDataError::Restore).
    pub fn restore<T: LiveType>(&self) -> Result<T, LiveDataError> {
        self.view().restore()
    }

    /// Overwrites the fields of a value that the data has. Other fields stay as they are, and so do fields that are
    /// declared `skip`. The same holds for live types in its fields, but not for those in collections, which are
    /// overwritten as a whole.
    ///
    /// # Errors
    /// Returns the errors of [`restore`](Self::restore). Then the value is as it was.
    pub fn restore_into<T: LiveType>(&self, value: &mut T) -> Result<(), LiveDataError> {
        let view = self.view();
        let node = match view.is_current::<T>()? {
            true => view.parsed()?,
            false => view.migrated::<T>(&Want::Own)?,
        };
        let overlay = value.overlay(&node, false);
        let overlay = overlay.and_then(|()| value.overlay(&node, true));
        overlay.map_err(|e| view.failed(e))
    }

    /// Restores the value as any type that `serde` can read, by names alone, whatever name and version the data has.
    ///
    /// # Errors
    /// Returns [`Restore`](LiveDataError::Restore).
    pub fn restore_as<T: DeserializeOwned>(&self) -> Result<T, LiveDataError> {
        let view = self.view();
        codec::decode(view.value()).map_err(|e| view.failed(e))
    }

    /// Returns the same value for an earlier version of its type. `T` is the newest version. Inner types keep their
    /// versions.
    ///
    /// # Errors
    /// Returns [`NoWayDown`](LiveDataError::NoWayDown), [`NotLower`](LiveDataError::NotLower), or an error of
    /// [`restore`](Self::restore).
    pub fn lower<T: LiveType>(&self, version: u32) -> Result<LiveData, LiveDataError> {
        self.lowered::<T>(Want::Whole(version))
    }

    /// Returns the same value for the types of an earlier build. Types that the schema does not name keep their
    /// versions.
    ///
    /// # Errors
    /// Returns the errors of [`lower`](Self::lower).
    pub fn lower_to<T: LiveType>(&self, schema: &Schema) -> Result<LiveData, LiveDataError> {
        self.lowered::<T>(Want::These(schema))
    }

    fn view(&self) -> LiveDataView<'_> {
        LiveDataView {
            bytes: &self.bytes,
            value: self.value,
        }
    }

    fn lowered<T: LiveType>(&self, want: Want<'_>) -> Result<LiveData, LiveDataError> {
        let view = self.view();
        view.is_current::<T>()?;
        let types = Types::of::<T>()?;
        let node = view.migrated::<T>(&want)?;
        let entries = view.entries().enumerate();
        let entries = entries.map(|(index, entry)| want.lowered(index, entry, &types));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        LiveData::new(T::NAME, entries.into_iter(), |out| {
            codec::encode(&node, out)
        })
    }
}

impl fmt::Debug for LiveData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "LiveData({}, {} bytes)",
            self.schema(),
            self.view().value().len()
        )
    }
}
