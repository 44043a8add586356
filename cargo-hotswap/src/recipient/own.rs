//! A host that the command has started, or is about to start.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hotswap_host::runtime::RunningHost;

use crate::delivery::{Delivered, PATIENCE};
use crate::session::Session;
use crate::{Error, hosts};

/// The process of a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HostProcess {
    /// Its process id.
    pub(crate) pid: u32,
    /// The time of its start.
    pub(crate) since: Instant,
}

/// A host that the command starts.
#[derive(Debug)]
pub(crate) struct OwnHost {
    /// Its process, while it runs.
    pub(crate) process: Option<HostProcess>,
    /// Its plugin directory, once it was built.
    pub(crate) built_for: Option<PathBuf>,
    /// The time from its start until it can be asked to reload.
    start_limit: Duration,
}

impl OwnHost {
    /// Returns a host that is not built yet.
    pub(crate) fn new(start_limit: Duration) -> Self {
        Self {
            process: None,
            built_for: None,
            start_limit,
        }
    }

    /// Returns true if it runs, and was built by this command.
    pub(crate) fn can_reload(&self) -> bool {
        self.built_for.is_some() && self.process.is_some()
    }

    /// Makes the host load what is in its plugin directory.
    pub(super) fn reload(&self, session: &Session) -> Result<Delivered, Error> {
        let host = self.await_host(session)?;
        hosts::reload(session, &host, PATIENCE).map(Delivered::from)
    }

    /// Returns the running host, once it listens.
    fn await_host(&self, session: &Session) -> Result<RunningHost, Error> {
        let directory = self.built_for.clone().unwrap_or_default();
        let own = self.process.map(|host| host.pid);
        let starting = self.process.map(|host| host.since + self.start_limit);
        loop {
            session.interrupt.check()?;
            let mut found = hosts::of(&directory);
            // A host that a script started has another id.
            let own = found.iter().position(|host| Some(host.pid) == own);
            let host = (!found.is_empty()).then(|| found.swap_remove(own.unwrap_or(0)));
            let is_late = starting.is_none_or(|until| Instant::now() >= until);
            match host {
                Some(host) if host.reload_signal.is_some() => return Ok(host),
                // When it is asked to reload, it says why it cannot.
                Some(host) if is_late => return Ok(host),
                None if is_late => return Err(hosts::none_of(directory)),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}
