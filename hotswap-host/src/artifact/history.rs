//! Reads what a type of an artifact declares of its earlier versions.
use serde::{Deserialize, Serialize};

/// What a live type, or the type of a state, declares of its earlier versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct History {
    /// The migrations, the earliest first.
    pub migrations: Vec<DeclaredMigration>,
    /// The fields that are saved, for a struct whose fields have names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<SavedField>>,
}

/// A migration between two versions of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeclaredMigration {
    /// The earlier version. The other one is the next.
    pub from: u32,
    /// True if there is a function for the way up.
    #[serde(default)]
    pub up: bool,
    /// True if there is a function for the way down.
    #[serde(default)]
    pub down: bool,
}

/// A field of a type, in saved data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SavedField {
    /// The name of the field, followed by its earlier names.
    pub names: Vec<String>,
    /// The type of the field, as its author wrote it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// True if data without the field cannot be restored.
    pub needed: bool,
}

impl History {
    /// Returns the names and the types of all fields.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        let fields = self.fields.iter().flatten();
        fields.flat_map(|field| field.names.iter().chain([&field.type_name]))
    }
}
