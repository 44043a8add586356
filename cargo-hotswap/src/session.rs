//! The context of one run of the command: where it was started, how it prints, which Cargo it calls, and whether it was
//! interrupted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::cli::OutputOptions;
use crate::interrupt::Interrupt;
use crate::ui::Ui;
use crate::{Error, paths};

/// The context of one run: see the module.
pub(crate) struct Session {
    /// The directory in which the command was started, by the name that the user's shell has for it.
    pub(crate) dir: PathBuf,
    /// The Cargo to call: the one that called us, otherwise the one on the path.
    pub(crate) cargo: OsString,
    /// The printer of all output.
    pub(crate) ui: Ui,
    /// The interruption by SIGINT, SIGTERM, or SIGHUP.
    pub(crate) interrupt: Interrupt,
}

impl Session {
    /// Finds the directory and Cargo, and installs the signal handlers.
    pub(crate) fn new(output: &OutputOptions) -> Result<Self, Error> {
        let dir = std::env::current_dir().map_err(|source| Error::CurrentDir { source })?;
        let dir = paths::as_seen(dir);
        Ok(Self {
            dir,
            cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
            ui: Ui::new(output),
            interrupt: Interrupt::install()?,
        })
    }

    /// Returns `path` as seen from the directory in which the command was started.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.dir.join(path)
    }
}

/// Removes the variables that Cargo sets for the programs that it runs.
///
/// They are removed for every program that is started from here. In a checkout, where an alias runs this command
/// through `cargo run`, they describe this command, and not what it builds.
pub(crate) fn without_cargos_variables(command: &mut std::process::Command) {
    const NAMES: [&str; 6] = [
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if NAMES.contains(&text)
            || text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_BIN_EXE_")
        {
            command.env_remove(&name);
        }
    }
}
