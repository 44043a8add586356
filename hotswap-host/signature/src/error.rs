//! Reasons to refuse an artifact.
use crate::key::{KeyId, KeysError};
use hotswap_host::shown;
use std::path::PathBuf;

/// The reason why an artifact does not count as signed. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature.
    #[error(
        "it is not signed: there is no {}; sign it with `cargo hotswap sign`, and install the signature before the artifact",
        shown::path(file)
    )]
    Missing {
        /// The file in which the signature would be.
        file: PathBuf,
    },
    /// The build was kept without a signature, by a host that did not require one.
    #[error("it was kept without a signature; deploy a signed build")]
    NotKept,
    /// The build was deployed without a signature.
    #[error(
        "it was sent without a signature; sign it with `cargo hotswap sign`, and deploy it with its signature beside it"
    )]
    NotSent,
    /// The file of the signature cannot be read.
    #[error("the signature {} cannot be read: {error}", shown::path(file))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: std::io::Error,
    },
    /// The text is not a signature.
    #[error(
        "its signature is not in minisign's format; sign it again with `cargo hotswap sign` or `minisign -S`"
    )]
    Malformed,
    /// The signature is of the algorithm that minisign used at first.
    #[error(
        "its signature by the key {key} is of minisign's legacy algorithm; sign it again with `cargo hotswap sign` or `minisign -S`"
    )]
    Legacy {
        /// The key.
        key: KeyId,
    },
    /// The key is not one of those that are trusted.
    #[error(
        "it is signed by the key {key}, which is not trusted ({}); sign it with a trusted key",
        listed(trusted)
    )]
    UnknownKey {
        /// The key.
        key: KeyId,
        /// The trusted keys.
        trusted: Vec<KeyId>,
    },
    /// The key was revoked.
    #[error("it is signed by the key {key}, which was revoked; sign it with another trusted key")]
    Revoked {
        /// The key.
        key: KeyId,
    },
    /// The signature is not one of these bytes.
    #[error(
        "the signature by the key {key} does not fit: the artifact or its signature was changed or replaced; install both \
         again, the signature first"
    )]
    Wrong {
        /// The key.
        key: KeyId,
    },
    /// The keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

fn listed(keys: &[KeyId]) -> String {
    let keys: Vec<_> = keys.iter().map(KeyId::to_string).collect();
    match &keys[..] {
        [] => "no key is".to_owned(),
        [key] => format!("only {key} is"),
        _ => format!("these are: {}", keys.join(", ")),
    }
}
