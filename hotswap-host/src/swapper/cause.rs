//! [`Cause`], the cause of a reload.
use super::requester::Requester;
use crate::base::name::PluginName;
use serde::Serialize;
use std::fmt;

/// The cause of an attempt to make a generation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The host is opened, and this is its first generation.
    Open,
    /// The host's own code called [`Swapper::reload`](crate::Swapper::reload), `load`, or `unload`, or ran a
    /// [`Reload`](crate::Reload) that it had described.
    #[default]
    Code,
    /// `cargo hotswap reload`, or any other process, sent a signal that the host [listens
    /// for](crate::signal::reload_on).
    Signal {
        /// The number of the signal.
        signal: i32,
        /// The process that has sent it, as far as the system tells.
        sender: Option<SignalSender>,
    },
    /// The rollback window of a reload has ended badly, or [`Swapper::rollback`](crate::Swapper::rollback) was called.
    Revert {
        /// The reason.
        reason: String,
        /// The id of the deployment for which somebody asked to revert, if the request has one.
        deployment: Option<String>,
    },
    /// Somebody asked the host for it, for example through its control socket:
    /// [`Reload::requested_by`](crate::Reload::requested_by).
    Request(Requester),
    /// Something is done about a plugin that does not do its work: it is [restarted](crate::Swapper::restart), or another
    /// build takes its place.
    Recovery {
        /// The plugin.
        plugin: PluginName,
        /// The reason.
        reason: String,
    },
    /// The patches of a plugin were changed, in such a way that the next start of the host applies them:
    /// [`Patch::persistent`](crate::Patch::persistent).
    Patch {
        /// The plugin.
        plugin: PluginName,
        /// The change.
        change: String,
    },
    /// A plugin called `Context::request_reload`, or `Context::request_patch`.
    Plugin {
        /// The first plugin that asked.
        plugin: PluginName,
    },
}

/// The process that has sent a signal.
///
/// It is known of signals that were sent by `kill`, `cargo hotswap reload`, or systemd. With a signal that carries a value
/// (`sigqueue`), a process could name any other, so its sender counts as unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SignalSender {
    /// The process id, as the host's process sees it. It is 0 if the sender is outside of the host's container.
    pub pid: u32,
    /// The user.
    pub uid: u32,
}

#[cfg(unix)]
impl SignalSender {
    pub(crate) fn new((pid, uid): (u32, u32)) -> Self {
        SignalSender { pid, uid }
    }
}

/// For example, `process 7 of user 0`.
impl fmt::Display for SignalSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of user {}", self.pid, self.uid)
    }
}

impl Cause {
    /// Returns the id of the deployment that the attempt is part of, if a request has named one.
    pub fn deployment(&self) -> Option<&str> {
        match self {
            Cause::Request(by) => by.deployment.as_deref(),
            Cause::Revert { deployment, .. } => deployment.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Open => f.write_str("the start of the host"),
            Cause::Code => f.write_str("the host's own code"),
            Cause::Signal { signal, sender } => {
                write!(f, "signal {signal}")?;
                sender.map_or(Ok(()), |sender| write!(f, " of {sender}"))
            }
            Cause::Request(by) => write!(f, "a request by {by}"),
            Cause::Revert { reason, .. } => write!(f, "revert, because {reason}"),
            Cause::Recovery { plugin, reason } => {
                write!(f, "recovery of {plugin}, because {reason}")
            }
            Cause::Patch { plugin, change } => write!(f, "a patch of {plugin}: {change}"),
            Cause::Plugin { plugin } => write!(f, "the plugin {plugin}"),
        }
    }
}
