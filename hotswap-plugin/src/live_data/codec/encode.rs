//! Writing: the serializer for `serde`, over the functions of `rmp`.
use super::compound::Compound;
use super::error::Error;
use super::head::{MAX_DEPTH, SIGNED, SOME, UNSIGNED};
use rmp::Marker;
use rmp::encode::{self, ByteBuf, ValueWriteError};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use std::convert::Infallible;

/// Appends the bytes of a value.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T, out: Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder {
        out: ByteBuf::from_vec(out),
        depth: 0,
    };
    value.serialize(&mut encoder)?;
    Ok(encoder.out.into_vec())
}

pub(super) struct Encoder {
    pub out: ByteBuf,
    pub depth: u32,
}

type Written<T = Marker> = Result<T, ValueWriteError<Infallible>>;

/// Unwraps a result that cannot be an error, since memory takes all that is written.
pub(super) fn done<T>(written: Written<T>) -> Result<(), Error> {
    match written {
        Ok(_) => Ok(()),
        Err(
            ValueWriteError::InvalidMarkerWrite(never) | ValueWriteError::InvalidDataWrite(never),
        ) => match never {},
    }
}

pub(super) fn length(len: usize) -> Result<u32, Error> {
    u32::try_from(len).map_err(|_| Error::new("has more than 4294967295 items"))
}

impl Encoder {
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        self.out.as_mut_vec()
    }

    fn deeper(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new(format!(
                "is nested deeper than {MAX_DEPTH} levels; put the items into one list, and let them refer to each other by index"
            )));
        }
        Ok(())
    }

    /// Begins a map with one entry, whose value comes next.
    fn variant(&mut self, name: &str) -> Result<(), Error> {
        self.deeper()?;
        done(encode::write_map_len(&mut self.out, 1))?;
        done(encode::write_str(&mut self.out, name))
    }

    fn list(&mut self, len: Option<usize>) -> Result<Compound<'_>, Error> {
        self.deeper()?;
        let start = self.bytes().len();
        match len {
            Some(len) => done(encode::write_array_len(&mut self.out, length(len)?))?,
            // The number of items is written once it is known.
            None => self.bytes().extend([0xdd, 0, 0, 0, 0]),
        }
        Ok(Compound::new(self, len, start))
    }

    fn map(&mut self, len: Option<usize>) -> Result<Compound<'_>, Error> {
        self.deeper()?;
        let start = self.bytes().len();
        match len {
            Some(len) => done(encode::write_map_len(&mut self.out, length(len)?))?,
            None => self.bytes().extend([0xdf, 0, 0, 0, 0]),
        }
        Ok(Compound::new(self, len, start))
    }

    fn large(&mut self, kind: i8, number: [u8; 16]) {
        self.bytes()
            .extend([Marker::FixExt16.to_u8(), kind.cast_unsigned()]);
        self.bytes().extend(number);
    }
}

macro_rules! numbers {
    ($($method:ident($ty:ty) $write:ident),* $(,)?) => {$(
        #[inline]
        fn $method(self, number: $ty) -> Result<(), Error> {
            done(encode::$write(&mut self.out, number.into()))
        }
    )*};
}

impl<'e> Serializer for &'e mut Encoder {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'e>;
    type SerializeTuple = Compound<'e>;
    type SerializeTupleStruct = Compound<'e>;
    type SerializeTupleVariant = Compound<'e>;
    type SerializeMap = Compound<'e>;
    type SerializeStruct = Compound<'e>;
    type SerializeStructVariant = Compound<'e>;

    fn is_human_readable(&self) -> bool {
        true
    }

    numbers! {
        serialize_u8(u8) write_uint,
        serialize_u16(u16) write_uint,
        serialize_u32(u32) write_uint,
        serialize_u64(u64) write_uint,
        serialize_i8(i8) write_sint,
        serialize_i16(i16) write_sint,
        serialize_i32(i32) write_sint,
        serialize_i64(i64) write_sint,
        serialize_f32(f32) write_f32,
        serialize_f64(f64) write_f64,
    }

    fn serialize_i128(self, number: i128) -> Result<(), Error> {
        match (i64::try_from(number), u64::try_from(number)) {
            (Ok(number), _) => self.serialize_i64(number),
            (_, Ok(number)) => self.serialize_u64(number),
            _ => {
                self.large(SIGNED, number.to_be_bytes());
                Ok(())
            }
        }
    }

    fn serialize_u128(self, number: u128) -> Result<(), Error> {
        match i128::try_from(number) {
            Ok(number) => self.serialize_i128(number),
            Err(_) => {
                self.large(UNSIGNED, number.to_be_bytes());
                Ok(())
            }
        }
    }

    fn serialize_bool(self, yes: bool) -> Result<(), Error> {
        let written = encode::write_bool(&mut self.out, yes);
        done(written.map_err(ValueWriteError::InvalidMarkerWrite))
    }

    fn serialize_char(self, char: char) -> Result<(), Error> {
        self.serialize_str(char.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, text: &str) -> Result<(), Error> {
        length(text.len())?;
        done(encode::write_str(&mut self.out, text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        length(bytes.len())?;
        done(encode::write_bin(&mut self.out, bytes))
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    /// Writes the content, unless the result would look like that of `None`.
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        const NIL: u8 = Marker::Null.to_u8();
        const EXT: u8 = Marker::FixExt1.to_u8();
        const OF_SOME: u8 = SOME.cast_unsigned();
        let start = self.bytes().len();
        value.serialize(&mut *self)?;
        let bytes = self.bytes();
        match &mut bytes[start..] {
            [NIL] => {
                bytes.truncate(start);
                bytes.extend([EXT, OF_SOME, 1]);
            }
            [EXT, OF_SOME, depth] => {
                *depth = depth
                    .checked_add(1)
                    .ok_or_else(|| Error::new("has more than 255 nested options"))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        let written = encode::write_nil(&mut self.out);
        done(written.map_err(ValueWriteError::InvalidMarkerWrite))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        done(encode::write_map_len(&mut self.out, 0))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(name)?;
        value.serialize(&mut *self).map_err(|e| e.at(name))?;
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Compound<'e>, Error> {
        self.list(len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Compound<'e>, Error> {
        self.list(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Compound<'e>, Error> {
        self.list(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Compound<'e>, Error> {
        self.variant(name)?;
        Ok(self.list(Some(len))?.of_variant(name))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Compound<'e>, Error> {
        self.map(len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Compound<'e>, Error> {
        self.map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        len: usize,
    ) -> Result<Compound<'e>, Error> {
        self.variant(name)?;
        Ok(self.map(Some(len))?.of_variant(name))
    }

    /// Writes a sequence. Every slice and `Vec` comes here.
    fn collect_seq<I>(self, items: I) -> Result<(), Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let mut items = items.into_iter();
        let len = match items.size_hint() {
            (len, Some(most)) if len == most => Some(len),
            _ => None,
        };
        let mut list = self.list(len)?;
        items.try_for_each(|item| SerializeSeq::serialize_element(&mut list, &item))?;
        SerializeSeq::end(list)
    }
}
