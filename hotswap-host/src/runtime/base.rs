//! Finds the base directories, below which the directories of running hosts are.
use super::error::{Exposure, RuntimeError};
use crate::environment::{Variable, temporary_dir};
use crate::platform::{self, Dir};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Returns the possible base directories, the best one first.
pub(super) fn candidates() -> Vec<PathBuf> {
    // The session directory of another user may be inherited with the environment, for instance through `sudo`.
    all(|session| open(session).is_ok())
}

/// Returns the base directories that hosts with this environment may have used. The session directory may be gone.
pub(super) fn once_candidates() -> Vec<PathBuf> {
    all(|_| true)
}

/// The paths are made absolute now, because the variables may be relative to the current working directory.
fn all(is_usable: impl FnOnce(&Path) -> bool) -> Vec<PathBuf> {
    if let Some(dir) = Variable::RuntimeDir.path() {
        return vec![dir];
    }
    let session = Variable::SessionDir
        .path()
        .filter(|dir| is_usable(dir))
        .map(|dir| dir.join("hotswap"));
    let temporary = temporary_dir().join(format!("hotswap-{}", platform::user()));
    session.into_iter().chain([temporary]).collect()
}

/// A base directory that is held.
#[derive(Debug)]
pub(super) struct Base {
    /// The path as it was given. Tools with the same environment look for hosts there.
    pub(super) path: PathBuf,
    pub(super) dir: Arc<Dir>,
    /// The path without links, if users other than this one cannot make it lead elsewhere; otherwise the reason why
    /// they can.
    pub(super) real: Result<PathBuf, RuntimeError>,
}

impl Base {
    /// Returns the first directory that can be used. Makes it if it does not exist.
    ///
    /// If none can be used, the error is that of the last one.
    pub(super) fn prepare_first(candidates: &[PathBuf]) -> Result<Base, RuntimeError> {
        let (last, others) = candidates
            .split_last()
            .expect("there is always a candidate");
        match others.iter().find_map(|dir| Base::prepare(dir).ok()) {
            Some(base) => Ok(base),
            None => Base::prepare(last),
        }
    }

    /// Returns the directory. Makes it if it does not exist.
    pub(super) fn prepare(path: &Path) -> Result<Base, RuntimeError> {
        if !path.is_absolute() {
            // The path is relative to a working directory that is gone, so later it would name another directory.
            return Err(RuntimeError::NotCreated {
                dir: path.to_owned(),
                error: ErrorKind::NotFound.into(),
            });
        }
        let created = platform::private_dirs().recursive(true).create(path);
        created.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => RuntimeError::NotADirectory {
                dir: path.to_owned(),
            },
            _ => RuntimeError::NotCreated {
                dir: path.to_owned(),
                error,
            },
        })?;
        let dir = open(path)?;
        Ok(Base {
            real: real(path, &dir),
            dir: Arc::new(dir),
            path: path.to_owned(),
        })
    }
}

/// Opens a directory that only this user can write to.
///
/// A link is refused, because anyone may have made it where everyone may create files.
pub(super) fn open(path: &Path) -> Result<Dir, RuntimeError> {
    let not_created = |error| RuntimeError::NotCreated {
        dir: path.to_owned(),
        error,
    };
    let dir = Dir::open(path);
    let meta = match &dir {
        Ok(dir) => dir.metadata(),
        // The metadata may say who has put something else there.
        Err(_) => fs::symlink_metadata(path),
    };
    let meta = meta.map_err(not_created)?;
    if !meta.is_dir() {
        return Err(RuntimeError::NotADirectory {
            dir: path.to_owned(),
        });
    }
    match Exposure::of(&meta) {
        Some(Exposure::Foreign { owner }) => Err(RuntimeError::Foreign {
            dir: path.to_owned(),
            owner,
        }),
        Some(Exposure::Writable { mode }) => Err(RuntimeError::Exposed {
            dir: path.to_owned(),
            mode,
        }),
        None => dir.map_err(not_created),
    }
}

/// Returns the path of a directory without links, if only this user and root can rename the next part of the path in
/// each directory on the way.
///
/// The directories are checked from the root on: once a directory has been found to be safe, the part of the path below
/// it cannot be exchanged.
fn real(path: &Path, dir: &Dir) -> Result<PathBuf, RuntimeError> {
    let not_found = |error| RuntimeError::NotCreated {
        dir: path.to_owned(),
        error,
    };
    let real = path.canonicalize().map_err(not_found)?;
    let mut above: Vec<_> = real.ancestors().skip(1).collect();
    above.reverse();
    for ancestor in above {
        let meta = fs::symlink_metadata(ancestor).map_err(not_found)?;
        if let Some(exposure) = Exposure::of_ancestor(&meta) {
            return Err(RuntimeError::Replaceable {
                dir: path.to_owned(),
                ancestor: ancestor.to_owned(),
                exposure,
            });
        }
    }
    let state = |meta: fs::Metadata| {
        let state = platform::file_state(&meta);
        (state.device, state.inode)
    };
    let there = fs::symlink_metadata(&real).map_err(not_found)?;
    if state(there) != state(dir.metadata().map_err(not_found)?) {
        return Err(not_found(ErrorKind::NotFound.into()));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::Base;
    use crate::runtime::RuntimeError;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    #[test]
    fn a_directory_is_made_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("a/b");
        assert_eq!(Base::prepare(&base).unwrap().path, base);
        assert_eq!(
            fs::metadata(&base).unwrap().permissions().mode() & 0o7777,
            0o700
        );
        Base::prepare(&base).unwrap();
    }

    #[test]
    fn what_others_could_write_to_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().join("base");
        fs::create_dir(&base).unwrap();
        for mode in [0o770, 0o702, 0o1777] {
            fs::set_permissions(&base, Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(Base::prepare(&base), Err(RuntimeError::Exposed { mode: found, .. }) if found == mode)
            );
        }
        fs::set_permissions(&base, Permissions::from_mode(0o755)).unwrap();
        Base::prepare(&base).unwrap();

        let link = dir.path().join("link");
        symlink(&base, &link).unwrap();
        assert!(matches!(
            Base::prepare(&link),
            Err(RuntimeError::NotADirectory { .. })
        ));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            Base::prepare(&file),
            Err(RuntimeError::NotADirectory { .. })
        ));
        assert!(matches!(
            Base::prepare(&file.join("x")),
            Err(RuntimeError::NotCreated { .. })
        ));

        // The next candidate is used.
        assert_eq!(
            Base::prepare_first(&[link, base.clone()]).unwrap().path,
            base
        );
        // Only root can change the owner of a directory.
        if chown(&base, Some(12345), None).is_ok() {
            assert!(matches!(
                Base::prepare(&base),
                Err(RuntimeError::Foreign { owner: 12345, .. })
            ));
        }
    }
    /// The test looks for the last directory on the way that others could exchange.
    #[test]
    fn who_can_write_above_it_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let above = dir.path().join("above");
        let base = above.join("between/base");
        let real = Base::prepare(&base).unwrap().real.unwrap();
        assert_eq!(real, base.canonicalize().unwrap());
        let set = |mode| fs::set_permissions(&above, Permissions::from_mode(mode)).unwrap();
        for mode in [0o777, 0o770, 0o702] {
            set(mode);
            let refused = Base::prepare(&base).unwrap().real.unwrap_err();
            let RuntimeError::Replaceable { ancestor, .. } = &refused else {
                panic!("{refused}")
            };
            assert_eq!(*ancestor, above.canonicalize().unwrap());
            let text = refused.to_string();
            assert!(text.contains(&format!("(mode {mode:o})")), "{text}");
        }
        // The mode is that of the directory for temporary files.
        set(0o1777);
        Base::prepare(&base).unwrap().real.unwrap();
        // A link on the way is followed.
        let link = dir.path().join("link");
        symlink(&above, &link).unwrap();
        let by_link = Base::prepare(&link.join("between/base")).unwrap();
        assert_eq!(by_link.real.unwrap(), real);
        if chown(&above, Some(12345), None).is_ok() {
            let refused = Base::prepare(&base).unwrap().real.unwrap_err().to_string();
            assert!(refused.contains("belongs to user 12345"), "{refused}");
        }
    }
}
