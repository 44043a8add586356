use crate::base::name::PluginName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Identifies a build: the first 16 bytes of the BLAKE3 hash of an artifact without its note.
///
/// It is displayed as 32 hexadecimal digits, or as fewer if a precision is given:
///
/// ```
/// let id: hotswap_host::artifact::BuildId = "00112233445566778899aabbccddeeff".parse()?;
/// assert_eq!(format!("{id:.8}"), "00112233");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId([u8; 16]);

/// The builds of a generation, by plugin.
pub type BuildSet = BTreeMap<PluginName, BuildId>;

impl BuildId {
    /// Returns the id of a library with these bytes, which end before the note.
    pub fn of(library: &[u8]) -> Self {
        let hash = blake3::hash(library);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        BuildId(id)
    }

    /// Returns the first eight digits, which are enough for people.
    pub fn short(&self) -> String {
        format!("{self:.8}")
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&super::parts::hex(&self.0))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text did not have 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a build id has 32 hexadecimal digits")]
pub struct ParseBuildIdError(());

impl FromStr for BuildId {
    type Err = ParseBuildIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `from_str_radix` would accept a sign.
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ParseBuildIdError(()));
        }
        let id = u128::from_str_radix(text, 16).map_err(|_| ParseBuildIdError(()))?;
        Ok(BuildId(id.to_be_bytes()))
    }
}

impl Serialize for BuildId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BuildId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::BuildId;

    #[test]
    fn text_and_back() {
        let id = BuildId::of(b"library");
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), id.to_string()[..8]);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<BuildId>(&json).unwrap(), id);
        for wrong in [
            "",
            "00",
            "+0112233445566778899aabbccddeeff",
            "g0112233445566778899aabbccddeeff",
        ] {
            assert!(wrong.parse::<BuildId>().is_err());
        }
    }
}
