//! The bodies of requests.
use super::Deployment;
use serde_json::Value;
use std::collections::BTreeMap;

super::types! {
    /// A reload, or a dry run of one.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct ReloadRequest {
        /// Only these plugins, and those that import them. Without it, all plugins are looked at.
        pub plugins: Option<Vec<String>>,
        /// Options of the pipeline, by the names of `ReloadOptions`, in place of those of the host:
        /// `{"probe": true, "drain_limit": 2.5}`.
        pub options: BTreeMap<String, Value>,
        /// Files of plugins outside the plugin directory, on the machine of the host.
        pub files: Vec<String>,
        /// Allows a set of builds that was reverted before.
        pub force: bool,
        /// The reason, for the log and the history.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }

    /// A request that may have a reason.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct ReasonRequest {
        /// The reason, for the log and the history, and for callers of a plugin that is out of service.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }

    /// A way back to builds of an earlier time.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct RollbackRequest {
        /// The number of permanent sets to go back. An open rollback window counts as the first one, and without a history
        /// it is the only one.
        pub steps: Option<usize>,
        /// Instead, only this plugin goes back.
        pub plugin: Option<String>,
        /// The build of that plugin, by the first digits of its id. By default, it is the last other one that was permanent.
        pub build: Option<String>,
        /// The reason, for the log and the history.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }

    /// Takes a plugin out of service, and waits until its running calls have ended.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct DrainRequest {
        /// The reason, for callers.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
        /// How long the running calls are waited for. By default, it is five seconds.
        pub limit: Option<f64>,
    }
}
