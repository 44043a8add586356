//! Reading: the deserializer for `serde`.
use super::access::{Bytes, Entries, Items, Variant};
use super::{Decoder, Error, Head};
use serde::de::{Deserializer, Expected, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::Display;

impl<'de> Decoder<'de> {
    #[inline]
    fn list<V: Visitor<'de>>(&mut self, len: u32, visitor: V) -> Result<V::Value, Error> {
        self.deeper(|decoder| {
            let mut items = Items {
                decoder,
                left: len,
                index: 0,
            };
            let value = visitor.visit_seq(&mut items)?;
            match items.left {
                0 => Ok(value),
                left => Err(too_many(len as usize, (len - left) as usize)),
            }
        })
    }

    #[inline]
    fn map<V: Visitor<'de>>(
        &mut self,
        len: u32,
        names_only: bool,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deeper(|decoder| {
            let mut entries = Entries {
                decoder,
                left: len,
                key: &[],
                names_only,
            };
            let value = visitor.visit_map(&mut entries)?;
            match entries.left {
                0 => Ok(value),
                left => Err(too_many(len as usize, (len - left) as usize)),
            }
        })
    }

    /// Reads bytes as a list of numbers.
    fn list_of_bytes<V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Error> {
        let mut items = Bytes { bytes, index: 0 };
        let value = visitor.visit_seq(&mut items)?;
        match (bytes.len(), items.index) {
            (len, read) if len == read => Ok(value),
            (len, read) => Err(too_many(len, read)),
        }
    }

    fn inexact<T>(expected: &dyn Expected, found: impl Display) -> Result<T, Error> {
        Err(Error::new(format!(
            "expected {expected}, found {found}, which does not fit"
        )))
    }
}

#[cold]
fn too_many(len: usize, read: usize) -> Error {
    Error::new(format!("expected {read} items, found {len}"))
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Error;

    /// Says the same as the buffer of `serde` between a type and this, which an `untagged` type has, for instance.
    fn is_human_readable(&self) -> bool {
        true
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Nil => visitor.visit_unit(),
            Head::Some(depth) => {
                self.nested = Some(depth - 1);
                visitor.visit_some(self)
            }
            Head::Bool(yes) => visitor.visit_bool(yes),
            Head::Uint(number) => visitor.visit_u64(number),
            Head::Int(number) => visitor.visit_i64(number),
            Head::Signed(number) => visitor.visit_i128(i128::from_be_bytes(*number)),
            Head::Unsigned(number) => visitor.visit_u128(u128::from_be_bytes(*number)),
            Head::F32(number) => visitor.visit_f32(number),
            Head::F64(number) => visitor.visit_f64(number),
            Head::Str(text) => visitor.visit_borrowed_str(text),
            Head::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Head::List(len) => self.list(len, visitor),
            Head::Map(len) => self.map(len, false, visitor),
        }
    }

    /// Reads a number only if it is the same as an `f64`.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::F64(number) => visitor.visit_f64(number),
            Head::F32(number) => visitor.visit_f64(number.into()),
            Head::Uint(number) if number as f64 as u128 == number.into() => {
                visitor.visit_f64(number as f64)
            }
            Head::Int(number) if number as f64 as i128 == number.into() => {
                visitor.visit_f64(number as f64)
            }
            Head::Uint(number) => Decoder::inexact(&visitor, number),
            Head::Int(number) => Decoder::inexact(&visitor, number),
            other => other.instead_of(&visitor),
        }
    }

    /// Reads a number only if it is the same as an `f32`.
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::F32(number) => visitor.visit_f32(number),
            Head::F64(number) if number.is_nan() || f64::from(number as f32) == number => {
                visitor.visit_f32(number as f32)
            }
            Head::Uint(number) if number as f32 as u128 == number.into() => {
                visitor.visit_f32(number as f32)
            }
            Head::Int(number) if number as f32 as i128 == number.into() => {
                visitor.visit_f32(number as f32)
            }
            Head::F64(number) => Decoder::inexact(&visitor, number),
            Head::Uint(number) => Decoder::inexact(&visitor, number),
            Head::Int(number) => Decoder::inexact(&visitor, number),
            other => other.instead_of(&visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let before = self.input;
        if self.nested.is_none() && !matches!(self.input, [0xc0 | 0xd4, ..]) {
            return visitor.visit_some(self);
        }
        match self.head()? {
            Head::Nil => visitor.visit_none(),
            Head::Some(depth) => {
                self.nested = Some(depth - 1);
                visitor.visit_some(self)
            }
            _ => {
                self.input = before;
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// Reads a struct that has lost its fields, of which nothing is left.
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Map(len) => {
                for _ in 0..2 * u64::from(len) {
                    self.skip()?;
                }
                visitor.visit_unit()
            }
            other => other.instead_of(&visitor),
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::List(len) => self.list(len, visitor),
            Head::Bytes(bytes) => Decoder::list_of_bytes(bytes, visitor),
            other => other.instead_of(&visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    /// Reads a map, or a struct with `flatten`. Keys of the struct that are not names belong to a map in it.
    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Map(len) => self.map(len, false, visitor),
            other => other.instead_of(&visitor),
        }
    }

    /// Reads a struct only from names, and never from a list.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Map(len) => self.map(len, true, visitor),
            other => other.instead_of(&visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Str(name) => visitor.visit_enum(Variant {
                name,
                content: None,
            }),
            Head::Map(1) => self.deeper(|decoder| match decoder.head()? {
                Head::Str(name) => visitor.visit_enum(Variant {
                    name,
                    content: Some(decoder),
                }),
                other => other.instead_of(&"the name of a variant"),
            }),
            other => other.instead_of(&visitor),
        }
    }

    /// Reads a string, and never bytes.
    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.head()? {
            Head::Str(text) => visitor.visit_borrowed_str(text),
            other => other.instead_of(&visitor),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    /// Reads a name, and never a number, which would be the index of a field.
    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.names_only {
            return self.deserialize_any(visitor);
        }
        match self.head()? {
            Head::Str(name) => visitor.visit_borrowed_str(name),
            other => other.instead_of(&"a name"),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.skip()?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 bytes byte_buf unit
    }
}
