//! Keys and signatures in minisign's format: secret keys with their passwords, and what may go wrong with them.

mod error;
mod password;
mod secret_key;
mod signature;

pub use error::SigningError;
pub(crate) use password::{Password, choose};
pub(crate) use secret_key::{read, write_pair};
pub(crate) use signature::{now, write as write_signature};
