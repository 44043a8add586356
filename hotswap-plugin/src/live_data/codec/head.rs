//! The elements of the bytes: markers of `rmp`, with the data that belongs to each.
use super::error::Error;
use rmp::Marker;
use serde::de::{Error as _, Expected, Unexpected};

/// How deeply values may be nested: as deep as a thread with a stack of two megabytes can go in a debug build.
pub(in crate::live_data) const MAX_DEPTH: u32 = 128;

/// The types of MessagePack extensions.
pub(super) const SOME: i8 = 1;
pub(super) const SIGNED: i8 = 2;
pub(super) const UNSIGNED: i8 = 3;

/// Reads values from bytes.
pub(in crate::live_data) struct Decoder<'de> {
    pub(super) input: &'de [u8],
    depth: u32,
    /// A `None` that comes next, within this many options.
    pub(super) nested: Option<u8>,
    /// True if an identifier has to be a name.
    pub(super) names_only: bool,
}

/// A value, or the number of values in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::live_data) enum Head<'de> {
    Nil,
    /// A nil within this many `Some`.
    Some(u8),
    Bool(bool),
    Uint(u64),
    Int(i64),
    /// An `i128`, as its bytes, since it would make all other variants larger.
    Signed(&'de [u8; 16]),
    /// A `u128`.
    Unsigned(&'de [u8; 16]),
    F32(f32),
    F64(f64),
    Str(&'de str),
    Bytes(&'de [u8]),
    List(u32),
    Map(u32),
}

impl Head<'_> {
    fn unexpected(&self) -> Unexpected<'_> {
        match *self {
            Head::Nil | Head::Some(_) => Unexpected::Unit,
            Head::Bool(yes) => Unexpected::Bool(yes),
            Head::Uint(number) => Unexpected::Unsigned(number),
            Head::Int(number) => Unexpected::Signed(number),
            Head::Signed(_) | Head::Unsigned(_) => Unexpected::Other("an integer of 128 bits"),
            Head::F32(number) => Unexpected::Float(number.into()),
            Head::F64(number) => Unexpected::Float(number),
            Head::Str(text) => Unexpected::Str(text),
            Head::Bytes(bytes) => Unexpected::Bytes(bytes),
            Head::List(_) => Unexpected::Seq,
            Head::Map(_) => Unexpected::Map,
        }
    }

    /// Returns the error for a value of another type than expected.
    #[cold]
    pub(super) fn instead_of<T>(self, expected: &dyn Expected) -> Result<T, Error> {
        Err(Error::invalid_type(self.unexpected(), expected))
    }
}

impl<'de> Decoder<'de> {
    pub fn new(input: &'de [u8]) -> Self {
        Decoder {
            input,
            depth: 0,
            nested: None,
            names_only: true,
        }
    }

    /// Returns an error if there is anything left to read.
    pub fn end(&self) -> Result<(), Error> {
        match self.input.len() {
            0 => Ok(()),
            len => Err(Error::new(format!("{len} bytes are left after the value"))),
        }
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'de [u8], Error> {
        match self.input.split_at_checked(len) {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(taken)
            }
            None => Err(Error::new("the data ends too early")),
        }
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.array_ref().copied()
    }

    #[inline]
    fn array_ref<const N: usize>(&mut self) -> Result<&'de [u8; N], Error> {
        match self.input.split_first_chunk() {
            Some((taken, rest)) => {
                self.input = rest;
                Ok(taken)
            }
            None => Err(Error::new("the data ends too early")),
        }
    }

    #[inline]
    fn text(&mut self, len: usize) -> Result<Head<'de>, Error> {
        match str::from_utf8(self.take(len)?) {
            Ok(text) => Ok(Head::Str(text)),
            Err(_) => Err(Error::new("is a string that is not UTF-8")),
        }
    }

    fn block(&mut self, len: usize) -> Result<Head<'de>, Error> {
        self.take(len).map(Head::Bytes)
    }

    fn extension(&mut self, len: usize) -> Result<Head<'de>, Error> {
        let [kind] = self.array()?;
        match (kind.cast_signed(), len) {
            (SOME, 1) => match self.array()? {
                [0] => Ok(Head::Nil),
                [depth] => Ok(Head::Some(depth)),
            },
            (SIGNED, 16) => self.array_ref().map(Head::Signed),
            (UNSIGNED, 16) => self.array_ref().map(Head::Unsigned),
            (kind, len) => Err(Error::new(format!(
                "is an extension of type {kind} with {len} bytes, which live data does not have"
            ))),
        }
    }

    #[inline]
    pub fn head(&mut self) -> Result<Head<'de>, Error> {
        if let Some(depth) = self.nested.take() {
            return Ok(if depth == 0 {
                Head::Nil
            } else {
                Head::Some(depth)
            });
        }
        let [marker] = self.array()?;
        macro_rules! number {
            ($ty:ty) => {
                <$ty>::from_be_bytes(self.array()?)
            };
        }
        match Marker::from_u8(marker) {
            Marker::FixPos(number) => Ok(Head::Uint(number.into())),
            Marker::FixNeg(number) => Ok(Head::Int(number.into())),
            Marker::FixStr(len) => self.text(len.into()),
            Marker::FixMap(len) => Ok(Head::Map(len.into())),
            Marker::FixArray(len) => Ok(Head::List(len.into())),
            Marker::Null => Ok(Head::Nil),
            Marker::True => Ok(Head::Bool(true)),
            Marker::False => Ok(Head::Bool(false)),
            Marker::U8 => Ok(Head::Uint(number!(u8).into())),
            Marker::U16 => Ok(Head::Uint(number!(u16).into())),
            Marker::U32 => Ok(Head::Uint(number!(u32).into())),
            Marker::U64 => Ok(Head::Uint(number!(u64))),
            Marker::I8 => Ok(Head::Int(number!(i8).into())),
            Marker::I16 => Ok(Head::Int(number!(i16).into())),
            Marker::I32 => Ok(Head::Int(number!(i32).into())),
            Marker::I64 => Ok(Head::Int(number!(i64))),
            Marker::F32 => Ok(Head::F32(number!(f32))),
            Marker::F64 => Ok(Head::F64(number!(f64))),
            Marker::Str8 => {
                let len = number!(u8);
                self.text(len.into())
            }
            Marker::Str16 => {
                let len = number!(u16);
                self.text(len.into())
            }
            Marker::Str32 => {
                let len = number!(u32);
                self.text(len as usize)
            }
            Marker::Bin8 => {
                let len = number!(u8);
                self.block(len.into())
            }
            Marker::Bin16 => {
                let len = number!(u16);
                self.block(len.into())
            }
            Marker::Bin32 => {
                let len = number!(u32);
                self.block(len as usize)
            }
            Marker::Array16 => Ok(Head::List(number!(u16).into())),
            Marker::Array32 => Ok(Head::List(number!(u32))),
            Marker::Map16 => Ok(Head::Map(number!(u16).into())),
            Marker::Map32 => Ok(Head::Map(number!(u32))),
            Marker::FixExt1 => self.extension(1),
            Marker::FixExt16 => self.extension(16),
            other => Err(Error::new(format!(
                "is {other:?} of MessagePack, which live data does not have"
            ))),
        }
    }

    /// Skips a value. Nested lists and maps are counted, so that none is too deep.
    pub(super) fn skip(&mut self) -> Result<(), Error> {
        let mut left = 1_u64;
        while left > 0 {
            left -= 1;
            left = left.saturating_add(match self.head()? {
                Head::List(len) => len.into(),
                Head::Map(len) => 2 * u64::from(len),
                _ => 0,
            });
        }
        Ok(())
    }

    /// Reads a value one level deeper.
    #[inline]
    pub fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::new(format!(
                "is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}
