//! Signatures beside files.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hotswap_host::shown;
use hotswap_signature::Signature;
use minisign::{PublicKey, SecretKey};

use crate::Error;
use crate::error::io;
use crate::install;
use crate::session::Session;

use super::SigningError;

/// The seconds since the beginning of 1970.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

/// Signs the contents of a file, and writes the signature beside it. Returns its path. The trusted comment has the names and
/// values that minisign writes, and these between them.
pub(crate) fn write(
    session: &Session,
    file: &Path,
    contents: &[u8],
    values: &str,
    key: &SecretKey,
) -> Result<PathBuf, Error> {
    let failed = |source| SigningError::Failed {
        action: "sign",
        source,
    };
    let public = PublicKey::from_secret_key(key).map_err(failed)?;
    let name = Path::new(file.file_name().unwrap_or_default());
    let comment = format!(
        "timestamp:{}\tfile:{}\t{values}\thashed",
        now(),
        shown::path(name)
    );
    // It is checked with the public key.
    let signed = minisign::sign(
        Some(&public),
        key,
        contents,
        Some(&comment),
        Some("signature from cargo hotswap"),
    );
    let signature = signed.map_err(failed)?.into_string();
    let target = Signature::path(file);
    // Whoever may read the file may read its signature.
    let found = file.metadata().map_err(io("read", file))?;
    let permissions = Permissions::from_mode(found.permissions().mode() & 0o666);
    install::write(session, &target, signature.as_bytes(), permissions)?;
    Ok(target)
}
