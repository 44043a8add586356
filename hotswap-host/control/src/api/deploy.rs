//! Uploads and deployments.
use super::Deployment;
use serde_json::Value;
use std::collections::BTreeMap;

super::types! {
    /// A build that was uploaded.
    pub struct Upload {
        /// The plugin, as the build names itself.
        pub plugin: String,
        /// The build, by which a deployment names it.
        pub build: String,
    }

    /// A deployment of builds that were uploaded, or a dry run of one.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct DeployRequest {
        /// The builds, as their uploads have returned them.
        pub builds: Vec<String>,
        /// Options of the pipeline, by the names of `ReloadOptions`, in place of those of the host.
        pub options: BTreeMap<String, Value>,
        /// Allows a set of builds that was reverted before.
        pub force: bool,
        /// The reason, for the log and the history.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }
}
