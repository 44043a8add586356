//! Writing of lists, maps, and variants.
use super::access::key_error;
use super::encode::{Encoder, done, length};
use super::number::{self, Number};
use super::{Decoder, Error, Head};
use rmp::encode;
use serde::ser::{Serialize, SerializeMap};

/// A list or a map that is being written.
pub(super) struct Compound<'e> {
    encoder: &'e mut Encoder,
    /// The number of items that was announced.
    len: Option<usize>,
    count: usize,
    /// The offset at which it begins.
    start: usize,
    /// The offset at which the last key begins.
    key: usize,
    variant: Option<&'static str>,
}

impl<'e> Compound<'e> {
    pub fn new(encoder: &'e mut Encoder, len: Option<usize>, start: usize) -> Self {
        Compound {
            encoder,
            len,
            count: 0,
            start,
            key: 0,
            variant: None,
        }
    }

    pub fn of_variant(mut self, name: &'static str) -> Self {
        self.variant = Some(name);
        self
    }

    #[cold]
    fn within(&self, error: Error) -> Error {
        match self.variant {
            Some(name) => error.at(name),
            None => error,
        }
    }

    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let written = value.serialize(&mut *self.encoder);
        written.map_err(|e| self.within(e.index(self.count)))?;
        self.count += 1;
        Ok(())
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        if name.starts_with('$') && matches!(name, number::NAME | number::RAW) {
            return self.private(name, value);
        }
        done(encode::write_str(&mut self.encoder.out, name))?;
        let written = value.serialize(&mut *self.encoder);
        written.map_err(|e| self.within(e.at(name)))?;
        self.count += 1;
        Ok(())
    }

    /// Writes the one field of a struct that only `serde_json` understands. A number is written as such, in place of
    /// the struct.
    #[cold]
    fn private<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        if name == number::RAW {
            return Err(Error::new(
                "is raw JSON (`RawValue`), which only serde_json can read; keep it as a `String`",
            ));
        }
        let text = super::encode(value, Vec::new())?;
        let Head::Str(text) = Decoder::new(&text).head()? else {
            return Err(Error::new("is a number of serde_json without its text"));
        };
        let number = Number::exactly(text).ok_or_else(|| {
            Error::new(format!(
                "is the number {text}, which neither an integer of 128 bits nor an f64 holds exactly; keep it as a `String`"
            ))
        })?;
        self.encoder.bytes().truncate(self.start);
        self.count += 1;
        number.serialize(&mut *self.encoder)
    }

    fn finish(self) -> Result<(), Error> {
        let Compound {
            encoder,
            count,
            start,
            ..
        } = self;
        encoder.depth -= if self.variant.is_some() { 2 } else { 1 };
        match self.len {
            Some(len) if len == count => Ok(()),
            Some(len) => Err(Error::new(format!(
                "announced {len} items, but has {count}"
            ))),
            None => {
                let number = length(count)?.to_be_bytes();
                encoder.bytes()[start + 1..start + 5].copy_from_slice(&number);
                Ok(())
            }
        }
    }
}

forms_with_parts!(Compound<'_> => ());

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key = self.encoder.bytes().len();
        key.serialize(&mut *self.encoder)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let end = self.encoder.bytes().len();
        let written = value.serialize(&mut *self.encoder);
        written.map_err(|e| {
            let key = &self.encoder.out.as_vec()[self.key..end];
            key_error(e, key)
        })?;
        self.count += 1;
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
