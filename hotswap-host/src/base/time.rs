//! Times in the future.
use std::time::{Duration, Instant};

/// Thirty years. Any time that times cannot represent is further away, and nobody waits that long.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Returns the time that comes `length` after `time`, for lengths up to [`Duration::MAX`].
pub(crate) fn after(time: Instant, length: Duration) -> Instant {
    time.checked_add(length).unwrap_or_else(|| time + FAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_has_an_end() {
        let now = Instant::now();
        assert_eq!(
            after(now, Duration::from_secs(1)),
            now + Duration::from_secs(1)
        );
        assert_eq!(after(now, Duration::MAX), now + FAR);
    }
}
