//! Reading of lists, maps, and variants.
use super::{Decoder, Error, Head};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

/// The items of a list.
pub(super) struct Items<'a, 'de> {
    pub decoder: &'a mut Decoder<'de>,
    pub left: u32,
    pub index: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let item = seed.deserialize(&mut *self.decoder);
        let item = item.map_err(|e| e.index(self.index))?;
        self.index += 1;
        Ok(Some(item))
    }

    /// Each item takes at least one byte.
    fn size_hint(&self) -> Option<usize> {
        Some((self.left as usize).min(self.decoder.input.len()))
    }
}

/// Bytes that are read as a list of numbers.
pub(super) struct Bytes<'de> {
    pub bytes: &'de [u8],
    pub index: usize,
}

/// The bytes of each number in a list: with the marker of an integer of eight bits in front, if it needs one.
static NUMBERS: [[u8; 2]; 256] = {
    let mut numbers = [[0xcc, 0]; 256];
    let mut byte = 0;
    while byte < 256 {
        numbers[byte][1] = byte as u8;
        byte += 1;
    }
    numbers
};

impl<'de> SeqAccess<'de> for Bytes<'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(byte) = self.bytes.get(self.index) else {
            return Ok(None);
        };
        let item = seed.deserialize(&mut Decoder::new(&NUMBERS[usize::from(*byte)]));
        let item = item.map_err(|e| e.index(self.index))?;
        self.index += 1;
        Ok(Some(item))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.bytes.len() - self.index)
    }
}

/// The entries of a map.
pub(super) struct Entries<'a, 'de> {
    pub decoder: &'a mut Decoder<'de>,
    pub left: u32,
    /// The last key. Its value comes next.
    pub key: &'de [u8],
    /// True if only names may select a field.
    pub names_only: bool,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.key = self.decoder.input;
        self.decoder.names_only = self.names_only;
        let key = seed.deserialize(&mut *self.decoder);
        self.decoder.names_only = true;
        Ok(Some(key.map_err(|e| key_error(e, self.key))?))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = seed.deserialize(&mut *self.decoder);
        value.map_err(|e| key_error(e, self.key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some((self.left as usize).min(self.decoder.input.len()))
    }
}

/// Returns the error as seen from the map that has the value under the key with these bytes.
#[cold]
pub(super) fn key_error(error: Error, key: &[u8]) -> Error {
    error.at(&label(key))
}

/// Returns the label of the key with these bytes in a path.
pub(super) fn label(key: &[u8]) -> String {
    match Decoder::new(key).head() {
        Ok(Head::Str(name)) => name.to_owned(),
        Ok(Head::Uint(number)) => format!("[{number}]"),
        Ok(Head::Int(number)) => format!("[{number}]"),
        _ => "[…]".to_owned(),
    }
}

/// A variant, with or without content.
pub(super) struct Variant<'a, 'de> {
    pub name: &'de str,
    pub content: Option<&'a mut Decoder<'de>>,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(BorrowedStrDeserializer::<Error>::new(self.name))?;
        Ok((name, self))
    }
}

impl<'de> Variant<'_, 'de> {
    fn content<T>(
        self,
        expected: &dyn Expected,
        read: impl FnOnce(&mut Decoder<'de>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.content {
            Some(decoder) => read(decoder).map_err(|e| e.at(self.name)),
            None => Err(Error::invalid_type(Unexpected::Unit, expected).at(self.name)),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Error;

    /// Reads a variant that has lost its fields, of which only the name counts.
    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(decoder) => decoder
                .deserialize_unit_struct("", serde::de::IgnoredAny)
                .map(drop)
                .map_err(|e| e.at(self.name)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        self.content(&"a value", |decoder| seed.deserialize(decoder))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.content(&"a list", |decoder| decoder.deserialize_seq(visitor))
    }

    /// Reads a variant that had no fields. All of its fields get their defaults.
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.content {
            Some(decoder) => decoder.deserialize_struct("", &[], visitor),
            None => Decoder::new(&[0x80]).deserialize_struct("", &[], visitor),
        }
        .map_err(|e| e.at(self.name))
    }
}
