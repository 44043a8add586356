//! A hash of what a value writes of itself. Two values that write the same have the same hash.
//!
//! It distinguishes more than the bytes do: a `u8` from a `u32`, `1.50` from `1.5`, and one variant from another. The
//! items of a collection without an order, such as a hash map or set, may come in any order.
use super::{Error, bytes, prefix};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns the hash of a value.
pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Result<u64, Error> {
    value.serialize(Witness { notes: None })
}

/// Returns the path to the deepest place at which two values differ.
pub(super) fn difference<T: Serialize + ?Sized>(a: &T, b: &T) -> Result<String, Error> {
    let (a, mut b) = (notes(a)?, notes(b)?);
    let differ = a
        .into_iter()
        .filter(|(path, number)| b.remove(path) != Some(*number));
    let differ: Vec<_> = differ.map(|(path, _)| path).collect();
    let deepest = differ.into_iter().chain(b.into_keys());
    Ok(deepest.max_by_key(|path| depth(path)).unwrap_or_default())
}

fn depth(path: &str) -> usize {
    path.matches(['.', '[']).count() + usize::from(!path.is_empty())
}

fn notes<T: Serialize + ?Sized>(value: &T) -> Result<BTreeMap<String, u64>, Error> {
    let mut notes = Notes::default();
    value.serialize(Witness {
        notes: Some(&mut notes),
    })?;
    Ok(notes.seen)
}

/// The hashes of all places.
#[derive(Default)]
struct Notes {
    names: Vec<String>,
    seen: BTreeMap<String, u64>,
}

struct Witness<'n> {
    notes: Option<&'n mut Notes>,
}

/// Returns the hash of a value without parts. The kind distinguishes types whose values look the same.
fn leaf(kind: &str, value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, value).hash(&mut hasher);
    hasher.finish()
}

/// A value with parts.
struct Parts<'n> {
    notes: Option<&'n mut Notes>,
    kind: &'static str,
    name: &'static str,
    ordered: bool,
    count: usize,
    sum: u64,
    /// The last key, and its label in a path.
    key: (u64, Option<String>),
}

impl<'n> Witness<'n> {
    fn parts(self, kind: &'static str, name: &'static str, ordered: bool) -> Parts<'n> {
        Parts {
            notes: self.notes,
            kind,
            name,
            ordered,
            count: 0,
            sum: 0,
            key: (0, None),
        }
    }
}

impl Parts<'_> {
    /// Adds a part, with its label, and its name in paths.
    fn part<T: Serialize + ?Sized>(
        &mut self,
        label: impl Hash,
        name: impl FnOnce(usize) -> String,
        value: &T,
    ) -> Result<(), Error> {
        let number = match &mut self.notes {
            None => value.serialize(Witness { notes: None })?,
            Some(notes) => {
                notes.names.push(name(self.count));
                let number = value.serialize(Witness { notes: Some(notes) })?;
                let mut path = String::new();
                notes
                    .names
                    .iter()
                    .rev()
                    .for_each(|name| prefix(&mut path, name));
                notes.seen.insert(path, number);
                notes.names.pop();
                number
            }
        };
        let number = leaf("part", (label, number));
        self.sum = match self.ordered {
            true => leaf("then", (self.sum, number)),
            false => self.sum.wrapping_add(number),
        };
        self.count += 1;
        Ok(())
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.part((), |index| format!("[{index}]"), value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.part(name, |_| name.to_owned(), value)
    }

    fn finish(self) -> Result<u64, Error> {
        Ok(leaf(self.kind, (self.name, self.count, self.sum)))
    }
}

macro_rules! leaves {
    ($($method:ident($ty:ty) $(via $number:ident)?),* $(,)?) => {$(
        fn $method(self, value: $ty) -> Result<u64, Error> {
            Ok(leaf(stringify!($ty), value $(.$number())?))
        }
    )*};
}

impl<'n> Serializer for Witness<'n> {
    type Ok = u64;
    type Error = Error;
    type SerializeSeq = Parts<'n>;
    type SerializeTuple = Parts<'n>;
    type SerializeTupleStruct = Parts<'n>;
    type SerializeTupleVariant = Parts<'n>;
    type SerializeMap = Parts<'n>;
    type SerializeStruct = Parts<'n>;
    type SerializeStructVariant = Parts<'n>;

    leaves! {
        serialize_bool(bool),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_f32(f32) via to_bits,
        serialize_f64(f64) via to_bits,
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
    }

    fn serialize_none(self) -> Result<u64, Error> {
        Ok(leaf("none", ()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<u64, Error> {
        Ok(leaf("some", value.serialize(self)?))
    }

    fn serialize_unit(self) -> Result<u64, Error> {
        Ok(leaf("unit", ()))
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<u64, Error> {
        Ok(leaf("unit", name))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
    ) -> Result<u64, Error> {
        Ok(leaf("variant", (index, name)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<u64, Error> {
        Ok(leaf(name, value.serialize(self)?))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<u64, Error> {
        let mut parts = self.parts("variant", name, true);
        parts.part(index, |_| name.to_owned(), value)?;
        parts.finish()
    }

    /// A type that writes its items one by one may be a set.
    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'n>, Error> {
        Ok(self.parts("list", "", false))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'n>, Error> {
        Ok(self.parts("tuple", "", true))
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts<'n>, Error> {
        Ok(self.parts("tuple", name, true))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'n>, Error> {
        Ok(self.parts("variant", name, true))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'n>, Error> {
        Ok(self.parts("map", "", false))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts<'n>, Error> {
        Ok(self.parts("struct", name, true))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Parts<'n>, Error> {
        Ok(self.parts("variant", name, true))
    }

    /// Decides by the iterator's type whether its items have an order. A hash map or set would be taken for a list with
    /// an order only if it hid its name. A list that hides its own name is compared without its order.
    fn collect_seq<I>(self, items: I) -> Result<u64, Error>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        if std::any::type_name::<I::Item>() == "&u8" {
            let bytes: Result<Vec<u8>, Error> =
                items.into_iter().map(|item| bytes::byte(&item)).collect();
            return Ok(leaf("list of bytes", bytes?));
        }
        let of = std::any::type_name::<I>().to_ascii_lowercase();
        let ordered = !of.contains("hash") && !of.contains("heap");
        let mut list = self.parts("list", "", ordered);
        items.into_iter().try_for_each(|item| list.item(&item))?;
        list.finish()
    }
}

forms_with_parts!(Parts<'_> => u64);

impl SerializeMap for Parts<'_> {
    type Ok = u64;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let name = self.notes.is_some().then(|| super::label(key));
        self.key = (key.serialize(Witness { notes: None })?, name);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (key, name) = std::mem::take(&mut self.key);
        self.part(key, |_| name.unwrap_or_default(), value)
    }

    fn end(self) -> Result<u64, Error> {
        self.finish()
    }
}
