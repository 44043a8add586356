//! What is read when it is published: the calls, and the state of the host.
use super::counts::{Counts, Labels};
use super::names;
#[cfg(feature = "health")]
use crate::health::{HealthLevel, HealthReport};
use hotswap_host::artifact::BuildId;
use hotswap_host::{
    CallCounts, Holder, InFlight, Listing, MemoryInUse, PluginName, Retirement, Swapper,
};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The state of a host.
pub(super) struct State {
    listing: Listing,
    calls: Vec<CallCounts>,
    memory: Vec<MemoryInUse>,
    in_flight: Vec<(PluginName, InFlight)>,
    retirements: Vec<Retirement>,
}

impl State {
    pub(super) fn of(swapper: &Swapper) -> Self {
        let listing = swapper.listing();
        let calls = swapper.call_counts();
        let known = calls.iter().filter_map(|calls| calls.plugin.clone());
        let in_flight = known.flat_map(|plugin| {
            let builds = swapper.in_flight(plugin.as_str()).into_iter();
            builds.map(move |build| (plugin.clone(), build))
        });
        State {
            in_flight: in_flight.collect(),
            memory: swapper.memory_in_use(),
            retirements: swapper.retirements(),
            listing,
            calls,
        }
    }
}

/// The gauges with labels that are published now.
#[derive(Default)]
struct Gauges(BTreeMap<(&'static str, Labels), f64>);

impl Gauges {
    fn set(&mut self, metric: &'static str, labels: Labels, value: f64) {
        self.0.insert((metric, labels), value);
    }

    fn add(&mut self, metric: &'static str, labels: Labels) {
        *self.0.entry((metric, labels)).or_default() += 1.0;
    }
}

fn labels(plugin: &PluginName, build: BuildId) -> Labels {
    vec![("plugin", plugin.to_string()), ("build", build.short())]
}

impl Counts {
    /// Publishes the calls and the state of the host, if there is one.
    pub(super) fn publish_state(&mut self, state: Option<&State>) {
        let mut gauges = Gauges::default();
        if let Some(state) = state {
            for calls in &state.calls {
                publish_calls(calls);
            }
            metrics::gauge!(names::GENERATION).set(state.listing.generation as f64);
            metrics::gauge!(names::PLUGINS).set(state.listing.plugins.len() as f64);
            state.gauges(&mut gauges);
        }
        let is_health = |metric: &str| metric == names::HEALTH;
        self.publish_gauges(gauges, |metric| !is_health(metric));
    }

    #[cfg(feature = "health")]
    pub(super) fn publish_health(&mut self, report: &HealthReport) {
        let mut gauges = Gauges::default();
        let value = |level: HealthLevel| f64::from(level as u8);
        for plugin in &report.plugins {
            let labels = vec![("plugin", plugin.plugin.to_string())];
            gauges.set(names::HEALTH, labels, value(plugin.level));
        }
        gauges.set(names::HEALTH, Labels::new(), value(report.level));
        self.publish_gauges(gauges, |metric| metric == names::HEALTH);
    }

    /// Publishes gauges, and sets those to zero that were published before and are gone. An exporter would show their last
    /// value for ever.
    fn publish_gauges(&mut self, gauges: Gauges, among: impl Fn(&str) -> bool) {
        let gone = |key: &&(&'static str, Labels)| among(key.0) && !gauges.0.contains_key(*key);
        for (metric, labels) in self.published.iter().filter(gone) {
            metrics::gauge!(*metric, labels).set(0.0);
        }
        for ((metric, labels), value) in gauges.0 {
            metrics::gauge!(metric, &labels).set(value);
            self.published.insert((metric, labels));
        }
    }
}

fn publish_calls(calls: &CallCounts) {
    // Plugins may have any name but this.
    let plugin = match &calls.plugin {
        Some(plugin) => plugin.to_string(),
        None => "(live functions)".into(),
    };
    let labels = vec![("plugin", plugin)];
    metrics::counter!(names::CALLS, &labels).absolute(calls.calls);
    if calls.plugin.is_some() {
        metrics::counter!(names::ERRORS, &labels).absolute(calls.errors);
        metrics::counter!(names::PANICS, &labels).absolute(calls.panics);
    }
}

impl State {
    fn gauges(&self, gauges: &mut Gauges) {
        for plugin in &self.listing.plugins {
            let of = labels(&plugin.name, plugin.build_id);
            let since = SystemTime::now().duration_since(plugin.loaded_at);
            let uptime = since.unwrap_or_default().as_secs_f64();
            gauges.set(names::PLUGIN_UPTIME, of, uptime);
            let out = f64::from(u8::from(plugin.out_of_service.is_some()));
            let of = vec![("plugin", plugin.name.to_string())];
            gauges.set(names::OUT, of, out);
        }
        for (plugin, build) in &self.in_flight {
            let of = labels(plugin, build.build_id);
            gauges.set(names::IN_FLIGHT, of, build.calls as f64);
        }
        for memory in &self.memory {
            if let Some(bytes) = memory.bytes {
                let of = labels(&memory.plugin, memory.build_id);
                gauges.set(names::MEMORY, of, bytes as f64);
            }
        }
        for retirement in &self.retirements {
            use hotswap_host::RetirementState::{Freed, Gone};
            if matches!(retirement.state, Gone | Freed) {
                continue;
            }
            let mut of = labels(&retirement.plugin.as_str().into(), retirement.build_id);
            of.push(("why", why(retirement).into()));
            gauges.add(names::MAPPED, of);
        }
    }
}

/// A word for the reason why a replaced build is still mapped. The words of the holders themselves are for people, and there
/// may be any number of them.
fn why(retirement: &Retirement) -> &'static str {
    match retirement.held_by.first() {
        None => "leaving",
        Some(Holder::Call { .. } | Holder::AsyncCalls { .. }) => "calls",
        Some(Holder::Pin { .. } | Holder::Holds { .. }) => "pins",
        Some(Holder::User { .. }) => "importers",
        Some(Holder::Objects { .. } | Holder::Futures { .. }) => "objects",
        Some(Holder::Hook { .. } | Holder::Drop) => "hooks",
        Some(Holder::Tasks { .. } | Holder::Threads { .. }) => "threads",
        Some(Holder::Destructors { .. }) => "destructors",
        Some(Holder::SignalHandler { .. }) => "signal_handlers",
        Some(_) => "other",
    }
}
