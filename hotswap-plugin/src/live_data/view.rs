//! `LiveDataView`, which reads live data in place.
use super::codec;
use super::error::LiveDataError;
use super::migrate::{Walk, Want};
use super::node::Node;
use super::schema::{self, Entries};
use super::schema::{FORMAT, TABLE};
use super::types::LiveType;
use super::types::{self, Types};

/// Live data in borrowed bytes, which is read without a copy of them.
///
/// ```
/// use hotswap_plugin::live_data::{LiveData, LiveDataView};
///
/// let data = LiveData::save(&vec![3_u8, 1, 4])?;
/// let view = LiveDataView::new(data.as_bytes())?;
/// assert_eq!(view.restore::<Vec<u8>>()?, [3, 1, 4]);
/// # Ok::<(), hotswap_plugin::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LiveDataView<'a> {
    pub(super) bytes: &'a [u8],
    /// The offset at which the value begins.
    pub(super) value: usize,
}

impl<'a> LiveDataView<'a> {
    /// Reads the header. The value itself is read when it is restored.
    ///
    /// # Errors
    /// Returns [`NoLiveData`](LiveDataError::NoLiveData) or [`UnknownFormat`](LiveDataError::UnknownFormat).
    pub fn new(bytes: &'a [u8]) -> Result<Self, LiveDataError> {
        let table = match bytes {
            [b'H', b'S', b'L', b'D', FORMAT, table @ ..] => table,
            [b'H', b'S', b'L', b'D', found, ..] => {
                return Err(LiveDataError::UnknownFormat { found: *found });
            }
            _ => return Err(LiveDataError::no_live_data("it does not begin with HSLD")),
        };
        match schema::length(table) {
            Some(len) if len < table.len() => Ok(LiveDataView {
                bytes,
                value: TABLE + len,
            }),
            Some(_) => Err(LiveDataError::no_live_data("there is no value")),
            None => Err(LiveDataError::no_live_data("the table of types is broken")),
        }
    }

    /// Restores the value as its type is now.
    ///
    /// # Errors
    /// Returns the errors of [`LiveData::restore`](super::LiveData::restore).
    pub fn restore<T: LiveType>(&self) -> Result<T, LiveDataError> {
        let value = match self.is_current::<T>()? {
            true => T::decode(self.value()),
            false => self.migrated::<T>(&Want::Own)?.to(),
        };
        value.map_err(|e| self.failed(e))
    }

    pub(super) fn type_name(&self) -> &'a str {
        self.entries().next().map_or("", |entry| entry.name)
    }

    pub(super) fn version(&self) -> u32 {
        self.entries().next().map_or(0, |entry| entry.version)
    }

    pub(super) fn value(&self) -> &'a [u8] {
        &self.bytes[self.value..]
    }

    pub(super) fn entries(&self) -> Entries<'a> {
        Entries::new(&self.bytes[TABLE..self.value])
    }

    /// Returns true if the data can be read as a `T` without a migration.
    pub(super) fn is_current<T: LiveType>(&self) -> Result<bool, LiveDataError> {
        self.check_name::<T>()?;
        let types = Types::of::<T>()?;
        // Most data was saved by the same build, so its table is the same.
        if self.entries().eq(types.entries()) {
            return Ok(true);
        }
        let mut current = true;
        for entry in self.entries() {
            let Some(known) = types.find(entry.name) else {
                continue;
            };
            if known.version < entry.since {
                return Err(LiveDataError::Newer {
                    type_name: known.name.to_owned(),
                    found: entry.version,
                    since: entry.since,
                    own: known.version,
                });
            }
            current &= known.version <= entry.version;
        }
        Ok(current)
    }

    fn check_name<T: LiveType>(&self) -> Result<(), LiveDataError> {
        match self.type_name() {
            name if types::is_named::<T>(name) => Ok(()),
            name => Err(LiveDataError::WrongType {
                found: name.to_owned(),
                expected: T::NAME.to_owned(),
            }),
        }
    }

    pub(super) fn parsed(&self) -> Result<Node, LiveDataError> {
        Node::parse(self.value()).map_err(|e| self.failed(e))
    }

    pub(super) fn migrated<T: LiveType>(&self, want: &Want<'_>) -> Result<Node, LiveDataError> {
        let mut node = self.parsed()?;
        let walk = Walk {
            have: self.entries(),
            want,
        };
        walk.value::<T>(&mut node)?;
        Ok(node)
    }

    pub(super) fn failed(&self, error: codec::Error) -> LiveDataError {
        let (path, reason) = error.into_parts();
        LiveDataError::Restore {
            type_name: self.type_name().to_owned(),
            version: self.version(),
            path,
            reason,
        }
    }
}
