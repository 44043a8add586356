//! What is counted when it happens: the reloads of a host.
use super::names;
use hotswap_host::{
    Cause, Outcome, PluginReport, ReloadEvent, ReloadEventKind, Report, Step, WindowOutcome,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The labels of a metric.
pub(super) type Labels = Vec<(&'static str, String)>;

/// The number of durations that are kept for the next time that the metrics are published. There are so many only if nobody
/// ever publishes them; the count and the mean go on.
const WAITING: usize = 4096;

/// What was counted.
#[derive(Default)]
pub(super) struct Counts {
    counters: BTreeMap<(&'static str, Labels), u64>,
    times: BTreeMap<&'static str, Times>,
    last_reload: Option<SystemTime>,
    /// The gauges with labels that were published before, and are set to zero when they are gone.
    pub(super) published: BTreeSet<(&'static str, Labels)>,
    described: bool,
}

/// The durations of one thing.
#[derive(Default)]
struct Times {
    count: u64,
    sum: Duration,
    last: Duration,
    /// Those that were not published yet.
    waiting: Vec<Duration>,
}

impl Times {
    fn add(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        self.last = took;
        if self.waiting.len() < WAITING {
            self.waiting.push(took);
        }
    }
}

impl Counts {
    /// Counts an event.
    pub(super) fn note(&mut self, event: &ReloadEvent<'_>) {
        match &event.kind {
            ReloadEventKind::Step(step) if step.step == Step::Stage && !step.failed => {
                self.time(names::LOAD_TIME, step.took);
            }
            // The patch of a function is no reload.
            ReloadEventKind::Completed(_) | ReloadEventKind::Refused(_)
                if matches!(event.cause, Cause::Patch { .. }) => {}
            ReloadEventKind::Completed(report) => self.completed(report),
            ReloadEventKind::Refused(error) => {
                self.count(names::RELOADS, vec![("result", "refused".into())]);
                let reason = vec![("reason", error.reason().into())];
                self.count(names::FAILURES, reason);
            }
            ReloadEventKind::WindowClosed(outcome) => {
                let outcome = match outcome {
                    WindowOutcome::Permanent => "permanent",
                    WindowOutcome::Reverted { .. } => "reverted",
                    WindowOutcome::NotReverted { .. } => "not_reverted",
                    WindowOutcome::Superseded => "superseded",
                    _ => "shut_down",
                };
                self.count(names::WINDOWS, vec![("outcome", outcome.into())]);
            }
            _ => {}
        }
    }

    fn completed(&mut self, report: &Report) {
        let result = if report.changed() {
            "changed"
        } else {
            "unchanged"
        };
        self.count(names::RELOADS, vec![("result", result.into())]);
        if report.changed() {
            self.last_reload = Some(SystemTime::now());
        }
        self.time(names::RELOAD_TIME, report.took);
        if let Some(gate) = report.gate {
            self.time(names::GATE_TIME, gate);
        }
        report.plugins.iter().for_each(|plugin| self.plugin(plugin));
    }

    fn plugin(&mut self, report: &PluginReport) {
        let plugin = ("plugin", report.name.to_string());
        let (metric, kind) = match report.outcome {
            Outcome::Loaded => (names::LOADS, None),
            Outcome::Removed => (names::UNLOADS, None),
            Outcome::Reloaded { .. } => (names::SWAPS, Some("reloaded")),
            Outcome::Followed { .. } => (names::SWAPS, Some("followed")),
            Outcome::Restarted => (names::SWAPS, Some("restarted")),
            Outcome::Reverted { .. } => (names::SWAPS, Some("reverted")),
            _ => return,
        };
        let kind = kind.map(|kind| ("kind", kind.to_owned()));
        self.count(metric, kind.into_iter().chain([plugin]).collect());
    }

    fn count(&mut self, metric: &'static str, labels: Labels) {
        *self.counters.entry((metric, labels)).or_default() += 1;
    }

    fn time(&mut self, metric: &'static str, took: Duration) {
        self.times.entry(metric).or_default().add(took);
    }

    /// Publishes what was counted.
    pub(super) fn publish(&mut self) {
        if !self.described {
            names::describe();
            self.described = true;
        }
        for ((metric, labels), count) in &self.counters {
            metrics::counter!(*metric, labels).absolute(*count);
        }
        for (metric, times) in &mut self.times {
            let histogram = metrics::histogram!(*metric);
            for took in times.waiting.drain(..) {
                histogram.record(took.as_secs_f64());
            }
            let of = match *metric {
                names::LOAD_TIME => "load",
                names::GATE_TIME => "gate",
                _ => "reload",
            };
            metrics::gauge!(names::LAST_TIME, "of" => of).set(times.last.as_secs_f64());
            let mean = times.sum.as_secs_f64() / times.count.max(1) as f64;
            metrics::gauge!(names::MEAN_TIME, "of" => of).set(mean);
        }
        if let Some(at) = self.last_reload {
            let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
            metrics::gauge!(names::LAST_RELOAD).set(since.as_secs_f64());
        }
    }
}
