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

    /// A signed manifest of a set of builds.
    #[serde(deny_unknown_fields)]
    pub struct SignedManifest {
        /// The name of the file, for errors. It has no directory.
        pub name: String,
        /// The text of the manifest.
        pub text: String,
        /// The text of its signature.
        pub signature: String,
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
        /// The signed manifest of all plugins that are live afterwards, for a host that requires one.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub manifest: Option<SignedManifest>,
        /// The reason, for the log and the history.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log and the history.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }
}

impl SignedManifest {
    /// Makes one from its texts.
    pub fn new(
        name: impl Into<String>,
        text: impl Into<String>,
        signature: impl Into<String>,
    ) -> Self {
        SignedManifest {
            name: name.into(),
            text: text.into(),
            signature: signature.into(),
        }
    }
}
