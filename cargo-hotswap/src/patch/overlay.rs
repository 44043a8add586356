//! Shows the compiler other texts than those of a package's files.
//!
//! An overlay is a directory that mirrors the workspace. The files with other texts are files there, and everything else is
//! a link to what it mirrors, so that included files and modules are found by the paths that the sources have for them.
//!
//! Cargo compiles the package as always, but calls this program in place of rustc for the members of the workspace, which
//! gives rustc the library's root in the overlay, and changes nothing else. Cargo keeps the rlibs that it compiles in this way
//! apart from its usual ones. A shared library has one place, though, and Cargo does not see which program has compiled it, so
//! its arguments carry a mark. Then Cargo compiles the plugin again for a patch, and once more without it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::ui;

/// Cargo's variable for the program that it calls in place of rustc, with rustc as the first argument.
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// The variable for the wrapper that the user has set.
const USERS_WRAPPER: &str = "HOTSWAP_PATCH_WRAPPER";
/// The variable for the root of the library.
const FROM: &str = "HOTSWAP_PATCH_FROM";
/// The variable for the file in its place.
const TO: &str = "HOTSWAP_PATCH_TO";

/// An overlay over the sources of a library: see the module.
pub(crate) struct Overlay {
    /// The directory that is mirrored.
    below: PathBuf,
    /// The overlay.
    pub(crate) directory: PathBuf,
    root: PathBuf,
}

impl Overlay {
    /// The arguments for rustc by which Cargo tells the library from that of the files on disk.
    pub(crate) const MARK: [&str; 2] = ["--cfg", "hotswap_patch"];

    /// Returns the overlay of `below` that is to be in `directory`, for the library with this root.
    pub(crate) fn new(below: &Path, directory: PathBuf, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            below: below.to_owned(),
            directory,
        }
    }

    /// Writes the overlay, with these texts of files, by their paths. An earlier overlay in the directory is replaced.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub(crate) fn write(&self, texts: &BTreeMap<PathBuf, &str>) -> io::Result<()> {
        let differs = |(path, text): &(&PathBuf, &&str)| {
            std::fs::read(path).map_or(true, |found| found != text.as_bytes())
        };
        let texts = texts.iter().filter(differs).collect();
        mirror(&self.below, &self.directory, &texts)
    }

    /// Returns the path in the overlay for a path in what it mirrors.
    pub(crate) fn path(&self, mirrored: &Path) -> PathBuf {
        let below = mirrored.strip_prefix(&self.below).unwrap_or(mirrored);
        self.directory.join(below)
    }

    /// Returns the environment that makes Cargo compile what is in the overlay.
    ///
    /// # Errors
    /// The path of this program is not known.
    pub(crate) fn environment(&self) -> io::Result<Vec<(&'static str, OsString)>> {
        let mut env = vec![
            (WRAPPER, std::env::current_exe()?.into()),
            (FROM, self.root.clone().into()),
            (TO, self.path(&self.root).into()),
        ];
        env.extend(std::env::var_os(WRAPPER).map(|users| (USERS_WRAPPER, users)));
        Ok(env)
    }
}

/// Makes `to` a mirror of `from`, with these texts.
fn mirror(from: &Path, to: &Path, texts: &BTreeMap<&PathBuf, &&str>) -> io::Result<()> {
    if to.is_symlink() {
        std::fs::remove_file(to)?;
    }
    std::fs::create_dir_all(to)?;
    let mut names: Vec<OsString> = Vec::new();
    for entry in std::fs::read_dir(from)? {
        names.push(entry?.file_name());
    }
    // A file may be gone from the disk whose text is known.
    let here = texts.keys().filter_map(|path| path.strip_prefix(from).ok());
    names.extend(here.filter_map(|path| Some(path.iter().next()?.to_owned())));
    names.sort();
    names.dedup();
    for entry in std::fs::read_dir(to)? {
        let name = entry?.file_name();
        if names.binary_search(&name).is_err() {
            remove(&to.join(name))?;
        }
    }
    for name in names {
        let (from, to) = (from.join(&name), to.join(&name));
        if let Some(text) = texts.get(&from) {
            let same = !to.is_symlink() && std::fs::read(&to).is_ok_and(|it| it == text.as_bytes());
            // A file that has its text already keeps its time, by which Cargo sees that nothing has changed.
            if !same {
                remove(&to)?;
                std::fs::write(&to, text)?;
            }
        } else if texts.keys().any(|path| path.starts_with(&from)) {
            mirror(&from, &to, texts)?;
        } else if std::fs::read_link(&to).ok().as_deref() != Some(&from) {
            remove(&to)?;
            symlink(&from, &to)?;
        }
    }
    Ok(())
}

/// Removes a file, a link, or a directory of the overlay, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Becomes rustc, if Cargo has called this program in its place.
pub(crate) fn as_rustc(args: &[OsString]) -> Option<ExitCode> {
    let (from, to) = (std::env::var_os(FROM)?, std::env::var_os(TO)?);
    let [_, rustc, args @ ..] = args else {
        return None;
    };
    let mut command = match std::env::var_os(USERS_WRAPPER) {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command.arg(rustc);
            command
        }
        None => Command::new(rustc),
    };
    let here = std::env::current_dir().unwrap_or_default();
    command.args(
        args.iter()
            .map(|arg| match here.join(arg) == Path::new(&from) {
                true => &to,
                false => arg,
            }),
    );
    command
        .env_remove(FROM)
        .env_remove(TO)
        .env_remove(USERS_WRAPPER);
    // It returns only if rustc cannot be run.
    let error = command.exec();
    ui::print_error(&error);
    Some(ExitCode::FAILURE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn files_with_other_texts_are_files_and_the_rest_are_links() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("workspace"), dir.path().join("overlay"));
        let root = from.join("world/src/lib.rs");
        write(&root, "mod jobs;");
        write(&from.join("world/src/jobs/mod.rs"), "one");
        write(&from.join("world/src/jobs/more.rs"), "more");
        write(&from.join("shared.txt"), "text");
        let jobs = from.join("world/src/jobs/mod.rs");
        let gone = from.join("world/src/gone.rs");
        let make = |texts: &[(&PathBuf, &'static str)]| {
            let texts = texts.iter().map(|(path, text)| ((*path).clone(), *text));
            let overlay = Overlay::new(&from, to.clone(), &root);
            overlay.write(&texts.collect()).unwrap();
            overlay
        };
        let overlay = make(&[(&jobs, "two"), (&gone, "gone"), (&root, "mod jobs;")]);
        assert_eq!(read(&overlay.path(&jobs)), "two");
        assert_eq!(read(&overlay.path(&gone)), "gone");
        assert!(overlay.path(&root).is_symlink(), "it has its text already");
        assert_eq!(read(&to.join("world/src/../../shared.txt")), "text");
        assert_eq!(read(&to.join("world/src/jobs/more.rs")), "more");
        assert_eq!(read(&jobs), "one");

        // The next overlay takes the place of this one, and leaves a file alone that stays as it is.
        let time = |path: PathBuf| path.metadata().unwrap().modified().unwrap();
        let before = time(overlay.path(&jobs));
        let overlay = make(&[(&jobs, "two"), (&root, "mod jobs; fn f() {}")]);
        assert_eq!(time(overlay.path(&jobs)), before);
        assert!(!overlay.path(&gone).exists());
        assert_eq!(read(&overlay.path(&root)), "mod jobs; fn f() {}");
        let overlay = make(&[(&root, "mod jobs; fn f() {}")]);
        assert!(to.join("world/src/jobs").is_symlink());
        assert_eq!(read(&overlay.path(&jobs)), "one");
        assert_eq!(read(&jobs), "one");
    }
}
