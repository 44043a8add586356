//! Standard libraries without debug information, for plugins that are small.
//!
//! Most of a plugin in the profile `dev` is line tables of the standard library: they are linked, hashed, and copied at
//! each edit, and no breakpoint in the plugin needs them. So plugins are linked with a copy of the toolchain's
//! directory, of links, in which the libraries of the target have no debug information. All other debug information is
//! what the profile says. Every build of a plugin uses the copy, so the same sources make the same library, whether
//! Cargo starts rustc or [`run`](crate::replay) does.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use hotswap_host::artifact::BuildId;

use crate::Error;
use crate::cargo::Calls;
use crate::compiler;
use crate::output::base_dir;
use crate::settings;
use crate::toolchain::Toolchain;

/// The prefix of the directories.
const PREFIX: &str = "thin-";
/// The file in a copy that says of which libraries it was made.
const ORIGIN: &str = "hotswap-origin";
/// The variable with the directories in which the dynamic linker looks for libraries.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// The libraries of which a copy is made.
struct Origin {
    toolchain: Toolchain,
    /// The names of the libraries. They have a hash of the compiler's version in them.
    names: Vec<OsString>,
    /// The contents of the file in the copy: the directories, and the names, sizes, and times of the libraries.
    text: String,
}

/// Returns the copy for the compiler that Cargo uses, and makes it first if there is none. The caller holds the lock of
/// the target directory. Returns `None` if the user names a directory, or if no copy can be made.
///
/// # Errors
/// Returns an error if the command was interrupted.
pub(crate) fn prepare(calls: &Calls<'_>) -> Result<Option<PathBuf>, Error> {
    let Some(origin) = Origin::of(calls)? else {
        return Ok(None);
    };
    let base = base_dir(calls.workspace);
    let thin = base.join(origin.name());
    if origin.is_of(&thin) {
        return Ok(Some(thin));
    }
    let session = calls.session;
    let began = Instant::now();
    let made = match origin.toolchain.can_be_told(session)? {
        true => origin.copy(&base, &thin),
        false => Err(io::Error::other("the compiler takes no --sysroot")),
    };
    session.interrupt.check()?;
    match made {
        Ok(()) => {
            let took = began.elapsed().as_millis();
            let what = format_args!("standard libraries without debug information in {took} ms");
            session.ui.detail("Prepared", what);
            Ok(Some(thin))
        }
        Err(error) => {
            let what = format_args!("no standard libraries without debug information: {error}");
            session.ui.detail("Prepared", what);
            Ok(None)
        }
    }
}

/// Returns the copy for the compiler that Cargo uses, if it was made.
///
/// # Errors
/// Returns an error if the command was interrupted.
pub(crate) fn find(calls: &Calls<'_>) -> Result<Option<PathBuf>, Error> {
    let Some(origin) = Origin::of(calls)? else {
        return Ok(None);
    };
    let thin = base_dir(calls.workspace).join(origin.name());
    Ok(origin.is_of(&thin).then_some(thin))
}

impl Origin {
    fn of(calls: &Calls<'_>) -> Result<Option<Self>, Error> {
        // Elsewhere, the debug information of the standard library is not in the plugin.
        if !cfg!(target_os = "linux") || settings::names_sysroot(calls) {
            return Ok(None);
        }
        let known = calls.workspace.toolchain.borrow().clone();
        let toolchain = match known.filter(|known| known.libraries.is_dir()) {
            Some(known) => known,
            None => {
                let Some(asked) = compiler::toolchain(calls)? else {
                    return Ok(None);
                };
                calls.workspace.toolchain.replace(Some(asked.clone()));
                asked
            }
        };
        let Ok((names, text)) = describe(&toolchain.sysroot, &toolchain.libraries) else {
            return Ok(None);
        };
        Ok((!names.is_empty()).then_some(Self {
            toolchain,
            names,
            text,
        }))
    }

    /// Returns the name of the copy. It is the same wherever the toolchain is installed.
    fn name(&self) -> String {
        let names = self.names.join(OsStr::new("\n"));
        let hash = BuildId::of(names.as_encoded_bytes());
        format!("{PREFIX}{}", hash.short())
    }

    /// Returns true if `thin` is a copy of these libraries.
    fn is_of(&self, thin: &Path) -> bool {
        fs::read_to_string(thin.join(ORIGIN)).is_ok_and(|text| text == self.text)
    }

    /// Makes the copy `thin` in `base`, and removes those of libraries that are no more.
    fn copy(&self, base: &Path, thin: &Path) -> io::Result<()> {
        let Toolchain {
            sysroot, libraries, ..
        } = &self.toolchain;
        let way = libraries.strip_prefix(sysroot).map_err(io::Error::other)?;
        let rustlib = libraries.ancestors().nth(2);
        let rustlib = rustlib.ok_or(io::ErrorKind::NotFound)?;
        fs::create_dir_all(base)?;
        remove_useless(base, thin)?;
        let temp = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(".tmp")
            .tempdir_in(base)?;
        let temp_path = |path: &Path| match path.strip_prefix(sysroot) {
            Ok(path) => temp.path().join(path),
            Err(_) => temp.path().to_owned(),
        };
        // Each directory on the way has links to everything beside the next one.
        let mut directory = sysroot.clone();
        for next in way {
            link_all(&directory, &temp_path(&directory), |name| {
                name != next && name != "src"
            })?;
            directory.push(next);
            fs::create_dir(temp_path(&directory))?;
        }
        // rustc names the sources as they are named where this link leads.
        let sources = rustlib.join("src");
        if sources.is_dir() {
            fs::create_dir(temp_path(&sources))?;
            link_all(&sources, &temp_path(&sources), |_| true)?;
        }
        let to = temp_path(libraries);
        link_all(libraries, &to, |name| !is_library(name))?;
        self.strip_all(rustlib, &to)?;
        fs::write(temp.path().join(ORIGIN), &self.text)?;
        fs::rename(temp.path(), thin)?;
        // Nothing is left to remove.
        let _ = temp.keep();
        Ok(())
    }

    /// Copies the libraries into `to`.
    fn strip_all(&self, rustlib: &Path, to: &Path) -> io::Result<()> {
        let programs = Programs::of(rustlib);
        let next = AtomicUsize::new(0);
        let width = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            let work = || {
                while let Some(name) = self.names.get(next.fetch_add(1, Relaxed)) {
                    let from = self.toolchain.libraries.join(name);
                    programs.strip(&from, &to.join(name))?;
                }
                Ok(())
            };
            let running: Vec<_> = (0..width).map(|_| scope.spawn(work)).collect();
            let mut ended = running.into_iter().map(|it| it.join());
            ended.try_for_each(|ended| ended.expect("starting a program does not panic"))
        })
    }
}

/// Returns the names of the libraries in `libraries`, and what a copy of them says of its origin.
fn describe(sysroot: &Path, libraries: &Path) -> io::Result<(Vec<OsString>, String)> {
    let entries = fs::read_dir(libraries)?.map(|entry| Ok(entry?.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| is_library(name));
    names.sort();
    let mut text = format!("{}\n{}\n", sysroot.display(), libraries.display());
    for name in &names {
        let found = libraries.join(name).metadata()?;
        let written = (found.mtime(), found.mtime_nsec());
        let _ = writeln!(
            text,
            "{} {} {} {written:?}",
            name.display(),
            found.ino(),
            found.size()
        );
    }
    Ok((names, text))
}

fn is_library(name: &OsStr) -> bool {
    Path::new(name).extension() == Some("rlib".as_ref())
}

/// Removes the directory `thin`, what a command that was killed has left, and copies of libraries that have changed.
fn remove_useless(base: &Path, thin: &Path) -> io::Result<()> {
    for entry in fs::read_dir(base)?.flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && (path == thin || !is_current(&path)) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// Returns true if the libraries of which `copy` was made are as they were.
fn is_current(copy: &Path) -> bool {
    let Ok(text) = fs::read_to_string(copy.join(ORIGIN)) else {
        return false;
    };
    let mut lines = text.lines().map(Path::new);
    let (Some(sysroot), Some(libraries)) = (lines.next(), lines.next()) else {
        return false;
    };
    describe(sysroot, libraries).is_ok_and(|(_, now)| now == text)
}

/// Makes links in `to` to everything in `from` whose name is `wanted`.
fn link_all(from: &Path, to: &Path, wanted: impl Fn(&OsStr) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if wanted(&name) {
            symlink(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}

/// The programs that can remove debug information, the best first.
struct Programs(Vec<(PathBuf, Option<OsString>)>);

impl Programs {
    /// Returns the program that rustc itself uses, with the libraries that it needs, and that on the path.
    fn of(rustlib: &Path) -> Self {
        let entries = fs::read_dir(rustlib).into_iter().flatten().flatten();
        let own = entries.map(|entry| entry.path().join("bin/rust-objcopy"));
        let own = own.filter(|program| program.is_file());
        let known = std::env::var_os(LIBRARY_PATH).unwrap_or_default();
        let known = std::env::split_paths(&known).filter(|path| !path.as_os_str().is_empty());
        let libraries = rustlib.parent().map(Path::to_owned).into_iter();
        let libraries = std::env::join_paths(libraries.chain(known)).ok();
        let own = own.map(|program| (program, libraries.clone()));
        Self(own.chain([("objcopy".into(), None)]).collect())
    }

    /// Copies a library without its debug information.
    fn strip(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut ended = Err(io::ErrorKind::NotFound.into());
        for (program, libraries) in &self.0 {
            let mut command = Command::new(program);
            command.arg("--strip-debug").arg(from).arg(to);
            command.stdin(Stdio::null()).stderr(Stdio::null());
            command.envs(libraries.iter().map(|libraries| (LIBRARY_PATH, libraries)));
            ended = command.status().and_then(|status| match status.success() {
                true => Ok(()),
                false => Err(io::Error::other(format!(
                    "{} failed: {status}",
                    program.display()
                ))),
            });
            if ended.is_ok() {
                break;
            }
        }
        ended
    }
}
