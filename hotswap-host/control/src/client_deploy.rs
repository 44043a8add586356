//! Sends builds to a host, and deploys them.
use crate::api::{DeployRequest, Report, Upload, Verdict};
use crate::client::{Client, ClientError, encoded};

impl Client {
    /// Sends the bytes of an artifact to the host, with the text of its signature if there is one. `name` is the name of the
    /// file, for errors.
    ///
    /// # Errors
    /// The endpoint cannot be reached, the bytes are no plugin for the host, or the host has no store.
    pub fn upload(
        &self,
        name: &str,
        bytes: &[u8],
        signature: Option<&str>,
    ) -> Result<Upload, ClientError> {
        let signature = signature.map(|text| format!("&signature={}", encoded(text)));
        let query = format!("name={}{}", encoded(name), signature.unwrap_or_default());
        self.post_bytes(&format!("/v1/uploads?{query}"), bytes)
    }

    /// Deploys builds that were uploaded, and returns when the reload has ended.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the host refused.
    pub fn deploy(&self, request: &DeployRequest) -> Result<Report, ClientError> {
        self.post("/v1/deploy", request)
    }

    /// Returns what a deployment would do, and changes nothing.
    ///
    /// # Errors
    /// The endpoint cannot be reached, or the deployment would be refused before anything is loaded.
    pub fn check_deploy(&self, request: &DeployRequest) -> Result<Verdict, ClientError> {
        self.post("/v1/deploy/check", request)
    }
}
