//! The errors of live data.
use super::codec;
use std::fmt;

/// The reason why a value could not be saved, restored, or brought to another version. The data is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LiveDataError {
    /// The value cannot be saved.
    Save {
        /// The type.
        type_name: String,
        /// The path to the place in the value, such as `crew[3].speed`.
        path: String,
        /// The reason.
        reason: String,
    },
    /// Two different types within one value have the same name, so their versions cannot be distinguished.
    SameName {
        /// The name.
        type_name: String,
    },
    /// The bytes are not live data.
    NoLiveData {
        /// The difference from live data.
        reason: String,
    },
    /// The bytes are live data of a format that this build does not know.
    UnknownFormat {
        /// The format's version.
        found: u8,
    },
    /// The data is a value of another type.
    WrongType {
        /// The type of the data.
        found: String,
        /// The type that was asked for.
        expected: String,
    },
    /// A newer version of the type saved the data, and names alone do not tell this version what the data means.
    Newer {
        /// The type.
        type_name: String,
        /// The version that saved it.
        found: u32,
        /// The oldest version that understands the data.
        since: u32,
        /// The version of this build.
        own: u32,
    },
    /// One version of the type cannot be lowered to an earlier one.
    NoWayDown {
        /// The type.
        type_name: String,
        /// The version to be lowered.
        from: u32,
        /// The version before it.
        to: u32,
    },
    /// The version of the data is earlier than the one to which it is to be lowered.
    NotLower {
        /// The type.
        type_name: String,
        /// The version of the data.
        found: u32,
        /// The requested version.
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
        /// The path to the place in the data. Empty for the data itself.
        path: String,
        /// The error of the migration.
        reason: String,
    },
    /// The value does not fit the type.
    Restore {
        /// The type.
        type_name: String,
        /// The version that saved it.
        version: u32,
        /// The path to the place in the value, such as `crew[3].speed`. Empty for the value itself.
        path: String,
        /// The reason.
        reason: String,
    },
}

impl LiveDataError {
    /// Returns the path to the place in the value, if the error has one.
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

    /// Returns the same error, as seen from the value that has this field.
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
                "two types in one value have the name {type_name}; give one of them another name with `#[live_data(name = \"…\")]`"
            ),
            Self::NoLiveData { reason } => write!(f, "not live data: {reason}"),
            Self::UnknownFormat { found } => write!(
                f,
                "live data has format {found}, which this build does not know; read it with a newer hotswap"
            ),
            Self::WrongType { found, expected } => write!(
                f,
                "{found} cannot be restored as {expected}; if the type has a new name, write `#[live_data(was = \"{found}\")]` on it"
            ),
            Self::Newer {
                type_name,
                found,
                since,
                own,
            } => write!(
                f,
                "{type_name} was saved by version {found}, which version {own} does not understand; restore it with version {since} or later, or lower it there to version {own}"
            ),
            Self::NoWayDown {
                type_name,
                from,
                to,
            } => write!(
                f,
                "{type_name} cannot be lowered from version {from} to {to}; declare a `down` in `migrate({to}, …)`"
            ),
            Self::NotLower {
                type_name,
                found,
                wanted,
            } => write!(
                f,
                "{type_name} has version {found} and cannot be lowered to {wanted}; restore it and save it again"
            ),
            Self::Migration {
                type_name,
                from,
                to,
                path,
                reason,
            } => write!(
                f,
                "{type_name} cannot be migrated from version {from} to {to}: {}{reason}",
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
