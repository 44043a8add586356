//! The host that gets the builds of a [`Worker`](crate::worker::Worker): one that the command starts, or one to which it is
//! attached.

mod own;

use std::path::PathBuf;

pub(crate) use own::{HostProcess, OwnHost};

use crate::Error;
#[cfg(feature = "control")]
use crate::attached::Attached;
use crate::delivery::{Delivered, InstalledBuild};
use crate::session::Session;

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
        // A host that the command starts finds them in its plugin directory.
        let _ = builds;
        match self {
            Self::Own(host) => host.reload(session),
            #[cfg(feature = "control")]
            Self::Attached(host) => host.deliver(session, builds),
        }
    }
}
