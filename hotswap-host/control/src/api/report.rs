//! The result of a reload.

super::types! {
    /// The result of a reload.
    pub struct Report {
        /// The number of the attempt, which its events have, too.
        pub attempt: Option<u64>,
        /// The report as one text: `world: reloaded; moon: unchanged`.
        pub text: String,
        /// The number of the live generation.
        pub generation: u64,
        /// The number of completed reloads that changed something.
        pub reloads: u64,
        /// True if a generation was made.
        pub changed: bool,
        /// True if the reload can still be reverted, because its rollback window is open.
        pub provisional: bool,
        /// All plugins.
        pub plugins: Vec<PluginReport>,
        /// The duration, in seconds.
        pub took: f64,
        /// The time for which calls could not begin while state was handed over, in seconds.
        pub gate: Option<f64>,
        /// The steps.
        pub steps: Vec<Step>,
    }

    /// The result for one plugin.
    pub struct PluginReport {
        /// The name.
        pub name: String,
        /// The live build, or the last one if the plugin was removed.
        pub build_id: Option<String>,
        /// The result: `loaded`, `reloaded`, `unchanged`, `followed world`, …
        pub outcome: String,
        /// The result for the plugin's state, if it has one.
        pub state: Option<String>,
        /// Further remarks.
        pub notes: Vec<String>,
    }

    /// A step of a reload that has ended.
    pub struct Step {
        /// The step: `validate`, `probe`, `stage`, …
        pub step: String,
        /// The duration, in seconds.
        pub took: f64,
        /// True if the step refused the reload.
        pub failed: bool,
    }
}
