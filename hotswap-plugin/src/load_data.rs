//! `LoadData`, the host's data for `on_load`.
use crate::boundary::Shared;
use crate::boundary::shared::{Described, copied};
use std::any::Any;
use std::fmt;

/// The data that a host gives its plugins when it opens or reloads them: one value of a `#[shared]` type.
///
/// The type is compared when the value is read, since host and plugin may have been built with different versions of
/// it.
pub struct LoadData<'a>(Source<'a>);

enum Source<'a> {
    Host(Option<Described<'a>>),
    Test(Option<&'a dyn Any>),
}

impl<'a> LoadData<'a> {
    /// Returns an instance without data, as of a host that gives none. For unit tests.
    pub fn none() -> Self {
        LoadData(Source::Test(None))
    }

    /// Returns an instance with this value, for unit tests with nothing loaded.
    ///
    /// ```
    /// use hotswap_plugin::LoadData;
    /// let words = vec!["hum".to_owned()];
    /// let data = LoadData::for_test(&words);
    /// assert_eq!(data.get::<Vec<String>>().unwrap(), words);
    /// assert!(data.get::<u32>().is_err());
    /// ```
    pub fn for_test<T: Shared>(value: &'a T) -> Self {
        LoadData(Source::Test(Some(value)))
    }

    pub(crate) fn new(given: Option<Described<'a>>) -> Self {
        LoadData(Source::Host(given))
    }

    /// Returns true if the host gave no data.
    pub fn is_none(&self) -> bool {
        match &self.0 {
            Source::Host(given) => given.is_none(),
            Source::Test(value) => value.is_none(),
        }
    }

    /// Returns a copy of the data.
    ///
    /// # Errors
    /// Returns an error if the host gave no data, or a value of another type or of another version of the type.
    pub fn get<T: Shared>(&self) -> Result<T, LoadDataError> {
        match &self.0 {
            Source::Test(value) => {
                let value = value.ok_or(LoadDataError::Missing)?;
                let value = value
                    .downcast_ref::<T>()
                    .ok_or_else(|| LoadDataError::Mismatch {
                        expected: T::TYPE.name.as_str().to_owned(),
                        found: "another type".to_owned(),
                    })?;
                Ok(copied(value))
            }
            Source::Host(given) => {
                let given = given.as_ref().ok_or(LoadDataError::Missing)?;
                given.get().ok_or_else(|| LoadDataError::Mismatch {
                    expected: T::TYPE.to_string(),
                    found: given.ty().to_string(),
                })
            }
        }
    }
}

/// The reason why [`LoadData::get`] returns no value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadDataError {
    /// The host gave no data.
    Missing,
    /// The host's value is of another type, or of another version of it.
    Mismatch {
        /// The type that the plugin asked for.
        expected: String,
        /// The type that the host gave.
        found: String,
    },
}

impl fmt::Display for LoadDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadDataError::Missing => f.write_str(
                "the host gave no load data; give some with `Builder::load_data`, or with `reload_with`",
            ),
            LoadDataError::Mismatch { expected, found } => {
                write!(f, "the plugin expects load data of type {expected}, but the host gave {found}")
            }
        }
    }
}

impl std::error::Error for LoadDataError {}
