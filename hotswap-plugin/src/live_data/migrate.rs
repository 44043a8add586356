//! Migrations from one version of a type to the next, and back.
use super::codec;
use super::error::LiveDataError;
use super::fields::Fields;
use super::node::Node;
use super::schema::{Entries, Entry, Schema};
use super::types::{LiveType, Types, is_named};

/// One step between two versions of a type.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Migration {
    /// The version that the step starts from. The other one is the next.
    pub from: u32,
    /// The step to the next version.
    pub up: Option<Step>,
    /// The step back to this version.
    pub down: Option<Step>,
}

/// A migration that an author has declared.
#[doc(hidden)]
pub type Step = fn(&mut Fields) -> crate::Result<()>;

/// Goes through a value, and brings each live type in it to the wanted version.
#[doc(hidden)]
pub struct Walk<'a> {
    pub(super) have: Entries<'a>,
    pub(super) want: &'a Want<'a>,
}

/// The wanted versions.
pub(super) enum Want<'a> {
    /// The versions of the types in this build.
    Own,
    /// This version for the type of the whole value. The other types keep theirs.
    Whole(u32),
    /// The versions of a schema. Types that it does not name keep theirs.
    These(&'a Schema),
}

impl Walk<'_> {
    /// Migrates a value of a live type, and the live values in it.
    ///
    /// On the way up, inner values come after the outer one, and on the way down before it: a field is migrated while
    /// it is where the newest version has it.
    ///
    /// # Errors
    /// Returns the errors of the migrations, or an error if a step down is not declared.
    pub fn value<T: LiveType>(&self, node: &mut Node) -> Result<(), LiveDataError> {
        if node.is_newest() {
            return Ok(());
        }
        if T::VERSION == 0 {
            return T::migrate_within(node, self);
        }
        let Some(have) = find::<T>(self.have.clone()) else {
            return T::migrate_within(node, self);
        };
        let want = match self.want {
            Want::Own => T::VERSION.max(have),
            Want::Whole(version) => match self.have.clone().next() {
                Some(whole) if is_named::<T>(whole.name) => *version,
                _ => have,
            },
            Want::These(schema) => find::<T>(schema.entries()).unwrap_or(have),
        };
        let within = |from: u32, to: u32| move |step: &&Migration| (from..to).contains(&step.from);
        for step in T::MIGRATIONS.iter().filter(within(have, want)) {
            if let Some(up) = step.up {
                run::<T>(up, node, step.from, step.from + 1)?;
            }
        }
        T::migrate_within(node, self)?;
        for step in T::MIGRATIONS.iter().rev().filter(within(want, have)) {
            let (from, to) = (step.from + 1, step.from);
            let Some(down) = step.down else {
                return Err(LiveDataError::NoWayDown {
                    type_name: T::NAME.to_owned(),
                    from,
                    to,
                });
            };
            run::<T>(down, node, from, to)?;
        }
        Ok(())
    }

    /// Runs `migrate` with the field that has one of these names, if there is one.
    ///
    /// # Errors
    /// Returns the errors of `migrate`, with the field in their paths.
    pub fn field(
        &self,
        node: &mut Node,
        names: &[&str],
        migrate: fn(&mut Node, &Walk<'_>) -> Result<(), LiveDataError>,
    ) -> Result<(), LiveDataError> {
        match node.field_mut(names) {
            Some((name, field)) => migrate(field, self).map_err(|e| e.at(&name)),
            None => Ok(()),
        }
    }

    /// Runs `migrate` with the item of a tuple, if there is one.
    ///
    /// # Errors
    /// Returns the errors of `migrate`, with the item in their paths.
    pub fn item(
        &self,
        node: &mut Node,
        index: usize,
        migrate: fn(&mut Node, &Walk<'_>) -> Result<(), LiveDataError>,
    ) -> Result<(), LiveDataError> {
        match node.item_mut(index) {
            Some(item) => migrate(item, self).map_err(|e| e.at(&format!("[{index}]"))),
            None => Ok(()),
        }
    }

    /// Migrates each item of a list.
    pub(super) fn each<T: LiveType>(&self, node: &mut Node) -> Result<(), LiveDataError> {
        for (index, item) in node.items_mut().iter_mut().enumerate() {
            self.value::<T>(item)
                .map_err(|e| e.at(&format!("[{index}]")))?;
        }
        Ok(())
    }

    /// Migrates each key and each value of a map.
    pub(super) fn entries<K: LiveType, V: LiveType>(
        &self,
        node: &mut Node,
    ) -> Result<(), LiveDataError> {
        for (key, value) in node.entries_mut() {
            let name = key.label();
            self.value::<K>(key).map_err(|e| e.at(&name))?;
            self.value::<V>(value).map_err(|e| e.at(&name))?;
        }
        Ok(())
    }
}

impl Want<'_> {
    /// Returns the entry of a type in the table of data that was lowered.
    pub fn lowered<'e>(
        &'e self,
        index: usize,
        entry: Entry<'e>,
        types: &Types,
    ) -> Result<Entry<'e>, LiveDataError> {
        let Some(known) = types.find(entry.name) else {
            return Ok(entry);
        };
        let (name, version) = match self {
            Want::Whole(version) if index == 0 => (entry.name, *version),
            Want::These(schema) => match schema.entries().find(|e| known.is_named(e.name)) {
                Some(wanted) => (wanted.name, wanted.version),
                None => return Ok(entry),
            },
            _ => return Ok(entry),
        };
        if version > entry.version {
            return Err(LiveDataError::NotLower {
                type_name: entry.name.to_owned(),
                found: entry.version,
                wanted: version,
            });
        }
        Ok(Entry {
            name,
            version,
            since: known.since(version),
        })
    }
}

fn find<T: LiveType>(mut entries: Entries<'_>) -> Option<u32> {
    let entry: Option<Entry<'_>> = entries.find(|entry| is_named::<T>(entry.name));
    entry.map(|entry| entry.version)
}

fn run<T: LiveType>(step: Step, node: &mut Node, from: u32, to: u32) -> Result<(), LiveDataError> {
    let mut fields = Fields::take(node, T::IS_ENUM);
    let result = step(&mut fields).and_then(|()| {
        *node = fields.into_node()?;
        Ok(())
    });
    result.map_err(|error| {
        let (path, reason) = codec::Error::from_any(error).into_parts();
        LiveDataError::Migration {
            type_name: T::NAME.to_owned(),
            from,
            to,
            path,
            reason,
        }
    })
}
