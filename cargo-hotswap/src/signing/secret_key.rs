//! The files of keys.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ct_codecs::{Base64, Decoder as _};
use hotswap_host::shown;
use minisign::{ErrorKind, KeyPair, SecretKey, SecretKeyBox};

use crate::Error;
use crate::cli::PasswordArgs;
use crate::error::io;
use crate::session::Session;

use super::{Password, SigningError};

/// The first characters of a secret key that a password protects: the names of the algorithms, in base 64.
const PROTECTED: &str = "RWRTY0Iy";

/// The names of the algorithms of a secret key without a password.
const PLAIN: &[u8] = b"Ed\0\0B2";
/// The number of bytes of a secret key, and where its checksum is.
const LENGTH: usize = 158;
const CHECKSUM: std::ops::RangeFrom<usize> = LENGTH - 32..;

/// Reads a secret key, and asks for its password if it has one.
pub(crate) fn read(
    session: &Session,
    file: &Path,
    password: &PasswordArgs,
) -> Result<SecretKey, Error> {
    let not_a_key = || SigningError::NotASecretKey {
        file: file.to_owned(),
    };
    let bytes = fs::read(file).map_err(io("read", file))?;
    let text = String::from_utf8(bytes).map_err(|_| not_a_key())?;
    if fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
        session.ui.warn(format_args!(
            "other users can read the secret key {}; take it from them with `chmod 600`",
            shown::path(file)
        ));
    }
    let is_protected = text
        .lines()
        .nth(1)
        .is_some_and(|line| line.starts_with(PROTECTED));
    if !is_protected {
        return Ok(unprotected(&text).ok_or_else(not_a_key)?);
    }
    let boxed = SecretKeyBox::from(text);
    let password = Password::read(session, password, file)?;
    let key = boxed.into_secret_key(Some(password.into_text()));
    Ok(key.map_err(|error| match error.kind() {
        ErrorKind::Verify => SigningError::WrongPassword {
            file: file.to_owned(),
        },
        _ => not_a_key(),
    })?)
}

/// Reads a secret key without a password. `minisign -G -W` leaves the checksum out.
fn unprotected(text: &str) -> Option<SecretKey> {
    let boxed = SecretKeyBox::from(text.to_owned());
    if let Ok(key) = boxed.into_unencrypted_secret_key() {
        return Some(key);
    }
    let bytes = Base64::decode_to_vec(text.lines().nth(1)?.trim(), None).ok()?;
    let has_no_checksum = bytes.len() == LENGTH && bytes[CHECKSUM].iter().all(|byte| *byte == 0);
    let is_plain = has_no_checksum && bytes.starts_with(PLAIN);
    // The signature is checked with the public key in the secret one, which tells if the key is damaged.
    is_plain.then(|| SecretKey::from_bytes(&bytes).ok())?
}

/// Writes a pair of keys: the secret one to `file`, for this user only, and the public one beside it. Returns the path of
/// the public key.
pub(crate) fn write_pair(file: &Path, pair: &KeyPair, overwrite: bool) -> Result<PathBuf, Error> {
    let public = file.with_extension("pub");
    if public == file {
        let file = file.to_owned();
        return Err(SigningError::NameOfPublicKey { file }.into());
    }
    let boxed = |source| SigningError::Failed {
        action: "write the key",
        source,
    };
    let texts = (
        pair.sk
            .to_box(Some("secret key of hotswap"))
            .map_err(boxed)?
            .into_string(),
        pair.pk.to_box().map_err(boxed)?.into_string(),
    );
    // Neither is written if one is there.
    for file in [file, &public] {
        if !overwrite && fs::symlink_metadata(file).is_ok() {
            let file = file.to_owned();
            return Err(SigningError::KeyExists { file }.into());
        }
    }
    write(file, &texts.0, 0o600, overwrite)?;
    write(&public, &texts.1, 0o644, overwrite)?;
    Ok(public)
}

/// Writes a file in one step.
fn write(file: &Path, text: &str, mode: u32, overwrite: bool) -> Result<(), Error> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // It is made for this user only.
    let temp = tempfile::NamedTempFile::new_in(directory).map_err(io("write into", directory))?;
    let mut written = temp.as_file();
    written
        .write_all(text.as_bytes())
        .and_then(|()| written.set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| written.sync_all())
        .map_err(io("write", temp.path()))?;
    let persisted = match overwrite {
        true => temp.persist(file),
        false => temp.persist_noclobber(file),
    };
    match persisted {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            let file = file.to_owned();
            Err(SigningError::KeyExists { file }.into())
        }
        Err(error) => Err(io("write", file)(error.error)),
    }
}
