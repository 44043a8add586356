//! The host that gets the builds of a [`Worker`](crate::worker::Worker): one that the command starts, or one to which it is
//! attached.

mod own;

use std::path::PathBuf;

use hotswap_host::artifact::BuildId;
use hotswap_host::runtime::StoredReport;

pub(crate) use own::OwnHost;

use crate::Error;
#[cfg(feature = "control")]
use crate::attached::Attached;
use crate::session::Session;

/// An installed build of a plugin.
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

/// The host that gets the builds.
pub(crate) enum Recipient {
    /// A host that the command starts.
    Own(OwnHost),
    /// A host that ran before.
    #[cfg(feature = "control")]
    Attached(Attached),
}

impl Recipient {
    /// Returns the host, if the command starts it.
    pub(crate) fn own(&mut self) -> Option<&mut OwnHost> {
        match self {
            Self::Own(host) => Some(host),
            #[cfg(feature = "control")]
            Self::Attached(_) => None,
        }
    }

    /// Returns the directory from which the host loads its plugins, if that is where they are built into.
    pub(crate) fn plugin_dir(&self) -> Option<PathBuf> {
        match self {
            Self::Own(host) => host.built_for.clone(),
            #[cfg(feature = "control")]
            Self::Attached(host) => host.plugin_dir(),
        }
    }

    /// Brings the builds to the host. They are all that it is to run, whether it runs them already or not.
    pub(crate) fn deliver(
        &self,
        session: &Session,
        builds: &[&InstalledBuild],
    ) -> Result<Delivered, Error> {
        match self {
            Self::Own(host) => host.reload(session),
            #[cfg(feature = "control")]
            Self::Attached(host) => host.deliver(session, builds),
        }
    }
}
