//! The names of the metrics, in one place.

/// The description of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricDescription {
    /// The name.
    pub name: &'static str,
    /// Its kind: `counter`, `gauge`, or `histogram`.
    pub kind: &'static str,
    /// The names of its labels, separated by commas.
    pub labels: &'static str,
    /// The meaning.
    pub meaning: &'static str,
}

macro_rules! metrics {
    ($($kind:ident $NAME:ident = $name:literal, $unit:ident, $labels:literal, $meaning:literal;)+) => {
        $(pub(super) const $NAME: &str = $name;)+

        /// All metrics.
        pub(super) const ALL: &[MetricDescription] = &[$(MetricDescription {
            name: $name,
            kind: stringify!($kind),
            labels: $labels,
            meaning: $meaning,
        }),+];

        /// Describes all metrics to the exporter.
        pub(super) fn describe() {
            $(metrics!(@describe $kind $NAME, $unit, $meaning);)+
        }
    };
    (@describe counter $NAME:ident, $unit:ident, $meaning:literal) => {
        ::metrics::describe_counter!($NAME, ::metrics::Unit::$unit, $meaning)
    };
    (@describe gauge $NAME:ident, $unit:ident, $meaning:literal) => {
        ::metrics::describe_gauge!($NAME, ::metrics::Unit::$unit, $meaning)
    };
    (@describe histogram $NAME:ident, $unit:ident, $meaning:literal) => {
        ::metrics::describe_histogram!($NAME, ::metrics::Unit::$unit, $meaning)
    };
}

metrics! {
    counter RELOADS = "hotswap_reloads_total", Count, "result", "attempts to make a generation; `result` is `changed`, `unchanged`, or `refused`";
    counter FAILURES = "hotswap_reload_failures_total", Count, "reason", "attempts that were refused, by `ReloadError::reason`";
    counter LOADS = "hotswap_loads_total", Count, "plugin", "times that the plugin was not there before and became live";
    counter UNLOADS = "hotswap_unloads_total", Count, "plugin", "times that the plugin was taken out";
    counter SWAPS = "hotswap_swaps_total", Count, "plugin, kind", "instances that were replaced; `kind` is `reloaded`, `followed`, `restarted`, or `reverted`";
    counter WINDOWS = "hotswap_rollback_windows_total", Count, "outcome", "rollback windows that have closed; `outcome` is `permanent`, `reverted`, `not_reverted`, `superseded`, or `shut_down`";
    counter CALLS = "hotswap_calls_total", Count, "plugin", "calls that the host has begun; those of live functions have the plugin `(live functions)`";
    counter ERRORS = "hotswap_call_errors_total", Count, "plugin", "calls that have returned an error";
    counter PANICS = "hotswap_panics_total", Count, "plugin", "panics in the code of the plugin, whoever has called it";
    histogram RELOAD_TIME = "hotswap_reload_duration_seconds", Seconds, "", "the duration of reloads that were not refused";
    histogram LOAD_TIME = "hotswap_load_duration_seconds", Seconds, "", "the time in which the new instances of a reload were loaded, made, and initialised";
    histogram GATE_TIME = "hotswap_gate_duration_seconds", Seconds, "", "the time for which calls could not begin while state was handed over";
    gauge LAST_TIME = "hotswap_last_duration_seconds", Seconds, "of", "the last of these durations; `of` is `reload`, `load`, or `gate`";
    gauge MEAN_TIME = "hotswap_mean_duration_seconds", Seconds, "of", "the mean of these durations";
    gauge LAST_RELOAD = "hotswap_last_reload_timestamp_seconds", Seconds, "", "the time of the last reload that has changed something, since 1970";
    gauge UPTIME = "hotswap_uptime_seconds", Seconds, "", "the time since the metrics were made";
    gauge PLUGIN_UPTIME = "hotswap_plugin_uptime_seconds", Seconds, "plugin, build", "the time since the live instance was loaded";
    gauge GENERATION = "hotswap_generation", Count, "", "the number of the live generation";
    gauge PLUGINS = "hotswap_plugins", Count, "", "the number of live plugins";
    gauge IN_FLIGHT = "hotswap_calls_in_flight", Count, "plugin, build", "calls of the host that are running";
    gauge MEMORY = "hotswap_memory_bytes", Bytes, "plugin, build", "the memory that a live plugin has in use, if its allocator counts it";
    gauge MAPPED = "hotswap_replaced_builds", Count, "plugin, build, why", "replaced builds that are still mapped; `why` is `leaving`, `calls`, `pins`, `importers`, `objects`, `hooks`, `threads`, `destructors`, `signal_handlers`, or `other`";
    gauge OUT = "hotswap_out_of_service", Count, "plugin", "1 if the plugin is out of service";
    gauge HEALTH = "hotswap_health_level", Count, "plugin", "0 healthy, 1 degraded, 2 unhealthy, 3 critical; without a plugin, the worst of all";
}
