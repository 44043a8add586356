//! Checks which other users may write to the files that plugins are read from. They decide what runs in the host.
use crate::artifact::{ArtifactError, ArtifactProblem, FindError};
use crate::platform;
use crate::runtime::Exposure;
use crate::shown;
use crate::telemetry::contain;
use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Checks the plugin directory.
///
/// # Errors
/// Others may write to it, and the host forbids that.
pub(super) fn check_dir(dir: &Path, required: bool) -> Result<(), FindError> {
    // If there is no directory, listing it says so.
    let Ok(meta) = fs::metadata(dir) else {
        return Ok(());
    };
    match exposure(&meta, required) {
        None => Ok(()),
        Some(exposure) if required => Err(FindError::Exposed {
            dir: dir.to_owned(),
            exposure,
        }),
        Some(exposure) => {
            let text = || format!("the plugin directory {} {exposure}", shown::path(dir));
            warn_once(dir, exposure, text);
            Ok(())
        }
    }
}

/// Checks the file of a plugin, which has the metadata `meta`, and the directory that a link leads to.
///
/// # Errors
/// Others may write to one of them, and the host forbids that.
pub(super) fn check_file(
    file: &Path,
    meta: &Metadata,
    required: bool,
) -> Result<(), ArtifactError> {
    let is_link = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_symlink());
    let real = if is_link {
        file.canonicalize().ok()
    } else {
        None
    };
    let of_file = exposure(meta, required);
    let found = of_file
        .map(|exposure| (real.as_deref().unwrap_or(file).to_owned(), exposure))
        .or_else(|| {
            let dir = real.as_deref()?.parent()?;
            let exposure = exposure(&fs::metadata(dir).ok()?, required)?;
            Some((dir.to_owned(), exposure))
        });
    let Some((path, exposure)) = found else {
        return Ok(());
    };
    if required {
        return Err(ArtifactError::new(
            file,
            ArtifactProblem::Exposed { path, exposure },
        ));
    }
    let text = || match path == file {
        true => format!("the plugin's file {} {exposure}", shown::path(file)),
        false => format!(
            "{}, from which {} is read, {exposure}",
            shown::path(&path),
            shown::path(file)
        ),
    };
    warn_once(&path, exposure, text);
    Ok(())
}

/// Returns how others can write to a file. If this is only logged, a group of the user's own does not count: on most
/// systems each user has such a group, which has the user's number, and whose members may write to the user's files.
fn exposure(meta: &Metadata, required: bool) -> Option<Exposure> {
    let found = Exposure::of_roots_or_own(meta)?;
    let by_group_alone = matches!(found, Exposure::Writable { mode } if mode & 0o002 == 0);
    let own_group = platform::group(meta) == platform::user() && platform::user() != 0;
    (required || !(by_group_alone && own_group)).then_some(found)
}

/// Returns how other users can write to this path, if they can.
pub(super) fn exposure_of(path: &Path) -> Option<Exposure> {
    exposure(&fs::metadata(path).ok()?, false)
}

fn warn_once(path: &Path, exposure: Exposure, text: impl FnOnce() -> String) {
    static NAMED: Mutex<BTreeSet<(PathBuf, Exposure)>> = Mutex::new(BTreeSet::new());
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if !named.insert((path.to_owned(), exposure)) {
        return;
    }
    drop(named);
    contain((), || {
        tracing::warn!(
            target: "hotswap",
            "{}: those who may write to it can run any code in this process; remove the permission with `chmod go-w` or `chown`, \
             or refuse such plugins with `Builder::require_private_plugin_dir`",
            text()
        );
    });
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{check_dir, check_file};
    use crate::Swapper;
    use crate::artifact::{ArtifactProblem, FindError};
    use crate::error::ReloadError;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::Path;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused_where_that_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let open = |required| {
            let builder = Swapper::builder().plugin_dir(dir.path()).allow_empty(true);
            builder.require_private_plugin_dir(required).open()
        };
        open(true).unwrap();
        for mode in [0o777, 0o770, 0o1777] {
            set(dir.path(), mode);
            // It opens with a warning.
            open(false).unwrap();
            let error = open(true).err().unwrap();
            let found = matches!(error, ReloadError::Find(FindError::Exposed { .. }));
            let text = error.to_string();
            assert!(
                found && text.contains(&format!("(mode {mode:o})")),
                "{text}"
            );
        }
        set(dir.path(), 0o755);
        let serving = open(true).unwrap();
        // A directory that is opened up later makes the next reload fail.
        set(dir.path(), 0o777);
        assert!(serving.reload().is_err());
        set(dir.path(), 0o755);
        serving.reload().unwrap();
        if chown(dir.path(), Some(12345), None).is_ok() {
            let text = open(true).err().unwrap().to_string();
            assert!(text.contains("belongs to user 12345"), "{text}");
        } else {
            println!("left out, since it needs root: a plugin directory of another user's");
        }
    }

    #[test]
    fn a_file_and_the_directory_that_a_link_leads_to_count() {
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("there");
        fs::create_dir(&there).unwrap();
        let (file, link) = (there.join("real.so"), dir.path().join("link.so"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let found = |path: &Path, required| {
            let meta = fs::metadata(path).unwrap();
            let refused = check_file(path, &meta, required).err()?;
            assert_eq!(refused.file, path);
            let ArtifactProblem::Exposed { path, .. } = refused.problem else {
                panic!("{refused}")
            };
            Some(path)
        };
        assert_eq!((found(&file, true), found(&link, true)), (None, None));
        set(&there, 0o777);
        let real = there.canonicalize().unwrap();
        // The file itself is in the plugin directory, which is checked separately.
        assert_eq!((found(&file, true), found(&link, true)), (None, Some(real)));
        set(&there, 0o755);
        set(&file, 0o666);
        let real = file.canonicalize().unwrap();
        assert_eq!(found(&file, true).as_ref(), Some(&file));
        assert_eq!(found(&link, true), Some(real));
        assert_eq!(found(&link, false), None, "there is a warning");
        check_dir(Path::new("/no/such/place"), true).unwrap();
    }

    #[test]
    fn a_warning_names_it_once() {
        let dir = tempfile::tempdir().unwrap();
        set(dir.path(), 0o777);
        let recorder = crate::telemetry::tests::recorder::Recorder::new(0);
        tracing::subscriber::with_default(recorder.clone(), || {
            check_dir(dir.path(), false).unwrap();
            check_dir(dir.path(), false).unwrap();
        });
        let lines = recorder.lines();
        let text = dir.path().display().to_string();
        let named: Vec<_> = lines.iter().filter(|line| line.contains(&text)).collect();
        assert_eq!(named.len(), 1, "{lines:?}");
        assert!(
            named[0].contains("may be written to by others (mode 777)"),
            "{lines:?}"
        );
    }
}
