//! Traces of functions.

super::types! {
    /// A trace of a function.
    #[derive(Default)]
    #[serde(default, deny_unknown_fields)]
    pub struct TraceRequest {
        /// The function, or `*` for all functions of the plugin.
        pub function: String,
        /// True if the arguments and the results are told, too.
        pub values: bool,
        /// One call in so many is told. By default, each is.
        pub sample: Option<u64>,
        /// The time after which the trace ends, in seconds. By default, it ends when the client goes.
        pub seconds: Option<f64>,
    }

    /// The beginning of a trace.
    pub struct TraceBegun {
        /// The plugin.
        pub plugin: String,
        /// The functions that are traced.
        pub functions: Vec<String>,
        /// Those that cannot be traced, each with the reason.
        pub left_out: Vec<String>,
    }

    /// A call that was traced.
    pub struct TracedCall {
        /// The plugin.
        pub plugin: String,
        /// The function.
        pub function: String,
        /// The time at which the call has ended, in seconds since 1970.
        pub at: f64,
        /// The arguments as texts, unless they are left out.
        pub arguments: Option<Vec<String>>,
        /// The result as a text, unless it is left out, or the call has panicked. An error of the function is a result.
        pub result: Option<String>,
        /// The message of a panic.
        pub panicked: Option<String>,
        /// The duration, in seconds.
        pub took: f64,
        /// All of it as one line: `world.hum(3) = hum hum hum in 1.2µs`.
        pub text: String,
    }
}
