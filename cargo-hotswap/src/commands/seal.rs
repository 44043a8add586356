//! `cargo hotswap seal`

use std::path::Path;

use hotswap_host::artifact::{self, Artifact, Note};
use hotswap_host::shown;

use crate::Error;
use crate::cli::SealArgs;
use crate::commit::UNKNOWN;
use crate::error::exit;
use crate::install;
use crate::session::Session;

/// Gives each artifact a note for the bytes that it has now.
pub(crate) fn execute(session: &Session, args: &SealArgs) -> Result<u8, Error> {
    let from = args.from.as_deref().map(|file| original(session, file));
    let from = from.transpose()?.flatten();
    for file in &args.artifacts {
        seal(session, &session.absolute(file), from.as_ref())?;
    }
    Ok(exit::SUCCESS)
}

/// Returns the note of the artifact from which the others were made.
fn original(session: &Session, file: &Path) -> Result<Option<Note>, Error> {
    let artifact = Artifact::read(&session.absolute(file));
    let artifact = artifact.map_err(|error| Error::Artifact(Box::new(error)))?;
    Ok(artifact.note)
}

fn seal(session: &Session, file: &Path, from: Option<&Note>) -> Result<(), Error> {
    let bytes = artifact::read_bytes(file).map_err(|error| Error::Artifact(Box::new(error)));
    let mut bytes = bytes?;
    let before = bytes.clone();
    let own = Note::take_from(&mut bytes);
    // Only a plugin for this machine gets a note.
    let artifact = Artifact::from_bytes(file, &bytes);
    let artifact = artifact.map_err(|error| Error::Artifact(Box::new(error)))?;
    let (own, sources) = own.unzip();
    let note = from.cloned().or(own).unwrap_or_else(|| Note {
        commit: UNKNOWN.to_owned(),
        dirty: false,
        location: None,
    });
    note.append_with(&mut bytes, sources.flatten().as_deref());
    let shown = shown::path(file);
    if bytes == before {
        session.ui.status("Unchanged", shown);
        return Ok(());
    }
    install::replace(session, file, &bytes)?;
    let (name, build) = (&artifact.metadata.name, artifact.build_id);
    session.ui.status(
        "Sealed",
        format_args!("{name} (build {build:.8}) -> {shown}"),
    );
    Ok(())
}
