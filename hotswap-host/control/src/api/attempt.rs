//! An attempt in the history of a host.
use super::Step;
use std::collections::BTreeMap;

super::types! {
    /// An attempt to make a generation, or another change of the host, as the history remembers it.
    pub struct Attempt {
        /// The number of the entry, which grows by the time.
        pub id: i64,
        /// The time at which the attempt began, in seconds since 1970.
        pub began: f64,
        /// The cause.
        pub cause: String,
        /// The id of the deployment that the attempt is part of, if the request has named one.
        #[serde(default)]
        pub deployment: Option<String>,
        /// The process of the host.
        pub pid: u32,
        /// The user of the host.
        pub user: String,
        /// The builds that were live before, by plugin.
        pub from: BTreeMap<String, String>,
        /// The builds of the new generation, by plugin.
        pub to: BTreeMap<String, String>,
        /// The steps.
        pub steps: Vec<Step>,
        /// The duration, in seconds.
        pub took: f64,
        /// The result: `permanent`, `unchanged`, `refused`, `reverted`, `died`, …, or `confirmed`, `out_of_service`,
        /// `in_service`, `set_back`, and `allowed` if this is no attempt.
        pub result: String,
        /// The error, the report, or the reason of a revert.
        pub detail: String,
        /// All of it as one line.
        pub text: String,
    }
}
