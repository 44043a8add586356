//! The events of a host.
use super::{HealthLevel, RecoveryStep, Report, Step};
use serde::{Deserialize, Serialize};

super::types! {
    /// An event of the pipeline.
    pub struct Event {
        /// The number of the event. The first one after the start of the host has number 1.
        pub id: u64,
        /// The time, in seconds since 1970.
        pub at: f64,
        /// The number of the attempt to make a generation. For an incident, it is that of the last one.
        pub attempt: u64,
        /// The cause of the attempt, or of the incident.
        pub cause: String,
        /// The event as one text.
        pub text: String,
        /// The kind of the event, with its details.
        pub kind: EventKind,
    }
}

/// The kind of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// A step has ended.
    Step(Step),
    /// The attempt has succeeded.
    Completed(Report),
    /// The attempt was refused, and the previous generation goes on.
    Refused {
        /// The error.
        error: String,
    },
    /// The reload whose rollback window is open was confirmed. The cause says who did.
    Confirmed,
    /// A plugin was taken out of service.
    OutOfService {
        /// The plugin.
        plugin: String,
        /// The reason that callers get.
        reason: String,
    },
    /// The host refuses all changes from now on.
    Frozen {
        /// The reason.
        reason: String,
    },
    /// The host accepts changes again.
    Unfrozen,
    /// A plugin was put back into service.
    InService {
        /// The plugin.
        plugin: String,
    },
    /// Somebody has noted something about a plugin, or has changed its patches.
    Noted {
        /// The plugin.
        plugin: String,
        /// The text.
        text: String,
    },
    /// The rollback window has closed.
    WindowClosed {
        /// How, as a text.
        outcome: String,
        /// How, in a word: `permanent`, `reverted`, `not_reverted`, `superseded`, or `interrupted` by the end of the host.
        #[serde(default)]
        result: String,
        /// True if the new generation is permanent.
        permanent: bool,
    },
    /// A plugin does not do its work, and nothing more can be done about it.
    Incident {
        /// The plugin.
        plugin: String,
        /// Its level.
        level: HealthLevel,
        /// The reason for the level.
        message: String,
        /// The steps that were taken to bring it back to work.
        steps: Vec<RecoveryStep>,
    },
    /// A kind that this version does not know. The event has its text all the same.
    Unknown,
}
