use super::process;
use crate::base::paths::{absolute, as_text};
use crate::error::ReloadError;
use serde::{Deserialize, Serialize};
use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// The data that a running host publishes about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostRecord {
    /// The process id.
    pub pid: u32,
    /// The time at which the process was started, which distinguishes it from a later process with the same id.
    pub start_time: u64,
    /// The directory from which it loads plugins. The path is absolute, and links in it are not resolved.
    #[serde(serialize_with = "as_text")]
    pub plugin_dir: PathBuf,
    /// The path of the program.
    #[serde(serialize_with = "as_text")]
    pub executable: PathBuf,
    /// The signal on which it reloads, if it listens for one.
    pub reload_signal: Option<i32>,
}

impl HostRecord {
    /// Returns the record of this process, with plugins from `plugin_dir`. It listens for no signal yet.
    pub(crate) fn of_this_process(plugin_dir: &Path) -> Self {
        let pid = std::process::id();
        HostRecord {
            pid,
            start_time: process::start_time(pid).unwrap_or(0),
            plugin_dir: absolute(plugin_dir),
            executable: env::current_exe().unwrap_or_default(),
            reload_signal: None,
        }
    }

    /// Returns true if the host loads plugins from `dir`.
    ///
    /// # Errors
    /// `dir` does not exist, or its path cannot be resolved.
    pub fn serves(&self, dir: &Path) -> io::Result<bool> {
        let dir = dir.canonicalize()?;
        // Links are followed now, because a link of the host may lead elsewhere by now.
        Ok(resolved(&self.plugin_dir).to_string_lossy() == dir.to_string_lossy())
    }
}

/// Resolves links, as far as the directory exists.
fn resolved(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| absolute(dir))
}

/// The content of a host's lock file: the place of its directory, and its record.
#[derive(Serialize, Deserialize)]
pub(super) struct LockRecord {
    #[serde(serialize_with = "as_text")]
    pub(super) dir: PathBuf,
    pub(super) host: HostRecord,
}

/// The outcome of a host's latest attempt to load or reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoredReport {
    /// The number of the attempt. The first load has number 0.
    pub attempt: u64,
    /// True if the attempt succeeded.
    pub ok: bool,
    /// The number of the generation that is live after the attempt.
    pub generation: u64,
    /// The report or the error, as the host displays it.
    pub text: String,
    /// The report, field by field, or `None` after a failure.
    pub report: Option<serde_json::Value>,
    /// True if the reason of a failure may pass by itself: see [`ReloadError::may_pass`].
    #[serde(default)]
    pub may_pass: bool,
    /// A word for the reason of a failure: see [`ReloadError::reason`]. Hosts of earlier versions do not say it.
    #[serde(default)]
    pub reason: Option<String>,
}

impl StoredReport {
    /// Makes a report that can be stored.
    pub(crate) fn new(
        attempt: u64,
        generation: u64,
        outcome: Result<Reported, &ReloadError>,
    ) -> Self {
        let (ok, may_pass) = match &outcome {
            Ok(_) => (true, false),
            Err(error) => (false, error.may_pass()),
        };
        let reason = outcome
            .as_ref()
            .err()
            .map(|error| error.reason().to_owned());
        let (text, report) = match outcome {
            Ok(Reported { text, report }) => (text, Some(report)),
            Err(error) => (error.to_string(), None),
        };
        StoredReport {
            attempt,
            ok,
            generation,
            text,
            report,
            may_pass,
            reason,
        }
    }
}

/// The report of a successful attempt.
pub(crate) struct Reported {
    pub(crate) text: String,
    pub(crate) report: serde_json::Value,
}
