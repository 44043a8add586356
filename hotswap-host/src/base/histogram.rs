//! A histogram of durations, which many threads fill.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The number of buckets for each power of two.
const STEPS: usize = 4;
const BUCKETS: usize = 64 * STEPS;

/// Counts durations in buckets, each of which is about a fifth wider than the one before.
pub(crate) struct Histogram([AtomicU64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Histogram([const { AtomicU64::new(0) }; BUCKETS])
    }
}

impl Histogram {
    /// Counts a duration.
    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0[bucket(nanos.max(1))].fetch_add(1, Relaxed);
    }

    /// The number of durations.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// Returns the duration that this share of the durations do not exceed, to the precision of a bucket. Returns `None`
    /// if there are none.
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let counts = self.0.iter().map(|count| count.load(Relaxed));
        let counts: Vec<_> = counts.collect();
        let all: u64 = counts.iter().sum();
        let wanted = (share * all as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let reached = |count: &u64| {
            below += count;
            below >= wanted
        };
        let at = counts.iter().position(reached).filter(|_| all > 0)?;
        Some(Duration::from_nanos(upper(at)))
    }
}

fn bucket(nanos: u64) -> usize {
    let power = nanos.ilog2() as usize;
    let rest = nanos - (1 << power);
    let step = (u128::from(rest) * STEPS as u128) >> power;
    power * STEPS + step as usize
}

/// Returns the largest duration of a bucket, in nanoseconds.
fn upper(bucket: usize) -> u64 {
    let (power, step) = (bucket / STEPS, bucket % STEPS);
    let width = (1_u128 << power) * (step as u128 + 1) / STEPS as u128;
    u64::try_from((1_u128 << power) + width).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_a_quarter() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for nanos in 1..=1000 {
            histogram.record(Duration::from_nanos(nanos));
        }
        for (share, nanos) in [(0.1, 100.0), (0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile(share).unwrap().as_nanos() as f64;
            assert!((nanos..=1.26 * nanos).contains(&found), "{share}: {found}");
        }
    }

    #[test]
    fn each_duration_has_a_bucket() {
        for nanos in [1, 2, 3, u64::MAX / 2, u64::MAX] {
            assert!(bucket(nanos) < BUCKETS);
            assert!(upper(bucket(nanos)) >= nanos, "{nanos}");
        }
        Histogram::default().record(Duration::MAX);
        Histogram::default().record(Duration::ZERO);
    }
}
