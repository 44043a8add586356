//! The errors of filling slots.
use hotswap_macros::shared;
use std::fmt;

/// The reason why slots of an extension could not be filled. None of them was.
#[shared(crate = crate)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionError {
    /// The host has no such extension.
    Unknown {
        /// The extension's name.
        extension: String,
        /// The names of the extensions that the host has.
        known: Vec<String>,
    },
    /// Host and plugin were built with different versions of the extension.
    Mismatch {
        /// Both sides, the slot, and the remedy.
        message: String,
    },
    /// A slot is filled already.
    Filled {
        /// The extension.
        extension: String,
        /// The slot.
        slot: String,
        /// The plugin that filled it.
        by: String,
    },
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExtensionError::Unknown { extension, known } => {
                let known = match known.is_empty() {
                    true => "none".into(),
                    false => known.join(", "),
                };
                write!(
                    f,
                    "the host has no extension {extension} (it has {known}); add it with `Builder::extension::<{extension}>()`"
                )
            }
            ExtensionError::Mismatch { message } => f.write_str(message),
            ExtensionError::Filled {
                extension,
                slot,
                by,
            } => write!(
                f,
                "the slot {slot} of {extension} is already filled by {by}; fill another slot, or leave out one of the two objects"
            ),
        }
    }
}

impl std::error::Error for ExtensionError {}
