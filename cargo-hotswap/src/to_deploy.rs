//! The artifacts of a deployment, and how they are sent to a host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hotswap_control::Client;
use hotswap_control::api::SignedManifest;
use hotswap_host::artifact::{Artifact, read_bytes};

use crate::Error;
use crate::error::io;
use crate::follow::interruptible;
use crate::session::Session;

/// An artifact that is deployed. Clones share its bytes.
#[derive(Clone)]
pub(crate) struct Build {
    pub(crate) plugin: String,
    pub(crate) build: String,
    /// The name of the file.
    pub(crate) name: String,
    bytes: Arc<Vec<u8>>,
    signature: Option<String>,
}

impl Build {
    /// Returns the build of a plugin in a file with these bytes, with the signature beside it.
    fn in_file(file: &Path, bytes: Vec<u8>, plugin: String, build: String) -> Result<Self, Error> {
        let name = file.file_name().unwrap_or_default();
        Ok(Build {
            plugin,
            build,
            name: name.to_string_lossy().into_owned(),
            bytes: Arc::new(bytes),
            signature: signature(file)?,
        })
    }

    /// Reads a file that this command has built. It may be for another machine.
    pub(crate) fn read(file: &Path, plugin: String, build: String) -> Result<Self, Error> {
        let bytes = std::fs::read(file).map_err(io("read", file))?;
        Build::in_file(file, bytes, plugin, build)
    }
}

/// Sends a build to the host with this name, and returns the id by which the host knows it.
pub(crate) fn upload(
    session: &Session,
    client: &Client,
    build: &Build,
    host: &str,
) -> Result<String, Error> {
    let what = format_args!("{} {:.8} to {host}", build.plugin, build.build);
    session.ui.info("Uploading", what);
    let (client, sent) = (client.clone(), build.clone());
    let uploaded = interruptible(session, move || {
        client.upload(&sent.name, &sent.bytes, sent.signature.as_deref())
    })??;
    match uploaded.build == build.build {
        true => Ok(uploaded.build),
        false => Err(Error::ReceivedAnother {
            plugin: build.plugin.clone(),
        }),
    }
}

/// Reads the artifacts, and the signatures beside them.
pub(crate) fn read(session: &Session, artifacts: &[PathBuf]) -> Result<Vec<Build>, Error> {
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
        let build = read.build_id.to_string();
        builds.push(Build::in_file(&file, bytes, plugin, build)?);
    }
    Ok(builds)
}

/// Reads a manifest, and the signature beside it.
pub(crate) fn read_manifest(session: &Session, file: &Path) -> Result<SignedManifest, Error> {
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
