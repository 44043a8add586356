//! Splits the metadata section into its parts: see [`hotswap_plugin::contract::metadata`].
use super::limits;
use hotswap_plugin::contract::metadata::MAGIC;

/// The size of magic, tag, and length.
const HEAD: usize = 12;

/// The parts of a section. Each is known to lie within it.
pub(super) struct Parts<'a> {
    parts: Vec<([u8; 4], &'a [u8])>,
}

impl<'a> Parts<'a> {
    /// Returns the parts of a section that has many parts of the same kind, in order. Zeros between them are padding.
    pub(super) fn all(section: &'a [u8]) -> Result<Vec<(&'a [u8; 4], &'a [u8])>, String> {
        let (mut parts, mut at) = (Vec::new(), 0);
        while at < section.len() {
            if section[at] == 0 {
                at += 1;
                continue;
            }
            let (tag, bytes) = take(section, at)?;
            parts.push((tag, bytes));
            // Each item has two parts.
            if parts.len() > 2 * limits::ITEMS {
                return Err(format!("there are more than {}", limits::ITEMS));
            }
            at += HEAD + bytes.len();
        }
        Ok(parts)
    }

    /// Returns the contract's version from the first part alone, because another version may have another layout after
    /// it.
    pub(super) fn contract(section: &[u8]) -> Result<u32, String> {
        match take(section, 0)? {
            (b"cont", bytes) => {
                let version = bytes
                    .try_into()
                    .map_err(|_| "part `cont` is not four bytes long")?;
                Ok(u32::from_le_bytes(version))
            }
            (tag, _) => Err(format!(
                "it begins with part `{}`, not with `cont`",
                tag.escape_ascii()
            )),
        }
    }

    pub(super) fn of(section: &'a [u8]) -> Result<Self, String> {
        let mut parts = Vec::<([u8; 4], &[u8])>::new();
        let mut at = 0;
        while at < section.len() {
            let (tag, bytes) = take(section, at)?;
            if parts.len() == limits::METADATA_PARTS {
                return Err(format!("it has more than {} parts", limits::METADATA_PARTS));
            }
            if parts.iter().any(|(known, _)| known == tag) {
                return Err(format!("part `{}` is there twice", tag.escape_ascii()));
            }
            parts.push((*tag, bytes));
            at += HEAD + bytes.len();
        }
        Ok(Parts { parts })
    }

    pub(super) fn get(&self, tag: &[u8; 4]) -> Result<&'a [u8], String> {
        let part = self.parts.iter().find(|(known, _)| known == tag);
        part.map(|(_, bytes)| *bytes)
            .ok_or_else(|| format!("part `{}` is missing", tag.escape_ascii()))
    }

    /// Reads the part's JSON.
    pub(super) fn json<T: serde::Deserialize<'a>>(&self, tag: &[u8; 4]) -> Result<T, String> {
        serde_json::from_slice(self.get(tag)?)
            .map_err(|error| format!("part `{}`: {error}", tag.escape_ascii()))
    }

    /// Returns the part's hashes. Their number has to be `count`.
    pub(super) fn hashes(&self, tag: &[u8; 4], count: usize) -> Result<&'a [[u8; 16]], String> {
        let (hashes, rest) = self.get(tag)?.as_chunks();
        if rest.is_empty() && hashes.len() == count {
            return Ok(hashes);
        }
        Err(format!(
            "part `{}` does not hold {count} hashes",
            tag.escape_ascii()
        ))
    }
}

/// Returns the part that begins at `at`.
fn take(section: &[u8], at: usize) -> Result<(&[u8; 4], &[u8]), String> {
    let part = || {
        let rest = section.get(at..)?.strip_prefix(&MAGIC)?;
        let (tag, rest) = rest.split_first_chunk::<4>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        Some((tag, rest.get(..len)?))
    };
    part().ok_or_else(|| format!("no whole part at byte {at} of the section"))
}

/// Returns lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}
