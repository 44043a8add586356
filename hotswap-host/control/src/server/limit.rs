//! Bounds how many refused requests are recorded, so that nobody fills the disk with them.
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The number of refused requests that are recorded in each period.
const MOST: u64 = 60;
const PERIOD: Duration = Duration::from_secs(60);

/// Counts refused requests.
pub(super) struct Limit(Mutex<State>);

struct State {
    since: Instant,
    recorded: u64,
    left_out: u64,
}

/// What is done with a refused request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is recorded, and so many before it were not.
    Record {
        left_out: u64,
    },
    TooMany,
}

impl Limit {
    pub(super) fn new() -> Self {
        Limit(Mutex::new(State {
            since: Instant::now(),
            recorded: 0,
            left_out: 0,
        }))
    }

    /// Counts a refused request.
    pub(super) fn count(&self) -> Verdict {
        self.count_at(Instant::now())
    }

    fn count_at(&self, now: Instant) -> Verdict {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(state.since) >= PERIOD {
            state.since = now;
            state.recorded = 0;
        }
        if state.recorded == MOST {
            state.left_out += 1;
            return Verdict::TooMany;
        }
        state.recorded += 1;
        Verdict::Record {
            left_out: std::mem::take(&mut state.left_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, MOST, PERIOD, Verdict};
    use std::time::Instant;

    #[test]
    fn what_was_left_out_is_counted() {
        let (limit, now) = (Limit::new(), Instant::now());
        for _ in 0..MOST {
            assert_eq!(limit.count_at(now), Verdict::Record { left_out: 0 });
        }
        for _ in 0..1000 {
            assert_eq!(limit.count_at(now), Verdict::TooMany);
        }
        let later = Instant::now() + PERIOD;
        assert_eq!(limit.count_at(later), Verdict::Record { left_out: 1000 });
        assert_eq!(limit.count_at(later), Verdict::Record { left_out: 0 });
    }
}
