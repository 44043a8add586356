//! Serialises durations.
use serde::{Serialize, Serializer};
use std::time::Duration;

/// Serialises a duration, if there is one, as a number of seconds.
pub(crate) fn seconds_of_some<S: Serializer>(
    took: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    took.map(|took| took.as_secs_f64()).serialize(to)
}

/// Serialises a duration as a number of seconds.
pub(crate) fn seconds<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(took.as_secs_f64())
}
