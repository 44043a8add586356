//! `cargo hotswap manifest`

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use hotswap_host::artifact::{Artifact, BuildSet};
use hotswap_host::shown;
use hotswap_signature::Manifest;

use crate::Error;
use crate::cli::ManifestArgs;
use crate::error::exit;
use crate::install;
use crate::session::Session;
use crate::signing::{self, SigningError};

/// Writes a manifest, and its signature beside it.
pub(crate) fn execute(session: &Session, args: &ManifestArgs) -> Result<u8, Error> {
    let mut builds = BuildSet::new();
    let mut files = BTreeMap::new();
    for file in &args.artifacts {
        let artifact = Artifact::read(&session.absolute(file));
        let artifact = artifact.map_err(|error| Error::Artifact(Box::new(error)))?;
        let plugin = artifact.metadata.name;
        if let Some(first) = files.insert(plugin.clone(), file.clone()) {
            let second = file.clone();
            return Err(SigningError::Twice {
                plugin,
                first,
                second,
            }
            .into());
        }
        builds.insert(plugin, artifact.build_id);
    }
    let key = session.absolute(&args.secret_key);
    let key = signing::read(session, &key, &args.password)?;
    let now = signing::now();
    let version = args.set_version.unwrap_or(now);
    let manifest = Manifest::new(version, now + args.days * 24 * 60 * 60, &builds);
    let text = serde_json::to_string_pretty(&manifest).expect("it has a form in JSON") + "\n";
    let file = session.absolute(&args.output);
    install::write(
        session,
        &file,
        text.as_bytes(),
        Permissions::from_mode(0o644),
    )?;
    let values = format!("set:{version}\tplugins:{}", builds.len());
    signing::write_signature(session, &file, text.as_bytes(), &values, &key)?;
    session.ui.status(
        "Wrote",
        format_args!(
            "version {version} of a set of {} -> {}",
            match builds.len() {
                1 => "one plugin".to_owned(),
                several => format!("{several} plugins"),
            },
            shown::path(&file)
        ),
    );
    Ok(exit::SUCCESS)
}
