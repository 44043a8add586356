//! Where the directories of running hosts are.
use super::error::RuntimeError;
use crate::base::paths::absolute;
use crate::platform;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The directories that come into question, the best first.
pub(super) fn candidates() -> Vec<PathBuf> {
    // The session's directory of another user is inherited with the environment, for instance through `sudo`.
    all(|session| check(session).is_ok())
}

/// The directories that have come into question for a host with this environment: that of the session may be gone.
pub(super) fn once_candidates() -> Vec<PathBuf> {
    all(|_| true)
}

/// As they are from any working directory: the variables may be relative to the one of now.
fn all(is_usable: impl FnOnce(&Path) -> bool) -> Vec<PathBuf> {
    let var = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(absolute)
    };
    if let Some(dir) = var("HOTSWAP_RUNTIME_DIR") {
        return vec![dir];
    }
    let session = var("XDG_RUNTIME_DIR")
        .filter(|dir| is_usable(dir))
        .map(|dir| dir.join("hotswap"));
    let temporary = absolute(env::temp_dir()).join(format!("hotswap-{}", platform::user()));
    session.into_iter().chain([temporary]).collect()
}

/// The first directory that can be used, made if need be.
///
/// The error is that of the last one.
pub(super) fn prepare_first(candidates: &[PathBuf]) -> Result<PathBuf, RuntimeError> {
    let (last, others) = candidates
        .split_last()
        .expect("there is always a candidate");
    match others.iter().find_map(|dir| prepare(dir).ok()) {
        Some(dir) => Ok(dir),
        None => prepare(last),
    }
}

/// The directory, made if need be.
pub(super) fn prepare(dir: &Path) -> Result<PathBuf, RuntimeError> {
    let created = platform::private_dirs().recursive(true).create(dir);
    created.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => RuntimeError::NotADirectory {
            dir: dir.to_owned(),
        },
        _ => RuntimeError::NotCreated {
            dir: dir.to_owned(),
            error,
        },
    })?;
    check(dir)?;
    Ok(dir.to_owned())
}

/// Refuses a directory in which others could replace a library between the check and the opening of it.
///
/// A link is refused too: where everybody may create files, anybody may have made it.
pub(super) fn check(dir: &Path) -> Result<(), RuntimeError> {
    let meta = fs::symlink_metadata(dir).map_err(|error| RuntimeError::NotCreated {
        dir: dir.to_owned(),
        error,
    })?;
    if !meta.is_dir() {
        return Err(RuntimeError::NotADirectory {
            dir: dir.to_owned(),
        });
    }
    let (owner, mode) = platform::owner_and_mode(&meta);
    if owner != platform::user() {
        return Err(RuntimeError::Foreign {
            dir: dir.to_owned(),
            owner,
        });
    }
    if mode & 0o022 != 0 {
        return Err(RuntimeError::Exposed {
            dir: dir.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{prepare, prepare_first};
    use crate::runtime::RuntimeError;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    #[test]
    fn a_directory_is_made_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("a/b");
        assert_eq!(prepare(&base).unwrap(), base);
        assert_eq!(
            fs::metadata(&base).unwrap().permissions().mode() & 0o7777,
            0o700
        );
        prepare(&base).unwrap();
    }

    #[test]
    fn what_others_could_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        fs::create_dir(&base).unwrap();
        for mode in [0o770, 0o702, 0o1777] {
            fs::set_permissions(&base, Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(prepare(&base), Err(RuntimeError::Exposed { mode: found, .. }) if found == mode)
            );
        }
        fs::set_permissions(&base, Permissions::from_mode(0o755)).unwrap();
        prepare(&base).unwrap();

        let link = dir.path().join("link");
        symlink(&base, &link).unwrap();
        assert!(matches!(
            prepare(&link),
            Err(RuntimeError::NotADirectory { .. })
        ));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            prepare(&file),
            Err(RuntimeError::NotADirectory { .. })
        ));
        assert!(matches!(
            prepare(&file.join("x")),
            Err(RuntimeError::NotCreated { .. })
        ));

        // The next candidate is taken.
        assert_eq!(prepare_first(&[link, base.clone()]).unwrap(), base);
        // Only root can give a directory away.
        if chown(&base, Some(12345), None).is_ok() {
            assert!(matches!(
                prepare(&base),
                Err(RuntimeError::Foreign { owner: 12345, .. })
            ));
        }
    }
}
