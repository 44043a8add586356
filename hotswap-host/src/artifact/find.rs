use super::error::{ArtifactError, ArtifactProblem, FindError};
use std::env::consts::DLL_EXTENSION;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Returns the artifacts in a plugin directory, sorted by name.
///
/// These are the files, and links to files, whose names end in the platform's extension for shared libraries (`.so` on
/// Linux) and do not begin with a dot. They are not opened, so each may still turn out not to be a plugin.
///
/// # Errors
/// [`FindError`] if the directory is missing or cannot be read, or if it contains something with the name of a library
/// that is neither a file nor a link to one. Nothing with such a name is skipped.
pub fn find(dir: &Path) -> Result<Vec<PathBuf>, FindError> {
    let found = find_each(dir)?.into_iter();
    Ok(found.collect::<Result<_, ArtifactError>>()?)
}

/// Does the same as [`find`], but returns a separate error for each thing with the name of a library that is not a
/// file.
///
/// # Errors
/// The directory is missing or cannot be read.
pub(crate) fn find_each(dir: &Path) -> Result<Vec<Result<PathBuf, ArtifactError>>, FindError> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => FindError::Missing {
            dir: dir.to_owned(),
        },
        ErrorKind::NotADirectory => FindError::NotADirectory {
            dir: dir.to_owned(),
        },
        _ => FindError::Unreadable {
            dir: dir.to_owned(),
            error,
        },
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        if has_name_of_library(&name) {
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            found.push((name, is_file));
        }
    }
    // They are sorted by name, because names are compared much faster than paths.
    found.sort();
    let look = |(name, is_file): (OsString, bool)| {
        let file = dir.join(name);
        if is_file {
            return Some(Ok(file));
        }
        match check_is_file(&file) {
            Ok(_) => Some(Ok(file)),
            // The file has been removed since it was listed.
            Err(error) if matches!(error.problem, ArtifactProblem::NotFound) => None,
            Err(error) => Some(Err(error)),
        }
    };
    Ok(found.into_iter().filter_map(look).collect())
}

fn has_name_of_library(name: &OsStr) -> bool {
    let hidden = name.as_encoded_bytes().starts_with(b".");
    !hidden && Path::new(name).extension() == Some(OsStr::new(DLL_EXTENSION))
}

/// Follows links, and refuses everything that is not a regular file.
pub(super) fn check_is_file(file: &Path) -> Result<fs::Metadata, ArtifactError> {
    let problem = match fs::metadata(file) {
        Ok(meta) if meta.is_file() => return Ok(meta),
        Ok(meta) if meta.is_dir() => ArtifactProblem::Directory,
        Ok(_) => ArtifactProblem::NotAFile,
        Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(file) {
            Ok(target) => ArtifactProblem::DanglingLink { target },
            Err(_) => ArtifactProblem::NotFound,
        },
        Err(error) => ArtifactProblem::Unreadable { error },
    };
    Err(ArtifactError::new(file, problem))
}
