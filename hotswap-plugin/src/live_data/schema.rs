//! The types in a value, with their versions: the table in front of the value.
use super::error::LiveDataError;
use super::types::{LiveType, Types};
use std::fmt;

pub(super) const MAGIC: [u8; 4] = *b"HSLD";
pub(super) const FORMAT: u8 = 1;
/// The offset at which the table of types begins.
pub(super) const TABLE: usize = 5;

/// One entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub version: u32,
    /// The oldest version that understands the data by names alone.
    pub since: u32,
}

/// The names and versions of the live types in a value: the type of the value first, then those of its fields.
///
/// A plugin that is to take over state says in this form which versions it understands, and the state is
/// [lowered](crate::LiveData::lower_to) to them.
#[derive(Clone, PartialEq, Eq)]
pub struct Schema {
    /// The table, in the form that it has in live data.
    table: Vec<u8>,
}

impl Schema {
    /// Returns the schema of a type.
    ///
    /// # Errors
    /// Returns [`SameName`](LiveDataError::SameName) if two types in it cannot be distinguished.
    pub fn of<T: LiveType>() -> Result<Self, LiveDataError> {
        let mut table = Vec::new();
        write(Types::of::<T>()?.entries(), &mut table);
        Ok(Schema { table })
    }

    /// Returns the bytes, in the form that they have in live data.
    pub fn as_bytes(&self) -> &[u8] {
        &self.table
    }

    /// Reads a schema from the bytes that [`as_bytes`](Self::as_bytes) returned.
    ///
    /// # Errors
    /// Returns [`NoLiveData`](LiveDataError::NoLiveData) if they are not a schema.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LiveDataError> {
        match length(bytes) {
            Some(len) if len == bytes.len() => Ok(Schema {
                table: bytes.to_vec(),
            }),
            _ => Err(LiveDataError::no_live_data("the table of types is broken")),
        }
    }

    /// Returns the name of the value's own type.
    pub fn type_name(&self) -> &str {
        self.entries().next().map_or("", |entry| entry.name)
    }

    /// Returns the version of the value's own type; 0 if it has none.
    pub fn version(&self) -> u32 {
        self.entries().next().map_or(0, |entry| entry.version)
    }

    /// Returns the schema of a table whose [`length`] is known.
    pub(super) fn of_table(table: &[u8]) -> Self {
        Schema {
            table: table.to_vec(),
        }
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        Entries::new(&self.table)
    }
}

/// Shows `Fire 2 (Gun 1)`.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, entry) in self.entries().enumerate() {
            let before = match i {
                0 => "",
                1 => " (",
                _ => ", ",
            };
            write!(f, "{before}{}", entry.name)?;
            if entry.version > 0 {
                write!(f, " {}", entry.version)?;
            }
        }
        f.write_str(if self.entries().count() > 1 { ")" } else { "" })
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({self})")
    }
}

/// Appends the table of these types.
pub(super) fn write<'a>(entries: impl ExactSizeIterator<Item = Entry<'a>>, out: &mut Vec<u8>) {
    // The numbers fit: `Types` limits the number of types and the length of names.
    out.extend((entries.len() as u16).to_le_bytes());
    for entry in entries {
        out.extend((entry.name.len() as u16).to_le_bytes());
        out.extend_from_slice(entry.name.as_bytes());
        out.extend(entry.version.to_le_bytes());
        out.extend(entry.since.to_le_bytes());
    }
}

/// Returns the length of the table that these bytes begin with, if they do.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let (count, mut rest) = bytes.split_first_chunk::<2>()?;
    let count = u16::from_le_bytes(*count);
    for _ in 0..count {
        rest = entry(rest)?.1;
    }
    (count > 0).then(|| bytes.len() - rest.len())
}

fn entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
    let (version, rest) = rest.split_first_chunk()?;
    let (since, rest) = rest.split_first_chunk()?;
    let entry = Entry {
        name: str::from_utf8(name).ok()?,
        version: u32::from_le_bytes(*version),
        since: u32::from_le_bytes(*since),
    };
    Some((entry, rest))
}

/// The entries of a table.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    left: u16,
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    /// Returns the entries of a table whose [`length`] is known.
    pub fn new(table: &'a [u8]) -> Self {
        match table.split_first_chunk() {
            Some((count, rest)) => Entries {
                left: u16::from_le_bytes(*count),
                rest,
            },
            None => Entries { left: 0, rest: &[] },
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;
    fn next(&mut self) -> Option<Entry<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (entry, rest) = entry(self.rest)?;
        self.rest = rest;
        Some(entry)
    }
}
