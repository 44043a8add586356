//! A live plugin.

super::types! {
    /// A live plugin.
    pub struct Plugin {
        /// The name.
        pub name: String,
        /// The version of its crate.
        pub version: String,
        /// The artifact from which it was loaded. The file may have changed since.
        pub file: String,
        /// The hash of the artifact's bytes.
        pub build_id: String,
        /// The commit of its sources, if the build has noted it.
        pub commit: Option<String>,
        /// True if those sources had changes that were not committed.
        pub dirty: bool,
        /// The time at which this instance was loaded, in seconds since 1970.
        pub loaded_at: f64,
        /// The plugins that it imports.
        pub dependencies: Vec<String>,
        /// The plugins that import it.
        pub users: Vec<String>,
        /// True if the build was deployed, and does not come from the plugin directory.
        #[serde(default)]
        pub deployed: bool,
        /// Set if it is out of service.
        pub out_of_service: Option<OutOfService>,
        /// The running calls, by build.
        pub in_flight: Vec<InFlight>,
    }

    /// Why a plugin is out of service.
    pub struct OutOfService {
        /// The reason that callers get.
        pub reason: String,
        /// Since when, in seconds since 1970.
        pub since: f64,
    }

    /// The running calls of one build.
    pub struct InFlight {
        /// The build.
        pub build_id: String,
        /// True if it is the live build.
        pub live: bool,
        /// The number of calls.
        pub calls: usize,
    }

    /// The calls, pins, and plugins that use a plugin at this moment.
    pub struct Holders {
        /// The plugin.
        pub plugin: String,
        /// Calls, pins, and other plugins, as texts.
        pub held_by: Vec<String>,
    }
}
