//! `cargo hotswap sign`

use std::path::Path;

use hotswap_host::artifact::{self, Artifact};
use hotswap_host::shown;
use minisign::SecretKey;

use crate::Error;
use crate::cli::SignArgs;
use crate::error::exit;
use crate::session::Session;
use crate::signing;

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
    let (name, build) = (&artifact.metadata.name, artifact.build_id);
    let values = format!("plugin:{name}\tbuild:{build}");
    let target = signing::write_signature(session, file, &bytes, &values, key)?;
    session.ui.status(
        "Signed",
        format_args!("{name} (build {build:.8}) -> {}", shown::path(&target)),
    );
    Ok(())
}
