//! Asks running hosts to reload: through their control endpoints, or by their signals.

mod by_signal;
mod ended;
#[cfg(feature = "control")]
mod endpoint;

use std::path::Path;
use std::time::Duration;

#[cfg(feature = "control")]
use hotswap_control::Client;
#[cfg(feature = "control")]
use hotswap_control::api::{DeployRequest, ReloadRequest};
use hotswap_host::runtime::RunningHost;
use hotswap_host::shown;

use crate::session::Session;
use crate::{Error, hosts};

pub(crate) use ended::Ended;
#[cfg(feature = "control")]
pub(crate) use ended::Outcome;

/// A request to hosts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// How long an answer may take.
    pub(crate) patience: Option<Duration>,
    /// True if the answers are printed as JSON.
    pub(crate) json: bool,
    /// The reload.
    #[cfg(feature = "control")]
    pub(crate) request: ReloadRequest,
    /// True if nothing shall change.
    #[cfg(feature = "control")]
    pub(crate) dry_run: bool,
    /// Instead of the reload, a deployment of builds that the host has.
    #[cfg(feature = "control")]
    pub(crate) deploy: Option<DeployRequest>,
    /// True if only the answer is waited for, and nothing is said of the steps.
    #[cfg(feature = "control")]
    pub(crate) without_steps: bool,
    /// True if the result is not printed.
    #[cfg(feature = "control")]
    pub(crate) is_silent: bool,
    /// True if nobody waits until the rollback window has closed.
    #[cfg(feature = "control")]
    pub(crate) no_wait: bool,
}

/// Makes all running hosts reload that load their plugins from `directory`, and prints their reports. A host with a control
/// endpoint is asked through it, and any other by its signal.
///
/// # Errors
/// No host is running, or one of them refused, or has not answered in time. The others have reloaded nevertheless.
pub(crate) fn reload_all(session: &Session, directory: &Path, asked: &Asked) -> Result<u8, Error> {
    let hosts = hosts::of(directory);
    if hosts.is_empty() {
        return Err(hosts::none_of(directory.to_owned()));
    }
    hosts::warn_of_unseen(session);
    let mut worst = Ended::Well;
    for host in &hosts {
        match asked.reload(session, host) {
            Ok(ended) => worst = worst.max(ended),
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            // The other hosts are reloaded nevertheless.
            Err(error) if hosts.len() > 1 => {
                session.ui.error(&error);
                worst = worst.max(Ended::Refused(error.topic()));
            }
            Err(error) => return Err(error),
        }
    }
    worst.into_code()
}

impl Asked {
    /// Makes a host reload, and prints its report.
    pub(crate) fn reload(&self, session: &Session, host: &RunningHost) -> Result<Ended, Error> {
        let shown = format!("{} (pid {})", shown::path(&host.executable), host.pid);
        #[cfg(feature = "control")]
        if host.connect().is_ok() {
            let way = format_args!("{shown}, through its control endpoint");
            session.ui.info("Reloading", way);
            return self.reload_by(session, &Client::of_host(host));
        }
        self.check_signal(host)?;
        session
            .ui
            .info("Reloading", format_args!("{shown}, by its signal"));
        by_signal::reload(session, host, self)
    }

    /// Makes the host of a client reload, and prints its report.
    #[cfg(feature = "control")]
    pub(crate) fn reload_by(&self, session: &Session, client: &Client) -> Result<Ended, Error> {
        Ok(self.outcome_by(session, client)?.ended)
    }

    /// Makes the host of a client reload, and returns how that has ended.
    #[cfg(feature = "control")]
    pub(crate) fn outcome_by(&self, session: &Session, client: &Client) -> Result<Outcome, Error> {
        endpoint::reload(session, client, self)
    }

    /// Checks whether all hosts of a plugin directory can be asked for this. Nothing is built if they cannot.
    ///
    /// # Errors
    /// One of them can be asked by its signal only, which says no more than that it shall reload.
    pub(crate) fn check(&self, directory: &Path) -> Result<(), Error> {
        #[cfg(feature = "control")]
        for host in hosts::of(directory) {
            if host.connect().is_err() {
                self.check_signal(&host)?;
            }
        }
        let _ = directory;
        Ok(())
    }

    /// Checks whether a host can be asked for this by its signal.
    fn check_signal(&self, host: &RunningHost) -> Result<(), Error> {
        #[cfg(feature = "control")]
        if self.dry_run || self.request != ReloadRequest::default() {
            return Err(Error::NeedsEndpoint { pid: host.pid });
        }
        let _ = host;
        Ok(())
    }
}
