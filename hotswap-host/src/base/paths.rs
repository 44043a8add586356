//! Paths that are kept: what they name does not change with the working directory.
use crate::error::ReloadError;
use crate::platform;
use serde::Serializer;
use std::path::{Path, PathBuf};

/// Makes a path absolute when it is given. Links are not followed: one that is switched later leads to another place.
///
/// It stays as it is where it is empty, where the working directory is gone, and where that is the choice of a user who has fewer
/// rights than this process. Ask [`check_absolute`] before it is used.
pub(crate) fn absolute(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    match platform::is_privileged() {
        true => path,
        false => std::path::absolute(&path).unwrap_or(path),
    }
}

/// Refuses a path that would mean another file with each working directory.
pub(crate) fn check_absolute(path: &Path) -> Result<(), ReloadError> {
    match path.is_absolute() {
        true => Ok(()),
        false => Err(ReloadError::RelativePath {
            path: path.to_owned(),
        }),
    }
}

/// Serialises a path as far as it is text; JSON has nothing else.
pub(crate) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// As [`as_text`], of a path that may be missing.
pub(crate) fn as_text_of_some<S: Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => as_text(path, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::absolute;
    use std::path::Path;

    #[test]
    fn links_and_what_does_not_exist_stay_as_they_are() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            absolute("one/./two/../lib.so"),
            here.join("one/two/../lib.so")
        );
        assert_eq!(absolute("/no/such/place"), Path::new("/no/such/place"));
        assert_eq!(absolute(""), Path::new(""));
    }
}
