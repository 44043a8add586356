use super::error::{ArtifactError, ArtifactProblem};
use super::find::check_is_file;
use super::fingerprint::Fingerprint;
use super::{BuildId, Metadata, Note, form, limits};
use crate::base::paths::as_text;
use crate::platform;
use crate::telemetry::caught;
use serde::Serialize;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A plugin's file and its metadata.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Artifact {
    /// The file, as it was named by the caller.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// The id of the build.
    pub build_id: BuildId,
    /// The data that the build recorded.
    pub metadata: Metadata,
    /// The note on the sources, if `cargo hotswap build` made the file.
    pub note: Option<Note>,
    /// The place in the file for the host's address, empty if there is none.
    #[serde(skip)]
    pub(crate) shim: Range<u64>,
}

impl Artifact {
    /// Reads a plugin's file. No code of it runs.
    ///
    /// # Errors
    /// [`ArtifactError`] if the file cannot be read, or is not a plugin that this host can load.
    pub fn read(file: &Path) -> Result<Self, ArtifactError> {
        Artifact::from_bytes(file, &read_source(file)?.bytes)
    }

    /// Does the same as [`read`](Self::read) with bytes that have already been read; `file` names them in errors.
    ///
    /// # Errors
    /// [`ArtifactError`] if the bytes are not a plugin that this host can load.
    pub fn from_bytes(file: &Path, bytes: &[u8]) -> Result<Self, ArtifactError> {
        // A bug in the code below must affect only one file, and not a caller that looks at many.
        caught(|| Artifact::parse(file, bytes)).unwrap_or_else(|message| {
            let problem = ArtifactProblem::Panicked { message };
            Err(ArtifactError::new(file, problem))
        })
    }

    fn parse(file: &Path, bytes: &[u8]) -> Result<Self, ArtifactError> {
        #[cfg(test)]
        assert!(!bytes.starts_with(b"panic"), "the test asks for a panic");
        let fail = |problem| ArtifactError::new(file, problem);
        at_most_bytes(bytes.len() as u64).map_err(fail)?;
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

/// The description of a plugin that has no file of its own.
pub(crate) struct Described<'a> {
    pub(crate) build_id: BuildId,
    pub(crate) note: Option<Note>,
    /// The bytes that would be the section of metadata.
    pub(crate) metadata: &'a [u8],
    /// The bytes that would be the section of live items.
    pub(crate) live: &'a [u8],
}

impl Artifact {
    /// Makes the artifact of a plugin that is part of `file`.
    ///
    /// # Errors
    /// It is not a plugin with the contract of this host.
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

/// The contents of a file at one moment.
pub(crate) struct Source {
    pub(crate) bytes: Vec<u8>,
    /// The fingerprint of the file that the bytes were read from.
    pub(crate) fingerprint: Fingerprint,
    /// The metadata of that file.
    pub(crate) file: fs::Metadata,
}

/// The number of times that a file is read if it changes meanwhile.
const ATTEMPTS: usize = 3;

/// Reads a plugin's file whole, as [`Artifact::read`] does. It refuses, before reading them, everything that is not a
/// regular file, that is not a library for this machine, or that is larger than the [`limits`] allow.
///
/// # Errors
/// [`ArtifactError`] with one of these reasons, or if the file cannot be read.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, ArtifactError> {
    Ok(read_source(file)?.bytes)
}

/// Reads a file whole.
///
/// A file that is overwritten in place may be read half-written if its writer pauses. Its note then shows that.
pub(crate) fn read_source(file: &Path) -> Result<Source, ArtifactError> {
    check_is_file(file)?;
    for _ in 0..ATTEMPTS {
        let read = try_read(file).map_err(|problem| ArtifactError::new(file, problem));
        if let Some(source) = read? {
            return Ok(source);
        }
    }
    Err(ArtifactError::new(file, ArtifactProblem::Changing))
}

/// Reads the file once. Returns `None` if the file changed meanwhile.
pub(super) fn try_read(path: &Path) -> Result<Option<Source>, ArtifactProblem> {
    let unreadable = |error| ArtifactProblem::Unreadable { error };
    // The file may have been exchanged for a pipe that has no writer since it was checked.
    let mut file = platform::without_waiting()
        .read(true)
        .open(path)
        .map_err(unreadable)?;
    let before = file.metadata().map_err(unreadable)?;
    if !before.is_file() {
        return Err(ArtifactProblem::NotAFile);
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(form::BEGINNING)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    form::check_beginning(&bytes)?;
    at_most_bytes(before.len())?;
    let len = usize::try_from(before.len()).map_err(|_| ArtifactProblem::Changing)?;
    let reserved = bytes.try_reserve_exact(len.saturating_sub(bytes.len()) + 1);
    reserved.map_err(|error| unreadable(error.into()))?;
    // One byte more than expected is read, to notice a file that grows without following it for ever.
    let rest = (len as u64 + 1).saturating_sub(bytes.len() as u64);
    file.by_ref()
        .take(rest)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let fingerprint = Fingerprint::of(&before);
    let after = Fingerprint::of(&file.metadata().map_err(unreadable)?);
    let same = fingerprint == after && bytes.len() == len;
    Ok(same.then_some(Source {
        bytes,
        fingerprint,
        file: before,
    }))
}

fn at_most_bytes(len: u64) -> Result<(), ArtifactProblem> {
    match len <= limits::FILE_BYTES {
        true => Ok(()),
        false => Err(ArtifactProblem::TooMuch {
            what: "bytes",
            limit: limits::FILE_BYTES,
        }),
    }
}
