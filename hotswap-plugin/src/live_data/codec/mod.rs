//! The encoding of live data: MessagePack, with structs as maps from names.
//!
//! Another version of the code reads the bytes, perhaps years later, so this decoder is stricter than those of
//! MessagePack usually are. `rmp_serde` would take a list for a struct, by position, and a number for a variant. It
//! rounds where an `f64` is now an `f32`, and reads `-1` of an `i128` as a large `u128`. Here, all of these are errors,
//! with the path to the place. Where both should agree they do: a test reads the output of each with the other.
//!
//! | Rust | MessagePack |
//! |---|---|
//! | integers | integer, the shortest; above 64 bits: extension 2 (signed) or 3 (unsigned) with 16 bytes, big-endian |
//! | `f32`, `f64`, `bool` | float 32, float 64, boolean |
//! | `String`, `char` | string |
//! | a `Vec<u8>` that is live data, or a field of a type with `#[live_data]` | binary |
//! | any other list, a set, a tuple, a tuple struct | array |
//! | a map | map |
//! | a struct with named fields, a unit struct | map with names as keys; an empty one |
//! | `Variant`, any other variant | string; map with the name as its one key |
//! | `None`, `()` | nil |
//! | `Some(x)`, a newtype struct | the encoding of the content |
//! | `Some(None)`, `Some(Some(None))`, … | extension 1 with one byte: the number of `Some` around a nil |
//!
//! Between a type and these bytes there may be a buffer of `serde`: behind `tag`, `untagged`, and `flatten`, a value is
//! first read without its type. So the bytes describe themselves, and addresses are strings, since that buffer takes
//! every format for a human-readable one. A value that the buffer cannot hold is found when it is saved: see `check`.
/// Implements all forms that values with parts have, except for maps. A serializer of parts has the functions `item`,
/// `field`, and `finish` for that.
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
mod error;
mod head;
mod number;
mod witness;

pub(super) use bytes::Block;
pub(super) use check::comes_back;
pub use error::Error;
pub(super) use error::prefix;
pub(super) use head::{Decoder, Head};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the bytes of a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, out: Vec<u8>) -> Result<Vec<u8>, Error> {
    encode::encode(value, out)
}

/// Returns the value of these bytes, all of which belong to it.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut decoder = Decoder::new(bytes);
    let value = T::deserialize(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}

/// Returns the label of this key in a path.
pub(super) fn label<K: Serialize + ?Sized>(key: &K) -> String {
    match encode(key, Vec::new()) {
        Ok(key) => access::label(&key),
        Err(_) => "[…]".to_owned(),
    }
}
