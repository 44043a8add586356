//! Public keys, and lists of them.
use crate::file::read_text;
use ct_codecs::{Base64, Decoder};
use hotswap_host::shown;
use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The longest list of keys that is read.
const MAX_LIST: u64 = 1 << 20;
/// The beginning of a line that says something about the next one.
const COMMENT: &str = "untrusted comment:";
/// The places of the id in a key and in a signature, which begin with two bytes for the algorithm.
const ID: std::ops::Range<usize> = 2..10;

/// The id of a pair of keys, displayed as the sixteen digits that minisign shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Returns the id in a line of a key's or a signature's file.
    pub(crate) fn in_line(line: &str) -> Option<Self> {
        let bytes = Base64::decode_to_vec(line.trim(), None).ok()?;
        Some(KeyId(bytes.get(ID)?.try_into().ok()?))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A public key of minisign.
///
/// It is parsed from its text, or from the contents of a file with one key, which has a comment before it:
///
/// ```
/// let key: hotswap_signature::PublicKey =
///     "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse()?;
/// assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
/// # Ok::<(), hotswap_signature::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PublicKey {
    pub(crate) key: minisign_verify::PublicKey,
    id: KeyId,
}

impl PublicKey {
    /// The id, which signatures by the key carry.
    pub fn id(&self) -> KeyId {
        self.id
    }

    fn of_line(line: &str) -> Result<Self, KeyError> {
        let line = line.trim();
        let key = minisign_verify::PublicKey::from_base64(line).map_err(|_| KeyError(()))?;
        let id = KeyId::in_line(line).ok_or(KeyError(()))?;
        Ok(PublicKey { key, id })
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        // No key has a comment here, since each is parsed from its line.
        self.key == other.key
    }
}

impl Eq for PublicKey {}

/// The text is not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not one public key of minisign, which has 56 characters and begins with `RW`")]
pub struct KeyError(());

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match &parse_list(text)?[..] {
            [key] => Ok(key.clone()),
            _ => Err(KeyError(())),
        }
    }
}

/// Public keys, which are given or are in a file.
#[derive(Clone, Debug)]
pub struct Keys(Source);

#[derive(Clone, Debug)]
enum Source {
    Given(Vec<PublicKey>),
    File(PathBuf),
}

impl Keys {
    /// The keys in this file, which is read each time that they are needed. So a key can be added or revoked while a host
    /// runs.
    ///
    /// The file is one of minisign's, or several of them one after the other: `cat first.pub second.pub`. Empty lines are
    /// skipped, and so are lines that begin with `#` or `untrusted comment:`.
    pub fn in_file(file: impl Into<PathBuf>) -> Self {
        Keys(Source::File(file.into()))
    }

    /// Returns the keys.
    ///
    /// # Errors
    /// The file cannot be read, or has a line that is not a key.
    pub fn read(&self) -> Result<Cow<'_, [PublicKey]>, KeysError> {
        let file = match &self.0 {
            Source::Given(keys) => return Ok(Cow::Borrowed(keys)),
            Source::File(file) => file,
        };
        let failed = |reason: String| KeysError {
            file: file.clone(),
            reason,
        };
        let text = read_text(file, MAX_LIST).map_err(|error| failed(error.to_string()))?;
        let keys = parse_list(&text).map_err(|error| failed(error.to_string()))?;
        Ok(Cow::Owned(keys))
    }
}

impl FromIterator<PublicKey> for Keys {
    fn from_iter<I: IntoIterator<Item = PublicKey>>(keys: I) -> Self {
        Keys(Source::Given(keys.into_iter().collect()))
    }
}

impl From<PublicKey> for Keys {
    fn from(key: PublicKey) -> Self {
        Keys(Source::Given(vec![key]))
    }
}

/// A file with keys cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the keys in {} cannot be read: {reason}; it has to be a list of public keys, as `cargo hotswap keygen` writes them",
    shown::path(file)
)]
#[non_exhaustive]
pub struct KeysError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

fn parse_list(text: &str) -> Result<Vec<PublicKey>, KeyError> {
    let lines = text.lines().map(str::trim);
    let is_key =
        |line: &&str| !(line.is_empty() || line.starts_with('#') || line.starts_with(COMMENT));
    lines.filter(is_key).map(PublicKey::of_line).collect()
}
