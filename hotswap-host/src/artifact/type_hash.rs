//! Hashes of descriptions.
use super::parts::hex;
use serde::{Serialize, Serializer};
use std::fmt;

/// The hash of the description of a type, a function, or an interface. It is displayed as 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeHash([u8; 16]);

impl TypeHash {
    /// The hash of a description, as artifacts have it.
    pub(crate) fn of([low, high]: [u64; 2]) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&low.to_le_bytes());
        bytes[8..].copy_from_slice(&high.to_le_bytes());
        TypeHash(bytes)
    }

    /// The bytes of the hash, as the artifact has them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for TypeHash {
    fn from(bytes: [u8; 16]) -> Self {
        TypeHash(bytes)
    }
}

impl fmt::Display for TypeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex(&self.0))
    }
}

impl fmt::Debug for TypeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TypeHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
