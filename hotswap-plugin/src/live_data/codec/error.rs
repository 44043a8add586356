//! The error of bytes or of a value, with the path to the place.
use serde::de::{Expected, Unexpected};
use serde::{de, ser};
use std::fmt::{self, Display};

/// An error with its place.
#[derive(Debug)]
pub struct Error(Box<Place>);

#[derive(Debug)]
struct Place {
    /// The path to the place, such as `crew[3].speed`.
    path: String,
    reason: String,
}

impl Error {
    #[cold]
    pub(in crate::live_data) fn new(reason: impl Into<String>) -> Self {
        Error(Box::new(Place {
            path: String::new(),
            reason: reason.into(),
        }))
    }

    /// Keeps the path of an error that has one, and takes any other error as a text.
    pub(in crate::live_data) fn from_any(error: crate::Error) -> Self {
        match error.downcast() {
            Ok(error) => *error,
            Err(error) => Error::new(crate::boundary::chain(&*error)),
        }
    }

    /// Returns the same error, as seen from the value that has this field.
    #[cold]
    #[must_use]
    pub fn at(mut self, name: &str) -> Self {
        prefix(&mut self.0.path, name);
        self
    }

    /// Returns the same error, as seen from the value that has this item.
    #[cold]
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// Returns the path and the message.
    pub(in crate::live_data) fn into_parts(self) -> (String, String) {
        (self.0.path, self.0.reason)
    }
}

/// Puts a name in front of a path.
pub(in crate::live_data) fn prefix(path: &mut String, name: &str) {
    if !path.is_empty() && !path.starts_with('[') {
        path.insert(0, '.');
    }
    path.insert_str(0, name);
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { path, reason } = &*self.0;
        let colon = if path.is_empty() { "" } else { ": " };
        write!(f, "{path}{colon}{reason}")
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(reason: T) -> Self {
        Error::new(reason.to_string())
    }
}

impl de::Error for Error {
    fn custom<T: Display>(reason: T) -> Self {
        Error::new(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}, found {}", what(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Error::invalid_type(found, expected)
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Error::new(format!("expected {expected}, found {len} items"))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let known = known.join(", ");
        Error::new(format!("expected one of {known}, found {found:?}"))
    }

    fn missing_field(name: &'static str) -> Self {
        Error::new("is missing, and has no default").at(name)
    }

    fn duplicate_field(name: &'static str) -> Self {
        Error::new("occurs twice").at(name)
    }
}

/// Describes the value that was found, as an author writes it.
fn what(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(yes) => yes.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Char(char) => format!("{char:?}"),
        Unexpected::Str(text) if text.len() <= 32 => format!("{text:?}"),
        Unexpected::Str(_) => "a string".into(),
        Unexpected::Bytes(_) => "bytes".into(),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "named fields".into(),
        other => other.to_string(),
    }
}
