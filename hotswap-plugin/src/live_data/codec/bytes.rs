//! Bytes as one block. `serde` would treat them one at a time.
use super::Error;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Error as _, Impossible, Serialize, Serializer};
use std::fmt;

/// Writes a field of type `Vec<u8>`.
///
/// # Errors
/// Returns an error of the serializer.
pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// Reads a field of type `Vec<u8>` from bytes, or from a list of numbers.
///
/// # Errors
/// Returns an error if it is neither.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    struct Bytes;
    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }
        fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::with_capacity(items.size_hint().unwrap_or(0).min(4096));
            while let Some(byte) = items.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
    deserializer.deserialize_byte_buf(Bytes)
}

/// Bytes that are written and read as one block.
pub(in crate::live_data) struct Block<B>(pub B);

impl Serialize for Block<&Vec<u8>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Block<Vec<u8>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Block)
    }
}

/// Returns the byte, if the item is a `u8`.
#[inline]
pub(super) fn byte<T: Serialize>(item: &T) -> Result<u8, Error> {
    item.serialize(Byte)
}

/// A `u8`. It can be read from nothing else.
struct Byte;

macro_rules! refuse {
    ($($method:ident($($ty:ty),*) $(<$T:ident>)? -> $result:ty;)*) => {$(
        fn $method$(<$T: Serialize + ?Sized>)?(self, $(_: $ty),*) -> Result<$result, Error> {
            Err(Error::custom("is not a byte"))
        }
    )*};
}

type Nothing = Impossible<u8, Error>;

impl Serializer for Byte {
    type Ok = u8;
    type Error = Error;
    type SerializeSeq = Nothing;
    type SerializeTuple = Nothing;
    type SerializeTupleStruct = Nothing;
    type SerializeTupleVariant = Nothing;
    type SerializeMap = Nothing;
    type SerializeStruct = Nothing;
    type SerializeStructVariant = Nothing;

    #[inline]
    fn serialize_u8(self, byte: u8) -> Result<u8, Error> {
        Ok(byte)
    }

    refuse! {
        serialize_bool(bool) -> u8;
        serialize_i8(i8) -> u8;
        serialize_i16(i16) -> u8;
        serialize_i32(i32) -> u8;
        serialize_i64(i64) -> u8;
        serialize_u16(u16) -> u8;
        serialize_u32(u32) -> u8;
        serialize_u64(u64) -> u8;
        serialize_f32(f32) -> u8;
        serialize_f64(f64) -> u8;
        serialize_char(char) -> u8;
        serialize_str(&str) -> u8;
        serialize_bytes(&[u8]) -> u8;
        serialize_none() -> u8;
        serialize_some(&T) <T> -> u8;
        serialize_unit() -> u8;
        serialize_unit_struct(&'static str) -> u8;
        serialize_unit_variant(&'static str, u32, &'static str) -> u8;
        serialize_newtype_struct(&'static str, &T) <T> -> u8;
        serialize_newtype_variant(&'static str, u32, &'static str, &T) <T> -> u8;
        serialize_seq(Option<usize>) -> Nothing;
        serialize_tuple(usize) -> Nothing;
        serialize_tuple_struct(&'static str, usize) -> Nothing;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Nothing;
        serialize_map(Option<usize>) -> Nothing;
        serialize_struct(&'static str, usize) -> Nothing;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Nothing;
    }
}
