//! The calls of plugins, in numbers.

super::types! {
    /// The calls of all plugins.
    pub struct Calls {
        /// The time of the host at which these numbers were read, in seconds since the endpoint was started. Rates are
        /// differences of two answers.
        pub at: f64,
        /// The live plugins, each after those that it imports.
        pub plugins: Vec<PluginCalls>,
    }

    /// The calls of a live plugin, over all of its builds.
    pub struct PluginCalls {
        /// The plugin.
        pub plugin: String,
        /// The calls that the host has begun while they were counted.
        pub calls: u64,
        /// Those that have returned an error.
        pub errors: u64,
        /// The panics in the plugin's code.
        pub panics: u64,
        /// The running calls.
        pub in_flight: usize,
        /// The memory that the plugin has in use, in bytes, if its allocator counts it.
        pub memory: Option<u64>,
        /// How long calls take, if some were timed. Of each thread, it is the first one and then one in 1,024, or one in
        /// 32,768 while it makes many. Async calls are not timed.
        pub latency: Option<Latency>,
    }

    /// How long calls take, to a fifth.
    pub struct Latency {
        /// The number of calls that were timed.
        pub timed: u64,
        /// The time that half of them have not exceeded, in seconds.
        pub median: f64,
        /// The time that 99 of 100 have not exceeded, in seconds.
        pub p99: f64,
    }
}
