use super::error::{ArtifactError, ArtifactProblem};
use super::find::check_is_file;
use super::fingerprint::Fingerprint;
use super::{BuildId, Metadata, Note, form};
use crate::base::paths::as_text;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A plugin's file, and what it says of itself.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Artifact {
    /// The file, as it was asked for.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// Which build it is.
    pub build_id: BuildId,
    /// What the build recorded.
    pub metadata: Metadata,
    /// What `cargo hotswap build` knew of the sources, where that made it.
    pub note: Option<Note>,
    /// Where in the file the host's address goes; empty where it has no place for it.
    #[serde(skip)]
    pub(crate) shim: Range<u64>,
}

impl Artifact {
    /// Reads a plugin's file. No code of it runs.
    ///
    /// # Errors
    /// [`ArtifactError`] if the file cannot be read, or is no plugin that this host can load.
    pub fn read(file: &Path) -> Result<Self, ArtifactError> {
        Artifact::from_bytes(file, &read_source(file)?.bytes)
    }

    /// As [`read`](Self::read), from bytes that were read already; `file` names them in errors.
    ///
    /// # Errors
    /// [`ArtifactError`] if the bytes are no plugin that this host can load.
    pub fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Self, ArtifactError> {
        let fail = |problem| ArtifactError::new(file, problem);
        let (library, build_id, note) = Note::separate(bytes).map_err(fail)?;
        let sections = form::sections(library).map_err(fail)?;
        let metadata = Metadata::parse(file, sections.metadata, sections.live)?;
        Ok(Artifact {
            file: file.to_owned(),
            build_id,
            metadata,
            note,
            shim: sections.shim,
        })
    }
}

/// Reads the bytes of a plugin's file, as [`Artifact::read`] does: only of a regular file, and as it was at one moment.
///
/// # Errors
/// [`ArtifactError`] if the file cannot be read.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, ArtifactError> {
    Ok(read_source(file)?.bytes)
}

/// What is known of a plugin that has no file of its own.
pub(crate) struct Described<'a> {
    pub(crate) build_id: BuildId,
    pub(crate) note: Option<Note>,
    /// What would be the section of metadata.
    pub(crate) metadata: &'a [u8],
    /// And that of live items.
    pub(crate) live: &'a [u8],
}

impl Artifact {
    /// The artifact that a plugin would have which is a part of `file`.
    ///
    /// # Errors
    /// It is no plugin that this host can speak with.
    pub(crate) fn described(file: &Path, described: Described<'_>) -> Result<Self, ArtifactError> {
        Ok(Artifact {
            file: file.to_owned(),
            build_id: described.build_id,
            metadata: Metadata::parse(file, described.metadata, described.live)?,
            note: described.note,
            shim: 0..0,
        })
    }
}

/// A file as it was at one moment.
pub(crate) struct Source {
    pub(crate) bytes: Vec<u8>,
    /// Of the file that the bytes were read from.
    pub(crate) fingerprint: Fingerprint,
}

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 3;

/// Reads a file whole.
///
/// A file that is overwritten in place may still be caught half-way, where its writer pauses; its note then gives it
/// away.
pub(crate) fn read_source(file: &Path) -> Result<Source, ArtifactError> {
    check_is_file(file)?;
    let unreadable = |error| ArtifactError::new(file, ArtifactProblem::Unreadable { error });
    for _ in 0..ATTEMPTS {
        if let Some(source) = try_read(file).map_err(unreadable)? {
            return Ok(source);
        }
    }
    Err(ArtifactError::new(file, ArtifactProblem::Changing))
}

/// `None` when the file changed meanwhile.
fn try_read(path: &Path) -> io::Result<Option<Source>> {
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    let mut bytes = Vec::new();
    let len = usize::try_from(before.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.try_reserve_exact(len)?;
    // One byte more than there should be, to notice a file that grows, and not to follow it for ever.
    file.by_ref()
        .take(before.len().saturating_add(1))
        .read_to_end(&mut bytes)?;
    let fingerprint = Fingerprint::of(&before);
    let same = fingerprint == Fingerprint::of(&file.metadata()?) && bytes.len() == len;
    Ok(same.then_some(Source { bytes, fingerprint }))
}
