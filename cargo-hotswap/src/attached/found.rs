//! A running host, and how it gets builds.

use std::collections::BTreeSet;
use std::fmt;

use hotswap_control::api::{DeployRequest, FailureKind, ReloadRequest};
use hotswap_control::{Client, ClientError};
use hotswap_host::runtime::RunningHost;

use crate::asked::{Asked, Ended, Outcome};
use crate::chosen::shown_host;
use crate::cli::WhyArgs;
use crate::delivery::{Delivered, InstalledBuild, PATIENCE};
use crate::follow::interruptible;
use crate::session::Session;
use crate::to_deploy::{Build, upload};
use crate::{Error, hosts};

/// A running host.
#[derive(Clone)]
pub(super) struct Found {
    name: String,
    /// The process, if it runs on this machine.
    host: Option<RunningHost>,
    /// The way to ask it. Without an endpoint, it is asked by its signal.
    client: Option<Client>,
    /// True if it loads its plugins from the directory into which they are built.
    loads: bool,
}

impl Found {
    /// Returns a host that loads its plugins from the directory into which they are built.
    pub(super) fn loading(host: RunningHost) -> Self {
        let client = host.connect().is_ok().then(|| Client::of_host(&host));
        Self {
            name: shown_host(&host),
            host: Some(host),
            client,
            loads: true,
        }
    }

    /// Returns a host to which builds are deployed.
    pub(super) fn deployed_to(client: Client, name: String) -> Self {
        Self {
            name,
            host: None,
            client: Some(client),
            loads: false,
        }
    }

    /// Sets the process on this machine.
    pub(super) fn on_this_machine(mut self, host: RunningHost) -> Self {
        self.host = Some(host);
        self
    }

    /// Returns the host for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the process, if it runs on this machine.
    pub(super) fn host(&self) -> Option<&RunningHost> {
        self.host.as_ref()
    }

    /// Returns the way to ask its endpoint, if it has one.
    pub(super) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    /// Returns true if it loads its plugins from the directory into which they are built.
    pub(super) fn loads(&self) -> bool {
        self.loads
    }

    /// Checks whether the host can be told why it is asked.
    pub(super) fn check(&self, why: &WhyArgs) -> Result<(), Error> {
        let says = why.reason.is_some() || why.deployment.is_some();
        match (&self.client, &self.host) {
            (None, Some(host)) if says => Err(Error::NeedsEndpoint { pid: host.pid }),
            _ => Ok(()),
        }
    }

    /// Makes the host run these builds, which are all of its plugins that are built here.
    pub(super) fn deliver(
        &self,
        session: &Session,
        why: &WhyArgs,
        builds: &[&InstalledBuild],
    ) -> Result<Delivered, Error> {
        let running = self.running(session)?;
        let id = |build: &InstalledBuild| build.build_id.to_string();
        if self.loads {
            // A plugin that is not there any more counts, too.
            let built: BTreeSet<_> = builds.iter().map(|build| id(build)).collect();
            return match built == running {
                true => Ok(Delivered::Already),
                false => self.reload(session, why),
            };
        }
        let missing = builds.iter().filter(|build| !running.contains(&id(build)));
        let missing =
            missing.map(|build| Build::read(&build.file, build.package.clone(), id(build)));
        let missing = missing.collect::<Result<Vec<_>, _>>()?;
        match missing.is_empty() {
            true => Ok(Delivered::Already),
            false => self.deploy(session, why, &missing),
        }
    }

    /// Returns the ids of the builds that the host runs.
    fn running(&self, session: &Session) -> Result<BTreeSet<String>, Error> {
        let Some(client) = self.client.clone() else {
            let builds = self.host.iter().flat_map(hosts::running_builds);
            return Ok(builds.map(|(_, build)| build).collect());
        };
        let status = interruptible(session, move || client.status())??;
        let builds = status.plugins.into_iter().map(|plugin| plugin.build_id);
        Ok(builds.collect())
    }

    /// Makes the host load what is in its plugin directory.
    fn reload(&self, session: &Session, why: &WhyArgs) -> Result<Delivered, Error> {
        let Some(client) = &self.client else {
            let host = self.host.as_ref().expect("it is a process on this machine");
            return hosts::reload(session, host, PATIENCE).map(Delivered::from);
        };
        let mut request = ReloadRequest::default();
        request.reason.clone_from(&why.reason);
        request.deployment.clone_from(&why.deployment);
        let asked = Asked {
            request,
            ..plainly()
        };
        asked.outcome_by(session, client).map(Delivered::from)
    }

    /// Sends builds to the host, and makes them live there.
    fn deploy(
        &self,
        session: &Session,
        why: &WhyArgs,
        builds: &[Build],
    ) -> Result<Delivered, Error> {
        let client = self.client.as_ref().expect("it has an endpoint");
        let mut request = DeployRequest::default();
        for build in builds {
            match upload(session, client, build, &self.name) {
                Ok(sent) => request.builds.push(sent),
                Err(Error::Control(ClientError::Failure(failure)))
                    if failure.kind == FailureKind::Refused =>
                {
                    return Ok(Delivered::Refused {
                        text: failure.message,
                        may_pass: false,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        request.reason.clone_from(&why.reason);
        request.deployment.clone_from(&why.deployment);
        let asked = Asked {
            deploy: Some(request),
            ..plainly()
        };
        asked.outcome_by(session, client).map(Delivered::from)
    }
}

/// Returns a request of which nothing but the answer is shown, and not by itself.
fn plainly() -> Asked {
    Asked {
        patience: Some(PATIENCE),
        is_silent: true,
        no_wait: true,
        without_steps: true,
        ..Asked::default()
    }
}

impl From<Outcome> for Delivered {
    fn from(outcome: Outcome) -> Self {
        match outcome.ended {
            Ended::Well => Self::Live(outcome.text),
            Ended::Refused(_) | Ended::Breaking | Ended::NotPermanent => Self::Refused {
                text: outcome.text,
                may_pass: outcome.may_pass,
            },
        }
    }
}

/// The host for people, with the way on which it gets builds.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, .. } = self;
        match (self.loads, &self.client) {
            (false, _) => write!(f, "{name}, to which builds are deployed"),
            (true, Some(_)) => write!(f, "{name}, through its control endpoint"),
            (true, None) => write!(f, "{name}, by its signal"),
        }
    }
}
