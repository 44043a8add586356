//! The verdict on one check: which level follows from its answers.
use super::{HealthLevel, HealthOptions};
use hotswap_host::Health;
use std::time::{Duration, SystemTime};

/// What a check has come to.
#[derive(Debug)]
pub(super) enum Answer {
    /// It returned this.
    Said(Health),
    /// It returned an error or nonsense, panicked, or has not returned in time.
    Failed(String),
}

/// The state of a check.
#[derive(Clone, Debug)]
pub(super) struct CheckState {
    pub(super) level: HealthLevel,
    pub(super) message: String,
    /// The time at which the last check has ended or was given up, by the clock of the machine.
    pub(super) last_check: Option<SystemTime>,
    /// The number of failures since the last success.
    pub(super) failures: u32,
    /// The duration of the last check that has returned in time.
    pub(super) response_time: Option<Duration>,
}

impl Default for CheckState {
    fn default() -> Self {
        CheckState {
            level: HealthLevel::Healthy,
            message: "not checked yet".into(),
            last_check: None,
            failures: 0,
            response_time: None,
        }
    }
}

impl CheckState {
    /// Notes an answer. `took` is the duration of a check that has returned.
    pub(super) fn answered(
        &mut self,
        answer: Answer,
        took: Option<Duration>,
        options: &HealthOptions,
    ) {
        self.last_check = Some(SystemTime::now());
        self.response_time = took.or(self.response_time);
        let (level, message) = match answer {
            Answer::Said(Health::Healthy) => (HealthLevel::Healthy, String::new()),
            Answer::Said(Health::Degraded(message)) => (HealthLevel::Degraded, message),
            Answer::Said(Health::Unhealthy(message)) => (HealthLevel::Unhealthy, message),
            Answer::Said(Health::Critical(message)) => (HealthLevel::Critical, message),
            Answer::Failed(message) => {
                let failures = self.failures.saturating_add(1);
                let level = match failures {
                    n if n >= options.critical_after => HealthLevel::Critical,
                    n if n >= options.unhealthy_after => HealthLevel::Unhealthy,
                    _ => HealthLevel::Degraded,
                };
                self.failures = failures;
                return self.set(level, message);
            }
        };
        // What the plugin says of itself needs no further evidence.
        self.failures = match level.is_bad() {
            true => self.failures.saturating_add(1),
            false => 0,
        };
        let slow = took.filter(|took| *took >= options.degraded_after);
        match slow.filter(|_| level == HealthLevel::Healthy) {
            Some(took) => {
                let limit = options.degraded_after;
                let message = format!("the check took {took:.1?}, and is slow from {limit:.1?} on");
                self.set(HealthLevel::Degraded, message);
            }
            None => self.set(level, message),
        }
    }

    fn set(&mut self, level: HealthLevel, message: String) {
        self.level = level;
        self.message = message;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: Duration = Duration::from_millis(1);

    fn options() -> HealthOptions {
        HealthOptions {
            unhealthy_after: 2,
            critical_after: 4,
            ..HealthOptions::default()
        }
    }

    /// Brings a check to this level.
    fn bring(state: &mut CheckState, level: HealthLevel) {
        let text = "text".to_owned();
        let answer = Answer::Said(match level {
            HealthLevel::Healthy => Health::Healthy,
            HealthLevel::Degraded => Health::Degraded(text),
            HealthLevel::Unhealthy => Health::Unhealthy(text),
            HealthLevel::Critical => Health::Critical(text),
        });
        state.answered(answer, Some(FAST), &options());
        assert_eq!(state.level, level);
    }

    #[test]
    fn each_level_follows_each_level() {
        for from in HealthLevel::ALL {
            for to in HealthLevel::ALL {
                let mut state = CheckState::default();
                bring(&mut state, from);
                bring(&mut state, to);
                let message = if to == HealthLevel::Healthy {
                    ""
                } else {
                    "text"
                };
                assert_eq!(state.message, message, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn failures_in_a_row_lead_from_one_level_to_the_next() {
        let mut state = CheckState::default();
        let mut levels = Vec::new();
        for _ in 0..5 {
            state.answered(Answer::Failed("no".into()), None, &options());
            levels.push(state.level);
        }
        use HealthLevel::*;
        assert_eq!(levels, [Degraded, Unhealthy, Unhealthy, Critical, Critical]);
        assert_eq!((state.failures, state.message.as_str()), (5, "no"));
        bring(&mut state, Healthy);
        assert_eq!(state.failures, 0);
        state.answered(Answer::Failed("no".into()), None, &options());
        assert_eq!(state.level, Degraded, "it counts from the beginning");
    }

    #[test]
    fn a_slow_check_degrades_and_nothing_more() {
        let slow = Some(options().degraded_after);
        let mut state = CheckState::default();
        state.answered(Answer::Said(Health::Healthy), slow, &options());
        assert_eq!((state.level, state.failures), (HealthLevel::Degraded, 0));
        assert_eq!(
            state.message,
            "the check took 500.0ms, and is slow from 500.0ms on"
        );
        state.answered(Answer::Said(Health::Critical("x".into())), slow, &options());
        assert_eq!((state.level, &*state.message), (HealthLevel::Critical, "x"));
    }
}
