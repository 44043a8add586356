//! The bodies of requests and answers in version 1 of the API.
//!
//! Times are seconds since 1970, and durations are seconds. Readers skip fields that they do not know, so that later versions
//! can add some.
mod attempt;
mod audit;
mod calls;
mod deploy;
mod deployment;
mod event;
mod health;
mod log;
#[cfg(feature = "server")]
pub(crate) mod of_host;
mod patch;
mod plugin;
mod report;
mod request;
mod role;
mod status;
mod trace;
mod verdict;

pub use attempt::Attempt;
pub use audit::{AuditBreak, AuditCheck, AuditRecord};
pub use calls::{Calls, Latency, PluginCalls};
pub use deploy::{DeployRequest, SignedManifest, Upload};
pub use deployment::{Deployment, InvalidDeployment};
pub use event::{Event, EventKind};
pub use health::{CheckHealth, Health, HealthLevel, PluginHealth, RecoveryStep};
pub use log::{LogRequest, LogSettings};
pub use patch::{Patch, PatchSource, Patches, PatchesRequest};
pub use plugin::{Holders, InFlight, OutOfService, Plugin};
pub use report::{PluginReport, Report, Step};
pub use request::{DrainRequest, ReasonRequest, ReloadRequest, RollbackRequest};
pub use role::Role;
pub use status::{Frozen, Host, LastAttempt, Retirement, Status, Window};
pub use trace::{TraceBegun, TraceRequest, TracedCall};
pub use verdict::{Change, PluginVerdict, Verdict};

use serde::{Deserialize, Serialize};

/// The version of the API, which is the first part of each path.
pub const VERSION: u32 = 1;

/// Defines the types of the API, which all derive the same traits.
macro_rules! types {
    ($($(#[$attribute:meta])* pub struct $Name:ident { $($fields:tt)* })*) => {
        $(
            #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
            #[cfg_attr(feature = "server", derive(::utoipa::ToSchema))]
            $(#[$attribute])*
            #[non_exhaustive]
            pub struct $Name { $($fields)* }
        )*
    };
}
pub(crate) use types;

/// An error of a request. Nothing has changed, unless the message says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[error("{message}")]
#[non_exhaustive]
pub struct Failure {
    /// The kind of the error.
    pub kind: FailureKind,
    /// The message, for people. It may have several lines.
    pub message: String,
    /// A word for the reason for which the host has refused a change, such as `drain` or `held`, if there is one:
    /// `ReloadError::reason` has all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The request itself is wrong: an option, a value, or JSON that cannot be read.
    Request,
    /// There is nothing of this name: a plugin, a path.
    NotFound,
    /// The host refused, and goes on as it is.
    Refused,
    /// The caller may not do this.
    Forbidden,
    /// The caller is not known: it has no token or certificate, or one that does not count.
    Unauthorized,
    /// The endpoint has failed.
    Internal,
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Failure {
    /// Returns the error with this message.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            message: message.into(),
            reason: None,
        }
    }

    /// Adds the word for the reason.
    #[cfg(feature = "server")]
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
