//! The state of a host.
use super::{Plugin, Step};

super::types! {
    /// The state of a host.
    pub struct Status {
        /// The version of the API.
        pub api: u32,
        /// The host.
        pub host: Host,
        /// The number of the live generation.
        pub generation: u64,
        /// The number of completed reloads that changed something.
        pub reloads: u64,
        /// The plugins, each after those that it imports.
        pub plugins: Vec<Plugin>,
        /// Set while the host refuses all changes.
        pub frozen: Option<Frozen>,
        /// The rollback window of the last reload, while it is open.
        pub window: Option<Window>,
        /// The replaced builds that are on their way out of memory, or stay there.
        pub retirements: Vec<Retirement>,
        /// The last attempt to make a generation.
        pub last_attempt: Option<LastAttempt>,
        /// The number of the last event.
        pub last_event: u64,
    }

    /// Why a host refuses all changes.
    pub struct Frozen {
        /// The reason, with who asked for it.
        pub reason: String,
        /// Since when, in seconds since 1970.
        pub since: f64,
    }

    /// The process of a host.
    pub struct Host {
        /// The process id.
        pub pid: u32,
        /// The path of the program.
        pub executable: String,
        /// The directory from which it loads plugins.
        pub plugin_dir: String,
        /// The time since the endpoint was started, in seconds.
        pub uptime: f64,
    }

    /// An open rollback window.
    pub struct Window {
        /// The time until it closes by itself, in seconds.
        pub left: f64,
        /// The plugins whose earlier builds are kept for a rollback.
        pub kept: Vec<String>,
    }

    /// A replaced build.
    pub struct Retirement {
        /// The plugin.
        pub plugin: String,
        /// The build.
        pub build_id: String,
        /// How far it is: `in_use`, `freeing`, `gone`, `kept`, or `freed`.
        pub state: String,
        /// The calls, pins, and objects that keep the build in memory.
        pub held_by: Vec<String>,
    }

    /// The last attempt to make a generation.
    pub struct LastAttempt {
        /// Its number.
        pub attempt: u64,
        /// The cause.
        pub cause: String,
        /// The report or the error, as one text.
        pub text: String,
        /// True if it has succeeded.
        pub ok: bool,
        /// The steps.
        pub steps: Vec<Step>,
    }
}
