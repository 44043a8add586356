//! The types that can be live data, and what they know of themselves.
use super::codec;
use super::error::LiveDataError;
use super::migrate::{Migration, Walk};
use super::node::Node;
use super::schema::Entry;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type whose values can be saved by one version of the code and restored by another.
///
/// `#[live_data]` on a struct or an enum implements it. Numbers, texts, collections, tuples and the like have it; they
/// have no version of their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no name and no schema version, so it cannot be saved as live data",
    label = "not a live type",
    note = "put `#[live_data]` on the definition of `{Self}`, or save it with `LiveData::with`, which takes a name and a version"
)]
pub trait LiveType: Serialize + DeserializeOwned + 'static {
    /// The name that live data carries.
    const NAME: &'static str;
    /// The schema version that live data carries. 0 for types without one.
    const VERSION: u32;
    /// Names that the type had earlier.
    #[doc(hidden)]
    const EARLIER: &'static [&'static str] = &[];
    /// Whether a value is one of several variants.
    #[doc(hidden)]
    const IS_ENUM: bool = false;
    /// Whether every value comes back, so that there is nothing to [`check`](Self::check).
    #[doc(hidden)]
    const COMES_BACK: bool = false;
    /// The migrations, the earliest first.
    #[doc(hidden)]
    const MIGRATIONS: &'static [Migration] = &[];

    /// Names the live types in it: itself, where it has a version, and those of its fields.
    #[doc(hidden)]
    fn types(_: &mut Types) {}

    /// Migrates the live types in a value of this type, which is at the type's own version.
    #[doc(hidden)]
    fn migrate_within(_: &mut Node, _: &Walk<'_>) -> Result<(), LiveDataError> {
        Ok(())
    }

    /// Overwrites what `node` has, and leaves the rest alone. Where it is not to `write`, nothing changes, and the errors
    /// are the same.
    #[doc(hidden)]
    fn overlay(&mut self, node: &Node, write: bool) -> Result<(), codec::Error> {
        node.put(self, write)
    }

    /// Refuses what could be written, but would not be restored as it is: see `codec::check`. Types that live data knows
    /// come back, and look into their fields.
    #[doc(hidden)]
    fn check(&self) -> Result<(), codec::Error> {
        codec::comes_back(self)
    }

    /// Appends the bytes.
    #[doc(hidden)]
    fn encode(&self, out: Vec<u8>) -> Result<Vec<u8>, codec::Error> {
        codec::encode(self, out)
    }

    /// The value of these bytes.
    #[doc(hidden)]
    fn decode(bytes: &[u8]) -> Result<Self, codec::Error> {
        codec::decode(bytes)
    }
}

/// Whether this is the name of the type, now or earlier. Types without a version take data of every name.
pub(super) fn is_named<T: LiveType>(name: &str) -> bool {
    T::VERSION == 0 || names(T::NAME, T::EARLIER).any(|own| same(own, name))
}

fn names(
    now: &'static str,
    earlier: &'static [&'static str],
) -> impl Iterator<Item = &'static str> {
    std::iter::once(now).chain(earlier.iter().copied())
}

/// Names are compared with `-` equal to `_` and case ignored, as those of plugins are.
fn same(a: &str, b: &str) -> bool {
    fn folded(name: &str) -> impl Iterator<Item = char> {
        let chars = name.chars().flat_map(char::to_lowercase);
        chars.map(|c| if c == '-' { '_' } else { c })
    }
    // Most names are told apart by their lengths; other letters may change theirs.
    let differ = a.len() != b.len() && a.is_ascii() && b.is_ascii();
    a == b || !differ && folded(a).eq(folded(b))
}

/// What a field of live data may be: what `serde` can write and read. It is implemented for all of these.
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
    /// Whether this is its name, now or earlier.
    pub fn is_named(&self, name: &str) -> bool {
        names(self.name, self.earlier).any(|own| same(own, name))
    }

    /// The oldest version that understands data of this version by names alone: the one after the last migration.
    pub fn since(&self, version: u32) -> u32 {
        let before = self.migrations.iter().filter(|step| step.from < version);
        before.map(|step| step.from + 1).max().unwrap_or(0)
    }
}

impl Types {
    /// Those of a type, itself first.
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

    /// Adds a type. `false` where it is known, and its fields need not be looked at.
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

    /// The type that has this name, or had it.
    pub(super) fn find(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.is_named(name))
    }
}
