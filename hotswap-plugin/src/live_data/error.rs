//! What can be wrong with live data.
use super::codec;
use std::fmt;

/// Why a value could not be saved, restored or brought to another version. The data is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LiveDataError {
    /// The value cannot be saved.
    Save {
        /// The type.
        type_name: String,
        /// Where in the value: `crew[3].speed`.
        path: String,
        /// What is there.
        reason: String,
    },
    /// Two types within one value have the same name and are not the same: nobody could tell their versions apart.
    SameName {
        /// The name.
        type_name: String,
    },
    /// The bytes are no live data.
    NoLiveData {
        /// What they have that live data does not have.
        reason: String,
    },
    /// The bytes are live data of a format that this build does not know.
    UnknownFormat {
        /// The format's version.
        found: u8,
    },
    /// The data is a value of another type.
    WrongType {
        /// Its type.
        found: String,
        /// The type that was asked for.
        expected: String,
    },
    /// The data was saved by a newer version of the type, and names alone do not tell this one what it means.
    Newer {
        /// The type.
        type_name: String,
        /// The version that saved it.
        found: u32,
        /// The oldest version that understands it.
        since: u32,
        /// The version here.
        own: u32,
    },
    /// There is no way from one version of the type down to an earlier one.
    NoWayDown {
        /// The type.
        type_name: String,
        /// The version that cannot be left.
        from: u32,
        /// The version before.
        to: u32,
    },
    /// The data has an earlier version than the one it is to be lowered to.
    NotLower {
        /// The type.
        type_name: String,
        /// The version of the data.
        found: u32,
        /// The version asked for.
        wanted: u32,
    },
    /// A migration refused the value.
    Migration {
        /// The type.
        type_name: String,
        /// The version before.
        from: u32,
        /// The version after.
        to: u32,
        /// Where in the data the value is. Empty for the data itself.
        path: String,
        /// What the migration says.
        reason: String,
    },
    /// The value does not fit the type.
    Restore {
        /// The type.
        type_name: String,
        /// The version that saved it.
        version: u32,
        /// Where in the value: `crew[3].speed`. Empty for the value itself.
        path: String,
        /// What is wrong there.
        reason: String,
    },
}

impl LiveDataError {
    /// The path to the place in the value, where the error has one.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Save { path, .. } | Self::Migration { path, .. } | Self::Restore { path, .. } => {
                Some(path)
            }
            _ => None,
        }
    }

    pub(super) fn saving(type_name: &str, error: codec::Error) -> Self {
        let (path, reason) = error.into_parts();
        LiveDataError::Save {
            type_name: type_name.to_owned(),
            path,
            reason,
        }
    }

    pub(super) fn no_live_data(reason: impl Into<String>) -> Self {
        LiveDataError::NoLiveData {
            reason: reason.into(),
        }
    }

    /// The same error, seen from what has it under this name.
    #[cold]
    #[must_use]
    pub(super) fn at(mut self, name: &str) -> Self {
        if let Self::Save { path, .. } | Self::Migration { path, .. } | Self::Restore { path, .. } =
            &mut self
        {
            codec::prefix(path, name);
        }
        self
    }
}

impl fmt::Display for LiveDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |path: &str| match path {
            "" => String::new(),
            path => format!("{path}: "),
        };
        match self {
            Self::Save {
                type_name,
                path,
                reason,
            } => {
                write!(f, "{type_name} cannot be saved: {}{reason}", place(path))
            }
            Self::SameName { type_name } => write!(
                f,
                "two types in one value are called {type_name}, with different versions: name one of them with `#[live_data(name = \"…\")]`"
            ),
            Self::NoLiveData { reason } => write!(f, "not live data: {reason}"),
            Self::UnknownFormat { found } => write!(
                f,
                "live data of format {found}, which this build does not know: read it with a newer hotswap"
            ),
            Self::WrongType { found, expected } => write!(
                f,
                "a {found} cannot be restored as {expected}: a type that has a new name says `#[live_data(was = \"{found}\")]`"
            ),
            Self::Newer {
                type_name,
                found,
                since,
                own,
            } => write!(
                f,
                "{type_name} was saved by version {found}, which version {own} does not understand: restore it with version {since} or later, or lower it there to version {own}"
            ),
            Self::NoWayDown {
                type_name,
                from,
                to,
            } => write!(
                f,
                "{type_name} cannot be lowered from version {from} to {to}: `migrate({to}, …)` declares no `down`"
            ),
            Self::NotLower {
                type_name,
                found,
                wanted,
            } => write!(
                f,
                "{type_name} has version {found} and cannot be lowered to {wanted}: restore it and save it again"
            ),
            Self::Migration {
                type_name,
                from,
                to,
                path,
                reason,
            } => write!(
                f,
                "{type_name} cannot go from version {from} to {to}: {}{reason}",
                place(path)
            ),
            Self::Restore {
                type_name,
                version,
                path,
                reason,
            } => {
                let version = match version {
                    0 => String::new(),
                    version => format!(" of version {version}"),
                };
                write!(
                    f,
                    "{type_name}{version} cannot be restored: {}{reason}",
                    place(path)
                )
            }
        }
    }
}

impl std::error::Error for LiveDataError {}
