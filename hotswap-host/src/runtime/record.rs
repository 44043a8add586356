use super::process;
use crate::base::paths::{absolute, as_text};
use crate::error::ReloadError;
use serde::{Deserialize, Serialize};
use std::env;
use std::io;
use std::path::{Path, PathBuf};

/// What a running host says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostRecord {
    /// Its process id.
    pub pid: u32,
    /// When it was started, which tells it from a later process with the same id.
    pub start_time: u64,
    /// The directory that it loads plugins from, absolute, with links as they are.
    #[serde(serialize_with = "as_text")]
    pub plugin_dir: PathBuf,
    /// Its program.
    #[serde(serialize_with = "as_text")]
    pub executable: PathBuf,
    /// The signal on which it reloads, if it listens for one.
    pub reload_signal: Option<i32>,
}

impl HostRecord {
    /// This process, with plugins from `plugin_dir`, listening for no signal yet.
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

    /// Whether plugins are loaded from `dir`.
    ///
    /// # Errors
    /// If `dir` does not exist, or its path cannot be followed.
    pub fn serves(&self, dir: &Path) -> io::Result<bool> {
        let dir = dir.canonicalize()?;
        // Followed now: a link of the host's may lead elsewhere by now.
        Ok(resolved(&self.plugin_dir).to_string_lossy() == dir.to_string_lossy())
    }
}

/// Without links, as far as the directory exists.
fn resolved(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| absolute(dir))
}

/// What a host writes into its lock file: where its directory is, and what it says of itself.
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
    /// Which attempt it was; the first load has number 0.
    pub attempt: u64,
    /// Whether it succeeded.
    pub ok: bool,
    /// The generation that is live after it.
    pub generation: u64,
    /// The report or the error, as the host shows it.
    pub text: String,
    /// The report, field by field; `None` after a failure.
    pub report: Option<serde_json::Value>,
    /// Whether the reason of a failure may pass by itself: see [`ReloadError::may_pass`].
    #[serde(default)]
    pub may_pass: bool,
}

impl StoredReport {
    /// A report to be stored.
    pub(crate) fn new(
        attempt: u64,
        generation: u64,
        outcome: Result<Reported, &ReloadError>,
    ) -> Self {
        let (ok, may_pass) = match &outcome {
            Ok(_) => (true, false),
            Err(error) => (false, error.may_pass()),
        };
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
        }
    }
}

/// The report of a success.
pub(crate) struct Reported {
    pub(crate) text: String,
    pub(crate) report: serde_json::Value,
}
