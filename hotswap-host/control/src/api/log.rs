//! The log of a host.
use super::Deployment;

super::types! {
    /// The settings of a host's log.
    pub struct LogSettings {
        /// The settings, for people.
        pub text: String,
        /// The level, or directives such as `info,greeter=debug`.
        pub filter: String,
        /// The form of the records on stderr: `auto`, `color`, `plain`, or `off`.
        pub console: String,
        /// The file, if there is one.
        pub file: Option<String>,
        /// When another file begins: `never`, `minutely`, `hourly`, `daily`, or `weekly`.
        pub rotation: Option<String>,
        /// The number of older files that stay.
        pub keep: Option<usize>,
    }

    /// A change of the log. Each setting that is not named stays as it is.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct LogRequest {
        /// The level, or directives such as `info,greeter=debug`.
        pub filter: Option<String>,
        /// The form of the records on stderr: `auto`, `color`, `plain`, or `off`.
        pub console: Option<String>,
        /// The file, on the machine of the host. With an empty text, no file is written.
        pub file: Option<String>,
        /// When another file begins: `never`, `minutely`, `hourly`, `daily`, or `weekly`.
        pub rotation: Option<String>,
        /// The number of older files that stay, at least one.
        pub keep: Option<usize>,
        /// The reason, for the log.
        pub reason: Option<String>,
        /// The deployment that the request is part of, for the log.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deployment: Option<Deployment>,
    }
}
