//! How a value becomes bytes: MessagePack, as structs with names.
//!
//! The bytes are read by another version of the code, years later perhaps, so this reads more strictly than what speaks
//! MessagePack usually does. `rmp_serde` would take a list for a struct, by position, and a number for a variant; it rounds
//! where an `f64` is now an `f32`, and reads `-1` of an `i128` as a large `u128`. All of these are errors here, with the
//! path to the place. Where both are meant to agree they do: a test reads each with the other.
//!
//! | Rust | MessagePack |
//! |---|---|
//! | integers | integer, the shortest; above 64 bits: extension 2 (signed) or 3 (unsigned) with 16 bytes, big-endian |
//! | `f32`, `f64`, `bool` | float 32, float 64, boolean |
//! | text, `char` | string |
//! | a `Vec<u8>` that is live data, or a field of a type with `#[live_data]` | binary |
//! | any other list, a set, a tuple, a tuple struct | array |
//! | a map | map |
//! | a struct with named fields, a unit struct | map with names as keys; an empty one |
//! | `Variant`, any other variant | string; map with the name as its one key |
//! | `None`, `()` | nil |
//! | `Some(x)`, a newtype struct | as what is in it |
//! | `Some(None)`, `Some(Some(None))`, … | extension 1 with one byte: how many `Some` there are around a nil |
//!
//! Between a type and these bytes there may be a buffer of `serde`: behind `tag`, `untagged` and `flatten` a value is first
//! read without its type. So the bytes say of themselves what they are, and addresses are texts, since that buffer takes
//! every format for one that people read. What it cannot hold is found when the value is saved: see `check`.
/// Implements all forms that values with parts have for a serializer of parts, by its `item`, `field` and `finish`: all but
/// maps.
macro_rules! forms_with_parts {
    ($serializer:ty => $ok:ty) => {
        forms_with_parts! { $serializer => $ok;
            SerializeSeq { serialize_element() item }
            SerializeTuple { serialize_element() item }
            SerializeTupleStruct { serialize_field() item }
            SerializeTupleVariant { serialize_field() item }
            SerializeStruct { serialize_field(name) field }
            SerializeStructVariant { serialize_field(name) field }
        }
    };
    ($serializer:ty => $ok:ty; $($form:ident { $method:ident($($name:ident)?) $via:ident })*) => {$(
        impl serde::ser::$form for $serializer {
            type Ok = $ok;
            type Error = Error;
            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($name: &'static str,)? value: &T) -> Result<(), Error> {
                self.$via($($name,)? value)
            }
            fn end(self) -> Result<$ok, Error> {
                self.finish()
            }
        }
    )*};
}

mod access;
pub mod bytes;
mod check;
mod compound;
mod decode;
mod encode;
mod head;
mod number;
mod witness;

pub(super) use bytes::Block;
pub(super) use check::comes_back;
pub(super) use head::{Decoder, Head};

use serde::de::{DeserializeOwned, Expected, Unexpected};
use serde::{Serialize, de, ser};
use std::fmt::{self, Display};

/// How deep values may lie in each other: as deep as a thread with a stack of two megabytes can go in a debug build.
pub(super) const MAX_DEPTH: u32 = 128;

/// The types of MessagePack extensions.
const SOME: i8 = 1;
const SIGNED: i8 = 2;
const UNSIGNED: i8 = 3;

/// Appends the bytes of a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, out: Vec<u8>) -> Result<Vec<u8>, Error> {
    encode::encode(value, out)
}

/// The value of these bytes, and of all of them.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut decoder = Decoder::new(bytes);
    let value = T::deserialize(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}

/// How a path names what is under this key.
pub(super) fn label<K: Serialize + ?Sized>(key: &K) -> String {
    match encode(key, Vec::new()) {
        Ok(key) => access::label(&key),
        Err(_) => "[…]".to_owned(),
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub struct Error(Box<Place>);

#[derive(Debug)]
struct Place {
    /// `crew[3].speed`.
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

    /// An error with a path as it is, any other as a text.
    pub(super) fn from_any(error: crate::Error) -> Self {
        match error.downcast() {
            Ok(error) => *error,
            Err(error) => Error::new(crate::boundary::chain(&*error)),
        }
    }

    /// The same error, seen from what has it under this name.
    #[cold]
    #[must_use]
    pub fn at(mut self, name: &str) -> Self {
        prefix(&mut self.0.path, name);
        self
    }

    /// The same error, seen from what has it in this place.
    #[cold]
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }

    /// Where, and what.
    pub(super) fn into_parts(self) -> (String, String) {
        (self.0.path, self.0.reason)
    }
}

/// Puts a name in front of a path.
pub(super) fn prefix(path: &mut String, name: &str) {
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
        Error::new("is there twice").at(name)
    }
}

/// What is there, as one would write it.
fn what(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(yes) => yes.to_string(),
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Float(number) => format!("{number:?}"),
        Unexpected::Char(char) => format!("{char:?}"),
        Unexpected::Str(text) if text.len() <= 32 => format!("{text:?}"),
        Unexpected::Str(_) => "a text".into(),
        Unexpected::Bytes(_) => "bytes".into(),
        Unexpected::Unit | Unexpected::Option => "nothing".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "named fields".into(),
        other => other.to_string(),
    }
}
