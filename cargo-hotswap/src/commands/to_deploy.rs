//! The artifacts of a deployment.

use std::path::{Path, PathBuf};

use hotswap_control::api::SignedManifest;
use hotswap_host::artifact::{Artifact, read_bytes};

use crate::Error;
use crate::error::io;
use crate::session::Session;

/// An artifact that is deployed.
pub(super) struct Build {
    pub(super) plugin: String,
    pub(super) build: String,
    /// The name of the file.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) signature: Option<String>,
}

/// Reads the artifacts, and the signatures beside them.
pub(super) fn read(session: &Session, artifacts: &[PathBuf]) -> Result<Vec<Build>, Error> {
    let mut builds: Vec<Build> = Vec::new();
    for artifact in artifacts {
        let file = session.absolute(artifact);
        let no_plugin = |error| Error::Artifact(Box::new(error));
        let bytes = read_bytes(&file).map_err(no_plugin)?;
        let read = Artifact::from_bytes(&file, &bytes).map_err(no_plugin)?;
        let plugin = read.metadata.name.to_string();
        if let Some(first) = builds.iter().find(|known| known.plugin == plugin) {
            return Err(Error::DeployedTwice {
                plugin,
                first: first.name.clone(),
                second: file,
            });
        }
        let name = file.file_name().unwrap_or_default();
        builds.push(Build {
            plugin,
            build: read.build_id.to_string(),
            name: name.to_string_lossy().into_owned(),
            bytes,
            signature: signature(&file)?,
        });
    }
    Ok(builds)
}

/// Reads a manifest, and the signature beside it.
pub(super) fn read_manifest(session: &Session, file: &Path) -> Result<SignedManifest, Error> {
    let file = session.absolute(file);
    let text = std::fs::read_to_string(&file).map_err(io("read", &file))?;
    let Some(signature) = signature(&file)? else {
        return Err(Error::ManifestNotSigned { file });
    };
    let name = file.file_name().unwrap_or_default();
    Ok(SignedManifest::new(name.to_string_lossy(), text, signature))
}

/// Returns the text of the signature beside an artifact, if there is one.
fn signature(artifact: &Path) -> Result<Option<String>, Error> {
    let mut path = artifact.as_os_str().to_owned();
    path.push(".minisig");
    let path = PathBuf::from(path);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", &path)(error)),
    }
}
