//! [`HealthOptions`], which say how often checks run, and what follows from their answers.
use super::HealthError;
use std::time::Duration;

/// How often the checks of a plugin or of the host run, and what follows from their answers.
///
/// ```
/// use hotswap_operate::HealthOptions;
/// use std::time::Duration;
///
/// let mut options = HealthOptions::default();
/// options.interval = Duration::from_secs(1);
/// options.unhealthy_after = 5;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthOptions {
    /// The time from the begin of a check to the begin of the next one. By default, it is five seconds.
    pub interval: Duration,
    /// The longest time that a check may take. One that takes longer has failed, and is left to itself. By default, it is
    /// two seconds.
    pub limit: Duration,
    /// The response time from which the subject is degraded, although the check says that it is healthy. By default, it is
    /// half a second.
    pub degraded_after: Duration,
    /// The number of failures in a row from which the subject is unhealthy. Before, it is degraded. By default, it is three.
    pub unhealthy_after: u32,
    /// The number of failures in a row from which the subject is critical. By default, it is ten.
    pub critical_after: u32,
}

impl Default for HealthOptions {
    fn default() -> Self {
        HealthOptions {
            interval: Duration::from_secs(5),
            limit: Duration::from_secs(2),
            degraded_after: Duration::from_millis(500),
            unhealthy_after: 3,
            critical_after: 10,
        }
    }
}

impl HealthOptions {
    /// Checks that the options do not contradict each other. `of` is what they are for.
    ///
    /// # Errors
    /// They do. The error says what to write.
    pub(super) fn validate(&self, of: &str) -> Result<(), HealthError> {
        let wrong = |problem: String| {
            Err(HealthError::Options {
                of: of.to_owned(),
                problem,
            })
        };
        if self.interval.is_zero() {
            return wrong(
                "`interval` is zero, and checks would never pause; set it to the time between two checks, such as 5 s"
                    .into(),
            );
        }
        if self.limit.is_zero() {
            return wrong(
                "`limit` is zero, and every check would have failed; set it to the longest time that a check may take, such as 2 s"
                    .into(),
            );
        }
        if self.degraded_after > self.limit {
            let (slow, limit) = (self.degraded_after, self.limit);
            return wrong(format!(
                "a check that takes `limit` ({limit:?}) has failed, so none can be slow from `degraded_after` ({slow:?}) on; \
                 set `degraded_after` to {limit:?} at most, or raise `limit`"
            ));
        }
        if self.unhealthy_after == 0 {
            return wrong(
                "`unhealthy_after` is zero, and nothing could be healthy; set it to the number of failures in a row, such as 3"
                    .into(),
            );
        }
        if self.critical_after < self.unhealthy_after {
            let (critical, unhealthy) = (self.critical_after, self.unhealthy_after);
            return wrong(format!(
                "`critical_after` ({critical}) is less than `unhealthy_after` ({unhealthy}), and what is critical is unhealthy, \
                 too; set it to {unhealthy} at least"
            ));
        }
        Ok(())
    }
}
