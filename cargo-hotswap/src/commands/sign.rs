//! `cargo hotswap sign`

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use hotswap_host::artifact::{self, Artifact};
use hotswap_host::shown;
use hotswap_signature::Signature;
use minisign::{PublicKey, SecretKey};

use crate::Error;
use crate::cli::SignArgs;
use crate::error::{exit, io};
use crate::install;
use crate::session::Session;
use crate::signing::{self, SigningError};

/// Writes a signature beside each artifact.
pub(crate) fn execute(session: &Session, args: &SignArgs) -> Result<u8, Error> {
    let key = session.absolute(&args.secret_key);
    let key = signing::read(session, &key, &args.password)?;
    for file in &args.artifacts {
        sign(session, &session.absolute(file), &key)?;
    }
    Ok(exit::SUCCESS)
}

fn sign(session: &Session, file: &Path, key: &SecretKey) -> Result<(), Error> {
    let not_a_plugin = |error| Error::Artifact(Box::new(error));
    let bytes = artifact::read_bytes(file).map_err(not_a_plugin)?;
    let artifact = Artifact::from_bytes(file, &bytes).map_err(not_a_plugin)?;
    let failed = |source| SigningError::Failed {
        action: "sign",
        source,
    };
    let public = PublicKey::from_secret_key(key).map_err(failed)?;
    let comment = comment(file, &artifact);
    let signed = minisign::sign(
        Some(&public),
        key,
        &bytes[..],
        Some(&comment),
        Some("signature from cargo hotswap"),
    );
    let signature = signed.map_err(failed)?.into_string();
    let target = Signature::path(file);
    // Whoever may read the artifact may read its signature.
    let mode = file
        .metadata()
        .map_err(io("read", file))?
        .permissions()
        .mode()
        & 0o666;
    install::write(
        session,
        &target,
        signature.as_bytes(),
        Permissions::from_mode(mode),
    )?;
    let (name, build) = (&artifact.metadata.name, artifact.build_id);
    session.ui.status(
        "Signed",
        format_args!("{name} (build {build:.8}) -> {}", shown::path(&target)),
    );
    Ok(())
}

/// Returns the trusted comment. The names of its values are those of minisign, with the plugin and the build.
fn comment(file: &Path, artifact: &Artifact) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let name = Path::new(file.file_name().unwrap_or_default());
    format!(
        "timestamp:{now}\tfile:{}\tplugin:{}\tbuild:{}\thashed",
        shown::path(name),
        artifact.metadata.name,
        artifact.build_id
    )
}
