//! Standard libraries without debug information, for libraries that are small.
//!
//! Most of a plugin in the profile `dev` is line tables of the standard library: they are linked, hashed, and copied at
//! each edit, and no breakpoint in the plugin needs them. So `run` makes a copy of the toolchain's directory, of links,
//! in which the libraries of the target have no debug information, and lets rustc link those. All other debug
//! information is what the profile says.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hotswap_host::artifact::BuildId;

/// The prefix of the directories.
const PREFIX: &str = "thin-";

/// Returns the copy for the compiler `rustc` below `base`, if it was made.
pub(crate) fn find(base: &Path, rustc: &Path, target: Option<&str>) -> Option<PathBuf> {
    let thin = base.join(name(rustc, target)?);
    thin.is_dir().then_some(thin)
}

/// Makes the copy for the compiler `rustc` below `base`, unless it is there, and removes those for other compilers.
///
/// # Errors
/// Returns an error if a file or directory cannot be made, or if nothing can strip libraries. Then there is no copy.
pub(crate) fn prepare(base: &Path, rustc: &Path, target: Option<&str>) -> io::Result<()> {
    let Some(name) = name(rustc, target) else {
        return Ok(());
    };
    if base.join(&name).is_dir() {
        return Ok(());
    }
    fs::create_dir_all(base)?;
    for entry in fs::read_dir(base)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    let sysroot = sysroot(rustc).ok_or(io::ErrorKind::NotFound)?;
    let target = match target {
        Some(target) => target.to_owned(),
        None => host(rustc)?,
    };
    let temp = tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(".tmp")
        .tempdir_in(base)?;
    // Each directory on the way has links to everything beside the next one.
    let mut way = PathBuf::new();
    for next in ["lib", "rustlib", &target, "lib"] {
        link_all(&sysroot.join(&way), &temp.path().join(&way), |name| {
            name != next
        })?;
        way.push(next);
        fs::create_dir(temp.path().join(&way))?;
    }
    let is_library = |name: &OsStr| Path::new(name).extension() == Some("rlib".as_ref());
    let (from, to) = (sysroot.join(&way), temp.path().join(&way));
    link_all(&from, &to, |name| !is_library(name))?;
    let programs = [from.with_file_name("bin/rust-objcopy"), "objcopy".into()];
    for entry in fs::read_dir(&from)? {
        let name = entry?.file_name();
        if is_library(&name) {
            strip(&programs, &from.join(&name), &to.join(&name))?;
        }
    }
    fs::rename(temp.keep(), base.join(name))
}

/// Returns a name that another compiler, or a later version of it, does not have.
fn name(rustc: &Path, target: Option<&str>) -> Option<String> {
    let found = rustc.metadata().ok()?;
    let identity = format!(
        "{} {target:?} {} {} {}",
        rustc.display(),
        found.ino(),
        found.mtime(),
        found.mtime_nsec()
    );
    Some(format!(
        "{PREFIX}{}",
        BuildId::of(identity.as_bytes()).short()
    ))
}

/// Returns the directory of the toolchain, if `rustc` lies in one.
fn sysroot(rustc: &Path) -> Option<PathBuf> {
    let sysroot = rustc.parent()?.parent()?;
    sysroot
        .join("lib/rustlib")
        .is_dir()
        .then(|| sysroot.to_owned())
}

/// Returns the target for which `rustc` compiles by default.
fn host(rustc: &Path) -> io::Result<String> {
    let output = Command::new(rustc).arg("-vV").output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or(io::ErrorKind::InvalidData)?.to_owned())
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

/// Copies a library without its debug information, with the program that rustc itself uses, or with that on the path.
fn strip(programs: &[PathBuf], from: &Path, to: &Path) -> io::Result<()> {
    let mut ended = Err(io::ErrorKind::NotFound.into());
    for program in programs {
        let mut command = Command::new(program);
        command.arg("--strip-debug").arg(from).arg(to);
        command.stdin(Stdio::null()).stderr(Stdio::null());
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
