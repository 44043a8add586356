//! The toolchain of a compiler, as the compiler tells of it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;
use crate::session::{Session, without_cargos_variables};

/// A compiler, and where its standard libraries lie.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// The wrappers and rustc.
    programs: Vec<OsString>,
    /// The directory in which Cargo is called. It may decide on the toolchain.
    directory: PathBuf,
    /// The directory of the toolchain.
    pub(crate) sysroot: PathBuf,
    /// The directory below it with the standard libraries for the target.
    pub(crate) libraries: PathBuf,
}

impl Toolchain {
    /// Asks the compiler that is the last of these programs. Returns `None` if it does not answer, or if its libraries lie
    /// in an unusual place. If it cannot be started at all, Cargo says so.
    ///
    /// # Errors
    /// Returns an error if the command was interrupted.
    pub(crate) fn ask(
        session: &Session,
        programs: Vec<OsString>,
        directory: &Path,
        target: Option<OsString>,
    ) -> Result<Option<Self>, Error> {
        let mut asked = Self {
            programs,
            directory: directory.to_owned(),
            sysroot: PathBuf::new(),
            libraries: PathBuf::new(),
        };
        let mut args: Vec<OsString> = vec![];
        if let Some(target) = target {
            args.extend(["--target".into(), target]);
        }
        args.extend(["--print", "sysroot", "--print", "target-libdir"].map(OsString::from));
        let Some(output) = asked.output(session, &args)? else {
            return Ok(None);
        };
        let mut lines = output.split(|byte| *byte == b'\n');
        let mut path = || PathBuf::from(OsStr::from_bytes(lines.next().unwrap_or_default()));
        (asked.sysroot, asked.libraries) = (path(), path());
        let is_usual = asked.sysroot.is_absolute()
            && asked.libraries.starts_with(&asked.sysroot)
            && asked.libraries.is_dir();
        Ok(is_usual.then_some(asked))
    }

    /// Returns true if the compiler can be told to use another directory. A wrapper may already do that.
    ///
    /// # Errors
    /// Returns an error if the command was interrupted.
    pub(crate) fn can_be_told(&self, session: &Session) -> Result<bool, Error> {
        let sysroot = self.sysroot.as_os_str();
        let args = [
            "--sysroot".as_ref(),
            sysroot,
            "--print".as_ref(),
            "sysroot".as_ref(),
        ];
        Ok(self.output(session, &args)?.is_some())
    }

    /// Returns what the compiler prints, if it succeeds.
    fn output(
        &self,
        session: &Session,
        args: &[impl AsRef<OsStr>],
    ) -> Result<Option<Vec<u8>>, Error> {
        let mut command = Command::new(&self.programs[0]);
        without_cargos_variables(&mut command);
        command
            .args(&self.programs[1..])
            .args(args)
            .current_dir(&self.directory);
        let output = session.interrupt.output(&mut command)?;
        let output = output.ok().filter(|output| output.status.success());
        Ok(output.map(|output| output.stdout))
    }
}
