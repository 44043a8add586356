//! Which host is meant, and how it is found, also again after it has ended.

use std::path::{Path, PathBuf};

use hotswap_control::Client;
use hotswap_control::api::Status;
use hotswap_host::PluginName;
use hotswap_host::runtime::{self, RunningHost};

use super::found::Found;
use crate::chosen::{client_at, is_address, running, shown_host, shown_process};
use crate::cli::HostArgs;
use crate::project::Project;
use crate::session::Session;
use crate::workspace::Workspace;
use crate::{Error, hosts, install};

/// The host that is meant.
pub(super) struct Wanted {
    place: Place,
    plugins: Plugins,
}

/// The way to find it.
enum Place {
    /// It loads its plugins from the directory of the build.
    Directory,
    /// It is the process with this id, or runs this program.
    Named(String),
    /// It answers at this socket.
    Socket(Client),
    /// It answers at this address.
    Address { client: Client, url: String },
}

/// The plugins that are built for it.
struct Plugins {
    /// The directory into which they are built.
    directory: PathBuf,
    /// The root of their workspace.
    root: PathBuf,
    /// The package of their host.
    package: String,
    names: Vec<PluginName>,
}

impl Wanted {
    /// Returns the host that the command line means, for the plugins of `project`.
    pub(super) fn new(
        session: &Session,
        args: &HostArgs,
        project: &Project<'_>,
    ) -> Result<Self, Error> {
        let place = match (client_at(session, args)?, &args.host) {
            (Some(client), Some(named)) if is_address(named) => Place::Address {
                client,
                url: named.clone(),
            },
            (Some(client), _) => Place::Socket(client),
            (None, Some(named)) => Place::Named(named.clone()),
            (None, None) => Place::Directory,
        };
        let (host, group) = project.host()?;
        let workspace: &Workspace = &project.workspace;
        let mut names = vec![];
        for package in &group.plugins {
            let own = workspace.own_name(package)?;
            names.push(own.as_deref().unwrap_or(&package.name).into());
        }
        let plugins = Plugins {
            directory: project.plugin_dir()?,
            root: workspace.root.clone(),
            package: host.name.to_string(),
            names,
        };
        Ok(Self { place, plugins })
    }

    /// Returns the directory into which the plugins are built.
    pub(super) fn directory(&self) -> &Path {
        &self.plugins.directory
    }

    /// Finds the host.
    ///
    /// # Errors
    /// No such host runs, several do, or it belongs to other plugins.
    pub(super) fn find(&self) -> Result<Found, Error> {
        match &self.place {
            Place::Directory => {
                let mut found = hosts::of(&self.plugins.directory);
                match (found.pop(), found.is_empty()) {
                    (Some(host), true) => Ok(Found::loading(host)),
                    (None, _) => Err(hosts::none_of(self.plugins.directory.clone())),
                    (Some(last), false) => {
                        found.push(last);
                        Err(Error::SeveralControls {
                            hosts: found.iter().map(shown_host).collect(),
                        })
                    }
                }
            }
            Place::Named(named) => self.on_this_machine(running(Some(named))?),
            Place::Socket(client) => {
                let status = client.status()?;
                // The socket may lead to another machine.
                let mut here = runtime::hosts().into_iter();
                match here.find(|host| is_of(host, &status)) {
                    Some(host) => self.on_this_machine(host),
                    None => {
                        let executable = Path::new(&status.host.executable);
                        let name = shown_process(executable, status.host.pid);
                        self.check_plugins(&name, &status)?;
                        Ok(Found::deployed_to(client.clone(), name))
                    }
                }
            }
            Place::Address { client, url } => {
                self.check_plugins(url, &client.status()?)?;
                Ok(Found::deployed_to(client.clone(), url.clone()))
            }
        }
    }

    /// Finds the host that has taken the place of another one, which has ended.
    ///
    /// # Errors
    /// There is none, or it cannot be asked yet.
    pub(super) fn find_after(&self, ended: &Found) -> Result<Found, Error> {
        let found = self.find().or_else(|error| {
            // It has another process id, and so another socket.
            let Some(ended) = ended.host() else {
                return Err(error);
            };
            let is_alike = |host: &RunningHost| {
                host.plugin_dir == ended.plugin_dir && host.executable == ended.executable
            };
            let mut alike = runtime::hosts().into_iter().filter(is_alike);
            match (alike.next(), alike.next()) {
                (Some(host), None) => self.on_this_machine(host),
                _ => Err(error),
            }
        })?;
        // A host that ends closes its endpoint first, and one that starts does not listen yet.
        let is_ready = match (ended.client(), found.host()) {
            (Some(_), _) => found.client().is_some(),
            (None, Some(host)) => host.reload_signal.is_some() || found.client().is_some(),
            (None, None) => true,
        };
        match is_ready {
            true => Ok(found),
            false => Err(hosts::none_of(self.plugins.directory.clone())),
        }
    }

    /// Returns a host that runs on this machine.
    fn on_this_machine(&self, host: RunningHost) -> Result<Found, Error> {
        if host.serves(&self.plugins.directory).unwrap_or(false) {
            return Ok(Found::loading(host));
        }
        let name = shown_host(&host);
        let owner = install::owner(&host.plugin_dir).filter(|root| *root != self.plugins.root);
        if let Some(workspace) = owner {
            return Err(Error::OfAnotherWorkspace {
                host: name,
                workspace,
                here: self.plugins.root.clone(),
            });
        }
        if host.connect().is_err() {
            return Err(Error::NoControl {
                named: Some(name),
                running: vec![],
            });
        }
        let client = Client::of_host(&host);
        self.check_plugins(&name, &client.status()?)?;
        Ok(Found::deployed_to(client, name).on_this_machine(host))
    }

    /// Refuses a host that has other plugins, and none of those that are built.
    fn check_plugins(&self, name: &str, status: &Status) -> Result<(), Error> {
        let Plugins { package, names, .. } = &self.plugins;
        let is_ours = |name: &str| names.contains(&PluginName::from(name));
        let running = || status.plugins.iter().map(|plugin| &*plugin.name);
        if status.plugins.is_empty() || running().any(is_ours) {
            return Ok(());
        }
        Err(Error::OfAnotherHost {
            host: name.to_owned(),
            package: package.clone(),
            plugins: running().map(str::to_owned).collect(),
        })
    }
}

/// Returns true if this is the host that has answered so.
fn is_of(host: &RunningHost, status: &Status) -> bool {
    let Status { host: told, .. } = status;
    host.pid == told.pid
        && host.plugin_dir.to_string_lossy() == told.plugin_dir
        && host.executable.to_string_lossy() == told.executable
}
