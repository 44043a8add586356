//! The rates of a generation's calls: the share that returns an error, and the time that they take.
use crate::generation::watched::Watched;
use crate::load::failures::Failures;
use crate::reclaim::record;
use crate::reclaim::slot::CallTarget;
use crate::swapper::options::ReloadOptions;
use std::sync::Arc;
use std::time::Duration;

/// The share of the calls whose time [`Rates::latency`] returns.
const QUANTILE: f64 = 0.99;

/// Measures the calls of some plugins from one time on.
///
/// Each thread counts its watched calls by the name of the plugin. Calls of live functions, which may go to any plugin, count
/// for all of them. So if several swappers of a program watch plugins of one name at the same time, each counts the calls of
/// all.
pub(in crate::swapper) struct Meter {
    watched: Arc<Watched>,
    failures: Vec<Arc<Failures>>,
    calls_before: u64,
    errors_before: u64,
}

/// The rates that were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::swapper) struct Rates {
    pub(super) calls: u64,
    pub(super) errors: u64,
    /// The time that 99 of 100 calls have not exceeded, if any were timed.
    pub(super) latency: Option<Duration>,
}

impl Meter {
    /// Begins to measure.
    pub(in crate::swapper) fn start(watched: Arc<Watched>, failures: Vec<Arc<Failures>>) -> Self {
        Meter {
            calls_before: calls(&watched),
            errors_before: errors(&failures),
            watched,
            failures,
        }
    }

    /// Asks each thread to time its next call. A thread that makes many calls times one in a great many, and if its calls
    /// have become slow, the next of these is far away.
    pub(super) fn time_soon(&self) {
        targets(&self.watched).for_each(record::time_next_calls);
    }

    /// Returns the rates since the start.
    pub(in crate::swapper) fn read(&self) -> Rates {
        let calls = calls(&self.watched).wrapping_sub(self.calls_before);
        let errors = errors(&self.failures).saturating_sub(self.errors_before);
        Rates {
            calls,
            // Errors since then, and those of calls that began before the start, have no call among these.
            errors: errors.min(calls),
            latency: self.watched.latency.quantile(QUANTILE),
        }
    }
}

fn calls(watched: &Watched) -> u64 {
    targets(watched)
        .map(record::watched_calls)
        .fold(0, u64::wrapping_add)
}

fn targets(watched: &Watched) -> impl Iterator<Item = CallTarget> {
    watched.timed().chain([CallTarget::ANYTHING])
}

fn errors(failures: &[Arc<Failures>]) -> u64 {
    failures.iter().map(|failures| failures.errors()).sum()
}

impl Rates {
    /// The share of the calls that have returned an error.
    fn error_rate(&self) -> f64 {
        self.errors as f64 / self.calls.max(1) as f64
    }

    /// Returns what is wrong with these rates, if anything is. `before` are those of the previous generation.
    pub(super) fn fault(&self, before: Option<&Rates>, options: &ReloadOptions) -> Option<String> {
        if self.calls == 0 || self.calls < options.min_calls {
            return None;
        }
        let before = before.filter(|before| before.calls >= options.min_calls.max(1));
        let (rate, errors, calls) = (self.error_rate(), self.errors, self.calls);
        if rate > options.max_error_rate {
            let limit = options.max_error_rate;
            return Some(format!(
                "{errors} of its {calls} calls have returned an error, and the limit is {limit}"
            ));
        }
        if let Some(before) = before.filter(|_| options.error_rate_factor > 0.0) {
            let limit = options.error_rate_factor * before.error_rate();
            // One error may always happen by chance.
            if rate > limit && errors > 1 {
                let (errors_before, calls_before) = (before.errors, before.calls);
                return Some(format!(
                    "{errors} of its {calls} calls have returned an error, and {errors_before} of {calls_before} before it"
                ));
            }
        }
        let latency = self.latency?;
        if !options.max_latency.is_zero() && latency > options.max_latency {
            let limit = options.max_latency;
            return Some(format!(
                "99 of 100 calls take up to {latency:.1?}, and the limit is {limit:.1?}"
            ));
        }
        let factor = options.latency_factor;
        let before = before
            .and_then(|before| before.latency)
            .filter(|_| factor > 0.0)?;
        (latency.as_secs_f64() > factor * before.as_secs_f64()).then(|| {
            format!("99 of 100 calls take up to {latency:.1?}, and up to {before:.1?} before it")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(calls: u64, errors: u64, micros: u64) -> Rates {
        Rates {
            calls,
            errors,
            latency: Some(Duration::from_micros(micros)),
        }
    }

    fn options(change: impl FnOnce(&mut ReloadOptions)) -> ReloadOptions {
        let mut options = ReloadOptions::production();
        change(&mut options);
        options
    }

    #[test]
    fn an_error_rate_above_the_limit_is_a_fault() {
        let options = options(|options| {
            options.max_error_rate = 0.1;
            options.min_calls = 100;
        });
        assert_eq!(rates(1000, 100, 1).fault(None, &options), None);
        let fault = rates(1000, 101, 1).fault(None, &options).unwrap();
        assert_eq!(
            fault,
            "101 of its 1000 calls have returned an error, and the limit is 0.1"
        );
        assert_eq!(
            rates(99, 99, 1).fault(None, &options),
            None,
            "these are too few"
        );
    }

    #[test]
    fn an_error_rate_far_above_the_one_before_is_a_fault() {
        let options = options(|options| options.error_rate_factor = 2.0);
        let before = rates(1000, 10, 1);
        assert_eq!(rates(100, 2, 1).fault(Some(&before), &options), None);
        assert_eq!(
            rates(100, 3, 1).fault(Some(&before), &options).unwrap(),
            "3 of its 100 calls have returned an error, and 10 of 1000 before it"
        );
        assert_eq!(rates(100, 3, 1).fault(None, &options), None);
        let none = rates(0, 0, 1);
        assert_eq!(
            rates(100, 3, 1).fault(Some(&none), &options),
            None,
            "nothing to compare with"
        );
    }

    #[test]
    fn slow_calls_are_a_fault() {
        let absolute = options(|options| options.max_latency = Duration::from_micros(50));
        assert_eq!(rates(1, 0, 50).fault(None, &absolute), None);
        assert!(rates(1, 0, 51).fault(None, &absolute).is_some());
        let relative = options(|options| options.latency_factor = 3.0);
        let before = rates(1, 0, 10);
        assert_eq!(rates(1, 0, 30).fault(Some(&before), &relative), None);
        let fault = rates(1, 0, 31).fault(Some(&before), &relative).unwrap();
        assert_eq!(
            fault,
            "99 of 100 calls take up to 31.0µs, and up to 10.0µs before it"
        );
    }
}
