//! The steps of a reload, and the stream of events that tells of them.
use super::inner::Inner;
use super::journal::Journal;
use super::observe::{Observers, ReloadEvent, ReloadEventKind};
use super::plan::Cause;
use super::report::seconds;
use serde::Serialize;
use std::fmt;
use std::time::{Duration, Instant};

/// A step of a reload, in the order of the steps. [`ReloadOptions`](crate::ReloadOptions) says which of them run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The files are read, and what they say is compared with the live generation.
    Validate,
    /// A child process loads the new generation, and runs its hooks and smoke tests.
    Probe,
    /// The new plugins are loaded, constructed, and initialised beside the live ones.
    Stage,
    /// The smoke tests run on a copy of the new generation that is thrown away.
    Smoke,
    /// The checks of the host see both generations.
    Check,
    /// Calls of the plugins that are about to be replaced wait, and the running ones finish. State is handed over.
    Drain,
    /// The new generation becomes live. This step cannot fail.
    Switch,
    /// The new instances run `on_start`.
    Start,
    /// The new generation is live, and the previous one is kept beside it.
    Watch,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Validate => "validate",
            Step::Probe => "probe",
            Step::Stage => "stage",
            Step::Smoke => "smoke",
            Step::Check => "check",
            Step::Drain => "drain",
            Step::Switch => "switch",
            Step::Start => "start",
            Step::Watch => "watch",
        })
    }
}

/// A step that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The step.
    pub step: Step,
    /// The duration of the step, in seconds when serialised.
    #[serde(serialize_with = "seconds")]
    pub took: Duration,
    /// True if the step refused the reload.
    pub failed: bool,
}

/// For example, `smoke took 1.2ms`.
impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.failed { "failed after" } else { "took" };
        write!(f, "{} {verb} {:.1?}", self.step, self.took)
    }
}

/// Measures the steps of one attempt, and tells the observers when each has ended.
pub(super) struct Progress<'a> {
    observers: &'a Observers,
    journal: Option<&'a dyn Journal>,
    attempt: u64,
    cause: &'a Cause,
    steps: Vec<StepReport>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(inner: &'a Inner, attempt: u64, cause: &'a Cause) -> Self {
        Progress {
            observers: &inner.observers,
            journal: inner.journal.as_deref(),
            attempt,
            cause,
            steps: Vec::new(),
        }
    }

    /// Runs a step.
    ///
    /// # Errors
    /// The error of the step.
    pub(super) fn step<R, E>(
        &mut self,
        step: Step,
        run: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        let began = Instant::now();
        let result = run();
        self.ended(step, began, result.is_err());
        result
    }

    /// Notes that a step has ended, which began at `began`.
    pub(super) fn ended(&mut self, step: Step, began: Instant, failed: bool) {
        let took = began.elapsed();
        let report = StepReport { step, took, failed };
        self.tell(ReloadEventKind::Step(&report));
        self.steps.push(report);
    }

    /// Tells the journal and the observers of this attempt.
    pub(super) fn tell(&self, kind: ReloadEventKind<'_>) {
        let event = ReloadEvent {
            attempt: self.attempt,
            cause: self.cause,
            kind,
        };
        self.journal
            .iter()
            .for_each(|journal| journal.event(&event));
        self.observers.tell(&event);
    }

    /// The number of the attempt.
    pub(super) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Goes on after the steps of an earlier part of the reload, of which the observers have been told.
    pub(super) fn resume(&mut self, steps: Vec<StepReport>) {
        self.steps = steps;
    }

    /// The steps that have ended.
    pub(super) fn take(&mut self) -> Vec<StepReport> {
        std::mem::take(&mut self.steps)
    }
}
