//! The thread that watches a new generation during its rollback window, and decides about it.
use super::{Meter, Rates, RollbackWindow, Shared};
use crate::base::fail_point;
use crate::base::time::after;
use crate::load::failures::Failures;
use crate::swapper::inner::Inner;
use crate::swapper::options::ReloadOptions;
use crate::telemetry::{contain, guarded};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is to be done about a generation.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Promote,
    Revert { reason: String },
}

fn total(failures: &[Arc<Failures>]) -> u64 {
    failures.iter().map(|failures| failures.count()).sum()
}

/// Leaves a window to the operator.
fn give_up(shared: &Shared, problem: &dyn fmt::Display) {
    shared.change(|state| state.unwatched = true);
    contain((), || {
        tracing::error!(
            target: "hotswap",
            "there is no thread that watches the new generation, so only `rollback` and `confirm` end its window: {problem}"
        );
    });
}

/// The watch of a new generation.
pub(in crate::swapper) struct Watch {
    shared: Arc<Shared>,
    failures: Vec<Arc<Failures>>,
    options: ReloadOptions,
    /// Measures the calls, if they are watched.
    meter: Option<Meter>,
    /// The rates of the previous generation, if they were measured.
    baseline: Option<Rates>,
    /// The number of failures before the switch.
    before: u64,
    /// The number of failures since then, when the thread last looked.
    seen: u64,
    /// The time since which nothing has failed.
    healthy_since: Instant,
}

impl Watch {
    /// Prepares to watch the code whose failures these are. The healthy time begins with [`start`](Self::start).
    pub(super) fn new(
        shared: Arc<Shared>,
        failures: Vec<Arc<Failures>>,
        options: ReloadOptions,
        meter: Option<Meter>,
        baseline: Option<Rates>,
    ) -> Self {
        Watch {
            meter,
            baseline,
            before: total(&failures),
            seen: 0,
            healthy_since: shared.opened,
            failures,
            options,
            shared,
        }
    }

    /// Returns the handle of the window by which callers wait.
    pub(in crate::swapper) fn handle(&self) -> RollbackWindow {
        RollbackWindow(self.shared.clone())
    }

    /// Starts to watch. If there is no thread for it, only `rollback` and `confirm` end the window: reverting what works
    /// because the machine has no thread left would be worse.
    pub(in crate::swapper) fn start(mut self, inner: &Arc<Inner>) {
        self.healthy_since = Instant::now();
        let (inner, shared) = (Arc::downgrade(inner), self.shared.clone());
        let run = move || {
            let panicked = |message| Decision::Revert {
                reason: format!("the thread that watched it has panicked: {message}"),
            };
            let decided = guarded("hotswap-watch", || self.run());
            let decision = decided.unwrap_or_else(|message| Some(panicked(message)));
            let (Some(decision), Some(inner)) = (decision, inner.upgrade()) else {
                return;
            };
            if let Err(message) = guarded("hotswap-watch", || self.act(&inner, decision)) {
                // A window that is still open is closed by this. After another panic, `rollback` and `confirm` are left.
                let revert = panicked(message);
                if let Err(message) = guarded("hotswap-watch", || self.act(&inner, revert)) {
                    give_up(&self.shared, &message);
                }
            }
        };
        let thread = std::thread::Builder::new().name("hotswap-watch".into());
        if let Err(error) = thread.spawn(run) {
            give_up(&shared, &error);
        }
    }

    /// Carries out a decision, unless the window has closed meanwhile.
    fn act(&mut self, inner: &Arc<Inner>, decision: Decision) {
        fail_point::reach("hotswap-watch: act");
        // The writer is refused after the shutdown, which has closed the window.
        let Ok(mut writer) = inner.writer() else {
            return;
        };
        let window = writer.window.as_ref();
        if !window.is_some_and(|window| Arc::ptr_eq(&window.shared, &self.shared)) {
            return;
        }
        // Something may have failed while this thread waited for its turn.
        let bad = self.too_many(self.failed()).or_else(|| self.bad_rates());
        match bad.unwrap_or(decision) {
            Decision::Promote => inner.promote(&mut writer),
            Decision::Revert { reason } => {
                // The log and the observers have the report.
                let _ = inner.revert(&mut writer, reason, None);
            }
        }
        inner.run_deferred(writer);
    }

    /// Decides to revert if the rates of the calls are bad.
    fn bad_rates(&self) -> Option<Decision> {
        let rates = self.meter.as_ref()?.read();
        let fault = rates.fault(self.baseline.as_ref(), &self.options);
        let reason = fault.filter(|_| self.options.auto_revert)?;
        Some(Decision::Revert { reason })
    }

    /// True if there were too few calls for a verdict on their rates.
    fn is_inconclusive(&self) -> bool {
        let meter = self.meter.as_ref();
        meter.is_some_and(|meter| meter.read().calls < self.options.min_calls)
    }

    /// The number of failures since the switch.
    fn failed(&self) -> u64 {
        total(&self.failures) - self.before + self.shared.reported().0
    }

    /// Decides to revert if there are more failures than allowed.
    fn too_many(&self, failures: u64) -> Option<Decision> {
        let limit = self.options.failure_limit;
        if failures <= limit || !self.options.auto_revert {
            return None;
        }
        let times = match failures {
            1 => "once".into(),
            _ => format!("{failures} times"),
        };
        let mut reason = format!("it has failed {times}, and the failure limit is {limit}");
        if let (_, Some(last)) = self.shared.reported() {
            reason += &format!(": {last}");
        }
        Some(Decision::Revert { reason })
    }

    /// Watches until there is a decision. Returns `None` if the window was closed by somebody else.
    fn run(&mut self) -> Option<Decision> {
        fail_point::reach("hotswap-watch");
        loop {
            let (closed, confirmed) = {
                let state = self.shared.wait_for_work(self.next_look());
                (state.outcome.is_some(), state.confirmed)
            };
            if closed {
                return None;
            }
            if let Some(decision) = self.decide(Instant::now(), self.failed(), confirmed) {
                return Some(decision);
            }
            if let Some(meter) = &self.meter {
                meter.time_soon();
            }
        }
    }

    fn next_look(&self) -> Instant {
        let interval = self.options.interval.max(Duration::from_millis(1));
        let next = after(Instant::now(), interval).min(self.shared.deadline);
        match self.options.auto_promote {
            true => next.min(after(self.healthy_since, self.options.min_healthy_time)),
            false => next,
        }
    }

    fn decide(&mut self, now: Instant, failures: u64, confirmed: bool) -> Option<Decision> {
        if failures > self.seen {
            self.seen = failures;
            self.healthy_since = now;
        }
        if let Some(decision) = self.too_many(failures).or_else(|| self.bad_rates()) {
            return Some(decision);
        }
        let options = &self.options;
        let revert = |reason: String| Some(Decision::Revert { reason });
        if confirmed {
            return Some(Decision::Promote);
        }
        let healthy = now.saturating_duration_since(self.healthy_since) >= options.min_healthy_time;
        let inconclusive = self.is_inconclusive();
        if options.auto_promote && healthy && !inconclusive {
            return Some(Decision::Promote);
        }
        if now < self.shared.deadline {
            return None;
        }
        if options.auto_promote && healthy && inconclusive {
            let calls = options.min_calls;
            return match options.promote_inconclusive {
                true => Some(Decision::Promote),
                false => revert(format!(
                    "there were fewer than {calls} calls, which is too few for a verdict"
                )),
            };
        }
        let (length, healthy) = (options.healthy_deadline, options.min_healthy_time);
        match options.auto_promote {
            true => revert(format!(
                "it was not healthy for {healthy:?} within {length:?}"
            )),
            false => revert(format!("nobody has confirmed it within {length:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch(change: impl FnOnce(&mut ReloadOptions)) -> Watch {
        let mut options = ReloadOptions::production();
        change(&mut options);
        let shared = Arc::new(Shared::new(2, options.healthy_deadline, Vec::new()));
        Watch::new(shared, Vec::new(), options, None, None)
    }

    fn reason(decision: Option<Decision>) -> String {
        match decision {
            Some(Decision::Revert { reason }) => reason,
            other => panic!("not reverted: {other:?}"),
        }
    }

    #[test]
    fn a_healthy_generation_is_promoted_after_the_healthy_time() {
        let mut watch = watch(|_| {});
        let opened = watch.shared.opened;
        assert_eq!(watch.decide(opened + 29 * SECOND, 0, false), None);
        let at = opened + 30 * SECOND;
        assert_eq!(watch.decide(at, 0, false), Some(Decision::Promote));
    }

    #[test]
    fn the_first_failure_beyond_the_limit_reverts() {
        let mut watch = watch(|options| options.failure_limit = 2);
        let at = watch.shared.opened + SECOND;
        assert_eq!(watch.decide(at, 2, false), None);
        let reason = reason(watch.decide(at, 3, true));
        assert_eq!(reason, "it has failed 3 times, and the failure limit is 2");
    }

    #[test]
    fn the_healthy_time_begins_again_after_a_failure() {
        let mut watch = watch(|options| options.failure_limit = 2);
        let opened = watch.shared.opened;
        assert_eq!(watch.decide(opened + 20 * SECOND, 1, false), None);
        assert_eq!(watch.decide(opened + 49 * SECOND, 1, false), None);
        let at = opened + 50 * SECOND;
        assert_eq!(watch.decide(at, 1, false), Some(Decision::Promote));
    }

    #[test]
    fn without_a_healthy_time_before_the_deadline_it_is_reverted() {
        let mut watch = watch(|options| options.failure_limit = 2);
        let opened = watch.shared.opened;
        assert_eq!(watch.decide(opened + 40 * SECOND, 1, false), None);
        let reason = reason(watch.decide(opened + 60 * SECOND, 1, false));
        assert_eq!(reason, "it was not healthy for 30s within 60s");
    }

    #[test]
    fn what_has_to_be_confirmed_is_reverted_at_the_deadline() {
        let mut watch = watch(|options| options.auto_promote = false);
        let opened = watch.shared.opened;
        assert_eq!(watch.decide(opened + 59 * SECOND, 0, false), None);
        let confirmed = watch.decide(opened + 59 * SECOND, 0, true);
        assert_eq!(confirmed, Some(Decision::Promote));
        let reason = reason(watch.decide(opened + 60 * SECOND, 0, false));
        assert_eq!(reason, "nobody has confirmed it within 60s");
    }

    #[test]
    fn failures_only_end_the_window_where_that_is_wanted() {
        let mut watch = watch(|options| options.auto_revert = false);
        let opened = watch.shared.opened;
        assert_eq!(watch.decide(opened + SECOND, 5, false), None);
        let at = opened + 31 * SECOND;
        assert_eq!(watch.decide(at, 5, false), Some(Decision::Promote));
    }
}
