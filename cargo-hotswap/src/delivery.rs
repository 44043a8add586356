//! Builds on their way to a host, and what comes of them.

use std::path::PathBuf;
use std::time::Duration;

use hotswap_host::artifact::BuildId;
use hotswap_host::runtime::StoredReport;

/// How long a reload may take. A longer one finishes, too, but the next change is not built before.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An installed build of a plugin.
// A host that the command starts finds the files in its plugin directory.
#[cfg_attr(not(feature = "control"), allow(dead_code))]
#[derive(Debug)]
pub(crate) struct InstalledBuild {
    /// The package of the plugin.
    pub(crate) package: String,
    /// The installed file.
    pub(crate) file: PathBuf,
    /// The hash of the library's bytes.
    pub(crate) build_id: BuildId,
}

/// The result of bringing builds to a host.
#[derive(Debug)]
pub(crate) enum Delivered {
    /// The host runs them now. This is its report.
    Live(String),
    /// The host has run them before.
    #[cfg(feature = "control")]
    Already,
    /// The host keeps the builds that it has.
    Refused {
        /// The reason.
        text: String,
        /// True if the reason may pass by itself.
        may_pass: bool,
    },
    /// The host has ended, and no other one is in its place yet.
    #[cfg(feature = "control")]
    Away,
}

impl From<StoredReport> for Delivered {
    fn from(report: StoredReport) -> Self {
        match report.ok {
            true => Self::Live(report.text),
            false => Self::Refused {
                text: report.text,
                may_pass: report.may_pass,
            },
        }
    }
}
