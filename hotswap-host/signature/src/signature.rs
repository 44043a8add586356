//! [`Signature`], and what it proves.
use crate::error::SignatureError;
use crate::file::read_text;
use crate::key::{KeyId, PublicKey};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The longest signature that is read. Those of minisign have comments of less than 10 KiB.
const MAX_SIGNATURE: u64 = 1 << 15;

/// A detached signature in minisign's format.
pub struct Signature {
    signature: minisign_verify::Signature,
    key: KeyId,
    text: String,
}

/// A signature that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The key that has signed.
    pub key: KeyId,
    /// The trusted comment, which is signed as well.
    pub comment: String,
}

impl Signature {
    /// Returns the file in which the signature of `artifact` lies: beside it, with `.minisig` after its name.
    pub fn path(artifact: &Path) -> PathBuf {
        let mut name = artifact.as_os_str().to_owned();
        name.push(".minisig");
        name.into()
    }

    /// Parses the contents of a `.minisig`.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`]
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let key = text.lines().nth(1).and_then(KeyId::in_line);
        let signature = minisign_verify::Signature::decode(text).ok();
        let (Some(signature), Some(key)) = (signature, key) else {
            return Err(SignatureError::Malformed);
        };
        Ok(Signature {
            signature,
            key,
            text: text.to_owned(),
        })
    }

    /// Reads a `.minisig`. It refuses everything that is not a regular file of a few kilobytes.
    ///
    /// # Errors
    /// [`SignatureError::Missing`], [`SignatureError::Unreadable`], or [`SignatureError::Malformed`]
    pub fn read(file: &Path) -> Result<Self, SignatureError> {
        let text = read_text(file, MAX_SIGNATURE).map_err(|error| match error.kind() {
            ErrorKind::NotFound => SignatureError::Missing {
                file: file.to_owned(),
            },
            // It is not UTF-8.
            ErrorKind::InvalidData => SignatureError::Malformed,
            _ => SignatureError::Unreadable {
                file: file.to_owned(),
                error,
            },
        })?;
        Signature::parse(&text)
    }

    /// The key that says to have signed. Nothing proves it before [`verify`](Self::verify).
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The contents of the `.minisig`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks that a trusted key that was not revoked has signed these bytes. They are all bytes of the artifact's file, the
    /// note of `cargo hotswap build` included.
    ///
    /// # Errors
    /// [`SignatureError::UnknownKey`], [`SignatureError::Revoked`], [`SignatureError::Legacy`], or
    /// [`SignatureError::Wrong`]
    pub fn verify(
        &self,
        bytes: &[u8],
        trusted: &[PublicKey],
        revoked: &[PublicKey],
    ) -> Result<Verified, SignatureError> {
        let key = self.key;
        if revoked.iter().any(|revoked| revoked.id() == key) {
            return Err(SignatureError::Revoked { key });
        }
        // Nothing prevents two keys from having the same id.
        let mut candidates = trusted.iter().filter(|trusted| trusted.id() == key);
        let Some(first) = candidates.next() else {
            return Err(SignatureError::UnknownKey {
                key,
                trusted: trusted.iter().map(PublicKey::id).collect(),
            });
        };
        let verify = |key: &PublicKey| key.key.verify(bytes, &self.signature, false);
        let mut outcome = verify(first);
        for other in candidates {
            if outcome.is_err() {
                outcome = verify(other);
            }
        }
        match outcome {
            Ok(()) => Ok(Verified {
                key,
                comment: self.signature.trusted_comment().to_owned(),
            }),
            Err(minisign_verify::Error::UnexpectedAlgorithm) => Err(SignatureError::Legacy { key }),
            Err(_) => Err(SignatureError::Wrong { key }),
        }
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature(by {})", self.key)
    }
}

impl Verified {
    /// Returns a value of the trusted comment, which has them as `name:value` between tabs: `timestamp`, `file`, `plugin`,
    /// and `build` in those of `cargo hotswap sign`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let values = self.comment.split('\t');
        let mut values = values.filter_map(|value| value.split_once(':'));
        Some(values.find(|(known, _)| *known == name)?.1)
    }
}
