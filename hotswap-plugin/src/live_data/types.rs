//! The types that can be live data, and what they declare of themselves.
use super::codec;
use super::error::LiveDataError;
use super::migrate::{Migration, Walk};
use super::node::Node;
use super::schema::Entry;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type whose values can be saved by one version of the code and restored by another.
///
/// `#[live_data]` on a struct or an enum implements it. Numbers, strings, collections, tuples, and similar types
/// implement it without a version of their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no name and no schema version, so it cannot be saved as live data",
    label = "not a live type",
    note = "put `#[live_data]` on the definition of `{Self}`, or save it with `LiveData::with`, which takes a name and a version"
)]
pub trait LiveType: Serialize + DeserializeOwned + 'static {
    /// The name that live data carries.
    const NAME: &'static str;
    /// The schema version that live data carries; 0 for types without one.
    const VERSION: u32;
    /// Earlier names of the type.
    #[doc(hidden)]
    const EARLIER: &'static [&'static str] = &[];
    /// True if the type is an enum.
    #[doc(hidden)]
    const IS_ENUM: bool = false;
    /// True if every value can be restored, so that there is nothing to [`check`](Self::check).
    #[doc(hidden)]
    const COMES_BACK: bool = false;
    /// The migrations, the earliest first.
    #[doc(hidden)]
    const MIGRATIONS: &'static [Migration] = &[];
    /// The migrations and the fields, as JSON for the artifact's metadata; empty for types that do not declare them.
    #[doc(hidden)]
    const HISTORY: &'static str = "";

    /// Adds the live types in it: itself, if it has a version, and those of its fields.
    #[doc(hidden)]
    fn types(_: &mut Types) {}

    /// Migrates the live types in a value of this type, which is at the type's own version.
    #[doc(hidden)]
    fn migrate_within(_: &mut Node, _: &Walk<'_>) -> Result<(), LiveDataError> {
        Ok(())
    }

    /// Overwrites the part of the value that `node` has, and leaves the rest as it is. If `write` is false, nothing
    /// changes, and the errors are the same.
    #[doc(hidden)]
    fn overlay(&mut self, node: &Node, write: bool) -> Result<(), codec::Error> {
        node.put(self, write)
    }

    /// Refuses a value that could be written, but not be restored as it is: see `codec::check`. Types that live data
    /// knows can always be restored, and check only their fields.
    #[doc(hidden)]
    fn check(&self) -> Result<(), codec::Error> {
        codec::comes_back(self)
    }

    /// Appends the bytes.
    #[doc(hidden)]
    fn encode(&self, out: Vec<u8>) -> Result<Vec<u8>, codec::Error> {
        codec::encode(self, out)
    }

    /// Returns the value of these bytes.
    #[doc(hidden)]
    fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        codec::decode(bytes)
    }
}

/// Returns true if this is the current or an earlier name of the type. Types without a version take data of every name.
pub(super) fn is_named<T: LiveType>(name: &str) -> bool {
    T::VERSION == 0 || names(T::NAME, T::EARLIER).any(|own| same(own, name))
}

fn names(
    now: &'static str,
    earlier: &'static [&'static str],
) -> impl Iterator<Item = &'static str> {
    std::iter::once(now).chain(earlier.iter().copied())
}

/// Compares names with `-` equal to `_` and without case, as those of plugins are compared.
fn same(a: &str, b: &str) -> bool {
    fn folded(name: &str) -> impl Iterator<Item = char> {
        let chars = name.chars().flat_map(char::to_lowercase);
        chars.map(|c| if c == '-' { '_' } else { c })
    }
    // Most names differ in their length. A change of case may change the length only of names that are not ASCII.
    let differ = a.len() != b.len() && a.is_ascii() && b.is_ascii();
    a == b || !differ && folded(a).eq(folded(b))
}

/// A type that a field of live data may have: one that `serde` can write and read. All of these implement it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be in live data",
    label = "cannot be saved and restored",
    note = "put `#[live_data]` on the definition of `{Self}`, or `#[live_data(skip)]` on the field, which then is made anew"
)]
pub trait LiveField {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> LiveField for T {}

/// The live types in a type.
#[doc(hidden)]
pub struct Types {
    known: Vec<Known>,
    clash: Option<&'static str>,
}

/// A live type.
pub(super) struct Known {
    pub name: &'static str,
    pub version: u32,
    earlier: &'static [&'static str],
    migrations: &'static [Migration],
}

impl Known {
    /// Returns true if this is the current or an earlier name of the type.
    pub fn is_named(&self, name: &str) -> bool {
        names(self.name, self.earlier).any(|own| same(own, name))
    }

    /// Returns the oldest version that understands data of this version by names alone: the one after the last
    /// migration.
    pub fn since(&self, version: u32) -> u32 {
        let before = self.migrations.iter().filter(|step| step.from < version);
        before.map(|step| step.from + 1).max().unwrap_or(0)
    }
}

impl Types {
    /// Returns the live types in a type, itself first.
    pub(super) fn of<T: LiveType>() -> Result<Self, LiveDataError> {
        let mut types = Types {
            known: Vec::new(),
            clash: None,
        };
        if T::VERSION == 0 {
            types.add::<T>();
        }
        T::types(&mut types);
        match types.clash {
            None => Ok(types),
            Some(name) => Err(LiveDataError::SameName {
                type_name: name.to_owned(),
            }),
        }
    }

    fn add<T: LiveType>(&mut self) {
        self.known.push(Known {
            name: T::NAME,
            version: T::VERSION,
            earlier: T::EARLIER,
            migrations: T::MIGRATIONS,
        });
    }

    /// Adds a type. Returns false if it is known already, so that its fields need no look.
    pub fn enter<T: LiveType>(&mut self) -> bool {
        let known = self.known.iter().find(|known| same(known.name, T::NAME));
        match known {
            Some(known) => {
                if known.version != T::VERSION {
                    self.clash = Some(T::NAME);
                }
                false
            }
            None if self.known.len() == usize::from(u16::MAX) => false,
            None => {
                self.add::<T>();
                true
            }
        }
    }

    pub(super) fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.known.iter().map(|known| Entry {
            name: known.name,
            version: known.version,
            since: known.since(known.version),
        })
    }

    /// Returns the type that has this name, or had it earlier.
    pub(super) fn find(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.is_named(name))
    }
}
