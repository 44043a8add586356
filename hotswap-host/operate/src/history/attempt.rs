//! An attempt that is being made.
use hotswap_host::{BuildSet, Cause, ReloadEvent, Requester, StepReport, Trial};
use std::time::SystemTime;

/// An attempt that is being made. It is written when its outcome is known.
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) began: SystemTime,
    pub(super) cause: String,
    /// The id of the deployment that the attempt is part of.
    pub(super) deployment: Option<String>,
    pub(super) steps: Vec<StepReport>,
    /// The row in the database, if the attempt has been written before its end.
    pub(super) row: Option<i64>,
}

impl Attempt {
    /// Begins an attempt with its first event.
    pub(super) fn of(event: &ReloadEvent<'_>) -> Self {
        Attempt::new(event.attempt, event.cause)
    }

    /// Begins an attempt with its set of builds.
    pub(super) fn of_trial(trial: &Trial<'_>) -> Self {
        Attempt::new(trial.attempt, trial.cause)
    }

    /// Begins something that is no attempt, in a host that is not running.
    pub(super) fn offline(by: &Requester) -> Self {
        Attempt::new(0, &Cause::Request(by.clone()))
    }

    /// Begins something that a host finds out when it starts.
    pub(super) fn start() -> Self {
        Attempt::new(0, &Cause::Open)
    }

    fn new(number: u64, cause: &Cause) -> Self {
        Attempt {
            number,
            began: SystemTime::now(),
            cause: cause.to_string(),
            deployment: cause.deployment().map(str::to_owned),
            steps: Vec::new(),
            row: None,
        }
    }
}

/// Returns the text by which a set is known, which is equal for equal sets.
pub(super) fn key(set: &BuildSet) -> String {
    let builds = set
        .iter()
        .map(|(plugin, build)| format!("{plugin}={build}"));
    builds.collect::<Vec<_>>().join(" ")
}
