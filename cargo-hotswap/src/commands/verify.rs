//! `cargo hotswap verify`

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hotswap_host::artifact::{self, Artifact, BuildId, BuildSet};
use hotswap_host::{PluginName, shown};
use hotswap_signature::{KeyId, Keys, Manifest, PublicKey, Signature, SignatureError, Verified};
use serde::Serialize;

use crate::Error;
use crate::cli::VerifyArgs;
use crate::error::exit;
use crate::session::Session;

/// The result for an artifact, as JSON.
#[derive(Serialize)]
struct Line<'a> {
    file: std::borrow::Cow<'a, str>,
    plugin: &'a PluginName,
    build: BuildId,
    /// The key that has signed, if the signature fits.
    key: Option<String>,
    /// The trusted comment of a signature that fits.
    comment: Option<&'a str>,
    /// The reason why the artifact does not count as signed.
    error: Option<String>,
}

/// Checks the signature of each artifact.
pub(crate) fn execute(session: &Session, args: &VerifyArgs) -> Result<u8, Error> {
    let trusted = keys(session, &args.keys)?;
    let revoked = keys(session, &args.revoked)?;
    let mut code = exit::SUCCESS;
    let mut builds = BuildSet::new();
    for file in &args.artifacts {
        let path = session.absolute(file);
        let not_a_plugin = |error| Error::Artifact(Box::new(error));
        let bytes = artifact::read_bytes(&path).map_err(not_a_plugin)?;
        let artifact = Artifact::from_bytes(&path, &bytes).map_err(not_a_plugin)?;
        let signature = Signature::read(&Signature::path(&path));
        let verified = signature.and_then(|it| it.verify(&bytes, &trusted, &revoked));
        if verified.is_err() {
            code = exit::SIGNATURE;
        }
        builds.insert(artifact.metadata.name.clone(), artifact.build_id);
        match args.json {
            true => json(session, file, &artifact, verified),
            false => text(session, file, &artifact, verified),
        }
    }
    if let Some(file) = &args.manifest {
        let read = Manifest::read(&session.absolute(file), &trusted, &revoked);
        let checked = read.and_then(|(manifest, _)| manifest.check(&builds, SystemTime::now()));
        if let Err(error) = checked {
            session.ui.error(&error);
            code = exit::SIGNATURE;
        }
    }
    Ok(code)
}

/// Returns the keys that the options name.
fn keys(session: &Session, given: &[String]) -> Result<Vec<PublicKey>, Error> {
    let mut keys = vec![];
    for given in given {
        match given.parse::<PublicKey>() {
            Ok(key) => keys.push(key),
            Err(_) => {
                let file: PathBuf = session.absolute(Path::new(given));
                let listed = Keys::in_file(file);
                let read = listed.read()?;
                keys.extend(read.iter().cloned());
            }
        }
    }
    Ok(keys)
}

fn text(
    session: &Session,
    file: &Path,
    artifact: &Artifact,
    verified: Result<Verified, SignatureError>,
) {
    let (name, file) = (&artifact.metadata.name, file.to_owned());
    match verified {
        Ok(verified) => session.ui.result(format_args!(
            "{name} (build {:.8}), {}: signed by {} ({})",
            artifact.build_id,
            shown::path(&file),
            verified.key,
            shown::Shown(verified.comment.replace('\t', ", "))
        )),
        Err(reason) => session.ui.error(&Error::NotSigned {
            plugin: name.clone(),
            file,
            reason,
        }),
    }
}

fn json(
    session: &Session,
    file: &Path,
    artifact: &Artifact,
    verified: Result<Verified, SignatureError>,
) {
    let (verified, error) = match verified {
        Ok(verified) => (Some(verified), None),
        Err(error) => (None, Some(error.to_string())),
    };
    session.ui.json(&Line {
        file: file.to_string_lossy(),
        plugin: &artifact.metadata.name,
        build: artifact.build_id,
        key: verified.as_ref().map(|it| KeyId::to_string(&it.key)),
        comment: verified.as_ref().map(|it| it.comment.as_str()),
        error,
    });
}
