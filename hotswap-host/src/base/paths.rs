//! Paths that are kept: the file that they name does not change with the working directory.
use crate::error::ReloadError;
use crate::platform;
use serde::Serializer;
use std::path::{Path, PathBuf};

/// Makes a path absolute when it is given. Links are not followed, so a link that is changed later leads to another
/// place.
///
/// The path stays as it is if it is empty, if the working directory is gone, or if a user with fewer rights than this
/// process chose that directory. Callers check it with [`check_absolute`] before they use it.
pub(crate) fn absolute(path: impl Into<PathBuf>) -> PathBuf {
    let path = path.into();
    match platform::is_privileged() {
        true => path,
        false => std::path::absolute(&path).unwrap_or(path),
    }
}

/// Returns an error for a path that would name another file in each working directory.
pub(crate) fn check_absolute(path: &Path) -> Result<(), ReloadError> {
    match path.is_absolute() {
        true => Ok(()),
        false => Err(ReloadError::RelativePath {
            path: path.to_owned(),
        }),
    }
}

/// Serialises a path as text. Other bytes are replaced, because JSON has only text.
pub(crate) fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// Serialises a path that may be missing, like [`as_text`].
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
