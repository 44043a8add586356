#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod file;
mod key;
mod manifest;
mod policy;
mod signature;

pub use error::SignatureError;
pub use key::{KeyError, KeyId, Keys, KeysError, PublicKey};
pub use manifest::{Manifest, ManifestError};
pub use policy::RequireSignatures;
pub use signature::{Signature, Verified};
